import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { onTestFinished } from 'vitest'
import { type SqliteStoreOptions, sqliteStore } from '../../src/store/sqlite.ts'
import { fileIn } from '../unit/store/child/sqlite-engine.ts'
import { auditStoreBehaves } from './store.suite.ts'

auditStoreBehaves('sqlite', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'crocevia-store-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const path = fileIn(directory)

  async function open(options: SqliteStoreOptions) {
    const store = await sqliteStore(options)
    onTestFinished(() => store[Symbol.asyncDispose]())
    return store
  }

  return {
    store: await open({ path }),
    reopen: () => open({ path }),
    directory,
    engine: new URL('../unit/store/child/sqlite-engine.ts', import.meta.url),
    async sql(statements) {
      const db = new DatabaseSync(path, { timeout: 5000 })
      try {
        db.exec(statements)
      } finally {
        db.close()
      }
    },
    unprotect: `DROP TRIGGER IF EXISTS audit_is_never_changed; DROP TRIGGER IF EXISTS audit_is_never_deleted;
                DROP TRIGGER IF EXISTS audit_only_grows`,
    narrow: (capacity) => open({ path: join(directory, 'narrow.db'), capacity }),
    full: () => open({ path: join(directory, 'full.db'), maxPages: 26 }),
  }
})
