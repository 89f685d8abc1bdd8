import type { ServerResponse } from 'node:http'
import https from 'node:https'
import { beforeAll, describe, expect, it } from 'vitest'
import { communityClient } from '../../src/client/send.ts'
import { nothingFound } from '../../src/core/model/answers.ts'
import type { AuthorizedCall } from '../../src/core/model/call.ts'
import type { GuardOptions } from '../../src/resilience/guard.ts'
import { type GuardedCommunity, guarded } from '../../src/resilience/guarded.ts'
import { type Authority, certificateAuthority, type Identity, type Listening, listen } from '../support/tls.ts'
import { ask, callOf, ending, home } from '../unit/resilience/community.ts'

let authority: Authority
let server: Identity
let gateway: Identity

beforeAll(async () => {
  authority = await certificateAuthority('Community')
  server = await authority.issue({ cn: 'server' })
  gateway = await authority.issue({ cn: 'gateway' })
})

async function serving(play: (response: ServerResponse) => void): Promise<Listening> {
  const settings = { ...server, ca: authority.ca, requestCert: true, rejectUnauthorized: true }
  return await listen(https.createServer(settings, (_request, response) => play(response)))
}

/** A guarded community that is asked over the wire. */
function communityAt({ origin }: Listening, options: Partial<GuardOptions> = {}): GuardedCommunity {
  const client = communityClient({
    name: 'region-050',
    home,
    tls: { ca: [authority.ca], ...gateway },
    maxResponseBytes: 1_000,
    connections: 4,
    connectTimeoutMs: 2_000,
  })
  const query = async (_query: unknown, { signal }: AuthorizedCall) => {
    await client.send({ url: origin, method: 'POST', headers: {}, body: 'query', signal, idempotent: true })
    return nothingFound
  }
  return guarded(
    {
      home,
      name: 'region-050',
      relation: 'partner',
      identifiers: 'active',
      reaches: [],
      registry: { query },
      [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
    },
    { timeoutMs: 60, concurrency: 4, openAtErrorPercent: 50, minimumCalls: 3, resetMs: 40, ...options },
  )
}

/** Resolves when nothing runs inside the guard any more. */
async function idle(community: GuardedCommunity): Promise<void> {
  while (community.health().actors.some((actor) => actor.running > 0)) await new Promise(setImmediate)
}

describe('a guarded community on the wire', () => {
  it('that hangs is hung up on at the limit, and its slots are free again', async () => {
    await using listening = await serving(() => undefined)
    await using community = communityAt(listening, { minimumCalls: 10 })
    const ends = await Promise.all(Array.from({ length: 5 }, () => ending(ask(community))))
    expect(ends.sort()).toEqual(['community-busy', ...Array(4).fill('community-timeout')])
    await listening.allClosed()
    await idle(community)
  })

  it('is hung up on when the caller leaves', async () => {
    const caller = new AbortController()
    await using listening = await serving(() => caller.abort())
    await using community = communityAt(listening, { timeoutMs: 10_000 })
    expect(await ending(ask(community, callOf({ signal: caller.signal })))).toBe('caller-gone')
    await listening.allClosed()
    await idle(community)
  })

  it('that hangs is spared after some time, and asked again when it is well', async () => {
    let well = false
    let asked = 0
    await using listening = await serving((response) => {
      asked++
      if (well) response.end()
    })
    await using community = communityAt(listening)
    expect(await Promise.all([1, 2, 3].map(() => ending(ask(community))))).toEqual(Array(3).fill('community-timeout'))
    expect(await ending(ask(community))).toBe('community-unavailable')
    expect(asked).toBe(3)
    well = true
    await expect.poll(() => community.health().state, { interval: 5 }).toBe('half-open')
    expect(await ending(ask(community))).toBe('answered')
    expect(community.health().state).toBe('closed')
    expect(asked).toBe(4)
  })

  it('is unavailable, and then spared, when nobody listens', async () => {
    const gone = await serving(() => undefined)
    await gone[Symbol.asyncDispose]()
    await using community = communityAt(gone, { resetMs: 60_000 })
    for (let index = 0; index < 3; index++) expect(await ending(ask(community))).toBe('community-unavailable')
    expect(community.health().state).toBe('open')
  })
})
