import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Signer } from '../network/assertion.ts'
import { signedMessage } from '../network/modi-message.ts'
import { reasonsSince, told } from '../support/told.ts'
import {
  assertionOf,
  between,
  type Knock,
  pathOf,
  policyFault,
  signerIn,
  startTrustGateway,
  type TrustGateway,
} from '../support/trust-gateway.ts'

vi.mock('../../src/telemetry/log.ts', async (original) => {
  const { telling } = await import('../support/told.ts')
  return telling(await original<typeof import('../../src/telemetry/log.ts')>())
})

/** Lazio has nothing better than SHA-1; of Veneto nobody said so. */
const sha1 = { trust: { assertions: { sha1: true } } }

let door: TrustGateway
beforeAll(async () => {
  door = await startTrustGateway({ communities: { 'region-120': sha1 } })
})
afterAll(() => door[Symbol.asyncDispose]())

const veneto = signerIn('region-050')
const lazio = signerIn('region-120')

const signed = (as: string, by: Signer, how: Partial<Knock> = {}) => door.knock({ as, by, ...how })

async function refused(as: string, by: Signer, how: Partial<Knock> = {}) {
  const place = told.length
  const control = { ...by, algorithm: 'rsa-sha256', digest: 'sha256' } as const
  const answer = await between(
    () => signed(as, control, how),
    () => signed(as, by, how),
  )
  return { answer, reason: reasonsSince(place)[0] }
}

describe('an assertion', () => {
  it.each<[string, Signer]>([
    ['RSA with SHA-256', veneto],
    ['RSA with SHA-384', { ...veneto, algorithm: 'rsa-sha384' }],
    ['RSA with SHA-512', { ...veneto, algorithm: 'rsa-sha512', digest: 'sha512' }],
    ['ECDSA over P-256', { ...signerIn('region-050', 'signing-ec'), algorithm: 'ecdsa-sha256' }],
    ['ECDSA over P-384', { ...signerIn('region-050', 'signing-p384'), algorithm: 'ecdsa-sha384', digest: 'sha512' }],
  ])('signed by %s is accepted', async (_, by) => {
    expect((await signed('region-050', by)).status).toBe('Success')
  })

  it.each<[string, Partial<Signer>, string]>([
    ['RSA with SHA-1', { algorithm: 'rsa-sha1' }, 'signature SignatureMethod-not-allowed'],
    ['a digest by SHA-1', { digest: 'sha1' }, 'signature DigestMethod-not-allowed'],
  ])('signed by %s is refused', async (_, how, reason) => {
    const { answer, reason: why } = await refused('region-050', { ...veneto, ...how })
    expect(answer.fault).toMatchObject({ code: 'Sender', subcodes: ['wsse:FailedCheck'] })
    expect(why).toBe(reason)
  })

  it.each<[string, Partial<Signer>]>([
    ['RSA with SHA-1', { algorithm: 'rsa-sha1', digest: 'sha1' }],
    ['RSA with SHA-256 over a digest by SHA-1', { digest: 'sha1' }],
    ['RSA with SHA-1 over a digest by SHA-256', { algorithm: 'rsa-sha1' }],
  ])('signed by %s is accepted of the community whose configuration says so', async (_, how) => {
    expect((await signed('region-120', { ...lazio, ...how })).status).toBe('Success')
    // Whoever hands it on: it is Lazio's assertion.
    const byIni = { as: 'ini', assertions: [assertionOf({ as: 'region-120', by: { ...lazio, ...how } })] }
    expect((await door.knock(byIni)).status).toBe('Success')
  })

  it('signed by SHA-1 is refused of any other community that INI speaks for', async () => {
    const handed = (by: Signer) => () => door.knock({ as: 'ini', assertions: [assertionOf({ by })] })
    const answer = await between(handed(veneto), handed({ ...veneto, algorithm: 'rsa-sha1', digest: 'sha1' }))
    expect(policyFault(answer)).toMatchObject({ code: 'PFC3', element: 'InvalidSecurityToken' })
  })

  it.each<[string, Signer, string]>([
    [
      'an algorithm of another kind of key than its certificate’s',
      { ...veneto, certificate: signerIn('region-050', 'signing-ec').certificate },
      'signature key-and-algorithm-do-not-fit',
    ],
    [
      'a P-256 key that says it is RSA',
      { ...signerIn('region-050', 'signing-ec'), algorithm: 'rsa-sha256' },
      'signature key-and-algorithm-do-not-fit',
    ],
    ['RSA of 1024 bits', signerIn('bad/weak'), 'certificate certificate-key-too-weak'],
  ])('signed by %s is refused', async (_, by, reason) => {
    const place = told.length
    const { fault } = await between(
      () => signed('region-050', veneto),
      () => signed('region-050', by),
    )
    expect(fault).toMatchObject({ code: 'Sender' })
    expect(reasonsSince(place)).toEqual([reason])
  })
})

describe('a signed message', () => {
  const demands = { anchors: [pathOf('signing-ca.pem')], pattern: 'ID_AUTH_SOAP_02' as const }
  let strict: TrustGateway
  beforeAll(async () => {
    strict = await startTrustGateway({
      record: door.record,
      communities: {
        'region-050': { trust: { message: { ...demands, signers: ['^S1#050#'] } } },
        'region-120': { trust: { ...sha1.trust, message: { ...demands, signers: ['^S1#120#'] } } },
      },
    })
  })
  afterAll(() => strict[Symbol.asyncDispose]())

  const parts = ['To', 'Timestamp', 'MessageID'] as const
  const sealed = (as: string, by: Signer, assertion: Signer) => () =>
    strict.knock({ as, by: assertion, change: (message) => signedMessage(message, by, { parts }) })

  it('may be signed by what the configuration takes, whatever its assertion may be signed by', async () => {
    expect((await sealed('region-050', { ...veneto, algorithm: 'rsa-sha512' }, veneto)()).status).toBe('Success')
    const elliptic = { ...signerIn('region-050', 'signing-ec'), algorithm: 'ecdsa-sha256' } as const
    expect((await sealed('region-050', elliptic, veneto)()).status).toBe('Success')
    const sha1Assertion = { ...lazio, algorithm: 'rsa-sha1', digest: 'sha1' } as const
    const answer = await between(
      sealed('region-120', lazio, sha1Assertion),
      sealed('region-120', { ...lazio, algorithm: 'rsa-sha1' }, sha1Assertion),
    )
    expect(answer.fault).toMatchObject({ code: 'Sender', subcodes: ['wsse:FailedCheck'] })
  })
})
