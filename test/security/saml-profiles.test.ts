import { describe, expect, it } from 'vitest'
import type { Peer } from '../../src/core/model/call.ts'
import { signatureHolds } from '../../src/trust/algorithms.ts'
import type { Party } from '../../src/trust/parties.ts'
import { samlIssuer, type Vouching } from '../../src/trust/saml/issue-saml.ts'
import type { TrustedIssuer } from '../../src/trust/saml/trusted-issuer.ts'
import { verifySistemaTs } from '../../src/trust/saml/verify-saml.ts'
import { certificatesOf } from '../../src/trust/x509/certificate.ts'
import { readTree } from '../../src/wire/xml.ts'
import { citizen, clinician, homes } from '../support/builders.ts'
import {
  type AuthenticateOptions,
  authenticate,
  clock,
  issued,
  message,
  parties,
  pem,
  plainIssuer,
  replayMemory,
  signedByLibrary,
  signerOf,
  signing,
  veneto,
  vouching,
} from '../support/saml.ts'

const gatewayName = 'urn:oid:2.16.840.1.113883.2.9.2.90'
const anchors = { anchors: certificatesOf(pem('signing-ca.pem')) }

/** The parties with another profile for region 050. */
function believing(change: Partial<TrustedIssuer>): readonly Party[] {
  return parties.map((party) =>
    party.name === 'region-050' && party.assertions !== undefined
      ? { ...party, assertions: { ...party.assertions, ...change } }
      : party,
  )
}

function swap(text: string, from: string | RegExp, to: string): string {
  const changed = text.replace(from, () => to)
  if (changed === text) throw new Error(`nothing to replace: ${from}`)
  return changed
}

/** The reason of the refusal, or what was understood. */
async function verdict(bytes: Buffer, peer: Peer, options: AuthenticateOptions) {
  return await authenticate(bytes, peer, options).catch((error: { details?: { reason?: string } }) => {
    if (error.details?.reason === undefined) throw error
    return error.details.reason
  })
}

const instants = () => [new Date(Date.now() - 1_000), new Date(Date.now() + 300_000)].map((date) => date.toISOString())

/** An XUA assertion as another maker would write it, unsigned. */
function xua(change: (xml: string) => string = (xml) => xml): string {
  const [from, to] = instants()
  const attribute = (name: string, value: string) =>
    `<saml2:Attribute Name="${name}"><saml2:AttributeValue>${value}</saml2:AttributeValue></saml2:Attribute>`
  const code = (element: string, value: string) =>
    `<hl7:${element} xmlns:hl7="urn:hl7-org:v3" xsi:type="hl7:CE" code="${value}" codeSystem="1.2.3" displayName="x"/>`
  return change(`<saml2:Assertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ID="_xua1" IssueInstant="${from}" Version="2.0">
  <saml2:Issuer>050</saml2:Issuer>
  <saml2:Subject><saml2:NameID>rossi@veneto.example</saml2:NameID><saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml2:SubjectConfirmationData NotOnOrAfter="${to}"/></saml2:SubjectConfirmation></saml2:Subject>
  <saml2:Conditions NotBefore="${from}" NotOnOrAfter="${to}"><saml2:AudienceRestriction><saml2:Audience>urn:other</saml2:Audience><saml2:Audience>${gatewayName}</saml2:Audience></saml2:AudienceRestriction></saml2:Conditions>
  <saml2:AuthnStatement AuthnInstant="${from}"><saml2:AuthnContext><saml2:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:X509</saml2:AuthnContextClassRef></saml2:AuthnContext></saml2:AuthnStatement>
  <saml2:AttributeStatement>
    ${attribute('urn:oasis:names:tc:xspa:1.0:subject:subject-id', 'Mario Rossi')}
    ${attribute('urn:oasis:names:tc:xspa:1.0:subject:organization', 'Regione Veneto')}
    ${attribute('urn:oasis:names:tc:xspa:1.0:subject:organization-id', 'urn:oid:2.16.840.1.113883.2.9.2.50')}
    ${attribute('urn:ihe:iti:xca:2010:homeCommunityId', homes.veneto)}
    ${attribute('urn:oasis:names:tc:xacml:2.0:subject:role', code('Role', 'PHYS'))}
    ${attribute('urn:oasis:names:tc:xspa:1.0:subject:purposeofuse', code('PurposeOfUse', 'TREAT'))}
    ${attribute('urn:oasis:names:tc:xacml:2.0:resource:resource-id', `${citizen.value}^^^&amp;${citizen.authority}&amp;ISO`)}
  </saml2:AttributeStatement>
</saml2:Assertion>`)
}

describe('an assertion of IHE XUA', () => {
  const words = { roles: new Map([['1.2.3|PHYS', 'AAS']]), purposes: new Map([['TREAT', 'TREATMENT']]) }
  const believed = believing({ profile: 'xua', ...words })
  const judged = (xml: string, more: AuthenticateOptions = {}) =>
    verdict(message(signedByLibrary(xml)), veneto, { believed, audiences: [gatewayName], ...more })

  it('says who asks in the affinity domain’s words', async () => {
    expect(await judged(xua())).toMatchObject({
      subject: 'rossi@veneto.example',
      role: 'AAS',
      purposeOfUse: 'TREATMENT',
      organization: 'urn:oid:2.16.840.1.113883.2.9.2.50',
      patientId: citizen,
      community: homes.veneto,
    })
  })

  it('names no action, and none is made up', async () => {
    expect(await judged(xua())).not.toHaveProperty('action')
  })

  const statement = (xml: string) => /<saml2:AuthnStatement.*?<\/saml2:AuthnStatement>/s.exec(xml)?.[0] ?? ''
  const role =
    /<saml2:AttributeValue><hl7:Role[^>]*><\/saml2:AttributeValue>|<saml2:AttributeValue><hl7:Role.*?<\/saml2:AttributeValue>/s

  it.each<[string, (xml: string) => string, string]>([
    [
      'no audience',
      (xml) => swap(xml, /<saml2:AudienceRestriction>.*<\/saml2:AudienceRestriction>/s, ''),
      'no-audience',
    ],
    [
      'an audience that is somebody else',
      (xml) => swap(xml, `<saml2:Audience>${gatewayName}</saml2:Audience>`, ''),
      'audience-is-somebody-else',
    ],
    [
      'a second restriction to somebody else',
      (xml) =>
        swap(
          xml,
          '</saml2:Conditions>',
          '<saml2:AudienceRestriction><saml2:Audience>urn:x</saml2:Audience></saml2:AudienceRestriction></saml2:Conditions>',
        ),
      'audience-is-somebody-else',
    ],
    [
      'no confirmation',
      (xml) => swap(xml, /<saml2:SubjectConfirmation .*<\/saml2:SubjectConfirmation>/s, ''),
      'no-subject-confirmation',
    ],
    [
      'a method nobody agreed to',
      (xml) => swap(xml, 'cm:bearer', 'cm:sender-vouches'),
      'subject-confirmation-not-supported',
    ],
    [
      'a confirmation that has ended',
      (xml) => swap(xml, /Data NotOnOrAfter="[^"]*"/, 'Data NotOnOrAfter="2020-01-01T00:00:00Z"'),
      'subject-confirmation-expired',
    ],
    [
      'a recipient that is somebody else',
      (xml) => swap(xml, 'ConfirmationData ', 'ConfirmationData Recipient="https://x.example" '),
      'recipient-is-somebody-else',
    ],
    ['no statement of authentication', (xml) => swap(xml, statement(xml), ''), 'no-authn-statement'],
    [
      'two statements of authentication',
      (xml) => swap(xml, statement(xml), statement(xml).repeat(2)),
      'several-authn-contexts',
    ],
    [
      'two contexts',
      (xml) =>
        swap(
          xml,
          /<saml2:AuthnContext>.*<\/saml2:AuthnContext>/s,
          '<saml2:AuthnContext><saml2:AuthnContextClassRef>a</saml2:AuthnContextClassRef></saml2:AuthnContext><saml2:AuthnContext><saml2:AuthnContextClassRef>b</saml2:AuthnContextClassRef></saml2:AuthnContext>',
        ),
      'several-authn-contexts',
    ],
    [
      'no context',
      (xml) => swap(xml, /<saml2:AuthnContextClassRef>.*<\/saml2:AuthnContextClassRef>/s, ''),
      'no-authn-context',
    ],
    [
      'an authentication to come',
      (xml) => swap(xml, /AuthnInstant="[^"]*"/, 'AuthnInstant="2099-01-01T00:00:00Z"'),
      'authenticated-in-the-future',
    ],
    [
      'a session that is over',
      (xml) => swap(xml, 'AuthnInstant', 'SessionNotOnOrAfter="2020-01-01T00:00:00Z" AuthnInstant'),
      'session-is-over',
    ],
    [
      'a second role',
      (xml) => swap(xml, role, `${role.exec(xml)?.[0]}${role.exec(xml)?.[0]}`),
      'an-attribute-has-several-values',
    ],
    ['no role', (xml) => swap(xml, role, ''), 'an-attribute-has-several-values'],
    ['a role without code', (xml) => swap(xml, ' code="PHYS"', ''), 'missing-mandatory-attribute'],
    [
      'a home that is somebody else',
      (xml) => swap(xml, new RegExp(`(?<=homeCommunityId"><saml2:AttributeValue>)${homes.veneto}`), homes.lazio),
      'home-community-is-somebody-else',
    ],
    [
      'a condition nobody knows',
      (xml) => swap(xml, '</saml2:Conditions>', '<x:Moon xmlns:x="urn:x"/></saml2:Conditions>'),
      'condition-not-understood',
    ],
    ['a patient that is malformed', (xml) => swap(xml, citizen.value, 'X'), 'patient-is-malformed'],
  ])('is refused with %s', async (_name, change, reason) => {
    expect(await judged(xua())).toMatchObject({ role: 'AAS' })
    expect(await judged(xua(change))).toBe(reason)
    expect(await judged(xua())).toMatchObject({ role: 'AAS' })
  })

  const holder = (certificate: string) => (xml: string) =>
    swap(
      swap(xml, 'cm:bearer', 'cm:holder-of-key'),
      /<saml2:SubjectConfirmationData ([^>]*)\/>/,
      `<saml2:SubjectConfirmationData NotOnOrAfter="2099-01-01T00:00:00Z"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>\n${certificate.replace(/-----[^-]+-----/g, '')}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></saml2:SubjectConfirmationData>`,
    )
  const [own, other] = ['region-050', 'region-120'].map((name) => certificatesOf(pem(`${name}/tls.crt.pem`))[0]?.raw)

  it('held by a key is accepted over the connection of that key, and over no other', async () => {
    const held = xua(holder(pem('region-050/tls.crt.pem')))
    expect(await judged(held, own && { presenter: own })).toMatchObject({ role: 'AAS' })
    expect(await judged(held, other && { presenter: other })).toBe('presenter-does-not-hold-the-key')
    expect(await judged(held)).toBe('presenter-is-not-known')
    const keyless = xua((xml) => swap(xml, 'cm:bearer', 'cm:holder-of-key'))
    expect(await judged(keyless, own && { presenter: own })).toBe('holder-of-key-without-certificate')
  })

  it('as we issue it is accepted by the same rules', async () => {
    const signer = signerOf(signing('region-050'))
    const issuer = samlIssuer(() => signer, { issuer: '050', lifetimeMs: 60_000, clock })
    const claims: Vouching = { ...vouching, organizationName: `L'Aquila > "x" & <y>` }
    const profile = {
      profile: 'xua',
      audience: gatewayName,
      homeCommunityId: homes.veneto,
      organizationId: homes.veneto,
      roleSystem: `1.2.3`,
      purposeSystem: '1.2.4',
    } as const
    const xml = await issuer.issue(claims, profile)
    expect(await verdict(message(xml), veneto, { believed, audiences: [gatewayName] })).toMatchObject({
      subject: clinician,
      role: 'AAS',
      organizationName: claims.organizationName,
    })
  })
})

describe('an assertion for Sistema TS', () => {
  const issuer: TrustedIssuer = {
    ...plainIssuer,
    community: homes.veneto,
    profile: 'sistema-ts',
    issuers: ['050'],
    trust: anchors,
  }
  const classes = 'urn:oasis:names:tc:SAML:2.0:ac:classes:'
  const statement = {
    subject: 'VRDMRC67T20I257E',
    authenticatedAt: '2026-06-16T15:30:00',
    organization: '050',
    locality: '050201',
  }
  const level = { classRef: `${classes}iso-iec-29115-LoA3`, declRef: `${classes}SpidL2` }
  const make = (more: Partial<typeof statement> = {}, authn: { classRef: string; declRef?: string } = level) => {
    const signer = signerOf(signing('region-050'))
    const saml = samlIssuer(() => signer, { issuer: '050', lifetimeMs: 60_000, clock })
    return saml.issueForSistemaTs({ ...statement, ...more }, authn)
  }
  const judged = (xml: string) => {
    const tree = readTree(Buffer.from(xml))
    const options = { now: Date.now(), skewMs: 60_000, issuers: [issuer], check: signatureHolds }
    try {
      return verifySistemaTs(tree, tree.root, options)
    } catch (error) {
      return (error as { reason: string }).reason
    }
  }

  it.each([
    ['level and mode', level, { level: level.classRef, mode: level.declRef }],
    ['the level alone', { classRef: level.classRef }, { level: level.classRef }],
    ['the mode alone, as the older document has it', { classRef: `${classes}CNS` }, { mode: `${classes}CNS` }],
    ['a generic mode of the same level', { ...level, declRef: `${classes}genericLoA3` }, { level: level.classRef }],
  ])('is accepted with %s', async (_name, authn, told) => {
    expect(judged(await make({}, authn))).toMatchObject({ ...statement, ...told })
  })

  it('is not made with a context Sistema TS does not know', async () => {
    await expect(make({}, { classRef: `${classes}Password` })).rejects.toThrow('does not know')
  })

  const resigned = (xml: string, change: (xml: string) => string) =>
    signedByLibrary(change(xml.replace(/<ds:Signature .*<\/ds:Signature>/s, '')))

  it.each<[string, (xml: string) => string, string]>([
    [
      'a subject that differs',
      (xml) => swap(xml, `>${statement.subject}</saml2:NameID>`, '>VRDMRC67T20I257F</saml2:NameID>'),
      'subject-and-subject-id-differ',
    ],
    [
      'an organization that is not the issuer',
      (xml) => swap(xml, '>050</saml2:AttributeValue>', '>120</saml2:AttributeValue>'),
      'issuer-and-organization-differ',
    ],
    ['a locality of another region', (xml) => swap(xml, '>050201<', '>120201<'), 'locality-and-organization-differ'],
    [
      'no time of authentication',
      (xml) => swap(xml, 'hoursofoperation:start', 'hoursofoperation:end'),
      'missing-mandatory-attribute',
    ],
    ['a time that is none', (xml) => swap(xml, '2026-06-16T15:30:00', 'yesterday'), 'authentication-time-is-malformed'],
    [
      'a level nobody knows',
      (xml) => swap(xml, 'iso-iec-29115-LoA3', 'iso-iec-29115-LoA9'),
      'authn-context-not-allowed',
    ],
    [
      'a generic mode of another level',
      (xml) => swap(xml, `${classes}SpidL2`, `${classes}genericLoA2`),
      'level-and-mode-of-authentication-differ',
    ],
  ])('is refused with %s', async (_name, change, reason) => {
    const good = await make()
    expect(judged(resigned(good, (xml) => xml))).toMatchObject(statement)
    expect(judged(resigned(good, change))).toBe(reason)
  })
})

describe('the mandatory statements of INI’s form', () => {
  const believed = believing({ mandatory: ['document-types', 'application'] })
  const { documentTypes: _, ...untyped } = vouching
  const { application: __, ...unnamed } = vouching

  it('must be there where they are asked for', async () => {
    const judged = async (claims: Vouching) => {
      const signer = signerOf(signing('region-050'))
      const saml = samlIssuer(() => signer, { issuer: '050', lifetimeMs: 60_000, clock })
      return await verdict(message(await saml.issue(claims)), veneto, { believed })
    }
    expect(await judged(vouching)).toMatchObject({ role: 'AAS' })
    expect(await judged(untyped)).toBe('missing-mandatory-attribute')
    expect(await judged(unnamed)).toBe('missing-mandatory-attribute')
  })

  it('must be whole: an application without a version is none', async () => {
    const xml = (await issued()).replace(/<ds:Signature .*<\/ds:Signature>/s, '')
    const cut = swap(xml, /<saml2:Attribute Name="SubjectApplicationVersion".*?<\/saml2:Attribute>/s, '')
    expect(await verdict(message(signedByLibrary(cut)), veneto, {})).toBe('missing-mandatory-attribute')
  })
})

describe('an algorithm', () => {
  const sha1 = 'http://www.w3.org/2000/09/xmldsig#rsa-sha1'
  const sha1Digest = 'http://www.w3.org/2000/09/xmldsig#sha1'
  const sha512 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512'

  it('of SHA-1 is taken from whom the configuration says so, and from nobody else', async () => {
    const xml = signedByLibrary(xua(), { signatureAlgorithm: sha1, digestAlgorithm: sha1Digest })
    const audiences = [gatewayName]
    const judged = (change: Partial<TrustedIssuer>) =>
      verdict(message(xml), veneto, { believed: believing({ profile: 'xua', ...change }), audiences })
    expect(await judged({})).toBe('SignatureMethod-not-allowed')
    expect(await judged({ sha1: true })).toMatchObject({ issuer: '050' })
  })

  it.each([
    ['RSA with SHA-512', { signatureAlgorithm: sha512 }],
    ['SHA-512 digests', { digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha512' }],
  ])('of %s is accepted', async (_name, options) => {
    const believed = believing({ profile: 'xua' })
    const xml = signedByLibrary(xua(), options)
    expect(await verdict(message(xml), veneto, { believed, audiences: [gatewayName] })).toMatchObject({ issuer: '050' })
  })

  it.each(['signing-ec', 'signing-p384'])('over elliptic curves is accepted: %s', async (kind) => {
    const xml = await issued({}, { identity: signing('region-050', kind) })
    expect(await verdict(message(xml), veneto, {})).toMatchObject({ issuer: '050' })
    expect(await verdict(message(swap(xml, '>AAS<', '>DRS<')), veneto, {})).toBe('digest-differs')
  })
})

describe('what was used', () => {
  const region120: Peer = { name: 'region-120', home: homes.lazio, subject: 'CN=A1#120#X', fingerprint: '00' }
  const ini: Peer = { name: 'ini', home: homes.ini, subject: 'CN=A1#000#X', fingerprint: '00' }

  it('is a message, which comes once, and not its assertion, which one presenter may bring again', async () => {
    const [xml, replay] = [await issued(), replayMemory()]
    const first = message(xml)
    expect(await verdict(first, veneto, { replay })).toMatchObject({ issuer: '050' })
    expect(await verdict(first, veneto, { replay })).toBe('used-before')
    expect(await verdict(message(xml), veneto, { replay })).toMatchObject({ issuer: '050' })
    expect(await verdict(message(xml), ini, { replay })).toBe('used-by-another-presenter')
    expect(await verdict(message(xml), region120, { replay })).toBe('issuer-is-not-known')
  })

  it('is the assertion itself where it is for one message', async () => {
    const [xml, replay, believed] = [await issued(), replayMemory(), believing({ replay: 'once' })]
    expect(await verdict(message(xml), veneto, { replay, believed })).toMatchObject({ issuer: '050' })
    expect(await verdict(message(xml), veneto, { replay, believed })).toBe('used-before')
  })

  it('is nothing when the message is refused', async () => {
    const [xml, replay] = [await issued(), replayMemory()]
    const messageId = '7b1f0c52-6f8c-4df6-9f0a-0b0c5b1c2d3e'
    const later = { now: () => Date.now() + 3_600_000 }
    expect(await verdict(message(xml, { messageId }), veneto, { replay, at: later })).toBe('expired')
    expect(await verdict(message(xml, { messageId }), veneto, { replay })).toMatchObject({ issuer: '050' })
  })

  it('must be told apart: a message without an id is refused', async () => {
    expect(await verdict(message(await issued(), { messageId: '' }), veneto, {})).toBe('message-without-id')
  })

  it('counts for nothing when the memory cannot tell', async () => {
    const replay = { remember: () => Promise.reject(new Error('the disk is gone')) }
    await expect(authenticate(message(await issued()), veneto, { replay })).rejects.toThrow('the disk is gone')
  })

  it('is limited in age where the configuration says so', async () => {
    const believed = believing({ maxAgeMs: 60_000 })
    const old = await issued({}, { at: Date.now() - 200_000, lifetimeMs: 3_600_000 })
    expect(await verdict(message(old), veneto, {})).toMatchObject({ issuer: '050' })
    expect(await verdict(message(old), veneto, { believed })).toBe('too-old')
  })
})
