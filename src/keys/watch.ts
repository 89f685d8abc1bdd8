import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Clock } from '../core/ports.ts'

export interface WatchOptions {
  readonly everyMs: number
  /** Tells how fresh a file is; the machine's own when absent. */
  readonly clock?: Clock
  /** Something changed and has settled. Must not throw. */
  readonly onChange: () => void
  /** Ends the watch. */
  readonly signal: AbortSignal
}

/** Looks at files now and then, and knows when what they hold has changed and settled. */
export interface ChangeDetector {
  /** Looks once; true when there is a new state to act upon. Never true twice for one state in a row. */
  poll(): Promise<boolean>
}

/** A new state counts when so many looks in a row see it. */
const settledAfter = 2

/** The same where a file is absent: it is given time to come back before its absence is believed. */
const goneAfter = 6

/** A file written within this time may be written again without its metadata telling: it is read at every look. */
const freshMs = 2_000

/** What is at a path: metadata that tell whether to read again, and a digest of the content. */
interface Sight {
  readonly about: string
  readonly digest: string
}

const absent: Sight = { about: 'absent', digest: 'absent' }

/**
 * Begins with what the files hold now. Content counts, not names or times: a file that is replaced, a symbolic link
 * that is turned (as Kubernetes does with secrets) and a file that is written in place are all seen, and a file
 * that is touched is not. Several files that change together are one change.
 */
export async function changeDetector(paths: readonly string[], clock: Clock): Promise<ChangeDetector> {
  let sights = new Map<string, Sight>()

  async function look(): Promise<string> {
    const seen = await Promise.all(paths.map(async (path) => [path, await see(path, sights.get(path), clock)] as const))
    sights = new Map(seen)
    return seen.map(([, { digest }]) => digest).join(' ')
  }

  let told = await look()
  let last = told
  let times = 1
  return {
    async poll() {
      const state = await look()
      times = state === last ? times + 1 : 1
      last = state
      const patience = [...sights.values()].includes(absent) ? goneAfter : settledAfter
      if (state === told || times < patience) return false
      told = state
      return true
    },
  }
}

async function see(path: string, before: Sight | undefined, clock: Clock): Promise<Sight> {
  try {
    const file = await stat(path, { bigint: true })
    // Reading anything else, a pipe for instance, might never end.
    if (!file.isFile()) return absent
    const about = [file.dev, file.ino, file.size, file.mtimeNs, file.ctimeNs].join(' ')
    const fresh = Number(file.mtimeMs) > clock.now() - freshMs
    if (before !== undefined && before.about === about && !fresh) return before
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(path)) hash.update(chunk)
    return { about, digest: hash.digest('base64') }
  } catch {
    return absent
  }
}

/**
 * Calls back when the content of any of the files has changed and two looks in a row saw the same. Resolves when the
 * state to compare with is known: what is read after that is either this state or told of. Holds no process alive.
 */
export async function watchFiles(paths: readonly string[], options: WatchOptions): Promise<void> {
  const { everyMs, clock = { now: Date.now }, onChange, signal } = options
  const detector = await changeDetector(paths, clock)
  if (signal.aborted) return
  let looking = false
  const look = async (): Promise<void> => {
    if (looking) return
    looking = true
    const changed = await detector.poll()
    looking = false
    if (changed && !signal.aborted) onChange()
  }
  const interval = setInterval(() => void look(), everyMs)
  interval.unref()
  signal.addEventListener('abort', () => clearInterval(interval), { once: true })
}
