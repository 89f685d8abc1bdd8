import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { type Region, startRegion } from '../network/region.ts'
import { startTuscanRecord, type TuscanRecord } from '../network/tuscan-record.ts'
import { plainXuaAssertion, type XuaClaims, xuaAssertion } from '../network/xua-assertion.ts'
import { certificates, homeOf } from '../support/gateway-config.ts'
import { reasonsSince, told } from '../support/told.ts'
import {
  assertionOf,
  between,
  channelOf,
  type Knock,
  pemFile,
  policyFault,
  seed,
  signerIn,
  startTrustGateway,
  type TrustGateway,
} from '../support/trust-gateway.ts'
import { findDocuments, patient } from '../unit/network/asking.ts'

vi.mock('../../src/telemetry/log.ts', async (original) => {
  const { telling } = await import('../support/told.ts')
  return telling(await original<typeof import('../../src/telemetry/log.ts')>())
})

const audience = 'https://fse.toscana.example/xca'
const issuer = 'https://idp.lazio.example/saml'
const snomed = '2.16.840.1.113883.6.96'
const xspa = '2.16.840.1.113883.3.18.7.1'

/** Lazio vouches as IHE has it, in codes of its own. */
const lazio = {
  trust: {
    assertions: {
      profile: 'xua' as const,
      issuers: [issuer],
      roles: { [`${snomed}|158965000`]: 'AAS', nurse: 'INF' },
      purposes: { [`${xspa}|TREAT`]: 'TREATMENT' },
    },
  },
}

const roleSystem = '2.16.840.1.113883.2.9.3.3.6.4.1'
const purposeSystem = '2.16.840.1.113883.2.9.3.3.6.4.2'
/** Who comes with an assertion of XUA has no place of work and no care to state: the record is told of them by XUA too. */
const ownRegistry = 'https://registro.toscana.example'
const tuscany = { vouching: { profile: 'xua' as const, audience: ownRegistry, roleSystem, purposeSystem } }

let record: TuscanRecord
let door: TrustGateway
let store: Store
beforeAll(async () => {
  record = await startTuscanRecord({ certificates, seed, xua: { audience: ownRegistry } })
  const config = { audiences: ['urn:oid:2.16.840.1.113883.2.9.2.90', audience] }
  door = await startTrustGateway({ record, config, communities: { tuscany, 'region-120': lazio } })
  store = await sqliteStore({ path: door.store })
})
afterAll(async () => {
  await store[Symbol.asyncDispose]()
  await door[Symbol.asyncDispose]()
  await record[Symbol.asyncDispose]()
})

const claims: XuaClaims = {
  issuer,
  audience,
  patient: patient('numeric'),
  home: homeOf('region-120'),
  role: { code: '158965000', system: snomed },
  purpose: { code: 'TREAT', system: xspa },
}
const signer = signerIn('region-120')
const asserted = (more: Partial<XuaClaims> = {}) => xuaAssertion({ ...claims, ...more }, signer)
const knock = (more: Partial<XuaClaims> = {}, how: Partial<Knock> = {}) =>
  door.knock({ as: 'region-120', assertions: [asserted(more)], ...how })

/** The sound assertion, refused for one thing that is wrong with it. */
async function refused(more: Partial<XuaClaims>, how: Partial<Knock> = {}) {
  const place = told.length
  const answer = await between(knock, () => knock(more, how))
  return { answer, subcodes: answer.fault?.subcodes, code: answer.fault?.code, reason: reasonsSince(place)[0] }
}

const last = async () => {
  const { sequence } = await store.latest()
  return (await store.read({ after: sequence - 1, limit: 1 }))[0]?.record
}

describe('an assertion of IHE XUA', () => {
  it('is accepted from its bearer, its role and purpose in the words of the affinity domain', async () => {
    const answer = await knock()
    expect(answer.status).toBe('Success')
    expect(answer.documents.length).toBeGreaterThan(0)
    expect(await last()).toMatchObject({
      outcome: 'success',
      caller: {
        role: 'AAS',
        purposeOfUse: 'TREATMENT',
        organization: homeOf('region-120'),
        assertion: { issuer, community: homeOf('region-120') },
      },
    })
  })

  it('is accepted from the holder of the key it names', async () => {
    expect((await knock({ holder: pemFile('region-120/tls.crt.pem') })).status).toBe('Success')
  })

  it.each([
    ['the name of our community', { audience: 'urn:oid:2.16.840.1.113883.2.9.2.90' }],
    ['a role that is translated whatever its system', { role: { code: 'nurse', system: '1.2.3' } }],
    [
      'a role and a purpose that need no translation',
      { role: { code: 'DRS', system: '1.2.3' }, purpose: { code: 'EMERGENCY', system: '1.2.3' } },
    ],
    ['coded values as plain text', { change: (xml: string) => xml.replace(/<Role [^>]*\/>/, 'AAS') }],
    [
      'a coded value wrapped once more',
      {
        change: (xml: string) =>
          xml.replace(/(<PurposeOfUse [^>]*\/>)/, '<PurposeForUse xmlns="urn:hl7-org:v3">$1</PurposeForUse>'),
      },
    ],
    [
      'conditions that concern others',
      {
        change: (xml: string) =>
          xml.replace('</saml2:Conditions>', '<saml2:OneTimeUse/><saml2:ProxyRestriction/></saml2:Conditions>'),
      },
    ],
  ] satisfies [string, Partial<XuaClaims>][])('is accepted with %s', async (_, more) => {
    expect((await knock(more)).status).toBe('Success')
  })

  it('in INI’s form is not accepted from this partner', async () => {
    const inIniForm = (change: (xml: string) => string) => [
      assertionOf({ by: signer, claims: { issuer: '120', change } }),
    ]
    const own = await refused({}, { assertions: inIniForm((xml) => xml) })
    expect(own).toMatchObject({ code: 'Sender', reason: 'certificate issuer-is-not-known' })
    const named = await refused({}, { assertions: inIniForm((xml) => xml.replace('>120<', `>${issuer}<`)) })
    expect(named).toMatchObject({ code: 'Sender', reason: 'audience no-subject-confirmation' })
  })
})

const hour = 3_600_000
const second = (pattern: RegExp) => ({ change: (xml: string) => xml.replace(pattern, '$1$1') })
const conditions = (from: number, to: number) => ({ notBefore: Date.now() + from, notOnOrAfter: Date.now() + to })
const statement = /(<saml2:AuthnStatement.*<\/saml2:AuthnStatement>)/
const firstValue = (name: string) => new RegExp(`(?<=${name}"[^>]*>)(<saml2:AttributeValue.*?</saml2:AttributeValue>)`)

describe('what IHE’s test tools have refused, by a fault of WS-Security', () => {
  it.each<[string, Partial<XuaClaims>, string, string]>([
    ['expired', conditions(-2 * hour, -hour), 'wsu:MessageExpired', 'validity expired'],
    ['not yet valid', conditions(hour, 2 * hour), 'wsu:MessageExpired', 'validity not-yet-valid'],
    [
      'for an unknown audience',
      { audience: 'https://altrove.example' },
      'wsse:FailedAuthentication',
      'audience audience-is-somebody-else',
    ],
    [
      'for no audience',
      { change: (xml) => xml.replace(/<saml2:AudienceRestriction>.*<\/saml2:AudienceRestriction>/, '') },
      'wsse:FailedAuthentication',
      'audience no-audience',
    ],
    [
      'for two audiences that must both be met',
      {
        change: (xml) =>
          xml.replace(
            '</saml2:Conditions>',
            '<saml2:AudienceRestriction><saml2:Audience>https://altrove.example</saml2:Audience></saml2:AudienceRestriction></saml2:Conditions>',
          ),
      },
      'wsse:FailedAuthentication',
      'audience audience-is-somebody-else',
    ],
    [
      'without a confirmation',
      { change: (xml) => xml.replace(/<saml2:SubjectConfirmation.*?\/>/, '') },
      'wsse:FailedAuthentication',
      'audience no-subject-confirmation',
    ],
    [
      'confirmed by sender-vouches',
      { change: (xml) => xml.replace('cm:bearer', 'cm:sender-vouches') },
      'wsse:FailedAuthentication',
      'audience subject-confirmation-not-supported',
    ],
    [
      'without an authentication',
      { change: (xml) => xml.replace(statement, '') },
      'wsse:InvalidSecurityToken',
      'attributes no-authn-statement',
    ],
    [
      'with an authentication in no context',
      { change: (xml) => xml.replace(/<saml2:AuthnContextClassRef>.*<\/saml2:AuthnContextClassRef>/, '') },
      'wsse:InvalidSecurityToken',
      'attributes no-authn-context',
    ],
    [
      'with an authentication to come',
      {
        change: (xml) =>
          xml.replace(/AuthnInstant="[^"]*"/, `AuthnInstant="${new Date(Date.now() + hour).toISOString()}"`),
      },
      'wsu:MessageExpired',
      'validity authenticated-in-the-future',
    ],
    [
      'with a second authentication',
      second(statement),
      'wsse:InvalidSecurityToken',
      'attributes several-authn-contexts',
    ],
    [
      'with a second context',
      second(/(<saml2:AuthnContext>.*<\/saml2:AuthnContext>)/),
      'wsse:InvalidSecurityToken',
      'attributes several-authn-contexts',
    ],
    [
      'with a second role',
      second(firstValue('subject:role')),
      'wsse:InvalidSecurityToken',
      'attributes an-attribute-has-several-values',
    ],
    [
      'with a second purpose of use',
      second(firstValue('purposeofuse')),
      'wsse:InvalidSecurityToken',
      'attributes an-attribute-has-several-values',
    ],
    [
      'without a role',
      { change: (xml) => xml.replace(/<Role [^>]*\/>/, '') },
      'wsse:InvalidSecurityToken',
      'attributes missing-mandatory-attribute',
    ],
    [
      'with a role without a code',
      { role: { code: '', system: snomed } },
      'wsse:InvalidSecurityToken',
      'attributes missing-mandatory-attribute',
    ],
    [
      'for the home of somebody else',
      { home: homeOf('region-050') },
      'wsse:InvalidSecurityToken',
      'coherence home-community-is-somebody-else',
    ],
    [
      'with a condition nobody understands',
      { change: (xml) => xml.replace('</saml2:Conditions>', '<saml2:Condition/></saml2:Conditions>') },
      'wsse:InvalidSecurityToken',
      'malformed condition-not-understood',
    ],
  ])('an assertion %s', async (_, more, subcode, why) => {
    const { code, subcodes, reason } = await refused(more)
    expect({ code, subcodes, reason }).toEqual({ code: 'Sender', subcodes: [subcode], reason: why })
  })

  it('an assertion that is not signed, or signed by another region', async () => {
    const unsigned = await refused({}, { assertions: [plainXuaAssertion(claims)] })
    expect(unsigned).toMatchObject({ subcodes: ['wsse:FailedCheck'], reason: 'signature not-exactly-one-signature' })
    const others = await refused({}, { assertions: [xuaAssertion(claims, signerIn('region-050'))] })
    expect(others).toMatchObject({
      subcodes: ['wsse:FailedAuthentication'],
      reason: 'certificate certificate-belongs-to-somebody-else',
    })
  })
})

describe('an assertion for the holder of a key', () => {
  const held = (party: string) => ({ holder: pemFile(`${party}/tls.crt.pem`) })

  it('is refused from a connection with another key, though it is sound and INI may hand it on', async () => {
    const place = told.length
    const stolen = await between(
      () => door.knock({ as: 'ini', assertions: [asserted()] }),
      () => door.knock({ as: 'ini', assertions: [asserted(held('region-120'))] }),
    )
    expect(reasonsSince(place)).toEqual(['audience presenter-does-not-hold-the-key'])
    expect(policyFault(stolen)).toMatchObject({ element: 'InvalidSecurityToken', code: 'PFC3' })
    // Its holder is not locked out by the attempt.
    expect((await knock(held('region-120'))).status).toBe('Success')
  })

  it('is refused from another connection of the same community: it is the key that counts', async () => {
    const other = { as: channelOf('bad/right-ca-wrong-home') }
    const place = told.length
    const answer = await between(
      () => knock({}, other),
      () => knock(held('region-120'), other),
    )
    expect(answer.fault).toMatchObject({ code: 'Sender', subcodes: ['wsse:FailedAuthentication'] })
    expect(reasonsSince(place)).toEqual(['audience presenter-does-not-hold-the-key'])
  })

  it('is refused when the key is that of the signature, of somebody else or of nobody', async () => {
    const signature = { holder: pemFile('region-120/signing.crt.pem') }
    const nobody = {
      ...held('region-120'),
      change: (xml: string) => xml.replace(/<ds:X509Certificate>.*<\/ds:X509Certificate>/, ''),
    }
    for (const [more, why] of [
      [signature, 'presenter-does-not-hold-the-key'],
      [held('region-050'), 'presenter-does-not-hold-the-key'],
      [nobody, 'holder-of-key-without-certificate'],
    ] as const) {
      expect(await refused(more)).toMatchObject({ subcodes: ['wsse:FailedAuthentication'], reason: `audience ${why}` })
    }
  })

  it('may be borne as well where it says so', async () => {
    const bearer = '<saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"/>'
    const either = {
      ...held('region-050'),
      change: (xml: string) => xml.replace('</saml2:Subject>', `${bearer}</saml2:Subject>`),
    }
    expect((await knock(either)).status).toBe('Success')
  })
})

describe('an assertion that is sound and not enough', () => {
  it.each<[string, Partial<XuaClaims>, Partial<Knock>]>([
    ['a role without the right to search', { role: { code: '158965000', system: '1.2.3' } }, {}],
    ['a purpose that the role does not have', { purpose: { code: 'PERSONAL', system: xspa } }, {}],
    ['another patient', {}, { body: findDocuments(patient('lazio')) }],
    [
      'a query about somebody, and an assertion about nobody',
      { change: (xml) => xml.replace(/<saml2:Attribute [^>]*resource-id.*?<\/saml2:Attribute>/, '') },
      {},
    ],
  ])('is told by a RegistryError in a 200, for %s', async (_, more, how) => {
    const { answer, reason } = await refused(more, how)
    expect(answer.fault).toBeUndefined()
    expect(answer.http.status).toBe(200)
    expect(answer).toMatchObject({ status: 'Failure', documents: [] })
    expect(answer.issues).toEqual([{ code: 'XDSRegistryError', severity: 'Error', location: homeOf('tuscany') }])
    expect(reason).toMatch(/^denied (role|patient)$/)
    expect(await last()).toMatchObject({ outcome: 'success' })
  })

  it('is told by a fault at a door that is not for the partner at all', async () => {
    const { answer } = await refused({}, { door: 'iti18' })
    expect(answer.fault).toMatchObject({ code: 'Sender' })
  })
})

describe('our own assertions to a community that wants XUA', () => {
  const wanted = 'urn:oid:2.16.840.1.113883.2.9.2.50'
  let veneto: Region
  let asking: TrustGateway
  beforeAll(async () => {
    veneto = await startRegion({ certificates, seed, region: '050', xua: { audience: wanted } })
    const vouching = { profile: 'xua' as const, audience: wanted, roleSystem, purposeSystem }
    asking = await startTrustGateway({
      asksAlways: true,
      regions: [veneto],
      communities: { 'region-050': { vouching } },
    })
  })
  afterAll(async () => {
    await asking[Symbol.asyncDispose]()
    await veneto[Symbol.asyncDispose]()
  })
  const ask = (gateway = asking) => gateway.knock({ as: 'portal', door: 'iti18', by: signerIn('portal') })

  it('are accepted by a strict reader of the profile, each of them once', async () => {
    expect(await ask()).toMatchObject({ status: 'Success', issues: [] })
    expect(await ask()).toMatchObject({ status: 'Success', issues: [] })
    const asked = veneto.asked.last
    expect(asked.length).toBeGreaterThan(1)
    expect(asked).toEqual(
      asked.map(() =>
        expect.objectContaining({ outcome: 'answered', issuer: '090', role: 'AAS', purpose: 'TREATMENT' }),
      ),
    )
    const ids = asked.flatMap(({ assertionIds }) => assertionIds)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it.each([
    [
      'made for another audience',
      { profile: 'xua', audience: 'https://altrove.example', roleSystem: '1.2', purposeSystem: '1.2' },
    ],
    ['in INI’s form', { profile: 'ini' }],
  ] as const)('are not accepted by it when they are %s', async (_, vouching) => {
    await using wrong = await startTrustGateway({
      asksAlways: true,
      record: asking.record,
      regions: [veneto],
      communities: { 'region-050': { vouching } },
    })
    const before = veneto.asked.total
    const answer = await ask(wrong)
    expect(answer.issues.map(({ location }) => location)).toEqual([homeOf('region-050')])
    expect(veneto.asked.last.slice(before - veneto.asked.total).map(({ outcome }) => outcome)).toContain('refused')
    expect((await ask()).issues).toEqual([])
  })
})
