import { randomUUID } from 'node:crypto'
import type { MessageIdForm } from '../config/adapter.ts'
import type { Issue } from '../core/errors.ts'
import type { AuthorizedCall } from '../core/model/call.ts'
import type { PeerFault } from '../wire/ebrim/fault.ts'
import { encodeEnvelope, type Outgoing } from '../wire/soap.ts'
import { NONE, type Node, type XmlTree } from '../wire/xml.ts'
import type { OutboundResponse } from './answer.ts'
import { notSoap } from './failures.ts'
import { messageIdOf } from './message-id.ts'
import type { OutboundRequest } from './send.ts'

/** The addressing of a message that has an address. */
export type SealedOutgoing = Outgoing & { readonly to: string }

/** How the messages to one community are finished. */
export interface SoapMessageParts {
  /** Spells and seals the message; by default it is not signed as a whole. */
  readonly seal?: (outgoing: SealedOutgoing, body: string) => string | Promise<string>
  /** Further headers, made for this very message. */
  readonly dress?: (
    request: Omit<OutboundRequest, 'idempotent'>,
    call: AuthorizedCall,
  ) => Promise<OutboundRequest['headers']>
}

/** A message to be built. */
export interface NewMessage {
  readonly url: string
  readonly action: string
  readonly call: AuthorizedCall
  readonly messageId?: MessageIdForm | undefined
  /** A new signed assertion about our caller, serialised. */
  readonly assertion: string
  /** Serialised. */
  readonly body: string
}

/** A message as it is sent, and the id its answer must relate to. */
export interface BuiltMessage {
  readonly messageId: string
  readonly request: Omit<OutboundRequest, 'idempotent'>
}

/** Builds SOAP 1.2 messages, each with an id of its own. */
export function messageBuilder({ seal = encodeEnvelope, dress }: SoapMessageParts) {
  return async ({ url, action, call, assertion, body, ...message }: NewMessage): Promise<BuiltMessage> => {
    const messageId = messageIdOf(randomUUID(), message.messageId)
    const request = {
      url,
      method: 'POST',
      headers: { 'content-type': 'application/soap+xml; charset=utf-8' },
      body: await seal({ action, messageId, to: url, anonymousReply: true, assertion }, body),
      signal: call.signal,
    } as const
    const headers = { ...request.headers, ...(await dress?.(request, call)) }
    return { messageId, request: { ...request, headers } }
  }
}

/** The body decides, not the label: INI's front end says `application/soap-xml`, others `text/xml` (ini.md §6.2 no. 1). */
export function requireXml({ body, headers, status }: OutboundResponse): void {
  let start = body[0] === 0xef ? 3 : 0
  while (start < body.length && (body[start] ?? 0) <= 0x20) start++
  if (body[start] !== 0x3c || /text\/html/i.test(headers['content-type'] ?? '')) throw notSoap(status)
}

/** A fault as adapters are told of it: the most specific code it has, and whether it is said to be our doing. */
export function faultReply({ code, subcode, reason, detail }: PeerFault): {
  readonly kind: 'fault'
  readonly issue: Issue
  readonly sender: boolean
} {
  return {
    kind: 'fault',
    issue: { severity: 'error', code: detail.errorCode ?? subcode ?? code, text: detail.description ?? reason },
    sender: code === 'Sender' || code === 'Client',
  }
}

/** The message in an answer, by local names whatever version of SOAP; a bare response stands for its own body. */
export function bodyOf(tree: XmlTree): Node {
  if (tree.local(tree.root) !== 'Envelope') return tree.root
  const body = tree.children(tree.root).find((node) => tree.local(node) === 'Body')
  return body === undefined ? NONE : tree.first(body)
}

/** Which message an answer says that it answers. */
export function relatesToOf(tree: XmlTree): string | undefined {
  const header = tree.children(tree.root).find((node) => tree.local(node) === 'Header')
  if (header === undefined) return undefined
  const found = tree.children(header).find((node) => tree.local(node) === 'RelatesTo')
  return found === undefined ? undefined : tree.text(found).trim()
}
