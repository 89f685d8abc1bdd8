import type { IncomingMessage, ServerResponse } from 'node:http'
import { forgetRest } from '../linger.ts'
import { type StreamedBody, sendStreamed } from '../stream.ts'

/** An answer, whole. */
export interface WholeReply {
  readonly status: number
  readonly contentType: 'application/json' | 'application/problem+json' | 'application/fhir+json; charset=utf-8'
  readonly headers: Readonly<Record<string, string | string[]>>
  /** Undefined where there is none: 204, 304. */
  readonly body: unknown
}

/** An answer that is content of its own kind, sent as it is read. It must be sent or released. */
export interface ContentReply {
  readonly status: number
  readonly contentType: string
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly content: StreamedBody
}

export type ApiReply = WholeReply | ContentReply

/**
 * Sends an answer, values as JSON; resolves when nothing more of it is held. What of the request is still unread is not
 * taken for the next one: the connection ends.
 */
export async function sendReply(incoming: IncomingMessage, outgoing: ServerResponse, reply: ApiReply): Promise<void> {
  if ('content' in reply) await sendStreamed(incoming, outgoing, { ...reply, body: reply.content })
  else sendWhole(incoming, outgoing, reply)
}

function sendWhole(incoming: IncomingMessage, outgoing: ServerResponse, reply: WholeReply): void {
  const bytes = Buffer.from(reply.body === undefined ? '' : `${JSON.stringify(reply.body)}\n`, 'utf8')
  const described = { 'content-type': reply.contentType, 'content-length': bytes.length }
  const headers = { ...reply.headers, ...(reply.body === undefined ? {} : described) }
  if (incoming.complete || !hasBody(incoming)) {
    outgoing.writeHead(reply.status, headers).end(bytes)
    return
  }
  outgoing.writeHead(reply.status, { ...headers, connection: 'close' }).write(bytes)
  forgetRest(incoming, () => outgoing.end())
}

/** Whether a body was announced (RFC 9112 §6); one that was not is over before Node says so. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
