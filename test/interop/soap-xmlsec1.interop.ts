import { X509Certificate } from 'node:crypto'
import { expect, it } from 'vitest'
import { signatureHolds } from '../../src/trust/algorithms.ts'
import { signMessage } from '../../src/trust/soap/sign-message.ts'
import { type VerifiedMessage, verifyMessage } from '../../src/trust/soap/verify-message.ts'
import { certificatesOf } from '../../src/trust/x509/certificate.ts'
import { openEnvelope, soapNames } from '../../src/wire/soap.ts'
import { type MessagePart, type MessagePattern, partsOf, wssNames } from '../../src/wire/wss.ts'
import { readTree } from '../../src/wire/xml.ts'
import { dsigNames } from '../../src/wire/xml-signature.ts'
import { clock, pem, type SigningIdentity, signing } from '../support/saml.ts'
import { describeWith, judgedByXmlsec1, messageIds, signedByXmlsec1, xmlsec1 } from '../support/xml-signers.ts'
import { issuings, signers } from './issued-assertions.ts'
import { type Algorithms, alter, urisOf } from './signature-template.ts'

// That xmlsec1 accepts what we sign with RSA and SHA-256 is a unit test of signMessage. Here are the other algorithms,
// and the other direction.

const to = 'https://erogatore.example/soap/eco/v1'
const messageId = 'urn:uuid:46da4ec1-f962-4f24-8524-48bb74b505d7'
const patterns: readonly MessagePattern[] = ['ID_AUTH_SOAP_01', 'ID_AUTH_SOAP_02', 'INTEGRITY_SOAP_01']

/** Of each part something that is signed with it, with the markup before it. */
const signedTexts: Readonly<Record<MessagePart, string>> = {
  To: `>https://erogatore`,
  Timestamp: '<wsu:Expires>2',
  MessageID: '>urn:uuid:4',
  Body: '<testo>O',
}
const body =
  '<p:sayHi xmlns:p="urn:prova" xmlns:xs="urn:xs" xmlns:i="urn:i" i:type="xs:s"><testo>OK è</testo></p:sayHi>'

function verify(message: string, pattern: MessagePattern, sha1 = false): VerifiedMessage {
  return verifyMessage(
    openEnvelope(readTree(Buffer.from(message)), () => true),
    {
      pattern,
      trust: { anchors: certificatesOf(pem('signing-ca.pem')) },
      demands: { names: [/^S1#050#/u] },
      sha1,
      clock,
      clockSkewMs: 5_000,
      maxAgeMs: 300_000,
      to,
      check: signatureHolds,
    },
  )
}

/** Laid out as the examples of ModI, with all their parts identified and those of the pattern in the template. */
function template(pattern: MessagePattern, algorithms: Algorithms, { certificate }: SigningIdentity): string {
  const { soap12, wsa, wsse, wsu } = soapNames
  const { ds, exclusiveC14n } = dsigNames
  const { signature, digest } = urisOf(algorithms)
  const [created, expires] = [0, 60_000].map((after) => new Date(Date.now() + after).toISOString())
  const token = new X509Certificate(certificate).raw.toString('base64').replace(/.{76}/g, '$&\n          ')
  const references = partsOf(pattern).map(
    (part) => `
          <ds:Reference URI="#${part}-1">
            <ds:Transforms>
              <ds:Transform Algorithm="${exclusiveC14n}">
                <ec:InclusiveNamespaces xmlns:ec="${exclusiveC14n}" PrefixList="soap wsa wsse"/>
              </ds:Transform>
            </ds:Transforms>
            <ds:DigestMethod Algorithm="${digest}"/>
            <ds:DigestValue/>
          </ds:Reference>`,
  )
  return `<?xml version="1.0" encoding="UTF-8"?>
<soap:Envelope xmlns:soap="${soap12}" xmlns:wsa="${wsa}">
  <soap:Header>
    <wsse:Security xmlns:wsse="${wsse}" xmlns:wsu="${wsu}" soap:mustUnderstand="1">
      <wsse:BinarySecurityToken EncodingType="${wssNames.base64}" ValueType="${wssNames.x509v3}" wsu:Id="X509-1">
          ${token}
      </wsse:BinarySecurityToken>
      <wsu:Timestamp wsu:Id="Timestamp-1">
        <wsu:Created>${created}</wsu:Created>
        <wsu:Expires>${expires}</wsu:Expires>
      </wsu:Timestamp>
      <ds:Signature xmlns:ds="${ds}" Id="SIG-1">
        <ds:SignedInfo>
          <ds:CanonicalizationMethod Algorithm="${exclusiveC14n}">
            <ec:InclusiveNamespaces xmlns:ec="${exclusiveC14n}" PrefixList="soap wsse"/>
          </ds:CanonicalizationMethod>
          <ds:SignatureMethod Algorithm="${signature}"/>${references.join('')}
        </ds:SignedInfo>
        <ds:SignatureValue/>
        <ds:KeyInfo Id="KI-1">
          <wsse:SecurityTokenReference wsu:Id="STR-1">
            <wsse:Reference URI="#X509-1" ValueType="${wssNames.x509v3}"/>
          </wsse:SecurityTokenReference>
        </ds:KeyInfo>
      </ds:Signature>
    </wsse:Security>
    <wsa:To xmlns:wsu="${wsu}" wsu:Id="To-1">${to}</wsa:To>
    <MessageID xmlns="${wsa}" xmlns:wsu="${wsu}" wsu:Id="MessageID-1">${messageId}</MessageID>
  </soap:Header>
  <soap:Body xmlns:wsu="${wsu}" wsu:Id="Body-1">${body}</soap:Body>
</soap:Envelope>
`
}

const kinds: readonly (readonly [Algorithms['method'], Algorithms['hash'], pair: string])[] = [
  ['RS256', 'sha256', 'signing'],
  ['RS384', 'sha384', 'signing'],
  ['RS512', 'sha512', 'signing'],
  ['ES256', 'sha256', 'signing-ec'],
  ['ES384', 'sha384', 'signing-p384'],
]
const differs = expect.objectContaining({ kind: 'signature', reason: 'digest-differs' })

describeWith(xmlsec1, 'a message signed by xmlsec1', () => {
  it.each(patterns.flatMap((pattern) => kinds.map((kind) => [pattern, ...kind] as const)))(
    'is accepted for %s with %s over %s, and refused once a part of it is changed',
    (pattern, method, hash, pair) => {
      const identity = signing('region-050', pair)
      const message = signedByXmlsec1(template(pattern, { method, hash }, identity), identity, messageIds)
      expect(verify(message, pattern)).toMatchObject({
        signer: 'S1#050#050REGIONEVENETO-DEV',
        covered: partsOf(pattern),
      })
      for (const part of partsOf(pattern)) {
        expect(() => verify(alter(message, signedTexts[part]), pattern)).toThrow(differs)
      }
      expect(verify(message, pattern).covered).toEqual(partsOf(pattern))
    },
  )

  it('with SHA-1 is accepted only where the partner may use it', () => {
    const identity = signing('region-050')
    const document = template('INTEGRITY_SOAP_01', { method: 'RS1', hash: 'sha1' }, identity)
    const message = signedByXmlsec1(document, identity, messageIds)
    expect(verify(message, 'INTEGRITY_SOAP_01', true).covered).toHaveLength(4)
    expect(() => verify(message, 'INTEGRITY_SOAP_01')).toThrow(expect.objectContaining({ kind: 'signature' }))
  })
})

describeWith(xmlsec1, 'a message we sign', () => {
  it.each(patterns.flatMap((pattern) => signers.map(([name, signer]) => [pattern, name, signer] as const)))(
    'for %s, by %s, is accepted by xmlsec1 with an assertion beside, and refused once a part of it is changed',
    async (pattern, _name, signer) => {
      const [[, issue] = []] = issuings
      const assertion = await issue?.(signer)
      const outgoing = { action: 'urn:prova:chiedi', messageId, to, ...(assertion === undefined ? {} : { assertion }) }
      const message = await signMessage(outgoing, body, { pattern, signer, clock, lifetimeMs: 60_000 })
      const judged = (document: string) =>
        judgedByXmlsec1(document, { certificate: signer.certificate.toString() }, messageIds)
      expect(message).toContain('</saml2:Assertion>')
      expect(judged(message)).toEqual({ holds: true })
      for (const part of partsOf(pattern)) {
        expect(judged(alter(message, signedTexts[part]))).toEqual({
          holds: false,
          said: expect.stringMatching(/\bFAIL/),
        })
      }
    },
  )
})
