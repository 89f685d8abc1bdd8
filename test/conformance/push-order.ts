import fc from 'fast-check'
import { expect } from 'vitest'
import { draft, keptDraft, person } from '../unit/store/child/drafts.ts'
import type { WithPushes } from './push-journal.suite.ts'
import { modelPushes, type Pushes } from './push-model.ts'

interface TestClock {
  time: number
  now(): number
}

const ids = 12
const id = fc.integer({ min: 0, max: ids - 1 })
const few = (most: number) => fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { maxLength: most })
// Few are taken, so that most pushes are appended.
const identities = fc.uniqueArray(fc.integer({ min: 0, max: 15 }), { maxLength: 2 })
const appending = fc.record({
  ...{ verb: fc.constant('append' as const), id, identities, frees: few(1), patients: few(2), objects: few(3) },
  kept: fc.integer({ min: 0, max: 4 }).map((number) => number === 0),
})
const claiming = fc.record({ verb: fc.constant('claim' as const), limit: fc.integer({ min: 1, max: 4 }) })
const delivering = fc.record({ verb: fc.constantFrom('delivered' as const, 'retry' as const), id })
const discarding = fc.record({ verb: fc.constantFrom('discard' as const, 'give up' as const), id })
const failing = fc.record({
  ...{ verb: fc.constantFrom('failed' as const, 'dead' as const), id },
  ...{ attempt: fc.integer({ min: 1, max: 2 }), laterMs: fc.constantFrom(0, 10) },
})
const waiting = fc.record({ verb: fc.constant('wait' as const), ms: fc.constantFrom(1, 10, 50) })
const asking = fc.record({ verb: fc.constant('ask' as const), some: few(2), since: fc.option(id) })
const step = fc.oneof(
  { weight: 8, arbitrary: appending },
  { weight: 5, arbitrary: claiming },
  { weight: 5, arbitrary: delivering },
  { weight: 2, arbitrary: failing },
  ...[discarding, waiting, asking].map((arbitrary) => ({ weight: 1, arbitrary })),
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** Holds two stores, which share what they keep, against the model: each step is taken at one of them. */
export async function pushesBehaveAsTheModel(
  stores: readonly [WithPushes, WithPushes],
  clock: TestClock,
): Promise<void> {
  let runs = 0
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(step, fc.boolean()), { minLength: 10, maxLength: 60 }), async (steps) => {
      const run = ++runs
      const places = new Map<string, number>()
      const model = modelPushes(clock, (id) => places.get(id) ?? 0)
      const taken = (pushes: Pushes, asked: Step) => answerTo(pushes, asked, run, clock.time, places)
      for (const [asked, atOther] of steps) {
        if (asked.verb === 'wait') clock.time += asked.ms
        const told = await taken(stores[atOther ? 1 : 0], asked)
        if (asked.verb === 'append' && isPlaced(told)) places.set(`${run}-${asked.id}`, told.sequence)
        expect(told).toEqual(await taken(model, asked))
      }
      for (const id of Array.from({ length: ids }, (_, number) => `${run}-${number}`)) {
        expect(await stores[0].journal.find(id)).toEqual(await model.journal.find(id))
        await stores[0].outbox.delivered(id)
      }
      expect(await stores[1].outbox.list({ limit: 100 })).toEqual([])
    }),
    { numRuns: 100 },
  )
}

async function answerTo(
  { journal, outbox }: Pushes,
  asked: Step,
  run: number,
  now: number,
  places: ReadonlyMap<string, number>,
): Promise<unknown> {
  const named = (number: number) => `${run}-${number}`
  switch (asked.verb) {
    case 'append': {
      const { id, kept } = asked
      return await journal.append(
        (kept ? keptDraft : draft)(named(id), {
          identities: asked.identities.map(named),
          frees: asked.frees.map(named),
          patients: asked.patients.map((number) => person(named(number))),
          objects: asked.objects.map(named),
        }),
      )
    }
    case 'claim': {
      const claimed = await outbox.claim({ now, limit: asked.limit, leaseMs: 30 })
      return claimed.map(({ id, attempts }) => ({ id, attempts })).sort((a, b) => (a.id < b.id ? -1 : 1))
    }
    case 'delivered':
      return await outbox.delivered(named(asked.id))
    case 'retry':
      return await outbox.retry(named(asked.id), now)
    case 'discard':
      return await outbox.discard(named(asked.id), 'no use')
    case 'give up':
      return await journal.discard(named(asked.id), 'no use')
    case 'failed':
      return await outbox.failed(named(asked.id), {
        attempt: asked.attempt,
        reason: 'why',
        nextAt: now + asked.laterMs,
      })
    case 'dead':
      return await outbox.failed(named(asked.id), { attempt: asked.attempt, reason: 'why', dead: true })
    case 'ask': {
      const some = asked.some.map(named)
      const since = asked.since === null ? undefined : (places.get(named(asked.since)) ?? 0)
      const { sequence, pushes } = await journal.about(some.map(person), since)
      return [sequence, pushes, await journal.touching(some), await journal.naming(some), await journal.repeated(some)]
    }
    case 'wait':
      return undefined
  }
}

function isPlaced(answer: unknown): answer is { readonly sequence: number } {
  return typeof answer === 'object' && answer !== null && 'sequence' in answer
}

interface Scenario {
  /** The objects of each push, in the order in which each store appends those of its own. */
  readonly pushes: readonly (readonly number[])[]
  /** What becomes of each attempt. */
  readonly fates: readonly ('delivered' | 'failed' | 'dead' | 'lost' | 'discarded')[]
}

const scenario: fc.Arbitrary<Scenario> = fc.record({
  pushes: fc.array(few(3), { minLength: 20, maxLength: 45 }),
  fates: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant('delivered' as const) },
      {
        weight: 3,
        arbitrary: fc.constantFrom('failed' as const, 'dead' as const, 'lost' as const, 'discarded' as const),
      },
    ),
    { minLength: 7, maxLength: 30 },
  ),
})

/**
 * Lets every store append, deliver, fail, die, retry and discard at once, and looks afterwards whether any attempt began
 * before the earlier pushes that touch one of its objects were done with, and whether all are done with.
 */
export async function pushesStayInOrder(stores: readonly WithPushes[], clock: TestClock): Promise<void> {
  let runs = 0
  await fc.assert(
    fc.asyncProperty(scenario, async ({ pushes, fates }) => {
      const run = ++runs
      const objects = new Map<string, readonly string[]>()
      const places = new Map<string, number>()
      const events: { readonly what: 'begun' | 'ended'; readonly id: string }[] = []
      const ended = new Set<string>()
      let attempts = 0

      /** What happened is written down before the store is told: others may see it before we do. */
      async function end(id: string, told: () => Promise<unknown>): Promise<void> {
        const event = { what: 'ended' as const, id }
        events.push(event)
        if ((await told()) === false) events.splice(events.indexOf(event), 1)
        else ended.add(id)
      }

      async function attempt({ outbox, journal }: WithPushes, id: string, attempt: number): Promise<void> {
        events.push({ what: 'begun', id })
        await turn()
        const fate = fates[attempts++ % fates.length]
        if (fate === 'failed') await outbox.failed(id, { attempt, reason: 'later', nextAt: clock.time + 5 })
        if (fate === 'dead' || fate === 'discarded') await outbox.failed(id, { attempt, reason: 'no', dead: true })
        if (fate === 'dead') await outbox.retry(id, clock.time)
        if (fate === 'discarded') {
          const discard = attempts % 2 === 0 ? outbox.discard : journal.discard
          await end(id, () => discard(id, 'no use'))
        }
        if (fate === 'delivered') await end(id, () => outbox.delivered(id))
      }

      async function workOn(store: WithPushes): Promise<void> {
        while (ended.size < pushes.length) {
          const claimed = await store.outbox.claim({ now: clock.time, limit: 3, leaseMs: 20 })
          await Promise.all(claimed.map(({ id, attempts }) => attempt(store, id, attempts)))
          clock.time += 1
          await turn()
        }
      }

      async function appendOn(store: WithPushes, index: number): Promise<void> {
        for (const [number, touched] of pushes.entries()) {
          if (number % stores.length !== index) continue
          const id = `${run}-${number}`
          objects.set(
            id,
            touched.map((object) => `${run}-${object}`),
          )
          const answer = await store.journal.append(draft(id, { objects: objects.get(id) ?? [] }))
          if ('sequence' in answer) places.set(id, answer.sequence)
        }
      }
      await Promise.all(stores.flatMap((store, index) => [appendOn(store, index), workOn(store), workOn(store)]))

      expect(places.size).toBe(pushes.length)
      const placed = [...places].sort(([, a], [, b]) => a - b).map(([id]) => id)
      for (const [index, later] of placed.entries()) {
        const begun = events.findIndex(({ what, id }) => what === 'begun' && id === later)
        expect(begun).toBeGreaterThanOrEqual(0)
        for (const earlier of placed.slice(0, index)) {
          if (!objects.get(earlier)?.some((object) => objects.get(later)?.includes(object))) continue
          const done = events.findIndex(({ what, id }) => what === 'ended' && id === earlier)
          expect(done).toBeGreaterThanOrEqual(0)
          expect(begun).toBeGreaterThan(done)
        }
      }
      expect(await stores[0]?.outbox.list({ limit: 100 })).toEqual([])
    }),
    { numRuns: 12 },
  )
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
