import type { Dispatcher } from 'undici'
import { GatewayError } from '../core/errors.ts'
import type { Target } from './failures.ts'

/** A whole answer. Header names are lower-case; a header told several times is joined by `, `. */
export interface OutboundResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Whole, at most the client's `maxResponseBytes`. */
  readonly body: Buffer
}

/**
 * Reads an answer to its end. A redirection, an encoded or an announced oversize body are refused unread, an oversize
 * one at the byte that is too many, all as `community-misbehaved`; what is left unread is cut off with the connection.
 */
export async function readAnswer(
  response: Dispatcher.ResponseData,
  maxBytes: number,
  target: Target,
): Promise<OutboundResponse> {
  const headers = flat(response.headers)
  const fault = faultOf(response.statusCode, headers, maxBytes)
  if (fault !== undefined) {
    const refusal = misbehaved(fault, response.statusCode, target)
    response.body.on('error', () => undefined).destroy(refusal)
    throw refusal
  }
  const body = await whole(response.body, maxBytes, () => misbehaved('oversize', response.statusCode, target))
  return { status: response.statusCode, headers, body }
}

/** An answer as it arrives. */
export interface ArrivingAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** To be read once. Rejects when it breaks off. */
  readonly body: AsyncIterable<Buffer>
  /**
   * The same, for who would rather be called: with each chunk, and with no other while what `take` gave is not settled.
   * Rejects as `take` does, or when the body breaks off.
   */
  readonly each: (take: (chunk: Buffer) => Promise<void> | void) => Promise<void>
}

/** Hands an answer over unread, refusing what `readAnswer` refuses but for its size; what is left unread is cut off. */
export async function arriving<T>(
  response: Dispatcher.ResponseData,
  target: Target,
  take: (answer: ArrivingAnswer) => Promise<T>,
): Promise<T> {
  const headers = flat(response.headers)
  const fault = faultOf(response.statusCode, headers, Number.POSITIVE_INFINITY)
  const { body } = response
  try {
    if (fault !== undefined) throw misbehaved(fault, response.statusCode, target)
    return await take({ status: response.statusCode, headers, body, each: (taker) => each(body, taker) })
  } finally {
    if (!body.readableEnded) body.on('error', () => undefined).destroy()
  }
}

/** Without a promise for every chunk, of which a large body has thousands. */
function each(body: Dispatcher.ResponseData['body'], take: (chunk: Buffer) => Promise<void> | void): Promise<void> {
  return new Promise((resolve, reject) => {
    let last: Promise<void> = Promise.resolve()
    const fail = (error: unknown): void => {
      body.off('data', data).pause()
      reject(error)
    }
    const data = (chunk: Buffer): void => {
      try {
        const taking = take(chunk)
        if (taking === undefined) return
        body.pause()
        last = taking.then(() => void body.resume(), fail)
      } catch (error) {
        fail(error)
      }
    }
    // Either may come while the last chunk is still taken.
    const afterLast = async (settle: () => void): Promise<void> => {
      await last
      settle()
    }
    body
      .on('data', data)
      .once('end', () => afterLast(resolve))
      .once('error', (error) => afterLast(() => reject(error)))
  })
}

type Misbehaviour = 'redirect' | 'encoding' | 'oversize'

const sentences: Readonly<Record<Misbehaviour, string>> = {
  redirect: 'The community redirected a request, which is not followed',
  encoding: 'The community answered in an encoding that was not asked for',
  oversize: 'The community answered more than is accepted',
}

function misbehaved(reason: Misbehaviour, status: number, target: Target): GatewayError {
  return new GatewayError('community-misbehaved', sentences[reason], { details: { ...target, reason, status } })
}

function faultOf(
  status: number,
  headers: Readonly<Record<string, string>>,
  maxBytes: number,
): Misbehaviour | undefined {
  if (status >= 300 && status < 400) return 'redirect'
  if (!isOneOf(headers['content-encoding'], 'identity')) return 'encoding'
  if (!isOneOf(headers['transfer-encoding'], 'chunked')) return 'encoding'
  return Number(headers['content-length'] ?? 0) > maxBytes ? 'oversize' : undefined
}

function isOneOf(header: string | undefined, allowed: string): boolean {
  return header === undefined || header.trim() === '' || header.trim().toLowerCase() === allowed
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): Readonly<Record<string, string>> {
  const result: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) result[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return result
}

function whole(body: Dispatcher.ResponseData['body'], maxBytes: number, oversize: () => Error): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    body.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxBytes) body.destroy(oversize())
      else chunks.push(chunk)
    })
    // Copied even when there is one chunk: chunks are windows on larger buffers of the socket.
    body.once('end', () => resolve(Buffer.concat(chunks, size)))
    body.once('error', reject)
  })
}
