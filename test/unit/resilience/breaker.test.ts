import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type ErrorCode, errorCodes, GatewayError } from '../../../src/core/errors.ts'
import { nothingFound, type QueryAnswer } from '../../../src/core/model/answers.ts'
import type { Community } from '../../../src/core/ports.ts'
import { type GuardedCommunity, guarded } from '../../../src/resilience/guarded.ts'
import type { GuardStateChange } from '../../../src/resilience/health.ts'
import {
  type Ask,
  answers,
  ask,
  callOf,
  communityOf,
  ending,
  fail,
  failing,
  guardOf,
  home,
  never,
  obedient,
  options,
  person,
} from './community.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('the breaker', () => {
  it('opens above its share of failures, and then asks nobody', async () => {
    const asked = vi.fn(failing('community-unavailable'))
    const community = guardOf(asked)
    await fail(community, 4)
    expect(community.health().state).toBe('open')
    const error = await ask(community).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'community-unavailable',
      message: 'The community is not being asked for now because it failed repeatedly',
      details: { actor: 'registry', breaker: 'open' },
    })
    expect(asked).toHaveBeenCalledTimes(4)
  })

  it('stays closed below its minimum of calls, and at its share of failures', async () => {
    const few = guardOf(failing('community-unavailable'))
    await fail(few, 3)
    expect(few.health().state).toBe('closed')

    let index = 0
    const half = guardOf((call) => (index++ % 2 === 0 ? answers(call) : failing('community-unavailable')(call)))
    await fail(half, 40)
    expect(half.health().state).toBe('closed')
  })

  it.each(errorCodes.map((code) => [code]))('judges by %s as the table of errors says', async (code) => {
    const community = guardOf(failing(code))
    await fail(community, 20)
    const counts = ['community-unavailable', 'community-timeout', 'community-misbehaved', 'community-busy']
    expect(community.health().state).toBe(counts.includes(code) ? 'open' : 'closed')
  })

  it('opens on a community that hangs, although the adapter is deaf', async () => {
    const community = guardOf(never, { concurrency: 10 })
    const asked = Array.from({ length: 4 }, () => ending(ask(community)))
    await vi.advanceTimersByTimeAsync(1_000)
    await Promise.all(asked)
    expect(community.health()).toMatchObject({ state: 'open', actors: [{ running: 4 }] })
  })

  it('opens on a community that hangs however long its calls may take', async () => {
    const community = guardOf(obedient, { timeoutMs: 30_000 })
    for (let round = 0; round < 2; round++) {
      const patient = callOf({ deadline: Date.now() + 60_000 })
      const asked = [ending(ask(community, patient)), ending(ask(community, patient))]
      await vi.advanceTimersByTimeAsync(30_000)
      await Promise.all(asked)
    }
    expect(community.health().state).toBe('open')
  })

  it('is not opened by a healthy community’s full slots', async () => {
    const community = guardOf(answers, { concurrency: 1 })
    for (let round = 0; round < 10; round++) {
      const ends = await Promise.all(Array.from({ length: 4 }, () => ending(ask(community))))
      expect(ends).toEqual(['answered', 'community-busy', 'community-busy', 'community-busy'])
    }
    expect(community.health().state).toBe('closed')
  })

  it('is not kept closed by full slots either while a community hangs', async () => {
    const community = guardOf(obedient)
    for (let round = 0; round < 2; round++) {
      const asked = Array.from({ length: 100 }, () => ending(ask(community)))
      await vi.advanceTimersByTimeAsync(1_000)
      await Promise.all(asked)
    }
    expect(community.health().state).toBe('open')
  })

  it('is neither opened nor kept closed by callers who leave', async () => {
    const leaving = async (community: Community): Promise<void> => {
      const caller = new AbortController()
      const asked = ending(ask(community, callOf({ signal: caller.signal })))
      caller.abort()
      expect(await asked).toBe('caller-gone')
    }
    const community = guardOf(obedient)
    for (let index = 0; index < 40; index++) await leaving(community)
    expect(community.health().state).toBe('closed')
    for (let round = 0; round < 2; round++) {
      const asked = [ending(ask(community)), ending(ask(community))]
      await vi.advanceTimersByTimeAsync(1_000)
      await Promise.all(asked)
    }
    expect(community.health().state).toBe('open')
  })

  it('is not opened by exchanges that had no time left', async () => {
    const community = guardOf(obedient)
    for (let index = 0; index < 20; index++) {
      const asked = ending(ask(community, callOf({ deadline: Date.now() + 10 })))
      await vi.advanceTimersByTimeAsync(10)
      expect(await asked).toBe('community-timeout')
    }
    expect(community.health().state).toBe('closed')
  })

  it('judges the actors of a community apart', async () => {
    const patients = { locate: () => Promise.reject(new GatewayError('community-unavailable', 'gone')) }
    const community = guarded(communityOf(answers, { patients }), options)
    for (let index = 0; index < 4; index++) await ending(Promise.resolve(community.patients?.locate(person, callOf())))
    expect(community.health()).toMatchObject({
      name: 'region-050',
      home,
      state: 'open',
      actors: [
        { actor: 'registry', state: 'closed' },
        { actor: 'patients', state: 'open' },
      ],
    })
    expect(await ending(ask(community))).toBe('answered')
  })
})

describe('a breaker that is open', () => {
  async function opened(then: Ask): Promise<{ community: GuardedCommunity; changes: GuardStateChange[]; asks: Ask[] }> {
    const changes: GuardStateChange[] = []
    const asks = [failing('community-unavailable')]
    const community = guardOf(
      (call) => (asks[0] ?? never)(call),
      {},
      { onStateChange: (change) => changes.push(change) },
    )
    await fail(community, 4)
    expect(community.health().state).toBe('open')
    asks[0] = then
    return { community, changes, asks }
  }

  it('lets one call try after a while, and closes when it is answered', async () => {
    const { community, changes } = await opened(answers)
    await vi.advanceTimersByTimeAsync(4_999)
    expect(await ending(ask(community))).toBe('community-unavailable')
    await vi.advanceTimersByTimeAsync(1)
    expect(community.health()).toMatchObject({ state: 'half-open', actors: [{ since: 1_005_000 }] })
    expect(await Promise.all([ending(ask(community)), ending(ask(community))])).toEqual([
      'answered',
      'community-unavailable',
    ])
    expect(community.health().state).toBe('closed')
    const told = { name: 'region-050', home, actor: 'registry' }
    expect(changes).toEqual([
      { ...told, from: 'closed', to: 'open', at: 1_000_000 },
      { ...told, from: 'open', to: 'half-open', at: 1_005_000 },
      { ...told, from: 'half-open', to: 'closed', at: 1_005_000 },
    ])
  })

  it('opens again when the one that tries fails, and waits as long again', async () => {
    const { community } = await opened(failing('community-misbehaved'))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(await ending(ask(community))).toBe('community-misbehaved')
    expect(community.health().state).toBe('open')
    await vi.advanceTimersByTimeAsync(5_000)
    expect(community.health().state).toBe('half-open')
  })

  it('closes when the one that tries is refused in the community’s own words', async () => {
    const issues = [{ severity: 'error', code: 'XDSUnknownPatientId', text: 'unknown' }] as const
    const refusal = new GatewayError('patient-unknown', 'Unknown', { issues })
    const { community } = await opened(() => Promise.reject(refusal))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(await ending(ask(community))).toBe('patient-unknown')
    expect(community.health().state).toBe('closed')
  })

  it.each([
    ['its caller leaves', 'caller-gone'],
    ['the adapter refuses it unasked', 'query-unsupported'],
    ['we are overloaded', 'overloaded'],
    ['we make a mistake', 'internal'],
  ] as const)('waits for another to try when %s', async (_case, code) => {
    const { community, asks } = await opened(failing(code))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(await ending(ask(community))).toBe(code)
    expect(community.health().state).toBe('half-open')
    asks[0] = answers
    expect(await ending(ask(community))).toBe('answered')
    expect(community.health().state).toBe('closed')
  })

  it('hears nothing of calls that began before it opened', async () => {
    const old = Promise.withResolvers<QueryAnswer>()
    const asks: Ask[] = [() => old.promise]
    const community = guardOf((call) => (asks[0] ?? never)(call), { timeoutMs: 60_000, resetMs: 5_000 })
    const before = ending(ask(community, callOf({ deadline: Date.now() + 60_000 })))
    asks[0] = failing('community-unavailable')
    await fail(community, 4)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(community.health().state).toBe('half-open')
    old.resolve(nothingFound)
    expect(await before).toBe('answered')
    expect(community.health().state).toBe('half-open')
  })

  it('tries nobody while deaf adapters hold every slot', async () => {
    const community = guardOf(never)
    const asked = [ending(ask(community)), ending(ask(community))]
    await vi.advanceTimersByTimeAsync(1_000)
    await Promise.all(asked)
    expect(await ending(ask(community))).toBe('community-busy')
    expect(community.health()).toMatchObject({ state: 'closed', actors: [{ running: 2 }] })
  })

  it('does not let an observer that throws fail a call', async () => {
    const onStateChange = vi.fn(() => {
      throw new Error('a mistake')
    })
    const asks = [failing('community-unavailable')]
    const community = guardOf((call) => (asks[0] ?? never)(call), {}, { onStateChange })
    await fail(community, 4)
    asks[0] = answers
    await vi.advanceTimersByTimeAsync(5_000)
    expect(await ending(ask(community))).toBe('answered')
    expect(onStateChange).toHaveBeenCalledTimes(3)
    expect(community.health()).toMatchObject({ state: 'closed', actors: [{ running: 0 }] })
  })
})

describe('whatever happens to calls', () => {
  it('every caller is let go in time, no slot is lost, and never more calls run than may', async () => {
    const kind = fc.constantFrom('answers', 'fails', 'refuses', 'hangs', 'deaf', 'leaves')
    const step = fc.record({ kind, delay: fc.integer({ min: 0, max: 1_500 }), pause: fc.integer({ min: 0, max: 800 }) })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        let inside = 0
        let most = 0
        const asks: Ask[] = []
        const community = guardOf(async (call) => {
          most = Math.max(most, ++inside)
          try {
            return await (asks.at(-1) ?? answers)(call)
          } finally {
            inside--
          }
        })
        const ends: Promise<unknown>[] = []
        for (const { kind, delay, pause } of steps) {
          const caller = new AbortController()
          const later = (end: () => QueryAnswer): Promise<QueryAnswer> =>
            new Promise((resolve, reject) => {
              setTimeout(() => {
                try {
                  resolve(end())
                } catch (error) {
                  reject(error)
                }
              }, delay)
            })
          const failed = (code: ErrorCode) => (): QueryAnswer => {
            throw new GatewayError(code, 'as told')
          }
          asks.push(
            {
              answers: () => later(() => nothingFound),
              fails: () => later(failed('community-unavailable')),
              refuses: () => later(failed('community-rejected')),
              hangs: obedient,
              deaf: () => later(() => nothingFound),
              leaves: obedient,
            }[kind],
          )
          if (kind === 'leaves') setTimeout(() => caller.abort(), delay)
          ends.push(ending(ask(community, callOf({ signal: caller.signal }))))
          await vi.advanceTimersByTimeAsync(pause)
        }
        await vi.advanceTimersByTimeAsync(options.timeoutMs)
        await Promise.all(ends)
        await vi.advanceTimersByTimeAsync(2_000)
        expect(most).toBeLessThanOrEqual(options.concurrency)
        expect(inside).toBe(0)
        expect(community.health().actors[0]?.running).toBe(0)
        await community[Symbol.asyncDispose]()
      }),
      { numRuns: 60 },
    )
  })
})
