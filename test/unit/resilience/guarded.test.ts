import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nothingFound, type QueryAnswer } from '../../../src/core/model/answers.ts'
import type { AuthorizedCall } from '../../../src/core/model/call.ts'
import type { Community, KnownPatient } from '../../../src/core/ports.ts'
import { guarded } from '../../../src/resilience/guarded.ts'
import {
  answers,
  ask,
  callOf,
  communityOf,
  ending,
  guardOf,
  home,
  never,
  obedient,
  options,
  person,
  query,
} from './community.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('a guarded community', () => {
  it('is the community it guards, with the actors it has', async () => {
    const patients = { locate: () => Promise.resolve(undefined) }
    const registry = { query: () => Promise.resolve(nothingFound) }
    const bare: Community = {
      home,
      name: 'ini',
      relation: 'national',
      identifiers: 'each',
      reaches: [],
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
    expect(guarded(bare, options)).toMatchObject({
      home,
      name: 'ini',
      relation: 'national',
      identifiers: 'each',
      reaches: [],
    })
    expect('registry' in guarded({ ...bare, patients }, options)).toBe(false)
    expect('patients' in guarded({ ...bare, registry }, options)).toBe(false)
    expect(await ask(guarded({ ...bare, registry }, options))).toBe(nothingFound)
  })

  it('hands query, identifier and call inward, the call with a signal of its own', async () => {
    const registry = { query: vi.fn(() => Promise.resolve(nothingFound)) }
    const known: KnownPatient = { patient: { identifiers: [person], active: person }, assistedBy: home }
    const patients = { locate: vi.fn(() => Promise.resolve(known)) }
    const community = guarded(communityOf(answers, { registry, patients }), options)
    const call = callOf()
    await community.registry?.query(query, call)
    expect(await community.patients?.locate(person, call)).toBe(known)
    const inward = { ...call, signal: expect.any(AbortSignal) }
    expect(registry.query).toHaveBeenCalledExactlyOnceWith(query, inward)
    expect(patients.locate).toHaveBeenCalledExactlyOnceWith(person, inward)
  })

  it('asks as often as it is asked, for each caller under the caller’s own assertion', async () => {
    const asked: AuthorizedCall[] = []
    const community = guardOf((call) => {
      asked.push(call)
      return Promise.resolve(nothingFound)
    })
    const nurse = callOf()
    const doctor = callOf({ assertion: { ...nurse.assertion, id: '_2', role: 'APR' } })
    await Promise.all([ask(community, nurse), ask(community, doctor)])
    expect(asked.map((call) => call.assertion)).toEqual([nurse.assertion, doctor.assertion])
  })

  it('leaves neither timer nor listener behind an answer', async () => {
    const community = guardOf(answers)
    const before = vi.getTimerCount()
    const call = callOf()
    await ask(community, call)
    expect(vi.getTimerCount()).toBe(before)
    expect(getEventListeners(call.signal, 'abort')).toHaveLength(0)
  })

  it('turns what is no GatewayError into an internal failure, thrown at once or later', async () => {
    expect(await ending(ask(guardOf(() => Promise.reject(new TypeError('a mistake')))))).toBe('internal')
    const sudden = guardOf(() => {
      throw new TypeError('a mistake')
    })
    expect(await ending(ask(sudden))).toBe('internal')
    expect(sudden.health().actors[0]?.running).toBe(0)
  })

  it('disposes the community and asks it no more', async () => {
    const disposed = vi.fn(() => Promise.resolve())
    const community = guarded(communityOf(answers, { [Symbol.asyncDispose]: disposed }), options)
    await community[Symbol.asyncDispose]()
    expect(disposed).toHaveBeenCalledOnce()
    expect(await ending(ask(community))).toBe('overloaded')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('lets a call under way at disposal come to its end', async () => {
    const answer = Promise.withResolvers<QueryAnswer>()
    const community = guardOf(() => answer.promise)
    const asked = ask(community)
    await community[Symbol.asyncDispose]()
    answer.resolve(nothingFound)
    expect(await asked).toBe(nothingFound)
  })
})

describe('the limit in time', () => {
  it('aborts the call inside with a TimeoutError, and only then', async () => {
    let inside: AbortSignal | undefined
    const community = guardOf((call) => {
      inside = call.signal
      return obedient(call)
    })
    const asked = ending(ask(community))
    await vi.advanceTimersByTimeAsync(999)
    expect(inside?.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(await asked).toBe('community-timeout')
    expect(inside?.reason).toMatchObject({ name: 'TimeoutError' })
  })

  it('releases the caller of a deaf adapter, but not its slot until the adapter ends', async () => {
    const late = Promise.withResolvers<QueryAnswer>()
    const community = guardOf(() => late.promise)
    const asked = [ending(ask(community)), ending(ask(community))]
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await Promise.all(asked)).toEqual(['community-timeout', 'community-timeout'])
    expect(community.health().actors[0]).toMatchObject({ running: 2, concurrency: 2 })
    expect(await ending(ask(community))).toBe('community-busy')

    late.resolve(nothingFound)
    await vi.advanceTimersByTimeAsync(0)
    expect(community.health().actors[0]).toMatchObject({ running: 0 })
    expect(await ending(ask(community))).toBe('answered')
  })

  it('is not troubled by an adapter that fails after its caller was released', async () => {
    const late = Promise.withResolvers<QueryAnswer>()
    const community = guardOf(() => late.promise)
    const asked = ending(ask(community))
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await asked).toBe('community-timeout')
    late.reject(new Error('too late to matter'))
    await vi.advanceTimersByTimeAsync(0)
    expect(community.health().actors[0]?.running).toBe(0)
  })

  it('aborts one caller’s call without touching another’s', async () => {
    const community = guardOf(obedient)
    const first = ending(ask(community))
    await vi.advanceTimersByTimeAsync(600)
    let done: string | undefined
    const second = ending(ask(community)).then((end) => {
      done = end
    })
    await vi.advanceTimersByTimeAsync(400)
    expect(await first).toBe('community-timeout')
    expect(done).toBeUndefined()
    await vi.advanceTimersByTimeAsync(600)
    await second
    expect(done).toBe('community-timeout')
  })

  it('never waits past the deadline of the call', async () => {
    const community = guardOf(never)
    const asked = ask(community, callOf({ deadline: Date.now() + 300 })).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(300)
    expect(await asked).toMatchObject({ code: 'community-timeout', details: { limit: 'deadline', limitMs: 300 } })
  })

  it('reads the deadline on the clock it was given', async () => {
    const clock = { now: () => 50 }
    const community = guarded(communityOf(never), options, {}, clock)
    const asked = ask(community, callOf({ deadline: 250 })).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(200)
    expect(await asked).toMatchObject({ details: { limit: 'deadline', limitMs: 200 } })
  })

  it('does not ask at all when the deadline has passed or the caller has left', async () => {
    const asked = vi.fn(answers)
    const community = guardOf(asked)
    expect(await ending(ask(community, callOf({ deadline: Date.now() })))).toBe('community-timeout')
    expect(await ending(ask(community, callOf({ signal: AbortSignal.abort() })))).toBe('caller-gone')
    expect(asked).not.toHaveBeenCalled()
  })

  it('may be longer than any timer', async () => {
    const community = guardOf(never, { timeoutMs: Number.POSITIVE_INFINITY })
    const caller = new AbortController()
    const asked = ending(ask(community, callOf({ signal: caller.signal, deadline: Number.POSITIVE_INFINITY })))
    await vi.advanceTimersByTimeAsync(60_000)
    caller.abort()
    expect(await asked).toBe('caller-gone')
  })
})

describe('the caller', () => {
  it('who leaves is let go at once, and the call inside is told why', async () => {
    const caller = new AbortController()
    let inside: AbortSignal | undefined
    const community = guardOf((call) => {
      inside = call.signal
      return never(call)
    })
    const asked = ending(ask(community, callOf({ signal: caller.signal })))
    const reason = new Error('hung up')
    caller.abort(reason)
    expect(await asked).toBe('caller-gone')
    expect(inside?.reason).toBe(reason)
  })

  it('whose exchange ran out of time has not left', async () => {
    const exchange = new AbortController()
    const asked = ending(ask(guardOf(never), callOf({ signal: exchange.signal })))
    exchange.abort(new DOMException('deadline', 'TimeoutError'))
    expect(await asked).toBe('community-timeout')
  })
})
