import type { IncomingMessage, ServerResponse } from 'node:http'
import https from 'node:https'
import { beforeAll, describe, expect, it } from 'vitest'
import type { OutboundResponse } from '../../src/client/answer.ts'
import {
  type CommunityClient,
  type CommunityClientOptions,
  communityClient,
  type OutboundRequest,
} from '../../src/client/send.ts'
import { homeCommunityId } from '../../src/core/model/identifiers.ts'
import { type Authority, certificateAuthority, type Identity, type Listening, listen } from '../support/tls.ts'

let community: Authority
let server: Identity
let gateway: Identity

beforeAll(async () => {
  community = await certificateAuthority('Community')
  server = await community.issue({ cn: 'server' })
  gateway = await community.issue({ cn: 'gateway' })
})

function clientOf(options: Partial<CommunityClientOptions> = {}): CommunityClient {
  return communityClient({
    name: 'region-050',
    home: homeCommunityId('2.16.840.1.113883.2.9.2.50'),
    tls: { ca: [community.ca], ...gateway },
    maxResponseBytes: 20_000_000,
    connections: 4,
    connectTimeoutMs: 2_000,
    ...options,
  })
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const echo: Handler = (request, response) => {
  response.setHeader('x-method', request.method ?? '')
  request.pipe(response)
}

async function serving(handler: Handler): Promise<Listening> {
  const settings = { ...server, ca: community.ca, requestCert: true, rejectUnauthorized: true }
  // Longer than any test, so that it is never the server that closes a connection.
  return await listen(https.createServer({ ...settings, keepAliveTimeout: 120_000 }, handler))
}

function requestTo(listening: Listening, options: Partial<OutboundRequest> = {}): OutboundRequest {
  const signal = AbortSignal.timeout(10_000)
  return { url: listening.origin, method: 'POST', headers: {}, body: 'question', signal, idempotent: false, ...options }
}

const text = (answer: OutboundResponse): string => answer.body.toString()

describe('the connections to a community', () => {
  it('brings whole answers, whatever their status, with lower-case headers and repeated ones joined', async () => {
    await using listening = await serving((_request, response) => {
      response.writeHead(500, { 'Content-Type': 'application/soap+xml', Warning: ['a', 'b'] })
      response.write('fault, ')
      response.end('in two parts')
    })
    await using client = clientOf()
    const answer = await client.send(requestTo(listening))
    expect(answer.status).toBe(500)
    expect(answer.headers).toMatchObject({ 'content-type': 'application/soap+xml', warning: 'a, b' })
    expect(text(answer)).toBe('fault, in two parts')
  })

  it('sends text and bytes as they are, and asks for no encoding', async () => {
    const received: unknown[] = []
    await using listening = await serving((request, response) => {
      received.push(request.headers['accept-encoding'], request.headers['content-type'], request.headers.host)
      echo(request, response)
    })
    await using client = clientOf()
    const headers = { 'content-type': 'text/plain;charset=utf-8' }
    expect(text(await client.send(requestTo(listening, { body: 'perché', headers })))).toBe('perché')
    expect(received).toEqual(['identity', headers['content-type'], `localhost:${listening.port}`])
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
    expect((await client.send(requestTo(listening, { body: bytes.subarray(1) }))).body).toEqual(
      Buffer.from(bytes.subarray(1)),
    )
    expect((await client.send(requestTo(listening, { method: 'GET', body: '' }))).headers['x-method']).toBe('GET')
  })

  it('asks many times over one connection when asked one at a time', async () => {
    await using listening = await serving(echo)
    await using client = clientOf({ connections: 1 })
    for (let index = 0; index < 20; index++) {
      expect(text(await client.send(requestTo(listening, { body: `${index}` })))).toBe(`${index}`)
    }
    expect(listening.accepted).toBe(1)
  })

  it('asks many times at once over no more connections than allowed, and mixes up no answers', async () => {
    await using listening = await serving(echo)
    await using client = clientOf({ connections: 4 })
    const bodies = Array.from({ length: 64 }, (_, index) => `${index}`.repeat(1000))
    const answers = await Promise.all(bodies.map((body) => client.send(requestTo(listening, { body }))))
    expect(answers.map(text)).toEqual(bodies)
    expect(listening.accepted).toBeLessThanOrEqual(4)
  })

  it('reads answers of many megabytes whole', async () => {
    const body = Buffer.alloc(9_000_000, 'entry ')
    await using listening = await serving((_request, response) => response.end(body))
    await using client = clientOf()
    expect((await client.send(requestTo(listening))).body.equals(body)).toBe(true)
  })

  it('goes on over new connections after one was lost', async () => {
    let asked = 0
    await using listening = await serving((request, response) => {
      if (++asked === 2) request.socket.destroy()
      else echo(request, response)
    })
    await using client = clientOf({ connections: 1 })
    expect(text(await client.send(requestTo(listening)))).toBe('question')
    await expect(client.send(requestTo(listening))).rejects.toMatchObject({ code: 'community-unavailable' })
    expect(text(await client.send(requestTo(listening)))).toBe('question')
    expect(listening.accepted).toBe(2)
  })

  it('refuses, as our own failure, more requests than may wait', async () => {
    await using listening = await serving(() => undefined)
    await using client = clientOf({ pending: 2 })
    const caller = new AbortController()
    const waiting = [1, 2].map(() => client.send(requestTo(listening, { signal: caller.signal })))
    await expect(client.send(requestTo(listening))).rejects.toMatchObject({ code: 'overloaded', fault: 'gateway' })
    caller.abort()
    const outcomes = await Promise.allSettled(waiting)
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected'])
  })

  it('refuses addresses that are not https, and headers that belong to the transport', async () => {
    await using client = clientOf()
    const { signal } = new AbortController()
    for (const url of ['http://localhost/', 'ftp://localhost/', 'localhost', 'https://user:word@localhost/', '']) {
      const sent = client.send({ url, method: 'GET', headers: {}, signal, idempotent: false })
      await expect(sent).rejects.toMatchObject({ code: 'internal' })
    }
    for (const name of ['Host', 'content-length', 'Transfer-Encoding', 'connection', 'Accept-Encoding', 'expect']) {
      const headers = { [name]: '1' }
      const sent = client.send({ url: 'https://localhost/', method: 'GET', headers, signal, idempotent: false })
      await expect(sent).rejects.toMatchObject({ code: 'internal', details: { header: name } })
    }
    const headers = { action: 'query"\r\nHost: elsewhere' }
    const sent = client.send({ url: 'https://localhost:1/', method: 'GET', headers, signal, idempotent: false })
    await expect(sent).rejects.toMatchObject({ code: 'internal' })
  })
})

describe('the origins of a community', () => {
  it('keeps as many as it may, giving up the one unused longest', async () => {
    const clock = { time: 1_000, now: () => clock.time }
    await using first = await serving(echo)
    await using second = await serving(echo)
    await using third = await serving(echo)
    await using client = clientOf({ connections: 1, origins: 2, clock })
    for (const listening of [first, second, third]) {
      clock.time += 10
      await client.send(requestTo(listening))
    }
    await first.allClosed()
    clock.time += 10
    await client.send(requestTo(second))
    expect([first.accepted, second.accepted, third.accepted]).toEqual([1, 1, 1])
    await client.send(requestTo(first))
    expect(first.accepted).toBe(2)
    await third.allClosed()
  })

  it('refuses another while all are in use', async () => {
    await using busy = await serving(() => undefined)
    await using other = await serving(echo)
    await using client = clientOf({ origins: 1 })
    const caller = new AbortController()
    const waiting = client.send(requestTo(busy, { signal: caller.signal }))
    await expect(client.send(requestTo(other))).rejects.toMatchObject({ code: 'overloaded' })
    caller.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'caller-gone' })
    expect(text(await client.send(requestTo(other)))).toBe('question')
  })

  it('closes those nobody used for a while', async () => {
    const clock = { time: 1_000, now: () => clock.time }
    await using idle = await serving(echo)
    await using used = await serving(echo)
    await using client = clientOf({ connections: 1, idleMs: 60_000, clock })
    await client.send(requestTo(idle))
    clock.time += 59_999
    await client.send(requestTo(used))
    clock.time += 1
    await client.send(requestTo(used))
    await idle.allClosed()
    expect(used.accepted).toBe(1)
  })
})

describe('asking anew', () => {
  /** Loses the connection of the first requests, as many as told, before answering. */
  async function losing(count: number): Promise<Listening & { readonly bodies: string[] }> {
    const bodies: string[] = []
    const listening = await serving((request, response) => {
      request.setEncoding('utf8').once('data', (body: string) => {
        bodies.push(body)
        if (bodies.length <= count) request.socket.destroy()
        else response.end(`answer to ${body}`)
      })
    })
    return Object.assign(listening, { bodies })
  }

  function numbered(listening: Listening, options: Partial<OutboundRequest>): () => OutboundRequest {
    let attempt = 0
    return () => requestTo(listening, { body: `message ${++attempt}`, ...options })
  }

  it('sends a message built anew when the connection of an idempotent one was lost', async () => {
    await using listening = await losing(1)
    await using client = clientOf()
    const answer = await client.sendFresh(numbered(listening, { idempotent: true }))
    expect(text(answer)).toBe('answer to message 2')
    expect(listening.bodies).toEqual(['message 1', 'message 2'])
  })

  it('waits for a message that takes time to build', async () => {
    await using listening = await losing(1)
    await using client = clientOf()
    const build = numbered(listening, { idempotent: true })
    expect(text(await client.sendFresh(async () => build()))).toBe('answer to message 2')
  })

  it('sends a message that is not idempotent once', async () => {
    await using listening = await losing(1)
    await using client = clientOf()
    const sent = client.sendFresh(numbered(listening, { idempotent: false }))
    await expect(sent).rejects.toMatchObject({ code: 'community-unavailable', details: { phase: 'request' } })
    expect(listening.bodies).toEqual(['message 1'])
  })

  it('sends twice at most', async () => {
    await using listening = await losing(9)
    await using client = clientOf()
    const sent = client.sendFresh(numbered(listening, { idempotent: true }))
    await expect(sent).rejects.toMatchObject({ code: 'community-unavailable' })
    expect(listening.bodies).toEqual(['message 1', 'message 2'])
  })

  it('does not send again once a byte of the answer has come', async () => {
    let asked = 0
    await using listening = await serving((request) => {
      asked++
      request.socket.write('HTTP/1.1 2', () => request.socket.destroy())
    })
    await using client = clientOf()
    const sent = client.sendFresh(() => requestTo(listening, { idempotent: true }))
    await expect(sent).rejects.toMatchObject({ code: 'community-unavailable', details: { phase: 'answer' } })
    expect(asked).toBe(1)
  })

  it('does not send again what was refused, encoded wrongly or too late', async () => {
    let asked = 0
    await using listening = await serving((_request, response) => {
      asked++
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    await using client = clientOf()
    const redirected = client.sendFresh(() => requestTo(listening, { idempotent: true }))
    await expect(redirected).rejects.toMatchObject({ code: 'community-misbehaved' })
    expect(asked).toBe(1)
  })

  it('does not send again when the time is up', async () => {
    const caller = new AbortController()
    let asked = 0
    await using listening = await serving((request) => {
      asked++
      caller.abort(new DOMException('late', 'TimeoutError'))
      request.socket.destroy()
    })
    await using client = clientOf()
    const sent = client.sendFresh(() => requestTo(listening, { idempotent: true, signal: caller.signal }))
    await expect(sent).rejects.toMatchObject({ code: 'community-timeout' })
    expect(asked).toBe(1)
  })
})

describe('the end of a client', () => {
  it('lets what is under way end, takes nothing more and leaves no connection', async () => {
    let answer = (): void => undefined
    const asked = Promise.withResolvers<void>()
    await using listening = await serving((_request, response) => {
      answer = () => response.end('done')
      asked.resolve()
    })
    const client = clientOf()
    const sent = client.send(requestTo(listening))
    await asked.promise
    const disposed = client[Symbol.asyncDispose]()
    await expect(client.send(requestTo(listening))).rejects.toMatchObject({ code: 'overloaded' })
    answer()
    expect(text(await sent)).toBe('done')
    await disposed
    await listening.allClosed()
  })

  it('breaks off what does not end in time, as our own doing', async () => {
    await using listening = await serving(() => undefined)
    const client = clientOf({ drainMs: 20 })
    const sent = expect(client.send(requestTo(listening))).rejects.toMatchObject({ code: 'overloaded' })
    await client[Symbol.asyncDispose]()
    await sent
    await listening.allClosed()
  })

  it('may come twice', async () => {
    const client = clientOf()
    await client[Symbol.asyncDispose]()
    await expect(client[Symbol.asyncDispose]()).resolves.toBeUndefined()
  })
})
