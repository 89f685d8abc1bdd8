import { sign as nodeSign } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createNetServer, type Server as NetServer } from 'node:net'
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { GatewayError } from '../../../src/core/errors.ts'
import { type RemoteSignerOptions, remoteSigner } from '../../../src/keys/remote-signer.ts'
import { signatureHolds } from '../../../src/trust/algorithms.ts'
import { commonNameOf } from '../../../src/trust/x509/certificate.ts'
import { folder, type Hierarchy, hierarchy, type Pair } from './fixtures.ts'

let authority: Hierarchy
let pair: Pair

beforeAll(async () => {
  authority = await hierarchy()
  pair = await authority.issue('rsa-2048')
})

const data = Buffer.from('what is signed')

async function listening<T extends NetServer>(server: T, socket?: string): Promise<T> {
  if (socket === undefined) server.listen(0, '127.0.0.1')
  else server.listen(socket)
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    if ('closeAllConnections' in server) (server as unknown as Server).closeAllConnections()
  })
  return server
}

const portOf = (server: NetServer) => (server.address() as AddressInfo).port

function optionsFor(server: NetServer, more: Partial<RemoteSignerOptions> = {}): RemoteSignerOptions {
  return { address: { port: portOf(server) }, deadlineMs: 5_000, concurrency: 2, queue: 2, ...more }
}

function signatureBy({ key }: Pair, body: string): string {
  const { data } = JSON.parse(body) as { data: string }
  return JSON.stringify({ signature: nodeSign('sha256', Buffer.from(data, 'base64'), key).toString('base64') })
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

type Answering = (response: ServerResponse, body: string) => void

/** A signer in this process whose answers a test decides. */
function signer(onSign: Answering = (response, body) => response.end(signatureBy(pair, body)), chain?: string): Server {
  const listener: RequestListener = (request, response) => {
    if (request.url === '/certificate') response.end(chain ?? pair.certificate + authority.intermediate)
    else void bodyOf(request).then((body) => onSign(response, body))
  }
  return createServer(listener)
}

async function failure(work: Promise<unknown>): Promise<GatewayError> {
  const error = await work.then(
    () => expect.fail('it worked'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof GatewayError)) throw error
  return error
}

describe('a signer behind a socket', () => {
  it('shows its certificate and signs, over one kept connection', async () => {
    const server = await listening(signer())
    let connections = 0
    server.on('connection', () => connections++)
    const remote = await remoteSigner(optionsFor(server))
    expect(commonNameOf(remote.certificate)).toBe('rsa-2048')
    expect(remote.intermediates.map(commonNameOf)).toEqual(['Keys intermediate'])
    expect(remote.algorithm).toBe('RS256')
    for (let i = 0; i < 5; i++) {
      const signature = await remote.sign(data)
      expect(signatureHolds('RS256', data, remote.certificate.publicKey, signature)).toBe(true)
    }
    expect(connections).toBe(1)
  })

  it('may be reached by a Unix domain socket', async () => {
    const { at } = folder()
    await listening(signer(), at('signer.sock'))
    const remote = await remoteSigner({
      address: { socket: at('signer.sock') },
      deadlineMs: 5_000,
      concurrency: 1,
      queue: 0,
    })
    expect(signatureHolds('RS256', data, remote.certificate.publicKey, await remote.sign(data))).toBe(true)
  })

  it('is not asked for what its key cannot do', async () => {
    const server = await listening(signer(() => expect.fail('asked')))
    const remote = await remoteSigner(optionsFor(server))
    const error = await failure(Promise.resolve(remote.sign(data, 'ES256')))
    expect(error).toMatchObject({ code: 'internal', details: { reason: 'key-and-algorithm-do-not-fit' } })
  })

  it('works on so many signatures at one time, lets so many wait, and refuses one more', async () => {
    const held: (() => void)[] = []
    let arrived = Promise.withResolvers<void>()
    const server = await listening(
      signer((response, body) => {
        held.push(() => response.end(signatureBy(pair, body)))
        if (held.length === 2) arrived.resolve()
      }),
    )
    const remote = await remoteSigner(optionsFor(server))
    const signatures = [1, 2, 3, 4].map(() => Promise.resolve(remote.sign(data)))
    const refused = await failure(Promise.resolve(remote.sign(data)))
    expect(refused).toMatchObject({ code: 'overloaded', details: { reason: 'signer-busy' } })
    await arrived.promise
    expect(held).toHaveLength(2)
    arrived = Promise.withResolvers()
    for (const go of held.splice(0)) go()
    await arrived.promise
    for (const go of held.splice(0)) go()
    expect(await Promise.all(signatures)).toHaveLength(4)
  })
})

describe('a signer that is away', () => {
  it('is unavailable from the beginning', async () => {
    const server = await listening(createNetServer())
    const port = portOf(server)
    server.close()
    await once(server, 'close')
    const error = await failure(remoteSigner({ address: { port }, deadlineMs: 5_000, concurrency: 1, queue: 0 }))
    expect(error).toMatchObject({
      code: 'internal',
      details: { reason: 'signer-unavailable', phase: 'connection' },
      cause: { code: 'ECONNREFUSED' },
    })
  })

  it('is unavailable at a socket that does not exist', async () => {
    const address = { socket: folder().at('nothing.sock') }
    const error = await failure(remoteSigner({ address, deadlineMs: 5_000, concurrency: 1, queue: 0 }))
    expect(error).toMatchObject({ details: { reason: 'signer-unavailable' }, cause: { code: 'ENOENT' } })
  })

  it('is waited for no longer than the deadline, whether it works, answers bit by bit or others wait for it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const answers: Answering[] = [() => undefined, (response) => response.write('{"signature":')]
    const asked = Promise.withResolvers<void>()
    const server = await listening(
      signer((response, body) => {
        answers.shift()?.(response, body)
        if (answers.length === 0) asked.resolve()
      }),
    )
    const remote = await remoteSigner(optionsFor(server))
    const errors = [1, 2, 3].map(() => failure(Promise.resolve(remote.sign(data))))
    await asked.promise
    vi.advanceTimersByTime(5_000)
    for (const error of await Promise.all(errors)) {
      expect(error).toMatchObject({ code: 'internal', details: { reason: 'signer-unavailable', phase: 'deadline' } })
    }
  })

  it('is given up when the gateway ends, and not asked again', async () => {
    const asked = Promise.withResolvers<void>()
    const server = await listening(signer(() => asked.resolve()))
    const ending = new AbortController()
    const remote = await remoteSigner(optionsFor(server, { signal: ending.signal }))
    const pending = failure(Promise.resolve(remote.sign(data)))
    await asked.promise
    ending.abort()
    const closed = { code: 'internal', details: { reason: 'signer-unavailable', phase: 'closed' } }
    expect(await pending).toMatchObject(closed)
    expect(await failure(Promise.resolve(remote.sign(data)))).toMatchObject(closed)
    expect(await failure(remoteSigner(optionsFor(server, { signal: ending.signal })))).toMatchObject(closed)
  })

  it('is asked again over a new connection when it closed the kept one', async () => {
    const server = await listening(signer())
    const remote = await remoteSigner(optionsFor(server))
    await remote.sign(data)
    const again = once(server, 'connection')
    server.closeAllConnections()
    expect(await remote.sign(data)).toHaveLength(256)
    await again
  })
})

describe('a signer that does not do as it should', () => {
  it('is not believed when another key signs', async () => {
    const stranger = await authority.issue('rsa-2048')
    let signing = pair
    const server = await listening(signer((response, body) => response.end(signatureBy(signing, body))))
    const remote = await remoteSigner(optionsFor(server))
    await remote.sign(data)
    signing = stranger
    server.closeAllConnections()
    const changed = { code: 'internal', details: { reason: 'signer-key-changed' } }
    expect(await failure(Promise.resolve(remote.sign(data)))).toMatchObject(changed)
    // It is not forgiven for having been asked once.
    expect(await failure(Promise.resolve(remote.sign(data)))).toMatchObject(changed)
    signing = pair
    expect(await remote.sign(data)).toHaveLength(256)
  })

  it.each<[string, Answering, object]>([
    ['refuses', (response) => response.writeHead(400).end('{}'), { reason: 'signer-refused', status: 400 }],
    ['redirects', (response) => response.writeHead(302, { location: '/' }).end(), { reason: 'signer-refused' }],
    ['answers no JSON', (response) => response.end('ok'), { reason: 'signer-misbehaved' }],
    ['answers another object', (response) => response.end('null'), { reason: 'signer-misbehaved' }],
    ['answers no base64', (response) => response.end('{"signature":"à"}'), { reason: 'signer-misbehaved' }],
    ['answers nothing', (response) => response.end('{"signature":""}'), { reason: 'signer-misbehaved' }],
    [
      'answers without end',
      (response) => response.end('x'.repeat(65_537)),
      { reason: 'signer-misbehaved', phase: 'answer-too-large' },
    ],
    ['hangs up', (response) => response.destroy(), { reason: 'signer-unavailable', phase: 'connection' }],
  ])('%s, and that is told', async (_how, onSign, details) => {
    const remote = await remoteSigner(optionsFor(await listening(signer(onSign))))
    const error = await failure(Promise.resolve(remote.sign(data)))
    expect(error).toMatchObject({ code: 'internal', message: 'The gateway could not sign', details })
  })

  it.each<[string, () => Promise<string>, string]>([
    ['no certificate', async () => 'nothing', 'signer-misbehaved'],
    ['certificates that are none', async () => pair.certificate.replace(/\n\w{40}/, '\n'), 'signer-misbehaved'],
    ['no chain', async () => pair.certificate + authority.root, 'signer-misbehaved'],
    ['a short key', async () => (await authority.issue('rsa-1024')).certificate, 'key-too-short'],
    ['another kind of key', async () => (await authority.issue('ed25519')).certificate, 'key-of-unsupported-kind'],
  ])('shows %s, and is not taken', async (_what, chain, reason) => {
    const server = await listening(signer(undefined, await chain()))
    expect(await failure(remoteSigner(optionsFor(server)))).toMatchObject({ code: 'internal', details: { reason } })
  })
})
