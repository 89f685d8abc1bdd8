import { Buffer } from 'node:buffer'

/** One event of a stream (WHATWG HTML, server-sent events); its data is one line of JSON. */
export interface StreamEvent {
  readonly event: string
  readonly data: unknown
}

export const eventStreamType = 'text/event-stream; charset=utf-8'

/** Proxies hold nothing back. */
export const eventStreamHeaders = { 'x-accel-buffering': 'no' } as const

/** The bytes of an event. */
export function eventBytes({ data, event }: StreamEvent): Uint8Array {
  return Buffer.from(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`, 'utf8')
}

/** A comment, which says only that the connection lives. */
export const heartbeat: Uint8Array = Buffer.from(': waiting\n\n', 'utf8')

/** Whether an `Accept` asks for events rather than for one answer (RFC 9110 §12.5.1). */
export function asksForEvents(accept: string | undefined): boolean {
  const qualities = new Map(
    (accept ?? '').split(',').map((range) => {
      const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
      const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
      return [type, quality === undefined ? 1 : Number(quality)]
    }),
  )
  const events = qualities.get('text/event-stream') ?? 0
  return events > 0 && events >= (qualities.get('application/json') ?? 0)
}
