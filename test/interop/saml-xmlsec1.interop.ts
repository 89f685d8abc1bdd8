import { X509Certificate } from 'node:crypto'
import { expect, it } from 'vitest'
import { samlNames } from '../../src/wire/saml/names.ts'
import { openEnvelope, soapNames } from '../../src/wire/soap.ts'
import { NONE, type Node, readTree, type XmlTree } from '../../src/wire/xml.ts'
import { pem, type SigningIdentity, signing } from '../support/saml.ts'
import { assertionIds, describeWith, judgedByXmlsec1, signedByXmlsec1, xmlsec1 } from '../support/xml-signers.ts'
import { type AssertionShape, ini, read, sistemaTs, xua, xuaHolderOfKey } from './assertion-shapes.ts'
import { allIssued, claimsIn, messageWith } from './issued-assertions.ts'
import { type Algorithms, alter, signatureTemplate } from './signature-template.ts'

const presenter = pem('region-050/tls.crt.pem')
const shapes: readonly AssertionShape[] = [ini, xua, xuaHolderOfKey(presenter), sistemaTs]

const strong: readonly Algorithms[] = [
  { method: 'RS256', hash: 'sha256' },
  { method: 'RS384', hash: 'sha384' },
  { method: 'RS512', hash: 'sha512' },
  { method: 'ES256', hash: 'sha256' },
  { method: 'ES384', hash: 'sha384' },
]
/** With the digest that OpenSAML 2 takes where nothing is said, and the oldest of all. */
const weak: readonly Algorithms[] = [
  { method: 'RS256', hash: 'sha1' },
  { method: 'RS1', hash: 'sha1' },
]

function identityFor(method: Algorithms['method']): SigningIdentity {
  return signing('region-050', method === 'ES256' ? 'signing-ec' : method === 'ES384' ? 'signing-p384' : 'signing')
}

function signed(shape: AssertionShape, algorithms: Algorithms, prefix?: string): string {
  const template = signatureTemplate(algorithms, shape.prefixes, prefix)
  return signedByXmlsec1(shape.unsigned(template), identityFor(algorithms.method), assertionIds)
}

const how = { presenter: new X509Certificate(presenter).raw }
const digestDiffers = expect.objectContaining({ kind: 'signature', reason: 'digest-differs' })
const pairs = (list: readonly Algorithms[]) =>
  shapes.flatMap((shape) => list.map(({ method, hash }) => [shape.name, method, hash, shape] as const))

describeWith(xmlsec1, 'an assertion signed by xmlsec1', () => {
  it.each(pairs(strong))('(%s, %s over %s) is accepted', (_name, method, hash, shape) => {
    expect(read(shape, signed(shape, { method, hash }), how)).toMatchObject(shape.understood)
  })

  it.each(pairs(weak))('(%s, %s over %s) is accepted where SHA-1 is allowed only', (_name, method, hash, shape) => {
    const document = signed(shape, { method, hash })
    expect(read(shape, document, { ...how, sha1: true })).toMatchObject(shape.understood)
    const reason = method === 'RS1' ? 'SignatureMethod-not-allowed' : 'DigestMethod-not-allowed'
    expect(() => read(shape, document, how)).toThrow(expect.objectContaining({ kind: 'signature', reason }))
  })

  it.each(shapes.flatMap((shape) => shape.claims.map((claim) => [shape.name, claim, shape] as const)))(
    '(%s) is refused once the last byte of %j is another',
    (_name, claim, shape) => {
      const document = signed(shape, { method: 'ES256', hash: 'sha256' })
      expect(read(shape, document, how)).toMatchObject(shape.understood)
      expect(() => read(shape, alter(document, claim), how)).toThrow(digestDiffers)
      expect(read(shape, document, how)).toMatchObject(shape.understood)
    },
  )

  it.each(shapes.map((shape) => [shape.name, shape] as const))(
    '(%s) is accepted with the signature in the default namespace',
    (_name, shape) => {
      const document = signed(shape, { method: 'RS256', hash: 'sha256' }, '')
      expect(document).toContain('<SignedInfo>')
      expect(read(shape, document, how)).toMatchObject(shape.understood)
    },
  )

  /** Only what is not signed is written anew: digests stand in what is. */
  const inValues = (document: string, change: (base64: string) => string) =>
    document.replace(
      /(<ds:(SignatureValue|X509Certificate)>)([^<]+)(?=<\/ds:\2>)/g,
      (_all, tag: string, _name, base64: string) => `${tag}${change(base64)}`,
    )

  it.each<[string, (document: string) => string]>([
    ['in one line', (document) => inValues(document, (base64) => base64.replaceAll('\n', ''))],
    [
      'indented',
      (document) => inValues(document, (base64) => `\n\t      ${base64.trim().replaceAll('\n', '\n\t      ')}\n    `),
    ],
    [
      'with the carriage returns that Java writes',
      (document) => inValues(document, (base64) => base64.replaceAll('\n', '&#13;\n')),
    ],
    ['with the line ends of Windows throughout', (document) => document.replaceAll('\n', '\r\n')],
    [
      'with comments between elements',
      (document) => document.replaceAll('</saml2:Attribute>', '</saml2:Attribute><!-- c -->'),
    ],
  ])('is accepted when its values are written %s', (_name, rewrite) => {
    // A digest of more than one line, too.
    const document = signed(ini, { method: 'RS512', hash: 'sha512' })
    const rewritten = rewrite(document)
    expect(rewritten).not.toBe(document)
    expect(read(ini, rewritten, how)).toMatchObject(ini.understood)
    expect(() => read(ini, alter(rewritten, '"xs:string">AAS'), how)).toThrow(digestDiffers)
  })

  it.each(shapes.map((shape) => [shape.name, shape] as const))(
    '(%s) is accepted inside a message that declares its prefixes otherwise',
    (_name, shape) => {
      const document = signed(shape, { method: 'RS256', hash: 'sha256' }).replace(/^<\?xml[^>]*>\s*/, '')
      const [tree, node] = inMessage(document)
      expect(shape.verify(tree, node, how)).toMatchObject(shape.understood)
      const [altered, there] = inMessage(alter(document, shape.claims[0] ?? ''))
      expect(() => shape.verify(altered, there, how)).toThrow(digestDiffers)
    },
  )

  function inMessage(assertion: string): readonly [XmlTree, Node] {
    const { soap12, wsse } = soapNames
    const tree = readTree(
      Buffer.from(
        `<E:Envelope xmlns:E="${soap12}" xmlns="urn:a" xmlns:xs="urn:b" xmlns:xsd="urn:c" xmlns:ds="urn:d"><E:Header>
          <Security xmlns="${wsse}">${assertion}</Security></E:Header><E:Body/></E:Envelope>`,
      ),
    )
    const [security = NONE] = openEnvelope(tree, () => true).headers
    return [tree, tree.child(security, samlNames.saml, 'Assertion')]
  }

  it('by the key of another community is refused', () => {
    const template = ini.unsigned(signatureTemplate({ method: 'RS256', hash: 'sha256' }, ini.prefixes))
    const document = signedByXmlsec1(template, signing('region-120'), assertionIds)
    expect(() => read(ini, document, how)).toThrow(expect.objectContaining({ kind: 'certificate' }))
  })
})

describeWith(xmlsec1, 'an assertion we issue', () => {
  const holds = { holds: true }
  const failed = { holds: false, said: expect.stringMatching(/\bFAIL/) }
  const judged = (document: string, authorities = 'signing-ca.pem') =>
    judgedByXmlsec1(document, { authorities: pem(authorities) }, assertionIds)

  it.each(allIssued)(
    'for %s, by %s, is accepted by xmlsec1 alone and in a message, and refused once it is changed',
    async (_profile, _signer, issue) => {
      const assertion = await issue()
      for (const document of [assertion, messageWith(assertion)]) {
        expect(judged(document)).toEqual(holds)
        for (const claim of claimsIn(document)) expect(judged(alter(document, claim))).toEqual(failed)
      }
    },
  )

  it('is not accepted by xmlsec1 under authorities that do not vouch for its signer', async () => {
    const [[, , issue] = []] = allIssued
    expect(judged((await issue?.()) ?? '', 'ca.pem')).toMatchObject({ holds: false })
  })
})
