import { GatewayError } from '../core/errors.ts'
import type { Clock, Use } from '../core/ports.ts'
import { chained, genesis } from './chain.ts'
import { groupCommit } from './group-commit.ts'
import { decoded, encoded, insistOnUses, pageSize } from './limits.ts'
import { outboxOn } from './outbox.ts'
import { connectionsTo, onConnection, type PostgresConnection } from './postgres-connections.ts'
import { storeFailure, Unfit } from './postgres-failure.ts'
import { postgresJournal } from './postgres-journal.ts'
import { postgresOutbox } from './postgres-outbox.ts'
import { postgresPushes } from './postgres-pushes.ts'
import { graceMs, postgresReplay } from './postgres-replay.ts'
import { identityOf, isSchemaName, openSchema } from './postgres-schema.ts'
import { pushJournalOn, pushKeptMs } from './push-journal.ts'
import type { AuditRecord, ChainHead, ChainReport, Store } from './store.ts'

export interface PostgresStoreOptions {
  readonly connection: PostgresConnection
  /** The schema that holds the store, in lower case; made when absent, else it must be empty or ours. */
  readonly schema?: string
  /**
   * The most connections this replica opens, at least 3: up to three write (the journal, uses, the outbox and pushes), the
   * others read, one at least.
   */
  readonly connections?: number
  /**
   * How many calls of each kind may wait: appends, uses, changes of the outbox, pushes, questions about pushes; one more is
   * refused as `overloaded`.
   */
  readonly capacity?: number
  /** How many calls of one kind may share one commit. */
  readonly batchSize?: number
  /** How long one call may take; less than a minute, or uses might be forgotten while a call that repeats them waits. */
  readonly deadlineMs?: number
  /** How long a connection may take to be made, with TLS and login. */
  readonly connectMs?: number
  /** How long a statement may run on the server; less than `deadlineMs`. */
  readonly statementMs?: number
  /** How long of that it may wait for other replicas; less than `statementMs`. */
  readonly lockMs?: number
  /** How long pushes are kept once they are no longer pending, and recognised when they come again; 90 days. */
  readonly keptMs?: number
  /** By which uses, deliveries and pushes grow old; absent, the system's. Those of replicas must agree to some seconds. */
  readonly clock?: Clock
}

const openingMs = 30_000
const maxReads = 64
const rowsPerWalk = 250

/**
 * The store in a schema of a PostgreSQL server, shared by every replica that opens it: their records make one chain, and of
 * those that remember one use at once, one wins. What is acknowledged is on the server's disk; concurrent calls of a replica
 * share a commit. One call remembers at most 16 uses, and a use that is past its `until` counts as taken. Rejects with
 * `internal` when the server cannot be reached, may lose what it confirms, or holds a schema that is not ours or newer.
 */
export async function postgresStore(options: PostgresStoreOptions): Promise<Store> {
  const { connection, schema = 'crocevia', connections = 6, capacity = 1024, batchSize = 256 } = options
  const { deadlineMs = 5000, connectMs = 2000, statementMs = 3000, lockMs = 2000 } = options
  const { keptMs = pushKeptMs } = options
  const clock = options.clock ?? { now: () => Date.now() }
  const inOrder = 0 < lockMs && lockMs < statementMs && statementMs < deadlineMs && deadlineMs < graceMs
  if (!isSchemaName(schema) || connections < 3 || !inOrder) throw storeFailure(new Unfit('unfit-options'))

  const identity = await onConnection(connection, openingMs, (client) => openSchema(client, schema))
  const connect = (max: number) =>
    connectionsTo(connection, { connectMs, statementMs, lockMs }, max, async (client) => {
      // Another server may answer at that name by now, or another schema stand at that place.
      if ((await identityOf(client, schema)) !== identity) throw new Unfit('other-store')
    })
  const writing = Math.min(3, connections - 1)
  const writers = connect(writing)
  const readers = connect(connections - writing)
  const accesses = postgresJournal(schema, writers, readers)
  const replay = postgresReplay(schema, writers)

  const limits = { capacity, batchSize, deadlineMs }
  const appends = groupCommit<string, number>({
    async write(records) {
      const first = await accesses.append(records)
      return records.map((_, index) => first + index)
    },
    ...limits,
  })
  const uses = groupCommit<readonly Use[], Use | undefined>({
    write: async (calls) => await replay.remember(calls, clock.now()),
    ...limits,
  })

  let closing: Promise<void> | undefined

  /** Reads, for at most so many callers at once. */
  function reader(most: number): <Reply>(read: () => Promise<Reply>) => Promise<Reply> {
    let reads = 0
    return async (read) => {
      if (closing !== undefined) throw new GatewayError('internal', 'The store is closed')
      if (reads >= most) throw new GatewayError('overloaded', 'Too many readers of the store')
      reads++
      const answer = read()
      // A reader counts until its connection is free again, though nobody waits for it any more.
      void answer.catch(() => undefined).then(() => reads--)
      return await inTime(answer, deadlineMs)
    }
  }
  const look = reader(maxReads)

  const table = postgresOutbox(schema, writers, readers)
  const outbox = outboxOn(
    {
      change: (changes, now) => table.change(changes, now),
      claim: (...asked) => look(() => table.claim(...asked)),
      list: (page) => look(() => table.list(page)),
    },
    clock,
    limits,
  )

  // Every query of the gateway asks what was pushed.
  const lookUp = reader(capacity)
  const pushes = postgresPushes(schema, writers, readers)
  const journal = pushJournalOn(
    {
      append: (...asked) => pushes.append(...asked),
      about: (...asked) => lookUp(() => pushes.about(...asked)),
      touching: (objects) => lookUp(() => pushes.touching(objects)),
      repeated: (identities) => lookUp(() => pushes.repeated(identities)),
      find: (which) => lookUp(() => pushes.find(which)),
      list: (page) => look(() => pushes.list(page)),
    },
    { clock, outbox, keptMs, limits },
  )

  async function verify(anchor: ChainHead | undefined, signal: AbortSignal | undefined): Promise<ChainReport> {
    const goal = await look(() => accesses.latest())
    const end = Math.max(goal.sequence, anchor?.sequence ?? 0)
    let head = genesis
    for (;;) {
      if (signal?.aborted) throw new GatewayError('caller-gone', 'The verification was given up')
      if (head.sequence >= end) return { ok: true, records: head.sequence }
      const from = head.sequence
      const rows = await look(() => accesses.rows(from, Math.min(rowsPerWalk, end - from)))
      if (rows.length === 0) return { ok: false, brokenAt: from + 1 }
      for (const { sequence, hash, record } of rows) {
        const due = { sequence: head.sequence + 1, hash: chained(head.hash, record) }
        const anchored = sequence !== anchor?.sequence || hash === anchor.hash
        if (sequence !== due.sequence || hash !== due.hash || !anchored) return { ok: false, brokenAt: due.sequence }
        head = due
      }
    }
  }

  async function close(): Promise<void> {
    const drained = Promise.all([appends.drain(), uses.drain(), outbox.drain(), journal.drain()])
    const closed = drained.then(() => Promise.all([writers.close(), readers.close()]))
    // A server that hangs must not keep the gateway from ending: what was not confirmed has been rejected by now.
    await inTime(closed, deadlineMs).catch(() => undefined)
  }

  return {
    async append(record: AuditRecord) {
      const sequence = await appends.add(encoded(record))
      return { sequence }
    },
    async read({ after = 0, limit }) {
      const rows = await look(() => accesses.rows(after, pageSize(limit)))
      return rows.map(({ sequence, hash, record }) => ({ sequence, hash, record: decoded(record) }))
    },
    latest: () => look(() => accesses.latest()),
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

/** Rejects with `internal` when the work takes longer; the work itself goes on. */
async function inTime<T>(work: Promise<T>, deadlineMs: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(new GatewayError('internal', 'The store did not answer in time', { details: { deadlineMs } })),
    deadlineMs,
  )
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
