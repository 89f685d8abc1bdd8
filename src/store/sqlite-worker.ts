import { parentPort, workerData } from 'node:worker_threads'
import { type Journal, JournalError, type JournalOptions, openJournal } from './sqlite-journal.ts'
import type { ChainHead } from './store.ts'
import type { WorkerReply } from './worker-channel.ts'

/** What the store asks of its thread. */
export type JournalRequest =
  | { readonly kind: 'open' }
  | { readonly kind: 'append'; readonly records: readonly string[] }
  | { readonly kind: 'rows'; readonly after: number; readonly limit: number }
  | { readonly kind: 'latest' }
  | { readonly kind: 'walk'; readonly from: ChainHead; readonly limit: number }
  | { readonly kind: 'close' }

// SQLite's primary result codes (sqlite.org/rescode.html), in a word for operators.
const reasons: Readonly<Record<number, string>> = {
  5: 'locked',
  6: 'locked',
  8: 'read-only',
  10: 'disk-error',
  11: 'corrupt',
  13: 'disk-full',
  14: 'cannot-open',
  26: 'not-a-database',
}

// SQLite's primary result codes after which the connection is as good as before: BUSY, LOCKED, FULL, CONSTRAINT.
const harmless = new Set([5, 6, 13, 19])

let options = workerData as JournalOptions
let opened: Journal | undefined

function journal(): Journal {
  opened ??= openJournal(options)
  options = { ...options, identity: opened.identity }
  return opened
}

function answer(request: JournalRequest): unknown {
  switch (request.kind) {
    case 'open':
      return journal().identity
    case 'append':
      return journal().append(request.records)
    case 'rows':
      return journal().rows(request.after, request.limit)
    case 'latest':
      return journal().latest()
    case 'walk':
      return journal().walk(request.from, request.limit)
    case 'close':
      close()
      return undefined
  }
}

function close(): void {
  const closing = opened
  opened = undefined
  closing?.close()
}

function failure(call: number, cause: unknown): WorkerReply {
  const { errcode } = cause as { errcode?: unknown }
  if (typeof errcode === 'number') {
    return { call, failure: { reason: reasons[errcode & 0xff] ?? 'database', sqlite: errcode }, cause }
  }
  return { call, failure: { reason: cause instanceof JournalError ? cause.message : 'unexpected' }, cause }
}

function reopensAfter(error: unknown): boolean {
  const { errcode } = error as { errcode?: unknown }
  return typeof errcode !== 'number' || !harmless.has(errcode & 0xff)
}

parentPort?.on('message', ({ call, request }: { call: number; request: JournalRequest }) => {
  let reply: WorkerReply
  try {
    reply = { call, reply: answer(request) }
  } catch (error) {
    reply = failure(call, error)
    // After a failed write or sync nothing this connection remembers of the file is relied on.
    if (reopensAfter(error)) close()
  }
  parentPort?.postMessage(reply)
})
