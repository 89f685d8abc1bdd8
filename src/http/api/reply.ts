import type { IncomingMessage, ServerResponse } from 'node:http'
import { forgetRest } from '../linger.ts'

/** An answer, whole. */
export interface ApiReply {
  readonly status: number
  readonly contentType: 'application/json' | 'application/problem+json'
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: unknown
}

/** Sends an answer as JSON. What of the request is still unread is not taken for the next one: the connection ends. */
export function sendReply(incoming: IncomingMessage, outgoing: ServerResponse, reply: ApiReply): void {
  const bytes = Buffer.from(`${JSON.stringify(reply.body)}\n`, 'utf8')
  const headers = { ...reply.headers, 'content-type': reply.contentType, 'content-length': bytes.length }
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
