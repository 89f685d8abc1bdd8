import { understands } from '../http/soap/endpoint.ts'
import { type AddressingMode, messageIdOf, readAddressing } from '../wire/addressing.ts'
import { readFault } from '../wire/ebrim/fault.ts'
import { type Envelope, openEnvelope, soapNames } from '../wire/soap.ts'
import { NONE, type Node, type XmlTree } from '../wire/xml.ts'
import type { Verdict } from './verdict.ts'

/** How many header blocks are told of. */
const most = 64

/** What is understood of an envelope: first by its bare shape, so that something is told of one that is refused. */
export function shapeOf(tree: XmlTree): Verdict['read'] {
  const { root } = tree
  const namespace = tree.namespace(root)
  const versions: Readonly<Record<string, string>> = { [soapNames.soap12]: '1.2', [soapNames.soap11]: '1.1' }
  return tree.local(root) === 'Envelope' ? { version: versions[namespace] ?? namespace } : { root: nameOf(tree, root) }
}

/** Opens the envelope as the gateway does. Throws SoapFaultError. */
export function opened(tree: XmlTree): { readonly envelope: Envelope; readonly read: Verdict['read'] } {
  const envelope = openEnvelope(tree, understands)
  const { body, headers } = envelope
  return {
    envelope,
    read: {
      ...shapeOf(tree),
      action: textOf(envelope, 'Action'),
      messageId: messageIdOf(envelope),
      to: textOf(envelope, 'To'),
      relatesTo: textOf(envelope, 'RelatesTo'),
      replyTo: addressOf(envelope, 'ReplyTo'),
      headers: headers.slice(0, most).map((node) => nameOf(tree, node)),
      security: headers.some((node) => tree.is(node, soapNames.wsse, 'Security')),
      body: body === NONE ? null : nameOf(tree, body),
      ...(isFault(envelope) ? { fault: readFault(tree, body) } : {}),
    },
  }
}

/**
 * Requires the addressing the gateway requires of questions. An answer or a fault need not have a MessageID (WS-Addressing
 * 1.0 Core §3.4), and a fault may come from where nobody knows of addressing. Throws SoapFaultError.
 */
export function requireAddressing(envelope: Envelope, mode: AddressingMode): void {
  const answers = isFault(envelope) || block(envelope, 'RelatesTo') !== NONE
  if (answers && block(envelope, 'MessageID') === NONE) return
  readAddressing(envelope, mode)
}

function isFault({ body, tree }: Envelope): boolean {
  return body !== NONE && tree.is(body, soapNames.soap12, 'Fault')
}

function nameOf(tree: XmlTree, node: Node) {
  return { namespace: tree.namespace(node), name: tree.local(node) }
}

function block({ headers, tree }: Envelope, local: string): Node {
  return headers.find((node) => tree.is(node, soapNames.wsa, local)) ?? NONE
}

function textOf(envelope: Envelope, local: string): string | undefined {
  const node = block(envelope, local)
  return node === NONE ? undefined : envelope.tree.text(node).trim()
}

function addressOf(envelope: Envelope, local: string): string | undefined {
  const { tree } = envelope
  const node = block(envelope, local)
  const address = node === NONE ? NONE : tree.child(node, soapNames.wsa, 'Address')
  return address === NONE ? undefined : tree.text(address).trim()
}
