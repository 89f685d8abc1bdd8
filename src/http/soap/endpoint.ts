import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { asGatewayError, GatewayError } from '../../core/errors.ts'
import type { Leg } from '../../core/model/answers.ts'
import type { Assertion, Exchange, Peer } from '../../core/model/call.ts'
import { correlationId } from '../../core/model/identifiers.ts'
import type { AuditEvent, AuditTrail, Clock } from '../../core/ports.ts'
import type { Events } from '../../telemetry/events.ts'
import { type RequestAction, responseAction } from '../../wire/actions.ts'
import { type AddressingMode, actionNotSupported, messageIdOf, readAddressing } from '../../wire/addressing.ts'
import { MtomError } from '../../wire/mtom/mtom-error.ts'
import { PackageReader } from '../../wire/mtom/package.ts'
import { type Envelope, encodeEnvelope, encodeFault, httpStatusOf, openEnvelope, soapNames } from '../../wire/soap.ts'
import { defaultXmlLimits, readTreeInSteps, XmlError, type XmlTree } from '../../wire/xml.ts'
import type { Admission } from '../admission.ts'
import { readBody } from '../body.ts'
import { type Identify, peerCertificate } from '../peer.ts'
import type { StreamedBody } from '../stream.ts'
import { enveloped, mediaType } from './packaging.ts'
import type { Refusals } from './refusals.ts'
import type { BodyWithDocuments, SoapTransaction } from './transaction.ts'

/**
 * Finds and verifies the assertion of a message for the party that presents it, with the certificate of the connection,
 * DER. Rejects with `assertion-*`.
 */
export type Authenticate = (envelope: Envelope, peer: Peer, presenter?: Uint8Array) => Promise<Assertion>

/** What every SOAP service shares. */
export interface SoapParts {
  readonly identify: Identify
  readonly authenticate: Authenticate
  readonly refusals: Refusals
  readonly audit: AuditTrail
  readonly events: Events
  readonly clock: Clock
  readonly addressing: AddressingMode
  readonly maxMessageBytes: number
  readonly deadlineMs: number
  readonly admission: Admission
}

/** A service at one address: its transactions by action, and who may come to this door at all. */
export interface SoapService {
  // biome-ignore lint/suspicious/noExplicitAny: a service holds transactions of different requests and answers
  readonly transactions: readonly SoapTransaction<any, any>[]
  readonly admits: (peer: Peer) => boolean
}

export interface SoapReply {
  readonly status: number
  readonly body: string | StreamedBody
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
}

/** The message addressing properties of WS-Addressing 1.0 Core §3. */
const addressingHeaders = new Set(['To', 'From', 'ReplyTo', 'FaultTo', 'Action', 'MessageID', 'RelatesTo'])

/** Header blocks this gateway understands when they are mandatory. */
export function understands(namespace: string, local: string): boolean {
  return (
    (namespace === soapNames.wsa && addressingHeaders.has(local)) ||
    (namespace === soapNames.wsse && local === 'Security')
  )
}

/** An exchange as it goes through the stations; whatever is known so far is what gets audited. */
interface Progress {
  readonly exchange: Exchange & { readonly held: AsyncDisposableStack }
  /** Whether the request came as an MTOM package, and is answered by one. */
  packaged?: boolean
  /** The certificate of the connection, DER. */
  readonly presenter?: Uint8Array
  readonly started: number
  transaction?: SoapService['transactions'][number]
  envelope?: Envelope
  assertion?: Assertion
  account?: ReturnType<SoapService['transactions'][number]['account']>
}

/**
 * The only place where the stations of a SOAP exchange are put in order: read, open, dispatch, authenticate, decode,
 * handle, encode, audit. Every attempt that came over an authenticated connection leaves an audit record before its
 * answer; if the record cannot be written, the answer is not given.
 */
export function soapEndpoint(service: SoapService, parts: SoapParts) {
  const { clock, events } = parts

  return async function serve(incoming: IncomingMessage, hangUp: AbortSignal): Promise<SoapReply> {
    const started = clock.now()
    const certificate = peerCertificate(incoming.socket as TLSSocket)
    const exchange = {
      correlationId: correlationId(randomUUID()),
      signal: hangUp,
      deadline: started + parts.deadlineMs,
      peer: certificate === undefined ? { subject: 'unknown', fingerprint: 'unknown' } : parts.identify(certificate),
      held: new AsyncDisposableStack(),
    }
    const progress: Progress = {
      exchange,
      started,
      ...(certificate === undefined ? {} : { presenter: certificate.raw }),
    }
    events.exchangeStarted({ correlationId: exchange.correlationId })
    let leave: (() => void) | undefined
    const admitted = async () => {
      leave = parts.admission.enter()
      return await stations(incoming, progress)
    }
    // An answer with documents keeps its place, and what it holds, until it is sent.
    const end = async () => {
      leave?.()
      await exchange.held.disposeAsync()
    }
    try {
      const reply = await answered(progress, admitted())
      if (typeof reply.body !== 'string') return { ...reply, body: { ...reply.body, release: end } }
      await end()
      return reply
    } catch (error) {
      await end()
      throw error
    }
  }

  async function answered(progress: Progress, handled: ReturnType<typeof stations>): Promise<SoapReply> {
    try {
      const answer = await handled.catch(asGatewayError)
      return answer instanceof GatewayError ? await refuse(progress, answer) : await close(progress, answer)
    } catch (unaccounted) {
      return fault(progress, asGatewayError(unaccounted))
    }
  }

  async function stations(incoming: IncomingMessage, progress: Progress) {
    const { exchange } = progress
    if (!service.admits(exchange.peer)) {
      throw new GatewayError('access-denied', 'This service is not for the presenter of this certificate')
    }
    const contentType = incoming.headers['content-type'] ?? ''
    const packaged = isPackage(contentType)
    progress.packaged = packaged
    if (!packaged) requireMediaType(contentType)
    const late = AbortSignal.any([exchange.signal, AbortSignal.timeout(parts.deadlineMs)])
    const bytes = await readBody(incoming, parts.maxMessageBytes, late)
    const xml = packaged ? rootOf(contentType, bytes) : bytes
    const envelope = openEnvelope(await parse(xml, parts.maxMessageBytes), understands)
    progress.envelope = envelope
    const { action } = readAddressing(envelope, parts.addressing)
    const transaction = service.transactions.find((one) => one.action === action)
    if (transaction === undefined) throw actionNotSupported(action)
    progress.transaction = transaction
    const assertion = await parts.authenticate(envelope, exchange.peer, progress.presenter)
    progress.assertion = assertion
    const { deadlineMs = parts.deadlineMs } = transaction
    const call = { ...exchange, assertion, deadline: progress.started + deadlineMs }
    const request: unknown = transaction.decode(envelope)
    progress.account = transaction.account(request)
    const answer: unknown = await transaction.handle(request, call)
    return { encode: () => transaction.encode(answer, request, call), ...transaction.outcome(answer), transaction }
  }

  async function close(progress: Progress, answer: Awaited<ReturnType<typeof stations>>): Promise<SoapReply> {
    const { asked, failures, status, results, transaction, encode } = answer
    const failed = failures[0]?.error
    const accounted = account(progress, {
      outcome: status,
      asked,
      results,
      ...(status === 'failure' && failed ? { error: failed } : {}),
    })
    const headers = { ...exchangeHeaders(progress), 'server-timing': serverTiming(asked) }
    try {
      // Written while the record becomes durable; what cannot be written was granted all the same.
      return { status: 200, headers, ...written(progress, transaction.action, encode()) }
    } finally {
      await accounted
    }
  }

  /** The message around a body, packaged as the request was. */
  function written(progress: Progress, action: RequestAction, body: string | BodyWithDocuments) {
    const addressing = { action: responseAction(action), ...address(progress) }
    return enveloped((xml) => encodeEnvelope(addressing, xml), body, progress.packaged === true)
  }

  async function refuse(progress: Progress, error: GatewayError): Promise<SoapReply> {
    // Who left was not refused.
    const refused = error.fault === 'trust' || (error.fault === 'caller' && error.code !== 'caller-gone')
    const outcome = refused ? 'refused' : 'failure'
    await account(progress, { outcome, asked: [], error })
    const { transaction, exchange } = progress
    if (transaction === undefined || parts.refusals.asFault(error, exchange.peer)) return fault(progress, error)
    return {
      status: 200,
      headers: exchangeHeaders(progress),
      ...written(progress, transaction.action, transaction.fail(error)),
    }
  }

  function fault(progress: Progress, error: GatewayError): SoapReply {
    const { fault, status } = parts.refusals.faultOf(error, progress.exchange.peer)
    return {
      status: status ?? httpStatusOf(fault),
      body: encodeFault(fault, address(progress)),
      contentType: fault.code === 'VersionMismatch' ? 'text/xml; charset=utf-8' : mediaType,
      headers: { ...exchangeHeaders(progress), ...(error.code === 'overloaded' ? { 'retry-after': '1' } : {}) },
    }
  }

  async function account(
    progress: Progress,
    outcome: { outcome: AuditEvent['outcome']; asked: readonly Leg[]; results?: number; error?: GatewayError },
  ): Promise<void> {
    const { exchange, assertion, started } = progress
    const at = clock.now()
    const { error } = outcome
    const transaction = progress.transaction?.id ?? 'unknown'
    try {
      await parts.audit.record({
        at,
        correlationId: exchange.correlationId,
        transaction,
        peer: exchange.peer,
        ...(assertion === undefined ? {} : { assertion }),
        ...progress.account,
        ...outcome,
        asked: outcome.asked.map(({ home, outcome }) => ({ home, outcome })),
      })
      events.auditWritten({ correlationId: exchange.correlationId, durationMs: clock.now() - at })
    } catch (failure) {
      events.auditFailed({ correlationId: exchange.correlationId, transaction, error: failure })
      throw new GatewayError('internal', 'The gateway cannot account for this request', { cause: failure })
    } finally {
      events.exchangeFinished({
        correlationId: exchange.correlationId,
        transaction,
        outcome: outcome.outcome,
        asked: outcome.asked,
        durationMs: clock.now() - started,
        ...(error === undefined ? {} : { error }),
      })
    }
  }
}

/** An MTOM package (SOAP MTOM §3); anything else of the family multipart is none. */
function isPackage(contentType: string): boolean {
  return /^\s*multipart\/related\s*(;|$)/i.test(contentType)
}

/** The message of a package. What else is in it is for the transactions that take documents. */
function rootOf(contentType: string, bytes: Buffer): Buffer {
  try {
    const reader = new PackageReader(contentType)
    for (const event of [...reader.push(bytes), ...reader.end()]) if (event.kind === 'root') return event.root.bytes
  } catch (error) {
    if (!(error instanceof MtomError)) throw error
    throw new GatewayError('request-malformed', `The package is not MTOM this service reads: ${error.reason}`, {
      cause: error,
    })
  }
  throw new GatewayError('request-malformed', 'The package has no message')
}

/** SOAP 1.1's type is let in so that its sender is told about the version, not about the type. */
function requireMediaType(contentType: string): void {
  const [type = '', ...parameters] = contentType
    .toLowerCase()
    .split(';')
    .map((part) => part.trim())
  const charset = parameters
    .find((parameter) => parameter.startsWith('charset='))
    ?.slice(8)
    .replaceAll('"', '')
  const known = ['application/soap+xml', 'application/soap-xml', 'text/xml', 'application/xml'].includes(type)
  if (!known || (charset !== undefined && charset !== 'utf-8' && charset !== 'us-ascii')) {
    throw new GatewayError('media-type-unsupported', 'Messages must be application/soap+xml in UTF-8')
  }
}

async function parse(bytes: Buffer, maxBytes: number): Promise<XmlTree> {
  try {
    return await readTreeInSteps(
      bytes,
      { ...defaultXmlLimits, maxBytes },
      () => new Promise((resolve) => setImmediate(resolve)),
    )
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    throw new GatewayError('request-malformed', `The message is not XML this service reads: ${error.reason}`, {
      cause: error,
    })
  }
}

function address({ envelope }: Progress) {
  const relatesTo = envelope === undefined ? undefined : messageIdOf(envelope)
  return { messageId: `urn:uuid:${randomUUID()}`, ...(relatesTo === undefined ? {} : { relatesTo }) }
}

function exchangeHeaders({ exchange }: Progress): Record<string, string> {
  return { 'x-correlation-id': exchange.correlationId, 'cache-control': 'no-store' }
}

/** Who was asked, for how long and how it went (W3C Server Timing): for integrators, invisible to SOAP. */
function serverTiming(asked: readonly Leg[]): string {
  return asked
    .map(({ name, durationMs, outcome }) => `${name};dur=${Math.round(durationMs)};desc="${outcome}"`)
    .join(', ')
}
