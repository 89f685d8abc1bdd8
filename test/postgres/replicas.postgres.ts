import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import type { ReplayMemory, Use } from '../../src/core/ports.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { delivery } from '../unit/store/child/deliveries.ts'
import { draft, person } from '../unit/store/child/drafts.ts'
import { auditRecord } from '../unit/store/child/records.ts'
import { use } from '../unit/store/child/uses.ts'
import { patient, schemaName } from './engine.ts'
import { opened, sql } from './opened.ts'

const connection = inject('postgres')

describe.skipIf(connection === undefined)('replicas that share a PostgreSQL store', () => {
  const server = connection ?? { host: '', database: '', user: '' }

  async function replicas(count: number, schema = schemaName()): Promise<Store[]> {
    return await Promise.all(numbers(count).map(() => opened({ connection: server, schema, batchSize: 8, ...patient })))
  }

  it('make the schema once, however many of them open it at the same time', async () => {
    const schema = schemaName()
    const stores = await replicas(5, schema)
    const sequences = await Promise.all(stores.map((store) => store.append(auditRecord('first'))))
    expect(sequences.map(({ sequence }) => sequence).sort()).toEqual([1, 2, 3, 4, 5])
    expect(await sql(server, schema, 'SELECT version FROM crocevia_store')).toEqual([{ version: 4 }])
  })

  it('make one chain of what they append under load', async () => {
    const stores = await replicas(3)
    const acknowledged = await Promise.all(
      numbers(900).map(async (number) => {
        const id = `${number}`
        const { sequence } = await (stores[number % 3] as Store).append(auditRecord(id))
        return { id, sequence }
      }),
    )
    const [store] = stores as [Store]
    expect(await store.verify()).toEqual({ ok: true, records: 900 })
    const kept = await store.read({ limit: 1000 })
    expect(new Map(kept.map(({ record, sequence }) => [record.correlationId, sequence]))).toEqual(
      new Map(acknowledged.map(({ id, sequence }) => [id, sequence])),
    )
  })

  it('let one of them win each key they race for, whatever the order they name keys in, and none wait in a circle', async () => {
    const stores = await replicas(3)
    const random = seeded(7)
    const calls = numbers(600).map((number) => ({
      store: stores[number % 3] as Store,
      uses: numbers(4).map(() => use(`${Math.floor(random() * 400)}`)),
    }))
    const answers = await Promise.all(
      calls.map(async ({ store, uses }) => ({ uses, taken: await store.remember(uses) })),
    )
    const granted = answers.filter(({ taken }) => taken === undefined).flatMap(({ uses }) => uses.map(({ key }) => key))
    expect(granted.length).toBeGreaterThan(40)
    expect(new Set(granted).size).toBe(granted.length)
    for (const { uses, taken } of answers) {
      if (taken === undefined) continue
      expect(granted.includes(taken.key) || uses.filter(({ key }) => key === taken.key).length > 1).toBe(true)
    }
  })

  it('bind a thing to one presenter among them, who may use it everywhere', async () => {
    const stores = await replicas(2)
    const answers = await Promise.all(
      numbers(40).map(async (number) => {
        const presenter = `presenter ${number % 4}`
        const taken = await (stores[number % 2] as Store).remember([use('bound', { presenter })])
        return { presenter, granted: taken === undefined }
      }),
    )
    const owners = new Set(answers.filter(({ granted }) => granted).map(({ presenter }) => presenter))
    expect(owners.size).toBe(1)
    expect(answers.filter(({ granted }) => granted)).toHaveLength(10)
  })

  it('find rows by their keys, also by a plan that was made while there were none', async () => {
    const schema = schemaName()
    const [store] = (await replicas(1, schema)) as [Store]
    for (const number of numbers(50)) {
      await Promise.all([store.append(auditRecord(`${number}`)), store.remember([use(`${number}`), use(`${-number}`)])])
      await store.outbox.put(delivery(`${number}`, { key: `${number % 3}` }))
      await store.journal.append(draft(`push ${number}`, { objects: [`${number % 3}`, 'one of all'] }))
      await store.journal.about([person(`person of push ${number}`)], 0)
      await Promise.all([
        store.journal.touching(['one of all']),
        store.journal.repeated([`identity of push ${number}`]),
      ])
      await store.journal.list({ state: 'pending', before: `push ${number}`, limit: 5 })
      const now = Date.now()
      for (const { id } of await store.outbox.claim({ now, limit: 5, leaseMs: 1000 })) await store.outbox.delivered(id)
      await store.outbox.list({ state: 'dead', after: `${number}`, limit: 5 })
    }
    await store[Symbol.asyncDispose]()
    // Sessions count what they did when they end, which is soon.
    const scans = `SELECT seq_scan::int AS whole, idx_scan::int AS "byKey" FROM pg_stat_user_tables
                   WHERE schemaname = '${schema}' AND relname IN ('audit', 'replay', 'outbox', 'outbox_done', 'push',
                     'push_identity', 'push_patient', 'push_object')`
    await expect
      .poll(async () => (await sql<{ byKey: number }>(server, schema, scans)).every(({ byKey }) => byKey >= 50))
      .toBe(true)
    for (const { whole } of await sql<{ whole: number }>(server, schema, scans)) expect(whole).toBeLessThan(10)
  })

  it('judge as the embedded store does, whatever is asked in whatever order', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'crocevia-model-'))
    onTestFinished(() => rm(directory, { recursive: true, force: true }))
    const clock = { time: Date.UTC(2026, 2, 2), now: () => clock.time }
    const model = await sqliteStore({ path: join(directory, 'store.db'), clock })
    onTestFinished(() => model[Symbol.asyncDispose]())
    const store = await opened({ connection: server, schema: schemaName(), ...patient, clock })
    let runs = 0

    const asked = fc.record({
      thing: fc.integer({ min: 0, max: 5 }),
      presenter: fc.constantFrom(undefined, 'A', 'B'),
      lastsMs: fc.constantFrom(-1, 0, 0.5, 5, 10, 100_000),
    })
    const wave = fc.record({
      calls: fc.array(fc.array(asked, { maxLength: 4 }), { minLength: 1, maxLength: 6 }),
      laterMs: fc.constantFrom(0, 1, 6, 11, 70_000),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(wave, { minLength: 1, maxLength: 5 }), async (waves) => {
        runs++
        for (const { calls, laterMs } of waves) {
          const uses = calls.map((call) =>
            call.map(({ thing, presenter, lastsMs }) =>
              use(`${runs}-${thing}`, {
                until: clock.time + lastsMs,
                ...(presenter === undefined ? {} : { presenter }),
              }),
            ),
          )
          expect(await answersOf(store, uses)).toEqual(await answersOf(model, uses))
          clock.time += laterMs
        }
      }),
      { numRuns: 60 },
    )
  })
})

/** For each call the index of the use that was taken, or -1. */
async function answersOf(memory: ReplayMemory, calls: readonly (readonly Use[])[]): Promise<number[]> {
  return await Promise.all(
    calls.map(async (uses) => {
      const taken = await memory.remember(uses)
      return taken === undefined ? -1 : uses.indexOf(taken)
    }),
  )
}

/** Numbers from 0 to 1, the same ones each time (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}
