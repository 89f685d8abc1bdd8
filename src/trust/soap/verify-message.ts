import { createHash, type X509Certificate } from 'node:crypto'
import type { Clock, Use } from '../../core/ports.ts'
import { type Envelope, soapNames } from '../../wire/soap.ts'
import { leafText, type MessagePart, type MessagePattern, partsOf, readTimestamp, wssNames } from '../../wire/wss.ts'
import { NONE, type Node, type XmlTree } from '../../wire/xml.ts'
import { dsigNames } from '../../wire/xml-signature.ts'
import type { SignatureCheck } from '../algorithms.ts'
import { refused } from '../refusal.ts'
import { useKey } from '../replay.ts'
import { timeOf } from '../saml/conditions.ts'
import { commonNameOf } from '../x509/certificate.ts'
import { type Reference, readSignature, requireDigest, requireSignature, type XmlSignature } from '../xml-signature.ts'
import { type MessageSigners, messageCertificate } from './message-certificate.ts'

/** What a signed message must be. */
export interface MessageRules extends MessageSigners {
  readonly pattern: MessagePattern
  /** For INTEGRITY_SOAP_01: whether the message id must be signed too. By default it must. */
  readonly messageId?: boolean
  /** Whether SHA-1 is good enough from this partner. */
  readonly sha1: boolean
  readonly clock: Clock
  readonly clockSkewMs: number
  /** The longest time from Created to Expires. */
  readonly maxAgeMs: number
  /** Our own addresses, of which the message must name one; absent, any will do. */
  readonly to?: string | readonly string[]
  readonly check: SignatureCheck
}

/** A message whose signature holds. Times are milliseconds since the epoch. */
export interface VerifiedMessage {
  /** The common name of the signer's certificate; its fingerprint where it has none. */
  readonly signer: string
  readonly certificate: X509Certificate
  /** What is signed: parts by their names, anything else in the header as `{namespace}local`. */
  readonly covered: readonly string[]
  /** Present when it is signed. */
  readonly messageId?: string
  readonly created: number
  readonly expires: number
  /** What must not be seen again, and until when; empty where the pattern asks for no replay filter. */
  readonly uses: readonly Use[]
}

const maxReferences = 16

/**
 * Verifies the X.509 signature of a ModI message (sistema-ts.md §B.1; WS-Security 1.1). What must be signed is found by
 * where it stands in the envelope, never by what a reference points to: so nothing that was signed can be moved and something
 * else be read. Says nothing of an assertion in the same header. Throws Refusal.
 */
export function verifyMessage(envelope: Envelope, rules: MessageRules): VerifiedMessage {
  const { tree } = envelope
  const { messageId: demanded, pattern } = rules
  const now = rules.clock.now()
  const security = securityOf(envelope)
  const signatures = tree.children(security, dsigNames.ds, 'Signature')
  if (signatures.length === 0) throw refused('missing', 'no-signature')
  if (signatures.length > 1) throw refused('header', 'several-signatures')
  const places = placesOf(envelope, security)
  const required = partsOf(pattern, demanded)
  for (const part of required) if (places[part] === NONE) throw refused('header', `no-${part}`)

  const signature = readSignature(tree, signatures[0] ?? NONE, { sha1: rules.sha1, maxReferences })
  const certificate = messageCertificate(tree, security, signature.keyInfo, rules, now)
  // The signer is known before anything is digested: a large body is no work that a stranger can make us do.
  requireSignature(tree, signature, certificate.publicKey, rules.check)
  const covered = targetsOf(tree, security, signature)
  for (const part of required) if (!covered.has(places[part])) throw refused('signature', `${part}-is-not-covered`)
  if (covered.has(places.Body) && refersToAttachments(tree, places.Body)) {
    throw refused('signature', 'body-refers-to-attachments')
  }
  for (const [node, reference] of covered) requireDigest(tree, node, reference)

  const times = validity(tree, places.Timestamp, rules, now)
  requireAddressee(tree, places.To, rules.to)
  const messageId = covered.has(places.MessageID) ? textOf(tree, places.MessageID, 'MessageID') : undefined
  const until = times.expires + rules.clockSkewMs
  const replayable = messageId === undefined || !required.includes('MessageID')
  return {
    signer: commonNameOf(certificate) ?? certificate.fingerprint256,
    certificate,
    covered: [...covered.keys()].map((node) => nameOf(tree, node, places)),
    ...(messageId === undefined ? {} : { messageId }),
    ...times,
    uses: replayable ? [] : [{ key: useOf(certificate, messageId), until }],
  }
}

/** The one security header addressed to the ultimate receiver (SOAP Message Security §5). */
function securityOf({ tree, headers }: Envelope): Node {
  const found = headers.filter((block) => tree.is(block, soapNames.wsse, 'Security') && isOurs(tree, block))
  if (found.length === 0) throw refused('missing', 'no-security-header')
  if (found.length > 1) throw refused('header', 'several-security-headers')
  return found[0] ?? NONE
}

const { soap11, soap12 } = soapNames
const ourRoles = new Set(['', `${soap12}/role/next`, `${soap12}/role/ultimateReceiver`])
const ourActors = new Set(['', 'http://schemas.xmlsoap.org/soap/actor/next'])

function isOurs(tree: XmlTree, block: Node): boolean {
  if (tree.namespace(tree.root) === soap11) return ourActors.has(tree.attribute(block, 'actor', soap11)?.trim() ?? '')
  return ourRoles.has(tree.attribute(block, 'role', soap12)?.trim() ?? '')
}

type Places = Readonly<Record<MessagePart, Node>>

/** Where the parts stand, whatever is signed: header blocks, the timestamp of our security header, the Body itself. */
function placesOf({ tree, headers }: Envelope, security: Node): Places {
  const only = (part: MessagePart, found: readonly Node[]): Node => {
    if (found.length > 1) throw refused('header', `several-${part}`)
    return found[0] ?? NONE
  }
  const block = (part: MessagePart) =>
    only(
      part,
      headers.filter((header) => tree.is(header, soapNames.wsa, part)),
    )
  return {
    To: block('To'),
    MessageID: block('MessageID'),
    Timestamp: only('Timestamp', tree.children(security, soapNames.wsu, 'Timestamp')),
    Body: only('Body', tree.children(tree.root, tree.namespace(tree.root), 'Body')),
  }
}

/** The elements referred to, each once: the Body, header blocks and what stands directly in our security header. */
function targetsOf(tree: XmlTree, security: Node, signature: XmlSignature): Map<Node, Reference> {
  const targets = new Map<Node, Reference>()
  for (const reference of signature.references) {
    if (reference.enveloped) throw refused('signature', 'unexpected-transforms')
    const id = reference.uri.slice(1)
    const bearers = tree.idAttributes.filter(({ value }) => value === id)
    if (bearers.length > 1) throw refused('signature', 'id-is-not-unique')
    const node = bearers[0]?.node ?? NONE
    if (node === NONE || !isIdentifiedBy(tree, node, id)) throw refused('signature', 'reference-to-nothing')
    if (!isCoverable(tree, node, security)) throw refused('signature', 'reference-to-an-inner-element')
    if (targets.has(node)) throw refused('signature', 'several-references-to-one-element')
    targets.set(node, reference)
  }
  return targets
}

/** Other attributes that look like an id (`xml:id`, ids of foreign namespaces) are none to WS-Security (§4.2). */
function isIdentifiedBy(tree: XmlTree, node: Node, id: string): boolean {
  if (tree.attribute(node, 'Id', soapNames.wsu) === id || tree.attribute(node, 'Id') === id) return true
  return tree.local(node) === 'Assertion' && tree.attribute(node, 'ID') === id
}

function isCoverable(tree: XmlTree, node: Node, security: Node): boolean {
  const parent = tree.parent(node)
  if (parent === security || parent === tree.parent(security)) return true
  return parent === tree.root && tree.is(node, tree.namespace(tree.root), 'Body')
}

/** An inclusion stands for bytes outside the envelope: to sign it is not to sign them (XOP 1.0 §3.1). */
function refersToAttachments(tree: XmlTree, body: Node): boolean {
  const { count, names } = tree.records
  if (names.numberOf('Include') < 0) return false
  const end = tree.end(body)
  for (let node = body + 1; node < count && tree.start(node) < end; node++) {
    if (tree.is(node, wssNames.xop, 'Include')) return true
  }
  return false
}

function nameOf(tree: XmlTree, node: Node, places: Places): string {
  for (const [part, place] of Object.entries(places)) if (place === node) return part
  return `{${tree.namespace(node)}}${tree.local(node)}`
}

function textOf(tree: XmlTree, node: Node, part: MessagePart): string {
  const text = leafText(tree, node)
  if (text === undefined || text === '') throw refused('malformed', `${part}-malformed`)
  return text
}

function requireAddressee(tree: XmlTree, node: Node, to: MessageRules['to']): void {
  const addressee = textOf(tree, node, 'To')
  if (to === undefined) return
  if (typeof to === 'string' ? addressee !== to : !to.includes(addressee)) {
    throw refused('audience', 'addressed-to-somebody-else')
  }
}

function validity(tree: XmlTree, node: Node, { clockSkewMs, maxAgeMs }: MessageRules, now: number) {
  const written = readTimestamp(tree, node)
  if (written === undefined) throw refused('malformed', 'Timestamp-malformed')
  const created = timeOf(written.created)
  const expires = timeOf(written.expires)
  if (expires <= created) throw refused('validity', 'expires-before-it-was-created')
  if (expires - created > maxAgeMs) throw refused('validity', 'lifetime-too-long')
  if (now + clockSkewMs < created) throw refused('validity', 'created-in-the-future')
  if (now - clockSkewMs >= expires) throw refused('validity', 'expired')
  return { created, expires }
}

/**
 * A message id belongs to the key that signed it. Not to the certificate: of two with the same key, either may be put into a
 * message on its way, and would make a seen message look new.
 */
function useOf({ publicKey }: X509Certificate, messageId: string): string {
  const key = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' }))
  return useKey('message', `x509 ${key.digest('hex')}`, messageId)
}
