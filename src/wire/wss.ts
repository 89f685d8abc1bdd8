import { type Outgoing, soapNames } from './soap.ts'
import { NONE, type Node, type XmlTree } from './xml.ts'
import { onlyChild } from './xml-child.ts'
import { digestMethods, dsigNames } from './xml-signature.ts'
import { canonicalText, escapeText } from './xml-write.ts'

const messageSecurity = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0'
const messageSecurity11 = 'http://docs.oasis-open.org/wss/oasis-wss-soap-message-security-1.1'
const x509Profile = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0'

/** Identifiers of WS-Security 1.1 (SOAP Message Security §6.3, §7; X.509 Certificate Token Profile §3), spelt once. */
export const wssNames = {
  base64: `${messageSecurity}#Base64Binary`,
  x509v3: `${x509Profile}#X509v3`,
  pkiPath: `${x509Profile}#X509PKIPathv1`,
  subjectKeyIdentifier: `${x509Profile}#X509SubjectKeyIdentifier`,
  /** The same under the name that implementations of the first edition write. */
  olderSubjectKeyIdentifier: `${x509Profile}#X509v3SubjectKeyIdentifier`,
  thumbprint: `${messageSecurity11}#ThumbprintSHA1`,
  xop: 'http://www.w3.org/2004/08/xop/include',
} as const

/** Security patterns of ModI for SOAP (sistema-ts.md §B.1). */
export type MessagePattern = 'ID_AUTH_SOAP_01' | 'ID_AUTH_SOAP_02' | 'INTEGRITY_SOAP_01'

/** The parts of a message that the patterns speak of. */
export type MessagePart = 'To' | 'Timestamp' | 'MessageID' | 'Body'

/**
 * What the signature of a pattern must cover. INTEGRITY_SOAP_01 stands upon ID_AUTH_SOAP_02, or upon ID_AUTH_SOAP_01 where
 * `messageId` is false; the other patterns leave no choice.
 */
export function partsOf(pattern: MessagePattern, messageId = true): readonly MessagePart[] {
  if (pattern === 'ID_AUTH_SOAP_01') return ['To', 'Timestamp']
  if (pattern === 'ID_AUTH_SOAP_02') return ['To', 'Timestamp', 'MessageID']
  return messageId ? ['To', 'Timestamp', 'MessageID', 'Body'] : ['To', 'Timestamp', 'Body']
}

/** The text of an element that holds nothing else, trimmed; undefined when it holds elements. Comments count for nothing. */
export function leafText(tree: XmlTree, node: Node): string | undefined {
  return tree.first(node) === NONE ? tree.text(node).trim() : undefined
}

/** The instants of a `wsu:Timestamp` as written; undefined unless it is one Created, one Expires and nothing else. */
export function readTimestamp(tree: XmlTree, node: Node): { created: string; expires: string } | undefined {
  const children = tree.children(node)
  const [first = NONE, last = NONE] = children
  if (children.length !== 2 || !tree.is(first, soapNames.wsu, 'Created')) return undefined
  if (!tree.is(last, soapNames.wsu, 'Expires')) return undefined
  const created = leafText(tree, first)
  const expires = leafText(tree, last)
  return created === undefined || expires === undefined ? undefined : { created, expires }
}

/** A `wsse:BinarySecurityToken`: a certificate, or a path of them. `base64` may be folded. */
export interface BinaryToken {
  readonly valueType: typeof wssNames.x509v3 | typeof wssNames.pkiPath
  readonly base64: string
}

/** Reads a token; undefined when it is of another type, otherwise encoded or holds anything but text. */
export function readBinaryToken(tree: XmlTree, node: Node): BinaryToken | undefined {
  const valueType = tree.attribute(node, 'ValueType')
  if (valueType !== wssNames.x509v3 && valueType !== wssNames.pkiPath) return undefined
  const base64 = encoded(tree, node)
  return base64 === undefined ? undefined : { valueType, base64 }
}

/** How a signature says which certificate is meant. */
export type TokenReference =
  /** A token of the same message, by its id. */
  | { readonly kind: 'token'; readonly id: string; readonly valueType?: string }
  /** The certificate itself, in base64. */
  | { readonly kind: 'certificate'; readonly base64: string }
  /** A certificate that the reader must know already, by an extension of it or by the digest of it, in base64. */
  | { readonly kind: 'subject-key-identifier' | 'thumbprint'; readonly base64: string }
  /** The same by its serial number, in decimal. The issuer's name has too many spellings to go by. */
  | { readonly kind: 'serial-number'; readonly number: string }

/** Reads a KeyInfo that is one SecurityTokenReference with one reference of a kind we know; undefined for all others. */
export function readTokenReference(tree: XmlTree, keyInfo: Node): TokenReference | undefined {
  const reference = soleChild(tree, keyInfo)
  if (!tree.is(reference, soapNames.wsse, 'SecurityTokenReference')) return undefined
  const means = soleChild(tree, reference)
  if (tree.is(means, soapNames.wsse, 'Reference')) {
    const id = /^#([^#\s()'"]+)$/.exec(tree.attribute(means, 'URI') ?? '')?.[1]
    const valueType = tree.attribute(means, 'ValueType')
    if (id === undefined) return undefined
    return { kind: 'token', id, ...(valueType === undefined ? {} : { valueType }) }
  }
  if (tree.is(means, soapNames.wsse, 'KeyIdentifier')) {
    const kind = identifierKinds.get(tree.attribute(means, 'ValueType') ?? '')
    const base64 = encoded(tree, means)?.replace(/[ \t\r\n]/g, '')
    return kind === undefined || base64 === undefined ? undefined : { kind, base64 }
  }
  if (!tree.is(means, dsigNames.ds, 'X509Data')) return undefined
  const datum = soleChild(tree, means)
  if (tree.is(datum, dsigNames.ds, 'X509Certificate')) {
    return tree.isPlain(datum) ? { kind: 'certificate', base64: tree.text(datum).trim() } : undefined
  }
  if (!tree.is(datum, dsigNames.ds, 'X509IssuerSerial')) return undefined
  const serial = onlyChild(tree, datum, dsigNames.ds, 'X509SerialNumber')
  const number = serial === NONE ? undefined : leafText(tree, serial)
  return number !== undefined && /^\d{1,60}$/.test(number) ? { kind: 'serial-number', number } : undefined
}

const identifierKinds: ReadonlyMap<string, 'subject-key-identifier' | 'thumbprint'> = new Map([
  [wssNames.subjectKeyIdentifier, 'subject-key-identifier'],
  [wssNames.olderSubjectKeyIdentifier, 'subject-key-identifier'],
  [wssNames.thumbprint, 'thumbprint'],
])

function soleChild(tree: XmlTree, node: Node): Node {
  const first = tree.first(node)
  return first !== NONE && tree.next(first) === NONE ? first : NONE
}

function encoded(tree: XmlTree, node: Node): string | undefined {
  const encoding = tree.attribute(node, 'EncodingType') ?? wssNames.base64
  return encoding === wssNames.base64 && tree.isPlain(node) ? tree.text(node).trim() : undefined
}

// What is signed is written in exclusive canonical form (without inclusive prefixes) already, each element with the
// declarations it needs, so that what is digested is what is sent.

/** `wsa:To` or `wsa:MessageID` with an id, in canonical form. */
export function encodeAddress(local: 'To' | 'MessageID', id: string, text: string): string {
  const { wsa, wsu } = soapNames
  return `<wsa:${local} xmlns:wsa="${wsa}" xmlns:wsu="${wsu}" wsu:Id="${id}">${canonicalText(text)}</wsa:${local}>`
}

/** `wsu:Timestamp` in canonical form. The instants are ISO, UTC. */
export function encodeTimestamp(id: string, created: string, expires: string): string {
  return (
    `<wsu:Timestamp xmlns:wsu="${soapNames.wsu}" wsu:Id="${id}"><wsu:Created>${created}</wsu:Created>` +
    `<wsu:Expires>${expires}</wsu:Expires></wsu:Timestamp>`
  )
}

const sha256 = [...digestMethods].find(([, hash]) => hash === 'sha256')?.[0] ?? ''

/** `ds:SignedInfo` in canonical form over elements named by id, with their SHA-256 digests in base64. */
export function encodeSignedInfo(
  signatureMethod: string,
  references: readonly { readonly id: string; readonly digest: string }[],
): string {
  const { ds, exclusiveC14n } = dsigNames
  const spelt = references.map(
    ({ id, digest }) =>
      `<ds:Reference URI="#${id}"><ds:Transforms><ds:Transform Algorithm="${exclusiveC14n}"></ds:Transform>` +
      `</ds:Transforms><ds:DigestMethod Algorithm="${sha256}"></ds:DigestMethod>` +
      `<ds:DigestValue>${digest}</ds:DigestValue></ds:Reference>`,
  )
  return (
    `<ds:SignedInfo xmlns:ds="${ds}">` +
    `<ds:CanonicalizationMethod Algorithm="${exclusiveC14n}"></ds:CanonicalizationMethod>` +
    `<ds:SignatureMethod Algorithm="${signatureMethod}"></ds:SignatureMethod>${spelt.join('')}</ds:SignedInfo>`
  )
}

const { soap12, wsa, wsse, wsu } = soapNames
const opening = `<env:Envelope xmlns:env="${soap12}" xmlns:wsa="${wsa}" xmlns:wsse="${wsse}" xmlns:wsu="${wsu}">`
const closing = '</env:Envelope>'

/** `env:Body` around a serialised body, with an id where it is signed. It means something in our envelope only. */
export function encodeBody(body: string, id?: string): string {
  return `<env:Body${id === undefined ? '' : ` wsu:Id="${id}"`}>${body}</env:Body>`
}

/** A document in which an `env:Body` has the namespaces it has in the message: for its canonical form. */
export function bodyInContext(body: string): string {
  return `${opening}${body}${closing}`
}

/** What a signed message is put together from; elements serialised, values in base64. */
export interface SignedParts {
  readonly to: string
  readonly messageId: string
  readonly timestamp: string
  readonly tokenId: string
  readonly token: BinaryToken
  readonly signedInfo: string
  readonly signatureValue: string
  /** Further header blocks. */
  readonly headers: string
  readonly body: string
}

/** Spells a SOAP 1.2 message as `encodeEnvelope` does, with the signature in the security header. */
export function encodeSignedEnvelope(outgoing: Outgoing, parts: SignedParts): string {
  const { action, anonymousReply, assertion = '', relatesTo } = outgoing
  const { token, tokenId } = parts
  return [
    `<?xml version="1.0" encoding="UTF-8"?>${opening}<env:Header>${parts.to}`,
    `<wsa:Action env:mustUnderstand="true">${escapeText(action)}</wsa:Action>`,
    anonymousReply === true ? `<wsa:ReplyTo><wsa:Address>${wsa}/anonymous</wsa:Address></wsa:ReplyTo>` : '',
    parts.messageId,
    relatesTo === undefined ? '' : `<wsa:RelatesTo>${escapeText(relatesTo)}</wsa:RelatesTo>`,
    '<wsse:Security env:mustUnderstand="true">',
    `<wsse:BinarySecurityToken EncodingType="${wssNames.base64}" ValueType="${token.valueType}" wsu:Id="${tokenId}">`,
    `${token.base64}</wsse:BinarySecurityToken>${parts.timestamp}`,
    `<ds:Signature xmlns:ds="${dsigNames.ds}">${parts.signedInfo}`,
    `<ds:SignatureValue>${parts.signatureValue}</ds:SignatureValue><ds:KeyInfo><wsse:SecurityTokenReference>`,
    `<wsse:Reference URI="#${tokenId}" ValueType="${token.valueType}"/></wsse:SecurityTokenReference></ds:KeyInfo>`,
    `</ds:Signature>${assertion}</wsse:Security>${parts.headers}</env:Header>${parts.body}${closing}`,
  ].join('')
}
