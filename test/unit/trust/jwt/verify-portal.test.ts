import { createHash } from 'node:crypto'
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { rememberingCheck } from '../../../../src/trust/algorithms.ts'
import { fixedKeys } from '../../../../src/trust/jwt/key-set.ts'
import { certificateThumbprint } from '../../../../src/trust/jwt/keys.ts'
import { type PortalOptions, portalVerifier } from '../../../../src/trust/jwt/portal.ts'
import { citizen, clinician, homes } from '../../../support/builders.ts'
import { at, creation, keySetOf, nowSeconds, outcomeOf, pairOf, signedToken, stopped } from '../../../support/jwt.ts'

const portal = pairOf('portal')
const options: PortalOptions = {
  keys: fixedKeys(keySetOf([['k1', portal]])),
  clock: stopped,
  issuer: 'https://login.example',
  audience: ['https://crocevia.example'],
  community: homes.tuscany,
}
const header = { alg: 'RS256', typ: 'at+jwt', kid: 'k1' }
const claims: Readonly<Record<string, unknown>> = {
  ...creation,
  iss: 'https://login.example',
  aud: ['https://other.example', 'https://crocevia.example'],
  sub: clinician,
  iat: nowSeconds,
  exp: nowSeconds + 300,
  jti: 'j1',
  azp: 'desktop',
  action_id: 'READ',
}

function token(changes: Record<string, unknown> = {}, headerChanges: Record<string, unknown> = {}): string {
  return signedToken({ ...header, ...headerChanges }, { ...claims, ...changes }, portal.key)
}

function judged(changes: Record<string, unknown>, more: Partial<PortalOptions> = {}): Promise<string> {
  return outcomeOf(() => portalVerifier({ ...options, ...more })(token(changes)))
}

describe('a portal’s token', () => {
  it('becomes the assertion it claims, nothing else', async () => {
    const text = token()
    expect(await portalVerifier(options)(text)).toEqual({
      assertion: {
        id: 'j1',
        issuer: 'https://login.example',
        community: homes.tuscany,
        subject: clinician,
        subjectId: { value: clinician.slice(0, 16), authority: citizen.authority },
        role: 'AAS',
        purposeOfUse: 'TREATMENT',
        action: 'READ',
        organization: '050',
        organizationName: 'Regione Veneto',
        locality: creation.locality,
        inCare: true,
        patientId: citizen,
        documentTypes: [{ code: '11502-2', scheme: '2.16.840.1.113883.6.1' }],
        application: { id: 'FEDGW', vendor: 'ESEMPIO SPA', version: '1.0.0' },
        validUntil: at + 300_000,
        signer: expect.stringMatching(/^jwk:/),
        evidence: { kind: 'jwt', digest: createHash('sha256').update(text).digest('hex') },
      },
      audience: ['https://other.example', 'https://crocevia.example'],
      client: 'desktop',
      issuedAt: at,
      uses: [],
    })
  })

  it('signed by another implementation is accepted', async () => {
    const text = await new SignJWT({ ...claims }).setProtectedHeader(header).sign(portal.key)
    await expect(portalVerifier(options)(text)).resolves.toMatchObject({ client: 'desktop' })
  })

  it('leaves out what it does not claim', async () => {
    const absent = { jti: undefined, azp: undefined, person_id: undefined, patient_consent: undefined, locality: '' }
    const missing = { subject_organization: undefined, resource_hl7_type: undefined, subject_application_id: undefined }
    const text = token({ ...absent, ...missing, sub: 'user-1' })
    const { assertion, client } = await portalVerifier(options)(text)
    expect(Object.keys(assertion).sort()).toEqual(
      'action community evidence id issuer organization purposeOfUse role signer subject validUntil'.split(' '),
    )
    expect(assertion.id).toBe(assertion.evidence.digest)
    expect(client).toBeUndefined()
  })

  it('may name its claims in its own way', async () => {
    const renamed = { role_code: 'INF', subject_role: undefined, user: 'u1' }
    const verify = portalVerifier({ ...options, claims: { role: 'role_code', subject: 'user' } })
    expect((await verify(token(renamed))).assertion).toMatchObject({ role: 'INF', subject: 'u1' })
    expect(await judged({ subject_role: undefined })).toBe('attributes subject-role-missing')
  })

  it.each([
    ['audience iss-is-another', { iss: 'https://login.example/' }],
    ['attributes iss-missing', { iss: undefined }],
    ['audience aud-is-somebody-else', { aud: 'https://crocevia.example/' }],
    ['audience aud-missing', { aud: undefined }],
    ['audience aud-missing', { aud: [] }],
    ['attributes aud-malformed', { aud: ['https://crocevia.example', 1] }],
    ['attributes aud-malformed', { aud: { 0: 'https://crocevia.example' } }],
    ['validity expired', { exp: nowSeconds - 60 }],
    ['accepted', { iat: nowSeconds - 100, exp: nowSeconds - 59 }],
    ['validity not-yet-valid', { nbf: nowSeconds + 61 }],
    ['validity issued-in-the-future', { iat: nowSeconds + 61 }],
    ['validity expires-before-it-is-issued', { iat: nowSeconds + 10, exp: nowSeconds + 10 }],
    ['attributes exp-missing', { exp: undefined }],
    ['attributes iat-missing', { iat: undefined }],
    ['attributes times-in-milliseconds', { exp: at + 300_000 }],
    ['attributes times-in-milliseconds', { nbf: at }],
    ['attributes exp-malformed', { exp: '9999999999' }],
    ['attributes exp-malformed', { exp: nowSeconds + 0.5 }],
    ['attributes exp-malformed', { exp: null }],
    ['attributes exp-malformed', { exp: 1e300 }],
    ['attributes exp-malformed', { exp: -1 }],
    ['attributes person-id-malformed', { person_id: 'PROVAX80A01H501M' }],
    ['attributes person-id-malformed', { person_id: 'PROVAX80A01H501A^^^&2.16.840.1.113883.2.9.4.3.2&ISO' }],
    ['attributes patient-consent-malformed', { patient_consent: 'true' }],
    ['attributes resource-hl7-type-malformed', { resource_hl7_type: '11502-2' }],
    ['attributes subject-role-malformed', { subject_role: ['AAS'] }],
    ['attributes sub-missing', { sub: '' }],
    ['attributes purpose-of-use-missing', { purpose_of_use: undefined }],
    ['attributes action-id-missing', { action_id: undefined }],
    ['attributes subject-organization-id-missing', { subject_organization_id: undefined }],
  ])('is judged: %s', async (outcome, changes) => {
    expect(await judged(changes)).toBe(outcome)
  })

  it('must be young, and not live long, where the portal agreed to that', async () => {
    const old = { iat: nowSeconds - 1_000, exp: nowSeconds + 9_000 }
    expect(await judged(old)).toBe('accepted')
    expect(await judged(old, { maximumAgeMs: 600_000 })).toBe('validity issued-too-long-ago')
    expect(await judged(old, { maximumLifetimeMs: 9_999_000 })).toBe('validity lives-too-long')
  })

  it('is good once where the portal agreed to that, and then has a name', async () => {
    const verify = portalVerifier({ ...options, once: true })
    const [first, again, other] = [await verify(token()), await verify(token()), await verify(token({ jti: 'j2' }))]
    expect(first.uses).toEqual([{ key: expect.stringMatching(/^[0-9a-f]{64}$/), until: at + 360_000 }])
    expect(again.uses).toEqual(first.uses)
    expect(other.uses).not.toEqual(first.uses)
    expect(await judged({ jti: undefined }, { once: true })).toBe('attributes jti-missing')
  })

  it('is accepted from the applications that are listed', async () => {
    expect(await judged({}, { clients: ['desktop'] })).toBe('accepted')
    expect(await judged({ azp: 'app' }, { clients: ['desktop'] })).toBe('audience token-was-issued-to-another-client')
    expect(await judged({ azp: undefined }, { clients: ['desktop'] })).toBe(
      'audience token-was-issued-to-another-client',
    )
  })

  it('that is bound to a certificate or a key is accepted from its owner only', async () => {
    const { certificate } = pairOf('portal', 'tls')
    const verify = portalVerifier(options)
    const bound = token({ cnf: { 'x5t#S256': certificateThumbprint(certificate) } })
    const another = 'audience token-is-bound-to-another'
    expect(await outcomeOf(() => verify(bound, { certificate }))).toBe('accepted')
    expect(await outcomeOf(() => verify(bound))).toBe(another)
    expect(await outcomeOf(() => verify(bound, { certificate: pairOf('stranger', 'tls').certificate }))).toBe(another)
    const keyed = token({ cnf: { jkt: 'T' } })
    expect(await outcomeOf(() => verify(keyed, { proofKey: 'T' }))).toBe('accepted')
    expect(await outcomeOf(() => verify(keyed, { proofKey: 'U' }))).toBe(another)
    expect(await judged({ cnf: {} })).toBe('attributes cnf-malformed')
    expect(await judged({ cnf: { jku: 'x' } })).toBe('attributes cnf-is-not-understood')
  })

  it('is of the type its profile names', async () => {
    const untyped = token({}, { typ: undefined })
    expect(await outcomeOf(() => portalVerifier(options)(untyped))).toBe('header typ-is-another')
    expect(await outcomeOf(() => portalVerifier({ ...options, untyped: true })(untyped))).toBe('accepted')
  })

  it('is judged anew each time, even where its signature is remembered', async () => {
    let now = at
    let checks = 0
    const check = rememberingCheck((...given) => {
      checks++
      return given.length === 4
    })
    const verify = portalVerifier({ ...options, check, clock: { now: () => now } })
    const text = token()
    expect([await outcomeOf(() => verify(text)), await outcomeOf(() => verify(text)), checks]).toEqual([
      'accepted',
      'accepted',
      1,
    ])
    now += 360_000
    expect(await outcomeOf(() => verify(text))).toBe('validity expired')
  })
})
