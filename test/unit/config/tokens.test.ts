import { describe, expect, it } from 'vitest'
import { tokens } from '../../../src/config/tokens.ts'

const jwks = { url: 'https://login.example/certs', anchors: ['ca.pem'] }
const portal = { profile: 'portal', issuer: 'https://login.example', audience: ['https://crocevia.example'], jwks }
const fse = { profile: 'fse', audience: 'https://crocevia.example/v1', anchors: ['signing.pem'] }
const modi = {
  profile: 'modi',
  audience: ['https://crocevia.example/v1'],
  authentication: 'ID_AUTH_REST_02',
  keys: { anchors: ['signing.pem'] },
}
const { authentication, keys, ...unsigned } = modi
const pdnd = {
  issuer: 'pdnd.example',
  audience: ['https://crocevia.example/v1'],
  jwks: { file: 'pdnd.jwks.json' },
  address: 'https://crocevia.example',
}

/** Where the faults of a value are, and what they are. */
function faultsOf(value: unknown): string[] {
  const result = tokens.safeParse(value)
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

describe('the tokens of a consumer', () => {
  it('of a portal have defaults', () => {
    expect(tokens.parse(portal)).toEqual({
      ...portal,
      jwks: { ...jwks, intermediates: [], revocationLists: [], freshForMs: 600_000, staleForMs: 86_400_000 },
      algorithms: ['RS256', 'PS256', 'ES256'],
      types: ['JWT', 'at+jwt'],
      claims: {},
      once: false,
    })
    expect(tokens.parse({ ...portal, jwks: { file: 'keys.json' } })).toMatchObject({ jwks: { file: 'keys.json' } })
  })

  it('of the FSE follow the documentation where the national gateway’s code differs', () => {
    expect(tokens.parse(fse)).toEqual({
      ...fse,
      intermediates: [],
      revocationLists: [],
      signers: ['^S[0-9]+#[A-Za-z0-9]{3}'],
      signatureHeader: 'FSE-JWT-Signature',
      channel: 'same-region',
      strictClaims: false,
      maximumAgeMs: 300_000,
      missingTokenStatus: 403,
      invalidTokenStatus: 403,
    })
    expect(faultsOf({ ...fse, missingTokenStatus: 400, invalidTokenStatus: 401 })).toEqual([])
    expect(faultsOf({ ...fse, missingTokenStatus: 401 })).toHaveLength(1)
  })

  it('of ModI have the defaults of the runtime that most partners have', () => {
    expect(tokens.parse(modi)).toMatchObject({
      clockSkewMs: 5_000,
      maximumAgeMs: 300_000,
      signEmptyBody: false,
      sharedJti: true,
      replay: 'authorization',
      digestLabels: 'any-case',
    })
    expect(faultsOf({ ...unsigned, pdnd })).toEqual([])
  })

  it.each<[string, unknown, string]>([
    ['another profile', { ...portal, profile: 'basic' }, 'profile: '],
    ['a key nobody knows', { ...portal, surplus: 1 }, ': Unrecognized key: "surplus"'],
    ['no audience', { ...portal, audience: [] }, 'audience: '],
    ['keys without transport security', { ...portal, jwks: { ...jwks, url: 'http://x.example' } }, 'jwks'],
    ['keys of whatever server', { ...portal, jwks: { url: jwks.url } }, 'jwks'],
    ['an algorithm of shared secrets', { ...portal, algorithms: ['HS256'] }, 'algorithms.0: '],
    ['a claim nobody reads', { ...portal, claims: { nickname: 'nick' } }, 'claims: Unrecognized key: "nickname"'],
    ['an address with a query', { ...portal, address: 'https://x.example/?a' }, 'address: must be an address without'],
    ['no expression', { ...fse, signers: ['('] }, 'signers.0: must be a regular expression'],
    ['half a region', { ...fse, region: '05' }, 'region: must be three letters or digits'],
    [
      'nothing in Authorization',
      { ...unsigned, keys, integrity: 'INTEGRITY_REST_01' },
      ': needs authentication or pdnd',
    ],
    ['two things in Authorization', { ...modi, pdnd }, 'authentication: is where the voucher stands'],
    ['an evidence tied to no voucher', { ...modi, audit: 'AUDIT_REST_02' }, 'audit: needs pdnd'],
    ['signatures nobody can verify', { ...unsigned, authentication }, 'keys: is needed to verify what is signed'],
    ['keys for nothing', { ...unsigned, keys, pdnd }, 'keys: verifies nothing'],
    [
      'an address that is missing',
      { ...unsigned, pdnd: { ...pdnd, address: undefined } },
      'pdnd.address: Invalid input',
    ],
  ])('are refused with %s', (_what, value, fault) => {
    const faults = faultsOf(value)
    expect(faults).toHaveLength(1)
    expect(faults[0]).toContain(fault)
  })
})
