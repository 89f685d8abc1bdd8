import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { GatewayError } from '../../../src/core/errors.ts'
import type { Outbox, WaitingDelivery } from '../../../src/core/ports.ts'
import { type Deliverer, type DispatcherOptions, dispatcher } from '../../../src/journal/dispatcher.ts'
import { modelOutbox } from '../../conformance/outbox-model.ts'
import { delivery } from '../store/child/deliveries.ts'

const kind = 'notify-retrieve:ini'
const start = 1_000_000

function begin(
  deliver: Deliverer,
  changes: Partial<DispatcherOptions> & { inspect?: (outbox: Outbox) => Outbox } = {},
) {
  const clock = { time: start, now: () => clock.time }
  const outbox = modelOutbox(clock)
  const told: string[] = []
  const errors: GatewayError[] = []
  const heard = new Set<() => void>()
  const tell = (what: string, error?: GatewayError) => {
    told.push(what)
    if (error !== undefined) errors.push(error)
    for (const listener of heard) listener()
  }
  const { inspect = (plain: Outbox) => plain, ...options } = changes
  const running = dispatcher({
    outbox: inspect(outbox),
    deliverers: new Map([[kind, deliver]]),
    clock,
    backoff: { firstMs: 1000, factor: 2, mostMs: 60_000, random: () => 0 },
    ...{ concurrency: 4, mostAttempts: 3, deadlineMs: 60_000, everyMs: 1_000_000, graceMs: 10 },
    onDelivered: ({ id, attempt }) => tell(`${id} delivered at ${attempt}`),
    onFailed: ({ id, attempt }, error, nextAt) => tell(`${id} failed at ${attempt} until ${nextAt - start}`, error),
    onDead: ({ id, attempt }, error) => tell(`${id} dead at ${attempt}`, error),
    onTrouble: (error) => tell('trouble', error),
    ...options,
  })
  onTestFinished(() => running[Symbol.asyncDispose]())

  return {
    clock,
    outbox,
    running,
    told,
    errors,
    async put(...ids: string[]): Promise<void> {
      for (const id of ids) await outbox.put(delivery(id, { key: id.charAt(0) }))
      running.wake()
    },
    /** Resolves once so many things were told. */
    async heard(count: number): Promise<readonly string[]> {
      const { promise, resolve } = Promise.withResolvers<void>()
      const listener = () => told.length >= count && resolve()
      heard.add(listener)
      listener()
      await promise
      heard.delete(listener)
      return told
    },
  }
}

/** A deliverer whose deliveries end when the test says so. */
function held() {
  const begun: {
    readonly delivery: WaitingDelivery
    readonly signal: AbortSignal
    readonly end: PromiseWithResolvers<void>
  }[] = []
  const deliver: Deliverer = (delivery, signal) => {
    const end = Promise.withResolvers<void>()
    begun.push({ delivery, signal, end })
    return end.promise
  }
  return {
    deliver,
    ids: () => begun.map((one) => one.delivery.id),
    async begun(id: string) {
      return await vi.waitFor(() => {
        const one = begun.findLast((each) => each.delivery.id === id)
        if (one === undefined) throw new Error(`${id} has not begun`)
        return one
      })
    },
  }
}

const passing = () => Promise.reject(new GatewayError('community-unavailable', 'The community could not be reached'))

describe('dispatcher', () => {
  it('delivers what was left before it began, and what it is woken for', async () => {
    const clock = { now: () => start }
    const outbox = modelOutbox(clock)
    await outbox.put(delivery('left'))
    const { running, heard } = begin(async () => undefined, { outbox, clock })
    expect(await heard(1)).toEqual(['left delivered at 1'])
    await outbox.put(delivery('later'))
    running.wake()
    expect(await heard(2)).toEqual(['left delivered at 1', 'later delivered at 1'])
    expect(await outbox.list({ limit: 10 })).toEqual([])
  })

  it('looks from time to time without being woken, and keeps no process alive for that', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { outbox, heard } = begin(async () => undefined, { everyMs: 5000 })
    await vi.advanceTimersByTimeAsync(1)
    await outbox.put(delivery('a'))
    await vi.advanceTimersByTimeAsync(4998)
    expect(await outbox.list({ limit: 1 })).toMatchObject([{ attempts: 0 }])
    await vi.advanceTimersByTimeAsync(1)
    expect(await heard(1)).toEqual(['a delivered at 1'])
  })

  it('hands the deliverer what was put', async () => {
    const deliver = vi.fn<Deliverer>(async () => undefined)
    const { put, heard } = begin(deliver)
    await put('a')
    await heard(1)
    expect(deliver.mock.calls[0]?.[0]).toMatchObject(delivery('a', { key: 'a' }))
  })

  it('makes deliveries of one key one after the other, and those of others meanwhile', async () => {
    const { deliver, ids, begun } = held()
    const { put, heard } = begin(deliver)
    await put('a1', 'a2', 'b1')
    const first = await begun('a1')
    await begun('b1')
    expect(ids()).toEqual(['a1', 'b1'])
    first.end.resolve()
    await heard(1)
    ;(await begun('a2')).end.resolve()
    expect(await heard(2)).toEqual(['a1 delivered at 1', 'a2 delivered at 1'])
  })

  it('has no more under way than it may, and goes on as soon as one has ended', async () => {
    const { deliver, ids, begun } = held()
    const { put, running, heard } = begin(deliver, { concurrency: 2 })
    await put('a', 'b', 'c', 'd')
    await begun('b')
    running.wake()
    expect(ids()).toEqual(['a', 'b'])
    ;(await begun('a')).end.resolve()
    await begun('c')
    await heard(1)
    expect(ids()).toEqual(['a', 'b', 'c'])
  })

  it('tries again later what failed, ever later, and gives up after so many attempts', async () => {
    const { put, running, clock, outbox, heard } = begin(passing)
    await put('a')
    await heard(1)
    clock.time += 499
    running.wake()
    clock.time += 1
    running.wake()
    await heard(2)
    clock.time += 1000
    running.wake()
    expect(await heard(3)).toEqual(['a failed at 1 until 500', 'a failed at 2 until 1500', 'a dead at 3'])
    expect(await outbox.list({ state: 'dead', limit: 1 })).toMatchObject([
      { id: 'a', attempts: 3, reason: 'community-unavailable: The community could not be reached' },
    ])
  })

  it('does not try again what the other side refused, keeps its words, and lets nothing of the key past', async () => {
    const issues = [{ severity: 'error', code: 'R224', text: 'Già presente' } as const]
    const { put, outbox, heard } = begin(async ({ id }) => {
      if (id === 'a1') throw new GatewayError('community-rejected', 'Refused', { issues })
    })
    await put('a1', 'a2', 'b1')
    expect((await heard(2)).toSorted()).toEqual(['a1 dead at 1', 'b1 delivered at 1'])
    expect(await outbox.list({ limit: 10 })).toMatchObject([
      { id: 'a1', state: 'dead', reason: 'community-rejected: R224 Già presente' },
      { id: 'a2', state: 'waiting', attempts: 0 },
    ])
  })

  it('goes on behind a dead delivery once an operator retried it', async () => {
    let works = false
    const { put, running, clock, outbox, heard } = begin(async () => {
      if (!works) throw new GatewayError('metadata-invalid', 'Unfit')
    })
    await put('a1', 'a2')
    await heard(1)
    works = true
    await outbox.retry('a1', clock.time)
    running.wake()
    expect(await heard(3)).toEqual(['a1 dead at 1', 'a1 delivered at 1', 'a2 delivered at 1'])
  })

  it('tries again whatever else a deliverer throws, and says nothing of it', async () => {
    const { put, outbox, heard } = begin(() => Promise.reject(new Error('Mario Rossi')))
    await put('a')
    expect(await heard(1)).toEqual(['a failed at 1 until 500'])
    const [listed] = await outbox.list({ limit: 1 })
    expect(listed?.reason).toMatch(/^internal: /)
    expect(listed?.reason).not.toMatch(/Rossi/)
  })

  it('tries again a deliverer that throws before it begins', async () => {
    const { put, heard } = begin(() => {
      throw new GatewayError('overloaded', 'Too much')
    })
    await put('a')
    expect(await heard(1)).toEqual(['a failed at 1 until 500'])
  })

  it('tries again what nobody here delivers: another replica may', async () => {
    const { put, heard, errors } = begin(async () => undefined, { deliverers: new Map() })
    await put('a')
    expect(await heard(1)).toEqual(['a failed at 1 until 500'])
    expect(errors).toMatchObject([{ code: 'internal', details: { kind } }])
  })

  it('ends the signal of an attempt at its deadline, and tries again though the client says the caller left', async () => {
    const { put, heard } = begin(
      (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            const name = signal.reason instanceof DOMException ? signal.reason.name : 'none'
            expect(name).toBe('TimeoutError')
            reject(new GatewayError('caller-gone', 'The caller left'))
          })
        }),
      { deadlineMs: 5 },
    )
    await put('a')
    expect(await heard(1)).toEqual(['a failed at 1 until 500'])
  })

  it('counts as failed one that is deaf to its signal, keeps its place, and believes it when it succeeds after all', async () => {
    const { deliver, ids, begun } = held()
    const { put, heard, outbox } = begin(deliver, { deadlineMs: 5, concurrency: 1 })
    await put('a', 'b')
    const deaf = await begun('a')
    expect(await heard(1)).toEqual(['a failed at 1 until 500'])
    expect(ids()).toEqual(['a'])
    deaf.end.resolve()
    expect((await heard(2)).slice(0, 2)).toEqual(['a failed at 1 until 500', 'a delivered at 1'])
    ;(await begun('b')).end.resolve()
    await vi.waitFor(async () => expect(await outbox.list({ limit: 1 })).toEqual([]))
  })

  it('says that the store failed, and goes on when it is woken again', async () => {
    let fails = true
    const { put, running, told, heard } = begin(async () => undefined, {
      inspect: (plain) => ({
        ...plain,
        claim: async (asked) => {
          if (fails) throw new GatewayError('internal', 'The store failed')
          return await plain.claim(asked)
        },
      }),
    })
    await put('a')
    await heard(1)
    expect(new Set(told)).toEqual(new Set(['trouble']))
    fails = false
    running.wake()
    await vi.waitFor(() => expect(told.at(-1)).toBe('a delivered at 1'))
  })

  it('makes a delivery again that it could not write down, after its claim has ended', async () => {
    let fails = true
    const { put, running, clock, heard } = begin(async () => undefined, {
      inspect: (plain) => ({
        ...plain,
        delivered: async (id) => {
          if (fails) throw new Error('disk')
          await plain.delivered(id)
        },
      }),
    })
    await put('a')
    expect(await heard(1)).toEqual(['trouble'])
    fails = false
    running.wake()
    clock.time += 60_000 + 30_000
    running.wake()
    expect(await heard(2)).toEqual(['trouble', 'a delivered at 2'])
  })

  it('waits on disposal for what is under way, writes it down, and begins nothing more', async () => {
    const { deliver, ids, begun } = held()
    const { put, running, outbox, told } = begin(deliver, { graceMs: 60_000 })
    await put('a1', 'a2', 'b1')
    const [a1, b1] = [await begun('a1'), await begun('b1')]
    const disposed = running[Symbol.asyncDispose]()
    running.wake()
    a1.end.resolve()
    b1.end.reject(new GatewayError('community-busy', 'Busy'))
    await disposed
    expect(told.toSorted()).toEqual(['a1 delivered at 1', 'b1 failed at 1 until 500'])
    await outbox.put(delivery('c'))
    running.wake()
    expect(ids()).toEqual(['a1', 'b1'])
    expect((await outbox.list({ limit: 10 })).map(({ id }) => id)).toEqual(['a2', 'b1', 'c'])
  })

  it('gives up on disposal what takes too long, and touches the outbox no more', async () => {
    const { deliver, begun } = held()
    const { put, running, outbox, told } = begin(deliver, { graceMs: 5 })
    await put('a', 'b')
    const [a, b] = [await begun('a'), await begun('b')]
    await running[Symbol.asyncDispose]()
    expect(a.signal.aborted).toBe(true)
    a.end.resolve()
    b.end.reject(new GatewayError('caller-gone', 'Gone'))
    await new Promise(setImmediate)
    expect(told).toEqual([])
    expect(await outbox.list({ limit: 10 })).toMatchObject([
      { id: 'a', nextAt: start + 90_000 },
      { id: 'b', nextAt: start + 90_000 },
    ])
  })

  it('makes every delivery once when several share an outbox', async () => {
    const clock = { now: () => start }
    const outbox = modelOutbox(clock)
    const made: string[] = []
    const deliver: Deliverer = async ({ id }) => {
      await new Promise(setImmediate)
      made.push(id)
    }
    const all = [1, 2, 3].map(() => begin(deliver, { outbox, clock }))
    for (let number = 0; number < 200; number++) {
      await outbox.put(delivery(`${number}`, { key: `${number % 7}` }))
      all[number % 3]?.running.wake()
    }
    await vi.waitFor(async () => expect(await outbox.list({ limit: 1 })).toEqual([]))
    expect(made).toHaveLength(200)
    for (let key = 0; key < 7; key++) {
      const ofKey = made.map(Number).filter((number) => number % 7 === key)
      expect(ofKey).toEqual(ofKey.toSorted((a, b) => a - b))
    }
  })

  it('tells nothing of what is delivered, nor of its key', async () => {
    const told: unknown[] = []
    const record = (...what: unknown[]) => void told.push(what)
    const { put } = begin(passing, { mostAttempts: 1, onDead: record, onFailed: record, onDelivered: record })
    await put('a')
    await vi.waitFor(() => expect(told).toHaveLength(1))
    expect(JSON.stringify(told)).toContain('"attempt":1')
    expect(JSON.stringify(told)).not.toMatch(/tell|"key"|content/)
  })
})
