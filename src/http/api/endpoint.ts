import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { asGatewayError, GatewayError } from '../../core/errors.ts'
import type { Leg } from '../../core/model/answers.ts'
import type { Exchange } from '../../core/model/call.ts'
import type { AuditEvent, AuditTrail, Clock } from '../../core/ports.ts'
import type { ExchangeFinished, TransactionName } from '../../telemetry/events.ts'
import type { Admission } from '../admission.ts'
import { readBody } from '../body.ts'
import { type Identify, type PeerCertificate, peerCertificate } from '../peer.ts'
import { challenges } from './challenge.ts'
import { correlationOf, exchangeHeaders } from './correlation.ts'
import { type FailureDialect, problems } from './failure.ts'
import type { Caller, Guard, GuardOf, Matter, PresentedRequest } from './guard.ts'
import { type Allowance, allowanceHeaders, type RateLimit, tooManyRequests } from './rate-limit.ts'
import type { ApiReply, ContentReply, WholeReply } from './reply.ts'

/** Those of the gateway's events that a REST exchange has. */
export interface ApiEvents {
  exchangeStarted(event: Pick<ExchangeFinished, 'correlationId'>): void
  exchangeFinished(event: Omit<ExchangeFinished, 'transaction'> & { readonly transaction: TransactionName }): void
  auditWritten(event: Pick<ExchangeFinished, 'correlationId' | 'durationMs'>): void
  auditFailed(
    event: Pick<ExchangeFinished, 'correlationId'> & { readonly transaction: TransactionName; readonly error: unknown },
  ): void
}

/** What every REST route shares. */
export interface ApiParts {
  readonly identify: Identify
  readonly guardOf: GuardOf
  readonly audit: AuditTrail
  readonly events: ApiEvents
  readonly clock: Clock
  readonly maxMessageBytes: number
  readonly deadlineMs: number
  readonly admission: Admission
  /** How failures are told; default as problems (RFC 7807). */
  readonly failures?: FailureDialect
  /** How often each party may ask; default as often as it likes. */
  readonly rate?: RateLimit
  /** Whose pages may read what is answered; default nobody's. */
  readonly origins?: readonly string[]
}

/** What the audit record holds of a request and its answer. */
export type Account = Partial<
  Pick<AuditEvent, 'patientId' | 'request' | 'documents' | 'results' | 'emergencyReason'>
> & {
  readonly asked?: readonly Leg[]
  /** Of what is answered though not everybody answered. */
  readonly outcome?: 'partial-success'
}

/** A request whose caller is known. */
export interface ApiCall extends Exchange {
  readonly held: AsyncDisposableStack
  readonly caller: Caller
  readonly request: PresentedRequest
  /** What stands in the path where the route has a name (`:name`), decoded. */
  readonly parameters: Readonly<Record<string, string>>
  /** Adds to the audit record, whatever comes of the request afterwards. */
  readonly note: (account: Account) => void
}

/** What a route answers: plain values, to be written as JSON with 200 unless said otherwise, or content of its own kind. */
export type ApiAnswer = (Pick<WholeReply, 'body'> & Partial<WholeReply>) | Omit<ContentReply, 'status'> | StreamedAnswer

/** An answer that is made while it is sent. */
export interface StreamedAnswer {
  readonly contentType: string
  readonly headers: ContentReply['headers']
  /**
   * The answer; its beginning is on record before it is asked for. It has itself accounted for before its last word, once, with the failure if it is one; where it ends before
   * that, the caller has left. `account` rejects when that cannot be recorded.
   */
  readonly stream: (account: (error?: GatewayError) => Promise<void>) => AsyncIterable<Uint8Array>
}

/** One method of one path. */
export interface ApiRoute {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: `/api/${string}` | `/v1/${string}` | `/fhir/${string}`
  readonly transaction: TransactionName
  /** By when it is answered, where that is not the deadline of the face. */
  readonly deadlineMs?: number
  /** What the tokens of a request must agree with; absent, nothing but themselves. Throws GatewayError. */
  readonly matter?: (body: Uint8Array) => Matter
  /** Rejects with GatewayError. */
  readonly handle: (call: ApiCall) => ApiAnswer | Promise<ApiAnswer>
}

/** An exchange as it goes through the stations; whatever is known so far is what gets audited. */
interface Progress {
  readonly exchange: Exchange & { readonly held: AsyncDisposableStack }
  /** The path's, by name. */
  readonly parameters: ApiCall['parameters']
  readonly started: number
  readonly authorization: string | undefined
  guard?: Guard
  allowance?: Allowance
  caller?: Caller
  account?: Account
}

/**
 * The only place where the stations of a REST exchange are put in order: recognise, admit, read, authenticate, handle,
 * audit. Every attempt at a route leaves an audit record before its answer; if the record cannot be written, the answer is
 * not given.
 */
export function apiEndpoint(route: ApiRoute, parts: ApiParts) {
  const { clock, events } = parts
  const { deadlineMs = parts.deadlineMs } = route

  return async function serve(
    incoming: IncomingMessage,
    hangUp: AbortSignal,
    parameters: ApiCall['parameters'] = {},
  ): Promise<ApiReply> {
    const started = clock.now()
    const certificate = peerCertificate(incoming.socket as TLSSocket)
    const exchange = {
      correlationId: correlationOf(incoming),
      signal: hangUp,
      deadline: started + deadlineMs,
      peer: certificate === undefined ? { subject: 'unknown', fingerprint: 'unknown' } : parts.identify(certificate),
      held: new AsyncDisposableStack(),
    }
    const progress: Progress = { exchange, parameters, started, authorization: incoming.headers.authorization }
    events.exchangeStarted({ correlationId: exchange.correlationId })
    let leave: (() => void) | undefined
    const admitted = async () => {
      leave = parts.admission.enter()
      return await stations(incoming, certificate, progress)
    }
    // Content keeps its place, and what it holds, until it is sent.
    const release = async () => {
      leave?.()
      await exchange.held.disposeAsync()
    }
    try {
      const reply = await answered(progress, admitted())
      if ('content' in reply) return { ...reply, content: { ...reply.content, release } }
      await release()
      return reply
    } catch (error) {
      await release()
      throw error
    }
  }

  async function answered(progress: Progress, handled: Promise<ApiAnswer>): Promise<ApiReply> {
    try {
      const answer = await handled.catch(asGatewayError)
      return answer instanceof GatewayError ? await refuse(progress, answer) : await close(progress, answer)
    } catch (unaccounted) {
      return refusal(progress, asGatewayError(unaccounted))
    }
  }

  async function stations(
    incoming: IncomingMessage,
    certificate: PeerCertificate | undefined,
    progress: Progress,
  ): Promise<ApiAnswer> {
    const { exchange } = progress
    const guard = parts.guardOf(exchange.peer)
    if (guard === undefined || certificate === undefined) {
      throw new GatewayError('access-denied', 'This service is not for the presenter of this certificate')
    }
    progress.guard = guard
    const allowance = parts.rate?.take(exchange.peer.name ?? exchange.peer.fingerprint)
    if (allowance !== undefined) progress.allowance = allowance
    if (allowance?.isExceeded) throw tooManyRequests(allowance)
    const target = incoming.url ?? '/'
    requireCleanAddress(target)
    const late = AbortSignal.any([exchange.signal, AbortSignal.timeout(parts.deadlineMs)])
    const body = await readBody(incoming, parts.maxMessageBytes, late)
    const request: PresentedRequest = {
      method: incoming.method ?? '',
      target,
      headers: headerLines(incoming),
      body,
      certificate: certificate.raw,
      matter: route.matter?.(body) ?? {},
    }
    const caller = await guard.authenticate(request, late).catch(inTime)
    progress.caller = caller
    const note = (account: Account) => {
      progress.account = { ...progress.account, ...account }
    }
    return await route.handle({ ...exchange, caller, request, parameters: progress.parameters, note })
  }

  async function close(progress: Progress, answer: ApiAnswer): Promise<ApiReply> {
    const headers = { ...exchangeHeaders(progress.exchange.correlationId), ...allowanceHeaders(progress.allowance) }
    if ('stream' in answer) {
      const { contentType, stream } = answer
      // Bytes leave before the answer is complete: a process that dies meanwhile leaves this much behind.
      await write(progress, { outcome: 'partial-success', begins: true })
      const chunks = stream(accountant(progress))
      return { status: 200, contentType, headers: { ...answer.headers, ...headers }, content: { chunks } }
    }
    await succeed(progress)
    if ('body' in answer) {
      return { status: 200, contentType: 'application/json', ...answer, headers: { ...answer.headers, ...headers } }
    }
    return { status: 200, ...answer, headers: { ...answer.headers, ...headers } }
  }

  async function refuse(progress: Progress, error: GatewayError): Promise<ApiReply> {
    await fail(progress, error)
    return refusal(progress, error)
  }

  /** Records an answer that is being sent, at its end or when it is given up. */
  function accountant(progress: Progress): (error?: GatewayError) => Promise<void> {
    let isRecorded = false
    const account = async (error?: GatewayError) => {
      if (isRecorded) return
      isRecorded = true
      await (error === undefined ? succeed(progress) : fail(progress, error))
    }
    progress.exchange.held.defer(async () => {
      // Nobody is left who could be told that it cannot be recorded.
      await account(new GatewayError('caller-gone', 'The caller left before the answer')).catch(() => undefined)
    })
    return account
  }

  async function succeed(progress: Progress): Promise<void> {
    await record(progress, { outcome: progress.account?.outcome ?? 'success' })
  }

  async function fail(progress: Progress, error: GatewayError): Promise<void> {
    await record(progress, { outcome: error.fault === 'trust' ? 'refused' : 'failure', error })
  }

  function refusal({ allowance, authorization, exchange, guard }: Progress, error: GatewayError): WholeReply {
    const { correlationId } = exchange
    const { failed = problems.failed } = parts.failures ?? {}
    const { status, retryAfter, ...told } = failed(error, correlationId, guard?.problemOf?.(error))
    const challenged = status === 401 || (status === 400 && error.fault === 'trust')
    return {
      ...{ status, ...told },
      headers: {
        ...exchangeHeaders(correlationId),
        ...allowanceHeaders(allowance),
        ...(challenged ? { 'www-authenticate': [...challenges(guard?.schemes ?? [], authorization, error)] } : {}),
        ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
      },
    }
  }

  /** What ends an exchange. */
  async function record(progress: Progress, outcome: Pick<AuditEvent, 'outcome' | 'error'>): Promise<void> {
    const { account, exchange, started } = progress
    const { correlationId } = exchange
    const { transaction } = route
    const asked = account?.asked ?? []
    try {
      await write(progress, outcome)
    } finally {
      events.exchangeFinished({ correlationId, transaction, asked, ...outcome, durationMs: clock.now() - started })
    }
  }

  async function write(
    { account, caller, exchange }: Progress,
    outcome: Pick<AuditEvent, 'outcome' | 'error' | 'begins'>,
  ): Promise<void> {
    const at = clock.now()
    const { transaction } = route
    const { correlationId, peer } = exchange
    const { asked = [], ...noted } = account ?? {}
    const assertion = caller?.assertion
    try {
      await parts.audit.record({
        ...{ at, correlationId, transaction, peer },
        ...(assertion === undefined ? {} : { assertion }),
        ...noted,
        asked: asked.map(({ home, outcome }) => ({ home, outcome })),
        ...outcome,
      })
      events.auditWritten({ correlationId, durationMs: clock.now() - at })
    } catch (failure) {
      events.auditFailed({ correlationId, transaction, error: failure })
      throw new GatewayError('internal', 'The gateway cannot account for this request', { cause: failure })
    }
  }
}

/** Addresses end up in histories and logs (RFC 6750 §5.3; RAC_GEN_004): a token there is as good as stolen. */
function requireCleanAddress(target: string): void {
  const query = target.indexOf('?')
  if (query >= 0 && new URLSearchParams(target.slice(query)).has('access_token')) {
    throw new GatewayError('request-malformed', 'A token must not stand in an address; consider it lost')
  }
}

/** `headers` of Node drops repeated lines of some names and joins others. */
function headerLines({ rawHeaders }: IncomingMessage): readonly (readonly [name: string, value: string])[] {
  const names = rawHeaders.filter((_, index) => index % 2 === 0)
  return names.map((name, index) => [name, rawHeaders[index * 2 + 1] ?? ''])
}

/** While tokens are verified only their issuers' keys are waited for. */
function inTime(error: unknown): never {
  if (!(error instanceof DOMException) || error.name !== 'TimeoutError') throw error
  throw new GatewayError('community-timeout', 'The keys of the issuer cannot be had in time', {
    details: { reason: 'keys-unavailable' },
    cause: error,
  })
}
