import { rename, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { genesis } from '../../../src/store/chain.ts'
import { applicationId, migrations } from '../../../src/store/migrations.ts'
import { FileError, openFile } from '../../../src/store/sqlite-file.ts'
import { journalIn } from '../../../src/store/sqlite-journal.ts'
import { replayTableIn } from '../../../src/store/sqlite-replay.ts'
import { use } from './child/uses.ts'
import { newPath, opened } from './files.ts'

function sql(path: string, statements: string): void {
  const db = new DatabaseSync(path)
  db.exec(statements)
  db.close()
}

/** A file as the version that knew only the first so many migrations left it, one record in its journal. */
async function fileOfVersion(version: number): Promise<string> {
  const path = await newPath()
  sql(
    path,
    `${migrations.slice(0, version).join(';')};
     PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}; PRAGMA journal_mode = WAL;
     INSERT INTO audit VALUES (1, '{}', '${'ab'.repeat(32)}')`,
  )
  return path
}

function schemaOf(path: string): unknown {
  const db = new DatabaseSync(path, { readOnly: true })
  const schema = db.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY name').all()
  db.close()
  return schema
}

describe('openFile', () => {
  it('makes the file, marks it as ours and at the newest version', async () => {
    const path = await newPath()
    opened(path)
    const db = new DatabaseSync(path)
    onTestFinished(() => db.close())
    expect(db.prepare('PRAGMA application_id').get()).toEqual({ application_id: applicationId })
    expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: migrations.length })
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
  })

  it('syncs every commit to the disk', async () => {
    const executed = vi.spyOn(DatabaseSync.prototype, 'exec')
    onTestFinished(() => executed.mockRestore())
    opened(await newPath())
    const settings = executed.mock.calls
      .map(([statement]) => statement)
      .filter((text) => /synchronous|fullfsync/.test(text))
    expect(settings.join()).toMatch(/synchronous = FULL/)
    expect(settings.join()).toMatch(/fullfsync = ON/)
  })

  it('refuses a database of something else and leaves it alone', async () => {
    const path = await newPath()
    sql(path, 'CREATE TABLE audit (a)')
    expect(() => openFile({ path, busyTimeoutMs: 0 })).toThrow(FileError)
    const db = new DatabaseSync(path)
    onTestFinished(() => db.close())
    expect(db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()).toEqual({ n: 1 })
  })

  it('refuses a file that was written by a newer version', async () => {
    const path = await newPath()
    journalIn(opened(path)).append(['{}'])
    sql(path, `PRAGMA user_version = ${migrations.length + 1}`)
    expect(() => openFile({ path, busyTimeoutMs: 0 })).toThrow(/newer-version/)
  })

  it('refuses a file that is no database', async () => {
    const path = await newPath()
    await writeFile(path, 'x'.repeat(8192))
    expect(() => openFile({ path, busyTimeoutMs: 0 })).toThrow(/not a database/)
  })

  it.each(migrations.map((_, index) => index + 1))(
    'brings a file of version %i up to the newest, and keeps its journal',
    async (version) => {
      const path = await fileOfVersion(version)
      const file = opened(path)
      const head = { sequence: 1, hash: 'ab'.repeat(32) }
      expect(journalIn(file).latest()).toEqual(head)
      expect(journalIn(file).append(['{}'])).toBe(2)
      expect(journalIn(file).walk(head, 10)).toMatchObject({ head: { sequence: 2 }, broken: false })
      expect(replayTableIn(file).remember([[use('a')], [use('a')]], 0)).toEqual([-1, 0])
      expect(file.db.prepare('PRAGMA user_version').get()).toEqual({ user_version: migrations.length })
      const fresh = await newPath()
      opened(fresh)
      expect(schemaOf(path)).toEqual(schemaOf(fresh))
    },
  )

  it('lets a process of the version before go on with its journal after the file was migrated', async () => {
    const path = await fileOfVersion(1)
    const old = new DatabaseSync(path)
    onTestFinished(() => old.close())
    const insert = old.prepare('INSERT INTO audit VALUES (?, ?, ?)')
    const journal = journalIn(opened(path))
    insert.run(2, '{}', genesis.hash)
    expect(journal.append(['{}'])).toBe(3)
  })

  it('writes nothing to a file that was moved, deleted or replaced', async () => {
    const path = await newPath()
    const file = opened(path)
    const [journal, replay] = [journalIn(file), replayTableIn(file)]
    journal.append(['{}'])
    await rename(path, `${path}.old`)
    expect(() => journal.append(['{}'])).toThrow(/file-gone/)
    expect(() => replay.remember([[use('a')]], 0)).toThrow(/file-gone/)
    expect(() => openFile({ path, busyTimeoutMs: 0, identity: file.identity })).toThrow(/file-gone/)
    await writeFile(path, '')
    expect(() => journal.append(['{}'])).toThrow(/file-replaced/)
    expect(() => replay.remember([[use('a')]], 0)).toThrow(/file-replaced/)
    expect(journal.latest().sequence).toBe(1)
  })
})
