import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { GatewayError } from '../../../src/core/errors.ts'
import type { Use } from '../../../src/core/ports.ts'
import { sqliteStore } from '../../../src/store/sqlite.ts'
import { writableStore } from '../../../src/store/writable.ts'
import { delivery } from './child/deliveries.ts'

function probed(outcomes: readonly (GatewayError | undefined)[]) {
  const uses: Use[] = []
  const clock = { time: 1_000_000, now: () => clock.time }
  const store = {
    async remember([use]: readonly Use[]) {
      const outcome = outcomes[uses.length]
      if (use !== undefined) uses.push(use)
      if (outcome !== undefined) throw outcome
      return undefined
    },
  }
  return { clock, uses, isWritable: writableStore(store, clock) }
}

it('writes what names nothing, and at most every ten seconds', async () => {
  const { clock, uses, isWritable } = probed([])
  expect(await Promise.all([isWritable(), isWritable()])).toEqual([true, true])
  clock.time += 9_999
  await isWritable()
  expect(uses).toHaveLength(1)
  clock.time += 1
  await isWritable()
  expect(uses).toHaveLength(2)
  expect(new Set(uses.map(({ key }) => key)).size).toBe(2)
  for (const use of uses) expect(Object.keys(use)).toEqual(['key', 'until'])
})

it('tells of a store that cannot be written until it can, and takes one that is busy for well', async () => {
  const full = new GatewayError('internal', 'x', { details: { reason: 'disk-full' } })
  const { clock, isWritable } = probed([full, new GatewayError('overloaded', 'x'), full])
  const answers: boolean[] = []
  for (const _ of [1, 2, 3, 4]) {
    answers.push(await isWritable())
    clock.time += 10_000
  }
  expect(answers).toEqual([false, true, false, true])
})

it('sees a file that may not grow', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'crocevia-writable-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await using store = await sqliteStore({ path: join(folder, 'store.sqlite'), maxPages: 60 })
  const clock = { now: () => Date.now() }
  expect(await writableStore(store, clock)()).toBe(true)
  const fill = async () => {
    for (let index = 0; ; index++) await store.outbox.put(delivery(`${index}`, { content: 'x'.repeat(3500) }))
  }
  await expect(fill()).rejects.toMatchObject({ details: { reason: 'disk-full' } })
  // What is left of half-filled pages takes a few small rows more.
  const answers: boolean[] = []
  for (let tries = 0; tries < 200 && answers.at(-1) !== false; tries++)
    answers.push(await writableStore(store, clock)())
  expect(answers.at(-1)).toBe(false)
})
