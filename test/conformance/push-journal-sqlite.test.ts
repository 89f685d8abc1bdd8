import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { onTestFinished } from 'vitest'
import { type SqliteStoreOptions, sqliteStore } from '../../src/store/sqlite.ts'
import { fileIn } from '../unit/store/child/sqlite-engine.ts'
import { pushJournalBehaves } from './push-journal.suite.ts'

pushJournalBehaves('sqlite', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'crocevia-pushes-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const path = fileIn(directory)
  const clock = { time: Date.UTC(2026, 2, 2), now: () => clock.time }

  async function open(options: SqliteStoreOptions) {
    const store = await sqliteStore({ deadlineMs: 20_000, busyTimeoutMs: 10_000, ...options, clock })
    onTestFinished(() => store[Symbol.asyncDispose]())
    return store
  }

  return {
    store: await open({ path }),
    clock,
    reopen: () => open({ path }),
    directory,
    engine: new URL('../unit/store/child/sqlite-engine.ts', import.meta.url),
    async rows() {
      const db = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
      try {
        const tables = ['push', 'push_identity', 'push_patient', 'push_object']
        const counts = tables.map(
          (table) => db.prepare(`SELECT count(*) AS rows FROM ${table}`).get() as { rows: number },
        )
        return counts.reduce((sum, { rows }) => sum + rows, 0)
      } finally {
        db.close()
      }
    },
    narrow: (capacity) => open({ path: join(directory, 'narrow.db'), capacity }),
    full: () => open({ path: join(directory, 'full.db'), maxPages: 64 }),
  }
})
