import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { applicationId, migrations } from './migrations.ts'

export interface FileOptions {
  readonly path: string
  /** How long a statement waits for another process's lock. */
  readonly busyTimeoutMs: number
  /** The most pages of 4 KiB the database may grow to. */
  readonly maxPages?: number
  /** The file as it was when the store was opened; then it is not created again, and no other is taken for it. */
  readonly identity?: string
}

/** Refuses a file that must not be written; the message is one word for operators. */
export class FileError extends Error {
  override readonly name = 'FileError'
  constructor(reason: 'foreign-file' | 'newer-version' | 'no-write-ahead-log' | 'file-gone' | 'file-replaced') {
    super(reason)
  }
}

/** The store's SQLite file, at the newest version of its schema. Everything here blocks: it runs in a thread of its own. */
export interface StoreFile {
  readonly db: DatabaseSync
  readonly identity: string
  /**
   * Does the work under the write lock and commits it, all or nothing; on disk when it returns. Throws FileError when the
   * file is no longer at its path, and what the work or node:sqlite throws.
   */
  write<T>(work: () => T): T
  /** Does the work on what was committed when it begins, and nothing later. Throws as `write` does. */
  read<T>(work: () => T): T
  close(): void
}

/** Opens the file, makes it when absent, migrates it. Throws FileError, or what node:sqlite throws. */
export function openFile(options: FileOptions): StoreFile {
  const { path, identity: expected } = options
  if (expected !== undefined) insistOn(path, expected)
  const db = new DatabaseSync(path, { timeout: options.busyTimeoutMs })
  try {
    prepareFile(db, options)
    const identity = expected ?? identityOf(path)
    return {
      db,
      identity,
      write(work) {
        // A file that was moved or deleted still takes writes, and loses them.
        insistOn(path, identity)
        return inTransaction(db, 'IMMEDIATE', work)
      },
      read(work) {
        insistOn(path, identity)
        return inTransaction(db, 'DEFERRED', work)
      },
      close: () => db.close(),
    }
  } catch (error) {
    db.close()
    throw error
  }
}

function prepareFile(db: DatabaseSync, options: FileOptions): void {
  if (options.maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${Math.trunc(options.maxPages)}`)
  if (isForeign(db)) throw new FileError('foreign-file')
  inTransaction(db, 'IMMEDIATE', () => migrate(db))
  // WAL lets readers look while records are written; FULL syncs the log at every commit.
  const { journal_mode: mode } = db.prepare('PRAGMA journal_mode = WAL').get() as { journal_mode: string }
  if (mode !== 'wal') throw new FileError('no-write-ahead-log')
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
  if (version > migrations.length) throw new FileError('newer-version')
  if (version === migrations.length) return
  for (const migration of migrations.slice(version)) db.exec(migration)
  db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`)
}

function inTransaction<T>(db: DatabaseSync, kind: 'IMMEDIATE' | 'DEFERRED', work: () => T): T {
  db.exec(`BEGIN ${kind}`)
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

function identityOf(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true })
  return `${dev}:${ino}`
}

function insistOn(path: string, identity: string): void {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (found === undefined) throw new FileError('file-gone')
  if (`${found.dev}:${found.ino}` !== identity) throw new FileError('file-replaced')
}
