import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { asGatewayError, GatewayError } from '../../core/errors.ts'
import type { Exchange } from '../../core/model/call.ts'
import type { AuditEvent, AuditTrail, Clock } from '../../core/ports.ts'
import type { ExchangeFinished, TransactionName } from '../../telemetry/events.ts'
import type { Admission } from '../admission.ts'
import { readBody } from '../body.ts'
import { type Identify, type PeerCertificate, peerCertificate } from '../peer.ts'
import { challenges } from './challenge.ts'
import { correlationOf, exchangeHeaders } from './correlation.ts'
import type { Caller, Guard, GuardOf, Matter, PresentedRequest } from './guard.ts'
import { problemOf } from './problem.ts'
import type { ApiReply } from './reply.ts'

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
}

/** A request whose caller is known. */
export interface ApiCall extends Exchange {
  readonly caller: Caller
  readonly request: PresentedRequest
}

/** What a route answers, and what the audit record holds of it. */
export interface ApiAnswer {
  /** Plain values, to be written as JSON. */
  readonly body: unknown
  readonly account?: Partial<Pick<AuditEvent, 'patientId' | 'request' | 'asked' | 'results'>>
}

/** One method of one path. */
export interface ApiRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: `/api/${string}`
  readonly transaction: TransactionName
  /** What the tokens of a request must agree with; absent, nothing but themselves. Throws GatewayError. */
  readonly matter?: (body: Uint8Array) => Matter
  /** Rejects with GatewayError. */
  readonly handle: (call: ApiCall) => ApiAnswer | Promise<ApiAnswer>
}

/** An exchange as it goes through the stations; whatever is known so far is what gets audited. */
interface Progress {
  readonly exchange: Exchange
  readonly started: number
  readonly authorization: string | undefined
  guard?: Guard
  caller?: Caller
}

/**
 * The only place where the stations of a REST exchange are put in order: recognise, admit, read, authenticate, handle,
 * audit. Every attempt at a route leaves an audit record before its answer; if the record cannot be written, the answer is
 * not given.
 */
export function apiEndpoint(route: ApiRoute, parts: ApiParts) {
  const { clock, events } = parts

  return async function serve(incoming: IncomingMessage, hangUp: AbortSignal): Promise<ApiReply> {
    const started = clock.now()
    const certificate = peerCertificate(incoming.socket as TLSSocket)
    const exchange: Exchange = {
      correlationId: correlationOf(incoming),
      signal: AbortSignal.any([hangUp, AbortSignal.timeout(parts.deadlineMs)]),
      deadline: started + parts.deadlineMs,
      peer: certificate === undefined ? { subject: 'unknown', fingerprint: 'unknown' } : parts.identify(certificate),
    }
    const progress: Progress = { exchange, started, authorization: incoming.headers.authorization }
    events.exchangeStarted({ correlationId: exchange.correlationId })
    let leave: (() => void) | undefined
    const admitted = async () => {
      leave = parts.admission.enter()
      return await stations(incoming, certificate, progress)
    }
    try {
      const answer = await admitted().catch(asGatewayError)
      return answer instanceof GatewayError ? await refuse(progress, answer) : await close(progress, answer)
    } catch (unaccounted) {
      return refusal(progress, asGatewayError(unaccounted))
    } finally {
      leave?.()
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
    const target = incoming.url ?? '/'
    requireCleanAddress(target)
    const body = await readBody(incoming, parts.maxMessageBytes, exchange.signal)
    const request: PresentedRequest = {
      method: incoming.method ?? '',
      target,
      headers: headerLines(incoming),
      body,
      certificate: certificate.raw,
      matter: route.matter?.(body) ?? {},
    }
    const caller = await guard.authenticate(request, exchange.signal).catch(inTime)
    progress.caller = caller
    return await route.handle({ ...exchange, caller, request })
  }

  async function close(progress: Progress, { account = {}, body }: ApiAnswer): Promise<ApiReply> {
    await record(progress, { asked: [], ...account, outcome: 'success' })
    return {
      status: 200,
      contentType: 'application/json',
      headers: exchangeHeaders(progress.exchange.correlationId),
      body,
    }
  }

  async function refuse(progress: Progress, error: GatewayError): Promise<ApiReply> {
    const outcome = error.fault === 'trust' ? 'refused' : 'failure'
    await record(progress, { asked: [], outcome, error })
    return refusal(progress, error)
  }

  function refusal({ authorization, exchange, guard }: Progress, error: GatewayError): ApiReply {
    const { correlationId } = exchange
    const { problem, retryAfter } = problemOf(error, correlationId, guard?.problemOf?.(error))
    const challenged = problem.status === 401 || (problem.status === 400 && error.fault === 'trust')
    return {
      status: problem.status,
      contentType: 'application/problem+json',
      headers: {
        ...exchangeHeaders(correlationId),
        ...(challenged ? { 'www-authenticate': [...challenges(guard?.schemes ?? [], authorization, error)] } : {}),
        ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
      },
      body: problem,
    }
  }

  async function record(
    { caller, exchange, started }: Progress,
    outcome: Pick<AuditEvent, 'outcome' | 'asked' | 'error' | 'patientId' | 'request' | 'results'>,
  ): Promise<void> {
    const at = clock.now()
    const { transaction } = route
    const { correlationId, peer } = exchange
    const { error } = outcome
    try {
      const assertion = caller?.assertion
      await parts.audit.record({
        ...{ at, correlationId, transaction, peer },
        ...(assertion === undefined ? {} : { assertion }),
        ...outcome,
      })
      events.auditWritten({ correlationId, durationMs: clock.now() - at })
    } catch (failure) {
      events.auditFailed({ correlationId, transaction, error: failure })
      throw new GatewayError('internal', 'The gateway cannot account for this request', { cause: failure })
    } finally {
      events.exchangeFinished({
        correlationId,
        transaction,
        outcome: outcome.outcome,
        asked: [],
        durationMs: clock.now() - started,
        ...(error === undefined ? {} : { error }),
      })
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
