import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Outbox, WaitingDelivery } from '../../src/core/ports.ts'
import { dispatcher } from '../../src/journal/dispatcher.ts'
import { doneKeptMs } from '../../src/store/outbox.ts'
import { delivery } from '../unit/store/child/deliveries.ts'
import { modelOutbox } from './outbox-model.ts'

/** A store with an outbox. */
export type WithOutbox = { readonly outbox: Outbox } & AsyncDisposable

/** An outbox under test, and what only its engine can do to it. */
export interface StartedOutbox {
  readonly store: WithOutbox
  /** The clock of every store that is opened here, but not of other processes. */
  readonly clock: { time: number; now(): number }
  /** The same store, opened once more. */
  readonly reopen: () => Promise<WithOutbox>
  readonly directory: string
  /** A module whose `openStore(directory)` opens the same store in another process. */
  readonly engine: URL
  /** Everything that is kept of deliveries, and of those that were, as text. */
  readonly everything: () => Promise<string>
  /** Another store, for which only as many changes as given may wait. */
  readonly narrow: (capacity: number) => Promise<WithOutbox>
  /** Another store, whose disk has room for some dozens of deliveries. */
  readonly full: () => Promise<WithOutbox>
}

const leaseMs = 60_000
const children = new URL('../unit/store/child/', import.meta.url)

/** What every outbox must do, whatever engine keeps it. */
export function outboxBehaves(name: string, start: () => Promise<StartedOutbox>): void {
  describe(`${name} as an outbox`, () => {
    it('hands out what was put, exactly', async () => {
      const { store, clock } = await start()
      const put = delivery('a', { content: 'à "quoted" \\ \\u0000 \u2028 \u{1F600} <&> {1,2} NULL', key: 'b"\\,}' })
      await store.outbox.put(put)
      const claimed = await claim(store, clock)
      const nextAt = clock.time + leaseMs
      expect(claimed).toEqual([{ ...put, putAt: clock.time, attempts: 1, nextAt, state: 'waiting' }])
    })

    it('keeps a delivery once that is put again while it waits, is under way, failed or is dead', async () => {
      const { store, clock } = await start()
      const again = () => store.outbox.put(delivery('a', { content: 'another', key: 'another' }))
      await store.outbox.put(delivery('a'))
      await again()
      const [first] = await claim(store, clock)
      expect(first).toMatchObject(delivery('a'))
      await again()
      expect(await claim(store, clock)).toEqual([])
      await store.outbox.failed('a', { attempt: 1, reason: 'later', nextAt: clock.time + 10 })
      await again()
      clock.time += 10
      expect(await claim(store, clock)).toMatchObject([{ id: 'a', attempts: 2 }])
      await store.outbox.failed('a', { attempt: 2, reason: 'never', dead: true })
      await again()
      expect(await claim(store, clock)).toEqual([])
      expect(await store.outbox.list({ limit: 10 })).toMatchObject([{ ...delivery('a'), state: 'dead' }])
    })

    it('keeps a delivery once that is put many times at once, here and elsewhere', async () => {
      const { store, reopen, clock } = await start()
      const stores = [store, await reopen()]
      await Promise.all(stores.flatMap((one) => numbers(40).map((number) => one.outbox.put(delivery(`${number % 5}`)))))
      expect((await claim(store, clock)).map(({ id }) => id).sort()).toEqual(['0', '1', '2', '3', '4'])
    })

    it('knows for a week what was delivered or discarded, and keeps nothing of it but its id and why', async () => {
      const { store, clock, everything } = await start()
      for (const id of ['told', 'dropped'])
        await store.outbox.put(delivery(id, { content: 'PROVAX00X00X000Y', key: 'of a person' }))
      await claim(store, clock)
      await store.outbox.delivered('told')
      await claim(store, clock)
      await store.outbox.failed('dropped', { attempt: 1, reason: 'R220 PROVAX00X00X000Y', dead: true })
      expect(await store.outbox.discard('dropped', 'told by telephone')).toBe(true)
      const kept = await everything()
      expect(kept).toMatch(/told by telephone/)
      expect(kept).not.toMatch(/PROVAX|person|R220/)
      clock.time += doneKeptMs
      for (const id of ['told', 'dropped']) await store.outbox.put(delivery(id))
      expect(await claim(store, clock)).toEqual([])
      clock.time += 1
      for (const id of ['told', 'dropped']) await store.outbox.put(delivery(id))
      expect(await claim(store, clock)).toHaveLength(2)
    })

    it('hands out one of each key, and the next when that is done with', async () => {
      const { store, clock } = await start()
      for (const id of ['a1', 'b1', 'a2', 'b2', 'a3']) await store.outbox.put(delivery(id, { key: id.charAt(0) }))
      const seen: string[][] = []
      for (;;) {
        const ids = (await claim(store, clock)).map(({ id }) => id).sort()
        if (ids.length === 0) break
        seen.push(ids)
        for (const id of ids) await store.outbox.delivered(id)
      }
      expect(seen).toEqual([['a1', 'b1'], ['a2', 'b2'], ['a3']])
    })

    it('claims no more than asked for, what is due longest first', async () => {
      const { store, clock } = await start()
      for (const id of ['a', 'b', 'c']) {
        await store.outbox.put(delivery(id))
        clock.time++
      }
      const ids = async (limit: number) => (await claim(store, clock, limit)).map(({ id }) => id)
      expect(await ids(0)).toEqual([])
      expect(await ids(-1)).toEqual([])
      expect(await ids(2)).toEqual(['a', 'b'])
      expect(await ids(2)).toEqual(['c'])
    })

    it('lets nobody claim what is claimed, until the claim ends by itself', async () => {
      const { store, reopen, clock } = await start()
      const other = await reopen()
      await store.outbox.put(delivery('a', { key: 'k' }))
      await store.outbox.put(delivery('b', { key: 'k' }))
      expect(await claim(store, clock)).toHaveLength(1)
      clock.time += leaseMs - 1
      for (const one of [store, other]) expect(await claim(one, clock)).toEqual([])
      clock.time += 1
      expect(await claim(other, clock)).toMatchObject([{ id: 'a', attempts: 2 }])
      expect(await claim(store, clock)).toEqual([])
    })

    it('does not listen to a claim that was overtaken, except that the delivery was made', async () => {
      const { store, clock } = await start()
      await store.outbox.put(delivery('a'))
      await claim(store, clock)
      clock.time += leaseMs
      await claim(store, clock)
      await store.outbox.failed('a', { attempt: 1, reason: 'stale', nextAt: clock.time })
      await store.outbox.failed('a', { attempt: 1, reason: 'stale', dead: true })
      expect(await claim(store, clock)).toEqual([])
      await store.outbox.delivered('a')
      await store.outbox.failed('a', { attempt: 2, reason: 'stale', dead: true })
      expect(await store.outbox.list({ limit: 10 })).toEqual([])
    })

    it('hands out what failed when it is to be tried again, and nothing behind it before', async () => {
      const { store, clock } = await start()
      await store.outbox.put(delivery('a', { key: 'k' }))
      await store.outbox.put(delivery('b', { key: 'k' }))
      await claim(store, clock)
      await store.outbox.failed('a', { attempt: 1, reason: 'community-timeout: no answer', nextAt: clock.time + 500.2 })
      clock.time += 500
      expect(await claim(store, clock)).toEqual([])
      clock.time += 1
      expect(await claim(store, clock)).toMatchObject([
        { id: 'a', attempts: 2, reason: 'community-timeout: no answer' },
      ])
    })

    it('lets a dead delivery stand in the way of its key only, until it is retried', async () => {
      const { store, clock } = await start()
      await dead(store, clock)
      await store.outbox.put(delivery('other'))
      clock.time += 1000 * leaseMs
      expect((await claim(store, clock)).map(({ id }) => id)).toEqual(['other'])
      expect(await store.outbox.retry('a', clock.time)).toBe(true)
      expect(await claim(store, clock)).toMatchObject([{ id: 'a', attempts: 1, state: 'waiting', reason: 'R220 no' }])
      await store.outbox.delivered('a')
      expect(await claim(store, clock)).toMatchObject([{ id: 'b' }])
    })

    it('lets what stood behind a dead delivery go when that is discarded', async () => {
      const { store, clock } = await start()
      await dead(store, clock)
      expect(await store.outbox.discard('a', 'of no use any more')).toBe(true)
      expect(await store.outbox.discard('a', 'again')).toBe(false)
      expect(await store.outbox.retry('a', clock.time)).toBe(false)
      expect(await claim(store, clock)).toMatchObject([{ id: 'b' }])
    })

    it('discards one from the middle, and keeps the order of the others', async () => {
      const { store, clock } = await start()
      for (const id of ['a', 'b', 'c']) await store.outbox.put(delivery(id, { key: 'k' }))
      expect(await store.outbox.discard('b', 'not that one')).toBe(true)
      for (const id of ['a', 'c']) {
        expect((await claim(store, clock)).map((claimed) => claimed.id)).toEqual([id])
        await store.outbox.delivered(id)
      }
    })

    it('retries at once what waits for its time, and leaves alone what is under way, due or unknown', async () => {
      const { store, clock } = await start()
      const retry = () => store.outbox.retry('a', clock.time)
      expect(await retry()).toBe(false)
      await store.outbox.put(delivery('a'))
      expect(await retry()).toBe(false)
      await claim(store, clock)
      expect(await retry()).toBe(false)
      expect(await store.outbox.discard('a', 'under way')).toBe(false)
      await store.outbox.failed('a', { attempt: 1, reason: 'no', nextAt: clock.time + 1_000_000 })
      expect(await retry()).toBe(true)
      expect(await claim(store, clock)).toMatchObject([{ id: 'a', attempts: 1 }])
      clock.time += leaseMs
      expect(await store.outbox.discard('a', 'its claim has ended')).toBe(true)
    })

    it('lists what is not done with in the order of putting, in pages and by state', async () => {
      const { store, clock } = await start()
      const ids = numbers(7).map((number) => `${9 - number}`)
      for (const id of ids) await store.outbox.put(delivery(id))
      for (const { id } of await claim(store, clock)) {
        if (Number(id) % 2 === 0) await store.outbox.failed(id, { attempt: 1, reason: `R${id}`, dead: true })
      }
      const pages = async (state?: 'waiting' | 'dead') => {
        const listed: string[][] = []
        for (let after: string | undefined; ; ) {
          const page = await store.outbox.list({
            limit: 2,
            ...(state === undefined ? {} : { state }),
            ...(after === undefined ? {} : { after }),
          })
          after = page.at(-1)?.id
          if (after === undefined) return listed
          listed.push(page.map(({ id }) => id))
          // Whatever becomes of what was listed, the next page begins behind it.
          if (state === 'dead') await store.outbox.discard(after, 'looked at')
        }
      }
      expect(await pages()).toEqual([['9', '8'], ['7', '6'], ['5', '4'], ['3']])
      expect(await pages('waiting')).toEqual([
        ['9', '7'],
        ['5', '3'],
      ])
      expect(await pages('dead')).toEqual([['8', '6'], ['4']])
      expect(await store.outbox.list({ limit: 0 })).toEqual([])
      expect(await store.outbox.list({ limit: -1 })).toEqual([])
      await expect(store.outbox.list({ limit: 1, after: 'unheard of' })).rejects.toMatchObject({
        code: 'parameter-invalid',
      })
    })

    it.each([
      ['an empty id', delivery('')],
      ['an id without measure', delivery('x'.repeat(300))],
      ['an empty key', delivery('a', { key: '' })],
      ['a kind without measure', delivery('a', { kind: 'x'.repeat(300) })],
      ['a content without measure', delivery('a', { content: 'x'.repeat(300_000) })],
      ['a content with a null character', delivery('a', { content: 'a\0b' })],
      ['a content that is no text', delivery('a', { content: 'a\uD800b' })],
    ])('refuses %s, and nothing else with it', async (_what, unfit) => {
      const { store } = await start()
      const [refused] = await Promise.allSettled([store.outbox.put(unfit), store.outbox.put(delivery('good'))])
      expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'internal' } })
      expect((await store.outbox.list({ limit: 10 })).map(({ id }) => id)).toEqual(['good'])
    })

    it('refuses instants and reasons that cannot be kept', async () => {
      const { store, clock } = await start()
      await store.outbox.put(delivery('a'))
      const internal = { code: 'internal' }
      for (const unfit of [{ now: Number.NaN }, { leaseMs: 0 }, { leaseMs: Number.POSITIVE_INFINITY }]) {
        const asked = { now: clock.time, limit: 1, leaseMs, ...unfit }
        await expect(store.outbox.claim(asked)).rejects.toMatchObject(internal)
      }
      await claim(store, clock)
      for (const nextAt of [Number.NaN, Number.POSITIVE_INFINITY]) {
        await expect(store.outbox.failed('a', { attempt: 1, reason: 'r', nextAt })).rejects.toMatchObject(internal)
      }
      await expect(store.outbox.failed('a', { attempt: 1, reason: 'a\0', dead: true })).rejects.toMatchObject(internal)
      await expect(store.outbox.discard('a', 'x'.repeat(20_000))).rejects.toMatchObject(internal)
      await expect(store.outbox.retry('a', Number.NaN)).rejects.toMatchObject(internal)
    })

    it('remembers everything after it was closed and opened again', async () => {
      const { store, reopen, clock } = await start()
      await dead(store, clock)
      await store.outbox.put(delivery('claimed'))
      await claim(store, clock)
      const before = await store.outbox.list({ limit: 10 })
      await store[Symbol.asyncDispose]()
      const again = await reopen()
      expect(await again.outbox.list({ limit: 10 })).toEqual(before)
      expect(await claim(again, clock)).toEqual([])
      clock.time += leaseMs
      expect((await claim(again, clock)).map(({ id }) => id)).toEqual(['claimed'])
    })

    it('drains on closing: what was accepted is kept, what comes later is refused', async () => {
      const { store, reopen, clock } = await start()
      const accepted = numbers(50).map((number) => store.outbox.put(delivery(`${number}`)))
      const closed = store[Symbol.asyncDispose]()
      await expect(store.outbox.put(delivery('late'))).rejects.toMatchObject({ code: 'internal' })
      await expect(claim(store, clock)).rejects.toMatchObject({ code: 'internal' })
      await closed
      await Promise.all(accepted)
      const again = await reopen()
      expect(await claim(again, clock)).toHaveLength(50)
    })

    it('refuses at once what exceeds its queue, and serves again when the queue has emptied', async () => {
      const { narrow } = await start()
      const { outbox } = await narrow(3)
      const settled = await Promise.allSettled(numbers(5).map((number) => outbox.put(delivery(`${number}`))))
      expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
      expect(settled.slice(3)).toMatchObject(numbers(2).map(() => ({ reason: { code: 'overloaded' } })))
      await outbox.put(delivery('again'))
      expect(await outbox.list({ limit: 10 })).toHaveLength(4)
    })

    it('rejects when the disk is full, keeps what it acknowledged, and takes more when there is room', async () => {
      const { full, clock } = await start()
      const store = await full()
      const put = (number: number) => store.outbox.put(delivery(`${number}`, { content: 'x'.repeat(2000) }))
      const acknowledged: string[] = []
      const failures: unknown[] = []
      for (let number = 0; failures.length === 0 && number < 1000; number++) {
        await put(number).then(
          () => acknowledged.push(`${number}`),
          (error: unknown) => failures.push(error),
        )
      }
      expect(failures).toMatchObject([{ code: 'internal' }])
      expect(acknowledged.length).toBeGreaterThan(5)
      expect((await store.outbox.list({ limit: 100 })).map(({ id }) => id)).toEqual(acknowledged)
      for (const id of acknowledged.slice(0, 5)) expect(await store.outbox.discard(id, 'no room')).toBe(true)
      await put(1000)
      expect((await claim(store, clock)).map(({ id }) => id)).toContain('1000')
    })

    it('makes every delivery once and each key in order when several claim at once', async () => {
      const { store, reopen, clock } = await start()
      const stores = [store, await reopen(), await reopen()] as const
      const count = 240
      const made: string[] = []
      let under = new Set<string>()

      async function workOn(one: WithOutbox): Promise<void> {
        while (made.length < count) {
          for (const { id, key } of await claim(one, clock, 3)) {
            expect(under.has(key)).toBe(false)
            under = under.add(key)
            await turn()
            made.push(id)
            under.delete(key)
            await one.outbox.delivered(id)
          }
          await turn()
        }
      }
      // Each store puts keys of its own, so that it is known in which order.
      const puts = stores.map(async (one, index) => {
        for (const number of numbers(count / 3)) {
          await one.outbox.put(delivery(`${index}-${number}`, { key: `${index}-${number % 4}` }))
        }
      })
      await Promise.all([...puts, ...stores.flatMap((one) => [workOn(one), workOn(one)])])
      expect(new Set(made).size).toBe(count)
      expect(made).toHaveLength(count)
      const perKey = Map.groupBy(made, (id) => {
        const [index, number] = id.split('-')
        return `${index}-${Number(number) % 4}`
      })
      expect(perKey.size).toBe(12)
      for (const ids of perKey.values()) {
        const order = ids.map((id) => Number(id.split('-')[1]))
        expect(order).toEqual(order.toSorted((a, b) => a - b))
      }
    })

    it('never leaves a key without a first one, however putting and ending fall together', async () => {
      const { store, reopen, clock } = await start()
      const other = await reopen()
      for (const round of numbers(60)) {
        await store.outbox.put(delivery(`${round}-a`, { key: 'k' }))
        expect(await claim(store, clock)).toHaveLength(1)
        await Promise.all([
          store.outbox.delivered(`${round}-a`),
          other.outbox.put(delivery(`${round}-b`, { key: 'k' })),
          store.outbox.put(delivery(`${round}-c`, { key: 'k' })),
        ])
        for (const _ of [1, 2]) {
          const [first, ...rest] = await claim(other, clock)
          expect(rest).toEqual([])
          await other.outbox.delivered(first?.id ?? '')
        }
        expect(await claim(store, clock)).toEqual([])
      }
    })

    it('does what its promises say, whatever is asked in whatever order', async () => {
      const { store, clock } = await start()
      const model = modelOutbox(clock)
      let runs = 0
      const id = fc.integer({ min: 0, max: 5 })
      const step = fc.oneof(
        fc.record({ verb: fc.constant('put' as const), id }),
        fc.record({ verb: fc.constant('claim' as const), limit: fc.integer({ min: 1, max: 3 }) }),
        fc.record({ verb: fc.constantFrom('delivered' as const, 'retry' as const, 'discard' as const), id }),
        fc.record({
          verb: fc.constantFrom('failed' as const, 'dead' as const),
          id,
          attempt: fc.integer({ min: 1, max: 2 }),
          laterMs: fc.constantFrom(0, 10),
        }),
        fc.record({ verb: fc.constant('wait' as const), ms: fc.constantFrom(1, 10, 50) }),
      )
      type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

      async function taken(outbox: Outbox, run: number, asked: Step): Promise<unknown> {
        const named = 'id' in asked ? `${run}-${asked.id}` : ''
        const now = clock.time
        switch (asked.verb) {
          case 'put':
            return await outbox.put(delivery(named, { key: `${run}-${Number('id' in asked && asked.id) % 2}` }))
          case 'claim': {
            const claimed = await outbox.claim({ now, limit: asked.limit, leaseMs: 30 })
            return claimed.toSorted((a, b) => (a.id < b.id ? -1 : 1))
          }
          case 'delivered':
            return await outbox.delivered(named)
          case 'retry':
            return await outbox.retry(named, now)
          case 'discard':
            return await outbox.discard(named, 'reason')
          case 'failed':
            return await outbox.failed(named, { attempt: asked.attempt, reason: 'why', nextAt: now + asked.laterMs })
          case 'dead':
            return await outbox.failed(named, { attempt: asked.attempt, reason: 'why', dead: true })
          case 'wait':
            return undefined
        }
      }

      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
          const run = ++runs
          for (const asked of steps) {
            if (asked.verb === 'wait') clock.time += asked.ms
            expect(await taken(store.outbox, run, asked)).toEqual(await taken(model, run, asked))
          }
          expect(await store.outbox.list({ limit: 100 })).toEqual(await model.list({ limit: 100 }))
          for (const { id } of await model.list({ limit: 100 })) {
            await Promise.all([store.outbox.delivered(id), model.delivered(id)])
          }
        }),
        { numRuns: 40 },
      )
    })

    it('holds every delivery that was acknowledged when its process is killed, and the next one makes it', async () => {
      const started = await start()
      const child = run(started, 'putter.ts', 'killed')
      const acknowledged: number[] = []
      for await (const line of lines(child)) {
        if (line !== 'open') acknowledged.push(Number(line))
        if (acknowledged.length === 100) child.kill('SIGKILL')
      }
      expect(acknowledged.length).toBeGreaterThanOrEqual(100)
      const clock = { now: () => Date.now() + 1000 }
      const made = await delivering((await started.reopen()).outbox, clock, acknowledged.length)
      const kept = new Set(made.map(({ id }) => id))
      expect(acknowledged.filter((number) => !kept.has(`killed-${number}`))).toEqual([])
      expect(made.every(({ attempts }) => attempts === 1)).toBe(true)
    })

    it('makes again, after the claims have ended, what a process was about to deliver when it was killed', async () => {
      const started = await start()
      started.clock.time = Date.now()
      for (const id of ['a', 'b']) await started.store.outbox.put(delivery(id))
      const child = run(started, 'dispatching.ts')
      const begun: string[] = []
      for await (const line of lines(child)) {
        begun.push(line)
        if (begun.length === 2) child.kill('SIGKILL')
      }
      expect(begun.sort()).toEqual(['a', 'b'])
      expect(await started.store.outbox.claim({ now: Date.now(), limit: 10, leaseMs })).toEqual([])
      const later = { now: () => Date.now() + 600_000 }
      const made = await delivering(started.store.outbox, later, 2)
      expect(made.map(({ id, attempts }) => ({ id, attempts }))).toEqual(
        expect.arrayContaining(['a', 'b'].map((id) => ({ id, attempts: 2 }))),
      )
      expect(await started.store.outbox.list({ limit: 1 })).toEqual([])
    })
  })
}

function claim({ outbox }: WithOutbox, clock: { readonly time: number }, limit = 100) {
  return outbox.claim({ now: clock.time, limit, leaseMs })
}

/** Puts `a` and `b` of one key, and makes `a` a dead one. */
async function dead(store: WithOutbox, clock: { readonly time: number }): Promise<void> {
  for (const id of ['a', 'b']) await store.outbox.put(delivery(id, { key: 'k' }))
  await claim(store, clock)
  await store.outbox.failed('a', { attempt: 1, reason: 'R220 no', dead: true })
}

/** Lets a dispatcher make what waits, until it has made so many and nothing is left. */
async function delivering(outbox: Outbox, clock: { now(): number }, least: number): Promise<WaitingDelivery[]> {
  const made: WaitingDelivery[] = []
  const failures: unknown[] = []
  const { promise: done, resolve } = Promise.withResolvers<void>()
  const failed = (_: unknown, error: unknown) => {
    failures.push(error)
    resolve()
  }
  await using _ = dispatcher({
    outbox,
    deliverers: new Map([['notify-retrieve:ini', async (delivery) => void made.push(delivery)]]),
    clock,
    backoff: { firstMs: 1, factor: 1, mostMs: 1, random: () => 0 },
    ...{ concurrency: 8, mostAttempts: 1, deadlineMs: 10_000, everyMs: 1000, graceMs: 10_000 },
    onDelivered: () => {
      if (made.length < least) return
      outbox.list({ limit: 1 }).then(
        (left): void => (left.length === 0 ? resolve() : undefined),
        (error: unknown) => failed(undefined, error),
      )
    },
    ...{ onFailed: failed, onDead: failed, onTrouble: (error) => failed(undefined, error) },
  })
  await done
  expect(failures).toEqual([])
  return made
}

function run({ engine, directory }: StartedOutbox, script: string, ...more: string[]): ChildProcess {
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

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}
