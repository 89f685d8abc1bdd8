import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { JournaledPush, Outbox, PushJournal } from '../../src/core/ports.ts'
import { pushKeptMs } from '../../src/store/push-journal.ts'
import { delivery } from '../unit/store/child/deliveries.ts'
import { draft, keptDraft, person, pushOf } from '../unit/store/child/drafts.ts'
import { pushesBehaveAsTheModel, pushesStayInOrder } from './push-order.ts'

/** A store with a journal of pushes, and the outbox it delivers by. */
export type WithPushes = { readonly journal: PushJournal; readonly outbox: Outbox } & AsyncDisposable

/** A journal under test, and what only its engine can do to it. */
export interface StartedPushes {
  readonly store: WithPushes
  /** The clock of every store that is opened here, but not of other processes. */
  readonly clock: { time: number; now(): number }
  /** The same store, opened once more. */
  readonly reopen: () => Promise<WithPushes>
  readonly directory: string
  /** A module whose `openStore(directory)` opens the same store in another process. */
  readonly engine: URL
  /** How many rows there are in all tables of pushes. */
  readonly rows: () => Promise<number>
  /** Another store, for which only as many pushes as given may wait. */
  readonly narrow: (capacity: number) => Promise<WithPushes>
  /** Another store, whose disk has room for some dozens of pushes. */
  readonly full: () => Promise<WithPushes>
}

const leaseMs = 60_000
const children = new URL('../unit/store/child/', import.meta.url)

/** What every journal of pushes must do, whatever engine keeps it. */
export function pushJournalBehaves(name: string, start: () => Promise<StartedPushes>): void {
  describe(`${name} as a journal of pushes`, () => {
    it('keeps what was appended, exactly', async () => {
      const { store } = await start()
      const text = 'à "quoted" \\ \0 \u2028 \u{1F600} <&> {1,2} NULL'
      const put = draft('a', {
        identities: ['b"\\,}', 'NULL', 'è'],
        objects: ['1.2.3', 'urn:uuid:ab'],
        patients: [person('A'), person('B')],
        pushed: { kind: 'change', change: { type: 'remove', ids: [text], entries: [] } },
      })
      const sequence = await appended(store, put)
      expect(await store.journal.find('a')).toEqual(pushOf(put, sequence))
      expect(await store.journal.list({ limit: 10 })).toEqual([pushOf(put, sequence)])
      expect(await store.journal.find('b')).toBeUndefined()
    })

    it('puts the delivery with the push, and none for what is only kept', async () => {
      const { store, clock } = await start()
      await appended(store, draft('a'))
      await appended(store, keptDraft('kept'))
      expect(await claim(store, clock)).toEqual([
        {
          ...{ id: 'a', kind: 'push:tuscany', key: 'a', content: 'a', putAt: clock.time, attempts: 1 },
          ...{ nextAt: clock.time + leaseMs, state: 'waiting' },
        },
      ])
      expect(await store.journal.find('kept')).toMatchObject({ state: 'kept' })
      expect(await store.journal.find('kept')).not.toHaveProperty('settledAt')
      expect(await store.journal.discard('kept', 'no')).toBe(false)
    })

    it('answers the push that was there before, and writes nothing', async () => {
      const { store, clock, rows } = await start()
      const first = draft('a', { identities: ['x', 'y'] })
      const sequence = await appended(store, first)
      await appended(store, draft('b', { identities: ['z'] }))
      const before = await rows()
      const repeats = pushOf(first, sequence)
      for (const again of [['y'], ['new', 'x'], ['y', 'z']]) {
        const draftAgain = draft('c', { identities: again, frees: ['z'], objects: ['other'] })
        expect(await store.journal.append(draftAgain)).toEqual({ repeats })
      }
      expect(await store.journal.append(draft('a', { identities: ['another'] }))).toEqual({ repeats })
      expect(await rows()).toBe(before)
      expect(await store.journal.repeated(['new', 'x'])).toEqual(repeats)
      expect(await store.journal.repeated(['new'])).toBeUndefined()
      expect(await store.journal.repeated([])).toBeUndefined()
      expect((await claim(store, clock)).map(({ id }) => id)).toEqual(['a', 'b'])
    })

    it('refuses the id of a delivery that is no push, and nothing else with it', async () => {
      const { store, clock } = await start()
      for (const id of ['waits', 'done']) await store.outbox.put(delivery(id))
      await claim(store, clock)
      await store.outbox.delivered('done')
      const settled = await Promise.allSettled(['waits', 'good', 'done'].map((id) => store.journal.append(draft(id))))
      expect(settled.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected'])
      expect(await store.journal.find('waits')).toBeUndefined()
      expect(await store.journal.discard('waits', 'no push')).toBe(false)
      expect((await store.outbox.list({ limit: 10 })).map(({ id }) => id)).toEqual(['waits', 'good'])
    })

    it('lets one push win each identity that many are appended with at once, here and elsewhere', async () => {
      const { store, reopen } = await start()
      const stores = [store, await reopen(), await reopen()] as const
      const answers = await Promise.all(
        numbers(120).map(async (number) => {
          const identities = [`${number % 7}`, `${(number * 5) % 11} too`].sort(() => (number % 2) - 0.5)
          const one = stores[number % 3] ?? store
          return { identities, answer: await one.journal.append(draft(`${number}`, { identities })) }
        }),
      )
      const won = answers.filter(({ answer }) => 'sequence' in answer)
      const taken = won.flatMap(({ identities }) => identities)
      expect(new Set(taken).size).toBe(taken.length)
      for (const { identities, answer } of answers) {
        if ('sequence' in answer) continue
        const winner = answers[Number(answer.repeats.id)]
        expect(winner?.answer).toEqual({ sequence: answer.repeats.sequence })
        expect(winner?.identities.some((identity) => identities.includes(identity))).toBe(true)
      }
      expect(await store.outbox.list({ limit: 100 })).toHaveLength(won.length)
    })

    it('finds what is only kept by any of its objects, in its order, and nothing that waits', async () => {
      const { store, reopen } = await start()
      const naming = async (...objects: string[]) => (await store.journal.naming(objects)).map(({ id }) => id)
      const first = keptDraft('1', { objects: ['w', 'x'], patients: [] })
      const sequence = await appended(store, first)
      await appended(store, draft('2', { objects: ['w'] }))
      await appended(store, keptDraft('3', { objects: ['x'] }))
      await appended(await reopen(), keptDraft('4', { objects: ['w'], patients: [person('A'), person('B')] }))
      expect(await naming('w')).toEqual(['1', '4'])
      expect(await naming('x', 'w', 'none')).toEqual(['1', '3', '4'])
      expect(await naming('person of 3')).toEqual([])
      expect(await naming()).toEqual([])
      expect((await store.journal.naming(['w']))[0]).toEqual(pushOf(first, sequence, 'kept'))
      // It holds up nobody, and is about nobody but its persons.
      expect((await store.outbox.list({ limit: 10 })).map(({ id }) => id)).toEqual(['2'])
      expect((await store.journal.about([person('A')], 0)).pushes.map(({ id }) => id)).toEqual(['4'])
    })

    it('lets identities come again once they were freed, or the push was discarded, and not when it was delivered', async () => {
      const { store, clock } = await start()
      const submit = (id: string) => store.journal.append(draft(id, { identities: ['document'] }))
      await submit('first')
      await appended(store, draft('removal', { frees: ['document', 'unheard of'] }))
      expect(await submit('second')).toHaveProperty('sequence')
      expect(await submit('third')).toMatchObject({ repeats: { id: 'second' } })
      // The first has lost what the second has taken.
      expect(await store.journal.discard('first', 'of no use')).toBe(true)
      expect(await submit('third')).toMatchObject({ repeats: { id: 'second' } })
      expect(await store.journal.discard('second', 'of no use')).toBe(true)
      expect(await submit('third')).toHaveProperty('sequence')
      await claim(store, clock)
      await store.outbox.delivered('third')
      expect(await submit('fourth')).toMatchObject({ repeats: { id: 'third', state: 'delivered' } })
    })

    it('tells what is pending about a person by any identifier, and what came after a place whatever became of it', async () => {
      const { store, clock } = await start()
      const [a, b] = [person('A'), person('B')]
      const about = async (...asked: Parameters<PushJournal['about']>) => {
        const { sequence, pushes } = await store.journal.about(...asked)
        return { sequence, ids: pushes.map(({ id }) => id) }
      }
      expect(await store.journal.about([a])).toEqual({ generation: 0, sequence: 0, pushes: [] })
      const first = await appended(store, draft('1', { patients: [a] }))
      const second = await appended(store, draft('2', { patients: [b, a] }))
      const third = await appended(store, keptDraft('3', { patients: [b] }))
      await appended(store, draft('4'))
      expect(await about([a, b])).toEqual({ sequence: third, ids: ['1', '2'] })
      expect(await about([a])).toEqual({ sequence: second, ids: ['1', '2'] })
      expect(await about([b])).toEqual({ sequence: third, ids: ['2'] })
      expect(await about([b], second)).toEqual({ sequence: third, ids: ['2', '3'] })
      expect(await about([])).toEqual({ sequence: 0, ids: [] })
      await claim(store, clock)
      await store.outbox.delivered('2')
      expect(await about([a, b])).toEqual({ sequence: third, ids: ['1'] })
      expect(await about([b, a], first)).toEqual({ sequence: third, ids: ['1', '2', '3'] })
      expect(await about([b], third)).toEqual({ sequence: third, ids: [] })
    })

    it('has another generation after each push about the person, and after each that ceased to be pending', async () => {
      const { store, clock } = await start()
      const [a, b] = [person('A'), person('B')]
      const seen: number[] = []
      const generation = async () => (await store.journal.about([a, b])).generation
      const changes = async (does: () => Promise<unknown>) => {
        await does()
        seen.push(await generation())
      }
      await changes(async () => undefined)
      await changes(() => appended(store, draft('1', { patients: [a], objects: ['o'] })))
      await changes(() => appended(store, draft('2', { patients: [b], objects: ['o'] })))
      await changes(() => appended(store, draft('3', { patients: [a, b], objects: ['o'] })))
      await changes(() => appended(store, keptDraft('4', { patients: [b] })))
      const before = await generation()
      await appended(store, draft('other'))
      await claim(store, clock)
      await store.outbox.failed('1', { attempt: 1, reason: 'R220', dead: true })
      await store.outbox.retry('1', clock.time)
      await store.journal.append(draft('1'))
      await store.outbox.delivered('other')
      expect(await generation()).toBe(before)
      await changes(() => store.outbox.delivered('1'))
      await changes(() => store.journal.discard('3', 'no'))
      await changes(() => store.outbox.discard('2', 'no'))
      expect(seen).toEqual([...new Set(seen)].sort((x, y) => x - y))
      expect(seen).toHaveLength(8)
    })

    it('tells what is pending and touches an object, in order', async () => {
      const { store, clock } = await start()
      await appended(store, draft('1', { objects: ['a', 'b'] }))
      await appended(store, draft('2', { objects: ['c'] }))
      await appended(store, draft('3', { objects: ['b', 'c'] }))
      await appended(store, keptDraft('4', { objects: ['a', 'b', 'c'] }))
      const touching = async (...objects: string[]) => (await store.journal.touching(objects)).map(({ id }) => id)
      expect(await touching('c', 'b')).toEqual(['1', '2', '3'])
      expect(await touching('c')).toEqual(['2', '3'])
      expect(await touching('d')).toEqual([])
      expect(await touching()).toEqual([])
      await claim(store, clock)
      await store.outbox.delivered('2')
      expect(await touching('c')).toEqual(['3'])
    })

    it('is done with a push together with its delivery', async () => {
      const { store, reopen, clock } = await start()
      const other = await reopen()
      for (const id of ['made', 'dropped', 'given up']) await appended(store, draft(id))
      await claim(store, clock)
      for (const discard of [store.outbox.discard, store.journal.discard]) {
        expect(await discard('made', 'under way')).toBe(false)
      }
      clock.time += 10
      await other.outbox.delivered('made')
      expect(await store.journal.find('made')).toMatchObject({ state: 'delivered', settledAt: clock.time })
      await other.outbox.delivered('made')
      expect(await store.journal.discard('made', 'too late')).toBe(false)
      for (const id of ['dropped', 'given up']) {
        await store.outbox.failed(id, { attempt: 1, reason: 'R220 no', dead: true })
      }
      expect(await other.outbox.discard('dropped', 'told by telephone')).toBe(true)
      expect(await other.journal.discard('given up', '')).toBe(true)
      expect(await other.journal.discard('given up', '')).toBe(false)
      const discarded = { state: 'discarded', settledAt: clock.time }
      expect(await store.journal.find('dropped')).toMatchObject({ ...discarded, reason: 'told by telephone' })
      expect(await store.journal.find('given up')).toMatchObject({ ...discarded, reason: '' })
      expect(await store.outbox.list({ limit: 10 })).toEqual([])
      expect(await store.journal.discard('unheard of', 'no')).toBe(false)
    })

    it('leaves pending what was retried or is dead', async () => {
      const { store, clock } = await start()
      await appended(store, draft('a', { patients: [person('A')] }))
      await claim(store, clock)
      await store.outbox.failed('a', { attempt: 1, reason: 'R220 no', dead: true })
      expect(await store.journal.find('a')).toMatchObject({ state: 'pending' })
      expect(await store.outbox.retry('a', clock.time)).toBe(true)
      expect((await store.journal.about([person('A')])).pushes).toMatchObject([{ id: 'a', state: 'pending' }])
    })

    it('delivers what touches one object in order, however its chains join and part', async () => {
      const { store, clock } = await start()
      const claimed = async () => (await claim(store, clock)).map(({ id }) => id).sort()
      await appended(store, draft('a', { objects: ['1'] }))
      await appended(store, draft('b', { objects: ['2'] }))
      await appended(store, draft('both', { objects: ['1', '2'] }))
      await appended(store, draft('after', { objects: ['2', '3'] }))
      await appended(store, draft('aside', { objects: ['4'] }))
      expect(await claimed()).toEqual(['a', 'aside', 'b'])
      await store.outbox.delivered('b')
      expect(await claimed()).toEqual([])
      await store.outbox.failed('a', { attempt: 1, reason: 'R220 no', dead: true })
      await appended(store, draft('behind the dead', { objects: ['1', '5'] }))
      await appended(store, draft('beside the dead', { objects: ['5'] }))
      expect(await claimed()).toEqual([])
      // From the middle: what stood behind it waits for the dead one still, or for nothing.
      expect(await store.outbox.discard('both', 'not that one')).toBe(true)
      expect(await claimed()).toEqual(['after'])
      expect(await store.outbox.discard('a', 'not that one either')).toBe(true)
      expect(await claimed()).toEqual(['behind the dead'])
      await store.outbox.delivered('behind the dead')
      expect(await claimed()).toEqual(['beside the dead'])
    })

    it('does what its promises say, whatever is asked in whatever order', async () => {
      const { store, reopen, clock } = await start()
      const stores = [store, await reopen()] as const
      await pushesBehaveAsTheModel(stores, clock)
    })

    it('delivers in order when several append, deliver, fail and discard at once', async () => {
      const { store, reopen, clock } = await start()
      await pushesStayInOrder([store, await reopen(), await reopen()], clock)
    })

    it('hides from no reader what was appended before, nor lets it miss what comes later', async () => {
      const { store, reopen, clock } = await start()
      const [other, reader] = [await reopen(), await reopen()]
      const people = [person('A'), person('B')]
      const count = 120
      let made = 0
      let resolved = 0

      async function pushOn(one: WithPushes): Promise<void> {
        while (made < count) {
          const number = made++
          const put = draft(`${number}`, { patients: [people[number % 2] ?? person('A')], objects: [] })
          const sequence = await appended(one, put)
          const { sequence: seen, pushes } = await reader.journal.about(people, sequence - 1)
          expect(seen).toBeGreaterThanOrEqual(sequence)
          expect(pushes.map(({ id }) => id)).toContain(put.id)
          if (number % 3 === 0) await one.outbox.delivered(put.id)
          resolved++
        }
      }

      const told = new Set<string>()
      async function readOn(): Promise<void> {
        let last = { generation: 0, sequence: 0, pending: '' }
        for (let over = false; !over; ) {
          over = resolved === count
          const { generation, sequence, pushes } = await reader.journal.about(people, last.sequence)
          expect(generation).toBeGreaterThanOrEqual(last.generation)
          expect(sequence).toBeGreaterThanOrEqual(last.sequence)
          for (const { id } of pushes) told.add(id)
          const pending = pushes.flatMap(({ id, state }) => (state === 'pending' ? [id] : [])).join()
          if (generation === last.generation) expect(pending).toBe(last.pending)
          last = { generation, sequence, pending }
        }
      }
      await Promise.all([...numbers(4).map(() => pushOn(store)), ...numbers(4).map(() => pushOn(other)), readOn()])
      expect(told.size).toBe(count)
      expect(clock.time).toBeGreaterThan(0)
    })

    it('lists the latest first, in pages and by state', async () => {
      const { store, clock } = await start()
      for (const id of ['1', '2', '3', '4', '5', '6']) await appended(store, draft(id))
      await appended(store, keptDraft('7'))
      await claim(store, clock)
      for (const id of ['2', '4']) await store.outbox.delivered(id)
      const pages = async (state?: JournaledPush['state']) => {
        const listed: string[][] = []
        for (let before: string | undefined; ; ) {
          const page = await store.journal.list({
            limit: 2,
            ...(state === undefined ? {} : { state }),
            ...(before === undefined ? {} : { before }),
          })
          before = page.at(-1)?.id
          if (before === undefined) return listed
          listed.push(page.map(({ id }) => id))
        }
      }
      expect(await pages()).toEqual([['7', '6'], ['5', '4'], ['3', '2'], ['1']])
      expect(await pages('pending')).toEqual([
        ['6', '5'],
        ['3', '1'],
      ])
      expect(await pages('delivered')).toEqual([['4', '2']])
      expect(await pages('kept')).toEqual([['7']])
      expect(await pages('discarded')).toEqual([])
      expect(await store.journal.list({ limit: 0 })).toEqual([])
      expect(await store.journal.list({ limit: -1 })).toEqual([])
      await expect(store.journal.list({ limit: 1, before: 'unheard of' })).rejects.toMatchObject({
        code: 'parameter-invalid',
      })
    })

    it('keeps what is as large as may be, and refuses more', async () => {
      const { store, clock } = await start()
      const many = (count: number, length = 40) => numbers(count).map((number) => `${number}`.padEnd(length, 'x'))
      const content = (length: number) => ({
        pushed: { kind: 'change', change: { type: 'remove', ids: ['x'.repeat(length)], entries: [] } } as const,
      })
      const large = draft('a', {
        ...{ identities: many(512), frees: many(4096), objects: many(4096), patients: many(64).map(person) },
        ...content(3_990_000),
      })
      const sequence = await appended(store, large)
      expect(await store.journal.find('a')).toEqual(pushOf(large, sequence))
      await appended(store, draft('b', { objects: many(4096) }))
      expect((await claim(store, clock)).map(({ id }) => id)).toEqual(['a'])
      await store.outbox.delivered('a')
      expect((await claim(store, clock)).map(({ id }) => id)).toEqual(['b'])
      await appended(store, draft('c', { identities: ['x'.repeat(1024)] }))
      for (const [index, changes] of [
        { identities: many(513) },
        { frees: many(4097) },
        { objects: many(4097) },
        { patients: many(65).map(person) },
        { identities: ['x'.repeat(1025)] },
        { objects: ['x'.repeat(1025)] },
        content(4_194_304),
      ].entries()) {
        const refused = store.journal.append(draft(`refused ${index}`, changes))
        await expect(refused).rejects.toMatchObject({ code: 'request-too-large' })
      }
      await expect(store.journal.append(draft(''))).rejects.toMatchObject({ code: 'internal' })
      await expect(store.journal.append(draft('d', { identities: ['a\uD800'] }))).rejects.toMatchObject({
        code: 'internal',
      })
      expect(await store.journal.list({ limit: 10 })).toHaveLength(3)
    })

    it('tells no more at once than can be held, and says so where all would be needed', async () => {
      const { store } = await start()
      const large = { kind: 'change', change: { type: 'remove', ids: ['x'.repeat(4_000_000)], entries: [] } } as const
      const put = { patients: [person('A')], objects: ['o'], pushed: large }
      for (const number of numbers(17)) await appended(store, draft(`${number}`, put))
      const overloaded = { code: 'overloaded' }
      await expect(store.journal.about([person('A')])).rejects.toMatchObject(overloaded)
      await expect(store.journal.touching(['o'])).rejects.toMatchObject(overloaded)
      const page = await store.journal.list({ limit: 100 })
      expect(page.map(({ id }) => id)).toEqual(numbers(16).map((number) => `${16 - number}`))
      expect(await store.journal.list({ limit: 100, before: '1' })).toHaveLength(1)
    })

    it('forgets what was done with long ago, some with each append, and never what is pending', async () => {
      const { store, clock, rows } = await start()
      const put = (id: string) => draft(id, { identities: [id], patients: [person(id)] })
      for (const number of numbers(40)) await appended(store, put(`${number}`))
      await appended(store, keptDraft('kept'))
      const empty = 4
      for (const number of numbers(30)) await store.outbox.delivered(`${number}`)
      await store.outbox.discard('30', 'no')
      clock.time += pushKeptMs
      await appended(store, draft('early'))
      expect(await store.journal.append(draft('again', { identities: ['0'] }))).toMatchObject({ repeats: { id: '0' } })
      clock.time += 1
      const before = await rows()
      await appended(store, draft('late'))
      expect(await rows()).toBeLessThan(before)
      expect(await store.journal.list({ limit: 100, state: 'delivered' })).not.toHaveLength(0)
      for (const number of numbers(3)) await appended(store, draft(`later ${number}`))
      const left = await store.journal.list({ limit: 100 })
      expect(left.map(({ state }) => state)).toEqual(numbers(left.length).map(() => 'pending'))
      expect(left).toHaveLength(9 + 5)
      expect(await rows()).toBe(left.length * empty)
      expect(await store.journal.about([person('0')])).toEqual({ generation: 0, sequence: 0, pushes: [] })
      expect(await store.journal.append(draft('again', { identities: ['0'] }))).toHaveProperty('sequence')
    })

    it('remembers everything after it was closed and opened again', async () => {
      const { store, reopen, clock } = await start()
      await appended(store, draft('a', { objects: ['o'], patients: [person('A')] }))
      await appended(store, draft('b', { objects: ['o'], patients: [person('A')] }))
      const last = await appended(store, keptDraft('kept'))
      const before = [await store.journal.list({ limit: 10 }), await store.journal.about([person('A')])]
      await store[Symbol.asyncDispose]()
      const again = await reopen()
      expect([await again.journal.list({ limit: 10 }), await again.journal.about([person('A')])]).toEqual(before)
      expect((await claim(again, clock)).map(({ id }) => id)).toEqual(['a'])
      expect(await appended(again, draft('c'))).toBeGreaterThan(last)
    })

    it('drains on closing: what was accepted is kept, what comes later is refused', async () => {
      const { store, reopen, clock } = await start()
      const accepted = numbers(50).map((number) => store.journal.append(draft(`${number}`)))
      const closed = store[Symbol.asyncDispose]()
      const internal = { code: 'internal' }
      await expect(store.journal.append(draft('late'))).rejects.toMatchObject(internal)
      await expect(store.journal.about([person('A')])).rejects.toMatchObject(internal)
      await expect(store.journal.discard('0', 'no')).rejects.toMatchObject(internal)
      await closed
      await Promise.all(accepted)
      const again = await reopen()
      expect(await again.journal.list({ limit: 100 })).toHaveLength(50)
      expect(await claim(again, clock)).toHaveLength(50)
    })

    it('refuses at once what exceeds its queue, and serves again when the queue has emptied', async () => {
      const { narrow } = await start()
      const { journal } = await narrow(3)
      const settled = await Promise.allSettled(numbers(5).map((number) => journal.append(draft(`${number}`))))
      expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
      expect(settled.slice(3)).toMatchObject(numbers(2).map(() => ({ reason: { code: 'overloaded' } })))
      await journal.append(draft('again'))
      expect(await journal.list({ limit: 10 })).toHaveLength(4)
    })

    it('lets no more bytes wait than it has room for', async () => {
      const { store } = await start()
      const large = { kind: 'change', change: { type: 'remove', ids: ['x'.repeat(4_000_000)], entries: [] } } as const
      const settled = await Promise.allSettled(
        numbers(20).map((number) => store.journal.append(draft(`${number}`, { pushed: large }))),
      )
      expect(settled.slice(0, 16).map(({ status }) => status)).toEqual(numbers(16).map(() => 'fulfilled'))
      expect(settled.slice(16)).toMatchObject(numbers(4).map(() => ({ reason: { code: 'overloaded' } })))
      expect(await store.journal.append(draft('again', { pushed: large }))).toHaveProperty('sequence')
    })

    it('rejects when the disk is full, keeps what it acknowledged, and takes more when old ones are forgotten', async () => {
      const { full, clock } = await start()
      const store = await full()
      const put = (number: number) =>
        store.journal.append(
          (number % 2 === 0 ? draft : keptDraft)(`${number}`, {
            pushed: { kind: 'change', change: { type: 'remove', ids: ['x'.repeat(2000)], entries: [] } },
          }),
        )
      const acknowledged: string[] = []
      const failures: unknown[] = []
      for (let number = 0; failures.length === 0 && number < 1000; number++) {
        await put(number).then(
          () => acknowledged.push(`${number}`),
          (error: unknown) => failures.push(error),
        )
      }
      expect(failures).toMatchObject([{ code: 'internal' }])
      expect(acknowledged.length).toBeGreaterThan(15)
      const kept = (await store.journal.list({ limit: 100 })).map(({ id }) => id).reverse()
      expect(kept).toEqual(acknowledged)
      expect((await store.outbox.list({ limit: 100 })).map(({ id }) => id)).toEqual(
        acknowledged.filter((id) => Number(id) % 2 === 0),
      )
      clock.time += pushKeptMs + 1
      await put(1000)
      expect((await claim(store, clock)).map(({ id }) => id)).toContain('1000')
    })

    it('holds every push that was acknowledged when its process is killed, each with its delivery', async () => {
      const started = await start()
      const child = run(started, 'pusher.ts', 'killed')
      const acknowledged: number[] = []
      for await (const line of lines(child)) {
        if (line !== 'open') acknowledged.push(Number(line))
        if (acknowledged.length === 100) child.kill('SIGKILL')
      }
      expect(acknowledged.length).toBeGreaterThanOrEqual(100)
      const { journal, outbox } = await started.reopen()
      const { pushes } = await journal.about([person('killed')])
      const kept = new Set(pushes.map(({ id }) => id))
      expect(acknowledged.filter((number) => !kept.has(`killed-${number}`))).toEqual([])
      const made: string[] = []
      for (;;) {
        const claimed = await outbox.claim({ now: Date.now() + 1000, limit: 100, leaseMs })
        if (claimed.length === 0) break
        expect(claimed.length).toBeLessThanOrEqual(3)
        for (const { id } of claimed) {
          made.push(id)
          await outbox.delivered(id)
        }
      }
      expect(made.toSorted()).toEqual([...kept].toSorted())
      expect((await journal.about([person('killed')])).pushes).toEqual([])
    })
  })
}

async function appended({ journal }: Pick<WithPushes, 'journal'>, put: Parameters<PushJournal['append']>[0]) {
  const answer = await journal.append(put)
  if (!('sequence' in answer)) throw new Error(`${put.id} repeats ${answer.repeats.id}`)
  return answer.sequence
}

function claim({ outbox }: WithPushes, clock: { readonly time: number }, limit = 100) {
  return outbox.claim({ now: clock.time, limit, leaseMs })
}

function run({ engine, directory }: StartedPushes, script: string, ...more: string[]): ChildProcess {
  const child = spawn(process.execPath, [fileURLToPath(new URL(script, children)), engine.href, directory, ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

function lines(child: ChildProcess): AsyncIterable<string> {
  if (child.stdout === null) throw new Error('The child has no output')
  return createInterface({ input: child.stdout })
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}
