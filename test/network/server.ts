import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { type Asked, type AskedLog, askedLog } from './asked.ts'
import { type Behaviour, manners, type Setting } from './behaviour.ts'

/** Milliseconds since the epoch. */
export interface Clock {
  now(): number
}

export interface PeerRequest {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface PeerReply {
  readonly status: number
  readonly contentType: string
  readonly body: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
}

/** One service of a counterpart. */
export interface Face {
  readonly name: string
  serves(path: string, request: PeerRequest): boolean
  /** Whether a client with a certificate of that common name is let in at all. */
  admits(commonName: string): boolean
  /** The media type of its answers, for those that are nothing. */
  readonly contentType: string
  /** Behaviours that concern what is said; those that concern how it is sent are the server's own. */
  respond(request: PeerRequest, behaviour: Behaviour, asked: Asked, setting?: Setting): Promise<PeerReply>
}

/** What every counterpart offers to whoever runs it. */
export interface Counterpart<Urls extends Readonly<Record<string, string>> = Readonly<Record<string, string>>>
  extends AsyncDisposable {
  readonly name: string
  readonly urls: Urls
  readonly asked: AskedLog
  behaviour(): Setting
  /** In force for the next request. `down` closes the port, anything else opens the same one again. */
  behave(behaviour: Behaviour | Setting): Promise<void>
  close(): Promise<void>
}

export interface CounterpartOptions {
  /** The folder of the development identities. */
  readonly certificates: string
  /** The folder in it with the channel's pair; by default the party's own. */
  readonly credentials?: string
  /** Default: any free port. */
  readonly port?: number
  readonly clock?: Clock
}

export const systemClock: Clock = { now: () => Date.now() }

const largestRequest = 4 * 1024 * 1024
const oversizeBytes = 40 * 1024 * 1024
/** Of an answer that drips, bytes; and how many there are of one that comes slowly. */
const dripBytes = 16
const slowPieces = 64

/** A mutual-TLS server on loopback for the faces of one party. `urls` are made once the origin is known. */
export async function startCounterpart<Urls extends Readonly<Record<string, string>>>(
  options: CounterpartOptions & { readonly party: string },
  build: (origin: string) => { readonly faces: readonly Face[]; readonly urls: Urls },
): Promise<Counterpart<Urls>> {
  const { certificates, party, credentials = party, port = 0, clock = systemClock } = options
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', `${credentials}/tls.crt.pem`, `${credentials}/tls.key.pem`].map((path) =>
      readFile(join(certificates, path)),
    ),
  )
  const asked = askedLog()
  const own = manners()
  const open = new Set<Socket>()
  let faces: readonly Face[] = []
  const server = createServer(
    { ca, cert, key, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2', keepAliveTimeout: 60_000 },
    (request, response) => {
      void serve(request, response, { faces, asked, clock, next: own.next }).catch(() => response.destroy())
    },
  )
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => open.delete(socket))
  })
  server.on('tlsClientError', () => undefined)

  const listen = async (on: number): Promise<number> => {
    server.listen(on, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  const stop = async (): Promise<void> => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    for (const socket of open) socket.destroy()
    await closed
  }
  const actualPort = await listen(port)
  const { faces: built, urls } = build(`https://127.0.0.1:${actualPort}`)
  faces = built
  return {
    name: party,
    urls,
    asked,
    behaviour: () => own.current,
    async behave(behaviour) {
      const setting = typeof behaviour === 'string' ? { behave: behaviour } : behaviour
      own.set(setting)
      if (setting.behave === 'down') await stop()
      else if (!server.listening) await listen(actualPort)
    },
    close: stop,
    [Symbol.asyncDispose]: stop,
  }
}

interface Serving {
  readonly faces: readonly Face[]
  readonly asked: AskedLog
  readonly clock: Clock
  readonly next: (face: string) => Setting
}

async function serve(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  const body = await readBody(request)
  const url = new URL(request.url ?? '/', 'https://127.0.0.1')
  const incoming = { method: request.method ?? '', url, headers: request.headers, body: body ?? '' }
  const face = serving.faces.find((known) => known.serves(url.pathname, incoming))
  if (face === undefined) return send(response, plain(404, 'Nothing is served here'))
  const certificate = (request.socket as TLSSocket).getPeerCertificate()
  const peer = String(certificate.subject?.CN ?? '')
  if (body === undefined) return send(response, plain(413, 'The request is too large'))
  const setting = serving.next(face.name)
  const asked: Asked = {
    at: serving.clock.now(),
    face: face.name,
    method: request.method ?? '',
    path: url.pathname,
    peer,
    fingerprint: certificate.fingerprint256 ?? '',
    contentType: request.headers['content-type'] ?? '',
    behaviour: setting.behave,
    assertionIds: [],
    outcome: 'pending',
    aborted: false,
    body,
  }
  serving.asked.add(asked)
  const gone = new AbortController()
  response.once('close', () => {
    if (response.writableFinished) return
    asked.aborted = true
    asked.outcome = asked.outcome === 'broken' ? 'broken' : 'unanswered'
    gone.abort()
  })
  if (!face.admits(peer)) {
    Object.assign(asked, { outcome: 'refused', status: 403 })
    return send(response, plain(403, 'This client is not admitted'))
  }
  await behaveAs(setting, face, incoming, response, asked, gone.signal)
}

async function behaveAs(
  setting: Setting,
  face: Face,
  request: PeerRequest,
  response: ServerResponse,
  asked: Asked,
  gone: AbortSignal,
): Promise<void> {
  const { behave, delayMs } = setting
  if (behave === 'hang') return
  if (behave === 'reset') {
    asked.outcome = 'broken'
    response.socket?.destroy()
    return
  }
  if (behave === 'slow' && !(await elapsed(delayMs ?? 2000, gone))) return
  if (behave === 'garbage') {
    asked.outcome = 'broken'
    return send(response, { status: 200, contentType: face.contentType, body: 'PK\u0003\u0004 <<<& not a message {]' })
  }
  const reply = await face.respond(request, behave, asked, setting)
  asked.status = reply.status
  const bytes = Buffer.from(reply.body)
  if (behave === 'malformed') {
    asked.outcome = 'broken'
    return send(response, { ...reply, body: bytes.subarray(0, Math.floor(bytes.length * 0.6)) })
  }
  if (behave === 'truncated' || behave === 'short') {
    asked.outcome = 'broken'
    return behave === 'short' ? short(response, reply, bytes) : truncated(response, reply, bytes)
  }
  if (behave === 'oversize' || behave === 'drip') {
    asked.outcome = 'broken'
    const told = behave === 'oversize' ? padded(bytes) : dripped(bytes, dripBytes, delayMs ?? 100, gone)
    return stream(response, reply, told, gone)
  }
  if (asked.outcome === 'pending') asked.outcome = 'answered'
  if (behave === 'slow-drip') {
    const piece = Math.ceil(bytes.length / slowPieces)
    return stream(response, reply, dripped(bytes, piece, delayMs ?? 20, gone), gone)
  }
  return send(response, reply)
}

/** Half of what it said would come, and then nothing more of the connection. */
function truncated(response: ServerResponse, { status, contentType, headers }: PeerReply, bytes: Buffer): void {
  response.writeHead(status, { ...headers, 'content-type': contentType, 'content-length': bytes.length })
  response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => response.socket?.destroy())
}

/** Everything, behind a length that leaves out the end. */
function short(response: ServerResponse, { status, contentType, headers }: PeerReply, bytes: Buffer): void {
  const length = Math.max(bytes.length - 64, 1)
  response.writeHead(status, { ...headers, 'content-type': contentType, 'content-length': length })
  response.end(bytes)
}

/** White space where the outermost element, or object, ends: well-formed, and far too much. */
async function* padded(body: Buffer): AsyncGenerator<Buffer> {
  const at = Math.max(body.lastIndexOf('<'), body.lastIndexOf('}'))
  yield body.subarray(0, at)
  const space = Buffer.alloc(64 * 1024, ' ')
  for (let sent = 0; sent < oversizeBytes; sent += space.length) yield space
  yield body.subarray(at)
}

async function* dripped(body: Buffer, piece: number, delayMs: number, gone: AbortSignal): AsyncGenerator<Buffer> {
  for (let at = 0; at < body.length; at += piece) {
    yield body.subarray(at, at + piece)
    if (!(await elapsed(delayMs, gone))) return
  }
}

async function stream(
  response: ServerResponse,
  { status, contentType, headers }: PeerReply,
  told: AsyncIterable<Buffer>,
  gone: AbortSignal,
): Promise<void> {
  response.writeHead(status, { ...headers, 'content-type': contentType })
  for await (const piece of told) {
    if (gone.aborted) return
    if (!response.write(piece)) await once(response, 'drain', { signal: gone }).catch(() => undefined)
  }
  if (!gone.aborted) response.end()
}

function send(response: ServerResponse, { status, contentType, body, headers }: PeerReply): void {
  const bytes = Buffer.from(body)
  response.writeHead(status, { ...headers, 'content-type': contentType, 'content-length': bytes.length })
  response.end(bytes)
}

function plain(status: number, body: string): PeerReply {
  return { status, contentType: 'text/plain; charset=utf-8', body }
}

/** `false` when the client left meanwhile. */
async function elapsed(milliseconds: number, gone: AbortSignal): Promise<boolean> {
  return delay(milliseconds, true, { signal: gone }).catch(() => false)
}

/** `undefined` when it is too large. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > largestRequest) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
