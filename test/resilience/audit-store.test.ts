import { mkdtemp, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type SqliteStoreOptions, sqliteStore } from '../../src/store/sqlite.ts'
import { auditRecord } from '../unit/store/child/records.ts'

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'crocevia-audit-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

async function open(options: Partial<SqliteStoreOptions> = {}) {
  const path = join(await directory(), 'audit.db')
  const store = await sqliteStore({ path, ...options })
  onTestFinished(() => store[Symbol.asyncDispose]())
  return { store, path }
}

/** Another program that holds the write lock until it is told to let go. */
function writeLock(path: string): () => void {
  const db = new DatabaseSync(path)
  db.exec('BEGIN IMMEDIATE')
  return () => db.close()
}

describe('the audit store', () => {
  it('rejects while somebody else holds the file locked, loses nothing silently, and works again after', async () => {
    const { store, path } = await open({ busyTimeoutMs: 20 })
    await store.append(auditRecord('before'))
    const release = writeLock(path)
    for (const outcome of await Promise.allSettled([store.append(auditRecord('a')), store.append(auditRecord('b'))])) {
      expect(outcome).toMatchObject({ reason: { code: 'internal', details: { reason: 'locked' } } })
    }
    release()
    expect(await store.append(auditRecord('after'))).toEqual({ sequence: 2 })
    const kept = await store.read({ limit: 10 })
    expect(kept.map(({ record }) => record.correlationId)).toEqual(['before', 'after'])
  })

  it('lets no caller wait past the deadline, however long the file stays locked', async () => {
    const { store, path } = await open({ busyTimeoutMs: 60_000, deadlineMs: 100 })
    const release = writeLock(path)
    const stuck = store.append(auditRecord('stuck'))
    await expect(stuck).rejects.toMatchObject({ code: 'internal', details: { deadlineMs: 100 } })
    await expect(store.append(auditRecord('behind it'))).rejects.toMatchObject({ details: { started: false } })
    release()
    // The commit that nobody waits for any more goes through; a record that had not been started does not.
    const { sequence } = await retried(() => store.append(auditRecord('after')))
    const kept = await store.read({ limit: 10 })
    expect(kept.map(({ record }) => record.correlationId)).toEqual(['stuck', 'after'])
    expect(await store.verify()).toEqual({ ok: true, records: sequence })
  })

  it('lets others read the journal while it is written', async () => {
    const { store, path } = await open()
    const reader = new DatabaseSync(path, { readOnly: true })
    onTestFinished(() => reader.close())
    await store.append(auditRecord('seen'))
    expect(reader.prepare('SELECT count(*) AS records FROM audit').get()).toEqual({ records: 1 })
  })

  it('refuses to write when the file was moved away, and writes when it is back', async () => {
    const { store, path } = await open()
    await store.append(auditRecord('before'))
    await rename(path, `${path}.moved`)
    for (const id of ['a', 'b']) {
      await expect(store.append(auditRecord(id))).rejects.toMatchObject({ details: { reason: 'file-gone' } })
    }
    await expect(stat(path)).rejects.toThrow(/ENOENT/)
    await rename(`${path}.moved`, path)
    expect(await store.append(auditRecord('after'))).toEqual({ sequence: 2 })
    expect(await store.verify()).toEqual({ ok: true, records: 2 })
  })

  it('does not open where there is no folder, and says so', async () => {
    const path = join(await directory(), 'absent', 'audit.db')
    await expect(sqliteStore({ path })).rejects.toMatchObject({
      code: 'internal',
      details: { reason: 'cannot-open' },
    })
  })

  it('closes within its deadline when a commit hangs', async () => {
    const { store, path } = await open({ busyTimeoutMs: 60_000, deadlineMs: 50 })
    const release = writeLock(path)
    onTestFinished(release)
    const stuck = store.append(auditRecord('stuck')).catch((error: unknown) => error)
    await store[Symbol.asyncDispose]()
    expect(await stuck).toMatchObject({ code: 'internal' })
  })
})

async function retried<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = 50; ; left--) {
    try {
      return await attempt()
    } catch (error) {
      if (left === 0) throw error
    }
  }
}
