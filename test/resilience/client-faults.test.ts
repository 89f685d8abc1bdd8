import { getEventListeners } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  type CommunityClient,
  type CommunityClientOptions,
  communityClient,
  type OutboundRequest,
} from '../../src/client/send.ts'
import { GatewayError } from '../../src/core/errors.ts'
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
    maxResponseBytes: 1_000,
    connections: 2,
    connectTimeoutMs: 2_000,
    ...options,
  })
}

/** A server that plays the same part for every request it has read the headers of. */
async function serverThat(play: (socket: tls.TLSSocket) => void): Promise<Listening> {
  const settings = { ...server, ca: community.ca, requestCert: true, rejectUnauthorized: true }
  return await listen(
    tls.createServer(settings, (socket) => {
      socket.on('error', () => undefined)
      socket.on('data', (chunk: Buffer) => {
        if (chunk.includes('\r\n\r\n')) play(socket)
      })
    }),
  )
}

function requestTo(listening: Listening, options: Partial<OutboundRequest> = {}): OutboundRequest {
  return {
    url: `${listening.origin}/query?patient=secret`,
    method: 'POST',
    headers: { 'content-type': 'text/plain' },
    body: 'question',
    signal: AbortSignal.timeout(5_000),
    idempotent: false,
    ...options,
  }
}

async function failureOf(sent: Promise<unknown>): Promise<GatewayError> {
  const error = await sent.then(
    () => expect.fail('it was answered'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof GatewayError)) throw error
  return error
}

/** What one answer, written as it stands, comes to. */
async function outcome(answer: string | Buffer, end: 'keep' | 'close' | 'reset' = 'keep'): Promise<GatewayError> {
  await using listening = await serverThat((socket) => {
    socket.write(answer, () => {
      if (end === 'close') socket.end()
      if (end === 'reset') socket.destroy()
    })
  })
  await using client = clientOf()
  return await failureOf(client.send(requestTo(listening)))
}

describe('a community that fails on the wire', () => {
  it('is unavailable when nobody listens', async () => {
    const gone = await serverThat(() => undefined)
    await gone[Symbol.asyncDispose]()
    await using client = clientOf()
    const error = await failureOf(client.send(requestTo(gone)))
    expect(error).toMatchObject({
      code: 'community-unavailable',
      details: { phase: 'connect', reason: 'ECONNREFUSED' },
    })
  })

  it('is unavailable when its name does not exist', async () => {
    await using client = clientOf()
    const signal = AbortSignal.timeout(10_000)
    const request = { url: 'https://nobody.invalid/', method: 'GET', headers: {}, signal, idempotent: false } as const
    const error = await failureOf(client.send(request))
    expect(error.code).toBe('community-unavailable')
    // A resolver that never answers is a connection that takes too long.
    expect(['dns', 'connect']).toContain(error.details.phase)
  })

  it('is unavailable when it accepts the connection and never shakes hands', async () => {
    await using listening = await listen(net.createServer((socket) => socket.resume()))
    await using client = clientOf({ connectTimeoutMs: 50 })
    const error = await failureOf(client.send(requestTo(listening)))
    expect(error).toMatchObject({
      code: 'community-unavailable',
      details: { phase: 'connect', reason: 'UND_ERR_CONNECT_TIMEOUT' },
    })
    await listening.allClosed()
  })

  it('is unavailable when what listens does not speak TLS', async () => {
    await using listening = await listen(net.createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))
    await using client = clientOf()
    const error = await failureOf(client.send(requestTo(listening)))
    expect(error).toMatchObject({ code: 'community-unavailable', details: { phase: 'tls' } })
  })

  it('is unavailable when it hangs up before a byte of the answer', async () => {
    await using listening = await serverThat((socket) => socket.destroy())
    await using client = clientOf()
    const error = await failureOf(client.send(requestTo(listening)))
    expect(error).toMatchObject({ code: 'community-unavailable', details: { phase: 'request' } })
  })

  it('is unavailable when it resets in the middle of the body', async () => {
    const error = await outcome('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nbegin', 'reset')
    expect(error).toMatchObject({ code: 'community-unavailable', details: { phase: 'answer' } })
  })

  it('is unavailable when it closes before the announced length', async () => {
    const error = await outcome('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nbegin', 'close')
    expect(error).toMatchObject({ code: 'community-unavailable', details: { phase: 'answer' } })
    const closing = await outcome('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 500\r\n\r\nbegin', 'close')
    expect(closing).toMatchObject({ code: 'community-unavailable', details: { phase: 'answer' } })
  })

  it('is unavailable when it closes inside a chunked body', async () => {
    const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n'
    expect((await outcome(`${head}\r\n5\r\nbegin\r\n`, 'close')).code).toBe('community-unavailable')
    expect((await outcome(`${head}connection: close\r\n\r\n5\r\nbe`, 'close')).code).toBe('community-unavailable')
  })

  it.each([
    ['is not HTTP', 'Benvenuti!\r\n\r\n'],
    ['has a header that is none', 'HTTP/1.1 200 OK\r\nno colon here\r\n\r\n'],
    ['has a length that is no number', 'HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n'],
    ['names two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 5\r\n\r\nabcde'],
    [
      'is chunked and has a length',
      'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['has a chunk size that is none', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n'],
    ['switches protocols', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n'],
    ['has endless headers', `HTTP/1.1 200 OK\r\n${'x: 0123456789\r\n'.repeat(5_000)}\r\n`],
    ['is compressed', Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n'), gzipSync('a')])],
    ['is compressed for transfer', 'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    [
      'redirects',
      'HTTP/1.1 307 Temporary Redirect\r\nlocation: https://elsewhere.example/\r\ncontent-length: 0\r\n\r\n',
    ],
    ['redirects with a long page', `HTTP/1.1 302 Found\r\ncontent-length: 900\r\n\r\n${'a'.repeat(900)}`],
    ['says that nothing changed', 'HTTP/1.1 304 Not Modified\r\n\r\n'],
    ['announces too much', 'HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n'],
    ['announces more than a number can tell', `HTTP/1.1 200 OK\r\ncontent-length: ${'9'.repeat(18)}\r\n\r\n`],
    ['is chunked and too much', `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n${'a'.repeat(1001)}`],
    ['is too much up to the end', `HTTP/1.0 200 OK\r\n\r\n${'a'.repeat(1001)}`],
  ])('misbehaves when its answer %s', async (_case, answer) => {
    const error = await outcome(answer)
    expect(error.code).toBe('community-misbehaved')
    expect(error.fault).toBe('community')
  })

  it('is disconnected at the byte that is too many', async () => {
    for (const head of ['content-length: 5000\r\n', 'transfer-encoding: chunked\r\n\r\nfff', 'connection: close\r\n']) {
      await using listening = await serverThat((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n${'a'.repeat(1001)}`)
      })
      await using client = clientOf()
      expect((await failureOf(client.send(requestTo(listening)))).code).toBe('community-misbehaved')
      await listening.allClosed()
    }
  })

  it('may answer exactly as much as is accepted', async () => {
    const bodies = [
      `HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n${'a'.repeat(1000)}`,
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3e8\r\n${'a'.repeat(1000)}\r\n0\r\n\r\n`,
    ]
    for (const body of bodies) {
      await using listening = await serverThat((socket) => socket.write(body))
      await using client = clientOf()
      expect((await client.send(requestTo(listening))).body).toHaveLength(1000)
    }
  })

  it('tells nothing of the address or of what the peer wrote in a failure', async () => {
    const error = await outcome('HTTP/1.1 200 OK\r\nRossi Mario\r\n\r\n')
    const told = JSON.stringify([error.message, error.details, error.cause, Object(error.cause).message])
    expect(told).not.toMatch(/secret|query|Rossi/)
    expect(Object.keys(Object(error.cause))).toEqual(['name', 'code'])
  })
})

describe('a community that does not end', () => {
  it('has timed out when the deadline passes without an answer, and the connection is freed', async () => {
    await using listening = await serverThat(() => undefined)
    await using client = clientOf()
    const error = await failureOf(client.send(requestTo(listening, { signal: AbortSignal.timeout(50) })))
    expect(error).toMatchObject({ code: 'community-timeout', message: 'The community did not answer in time' })
    await listening.allClosed()
  })

  it('has timed out when it drips beyond the deadline, and the connection is freed', async () => {
    await using listening = await serverThat((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n')
      const drip = setInterval(() => socket.write('a'), 5)
      socket.once('close', () => clearInterval(drip))
    })
    await using client = clientOf()
    const error = await failureOf(client.send(requestTo(listening, { signal: AbortSignal.timeout(80) })))
    expect(error.code).toBe('community-timeout')
    await listening.allClosed()
  })

  it('is let go at once when the caller leaves, before or amid the answer', async () => {
    for (const begin of ['', 'HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\nbegin']) {
      const caller = new AbortController()
      await using listening = await serverThat((socket) => {
        socket.write(begin)
        setImmediate(() => caller.abort())
      })
      await using client = clientOf()
      const error = await failureOf(client.send(requestTo(listening, { signal: caller.signal })))
      expect(error).toMatchObject({ code: 'caller-gone', fault: 'caller' })
      await listening.allClosed()
    }
  })

  it('is not even called for a caller who has left', async () => {
    await using listening = await serverThat(() => undefined)
    await using client = clientOf()
    const signal = AbortSignal.abort()
    expect((await failureOf(client.send(requestTo(listening, { signal })))).code).toBe('caller-gone')
    expect(listening.accepted).toBe(0)
  })

  it('frees a request that still waits for a connection when its time is up', async () => {
    await using listening = await serverThat(() => undefined)
    await using client = clientOf({ connections: 1 })
    const first = new AbortController()
    const served = failureOf(client.send(requestTo(listening, { signal: first.signal })))
    const error = await failureOf(client.send(requestTo(listening, { signal: AbortSignal.timeout(50) })))
    expect(error.code).toBe('community-timeout')
    expect(listening.accepted).toBe(1)
    first.abort()
    expect((await served).code).toBe('caller-gone')
  })

  it('leaves no listener on a signal that outlives the request', async () => {
    await using listening = await serverThat((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'))
    await using client = clientOf()
    const { signal } = new AbortController()
    await client.send(requestTo(listening, { signal }))
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })
})
