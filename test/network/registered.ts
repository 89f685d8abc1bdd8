import type { Entry } from './entry.ts'

/** One document as a registry took it in, or let it go. */
export interface Registered {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly by: 'ITI-42' | 'ITI-57' | 'ITI-62' | 'FHIR'
  readonly change: 'create' | 'replace' | 'update' | 'remove'
  readonly entryUuid: string
  readonly uniqueId: string
  /** The version that is current since, or that was removed. */
  readonly version: string
  readonly entry: Entry
}

/** What was registered, in order of arrival. */
export interface RegisteredLog {
  readonly total: number
  /** The last ones, oldest first. */
  readonly last: readonly Registered[]
  /**
   * Resolves with the first that is as wished, or once there are so many: at once where that has come true already.
   * Rejects when `signal` is aborted, by default after ten seconds.
   */
  until(wish: number | ((one: Registered) => boolean), signal?: AbortSignal): Promise<Registered>
  add(some: readonly Registered[]): void
  clear(): void
}

const kept = 1000
const patienceMs = 10_000

interface Waiting {
  readonly look: () => Registered | undefined
  readonly resolve: (found: Registered) => void
}

export function registeredLog(): RegisteredLog {
  let last: Registered[] = []
  let total = 0
  const waiting = new Set<Waiting>()
  const tellWaiting = (): void => {
    for (const one of waiting) {
      const found = one.look()
      if (found === undefined) continue
      waiting.delete(one)
      one.resolve(found)
    }
  }
  return {
    get total() {
      return total
    },
    get last() {
      return last
    },
    until(wish, signal = AbortSignal.timeout(patienceMs)) {
      const look = (): Registered | undefined =>
        typeof wish === 'number' ? (total >= wish ? last.at(wish - 1 - total) : undefined) : last.find(wish)
      return new Promise((resolve, reject) => {
        const one = { look, resolve }
        const giveUp = (): void => {
          if (waiting.delete(one)) reject(new Error(`Not registered in time; so far ${total} documents`))
        }
        waiting.add(one)
        tellWaiting()
        if (signal.aborted) giveUp()
        else signal.addEventListener('abort', giveUp, { once: true })
      })
    },
    add(some) {
      total += some.length
      last = [...last, ...some].slice(-kept)
      tellWaiting()
    },
    clear() {
      total = 0
      last = []
    },
  }
}
