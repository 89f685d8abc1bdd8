import type { IncomingMessage } from 'node:http'
import { GatewayError } from '../core/errors.ts'

/**
 * Reads a request's body, counting bytes on the raw stream. Throws `request-too-large`, also for what is only announced,
 * and `caller-gone` when the signal ends the wait or the connection breaks.
 */
export async function readBody(incoming: IncomingMessage, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
  const announced = Number(incoming.headers['content-length'] ?? 0)
  if (announced > maxBytes) throw tooLarge()
  return await new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const settle = (end: () => void) => {
      incoming.off('data', take).off('end', done).off('error', gone).off('close', gone)
      signal.removeEventListener('abort', gone)
      end()
    }
    const gone = () => settle(() => reject(new GatewayError('caller-gone', 'The request did not arrive whole')))
    const done = () => settle(() => resolve(Buffer.concat(chunks, size)))
    const take = (chunk: Buffer) => {
      size += chunk.length
      if (size > maxBytes) settle(() => reject(tooLarge()))
      else chunks.push(chunk)
    }
    if (signal.aborted) return gone()
    signal.addEventListener('abort', gone, { once: true })
    incoming.on('data', take).on('end', done).on('error', gone).on('close', gone)
  })
}

function tooLarge(): GatewayError {
  return new GatewayError('request-too-large', 'The message is larger than this service accepts')
}
