import fc from 'fast-check'
import { expect } from 'vitest'
import type { JournalDraft } from '../../src/core/ports.ts'
import { draft, keptDraft, person } from '../unit/store/child/drafts.ts'
import type { WithPushes } from './push-journal.suite.ts'
import { modelPushes, type Pushes } from './push-model.ts'

interface TestClock {
  time: number
  now(): number
}

const id = fc.integer({ min: 0, max: 7 })
const few = (most: number) => fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { maxLength: most })
const which = fc.integer({ min: 0, max: 1 })
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      ...{ verb: fc.constant('append' as const), id, identities: few(2), frees: few(1), patients: few(2) },
      ...{ objects: few(3), kept: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)) },
    }),
  },
  { weight: 3, arbitrary: fc.record({ verb: fc.constant('claim' as const), limit: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ verb: fc.constantFrom('delivered' as const, 'retry' as const), id }),
  },
  fc.record({ verb: fc.constantFrom('discard' as const, 'give-up' as const), id }),
  {
    weight: 2,
    arbitrary: fc.record({
      ...{ verb: fc.constantFrom('failed' as const, 'dead' as const), id },
      ...{ attempt: fc.integer({ min: 1, max: 2 }), laterMs: fc.constantFrom(0, 10) },
    }),
  },
  fc.record({ verb: fc.constant('wait' as const), ms: fc.constantFrom(1, 10, 50) }),
  fc.record({ verb: fc.constant('ask' as const), patients: few(2), since: fc.option(id), objects: few(2) }),
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** Holds the stores, which share what they keep, against the model, each step at one of them. */
export async function pushesBehaveAsTheModel(
  stores: readonly [WithPushes, WithPushes],
  clock: TestClock,
): Promise<void> {
  let runs = 0
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(step, which), { minLength: 5, maxLength: 40 }), async (steps) => {
      const run = `run ${++runs}`
      const model = modelPushes(clock)
      // The model counts from one in each run.
      const places = new Map<number, number>()
      for (const [asked, at] of steps) {
        if (asked.verb === 'wait') clock.time += asked.ms
        const store = stores[at] ?? stores[0]
        const [told, meant] = [await taken(store, run, asked, places), await taken(model, run, asked)]
        if (isSequence(told) && isSequence(meant)) places.set(meant.sequence, told.sequence)
        expect(unnumbered(told)).toEqual(unnumbered(meant))
      }
      for (let left = true; left; ) {
        clock.time += 1000
        left = false
        for (const number of Array(8).keys()) {
          const named = `${run} ${number}`
          const found = await model.journal.find(named)
          expect(unnumbered(await stores[0].journal.find(named))).toEqual(unnumbered(found))
          if (found?.state !== 'pending') continue
          left = true
          await Promise.all([stores[0].outbox.delivered(named), model.outbox.delivered(named)])
        }
      }
    }),
    { numRuns: 60 },
  )
}

async function taken(
  { journal, outbox }: Pushes,
  run: string,
  asked: Step,
  places?: ReadonlyMap<number, number>,
): Promise<unknown> {
  const named = 'id' in asked ? `${run} ${asked.id}` : ''
  const now = Math.ceil(Date.UTC(2026, 2, 2))
  return await answerOf({ journal, outbox }, run, asked, named, now, places)
}
