import { GatewayError } from '../core/errors.ts'
import type { Clock, Use } from '../core/ports.ts'
import { genesis } from './chain.ts'
import { groupCommit } from './group-commit.ts'
import { decoded, encoded, insistOnUses, pageSize } from './limits.ts'
import { outboxOn } from './outbox.ts'
import { pushJournalOn, pushKeptMs } from './push-journal.ts'
import type { JournalRow, WalkedPage } from './sqlite-journal.ts'
import type { StoreRequest } from './sqlite-worker.ts'
import type { AuditRecord, ChainHead, ChainReport, Store } from './store.ts'
import { workerChannel } from './worker-channel.ts'

export interface SqliteStoreOptions {
  /** The database file, on a local disk; made when absent, its folder is not. Network file systems lose locks. */
  readonly path: string
  /**
   * How many calls of each kind may wait: appends, uses, changes of the outbox, pushes, questions about pushes; one more is
   * refused as `overloaded`.
   */
  readonly capacity?: number
  /** How many calls of one kind may share one commit. */
  readonly batchSize?: number
  /** How long one call may take; less than a minute, or uses might be forgotten while a call that repeats them waits. */
  readonly deadlineMs?: number
  /** How long a commit waits for another process that is writing; less than `deadlineMs`. */
  readonly busyTimeoutMs?: number
  /** The most pages of 4 KiB the file may grow to; absent, the disk decides. */
  readonly maxPages?: number
  /** How long pushes are kept once they are no longer pending, and recognised when they come again; 90 days. */
  readonly keptMs?: number
  /** By which uses, deliveries and pushes grow old; absent, the system's. */
  readonly clock?: Clock
}

const rowsPerPage = 1000
const openingMs = 30_000
const maxReads = 64

/**
 * The store in one SQLite file, written by a thread of its own: what is acknowledged is on disk, and concurrent calls share
 * a commit. Several processes may open the file. One call remembers at most 16 uses, and a use that is past its `until`
 * counts as taken. Rejects with `internal` when the file cannot be opened, is not ours, or was written by a newer version.
 */
export async function sqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { path, capacity = 1024, batchSize = 256, deadlineMs = 5000, busyTimeoutMs = 2000, maxPages } = options
  const { keptMs = pushKeptMs } = options
  const clock = options.clock ?? { now: () => Date.now() }
  let identity: string | undefined
  const channel = workerChannel<StoreRequest>(new URL('./sqlite-worker.ts', import.meta.url), () => ({
    path,
    busyTimeoutMs,
    ...(maxPages === undefined ? {} : { maxPages }),
    ...(identity === undefined ? {} : { identity }),
  }))
  try {
    identity = await channel.ask<string>({ kind: 'open' }, openingMs)
  } catch (error) {
    channel.terminate()
    throw error
  }

  const limits = { capacity, batchSize, deadlineMs }
  const appends = groupCommit<string, number>({
    async write(records) {
      const first = await channel.ask<number>({ kind: 'append', records })
      return records.map((_, index) => first + index)
    },
    ...limits,
  })

  const uses = groupCommit<readonly Use[], Use | undefined>({
    async write(calls) {
      const taken = await channel.ask<readonly number[]>({ kind: 'remember', calls, now: clock.now() })
      return calls.map((call, index) => takenOf(call, taken[index]))
    },
    ...limits,
  })

  let closing: Promise<void> | undefined

  /** Asks the thread, for at most so many callers at once. */
  function reader(most: number): <Reply>(request: StoreRequest) => Promise<Reply> {
    let reads = 0
    return async <Reply>(request: StoreRequest) => {
      if (closing !== undefined) throw new GatewayError('internal', 'The store is closed')
      if (reads >= most) throw new GatewayError('overloaded', 'Too many readers of the store')
      reads++
      try {
        return await channel.ask<Reply>(request, deadlineMs)
      } finally {
        reads--
      }
    }
  }
  const look = reader(maxReads)

  const outbox = outboxOn(
    {
      change: (changes, now) => channel.ask({ kind: 'change', changes, now }),
      claim: (now, limit, until) => look({ kind: 'claim', now, limit, until }),
      list: (page) => look({ kind: 'list', page }),
    },
    clock,
    limits,
  )

  // Every query of the gateway asks what was pushed.
  const lookUp = reader(capacity)
  const journal = pushJournalOn(
    {
      append: (rows, now, forgetBefore) => channel.ask({ kind: 'push', rows, now, forgetBefore }),
      about: (patients, since) => lookUp({ kind: 'pushes-about', patients, since }),
      touching: (objects) => lookUp({ kind: 'pushes-touching', objects }),
      repeated: (identities) => lookUp({ kind: 'push-repeated', identities }),
      find: (which) => lookUp({ kind: 'push-of', which }),
      list: (page) => look({ kind: 'pushes', page }),
    },
    { clock, outbox, keptMs, limits },
  )

  async function verify(anchor: ChainHead | undefined, signal: AbortSignal | undefined): Promise<ChainReport> {
    const goal = await look<ChainHead>({ kind: 'latest' })
    let from = genesis
    for (;;) {
      if (signal?.aborted) throw new GatewayError('caller-gone', 'The verification was given up')
      const toAnchor =
        anchor !== undefined && anchor.sequence > from.sequence ? anchor.sequence - from.sequence : Infinity
      const { head, broken, end } = await look<WalkedPage>({
        kind: 'walk',
        from,
        limit: Math.min(rowsPerPage, toAnchor),
      })
      if (broken) return { ok: false, brokenAt: head.sequence + 1 }
      if (head.sequence === anchor?.sequence && head.hash !== anchor.hash) return { ok: false, brokenAt: head.sequence }
      const needed = Math.max(goal.sequence, anchor?.sequence ?? 0)
      if (end && head.sequence < needed) return { ok: false, brokenAt: head.sequence + 1 }
      if (end || head.sequence >= needed) return { ok: true, records: head.sequence }
      from = head
    }
  }

  async function close(): Promise<void> {
    const { promise: late, resolve: giveUp } = Promise.withResolvers<void>()
    const timer = setTimeout(giveUp, deadlineMs)
    const drained = Promise.all([appends.drain(), uses.drain(), outbox.drain(), journal.drain()])
    const closed = drained.then(() => channel.ask<undefined>({ kind: 'close' }))
    // A disk that hangs must not keep the gateway from ending: what was not confirmed has been rejected by now.
    await Promise.race([closed.catch(() => undefined), late])
    clearTimeout(timer)
    channel.terminate()
  }

  return {
    async append(record: AuditRecord) {
      const sequence = await appends.add(encoded(record))
      return { sequence }
    },
    async read({ after = 0, limit }) {
      const rows = await look<JournalRow[]>({ kind: 'rows', after, limit: pageSize(limit) })
      return rows.map(({ sequence, hash, record }) => ({ sequence, hash, record: decoded(record) }))
    },
    latest: () => look<ChainHead>({ kind: 'latest' }),
    async remember(call) {
      insistOnUses(call)
      return await uses.add(call)
    },
    outbox,
    journal,
    verify: ({ anchor, signal } = {}) => verify(anchor, signal),
    [Symbol.asyncDispose]() {
      closing ??= close()
      return closing
    },
  }
}

/** The use of that index; none for -1. Whatever else the index is, it does not say that all were free. */
function takenOf(uses: readonly Use[], index: number | undefined): Use | undefined {
  if (index === -1) return undefined
  const taken = index === undefined ? undefined : uses[index]
  if (taken === undefined) throw new GatewayError('internal', 'A batch was not fully acknowledged')
  return taken
}
