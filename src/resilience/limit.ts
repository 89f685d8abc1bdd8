import { GatewayError } from '../core/errors.ts'
import type { Exchange } from '../core/model/call.ts'

/** Longest delay a timer of Node takes; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1

/**
 * Runs `work` until it ends, the caller leaves or the time is up, whichever comes first. Work is told to stop by its
 * signal, but not waited for: `ended` is called when it really ends, perhaps never.
 *
 * Rejects with `community-timeout` (`details.limit` is `guard`, or `deadline` when the exchange had less time left) and
 * with `caller-gone`.
 */
export function limited<T>(
  { signal, deadline }: Pick<Exchange, 'signal' | 'deadline'>,
  timeoutMs: number,
  now: number,
  work: (signal: AbortSignal) => Promise<T>,
  ended: () => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = new AbortController()
    const remainingMs = deadline - now
    const limit = remainingMs < timeoutMs ? 'deadline' : 'guard'
    const limitMs = Math.min(timeoutMs, remainingMs, longestTimerMs)

    const release = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', leave)
    }
    const give = (error: GatewayError, reason: unknown): void => {
      release()
      stop.abort(reason)
      reject(error)
    }
    const leave = (): void => give(departure(signal), signal.reason)
    const timer = setTimeout(() => {
      const late = new DOMException('The community did not answer in time', 'TimeoutError')
      give(new GatewayError('community-timeout', late.message, { details: { limit, limitMs } }), late)
    }, limitMs)
    signal.addEventListener('abort', leave, { once: true })

    started(work, stop.signal)
      .then(resolve, reject)
      .finally(() => {
        release()
        ended()
      })
  })
}

/** Why a call cannot begin, or `undefined`: its caller has left or its deadline has passed. */
export function over(
  { signal, deadline }: Pick<Exchange, 'signal' | 'deadline'>,
  now: number,
): GatewayError | undefined {
  if (signal.aborted) return departure(signal)
  if (now < deadline) return undefined
  return new GatewayError('community-timeout', 'No time was left to ask the community', {
    details: { limit: 'deadline', limitMs: 0 },
  })
}

/** A `TimeoutError` as the reason is the exchange's own deadline; any other reason is the caller's leaving. */
function departure({ reason }: AbortSignal): GatewayError {
  if (reason instanceof DOMException && reason.name === 'TimeoutError') {
    return new GatewayError('community-timeout', 'The community did not answer in time', {
      details: { limit: 'deadline' },
    })
  }
  return new GatewayError('caller-gone', 'The caller left before the community answered')
}

/** Work that throws before its first wait rejects as any other. */
async function started<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
  return await work(signal)
}
