import { describe, expect, it } from 'vitest'
import {
  type CredentialOutcome,
  credentialKey,
  credentialLatch,
  type Tried,
} from '../../../../src/trust/sistema-ts/latch.ts'

const quiet = () => undefined
const { signal } = new AbortController()
const refusal = { code: 'community-rejected', details: { reason: 'authentication' } }

/** A call that ends when it is told to. */
function pending() {
  const { promise, resolve } = Promise.withResolvers<CredentialOutcome>()
  let runs = 0
  const call = async () => {
    runs++
    return tried(await promise)
  }
  return { call, resolve, runs: () => runs }
}

const tried = (outcome: CredentialOutcome): Tried<string> =>
  outcome === 'refused' ? { outcome } : { outcome, value: 'answer' }
const ending = (outcome: CredentialOutcome) => async () => tried(outcome)
const settle = () => new Promise((resolve) => setImmediate(resolve))

describe('the latch of credentials', () => {
  it('presents refused credentials never again, and tells it once', async () => {
    let told = 0
    const latch = credentialLatch(() => told++)
    await expect(latch.run('a', signal, ending('refused'))).rejects.toMatchObject(refusal)
    const again = pending()
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(latch.run('a', signal, again.call)).rejects.toMatchObject(refusal)
    }
    expect(again.runs()).toBe(0)
    expect(told).toBe(1)
  })

  it('lets other credentials through', async () => {
    const latch = credentialLatch(quiet)
    await latch.run('a', signal, ending('refused')).catch(quiet)
    await expect(latch.run('b', signal, ending('accepted'))).resolves.toBe('answer')
  })

  it('lets them through again when an operator says so', async () => {
    const latch = credentialLatch(quiet)
    await latch.run('a', signal, ending('refused')).catch(quiet)
    expect(latch.reset()).toBe(1)
    await expect(latch.run('a', signal, ending('accepted'))).resolves.toBe('answer')
    expect(latch.reset()).toBe(0)
  })

  it('tries credentials nobody accepted yet by one call, so that wrong ones are presented once', async () => {
    const latch = credentialLatch(quiet)
    const one = pending()
    const calls = Array.from({ length: 8 }, () => latch.run('a', signal, one.call))
    const ended = Promise.allSettled(calls)
    await settle()
    expect(one.runs()).toBe(1)
    one.resolve('refused')
    expect((await ended).map(({ status }) => status)).toEqual(Array(8).fill('rejected'))
    expect(one.runs()).toBe(1)
  })

  it('lets everybody go at once when they were accepted', async () => {
    const latch = credentialLatch(quiet)
    const one = pending()
    const two = pending()
    const before = [
      latch.run('a', signal, one.call),
      latch.run('a', signal, two.call),
      latch.run('a', signal, two.call),
    ]
    await settle()
    expect([one.runs(), two.runs()]).toEqual([1, 0])
    one.resolve('accepted')
    await settle()
    expect(two.runs()).toBe(2)
    two.resolve('accepted')
    await expect(Promise.all(before)).resolves.toHaveLength(3)
  })

  it('has the next call try when the first says nothing of the credentials', async () => {
    const latch = credentialLatch(quiet)
    const failing = latch.run('a', signal, () => Promise.reject(new Error('no connection')))
    const next = latch.run('a', signal, ending('accepted'))
    await expect(failing).rejects.toThrow('no connection')
    await expect(next).resolves.toBe('answer')
  })

  it('refuses credentials that were accepted before, from the first refusal on', async () => {
    const latch = credentialLatch(quiet)
    await latch.run('a', signal, ending('accepted'))
    await expect(latch.run('a', signal, ending('refused'))).rejects.toMatchObject(refusal)
    const later = pending()
    await expect(latch.run('a', signal, later.call)).rejects.toMatchObject(refusal)
    expect(later.runs()).toBe(0)
  })

  it.each([
    [new DOMException('late', 'TimeoutError'), 'community-timeout'],
    [new Error('gone'), 'caller-gone'],
  ])('does not hold a caller who waits no more', async (reason, code) => {
    const latch = credentialLatch(quiet)
    const slow = pending()
    const first = latch.run('a', signal, slow.call)
    const caller = new AbortController()
    const second = latch.run('a', caller.signal, ending('accepted'))
    caller.abort(reason)
    await expect(second).rejects.toMatchObject({ code })
    slow.resolve('accepted')
    await first
  })

  it('refuses everything that nobody accepted yet when too many different credentials were refused', async () => {
    const latch = credentialLatch(quiet)
    await latch.run('accepted', signal, ending('accepted'))
    for (let one = 0; one < 64; one++) await latch.run(`user-${one}`, signal, ending('refused')).catch(quiet)
    const other = pending()
    await expect(latch.run('somebody else', signal, other.call)).rejects.toMatchObject(refusal)
    expect(other.runs()).toBe(0)
    await expect(latch.run('accepted', signal, ending('accepted'))).resolves.toBeDefined()
  })

  it('tells credentials apart wherever one part ends and the next begins', () => {
    expect(credentialKey('ab', 'c')).not.toBe(credentialKey('a', 'bc'))
    expect(credentialKey('secret')).not.toContain('secret')
  })
})
