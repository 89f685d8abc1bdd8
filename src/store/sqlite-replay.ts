import { hash } from 'node:crypto'
import type { Use } from '../core/ports.ts'
import type { StoreFile } from './sqlite-file.ts'

/**
 * How long a use is kept beyond its `until`. The instant a call is judged at was read before it waited for the lock, and
 * other processes read the clock for themselves; longer than any call may wait, so that none misses what was purged early.
 */
export const graceMs = 60_000

/**
 * How many old uses a commit forgets at most: more than it remembers, so that the table shrinks again, and enough to empty
 * a page, so that a full database takes new ones.
 */
function forgettable(remembered: number): number {
  return Math.max(128, 2 * remembered)
}

/** The uses that are remembered in the store's file. */
export interface ReplayTable {
  /**
   * Judges and remembers one call after the other, each seeing those before it, and commits them together. Returns for
   * each call the index of its first use that was taken, or -1 when all were free and are on disk. A use that is past its
   * `until` at `now` is taken: it may have been forgotten. Throws FileError, or what node:sqlite throws.
   */
  remember(calls: readonly (readonly Use[])[], now: number): readonly number[]
}

interface Remembered {
  readonly presenter: Uint8Array | null
  readonly until: number
}

type Changes = Map<string, Remembered>

/** The replay memory of a file. Throws what node:sqlite throws. */
export function replayTableIn(file: StoreFile): ReplayTable {
  const select = file.db.prepare('SELECT presenter, until FROM replay WHERE key = ?')
  const upsert = file.db.prepare(
    `INSERT INTO replay (key, presenter, until) VALUES (?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET presenter = excluded.presenter, until = excluded.until`,
  )
  const purge = file.db.prepare(
    'DELETE FROM replay WHERE key IN (SELECT key FROM replay WHERE until < ? ORDER BY until LIMIT ?)',
  )

  function judge(uses: readonly Use[], batch: Changes, now: number): number {
    const own: Changes = new Map()
    for (const [index, use] of uses.entries()) {
      const known =
        own.get(use.key) ?? batch.get(use.key) ?? (select.get(bytesOf(use.key)) as unknown as Remembered | undefined)
      const presenter = use.presenter === undefined ? null : digestOf(use.presenter)
      const until = Math.ceil(use.until)
      if (until < now) return index
      if (known === undefined || known.until < now) own.set(use.key, { presenter, until })
      else if (!isSame(known.presenter, presenter)) return index
      else if (known.until < until) own.set(use.key, { presenter, until })
    }
    for (const [key, change] of own) batch.set(key, change)
    return -1
  }

  return {
    remember: (calls, now) =>
      file.write(() => {
        const changes: Changes = new Map()
        const taken = calls.map((uses) => judge(uses, changes, now))
        // Before the new ones need its room.
        if (changes.size > 0) purge.run(now - graceMs, forgettable(changes.size))
        for (const [key, { presenter, until }] of changes) upsert.run(bytesOf(key), presenter, until)
        return taken
      }),
  }
}

/** Whether both name one presenter; nobody is not the same as nobody. */
function isSame(one: Uint8Array | null, other: Uint8Array | null): boolean {
  return one !== null && other !== null && Buffer.compare(one, other) === 0
}

function bytesOf(key: string): Buffer {
  return Buffer.from(key, 'hex')
}

/** Of one size whatever it was, and nothing that names anybody. */
function digestOf(presenter: string): Buffer {
  return hash('sha256', presenter, 'buffer')
}
