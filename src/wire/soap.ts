import { GatewayError } from '../core/errors.ts'
import { NONE, type Node, type XmlTree } from './xml.ts'
import { escapeAttribute, escapeText } from './xml-write.ts'

/** Namespaces of SOAP and what travels in its header, spelt once. */
export const soapNames = {
  soap12: 'http://www.w3.org/2003/05/soap-envelope',
  soap11: 'http://schemas.xmlsoap.org/soap/envelope/',
  wsa: 'http://www.w3.org/2005/08/addressing',
  wsse: 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd',
  wsu: 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd',
} as const

/** A qualified name of a fault: prefix as the envelope we write declares it. */
export type FaultName = `wsa:${string}` | `wsse:${string}` | `wsu:${string}`

/** A fault in SOAP's words, ready to be spelt. `reason` may be read by the caller. */
export interface Fault {
  readonly code: 'Sender' | 'Receiver' | 'VersionMismatch' | 'MustUnderstand'
  /** Outer subcode first. */
  readonly subcodes?: readonly FaultName[]
  readonly reason: string
  /** Serialised content of the detail element. */
  readonly detail?: string
  /** Serialised header blocks (`Upgrade`, `NotUnderstood`). */
  readonly headers?: string
}

/** A message that SOAP or WS-Addressing itself refuses; carries the very fault the standard asks for. */
export class SoapFaultError extends GatewayError {
  readonly soapFault: Fault

  constructor(fault: Fault) {
    super('request-malformed', fault.reason)
    this.soapFault = fault
  }
}

/** A SOAP 1.2 message taken apart. Nodes belong to `tree`. */
export interface Envelope {
  readonly tree: XmlTree
  readonly headers: readonly Node[]
  /** The body's only child; NONE for an empty body. */
  readonly body: Node
}

/**
 * Opens a SOAP 1.2 envelope. Throws SoapFaultError: VersionMismatch for any other envelope, MustUnderstand for a header
 * addressed to us that `understands` refuses, Sender for a shape SOAP does not allow (SOAP 1.2 Part 1 §2.4, §5).
 */
export function openEnvelope(tree: XmlTree, understands: (namespace: string, local: string) => boolean): Envelope {
  const root = tree.root
  if (tree.local(root) !== 'Envelope' || tree.namespace(root) !== soapNames.soap12) throw versionMismatch()
  let header: Node = NONE
  let body: Node = NONE
  for (const child of tree.children(root)) {
    const local = tree.namespace(child) === soapNames.soap12 ? tree.local(child) : ''
    if (local === 'Header' && header === NONE && body === NONE) header = child
    else if (local === 'Body' && body === NONE) body = child
    else throw malformed('The envelope must hold at most one Header, then one Body, and nothing else')
  }
  if (body === NONE) throw malformed('The envelope has no Body')
  const headers = header === NONE ? [] : tree.children(header)
  for (const block of headers) refuseUnlessUnderstood(tree, block, understands)
  const contents = tree.children(body)
  if (contents.length > 1) throw malformed('The Body must hold one message')
  return { tree, headers, body: contents[0] ?? NONE }
}

function malformed(reason: string): SoapFaultError {
  return new SoapFaultError({ code: 'Sender', reason })
}

function versionMismatch(): SoapFaultError {
  return new SoapFaultError({
    code: 'VersionMismatch',
    reason: 'This service speaks SOAP 1.2',
    headers:
      `<env12:Upgrade xmlns:env12="${soapNames.soap12}">` +
      '<env12:SupportedEnvelope qname="env12:Envelope"/></env12:Upgrade>',
  })
}

// Roles that an ultimate receiver plays (SOAP 1.2 Part 1 §2.2). The samples of one test tool put mustUnderstand into
// the addressing namespace; that attribute is not SOAP's and is passed over.
const ourRoles = new Set(['', `${soapNames.soap12}/role/next`, `${soapNames.soap12}/role/ultimateReceiver`])

function refuseUnlessUnderstood(
  tree: XmlTree,
  block: Node,
  understands: (namespace: string, local: string) => boolean,
): void {
  const must = tree.attribute(block, 'mustUnderstand', soapNames.soap12)?.trim()
  if (must !== 'true' && must !== '1') return
  if (!ourRoles.has(tree.attribute(block, 'role', soapNames.soap12)?.trim() ?? '')) return
  if (understands(tree.namespace(block), tree.local(block))) return
  const [local, namespace] = [tree.local(block), tree.namespace(block)]
  // No prefix can stand for no namespace (Namespaces in XML 1.0 §5).
  const qname =
    namespace === ''
      ? `qname="${escapeAttribute(local)}"`
      : `qname="q:${escapeAttribute(local)}" xmlns:q="${escapeAttribute(namespace)}"`
  throw new SoapFaultError({
    code: 'MustUnderstand',
    reason: 'A mandatory header is not understood',
    headers: `<env:NotUnderstood ${qname}/>`,
  })
}

/** The addressing of a message we write. */
export interface Outgoing {
  readonly action: string
  readonly messageId: string
  readonly relatesTo?: string
  readonly to?: string
  /** Asks for the answer on the same connection; requests only. */
  readonly anonymousReply?: boolean
  /** A serialised signed assertion for the security header. */
  readonly assertion?: string
}

/** Spells a SOAP 1.2 message around a serialised body. */
export function encodeEnvelope(outgoing: Outgoing, body: string, headers = ''): string {
  const { action, messageId, relatesTo, to, anonymousReply, assertion } = outgoing
  const parts = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<env:Envelope xmlns:env="${soapNames.soap12}" xmlns:wsa="${soapNames.wsa}"><env:Header>`,
    to === undefined ? '' : `<wsa:To>${escapeText(to)}</wsa:To>`,
    `<wsa:Action env:mustUnderstand="true">${escapeText(action)}</wsa:Action>`,
    anonymousReply === true ? `<wsa:ReplyTo><wsa:Address>${soapNames.wsa}/anonymous</wsa:Address></wsa:ReplyTo>` : '',
    `<wsa:MessageID>${escapeText(messageId)}</wsa:MessageID>`,
    relatesTo === undefined ? '' : `<wsa:RelatesTo>${escapeText(relatesTo)}</wsa:RelatesTo>`,
    assertion === undefined
      ? ''
      : `<wsse:Security xmlns:wsse="${soapNames.wsse}" env:mustUnderstand="true">${assertion}</wsse:Security>`,
    headers,
    '</env:Header><env:Body>',
    body,
    '</env:Body></env:Envelope>',
  ]
  return parts.join('')
}

/** How the caller of a failed exchange is addressed. */
export interface FaultAddress {
  readonly messageId: string
  readonly relatesTo?: string
}

/**
 * Spells a fault message. A fault of WS-Addressing has an action of its own (WS-Addressing 1.0 SOAP Binding §6); a
 * VersionMismatch is told in the SOAP 1.1 the sender understands (SOAP 1.2 Part 1, Appendix A).
 */
export function encodeFault(fault: Fault, address: FaultAddress): string {
  if (fault.code === 'VersionMismatch') {
    return (
      `<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="${soapNames.soap11}">` +
      `<env:Header>${fault.headers ?? ''}</env:Header><env:Body><env:Fault>` +
      `<faultcode>env:VersionMismatch</faultcode><faultstring>${escapeText(fault.reason)}</faultstring>` +
      '</env:Fault></env:Body></env:Envelope>'
    )
  }
  const addressing = fault.subcodes?.[0]?.startsWith('wsa:') === true
  const subcode = (fault.subcodes ?? []).reduceRight(
    (inner, name) => `<env:Subcode><env:Value>${name}</env:Value>${inner}</env:Subcode>`,
    '',
  )
  const body =
    `<env:Fault xmlns:wsse="${soapNames.wsse}" xmlns:wsu="${soapNames.wsu}">` +
    `<env:Code><env:Value>env:${fault.code}</env:Value>${subcode}</env:Code>` +
    `<env:Reason><env:Text xml:lang="en">${escapeText(fault.reason)}</env:Text></env:Reason>` +
    (fault.detail === undefined ? '' : `<env:Detail>${fault.detail}</env:Detail>`) +
    '</env:Fault>'
  const action = addressing ? `${soapNames.wsa}/fault` : `${soapNames.wsa}/soap/fault`
  return encodeEnvelope({ action, ...address }, body, fault.headers ?? '')
}

/** HTTP status of a fault (SOAP 1.2 Part 2 §7.5.2.2): 400 for Sender, 500 for every other code. */
export function httpStatusOf(fault: Fault): 400 | 500 {
  return fault.code === 'Sender' ? 400 : 500
}
