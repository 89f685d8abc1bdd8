import type { X509Certificate } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { isIP } from 'node:net'
import { checkServerIdentity, type DetailedPeerCertificate, type PeerCertificate, TLSSocket } from 'node:tls'

/** Who asks, whom we believe, and how long we wait. */
export interface ProbeOptions {
  readonly cert: string
  readonly key: string
  /** PEM. */
  readonly ca: readonly string[]
  /** Why a server is not accepted although its name fits and an authority vouches for it. */
  readonly judge: (certificate: Buffer, supplied: readonly Buffer[]) => string | undefined
  readonly deadlineMs: number
}

/** What became of asking an address. What did not come to be is absent. */
export interface Probe {
  readonly addresses?: readonly string[]
  readonly protocol?: string
  /** Who answered, believed or not. */
  readonly peer?: X509Certificate
  readonly answer?: {
    readonly status: number
    readonly body: Buffer
    /** How far their clock is ahead of ours, in milliseconds, to the second; absent when they do not say. */
    readonly clockAheadMs?: number
  }
  /** How far it came, and a code of Node or a word of our judge. */
  readonly failure?: { readonly stage: 'dns' | 'connect' | 'tls' | 'answer'; readonly reason: string }
}

/** Of what is fetched. */
const largestAnswer = 4 * 1024 * 1024

/**
 * Resolves the name, shakes hands as the gateway does and fetches the address, all within the deadline. Nothing is sent to
 * who is not believed. Never rejects.
 */
export async function probe(url: URL, options: ProbeOptions): Promise<Probe> {
  const signal = AbortSignal.timeout(options.deadlineMs)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  let addresses: readonly { readonly address: string; readonly family: number }[]
  try {
    addresses = await unlessAborted(lookup(host, { all: true }), signal)
  } catch (error) {
    return { failure: { stage: 'dns', reason: reasonOf(error) } }
  }
  const found = { addresses: addresses.map(({ address }) => address) }
  return { ...found, ...(await exchange(url, host, addresses, options, signal)) }
}

async function exchange(
  url: URL,
  host: string,
  addresses: readonly { readonly address: string; readonly family: number }[],
  { ca, cert, judge, key }: ProbeOptions,
  signal: AbortSignal,
): Promise<Omit<Probe, 'addresses'>> {
  let stage: 'connect' | 'tls' | 'answer' = 'connect'
  let met: Pick<Probe, 'protocol' | 'peer'> = {}
  const asked = request(url, {
    agent: false,
    ca: [...ca],
    cert,
    key,
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    rejectUnauthorized: true,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    lookup: (_name, _options, done) => done(null, [...addresses]),
    checkServerIdentity: (name, certificate) => checkServerIdentity(name, certificate) ?? judged(judge, certificate),
    headers: { accept: 'text/xml, application/xml, application/fhir+json' },
    signal,
  })
  asked.once('socket', (socket) => {
    if (!(socket instanceof TLSSocket)) return
    socket.once('connect', () => {
      stage = 'tls'
    })
    // Before anybody is judged: whom we do not believe is told of as well.
    socket.prependOnceListener('secure', () => {
      const protocol = socket.getProtocol()
      const peer = socket.getPeerX509Certificate()
      met = { ...(protocol === null ? {} : { protocol }), ...(peer === undefined ? {} : { peer }) }
    })
    socket.once('secureConnect', () => {
      stage = 'answer'
    })
  })
  try {
    asked.end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    const at = Date.now()
    const status = response.statusCode ?? 0
    const told = Date.parse(response.headers.date ?? '')
    const body = await readSome(response)
    return { ...met, answer: { status, body, ...(Number.isNaN(told) ? {} : { clockAheadMs: told - at }) } }
  } catch (error) {
    return { ...met, failure: { stage, reason: signal.aborted ? 'no-answer-in-time' : reasonOf(error) } }
  } finally {
    asked.destroy()
  }
}

async function readSome(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > largestAnswer) break
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function judged(judge: ProbeOptions['judge'], certificate: PeerCertificate): Error | undefined {
  const reason = judge(certificate.raw, suppliedWith(certificate))
  return reason === undefined ? undefined : Object.assign(new Error(reason), { code: reason })
}

function suppliedWith(certificate: PeerCertificate): readonly Buffer[] {
  const supplied: Buffer[] = []
  let one = certificate as Partial<DetailedPeerCertificate>
  // A root names itself as its issuer.
  while (one.issuerCertificate !== undefined && one.issuerCertificate !== one && supplied.length < 8) {
    one = one.issuerCertificate
    if (one.raw !== undefined) supplied.push(one.raw)
  }
  return supplied
}

function reasonOf(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'no-answer-in-time'
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}

/** A lookup cannot be stopped; nobody waits for it longer than this. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  return Promise.race([work, aborted])
}
