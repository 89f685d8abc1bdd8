import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { GatewayError } from '../../../src/core/errors.ts'
import { type GroupCommitOptions, groupCommit } from '../../../src/store/group-commit.ts'

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

/** A group commit whose writes end when the test says so; a receipt is the item and an exclamation mark. */
function start(limits: Partial<Omit<GroupCommitOptions<string, string>, 'write'>> = {}) {
  const writes: { batch: readonly string[]; end: PromiseWithResolvers<readonly string[]> }[] = []
  const group = groupCommit<string, string>({
    write(batch) {
      const end = Promise.withResolvers<readonly string[]>()
      writes.push({ batch, end })
      return end.promise
    },
    capacity: 10,
    batchSize: 10,
    deadlineMs: 1000,
    ...limits,
  })

  /** The write of that number, once it has begun. */
  async function write(index: number) {
    for (;;) {
      const begun = writes[index]
      if (begun !== undefined) return begun
      await nextTurn()
    }
  }

  return {
    group,
    batches: () => writes.map(({ batch }) => batch.join('')),
    begun: write,
    async succeed(index: number): Promise<void> {
      const { batch, end } = await write(index)
      end.resolve(batch.map((item) => `${item}!`))
    },
    async fail(index: number, error: unknown): Promise<void> {
      const { end } = await write(index)
      end.reject(error)
    },
    addAll: (items: string) => Promise.allSettled([...items].map((item) => group.add(item))),
    failed: (item: string) => group.add(item).then(undefined, (error: unknown) => error),
  }
}

describe('groupCommit', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  it('writes in one batch what is added in one turn, and what arrives meanwhile in the next', async () => {
    const { addAll, batches, begun, succeed } = start()
    const first = addAll('ab')
    await begun(0)
    const second = addAll('cd')
    await nextTurn()
    expect(batches()).toEqual(['ab'])
    await succeed(0)
    expect(await first).toMatchObject([{ value: 'a!' }, { value: 'b!' }])
    await succeed(1)
    expect(await second).toMatchObject([{ value: 'c!' }, { value: 'd!' }])
    expect(batches()).toEqual(['ab', 'cd'])
  })

  it('takes nothing for durable before the write has ended', async () => {
    const { group, begun, succeed } = start()
    const settled = vi.fn()
    const added = group.add('a').then(settled)
    await begun(0)
    await nextTurn()
    expect(settled).not.toHaveBeenCalled()
    await succeed(0)
    await added
    expect(settled).toHaveBeenCalledWith('a!')
  })

  it('writes no more than a batch at once, in the order of arrival', async () => {
    const { addAll, batches, succeed } = start({ batchSize: 2 })
    const added = addAll('abcde')
    for (const index of [0, 1, 2]) await succeed(index)
    await added
    expect(batches()).toEqual(['ab', 'cd', 'e'])
  })

  it('lets callers that were just answered share the next batch with those that waited', async () => {
    const { group, batches, begun, succeed } = start()
    const again = group.add('a').then(() => group.add('c'))
    await begun(0)
    const waited = group.add('b')
    await succeed(0)
    await succeed(1)
    await Promise.all([again, waited])
    expect(batches()).toEqual(['a', 'bc'])
  })

  it('rejects everybody in a batch that failed, and nobody else', async () => {
    const { addAll, begun, fail, succeed } = start()
    const failing = addAll('ab')
    await begun(0)
    const next = addAll('c')
    await fail(0, new GatewayError('internal', 'disk'))
    expect(await failing).toMatchObject([{ reason: { message: 'disk' } }, { reason: { message: 'disk' } }])
    await succeed(1)
    expect(await next).toMatchObject([{ value: 'c!' }])
  })

  it('turns a failure of any kind into a GatewayError', async () => {
    const { failed, fail } = start()
    const added = failed('a')
    await fail(0, new TypeError('x'))
    expect(await added).toMatchObject({ name: 'GatewayError', code: 'internal' })
  })

  it('rejects a batch of which not every item was acknowledged', async () => {
    const { addAll, begun } = start()
    const added = addAll('ab')
    const { end } = await begun(0)
    end.resolve(['a!'])
    expect(await added).toMatchObject([{ reason: { code: 'internal' } }, { reason: { code: 'internal' } }])
  })

  it('counts what is being written against its capacity, and serves again when it has emptied', async () => {
    const { group, addAll, begun, failed, succeed } = start({ capacity: 2 })
    const first = addAll('a')
    await begun(0)
    const second = addAll('bc')
    expect(await failed('d')).toMatchObject({ code: 'overloaded' })
    await succeed(0)
    await first
    await succeed(1)
    expect(await second).toMatchObject([{ value: 'b!' }, { reason: { code: 'overloaded' } }])
    const third = group.add('e')
    await succeed(2)
    expect(await third).toBe('e!')
  })

  it('writes no more than a batch may weigh at once, and what weighs more by itself', async () => {
    const { addAll, batches, succeed } = start({ weights: { of: Number, batch: 5, capacity: 100 } })
    const added = addAll('2392111')
    for (const index of [0, 1, 2]) await succeed(index)
    await added
    expect(batches()).toEqual(['23', '9', '2111'])
  })

  it('refuses what would weigh too much with what waits and what is being written, until that is done with', async () => {
    const weights = { of: Number, batch: 5, capacity: 9 }
    const { group, addAll, begun, failed, succeed } = start({ weights, deadlineMs: 100 })
    const first = addAll('4')
    await begun(0)
    const second = addAll('53')
    expect(await failed('1')).toMatchObject({ code: 'overloaded' })
    await succeed(0)
    await first
    const third = failed('4')
    await begun(1)
    expect(await failed('1')).toMatchObject({ code: 'overloaded' })
    // One that was given up before it began weighs no more.
    vi.advanceTimersByTime(100)
    expect(await third).toMatchObject({ details: { started: false } })
    const fourth = group.add('3')
    await succeed(1)
    await succeed(2)
    expect(await second).toMatchObject([{ reason: { details: { started: true } } }, { reason: { code: 'overloaded' } }])
    expect(await fourth).toBe('3!')
  })

  it('gives up an item that waited too long, never writes it, and frees its place', async () => {
    const { group, batches, begun, failed, succeed } = start({ capacity: 2, deadlineMs: 100 })
    const hanging = failed('a')
    await begun(0)
    vi.advanceTimersByTime(50)
    const waiting = failed('b')
    vi.advanceTimersByTime(50)
    expect(await hanging).toMatchObject({ code: 'internal', details: { started: true } })
    vi.advanceTimersByTime(50)
    expect(await waiting).toMatchObject({ code: 'internal', details: { started: false } })
    const third = group.add('c')
    await succeed(0)
    await succeed(1)
    expect(await third).toBe('c!')
    expect(batches()).toEqual(['a', 'c'])
  })

  it('drains: refuses what is new, and waits for what was accepted', async () => {
    const { group, addAll, failed, succeed } = start({ batchSize: 1 })
    const accepted = addAll('ab')
    const drained = vi.fn()
    const draining = group.drain().then(drained)
    expect(await failed('c')).toMatchObject({ code: 'internal' })
    await succeed(0)
    await nextTurn()
    expect(drained).not.toHaveBeenCalled()
    await succeed(1)
    await draining
    expect(await accepted).toMatchObject([{ value: 'a!' }, { value: 'b!' }])
  })

  it('has nothing to drain when nothing was added', async () => {
    await expect(start().group.drain()).resolves.toBeUndefined()
  })
})
