import { describe, expect, it } from 'vitest'
import { slotsOf } from '../../../src/resilience/slots.ts'
import { authorized } from '../../support/builders.ts'

const call = (signal: AbortSignal = new AbortController().signal) => ({ ...authorized(), signal })

describe('the slots before a community', () => {
  it('are given at once while there are any', () => {
    const slots = slotsOf(1, 0, 'registry')
    expect(slots.take(call(), 1_000)).toBeUndefined()
  })

  it('are refused when the queue is full', () => {
    const slots = slotsOf(1, 0, 'registry')
    void slots.take(call(), 1_000)
    expect(() => slots.take(call(), 1_000)).toThrow(expect.objectContaining({ code: 'community-busy' }))
  })

  it('pass from who is done to who waited longest', async () => {
    const slots = slotsOf(1, 2, 'registry')
    void slots.take(call(), 1_000)
    const order: string[] = []
    const first = slots.take(call(), 60_000)?.then(() => order.push('first'))
    const second = slots.take(call(), 60_000)?.then(() => order.push('second'))
    slots.giveBack()
    await first
    slots.giveBack()
    await second
    expect(order).toEqual(['first', 'second'])
    slots.giveBack()
    expect(slots.take(call(), 1_000)).toBeUndefined()
  })

  it('are not waited for longer than said', async () => {
    const slots = slotsOf(1, 1, 'registry')
    void slots.take(call(), 1_000)
    await expect(slots.take(call(), 1)).rejects.toMatchObject({ code: 'community-busy' })
    slots.giveBack()
    expect(slots.take(call(), 1_000)).toBeUndefined()
  })

  it('are not kept for a caller who left', async () => {
    const slots = slotsOf(1, 1, 'registry')
    void slots.take(call(), 1_000)
    const caller = new AbortController()
    const waiting = slots.take(call(caller.signal), 60_000)
    caller.abort(new Error('gone'))
    await expect(waiting).rejects.toMatchObject({ code: 'caller-gone' })
    slots.giveBack()
    expect(slots.take(call(), 1_000)).toBeUndefined()
  })
})
