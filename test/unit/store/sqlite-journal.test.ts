import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { genesis } from '../../../src/store/chain.ts'
import { applicationId, migrations } from '../../../src/store/migrations.ts'
import { JournalError, type JournalOptions, openJournal } from '../../../src/store/sqlite-journal.ts'

async function file(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'crocevia-journal-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return join(directory, 'audit.db')
}

function open(path: string, changes: Partial<JournalOptions> = {}) {
  const journal = openJournal({ path, busyTimeoutMs: 1000, ...changes })
  onTestFinished(() => journal.close())
  return journal
}

function sql(path: string, statements: string): void {
  const db = new DatabaseSync(path)
  db.exec(statements)
  db.close()
}

describe('openJournal', () => {
  it('makes the file, marks it as ours and at the newest version', async () => {
    const path = await file()
    open(path)
    const db = new DatabaseSync(path)
    onTestFinished(() => db.close())
    expect(db.prepare('PRAGMA application_id').get()).toEqual({ application_id: applicationId })
    expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: migrations.length })
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
  })

  it('syncs every commit to the disk', async () => {
    const executed = vi.spyOn(DatabaseSync.prototype, 'exec')
    onTestFinished(() => executed.mockRestore())
    open(await file())
    const settings = executed.mock.calls
      .map(([statement]) => statement)
      .filter((text) => /synchronous|fullfsync/.test(text))
    expect(settings.join()).toMatch(/synchronous = FULL/)
    expect(settings.join()).toMatch(/fullfsync = ON/)
  })

  it('refuses a database of something else and leaves it alone', async () => {
    const path = await file()
    sql(path, 'CREATE TABLE audit (a)')
    expect(() => openJournal({ path, busyTimeoutMs: 0 })).toThrow(JournalError)
    const db = new DatabaseSync(path)
    onTestFinished(() => db.close())
    expect(db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()).toEqual({ n: 1 })
  })

  it('refuses a file that was written by a newer version', async () => {
    const path = await file()
    open(path).append(['{}'])
    sql(path, `PRAGMA user_version = ${migrations.length + 1}`)
    expect(() => openJournal({ path, busyTimeoutMs: 0 })).toThrow(/newer-version/)
  })

  it('refuses a file that is no database', async () => {
    const path = await file()
    await writeFile(path, 'x'.repeat(8192))
    expect(() => openJournal({ path, busyTimeoutMs: 0 })).toThrow(/not a database/)
  })

  it('appends nothing to a file that was moved, deleted or replaced', async () => {
    const path = await file()
    const journal = open(path)
    journal.append(['{}'])
    await rename(path, `${path}.old`)
    expect(() => journal.append(['{}'])).toThrow(/file-gone/)
    expect(() => openJournal({ path, busyTimeoutMs: 0, identity: journal.identity })).toThrow(/file-gone/)
    await writeFile(path, '')
    expect(() => journal.append(['{}'])).toThrow(/file-replaced/)
    expect(journal.latest().sequence).toBe(1)
  })
})

describe('Journal', () => {
  it('appends all records of a batch or none', async () => {
    const path = await file()
    const journal = open(path, { maxPages: 12 })
    const large = JSON.stringify('x'.repeat(20_000))
    expect(() => journal.append(['{}', large, large, large])).toThrow(/full/)
    expect(journal.latest()).toEqual(genesis)
    expect(journal.append(['{}', '{}'])).toBe(1)
    expect(journal.append(['{}'])).toBe(3)
  })

  it('chains on from what another connection appended', async () => {
    const path = await file()
    const [one, other] = [open(path), open(path)]
    one.append(['1'])
    other.append(['2'])
    one.append(['3'])
    expect(one.walk(genesis, 10)).toEqual({ head: other.latest(), broken: false, end: true })
  })

  it('walks in pages and says where it stands', async () => {
    const journal = open(await file())
    journal.append(['1', '2', '3'])
    const first = journal.walk(genesis, 2)
    expect(first).toMatchObject({ head: { sequence: 2 }, broken: false, end: false })
    expect(journal.walk(first.head, 2)).toEqual({ head: journal.latest(), broken: false, end: true })
    expect(journal.walk({ ...first.head, hash: genesis.hash }, 2)).toMatchObject({
      broken: true,
      head: { sequence: 2 },
    })
  })
})
