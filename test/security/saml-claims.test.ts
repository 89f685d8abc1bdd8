import { describe, expect, it } from 'vitest'
import { SignedXml } from 'xml-crypto'
import { GatewayError } from '../../src/core/errors.ts'
import type { Assertion, Peer } from '../../src/core/model/call.ts'
import { parseCx } from '../../src/wire/hl7/cx.ts'
import { iniAttributes as attributeNames } from '../../src/wire/saml/ini.ts'
import { dsigNames } from '../../src/wire/xml-signature.ts'
import { citizen, clinician, homes } from '../support/builders.ts'
import {
  authenticate,
  inWords,
  issued,
  message,
  pem,
  signedByLibrary,
  signing,
  unsigned,
  veneto,
} from '../support/saml.ts'

async function attempt(assertion: string, peer: Peer = veneto, at?: number): Promise<Assertion | string> {
  try {
    return await authenticate(message(assertion), peer, at === undefined ? {} : { at: { now: () => at } })
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    expect(error.code).toBe('assertion-invalid')
    return inWords(error.details.reason)
  }
}

const region120: Peer = { name: 'region-120', home: homes.lazio, subject: 'CN=A1#120#X', fingerprint: '00' }
const ini: Peer = { name: 'ini', home: homes.ini, subject: 'CN=A1#000#X', fingerprint: '00' }
const { name: _, home: __, ...stranger } = veneto

describe('an accepted assertion', () => {
  it('says what was claimed, who signed it and when it ends', async () => {
    const at = Date.now()
    expect(await attempt(await issued({}, { at }))).toEqual({
      id: expect.stringMatching(/^_[0-9a-f-]{36}$/),
      issuer: '050',
      community: homes.veneto,
      subject: clinician,
      subjectId: parseCx(clinician),
      role: 'AAS',
      purposeOfUse: 'TREATMENT',
      action: 'READ',
      organization: '050',
      organizationName: 'Regione Veneto',
      locality: 'OSPEDALE DI PROVA^^^^^&2.16.840.1.113883.2.9.4.1.2&ISO^^^^050001',
      inCare: true,
      patientId: citizen,
      documentTypes: [{ code: '11502-2', scheme: '2.16.840.1.113883.6.1' }],
      application: { id: 'app', vendor: 'Prova & figli', version: '1.0' },
      validUntil: at + 300_000,
      signer: expect.stringMatching(/^S1#050#/),
      evidence: { kind: 'saml', digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
    })
  })

  it('has nothing filled in that was not claimed', async () => {
    const told = await attempt(signedByLibrary(unsigned()))
    expect(told).toMatchObject({ subject: clinician, patientId: citizen, role: 'AAS' })
    for (const name of ['locality', 'inCare', 'documentTypes', 'application', 'organizationName']) {
      expect(told).not.toHaveProperty(name)
    }
  })

  it('is never the same twice', async () => {
    expect(await issued()).not.toBe(await issued())
  })
})

describe('between us and a library nobody here wrote', () => {
  it.each([
    ['plain claims', {}],
    ['every character that XML escapes', { locality: `a<b>&"c'\t\r\n\u00a0é🙂]]>`, organizationName: ' à ' }],
    ['few claims', { inCare: false, subject: 'x' }],
  ])('xml-crypto verifies what we sign: %s', async (_name, claims) => {
    const xml = await issued(claims)
    const verifier = new SignedXml({ publicCert: pem('region-050/signing.crt.pem') })
    verifier.loadSignature(/<ds:Signature .*<\/ds:Signature>/s.exec(xml)?.[0] ?? '')
    expect(verifier.checkSignature(xml)).toBe(true)
    expect(verifier.getSignedReferences()[0]).toContain('<saml2:NameID>')
    expect(await attempt(xml)).toEqual(expect.objectContaining({ role: 'AAS' }))
  })

  it.each([
    ['with no prefixes', {}],
    ['with a prefix for SignedInfo', { methodPrefixes: ['xs'] }],
    ['with several prefixes for SignedInfo', { methodPrefixes: ['xs', 'xsi', 'saml2'] }],
  ])('we accept what xml-crypto signs %s', async (_name, options) => {
    expect(await attempt(signedByLibrary(unsigned(), options))).toMatchObject({ id: '_lib1', patientId: citizen })
  })

  it.each([
    ['rsa-sha1', { signatureAlgorithm: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' }, /SignatureMethod/],
    ['sha1 digests', { digestAlgorithm: 'http://www.w3.org/2000/09/xmldsig#sha1' }, /DigestMethod/],
    ['inclusive canonicalization', { canonicalization: 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315' }, /c14n/],
    ['only the enveloped transform', { transforms: [dsigNames.enveloped] }, /transforms/],
    ['the transforms turned round', { transforms: [dsigNames.exclusiveC14n, dsigNames.enveloped] }, /transforms/],
    ['an empty reference', { emptyUri: true }, /reference to elsewhere/],
    ['prefixes in the enveloped transform too', { prefixes: ['xs'] }, /transforms/],
    [
      'a shared secret',
      { hmacKey: 'secret', signatureAlgorithm: 'http://www.w3.org/2000/09/xmldsig#hmac-sha1' },
      /SignatureMethod/,
    ],
  ])('we refuse a true signature with %s', async (_name, options, reason) => {
    expect(await attempt(signedByLibrary(unsigned(), options))).toMatch(reason)
  })
})

describe('a signing certificate', () => {
  it.each([
    ['expired', /certificate expired/],
    ['not-yet-valid', /certificate not yet valid/],
    ['unknown-ca', /not issued by an anchor/],
    ['self-signed', /not issued by an anchor/],
    ['wrong-eku', /without the needed use/],
    ['weak', /key too weak/],
    ['right-ca-wrong-home', /belongs to somebody else/],
  ])('is refused when it is %s', async (name, reason) => {
    // By the library: our own signer does not take a weak key.
    expect(await attempt(signedByLibrary(unsigned(), { identity: signing(`bad/${name}`) }))).toMatch(reason)
  })

  it('of a connection signs nothing', async () => {
    expect(await attempt(await issued({}, { identity: signing('region-050', 'tls') }))).toMatch(
      /not issued by an anchor/,
    )
  })

  it('of another region signs nothing for this one', async () => {
    expect(await attempt(await issued({}, { identity: signing('region-120') }))).toMatch(/belongs to somebody else/)
  })
})

const foreign = await issued({ organization: '120' }, { identity: signing('region-120'), issuer: '120' })

describe('who presents an assertion', () => {
  it('brings assertions of its own community', async () => {
    expect(await attempt(foreign, region120)).toMatchObject({ community: homes.lazio, issuer: '120' })
    expect(await attempt(foreign, veneto)).toMatch(/issuer is not known/)
    expect(await attempt(await issued(), region120)).toMatch(/issuer is not known/)
  })

  it('may be INI, which hands on those of the regions', async () => {
    expect(await attempt(foreign, ini)).toMatchObject({ community: homes.lazio })
    expect(await attempt(await issued(), ini)).toMatchObject({ community: homes.veneto })
    expect(await attempt(await issued({}, { identity: signing('region-120') }), ini)).toMatch(
      /belongs to somebody else/,
    )
  })

  it('nobody hands on an assertion of our own consumers, not even INI', async () => {
    const own = await issued({ organization: '090' }, { identity: signing('portal'), issuer: '090' })
    const portal: Peer = { name: 'portal', home: homes.tuscany, subject: 'CN=A1#090#X', fingerprint: '00' }
    expect(await attempt(own, portal)).toMatchObject({ community: homes.tuscany })
    for (const peer of [ini, veneto]) expect(await attempt(own, peer)).toMatch(/issuer is not known/)
  })

  it('a stranger brings none', async () => {
    expect(await attempt(await issued(), stranger)).toMatch(/issuer is not known/)
  })
})

describe('the time of an assertion', () => {
  const at = Date.now()
  const skewMs = 60_000
  const lifetimeMs = 300_000
  it.each([
    ['long before', -skewMs - 1, /not yet valid/],
    ['within the skew before', -skewMs, undefined],
    ['within the skew after', lifetimeMs + skewMs - 1, undefined],
    ['when the skew has passed too', lifetimeMs + skewMs, /expired/],
  ])('%s', async (_name, offset, reason) => {
    const result = await attempt(await issued({}, { at, lifetimeMs }), veneto, at + offset)
    if (reason === undefined) expect(result).toMatchObject({ role: 'AAS' })
    else expect(result).toMatch(reason)
  })

  it.each(['', 'tomorrow', '2026-01-01', '2026-01-01T00:00:00', '2026-13-01T00:00:00Z', 'Infinity', '1e99'])(
    'is refused when its end is written %j',
    async (text) => {
      const xml = unsigned((whole) => whole.replace(/NotOnOrAfter="[^"]*"/, `NotOnOrAfter="${text}"`))
      expect(await attempt(signedByLibrary(xml))).toMatch(/instant is malformed/)
    },
  )

  it('is read with an offset', async () => {
    const xml = unsigned((whole) => whole.replace(/NotOnOrAfter="[^"]*"/, 'NotOnOrAfter="2099-01-01T01:00:00+01:00"'))
    expect(await attempt(signedByLibrary(xml))).toMatchObject({ validUntil: Date.parse('2099-01-01T00:00:00Z') })
  })
})

describe('the claims of a truly signed assertion', () => {
  const changed = async (from: string | RegExp, to: string) =>
    await attempt(
      signedByLibrary(
        unsigned((xml) => {
          const result = xml.replace(from, () => to)
          if (result === xml) throw new Error(`nothing to replace: ${from}`)
          return result
        }),
      ),
    )
  const attribute = (name: string) => new RegExp(`<saml2:Attribute Name="${name}">.*?</saml2:Attribute>`, 's')
  const { role, purposeOfUse, organizationId, actionId, resourceId } = attributeNames

  it.each([role, purposeOfUse, organizationId, actionId])('must name %s', async (name) => {
    expect(await changed(attribute(name), '')).toMatch(/^missing mandatory attribute/)
    expect(await changed(attribute(name), `<saml2:Attribute Name="${name}"/>`)).toMatch(/several values/)
    const empty = `<saml2:Attribute Name="${name}"><saml2:AttributeValue> </saml2:AttributeValue></saml2:Attribute>`
    expect(await changed(attribute(name), empty)).toMatch(/^missing mandatory attribute/)
  })

  it('may leave the patient out: whether that is enough is for the policy to say', async () => {
    expect(await changed(attribute(resourceId), '')).not.toHaveProperty('patientId')
  })

  it.each([
    [
      'two values',
      '>AAS</saml2:AttributeValue>',
      '>AAS</saml2:AttributeValue><saml2:AttributeValue>INI</saml2:AttributeValue>',
    ],
    [
      'the attribute twice',
      '</saml2:AttributeStatement>',
      `<saml2:Attribute Name="${role}"><saml2:AttributeValue>INI</saml2:AttributeValue></saml2:Attribute></saml2:AttributeStatement>`,
    ],
    [
      'the attribute in a second statement',
      '</saml2:AttributeStatement>',
      `</saml2:AttributeStatement><saml2:AttributeStatement><saml2:Attribute Name="${role}"><saml2:AttributeValue>INI</saml2:AttributeValue></saml2:Attribute></saml2:AttributeStatement>`,
    ],
  ])('may not have several values: %s', async (_name, from, to) => {
    expect(await changed(from, to)).toBe('an attribute has several values')
  })

  it.each([
    ['a structured value', '>AAS<', '><x xmlns="urn:x">AAS</x><', 'an attribute is structured'],
    ['text around an element', '>AAS<', '>AA<x xmlns="urn:x"/>S<', 'an attribute is structured'],
    ['an attribute without a name', `<saml2:Attribute Name="${role}">`, '<saml2:Attribute>', 'attribute without name'],
    ['two issuers', '</saml2:Issuer>', '</saml2:Issuer><saml2:Issuer>120</saml2:Issuer>', 'missing issuer'],
    ['two subjects', '<saml2:Subject>', '<saml2:Subject/><saml2:Subject>', 'missing subject'],
    ['two names', '<saml2:NameID>', '<saml2:NameID>x</saml2:NameID><saml2:NameID>', 'missing subject'],
    [
      'two conditions',
      '<saml2:AttributeStatement>',
      '<saml2:Conditions/><saml2:AttributeStatement>',
      'several conditions',
    ],
    ['no conditions', /<saml2:Conditions[^>]*>/, '', 'missing validity'],
    ['no beginning', /NotBefore="[^"]*"/, '', 'missing validity'],
    ['no end', /NotOnOrAfter="[^"]*"/, '', 'missing validity'],
    ['another version', 'Version="2.0"', 'Version="1.1"', 'not a SAML 2 0 assertion'],
    ['no instant of issue', /IssueInstant="[^"]*"/, '', 'assertion without id or instant'],
  ])('must have the shape of an attribute assertion: %s', async (_name, from, to, reason) => {
    expect(await changed(from, to)).toBe(reason)
  })

  it.each([
    [
      'an issuer of another organization',
      '>050</saml2:AttributeValue>',
      '>120</saml2:AttributeValue>',
      /issuer and organization differ/,
    ],
    ['an unknown issuer', '<saml2:Issuer>050', '<saml2:Issuer>999', /issuer is not known/],
    ['an issuer that only begins well', '<saml2:Issuer>050', '<saml2:Issuer>0500', /issuer is not known/],
    [
      'a patient without authority',
      `${citizen.value}^^^&amp;${citizen.authority}&amp;ISO`,
      citizen.value,
      /patient is malformed/,
    ],
    ['a patient in lower case', citizen.value, citizen.value.toLowerCase(), /patient is malformed/],
    ['a patient of 17 characters', citizen.value, `${citizen.value}X`, /patient is malformed/],
  ])('must fit each other: %s', async (_name, from, to, reason) => {
    expect(await changed(from, to)).toMatch(reason)
  })

  it.each([
    ['types that are no list', attributeNames.hl7Type, '11502-2', /document types are malformed/],
    ['care that is neither', attributeNames.patientConsent, 'yes', /neither true nor false/],
  ])('must be readable: %s', async (_name, name, value, reason) => {
    const more = `<saml2:Attribute Name="${name}"><saml2:AttributeValue>${value}</saml2:AttributeValue></saml2:Attribute>`
    expect(await changed('</saml2:AttributeStatement>', `${more}</saml2:AttributeStatement>`)).toMatch(reason)
  })
})
