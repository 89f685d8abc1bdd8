import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { doneKeptMs, type OutboxChange } from '../../../src/store/outbox.ts'
import type { StoreFile } from '../../../src/store/sqlite-file.ts'
import { outboxIn } from '../../../src/store/sqlite-outbox.ts'
import { delivery } from './child/deliveries.ts'
import { newPath, opened } from './files.ts'

function puts(count: number, name: string, key?: string): OutboxChange[] {
  return Array.from({ length: count }, (_, index) => ({
    verb: 'put' as const,
    ...delivery(`${name}-${index}`, key === undefined ? {} : { key }),
  }))
}

function deliveries(count: number, name: string): OutboxChange[] {
  return Array.from({ length: count }, (_, index) => ({ verb: 'delivered' as const, id: `${name}-${index}` }))
}

function numberOf(file: StoreFile, text: string): number {
  const { number } = file.db.prepare(`SELECT ${text} AS number`).get() as { number: number }
  return number
}

describe('outboxIn', () => {
  it('reads no table through, whatever is asked', async () => {
    const prepared = vi.spyOn(DatabaseSync.prototype, 'prepare')
    onTestFinished(() => prepared.mockRestore())
    const file = opened(await newPath())
    prepared.mockClear()
    outboxIn(file)
    const texts = prepared.mock.calls.map(([text]) => text)
    expect(texts.length).toBeGreaterThan(10)
    for (const text of texts) {
      const steps = file.db.prepare(`EXPLAIN QUERY PLAN ${text}`).all() as { detail: string }[]
      for (const { detail } of steps) expect(`${detail} in ${text}`).not.toMatch(/^SCAN (?!CONSTANT)|TEMP B-TREE/)
    }
  })

  it('claims as fast however many wait behind one that does not move', async () => {
    const file = opened(await newPath())
    const outbox = outboxIn(file)
    outbox.change([...puts(500, 'behind', 'k'), ...puts(1, 'other')], 0)
    outbox.claim(0, 1, 10)
    expect(outbox.claim(5, 100, 10).map(({ id }) => id)).toEqual(['other-0'])
    expect(numberOf(file, '(SELECT count(*) FROM outbox WHERE first = 1)')).toBe(2)
  })

  it('writes nothing when there is nothing to claim', async () => {
    const file = opened(await newPath())
    const outbox = outboxIn(file)
    outbox.change(puts(3, 'a', 'k'), 0)
    outbox.claim(0, 10, 1000)
    const before = numberOf(file, 'total_changes()')
    expect(outbox.claim(999, 10, 2000)).toEqual([])
    expect(numberOf(file, 'total_changes()')).toBe(before)
  })

  it('forgets old ids in bounded batches, and more than come', async () => {
    const file = opened(await newPath())
    const outbox = outboxIn(file)
    outbox.change([...puts(1000, 'old'), ...deliveries(1000, 'old')], 0)
    const kept = () => numberOf(file, '(SELECT count(*) FROM outbox_done)')
    outbox.change(puts(1, 'early'), doneKeptMs)
    expect(kept()).toBe(1000)
    outbox.change(puts(1, 'one'), doneKeptMs + 1)
    expect(kept()).toBe(1000 - 128)
    outbox.change(puts(200, 'more'), doneKeptMs + 1)
    expect(kept()).toBe(1000 - 128 - 400)
  })

  it('does all changes of a batch or none', async () => {
    const file = opened(await newPath(), { maxPages: 54 })
    const outbox = outboxIn(file)
    outbox.change(puts(1, 'a', 'k'), 0)
    expect(() => outbox.change([...deliveries(1, 'a'), ...puts(5000, 'many')], 0)).toThrow(/full/)
    expect(outbox.list({ state: undefined, after: undefined, limit: 100 })).toMatchObject([{ id: 'a-0' }])
  })

  it('gives no place twice, so that a page goes on where it ended', async () => {
    const file = opened(await newPath())
    const outbox = outboxIn(file)
    outbox.change([...puts(2, 'a'), ...deliveries(2, 'a')], 0)
    outbox.change(puts(1, 'b'), 0)
    expect(outbox.list({ state: undefined, after: 'a-1', limit: 100 })).toMatchObject([{ id: 'b-0' }])
  })
})
