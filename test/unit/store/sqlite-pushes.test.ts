import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { PushRow } from '../../../src/store/push-journal.ts'
import type { StoreFile } from '../../../src/store/sqlite-file.ts'
import { outboxIn } from '../../../src/store/sqlite-outbox.ts'
import { pushesIn } from '../../../src/store/sqlite-pushes.ts'
import { newPath, opened } from './files.ts'

function row(id: string, changes: Partial<PushRow> = {}): PushRow {
  return { id, kind: 'k', content: '{}', identities: [id], frees: [], patients: ['p'], objects: ['o'], ...changes }
}

function rows(count: number, name: string, changes: Partial<PushRow> = {}): PushRow[] {
  return Array.from({ length: count }, (_, index) => row(`${name}-${index}`, changes))
}

function numberOf(file: StoreFile, text: string): number {
  const { number } = file.db.prepare(`SELECT ${text} AS number`).get() as { number: number }
  return number
}

describe('pushesIn', () => {
  it('reads no table through, whatever is asked', async () => {
    const prepared = vi.spyOn(DatabaseSync.prototype, 'prepare')
    onTestFinished(() => prepared.mockRestore())
    const file = opened(await newPath())
    prepared.mockClear()
    pushesIn(file)
    const texts = prepared.mock.calls.map(([text]) => text)
    expect(texts.length).toBeGreaterThan(15)
    for (const text of texts) {
      const steps = file.db.prepare(`EXPLAIN QUERY PLAN ${text}`).all() as { detail: string }[]
      // The table of steps has one row.
      for (const { detail } of steps)
        expect(`${detail} in ${text}`).not.toMatch(/^SCAN (?!CONSTANT|push_step)|TEMP B-TREE/)
    }
  })

  it('writes nothing when a push is repeated, and does all of a batch or none', async () => {
    const file = opened(await newPath(), { maxPages: 54 })
    const pushes = pushesIn(file)
    pushes.append([row('a')], 0, 0)
    const before = numberOf(file, 'total_changes()')
    expect(pushes.append([row('b', { identities: ['a'], frees: ['a'] })], 0, 0)).toEqual([
      { outcome: 'repeats', sequence: 1 },
    ])
    expect(numberOf(file, 'total_changes()')).toBe(before)
    expect(() => pushes.append(rows(5000, 'many'), 0, 0)).toThrow(/full/)
    expect(numberOf(file, '(SELECT count(*) FROM push) + (SELECT count(*) FROM outbox)')).toBe(2)
  })

  it('is as soon done with one of very many objects as it was taken, though the next touches them all', async () => {
    const file = opened(await newPath())
    const [pushes, outbox] = [pushesIn(file), outboxIn(file)]
    const objects = Array.from({ length: 4096 }, (_, index) => `${index}`)
    pushes.append([row('a', { objects }), row('b', { objects })], 0, 0)
    // With all of the one held against all of the other this would take minutes.
    outbox.change([{ verb: 'delivered', id: 'a' }], 0)
    expect(outbox.claim(0, 10, 1)).toMatchObject([{ id: 'b' }])
  })

  it('forgets old pushes in bounded batches, and more than come', async () => {
    const file = opened(await newPath())
    const pushes = pushesIn(file)
    const { kind: _, ...kept } = row('kept')
    pushes.append(
      Array.from({ length: 100 }, (_, index) => ({ ...kept, id: `${index}`, identities: [] })),
      5,
      0,
    )
    const held = () => numberOf(file, '(SELECT count(*) FROM push)')
    pushes.append(rows(1, 'early'), 5, 5)
    expect(held()).toBe(101)
    pushes.append(rows(1, 'late'), 6, 6)
    expect(held()).toBe(102 - 16)
    pushes.append(rows(20, 'many'), 6, 6)
    expect(held()).toBe(106 - 40)
  })

  it('keeps of identities, patients and objects only digests', async () => {
    const file = opened(await newPath())
    pushesIn(file).append([row('a', { identities: ['PROVAX'], patients: ['PROVAX'], objects: ['PROVAX'] })], 0, 0)
    const tables = ['push_identity', 'push_patient', 'push_object'].map((table) =>
      file.db.prepare(`SELECT * FROM ${table}`).all(),
    )
    expect(tables.flat()).toHaveLength(3)
    const digests = tables.flat().flatMap((one) => Object.values(one).filter((value) => value instanceof Uint8Array))
    expect(digests.map(({ byteLength }) => byteLength)).toEqual([32, 32, 32])
  })
})
