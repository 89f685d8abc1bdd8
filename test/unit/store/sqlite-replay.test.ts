import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Use } from '../../../src/core/ports.ts'
import type { StoreFile } from '../../../src/store/sqlite-file.ts'
import { graceMs, replayTableIn } from '../../../src/store/sqlite-replay.ts'
import { use } from './child/uses.ts'
import { newPath, opened } from './files.ts'

function kept(file: StoreFile): number {
  const { kept } = file.db.prepare('SELECT count(*) AS kept FROM replay').get() as { kept: number }
  return kept
}

/** That many calls of one use each, all different. */
function calls(count: number, name: string, until: number): Use[][] {
  return Array.from({ length: count }, (_, index) => [use(`${name}-${index}`, { until })])
}

/** What the port promises, in the plainest words: nothing is ever forgotten, one call after the other. */
function model() {
  const known = new Map<string, Use>()
  function isTaken({ key, presenter, until }: Use, now: number): boolean {
    const found = known.get(key)
    if (until < now) return true
    if (found === undefined || found.until < now) return false
    return presenter === undefined || found.presenter !== presenter
  }
  return (uses: readonly Use[], now: number): number => {
    const before = [...known]
    for (const [index, use] of uses.entries()) {
      if (isTaken(use, now)) {
        known.clear()
        for (const [key, value] of before) known.set(key, value)
        return index
      }
      const found = known.get(use.key)
      const until = found?.presenter === use.presenter ? Math.max(found?.until ?? 0, use.until) : use.until
      known.set(use.key, { ...use, until })
    }
    return -1
  }
}

const anyUse = fc
  .record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    presenter: fc.constantFrom(undefined, undefined, 'INI', 'other'),
    validMs: fc.constantFrom(-1, 0, 1, 40_000, 90_000, 400_000),
  })
  .map(({ name, presenter, validMs }) => ({
    validMs,
    made: (now: number) => use(name, { until: now + validMs, ...(presenter === undefined ? {} : { presenter }) }),
  }))
const anyBatch = fc.record({
  passesMs: fc.constantFrom(0, 0, 1, 40_000, 100_000),
  calls: fc.array(fc.array(anyUse, { maxLength: 3 }), { maxLength: 5 }),
})

describe('ReplayTable', () => {
  it('answers as if it forgot nothing, however calls fall into batches', async () => {
    const file = opened(await newPath())
    // Not to wait for the disk; what is judged stays the same.
    file.db.exec('PRAGMA synchronous = OFF')
    const replay = replayTableIn(file)
    fc.assert(
      fc.property(fc.array(anyBatch, { maxLength: 12 }), (batches) => {
        file.db.exec('DELETE FROM replay')
        const expected = model()
        let now = 1_000_000
        for (const { passesMs, calls } of batches) {
          now += passesMs
          const asked = calls.map((uses) => uses.map(({ made }) => made(now)))
          expect(replay.remember(asked, now)).toEqual(asked.map((uses) => expected(uses, now)))
        }
      }),
      { numRuns: 300 },
    )
  })

  it('keeps a use a while beyond its time, for calls that were judged by the clock before', async () => {
    const file = opened(await newPath())
    const replay = replayTableIn(file)
    replay.remember([[use('a', { until: 1000 })]], 1000)
    replay.remember([[use('b')]], 1000 + graceMs)
    expect(replay.remember([[use('a', { until: 1000 })]], 1000)).toEqual([0])
    replay.remember([[use('c')]], 1001 + graceMs)
    expect(kept(file)).toBe(2)
  })

  it('forgets in bounded batches, and more than it remembers', async () => {
    const file = opened(await newPath())
    const replay = replayTableIn(file)
    replay.remember(calls(1000, 'old', 1000), 1000)
    const later = 1001 + graceMs
    replay.remember([[use('one')]], later)
    expect(kept(file)).toBe(1000 - 128 + 1)
    replay.remember(calls(200, 'new', later), later)
    expect(kept(file)).toBe(1000 - 128 + 1 - 400 + 200)
  })

  it('writes nothing when nothing is new', async () => {
    const path = await newPath()
    const file = opened(path)
    const replay = replayTableIn(file)
    const bound = use('a', { presenter: 'INI' })
    replay.remember([[bound]], 0)
    const changes = () => file.db.prepare('SELECT total_changes() AS changes').get()
    const before = changes()
    expect(replay.remember([[bound], [use('a')]], 0)).toEqual([-1, 0])
    expect(changes()).toEqual(before)
  })

  it('remembers all calls of a batch or none', async () => {
    const file = opened(await newPath(), { maxPages: 26 })
    const replay = replayTableIn(file)
    expect(() => replay.remember(calls(1000, 'many', 1000), 0)).toThrow(/full/)
    expect(kept(file)).toBe(0)
    expect(replay.remember([[use('many-0')]], 0)).toEqual([-1])
  })

  it('sees what another connection remembered', async () => {
    const path = await newPath()
    const [one, other] = [replayTableIn(opened(path)), replayTableIn(opened(path))]
    expect(one.remember([[use('a')]], 0)).toEqual([-1])
    expect(other.remember([[use('b'), use('a')]], 0)).toEqual([1])
    expect(one.remember([[use('b')]], 0)).toEqual([-1])
  })

  it('keeps of who and what only digests', async () => {
    const file = opened(await newPath())
    replayTableIn(file).remember([[use('a', { presenter: 'Rossi' })]], 0)
    expect(
      file.db.prepare('SELECT length(key) AS k, length(presenter) AS p, typeof(presenter) AS t FROM replay').get(),
    ).toEqual({ k: 32, p: 32, t: 'blob' })
  })
})
