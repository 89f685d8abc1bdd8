import { mkdtemp, rename, rm, stat, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type SqliteStoreOptions, sqliteStore } from '../../src/store/sqlite.ts'
import { auditRecord } from '../unit/store/child/records.ts'
import { use } from '../unit/store/child/uses.ts'

async function open(options: Partial<SqliteStoreOptions> = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'crocevia-replay-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const path = join(directory, 'store.db')
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

describe('the replay memory', () => {
  it('rejects while somebody else holds the file locked, and has nothing of it afterwards', async () => {
    const { store, path } = await open({ busyTimeoutMs: 20 })
    await store.remember([use('before')])
    const release = writeLock(path)
    for (const outcome of await Promise.allSettled(['before', 'a'].map((name) => store.remember([use(name)])))) {
      expect(outcome).toMatchObject({ reason: { code: 'internal', details: { reason: 'locked' } } })
    }
    release()
    expect(await store.remember([use('a')])).toBeUndefined()
    expect(await store.remember([use('before')])).toEqual(use('before'))
  })

  it('lets no caller wait past the deadline, and grants nothing twice that was late', async () => {
    const { store, path } = await open({ busyTimeoutMs: 60_000, deadlineMs: 100 })
    const release = writeLock(path)
    const stuck = store.remember([use('stuck')])
    await expect(stuck).rejects.toMatchObject({ code: 'internal', details: { deadlineMs: 100, started: true } })
    await expect(store.remember([use('behind it')])).rejects.toMatchObject({ details: { started: false } })
    release()
    // The commit that nobody waits for any more goes through; a call that had not been started does not.
    await retried(() => store.remember([use('probe')]))
    expect(await store.remember([use('stuck')])).toEqual(use('stuck'))
    expect(await store.remember([use('behind it')])).toBeUndefined()
  })

  it('rejects when the file was moved away, and remembers as before when it is back', async () => {
    const { store, path } = await open()
    await store.remember([use('before')])
    await rename(path, `${path}.moved`)
    for (const name of ['before', 'a']) {
      await expect(store.remember([use(name)])).rejects.toMatchObject({ details: { reason: 'file-gone' } })
    }
    await expect(stat(path)).rejects.toThrow(/ENOENT/)
    await rename(`${path}.moved`, path)
    expect(await store.remember([use('before')])).toEqual(use('before'))
    expect(await store.remember([use('a')])).toBeUndefined()
  })

  it('rejects for good when the file was deleted: it begins no memory anew', async () => {
    const { store, path } = await open()
    await store.remember([use('before')])
    await unlink(path)
    for (const name of ['before', 'a', 'before']) {
      await expect(store.remember([use(name)])).rejects.toMatchObject({ details: { reason: 'file-gone' } })
    }
    await expect(stat(path)).rejects.toThrow(/ENOENT/)
  })

  it('rejects when its table is gone', async () => {
    const { store, path } = await open()
    await store.remember([use('a')])
    const db = new DatabaseSync(path, { timeout: 5000 })
    onTestFinished(() => db.close())
    db.exec('DROP TABLE replay')
    for (const _ of [1, 2]) await expect(store.remember([use('b')])).rejects.toMatchObject({ code: 'internal' })
  })

  it('rejects when it has no clock to judge by', async () => {
    const clock = {
      now() {
        throw new Error('no time')
      },
    }
    const { store } = await open({ clock })
    await expect(store.remember([use('a')])).rejects.toMatchObject({ code: 'internal' })
  })

  it('rejects when its thread ends under way, and remembers as before in the next', async () => {
    const { store } = await open()
    await store.remember([use('before')])
    const posted = vi.spyOn(Worker.prototype, 'postMessage').mockImplementationOnce(function (this: Worker) {
      void this.terminate()
    })
    onTestFinished(() => posted.mockRestore())
    for (const outcome of await Promise.allSettled(['a', 'before'].map((name) => store.remember([use(name)])))) {
      expect(outcome).toMatchObject({ reason: { code: 'internal', details: { reason: 'thread-ended' } } })
    }
    expect(await store.remember([use('before')])).toEqual(use('before'))
    expect(await store.remember([use('a')])).toBeUndefined()
  })

  it('leaves the journal its chain, whatever comes between', async () => {
    const { store } = await open()
    const names = Array.from({ length: 40 }, (_, index) => `${index}`)
    await Promise.all(names.flatMap((name) => [store.append(auditRecord(name)), store.remember([use(name)])]))
    expect(await store.verify()).toEqual({ ok: true, records: 40 })
    const again = await Promise.all(names.map((name) => store.remember([use(name)])))
    expect(again.every((taken) => taken !== undefined)).toBe(true)
  })

  it('closes within its deadline when a commit hangs', async () => {
    const { store, path } = await open({ busyTimeoutMs: 60_000, deadlineMs: 50 })
    const release = writeLock(path)
    onTestFinished(release)
    const stuck = store.remember([use('stuck')]).catch((error: unknown) => error)
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
