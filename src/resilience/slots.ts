import { GatewayError } from '../core/errors.ts'
import type { AuthorizedCall } from '../core/model/call.ts'

/** So many places to work at one time, and a queue before them. */
export interface Slots {
  /** Undefined when there is a place at once; else resolves when there is one. Throws or rejects with `community-busy` when the queue is full or the wait too long, and when
   * the caller leaves. */
  take(call: AuthorizedCall, waitMs: number): Promise<void> | undefined
  giveBack(): void
}

export function slotsOf(places: number, queue: number, actor: string): Slots {
  let free = places
  const waiting = new Set<() => void>()

  function busy(bulkhead: 'full' | 'waited'): GatewayError {
    return new GatewayError('community-busy', 'Too many questions to the community are under way', {
      details: { actor, bulkhead },
    })
  }

  return {
    take({ signal }, waitMs) {
      if (free > 0) {
        free--
        return undefined
      }
      if (waiting.size >= queue) throw busy('full')
      return new Promise<void>((resolve, reject) => {
        const settle = (end: () => void): void => {
          waiting.delete(granted)
          clearTimeout(timer)
          signal.removeEventListener('abort', left)
          end()
        }
        const granted = (): void => settle(resolve)
        const left = (): void => settle(() => reject(leaving(signal)))
        const timer = setTimeout(() => settle(() => reject(busy('waited'))), Math.max(0, waitMs))
        signal.addEventListener('abort', left, { once: true })
        waiting.add(granted)
      })
    },
    giveBack() {
      const [next] = waiting
      if (next === undefined) free++
      else next()
    },
  }
}

function leaving({ reason }: AbortSignal): GatewayError {
  const late = reason instanceof DOMException && reason.name === 'TimeoutError'
  return late
    ? new GatewayError('community-timeout', 'The community was not asked in time', { details: { limit: 'deadline' } })
    : new GatewayError('caller-gone', 'The caller left before the community was asked')
}
