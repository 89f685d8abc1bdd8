import type { IncomingMessage, ServerResponse } from 'node:http'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { letGo } from '../core/let-go.ts'

/** An answer that is sent as it is read. */
export interface StreamedBody {
  /** Bytes, where it is known. */
  readonly length?: number
  readonly chunks: AsyncIterable<Uint8Array>
  /** The chunks are nobody else's memory: each is let go as soon as it is sent. */
  readonly ownsChunks?: true
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
    await sendAll(body, outgoing)
  } catch {
    outgoing.destroy()
  } finally {
    await body.release?.()
  }
}

/** Rejects when the connection ends before all is sent, or the chunks fail. */
async function sendAll({ chunks, ownsChunks }: StreamedBody, outgoing: ServerResponse): Promise<void> {
  const gone = new AbortController()
  const leave = () => gone.abort()
  outgoing.once('close', leave).on('error', leave)
  // Who left before is not heard leaving.
  if (outgoing.destroyed) leave()
  const sent = new Writable({
    // While one chunk is sent the next is made.
    highWaterMark: 524_288,
    write(chunk: Uint8Array, _encoding, done) {
      try {
        outgoing.write(chunk, (error) => {
          if (!error && ownsChunks) letGo(chunk)
          done(error)
        })
      } catch (error) {
        // More than was said.
        done(error as Error)
      }
    },
    final: (done) => void outgoing.end(done),
  })
  await pipeline(chunks, sent, { signal: gone.signal })
}
