import { randomUUID } from 'node:crypto'
import type { RegistryQuestion, RegistryReply } from '../config/adapter.ts'
import type { Issue } from '../core/errors.ts'
import type { AuthorizedCall } from '../core/model/call.ts'
import type { PatientId } from '../core/model/patient.ts'
import { namesPatient } from '../core/model/stored-query.ts'
import { decodeQueryResponse } from '../wire/ebrim/query-response.ts'
import { encodeStoredQuery } from '../wire/ebrim/stored-query.ts'
import { encodeEnvelope, type Outgoing } from '../wire/soap.ts'
import { defaultXmlLimits } from '../wire/xml.ts'
import type { OutboundResponse } from './answer.ts'
import { breather } from './breather.ts'
import { notSoap } from './failures.ts'
import { homed } from './homed.ts'
import { messageIdOf, requireSameMessage } from './message-id.ts'
import type { CommunityClient, OutboundRequest } from './send.ts'

/** The addressing of a message that has an address. */
export type SealedOutgoing = Outgoing & { readonly to: string }

export interface AskRegistryParts {
  readonly client: CommunityClient
  readonly maxResponseBytes: number
  /** A new signed assertion about our caller, for this question. */
  readonly vouch: (request: {
    readonly call: AuthorizedCall
    readonly patientId?: PatientId
    readonly query: RegistryQuestion['query']
  }) => Promise<string>
  /** Spells and seals the message; by default it is not signed as a whole. */
  readonly seal?: (outgoing: SealedOutgoing, body: string) => string | Promise<string>
  /** Further headers, made for this very message. */
  readonly dress?: (
    request: Omit<OutboundRequest, 'idempotent'>,
    call: AuthorizedCall,
  ) => Promise<OutboundRequest['headers']>
  /** Told of objects left out of an answer. */
  readonly onDropped?: (call: AuthorizedCall, entries: number) => void
}

/**
 * Puts a stored query to a registry: one signed SOAP 1.2 message over mutual TLS, built anew if it must be sent again, and
 * the reply taken apart with the event loop given back every few milliseconds. Rejects with GatewayError.
 */
export function registryAsker({
  client,
  maxResponseBytes,
  vouch,
  seal = encodeEnvelope,
  dress,
  onDropped,
}: AskRegistryParts) {
  return async function ask(question: RegistryQuestion): Promise<RegistryReply> {
    const { call, query, url, action } = question
    const body = encodeStoredQuery(query, question.codeLists === undefined ? {} : { codeLists: question.codeLists })
    let messageId = ''
    const response = await client.sendFresh(async () => {
      messageId = messageIdOf(randomUUID(), question.messageId)
      const assertion = await vouch({ call, query, ...(namesPatient(query) ? { patientId: query.patientId } : {}) })
      const request = {
        url,
        method: 'POST',
        headers: { 'content-type': 'application/soap+xml; charset=utf-8' },
        body: await seal({ action, messageId, to: url, anonymousReply: true, assertion }, body),
        signal: call.signal,
      } as const
      const headers = dress === undefined ? {} : await dress(request, call)
      return { ...request, headers: { ...request.headers, ...headers }, idempotent: true }
    })
    requireXml(response)
    let dropped = 0
    const decoded = await decodeQueryResponse(response.body, {
      limits: { ...defaultXmlLimits, maxBytes: maxResponseBytes },
      pause: breather(call.signal),
      onOddEntry: () => {
        dropped++
      },
    })
    requireSameMessage(decoded.header.relatesTo, messageId)
    if (decoded.fault !== undefined) {
      const { code, reason, detail, subcode } = decoded.fault
      const issue: Issue = {
        severity: 'error',
        code: detail.errorCode ?? subcode ?? code,
        text: detail.description ?? reason,
      }
      return { kind: 'fault', issue, sender: code === 'Sender' || code === 'Client' }
    }
    if (response.status >= 400 && decoded.answer.issues.length === 0) throw notSoap(response.status)
    const answer = homed(decoded.answer, query.home, question.homes)
    dropped += decoded.answer.entries.length - answer.entries.length
    if (dropped > 0) onDropped?.(call, dropped)
    return { kind: 'answer', status: decoded.status, answer }
  }
}

/** The body decides, not the label: INI's front end says `application/soap-xml`, others `text/xml` (ini.md §6.2 no. 1). */
function requireXml(response: OutboundResponse): void {
  const { body } = response
  let start = body[0] === 0xef ? 3 : 0
  while (start < body.length && (body[start] ?? 0) <= 0x20) start++
  if (body[start] !== 0x3c || /text\/html/i.test(response.headers['content-type'] ?? '')) throw notSoap(response.status)
}
