import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'

/** An answer that is sent as it is read. */
export interface StreamedBody {
  /** Bytes, where it is known. */
  readonly length?: number
  readonly chunks: AsyncIterable<Uint8Array>
  /** Gives up what the answer holds, once it is sent or has failed. */
  readonly release?: () => Promise<void>
}

export interface StreamedReply {
  readonly status: number
  readonly contentType: string
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: StreamedBody
}

/** How long a caller may take nothing of an answer that waits for it. */
const defaultPatienceMs = 30_000

/**
 * Sends an answer at the pace of whoever takes it, and releases it. What breaks off, or is not as long as it was said to
 * be, ends with the connection: an answer that is not whole is never taken for one.
 */
export async function sendStreamed(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { status, body, contentType, headers }: StreamedReply,
  patienceMs = defaultPatienceMs,
): Promise<void> {
  const length = body.length === undefined ? {} : { 'content-length': body.length }
  // What of the request is still unread must not be taken for the next one.
  const unread = incoming.complete ? {} : { connection: 'close' }
  outgoing.setTimeout(patienceMs, () => outgoing.destroy())
  outgoing.strictContentLength = true
  try {
    outgoing.writeHead(status, { ...headers, ...unread, ...length, 'content-type': contentType })
    await pipeline(body.chunks, outgoing)
  } catch {
    outgoing.destroy()
  } finally {
    await body.release?.()
  }
}
