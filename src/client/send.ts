import {
  checkServerIdentity,
  createSecureContext,
  type DetailedPeerCertificate,
  type PeerCertificate,
  type SecureContext,
} from 'node:tls'
import type { Dispatcher, Pool } from 'undici'
import { GatewayError } from '../core/errors.ts'
import type { HomeCommunityId } from '../core/model/identifiers.ts'
import type { Clock } from '../core/ports.ts'
import { type ArrivingAnswer, arriving, type OutboundResponse, readAnswer } from './answer.ts'
import { failedBeforeAnswer, failure, type Progress, type Target } from './failures.ts'
import { type JudgeServer, originPools } from './origins.ts'

export interface OutboundRequest {
  /** `https:` only, without user information. */
  readonly url: string
  readonly method: 'GET' | 'POST'
  /** Those of the message. The transport's own (`host`, `content-length`, `accept-encoding` …) are refused. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Ends the wait: a `TimeoutError` as its reason is the deadline, any other reason is the caller's leaving. */
  readonly signal: AbortSignal
  /** Whether asking twice does no harm. */
  readonly idempotent: boolean
}

/** Who we are on a connection, and who vouches for the other end. */
export interface TlsIdentity {
  /** The only authorities that may vouch for this community's servers, in PEM. The system's are not trusted. */
  readonly ca: readonly string[]
  /** Our certificate, with its chain, and its key, in PEM. */
  readonly cert: string
  readonly key: string
}

/** Judges a certificate with those that came along with it, all DER; one word for the log. */
export type JudgeCertificate = (certificate: Uint8Array, supplied: readonly Uint8Array[]) => string | undefined

export interface CommunityClientOptions {
  readonly name: string
  readonly home: HomeCommunityId
  readonly tls: TlsIdentity
  /** Why a server is not accepted although its name fits and an authority vouches for it; undefined when it is. */
  readonly judgeServer?: JudgeCertificate
  readonly maxResponseBytes: number
  /** Most connections per origin. At least the guard's concurrency, else requests wait here and time out as the peer's fault. */
  readonly connections: number
  /** For the name, the connection and the handshake together; kept to within a second. */
  readonly connectTimeoutMs: number
  /** Most origins with open connections; default 16. */
  readonly origins?: number
  /** Most requests under way or waiting; default 16 per connection. */
  readonly pending?: number
  /** How long the connections of an unused origin are remembered; default a minute. */
  readonly idleMs?: number
  /** How long disposal waits for requests under way; default five seconds. */
  readonly drainMs?: number
  readonly clock?: Clock
}

/** The way to one community: mutual TLS 1.2 or 1.3, HTTP/1.1, no redirects, no proxies, no decompression. */
export interface CommunityClient extends AsyncDisposable {
  /**
   * Sends once and reads the whole answer, whatever its status below 300 or from 400 on. Rejects with GatewayError:
   * `community-unavailable` (no or broken connection, TLS), `community-timeout`, `community-misbehaved` (framing, size,
   * encoding, redirection), `caller-gone`, `overloaded` (our own bounds), `internal` (a request nobody may send).
   */
  send(request: OutboundRequest): Promise<OutboundResponse>
  /**
   * Sends once and hands the answer over as it arrives: its status, its headers, and the bytes at the pace of whoever
   * takes them. Resolves to what `take` does; rejects as `send` does, also for an answer that breaks off while it is taken.
   * What `take` leaves unread is cut off with the connection.
   */
  receive<T>(request: OutboundRequest, take: (answer: ArrivingAnswer) => Promise<T>): Promise<T>
  /**
   * Builds and sends; if the request is idempotent, the connection fails before any byte of the answer and time
   * remains, builds anew (fresh MessageID, fresh signature) and sends a second and last time.
   */
  sendFresh(build: () => OutboundRequest | Promise<OutboundRequest>): Promise<OutboundResponse>
  /** Uses another identity or other anchors from the next request on. Throws when they cannot be used. */
  renew(tls: TlsIdentity): void
}

// `host` would also choose the name the peer's certificate is verified for.
const transportHeaders = new Set(
  'host connection keep-alive content-length transfer-encoding te trailer upgrade expect accept-encoding'.split(' '),
)

/** Opens no connection yet. Throws when the certificates or the key cannot be used. */
export function communityClient(options: CommunityClientOptions): CommunityClient {
  const { name, maxResponseBytes, connections, judgeServer } = options
  const origins = originPools(
    secureContextOf(name, options.tls),
    {
      connections,
      connectTimeoutMs: options.connectTimeoutMs,
      origins: options.origins ?? 16,
      pending: options.pending ?? connections * 16,
      idleMs: options.idleMs ?? 60_000,
    },
    options.clock ?? { now: () => Date.now() },
    judgeServer && judgement(judgeServer),
  )

  async function exchange<T>(
    request: OutboundRequest,
    read: (response: Dispatcher.ResponseData, target: Target) => Promise<T>,
  ): Promise<T> {
    const url = endpointOf(request)
    const target: Target = { community: options.name, home: options.home, origin: url.origin }
    return await origins.with(url.origin, async (pool) => {
      const progress: Progress = { stage: 'connecting' }
      try {
        const response = await observed(pool, progress).request({
          path: url.pathname + url.search,
          method: request.method,
          headers: { ...request.headers, 'accept-encoding': 'identity' },
          body: request.body ?? null,
          signal: request.signal,
        })
        return await read(response, target)
      } catch (error) {
        throw failure(error, progress, request.signal, target)
      }
    })
  }

  const send = (request: OutboundRequest): Promise<OutboundResponse> =>
    exchange(request, (response, target) => readAnswer(response, maxResponseBytes, target))

  return {
    send,
    receive: (request, take) => exchange(request, (response, target) => arriving(response, target, take)),
    async sendFresh(build) {
      const request = await build()
      try {
        return await send(request)
      } catch (error) {
        if (!request.idempotent || request.signal.aborted || !failedBeforeAnswer(error)) throw error
      }
      return await send(await build())
    },
    renew: (tls) => origins.renew(secureContextOf(name, tls)),
    [Symbol.asyncDispose]: () => origins.close(options.drainMs ?? 5_000),
  }
}

/** One context for all connections: parsing anchors per connection costs more than the handshake. */
function secureContextOf(name: string, tls: TlsIdentity): SecureContext {
  if (tls.ca.length === 0 || !tls.ca.every((pem) => pem.includes('-----BEGIN CERTIFICATE-----'))) {
    throw new Error(`Community ${name}: the TLS anchors must be certificates in PEM, at least one`)
  }
  if (tls.cert === '' || tls.key === '') throw new Error(`Community ${name}: mutual TLS needs a certificate and a key`)
  try {
    return createSecureContext({
      ca: [...tls.ca],
      cert: tls.cert,
      key: tls.key,
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
    })
  } catch (cause) {
    throw new Error(`Community ${name}: the TLS anchors, certificate or key cannot be used`, { cause })
  }
}

/** Names first, as Node does by itself, then whatever else is known of the certificate. */
function judgement(judge: JudgeCertificate): JudgeServer {
  return (hostname, certificate) => {
    const misnamed = checkServerIdentity(hostname, certificate)
    if (misnamed !== undefined) return misnamed
    const reason = judge(certificate.raw, suppliedWith(certificate))
    const code = reason?.replaceAll('-', '_').toUpperCase()
    return code === undefined ? undefined : Object.assign(new Error(reason), { code })
  }
}

function suppliedWith(certificate: PeerCertificate): Uint8Array[] {
  const supplied: Uint8Array[] = []
  let one = certificate as Partial<DetailedPeerCertificate>
  // A root names itself as its issuer.
  while (one.issuerCertificate !== undefined && one.issuerCertificate !== one && supplied.length < 8) {
    one = one.issuerCertificate
    if (one.raw !== undefined) supplied.push(one.raw)
  }
  return supplied
}

function endpointOf({ url, headers }: OutboundRequest): URL {
  const parsed = URL.parse(url)
  if (parsed === null || parsed.protocol !== 'https:' || parsed.username !== '' || parsed.password !== '') {
    throw new GatewayError('internal', 'An endpoint must be an https address without user information')
  }
  const forbidden = Object.keys(headers).find((name) => transportHeaders.has(name.toLowerCase()))
  if (forbidden !== undefined) {
    throw new GatewayError('internal', 'A request sets a header that belongs to the transport', {
      details: { header: forbidden },
    })
  }
  return parsed
}

function observed(pool: Pool, progress: Progress): Dispatcher {
  return pool.compose((dispatch) => (options, handler) => {
    return dispatch(options, {
      onRequestStart(controller, context) {
        progress.stage = 'connected'
        handler.onRequestStart?.(controller, context)
      },
      onResponseStarted() {
        progress.stage = 'answering'
      },
      onResponseStart(controller, status, headers, text) {
        if (status >= 200) progress.stage = 'body'
        handler.onResponseStart?.(controller, status, headers, text)
      },
      onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
      onResponseEnd: (controller, trailers) => handler.onResponseEnd?.(controller, trailers),
      onResponseError: (controller, error) => handler.onResponseError?.(controller, error),
    })
  })
}
