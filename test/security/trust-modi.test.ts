import { randomUUID, X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Signer } from '../network/assertion.ts'
import { type MessageSigning, type ModiPart, signedMessage } from '../network/modi-message.ts'
import { kidOf, type Pdnd, startPdnd } from '../network/pdnd.ts'
import { type Region, startRegion } from '../network/region.ts'
import { send } from '../network/soap-client.ts'
import { type CommunityChanges, certificates, homeOf } from '../support/gateway-config.ts'
import { reasonsSince, told, toldOf } from '../support/told.ts'
import {
  assertionOf,
  between,
  channelOf,
  type Knock,
  messageOf,
  pathOf,
  seed,
  signerIn,
  startTrustGateway,
  type TrustGateway,
} from '../support/trust-gateway.ts'

vi.mock('../../src/telemetry/log.ts', async (original) => {
  const { telling } = await import('../support/told.ts')
  return telling(await original<typeof import('../../src/telemetry/log.ts')>())
})

const identification: readonly ModiPart[] = ['To', 'Timestamp', 'MessageID']
const integrity: readonly ModiPart[] = [...identification, 'Body']

describe('a partner that must sign its messages', () => {
  /** Our name on the network, whatever port the test has. */
  const address = 'https://fse.toscana.example/xca/RespondingGateway_Service'
  const anchors = [pathOf('signing-ca.pem')]
  const communities: Record<string, CommunityChanges> = {
    'region-050': {
      trust: { message: { anchors, pattern: 'INTEGRITY_SOAP_01', signers: ['^S1#050#'], to: [address] } },
    },
    'region-120': { trust: { message: { anchors, pattern: 'ID_AUTH_SOAP_02', signers: ['^S1#120#'] } } },
  }
  let door: TrustGateway
  beforeAll(async () => {
    door = await startTrustGateway({ communities })
  })
  afterAll(() => door[Symbol.asyncDispose]())

  const addressed = (message: string, to = address) => message.replace(/(?<=<wsa:To>)[^<]+/, to)
  interface How extends Partial<MessageSigning> {
    readonly by?: Signer
    readonly to?: string
    readonly after?: (signed: string) => string
  }
  /** A knock whose message is signed, and then changed. */
  const sealed = (how: How = {}, knock: Partial<Knock> = {}): Knock => {
    const { by = signerIn('region-050'), to = address, after = (text) => text, parts = integrity, ...times } = how
    return { ...knock, change: (message) => after(signedMessage(addressed(message, to), by, { parts, ...times })) }
  }
  const lazio = (how: How = {}, knock: Partial<Knock> = {}) =>
    sealed({ parts: identification, by: signerIn('region-120'), ...how }, { as: 'region-120', ...knock })

  async function refused(attack: Knock, control: () => Knock = sealed) {
    const place = told.length
    const answer = await between(
      () => door.knock(control()),
      () => door.knock(attack),
    )
    expect(answer.documents).toEqual([])
    return { code: answer.fault?.code, subcodes: answer.fault?.subcodes, reason: reasonsSince(place)[0] }
  }

  it('is granted what it asks in a message signed as its pattern wants', async () => {
    expect((await door.knock(sealed())).status).toBe('Success')
    expect((await door.knock(lazio())).status).toBe('Success')
    // More than what is wanted does no harm.
    expect((await door.knock(lazio({ parts: integrity }))).status).toBe('Success')
  })

  it('is refused without a signature, though its assertion is sound', async () => {
    for (const [unsigned, control] of [
      [{ change: addressed }, sealed],
      [{ as: 'region-120' }, lazio],
    ] as const) {
      expect(await refused(unsigned, control)).toEqual({
        code: 'Sender',
        subcodes: ['wsse:SecurityTokenUnavailable'],
        reason: 'missing no-signature',
      })
    }
  })

  it.each<[string, How, string, string]>([
    ['when the body is not signed', { parts: identification }, 'wsse:FailedCheck', 'signature Body-is-not-covered'],
    [
      'when the message id is not signed',
      { parts: ['To', 'Timestamp', 'Body'] },
      'wsse:FailedCheck',
      'signature MessageID-is-not-covered',
    ],
    [
      'when the body was changed',
      { after: (text) => text.replace('returnType="LeafClass"', 'returnType="ObjectRef"') },
      'wsse:FailedCheck',
      'signature digest-differs',
    ],
    [
      'when the message id was changed',
      { after: (text) => text.replace(/urn:uuid:[0-9a-f-]{36}/, `urn:uuid:${randomUUID()}`) },
      'wsse:FailedCheck',
      'signature digest-differs',
    ],
    [
      'when the message is for somebody else',
      { to: 'https://altrove.example/xca' },
      'wsse:FailedAuthentication',
      'audience addressed-to-somebody-else',
    ],
    [
      'when another region signed it',
      { by: signerIn('region-120') },
      'wsse:FailedAuthentication',
      'certificate certificate-belongs-to-somebody-else',
    ],
    ['when its time is over', { created: Date.now() - 600_000 }, 'wsu:MessageExpired', 'validity expired'],
    [
      'when its time is to come',
      { created: Date.now() + 600_000 },
      'wsu:MessageExpired',
      'validity created-in-the-future',
    ],
    [
      'when it claims to be good for an hour',
      { expires: Date.now() + 3_600_000 },
      'wsu:MessageExpired',
      'validity lifetime-too-long',
    ],
  ])('is refused %s', async (_, how, subcode, why) => {
    expect(await refused(sealed(how))).toEqual({ code: 'Sender', subcodes: [subcode], reason: why })
  })

  it('is refused a message that comes again, also around another assertion', async () => {
    const text = messageOf(sealed(), door.iti38)
    const replayed = (message: string) => door.knock({ change: () => message })
    expect((await replayed(text)).status).toBe('Success')
    const place = told.length
    const fresh = text.replace(/<saml2:Assertion.*<\/saml2:Assertion>/s, () => assertionOf())
    const [again, around] = await between(
      () => door.knock(sealed()),
      async () => [await replayed(text), await replayed(fresh)],
    )
    expect([again?.fault?.subcodes, around?.fault?.subcodes]).toEqual([
      ['wsse:FailedAuthentication'],
      ['wsse:FailedAuthentication'],
    ])
    expect(reasonsSince(place)).toEqual(['replay used-before', 'replay used-before'])
  })

  it('does not bind others: they may sign or not', async () => {
    const handed = () => ({ as: 'ini', assertions: [assertionOf()] })
    expect((await door.knock(handed())).status).toBe('Success')
    expect((await door.knock(sealed({}, handed()))).status).toBe('Success')
  })
})

describe('our own messages to a partner that follows ModI', () => {
  const clientId = 'e58035ce-c753-4f72-b613-46f8a17b71cc'
  const purposeId = '570a415e-0e7f-410d-85ed-c55ea5537933'
  const audience = 'https://fse.veneto.example/xca'
  const issuer = 'https://fse.toscana.example'
  let pdnd: Pdnd
  let veneto: Region
  let asking: TrustGateway
  let modi: NonNullable<CommunityChanges['modi']>
  const { publicKey } = new X509Certificate(signerIn('gateway').certificate)
  const jwks = async () => {
    const { text } = await send(pdnd.urls.jwks, channelOf('region-050'), { method: 'GET' })
    return JSON.parse(text) as { keys: [] }
  }
  const message = { parts: integrity, longestMs: 60_000 }
  const tokens = { audience, issuer, purposeId, clientId, jwks }

  beforeAll(async () => {
    pdnd = await startPdnd({
      certificates,
      clients: [{ id: clientId, keys: [publicKey], purposes: [{ id: purposeId, audience }] }],
    })
    modi = {
      message: { pattern: 'INTEGRITY_SOAP_01' },
      tokens: { audit: 'AUDIT_REST_01', audience, issuer, purposeId, loa: 'LOA3' },
      pdnd: {
        endpoint: pdnd.urls.token,
        tls: [pathOf('ca.pem')],
        audience: pdnd.audience,
        clientId,
        kid: await kidOf(publicKey),
        purposeId,
      },
    }
    veneto = await startRegion({ certificates, seed, region: '050', modi: { message, tokens } })
    asking = await start(modi)
  })
  afterAll(async () => {
    await asking[Symbol.asyncDispose]()
    await veneto[Symbol.asyncDispose]()
    await pdnd[Symbol.asyncDispose]()
  })
  beforeEach(() => {
    veneto.asked.clear()
    pdnd.asked.clear()
    pdnd.refuse()
  })

  const start = (changes: CommunityChanges['modi'], region = veneto) =>
    startTrustGateway({
      ...(asking === undefined ? {} : { record: asking.record }),
      asksAlways: true,
      regions: [region],
      communities: { 'region-050': changes === undefined ? {} : { modi: changes } },
    })
  const ask = (gateway: TrustGateway) => gateway.knock({ as: 'portal', door: 'iti18', by: signerIn('portal') })
  const outcomes = () => veneto.asked.last.map(({ outcome }) => outcome)
  const messageIds = () => veneto.asked.last.map(({ messageId }) => messageId)

  it('carry a signature and tokens that a strict partner accepts, none of them twice; the voucher serves many', async () => {
    expect(await ask(asking)).toMatchObject({ status: 'Success', issues: [] })
    expect(await ask(asking)).toMatchObject({ status: 'Success', issues: [] })
    expect(outcomes().length).toBeGreaterThan(1)
    expect(new Set(outcomes())).toEqual(new Set(['answered']))
    expect(new Set(messageIds()).size).toBe(messageIds().length)
    expect(pdnd.asked.last.filter(({ path }) => path === new URL(pdnd.urls.token).pathname)).toHaveLength(1)
    expect(pdnd.refusals).toEqual([])
  })

  it('are signed again when they must be sent again', async () => {
    await veneto.behave({ behave: 'reset', times: 1 })
    expect(await ask(asking)).toMatchObject({ status: 'Success', issues: [] })
    expect(outcomes()).toContain('broken')
    expect(new Set(messageIds()).size).toBe(messageIds().length)
    const signatures = veneto.asked.last.map(({ body }) => /<ds:SignatureValue>([^<]+)/.exec(body)?.[1])
    expect(new Set(signatures).size).toBe(signatures.length)
    expect(new Set(outcomes())).toEqual(new Set(['broken', 'answered']))
  })

  it.each<[string, (complete: NonNullable<CommunityChanges['modi']>) => CommunityChanges['modi']]>([
    ['a signature', ({ message: _, ...rest }) => rest],
    ['a signature of the body', (rest) => ({ ...rest, message: { pattern: 'ID_AUTH_SOAP_02' } })],
    ['the tracking evidence', ({ tokens: _, ...rest }) => rest],
    ['a voucher', ({ pdnd: _, ...rest }) => rest],
    ['any of it', () => undefined],
  ])('are not accepted by that partner without %s', async (_, lacking) => {
    await using wrong = await start(lacking(modi))
    const answer = await between(
      () => ask(asking),
      () => ask(wrong),
    )
    expect(answer.issues.map(({ location }) => location)).toEqual([homeOf('region-050')])
    expect(outcomes()).toContain('refused')
  })

  it('bring vouchers bound to our key, with a proof each, where that is agreed', async () => {
    await using bound = await startRegion({
      certificates,
      seed,
      region: '050',
      modi: { message, tokens: { ...tokens, dpop: true } },
    })
    await using proving = await start({ ...modi, ...(modi.pdnd && { pdnd: { ...modi.pdnd, dpop: true } }) }, bound)
    expect(await ask(proving)).toMatchObject({ status: 'Success', issues: [] })
    expect(bound.asked.last.map(({ outcome }) => outcome)).not.toContain('refused')
  })

  it('are not sent when PDND gives no voucher: the leg fails, and an event calls for somebody', async () => {
    await using late = await start(modi)
    pdnd.refuse('015-0021')
    const place = told.length
    const answer = await ask(late)
    expect(answer.status).toBe('PartialSuccess')
    expect(answer.issues.map(({ location }) => location)).toEqual([homeOf('region-050')])
    expect(veneto.asked.total).toBe(0)
    const [failed] = toldOf('voucher-failed', place)
    expect(failed).toMatchObject({ name: 'region-050', error: { code: 'community-rejected' } })
    pdnd.refuse()
    expect(await ask(asking)).toMatchObject({ status: 'Success', issues: [] })
  })
})
