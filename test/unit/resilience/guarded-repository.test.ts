import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { GatewayError } from '../../../src/core/errors.ts'
import type { AuthorizedCall } from '../../../src/core/model/call.ts'
import type { DocumentReference, RetrieveAnswer } from '../../../src/core/model/retrieval.ts'
import type { DocumentRepository } from '../../../src/core/ports.ts'
import { guarded } from '../../../src/resilience/guarded.ts'
import { answers, ask, callOf, communityOf, ending, fail, failing, never, options } from './community.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
})

afterEach(() => {
  vi.useRealTimers()
})

const references: readonly DocumentReference[] = [{ repositoryUniqueId: '1.2.3', uniqueId: '4' }]
const nothing: RetrieveAnswer = { documents: [], issues: [] }

function repositoryOf(retrieve: DocumentRepository['retrieve'], mostAtOnce = 3): DocumentRepository {
  return { mostAtOnce, retrieve }
}

function community(retrieve: DocumentRepository['retrieve'], retrievalTimeoutMs?: number, registry = answers) {
  return guarded(communityOf(registry, { repository: repositoryOf(retrieve) }), {
    ...options,
    ...(retrievalTimeoutMs === undefined ? {} : { retrievalTimeoutMs }),
  })
}

async function retrieve({ repository }: ReturnType<typeof guarded>, call = callOf()): Promise<RetrieveAnswer> {
  if (repository === undefined) throw new Error('no repository')
  return await repository.retrieve(references, call)
}

describe('a guarded repository', () => {
  it('is there when the community has one, and takes as many documents at once', () => {
    expect(community(async () => nothing).repository?.mostAtOnce).toBe(3)
    expect('repository' in guarded(communityOf(answers), options)).toBe(false)
  })

  it('is asked for the same documents, under a call of the same exchange with a signal of its own', async () => {
    const actor = vi.fn((_references: readonly DocumentReference[], _call: AuthorizedCall) => Promise.resolve(nothing))
    await using held = new AsyncDisposableStack()
    const call = callOf({ held })
    expect(await retrieve(community(actor), call)).toBe(nothing)
    expect(actor).toHaveBeenCalledExactlyOnceWith(references, { ...call, signal: expect.any(AbortSignal) })
    expect(actor.mock.calls[0]?.[1].held).toBe(held)
  })

  it('has longer than a question where documents are given longer', async () => {
    let inside: AbortSignal | undefined
    const slow = community((_references, { signal }) => {
      inside = signal
      return new Promise(() => undefined)
    }, 5_000)
    const asked = retrieve(slow).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(4_999)
    expect(inside?.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(await asked).toMatchObject({ code: 'community-timeout', details: { limit: 'guard', limitMs: 5_000 } })
    expect(inside?.reason).toMatchObject({ name: 'TimeoutError' })
  })

  it('has as long as a question otherwise, and never longer than the exchange', async () => {
    const deaf = () => new Promise<never>(() => undefined)
    const asked = ending(retrieve(community(deaf)))
    const late = ending(retrieve(community(deaf, 5_000), callOf({ deadline: Date.now() + 500 })))
    await vi.advanceTimersByTimeAsync(500)
    expect(await late).toBe('community-timeout')
    await vi.advanceTimersByTimeAsync(500)
    expect(await asked).toBe('community-timeout')
  })

  it('does not leave questions waiting while documents are on their way, nor the other way round', async () => {
    const busy = community(() => new Promise(() => undefined), 5_000)
    const retrieving = [ending(retrieve(busy)), ending(retrieve(busy))]
    expect(await ending(retrieve(busy))).toBe('community-busy')
    expect(await ending(ask(busy))).toBe('answered')
    await vi.advanceTimersByTimeAsync(5_000)
    expect(await Promise.all(retrieving)).toEqual(['community-timeout', 'community-timeout'])

    const deaf = community(async () => nothing, undefined, never)
    const asking = [ending(ask(deaf)), ending(ask(deaf))]
    expect(await ending(ask(deaf))).toBe('community-busy')
    expect(await ending(retrieve(deaf))).toBe('answered')
    await vi.advanceTimersByTimeAsync(1_000)
    await Promise.all(asking)
  })

  it('has a breaker of its own', async () => {
    const broken = community(() => Promise.reject(new GatewayError('community-unavailable', 'down')))
    for (let index = 0; index < 4; index++) await ending(retrieve(broken))
    const refused = await retrieve(broken).catch((error: unknown) => error)
    expect(refused).toMatchObject({ details: { actor: 'repository', breaker: 'open' } })
    expect(await ending(ask(broken))).toBe('answered')
    expect(broken.health()).toMatchObject({
      state: 'open',
      actors: [
        { actor: 'registry', state: 'closed' },
        { actor: 'repository', state: 'open' },
      ],
    })
    const silent = community(async () => nothing, undefined, failing('community-unavailable'))
    await fail(silent, 4)
    expect(await ending(ask(silent))).toBe('community-unavailable')
    expect(await ending(retrieve(silent))).toBe('answered')
  })

  it.each(['document-altered', 'caller-gone', 'overloaded', 'internal'] as const)(
    'is not ill for a failure that is not about its health: %s',
    async (code) => {
      const one = community(() => Promise.reject(new GatewayError(code, 'as told')))
      for (let index = 0; index < 8; index++) expect(await ending(retrieve(one))).toBe(code)
      expect(one.health().state).toBe('closed')
    },
  )

  it('is let go at once by a caller who leaves, and keeps its slot until it ends', async () => {
    const late = Promise.withResolvers<RetrieveAnswer>()
    const caller = new AbortController()
    const one = community(() => late.promise)
    const asked = ending(retrieve(one, callOf({ signal: caller.signal })))
    caller.abort(new Error('hung up'))
    expect(await asked).toBe('caller-gone')
    const running = () => one.health().actors.find(({ actor }) => actor === 'repository')?.running
    expect(running()).toBe(1)
    late.resolve(nothing)
    await vi.advanceTimersByTimeAsync(0)
    expect(running()).toBe(0)
  })

  it('is asked no more after disposal', async () => {
    const one = community(async () => nothing)
    await one[Symbol.asyncDispose]()
    expect(await ending(retrieve(one))).toBe('overloaded')
    expect(vi.getTimerCount()).toBe(0)
  })
})
