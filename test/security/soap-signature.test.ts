import { createHash, createHmac, sign, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/core/errors.ts'
import { signatureHolds } from '../../src/trust/algorithms.ts'
import { Refusal } from '../../src/trust/refusal.ts'
import { type MessageRules, type VerifiedMessage, verifyMessage } from '../../src/trust/soap/verify-message.ts'
import { certificatesOf } from '../../src/trust/x509/certificate.ts'
import { canonicalBytes, canonicalize } from '../../src/wire/c14n.ts'
import { openEnvelope, soapNames } from '../../src/wire/soap.ts'
import { encodeSignedInfo, wssNames } from '../../src/wire/wss.ts'
import { type Node, readTree, XmlError, type XmlTree } from '../../src/wire/xml.ts'

const { soap12, wsa, wsse, wsu } = soapNames
const ds = 'http://www.w3.org/2000/09/xmldsig#'
const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const rsaSha256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'
const sha256 = 'http://www.w3.org/2001/04/xmlenc#sha256'
const address = 'https://erogatore.example/soap/eco/v1'

const pki = new URL('../../certs-dev/out/', import.meta.url)
const pem = (path: string) => readFileSync(new URL(path, pki), 'utf8')
const certificateOf = (name: string) => new X509Certificate(pem(`${name}.crt.pem`)).raw.toString('base64')

interface Parts {
  token: string
  timestamp: string
  to: string
  messageId: string
  body: string
  /** Further header blocks. */
  headers: string
  keyInfo: string
  signature: string
}

const instants = (created: number, expires: number) => {
  const [from, until] = [created, expires].map((after) => new Date(Date.now() + after).toISOString())
  return `<wsu:Created>${from}</wsu:Created><wsu:Expires>${until}</wsu:Expires>`
}

const token = (certificate: string, id = 'x509') =>
  `<wsse:BinarySecurityToken EncodingType="${wssNames.base64}" ValueType="${wssNames.x509v3}" wsu:Id="${id}">` +
  `${certificate}</wsse:BinarySecurityToken>`

const plain: Omit<Parts, 'signature'> = {
  token: token(certificateOf('region-050/signing')),
  timestamp: `<wsu:Timestamp wsu:Id="ts">${instants(0, 60_000)}</wsu:Timestamp>`,
  to: `<wsa:To wsu:Id="to">${address}</wsa:To>`,
  messageId: '<wsa:MessageID wsu:Id="id">urn:uuid:46da4ec1-f962-4f24-8524-48bb74b505d7</wsa:MessageID>',
  body: '<env:Body wsu:Id="body"><p:chiedi xmlns:p="urn:prova">di Anna</p:chiedi></env:Body>',
  headers: '',
  keyInfo:
    '<ds:KeyInfo><wsse:SecurityTokenReference wsu:Id="str">' +
    `<wsse:Reference URI="#x509" ValueType="${wssNames.x509v3}"/></wsse:SecurityTokenReference></ds:KeyInfo>`,
}

function spell({ body, headers, messageId, signature, timestamp, to, token }: Parts): string {
  return (
    `<env:Envelope xmlns:env="${soap12}" xmlns:wsa="${wsa}" xmlns:wsse="${wsse}" xmlns:wsu="${wsu}"><env:Header>` +
    `${to}<wsa:Action>urn:a</wsa:Action>${messageId}<wsse:Security>${token}${timestamp}${signature}</wsse:Security>` +
    `${headers}</env:Header>${body}</env:Envelope>`
  )
}

interface Crafting extends Partial<Omit<Parts, 'signature'>> {
  /** Ids of what is signed. */
  readonly over?: readonly string[]
  /** Whose key signs. */
  readonly key?: string
  /** What the signer writes into its SignedInfo, before signing it. */
  readonly signedInfo?: (text: string) => string
  readonly digest?: string
  readonly sign?: (signedInfo: Buffer) => Buffer
  /** What becomes of the message after it was signed. */
  readonly after?: (parts: Parts) => Partial<Parts>
}

/** A message that its signer signed just so: whatever is odd about it, the signature holds. */
function craft(crafting: Crafting = {}): string {
  const { over = ['to', 'ts', 'id', 'body'], key = 'region-050/signing', digest = 'sha256' } = crafting
  const { signedInfo: change = (text) => text, after = () => ({}), ...rest } = crafting
  const parts: Parts = { ...plain, ...rest, signature: '' }
  const signature = (content: string) => `<ds:Signature xmlns:ds="${ds}">${content}${parts.keyInfo}</ds:Signature>`
  const tree = readTree(Buffer.from(spell({ ...parts, signature: signature('') })))
  const references = over.map((id) => ({
    id,
    digest: createHash(digest)
      .update(canonicalBytes(tree, identified(tree, id)))
      .digest('base64'),
  }))
  const signedInfo = change(encodeSignedInfo(rsaSha256, references))
  const signed = canonicalBytes(readTree(Buffer.from(signedInfo)), 0)
  const signer = crafting.sign ?? ((data) => sign('sha256', data, pem(`${key}.key.pem`)))
  const value = signer(signed).toString('base64')
  const whole = { ...parts, signature: signature(`${signedInfo}<ds:SignatureValue>${value}</ds:SignatureValue>`) }
  return spell({ ...whole, ...after(whole) })
}

function identified(tree: XmlTree, id: string): Node {
  for (let node = 0; node < tree.records.count; node++) {
    if (tree.attributes(node).some(({ value }) => value === id)) return node
  }
  throw new Error(`nothing is called ${id}`)
}

const rules: MessageRules = {
  pattern: 'INTEGRITY_SOAP_01',
  trust: { anchors: certificatesOf(pem('signing-ca.pem')) },
  demands: { names: [/^S1#050#/u] },
  sha1: false,
  clock: { now: () => Date.now() },
  clockSkewMs: 5_000,
  maxAgeMs: 300_000,
  to: address,
  check: signatureHolds,
}

function verify(message: string): VerifiedMessage {
  return verifyMessage(
    openEnvelope(readTree(Buffer.from(message)), () => true),
    rules,
  )
}

/** Kind and reason in one, `accepted` when there is none. */
function refusalOf(message: string): string {
  try {
    verify(message)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return `${error.kind} ${error.reason}`
  }
  return 'accepted'
}

/** Replaces what must be there. */
function swap(text: string, from: string | RegExp, to: string): string {
  const changed = text.replace(from, () => to)
  if (changed === text) throw new Error(`nothing to replace: ${from}`)
  return changed
}

const good = craft()
const part = (name: string) => new RegExp(`<ds:${name}[ >].*</ds:${name}>`, 's').exec(good)?.[0] ?? ''
const evilBody = (id = '') => `<env:Body${id}><p:chiedi xmlns:p="urn:prova">di Bruno</p:chiedi></env:Body>`
const keep = (content: string) => `<x:Keep xmlns:x="urn:x">${content}</x:Keep>`
const transforms = (steps: string) => (text: string) =>
  swap(text, /<ds:Transforms>.*?<\/ds:Transforms>/, `<ds:Transforms>${steps}</ds:Transforms>`)
const transform = (algorithm: string, content = '') =>
  `<ds:Transform Algorithm="${algorithm}">${content}</ds:Transform>`
const timestamp = (content: string) => ({ timestamp: `<wsu:Timestamp wsu:Id="ts">${content}</wsu:Timestamp>` })
const tampered = (from: string | RegExp, to: string) => () => swap(good, from, to)
const by = (name: string) => () => craft({ token: token(certificateOf(name)), key: name })

type Attack = readonly [name: string, message: () => string, refusal: RegExp]

/** The message with another body, and what is made of the digests of the original and of the other. */
function redigested(digestValue: (original: string, evil: string) => string): string {
  const digestOf = (message: string) => {
    const tree = readTree(Buffer.from(message))
    return createHash('sha256')
      .update(canonicalBytes(tree, identified(tree, 'body')))
      .digest('base64')
  }
  const evil = swap(good, 'Anna', 'Bruno')
  return swap(evil, digestOf(good), digestValue(digestOf(good), digestOf(evil)))
}

/** The signature of somebody honest around what an attacker wants to be read. */
const wrapping: readonly Attack[] = [
  ['another body', tampered('Anna', 'Bruno'), /^signature digest-differs$/],
  [
    'another body, the original in a header under the same id',
    () => craft({ after: ({ body }) => ({ headers: keep(body), body: evilBody(' wsu:Id="body"') }) }),
    /^signature id-is-not-unique$/,
  ],
  [
    'another body without an id, the original in a header',
    () => craft({ after: ({ body }) => ({ headers: keep(body), body: evilBody() }) }),
    /^signature reference-to-an-inner-element$/,
  ],
  [
    'another body with an id of its own, the original itself a header',
    () => craft({ after: ({ body }) => ({ headers: body, body: evilBody(' wsu:Id="evil"') }) }),
    /^signature Body-is-not-covered$/,
  ],
  [
    'another body, the original within it',
    () => craft({ after: ({ body }) => ({ body: swap(evilBody(), '</p:chiedi>', `${body}</p:chiedi>`) }) }),
    /^signature reference-to-an-inner-element$/,
  ],
  [
    'another body, the original in an Object of the signature',
    () =>
      craft({
        after: ({ body, signature }) => ({
          body: evilBody(),
          signature: swap(signature, '</ds:Signature>', `<ds:Object>${body}</ds:Object></ds:Signature>`),
        }),
      }),
    /^signature reference-to-an-inner-element$/,
  ],
  [
    'another address, the original in a header of its own',
    () => craft({ after: ({ to }) => ({ to: `<wsa:To>${address}</wsa:To>`, headers: keep(to) }) }),
    /^signature reference-to-an-inner-element$/,
  ],
  [
    'another address, the original in the security header',
    () => craft({ after: ({ timestamp, to }) => ({ to: `<wsa:To>${address}</wsa:To>`, timestamp: timestamp + to }) }),
    /^signature To-is-not-covered$/,
  ],
  [
    'another message id, the original in the security header',
    () =>
      craft({
        after: ({ messageId, timestamp }) => ({
          messageId: '<wsa:MessageID>urn:uuid:new</wsa:MessageID>',
          timestamp: timestamp + messageId,
        }),
      }),
    /^signature MessageID-is-not-covered$/,
  ],
  ['two addresses', () => craft({ headers: `<wsa:To>${address}</wsa:To>` }), /^header several-To$/],
  ['two message ids', () => craft({ headers: '<wsa:MessageID>urn:x</wsa:MessageID>' }), /^header several-MessageID$/],
  [
    'a fresh timestamp, the original a header',
    () =>
      craft({
        after: ({ timestamp }) => ({
          timestamp: `<wsu:Timestamp>${instants(0, 60_000)}</wsu:Timestamp>`,
          headers: timestamp,
        }),
      }),
    /^signature Timestamp-is-not-covered$/,
  ],
  [
    'the timestamp outside of the security header',
    () => craft({ after: ({ timestamp }) => ({ timestamp: '', headers: timestamp }) }),
    /^header no-Timestamp$/,
  ],
  [
    'two timestamps',
    () => craft({ after: ({ timestamp }) => ({ timestamp: `<wsu:Timestamp/>${timestamp}` }) }),
    /^header several-Timestamp$/,
  ],
  ['an address in another namespace', tampered(`xmlns:wsa="${wsa}"`, 'xmlns:wsa="urn:wsa"'), /^header no-To$/],
  ['a prefix that means something else', tampered('xmlns:p="urn:prova"', 'xmlns:p="urn:altra"'), /digest-differs$/],
  ...['wsu:Id', 'Id', 'ID', 'xml:id', 'x:Id'].map(
    (attribute): Attack => [
      `the id of the body on another element, as ${attribute}`,
      () => craft({ after: () => ({ headers: `<x:H xmlns:x="urn:x" ${attribute}="body"/>` }) }),
      /^signature id-is-not-unique$/,
    ],
  ),
  [
    'the same id twice on the body',
    () => craft({ body: swap(plain.body, ' wsu:Id', ' Id="body" wsu:Id') }),
    /^signature id-is-not-unique$/,
  ],
]

const headers: readonly Attack[] = [
  ['no security header', tampered(/<wsse:Security>.*<\/wsse:Security>/s, ''), /^missing no-security-header$/],
  [
    'a security header for somebody else only',
    tampered('<wsse:Security>', '<wsse:Security env:role="urn:altro">'),
    /^missing no-security-header$/,
  ],
  ['two security headers', tampered('<wsse:Security>', '<wsse:Security/><wsse:Security>'), /several-security-headers$/],
  ['no signature', () => craft({ after: () => ({ signature: '' }) }), /^missing no-signature$/],
  [
    'the signature outside of the security header',
    () => craft({ after: ({ signature }) => ({ signature: '', headers: signature }) }),
    /^missing no-signature$/,
  ],
  [
    'a second signature',
    () => craft({ after: ({ signature }) => ({ signature: signature + signature }) }),
    /^header several-signatures$/,
  ],
  ['no address', tampered(/<wsa:To .*<\/wsa:To>/, ''), /^header no-To$/],
  ['no message id', tampered(/<wsa:MessageID .*<\/wsa:MessageID>/, ''), /^header no-MessageID$/],
  ['no timestamp', tampered(/<wsu:Timestamp .*<\/wsu:Timestamp>/, ''), /^header no-Timestamp$/],
]

const coverage: readonly Attack[] = [
  ['the address not signed', () => craft({ over: ['ts', 'id', 'body'] }), /^signature To-is-not-covered$/],
  ['the timestamp not signed', () => craft({ over: ['to', 'id', 'body'] }), /^signature Timestamp-is-not-covered$/],
  ['the message id not signed', () => craft({ over: ['to', 'ts', 'body'] }), /^signature MessageID-is-not-covered$/],
  ['the body not signed', () => craft({ over: ['to', 'ts', 'id'] }), /^signature Body-is-not-covered$/],
  [
    'the content of the body signed instead of it',
    () =>
      craft({
        body: '<env:Body><p:chiedi xmlns:p="urn:prova" wsu:Id="body">di Anna</p:chiedi></env:Body>',
      }),
    /^signature reference-to-an-inner-element$/,
  ],
  [
    'the reference to the token signed',
    () => craft({ over: ['to', 'ts', 'id', 'body', 'str'] }),
    /^signature reference-to-an-inner-element$/,
  ],
  [
    'one element signed twice',
    () => craft({ over: ['to', 'ts', 'id', 'body', 'to'] }),
    /^signature several-references-to-one-element$/,
  ],
  [
    'more references than anybody needs',
    () => craft({ over: Array.from({ length: 17 }, () => 'to') }),
    /^signature too-many-references$/,
  ],
  ['no reference', () => craft({ over: [] }), /^signature no-reference$/],
  [
    'an attachment where the body should be',
    () =>
      craft({
        body: `<env:Body wsu:Id="body"><p:d xmlns:p="urn:p"><xop:Include xmlns:xop="${wssNames.xop}" href="cid:1"/></p:d></env:Body>`,
      }),
    /^signature body-refers-to-attachments$/,
  ],
  ...(['xml:id', 'x:Id', 'wsu:id', 'id', 'ID'] as const).map(
    (attribute): Attack => [
      `the address identified by ${attribute}`,
      () => craft({ to: `<wsa:To xmlns:x="urn:x" ${attribute}="to">${address}</wsa:To>` }),
      /^signature reference-to-nothing$/,
    ],
  ),
  ['an id that nothing has', tampered(' wsu:Id="to"', ''), /^signature reference-to-nothing$/],
  ...['', 'https://x.example/to', 'cid:to', '#xpointer(/)', "#xpointer(id('to'))"].map(
    (uri): Attack => [
      `a reference to "${uri}"`,
      () => craft({ signedInfo: (text) => swap(text, 'URI="#to"', `URI="${uri}"`) }),
      /^signature reference-to-elsewhere$/,
    ],
  ),
  [
    'a reference without an address',
    () => craft({ signedInfo: (text) => swap(text, ' URI="#to"', '') }),
    /^signature reference-to-elsewhere$/,
  ],
]

const algorithms: readonly Attack[] = [
  ...(
    [
      ['none', ''],
      ['enveloped-signature', transform(`${ds}enveloped-signature`) + transform(exclusive)],
      ['inclusive canonicalization', transform('http://www.w3.org/TR/2001/REC-xml-c14n-20010315')],
      ['canonicalization with comments', transform(`${exclusive}WithComments`)],
      ['canonicalization twice', transform(exclusive) + transform(exclusive)],
      ['XPath', transform('http://www.w3.org/TR/1999/REC-xpath-19991116') + transform(exclusive)],
      ['XPath filter', transform('http://www.w3.org/2002/06/xmldsig-filter2') + transform(exclusive)],
      [
        'XSLT',
        transform(
          'http://www.w3.org/TR/1999/REC-xslt-19991116',
          '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"/>',
        ),
      ],
      ['base64', transform(`${ds}base64`)],
      ['the token referred to', transform(`${wssNames.base64.replace('#Base64Binary', '')}#STR-Transform`)],
    ] as const
  ).map(
    ([name, steps]): Attack => [
      `transforms: ${name}`,
      () => craft({ signedInfo: transforms(steps) }),
      /^signature unexpected-transforms$/,
    ],
  ),
  [
    'a hundred inclusive prefixes',
    () =>
      craft({
        signedInfo: transforms(
          transform(
            exclusive,
            `<e:InclusiveNamespaces xmlns:e="${exclusive}" PrefixList="${Array.from({ length: 100 }, (_, n) => `p${n}`).join(' ')}"/>`,
          ),
        ),
      }),
    /^signature too-many-inclusive-prefixes$/,
  ],
  [
    'RSA with SHA-1',
    () => craft({ signedInfo: (text) => swap(text, rsaSha256, `${ds}rsa-sha1`) }),
    /^signature SignatureMethod-not-allowed$/,
  ],
  [
    'a digest with SHA-1',
    () => craft({ digest: 'sha1', signedInfo: (text) => text.replaceAll(sha256, `${ds}sha1`) }),
    /^signature DigestMethod-not-allowed$/,
  ],
  [
    'HMAC with the certificate as its key',
    () =>
      craft({
        signedInfo: (text) => swap(text, rsaSha256, 'http://www.w3.org/2001/04/xmldsig-more#hmac-sha256'),
        sign: (data) => createHmac('sha256', pem('region-050/signing.crt.pem')).update(data).digest(),
      }),
    /^signature SignatureMethod-not-allowed$/,
  ],
  [
    'a curve with a key that is none',
    () =>
      craft({
        signedInfo: (text) => swap(text, rsaSha256, 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256'),
      }),
    /^signature key-and-algorithm-do-not-fit$/,
  ],
  [
    'two SignedInfo, the true one first',
    tampered('</ds:SignedInfo>', '</ds:SignedInfo><ds:SignedInfo/>'),
    /SignedInfo$/,
  ],
  ['two SignedInfo, the true one last', tampered('<ds:SignedInfo ', '<ds:SignedInfo/><ds:SignedInfo '), /SignedInfo$/],
  ['no SignedInfo', tampered(part('SignedInfo'), ''), /SignedInfo$/],
  ['another SignedInfo', tampered('URI="#to"', 'URI="#ts"'), /^signature signature-does-not-hold$/],
  ['another signature value', tampered('<ds:SignatureValue>', '<ds:SignatureValue>AAAA'), /signature-does-not-hold$/],
  ['no signature value', tampered(part('SignatureValue'), ''), /SignatureValue-malformed$/],
  ['another body and its digest', () => redigested((_, evil) => evil), /^signature signature-does-not-hold$/],
  [
    'another body and its digest, the true one in a comment',
    () => redigested((original, evil) => `<!--${original}-->${evil}`),
    /^signature DigestValue-malformed$/,
  ],
  [
    'another body, its digest in a comment beside the true one',
    () => redigested((original, evil) => `<!--${evil}-->${original}`),
    /^signature DigestValue-malformed$/,
  ],
  ['a digest as CDATA', () => redigested((original) => `<![CDATA[${original}]]>`), /DigestValue-malformed$/],
  ['a comment in the signature', tampered('<ds:SignatureValue>', '<ds:SignatureValue><!---->'), /SignatureValue-malf/],
  [
    'two digest values',
    () => craft({ signedInfo: (text) => swap(text, '</ds:DigestValue>', '</ds:DigestValue><ds:DigestValue/>') }),
    /^signature DigestValue-malformed$/,
  ],
]

const signers: readonly Attack[] = [
  ['of another partner', by('region-120/signing'), /^certificate certificate-belongs-to-somebody-else$/],
  ['of a stranger', by('stranger/signing'), /^certificate certificate-belongs-to-somebody-else$/],
  ...['expired', 'not-yet-valid', 'self-signed', 'unknown-ca', 'right-ca-wrong-home', 'wrong-key-usage'].map(
    (defect): Attack => [`that is ${defect}`, by(`bad/${defect}/signing`), /^certificate /],
  ),
  ['whose key is too short', by('bad/weak/signing'), /too-short|^certificate /],
  [
    'of another partner, put in place of the true one',
    tampered(certificateOf('region-050/signing'), certificateOf('region-120/signing')),
    /^certificate certificate-belongs-to-somebody-else$/,
  ],
  [
    'of the same partner with another key, put in place of the true one',
    tampered(certificateOf('region-050/signing'), certificateOf('region-050/signing-ec')),
    /^signature key-and-algorithm-do-not-fit$/,
  ],
  [
    'in a header of its own',
    () => craft({ after: ({ token }) => ({ token: '', headers: token }) }),
    /^certificate no-such-token-in-the-security-header$/,
  ],
  [
    'in the security header of somebody else',
    () =>
      craft({
        after: ({ token }) => ({
          token: '',
          headers: `<wsse:Security env:role="urn:altro">${token}</wsse:Security>`,
        }),
      }),
    /^certificate no-such-token-in-the-security-header$/,
  ],
  [
    'within the signature',
    () =>
      craft({
        after: ({ signature, token }) => ({
          token: '',
          signature: swap(signature, '</ds:Signature>', `<ds:Object>${token}</ds:Object></ds:Signature>`),
        }),
      }),
    /^certificate no-such-token-in-the-security-header$/,
  ],
  [
    'that is there twice under one id',
    () => craft({ after: ({ token }) => ({ token: token + token }) }),
    /^signature id-is-not-unique$/,
  ],
  [
    'identified by xml:id',
    () => craft({ token: swap(plain.token, 'wsu:Id', 'xml:id') }),
    /^certificate no-such-token-in-the-security-header$/,
  ],
]

const values: readonly Attack[] = [
  ['for somebody else', () => craft({ to: plain.to.replace(address, 'https://altro.example/') }), /^audience /],
  ['for us and more', () => craft({ to: plain.to.replace(address, `${address}/x`) }), /^audience /],
  [
    'for an address that a comment cuts short',
    () => craft({ to: plain.to.replace(address, `${address}<!-- -->.evil.example`) }),
    /^audience /,
  ],
  [
    'for an address in elements',
    () => craft({ to: plain.to.replace(address, `${address}<x/>`) }),
    /^malformed To-malf/,
  ],
  ['for nobody', () => craft({ to: plain.to.replace(address, ' ') }), /^malformed To-malformed$/],
  [
    'without an id to remember',
    () => craft({ messageId: '<wsa:MessageID wsu:Id="id"/>' }),
    /^malformed MessageID-malformed$/,
  ],
  ['that has expired', () => craft(timestamp(instants(-60_000, -6_000))), /^validity expired$/],
  ['of the future', () => craft(timestamp(instants(10_000, 60_000))), /^validity created-in-the-future$/],
  ['that counts for too long', () => craft(timestamp(instants(0, 300_001))), /^validity lifetime-too-long$/],
  [
    'that ends before it begins',
    () => craft(timestamp(instants(0, -1_000))),
    /^validity expires-before-it-was-created$/,
  ],
  [
    'that never ends',
    () => craft(timestamp(instants(0, 1_000).replace(/<wsu:Exp.*/, ''))),
    /^malformed Timestamp-malf/,
  ],
  [
    'that ends twice',
    () => craft(timestamp(`${instants(0, 1_000)}<wsu:Expires>2099-01-01T00:00:00Z</wsu:Expires>`)),
    /^malformed Timestamp-malformed$/,
  ],
  [
    'without a time zone',
    () => craft(timestamp(instants(0, 60_000).replaceAll('Z<', '<'))),
    /^malformed an-instant-is/,
  ],
  [
    'made at no instant',
    () => craft(timestamp(instants(0, 60_000).replace(/(?<=Created>)\d{4}-\d\d/, '2026-13'))),
    /^malformed an-instant-is-malformed$/,
  ],
]

const harmless: readonly (readonly [name: string, message: () => string])[] = [
  ['a comment in the address', tampered(address, address.replace('soap', '<!-- -->soap'))],
  ['the address as CDATA', tampered(address, `<![CDATA[${address}]]>`)],
  ['other quotes and white space in tags', tampered('<wsa:To wsu:Id="to">', "<wsa:To  wsu:Id='to' >")],
  ['an unsigned header', () => craft({ after: () => ({ headers: keep('') }) })],
  [
    'an attribute called id that is none',
    () => craft({ after: () => ({ headers: '<x:H xmlns:x="urn:x" id="to"/>' }) }),
  ],
  ['an id without a namespace', () => craft({ to: plain.to.replace('wsu:Id', 'Id') })],
  ['the token signed too', () => craft({ over: ['to', 'ts', 'id', 'body', 'x509'] })],
  [
    'another timestamp and signature inside the body',
    () =>
      craft({
        body: swap(plain.body, 'di Anna', `${plain.timestamp.replace(' wsu:Id="ts"', '')}${part('Signature')}`),
      }),
  ],
]

describe('a signed message', () => {
  beforeEach(() => expect(refusalOf(good)).toBe('accepted'))
  afterEach(() => expect(refusalOf(good)).toBe('accepted'))

  it.each(wrapping)('is refused with %s', (_, message, refusal) => expect(refusalOf(message())).toMatch(refusal))
  it.each(headers)('is refused with %s', (_, message, refusal) => expect(refusalOf(message())).toMatch(refusal))
  it.each(coverage)('is refused with %s', (_, message, refusal) => expect(refusalOf(message())).toMatch(refusal))
  it.each(algorithms)('is refused with %s', (_, message, refusal) => expect(refusalOf(message())).toMatch(refusal))
  it.each(signers)('is refused when it comes with a certificate %s', (_, message, refusal) =>
    expect(refusalOf(message())).toMatch(refusal),
  )
  it.each(values)('is refused when it is one %s', (_, message, refusal) =>
    expect(refusalOf(message())).toMatch(refusal),
  )

  it.each(harmless)('is accepted with %s, and says the same', (_, message) => {
    const { messageId, signer } = verify(good)
    expect(verify(message())).toMatchObject({ messageId, signer })
  })

  it('is refused with a document type, before anybody looks at signatures', () => {
    expect(() => refusalOf(`<!DOCTYPE x>${good}`)).toThrow(XmlError)
  })

  it('does not quote itself in a refusal', () => {
    for (const [, message] of [...wrapping, ...headers, ...coverage, ...algorithms, ...signers, ...values]) {
      expect(refusalOf(message())).not.toMatch(/Anna|Bruno|erogatore|urn:/)
    }
  })

  it('means the same after any one character of it was changed, or is refused', () => {
    const meaning = (message: string) => {
      const tree = readTree(Buffer.from(message))
      const body = tree.child(tree.root, soap12, 'Body')
      const { certificate, covered, ...told } = verify(message)
      return { ...told, covered, certificate: certificate.fingerprint256, body: canonicalize(tree, body) }
    }
    const untouched = meaning(good)
    let refusals = 0
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.constantFrom(...'<>&"\' aAzZ09/:#='), (at, character) => {
        let told: unknown
        try {
          told = meaning(good.slice(0, at) + character + good.slice(at + 1))
        } catch (error) {
          if (!(error instanceof GatewayError || error instanceof XmlError)) throw error
          refusals++
          return
        }
        expect(told).toEqual(untouched)
      }),
      { numRuns: 500 },
    )
    expect(refusals).toBeGreaterThan(100)
  })
})
