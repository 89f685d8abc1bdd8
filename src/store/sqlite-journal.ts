import { statSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { chained, genesis } from './chain.ts'
import { applicationId, migrations } from './migrations.ts'
import type { ChainHead } from './store.ts'

export interface JournalOptions {
  readonly path: string
  /** How long a statement waits for another process's lock. */
  readonly busyTimeoutMs: number
  /** The most pages of 4 KiB the database may grow to. */
  readonly maxPages?: number
  /** The file as it was when the store was opened; then it is not created again, and no other is taken for it. */
  readonly identity?: string
}

export interface JournalRow extends ChainHead {
  readonly record: string
}

/** One page of a chain walk: how far it was intact, and whether it broke behind that. */
export interface WalkedPage {
  readonly head: ChainHead
  readonly broken: boolean
  readonly end: boolean
}

/** Refuses a file that must not be written; the message is one word for operators. */
export class JournalError extends Error {
  override readonly name = 'JournalError'
  constructor(reason: 'foreign-file' | 'newer-version' | 'no-write-ahead-log' | 'file-gone' | 'file-replaced') {
    super(reason)
  }
}

/** The audit journal in one SQLite file. Everything here blocks: it runs in a thread of its own. */
export interface Journal {
  readonly identity: string
  /** Chains and commits the records, all or none; on disk when it returns. Returns the first one's sequence. */
  append(records: readonly string[]): number
  rows(after: number, limit: number): readonly JournalRow[]
  latest(): ChainHead
  walk(from: ChainHead, limit: number): WalkedPage
  close(): void
}

/** Throws JournalError, or what node:sqlite throws. */
export function openJournal(options: JournalOptions): Journal {
  const { path, identity: expected } = options
  if (expected !== undefined) insistOn(path, expected)
  const db = new DatabaseSync(path, { timeout: options.busyTimeoutMs })
  try {
    prepareFile(db, options)
    return journal(db, path, expected ?? identityOf(path))
  } catch (error) {
    db.close()
    throw error
  }
}

function journal(db: DatabaseSync, path: string, identity: string): Journal {
  const insert = db.prepare('INSERT INTO audit (sequence, record, hash) VALUES (?, ?, ?)')
  const last = db.prepare('SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1')
  const page = db.prepare('SELECT sequence, record, hash FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?')

  return {
    identity,
    append(records) {
      // A file that was moved or deleted still takes writes, and loses them.
      insistOn(path, identity)
      return inTransaction(db, () => {
        // Read under the write lock: another process may have appended since.
        let head = headOf(last)
        const first = head.sequence + 1
        for (const record of records) {
          head = { sequence: head.sequence + 1, hash: chained(head.hash, record) }
          insert.run(head.sequence, record, head.hash)
        }
        return first
      })
    },
    rows: (after, limit) => rowsOf(page, after, limit),
    latest: () => headOf(last),
    walk(from, limit) {
      const rows = rowsOf(page, from.sequence, limit)
      let head = from
      for (const row of rows) {
        const hash = chained(head.hash, row.record)
        if (row.sequence !== head.sequence + 1 || row.hash !== hash) return { head, broken: true, end: true }
        head = { sequence: row.sequence, hash }
      }
      return { head, broken: false, end: rows.length < limit }
    },
    close: () => db.close(),
  }
}

function prepareFile(db: DatabaseSync, options: JournalOptions): void {
  if (options.maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${Math.trunc(options.maxPages)}`)
  if (isForeign(db)) throw new JournalError('foreign-file')
  inTransaction(db, () => migrate(db))
  // WAL lets readers look while records are written; FULL syncs the log at every commit.
  const { journal_mode: mode } = db.prepare('PRAGMA journal_mode = WAL').get() as { journal_mode: string }
  if (mode !== 'wal') throw new JournalError('no-write-ahead-log')
  db.exec('PRAGMA synchronous = FULL')
  // Apple's fsync leaves the data in the drive's cache; elsewhere this does nothing.
  db.exec('PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON')
  db.exec('PRAGMA journal_size_limit = 67108864; PRAGMA trusted_schema = OFF')
}

function isForeign(db: DatabaseSync): boolean {
  const { application_id: id } = db.prepare('PRAGMA application_id').get() as { application_id: number }
  const { tables } = db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as { tables: number }
  return id !== applicationId && (id !== 0 || tables > 0)
}

function migrate(db: DatabaseSync): void {
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version > migrations.length) throw new JournalError('newer-version')
  if (version === migrations.length) return
  for (const migration of migrations.slice(version)) db.exec(migration)
  db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`)
}

function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    db.exec('COMMIT')
    return result
  } catch (error) {
    // A full disk has already rolled back.
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

function headOf(last: StatementSync): ChainHead {
  const row = last.get() as unknown as ChainHead | undefined
  return row === undefined ? genesis : { sequence: row.sequence, hash: row.hash }
}

function rowsOf(page: StatementSync, after: number, limit: number): JournalRow[] {
  return page.all(after, limit) as unknown as JournalRow[]
}

function identityOf(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true })
  return `${dev}:${ino}`
}

function insistOn(path: string, identity: string): void {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (found === undefined) throw new JournalError('file-gone')
  if (`${found.dev}:${found.ino}` !== identity) throw new JournalError('file-replaced')
}
