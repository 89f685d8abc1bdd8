import { parentPort, workerData } from 'node:worker_threads'
import type { Use } from '../core/ports.ts'
import type { OutboxChange, OutboxPage } from './outbox.ts'
import type { PushPage, PushRow } from './push-journal.ts'
import { FileError, type FileOptions, openFile, type StoreFile } from './sqlite-file.ts'
import { type Journal, journalIn } from './sqlite-journal.ts'
import { outboxIn, type SqliteOutbox } from './sqlite-outbox.ts'
import { pushesIn, type SqlitePushes } from './sqlite-pushes.ts'
import { type ReplayTable, replayTableIn } from './sqlite-replay.ts'
import type { ChainHead } from './store.ts'
import type { WorkerReply } from './worker-channel.ts'

/** What the store asks of its thread. */
export type StoreRequest =
  | { readonly kind: 'open' }
  | { readonly kind: 'append'; readonly records: readonly string[] }
  | { readonly kind: 'remember'; readonly calls: readonly (readonly Use[])[]; readonly now: number }
  | { readonly kind: 'rows'; readonly after: number; readonly limit: number }
  | { readonly kind: 'latest' }
  | { readonly kind: 'walk'; readonly from: ChainHead; readonly limit: number }
  | { readonly kind: 'change'; readonly changes: readonly OutboxChange[]; readonly now: number }
  | { readonly kind: 'claim'; readonly now: number; readonly limit: number; readonly until: number }
  | { readonly kind: 'list'; readonly page: OutboxPage }
  | {
      readonly kind: 'push'
      readonly rows: readonly PushRow[]
      readonly now: number
      readonly forgetBefore: number
    }
  | { readonly kind: 'pushes-about'; readonly patients: readonly string[]; readonly since: number | undefined }
  | { readonly kind: 'pushes-touching'; readonly objects: readonly string[] }
  | { readonly kind: 'push-repeated'; readonly identities: readonly string[] }
  | { readonly kind: 'push-of'; readonly which: { readonly id: string } | { readonly sequence: number } }
  | { readonly kind: 'pushes'; readonly page: PushPage }
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

interface Opened {
  readonly file: StoreFile
  readonly journal: Journal
  readonly replay: ReplayTable
  readonly outbox: SqliteOutbox
  readonly pushes: SqlitePushes
}

let options = workerData as FileOptions
let opened: Opened | undefined

function store(): Opened {
  opened ??= open()
  options = { ...options, identity: opened.file.identity }
  return opened
}

function open(): Opened {
  const file = openFile(options)
  try {
    return {
      file,
      journal: journalIn(file),
      replay: replayTableIn(file),
      outbox: outboxIn(file),
      pushes: pushesIn(file),
    }
  } catch (error) {
    file.close()
    throw error
  }
}

function answer(request: StoreRequest): unknown {
  switch (request.kind) {
    case 'open':
      return store().file.identity
    case 'append':
      return store().journal.append(request.records)
    case 'remember':
      return store().replay.remember(request.calls, request.now)
    case 'rows':
      return store().journal.rows(request.after, request.limit)
    case 'latest':
      return store().journal.latest()
    case 'walk':
      return store().journal.walk(request.from, request.limit)
    case 'change':
      return store().outbox.change(request.changes, request.now)
    case 'claim':
      return store().outbox.claim(request.now, request.limit, request.until)
    case 'list':
      return store().outbox.list(request.page)
    case 'push':
      return store().pushes.append(request.rows, request.now, request.forgetBefore)
    case 'pushes-about':
      return store().pushes.about(request.patients, request.since)
    case 'pushes-touching':
      return store().pushes.touching(request.objects)
    case 'push-repeated':
      return store().pushes.repeated(request.identities)
    case 'push-of':
      return store().pushes.find(request.which)
    case 'pushes':
      return store().pushes.list(request.page)
    case 'close':
      close()
      return undefined
  }
}

function close(): void {
  const closing = opened
  opened = undefined
  closing?.file.close()
}

function failure(call: number, cause: unknown): WorkerReply {
  const { errcode } = cause as { errcode?: unknown }
  if (typeof errcode === 'number') {
    return { call, failure: { reason: reasons[errcode & 0xff] ?? 'database', sqlite: errcode }, cause }
  }
  return { call, failure: { reason: cause instanceof FileError ? cause.message : 'unexpected' }, cause }
}

function reopensAfter(error: unknown): boolean {
  const { errcode } = error as { errcode?: unknown }
  return typeof errcode !== 'number' || !harmless.has(errcode & 0xff)
}

parentPort?.on('message', ({ call, request }: { call: number; request: StoreRequest }) => {
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
