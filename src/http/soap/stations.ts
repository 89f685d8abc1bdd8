import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { GatewayError } from '../../core/errors.ts'
import type { Leg } from '../../core/model/answers.ts'
import type { Assertion, Exchange, Peer } from '../../core/model/call.ts'
import { correlationId } from '../../core/model/identifiers.ts'
import type { AuditEvent, AuditTrail, Clock } from '../../core/ports.ts'
import type { Events, TransactionName } from '../../telemetry/events.ts'
import { soapNames } from '../../wire/soap.ts'
import { defaultXmlLimits, readTreeInSteps, XmlError, type XmlTree } from '../../wire/xml.ts'
import type { Admission } from '../admission.ts'
import { type Identify, peerCertificate } from '../peer.ts'

/** What the stations of every SOAP exchange need. */
export interface ExchangeParts {
  readonly identify: Identify
  readonly audit: AuditTrail
  readonly events: Pick<Events, 'exchangeStarted' | 'exchangeFinished' | 'auditWritten' | 'auditFailed'>
  readonly clock: Clock
  readonly maxMessageBytes: number
  readonly deadlineMs: number
  readonly admission: Admission
}

/** An exchange that has begun: who is at the other end of the connection, and by when it is answered. */
export interface Begun {
  readonly exchange: Exchange & { readonly held: AsyncDisposableStack }
  /** In the clock's milliseconds. */
  readonly started: number
  /** The certificate of the connection, DER. */
  readonly presenter?: Uint8Array
}

/** Begins an exchange, whoever comes. Nobody is admitted by it. */
export function beginExchange(incoming: IncomingMessage, hangUp: AbortSignal, parts: ExchangeParts): Begun {
  const started = parts.clock.now()
  const certificate = peerCertificate(incoming.socket as TLSSocket)
  const exchange = {
    correlationId: correlationId(randomUUID()),
    signal: hangUp,
    deadline: started + parts.deadlineMs,
    peer: certificate === undefined ? { subject: 'unknown', fingerprint: 'unknown' } : parts.identify(certificate),
    held: new AsyncDisposableStack(),
  }
  parts.events.exchangeStarted({ correlationId: exchange.correlationId })
  return { exchange, started, ...(certificate === undefined ? {} : { presenter: certificate.raw }) }
}

/** Throws `access-denied` for whom a door is not meant for. */
export function requireAdmitted(peer: Peer, admits: (peer: Peer) => boolean): void {
  if (admits(peer)) return
  throw new GatewayError('access-denied', 'This service is not for the presenter of this certificate')
}

/** The message addressing properties of WS-Addressing 1.0 Core §3. */
const addressingHeaders = new Set(['To', 'From', 'ReplyTo', 'FaultTo', 'Action', 'MessageID', 'RelatesTo'])

/** Whether a header block is one of WS-Addressing. */
export function isAddressing(namespace: string, local: string): boolean {
  return namespace === soapNames.wsa && addressingHeaders.has(local)
}

const mediaTypes = ['application/soap+xml', 'application/soap-xml', 'text/xml', 'application/xml']

/**
 * Throws `media-type-unsupported` for what is no SOAP in UTF-8. The type of another version of SOAP is let in so that its
 * sender is told about the version, not about the type; `wanted` is the one they are told.
 */
export function requireMediaType(contentType: string, wanted: string): void {
  const [type = '', ...parameters] = contentType
    .toLowerCase()
    .split(';')
    .map((part) => part.trim())
  const charset = parameters
    .find((parameter) => parameter.startsWith('charset='))
    ?.slice(8)
    .replaceAll('"', '')
  if (!mediaTypes.includes(type) || (charset !== undefined && charset !== 'utf-8' && charset !== 'us-ascii')) {
    throw new GatewayError('media-type-unsupported', `Messages must be ${wanted} in UTF-8`)
  }
}

/** The tree of a message; long ones let others go on in between. Rejects with `request-malformed`. */
export async function parseMessage(bytes: Buffer, maxBytes: number): Promise<XmlTree> {
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

/** What is told of an exchange when it ends. */
export interface Ending {
  readonly outcome: AuditEvent['outcome']
  readonly asked: readonly Leg[]
  readonly results?: number
  readonly error?: GatewayError
}

/** What is known of an exchange by then. */
export interface Known extends Begun {
  readonly transaction?: { readonly id: Exclude<TransactionName, 'unknown'> }
  readonly assertion?: Assertion
  readonly account?: Pick<AuditEvent, 'patientId' | 'request' | 'documents'>
}

/** How an attempt ended that came to nothing. Who left was not refused. */
export function endingOf(error: GatewayError): Ending {
  const refused = error.fault === 'trust' || (error.fault === 'caller' && error.code !== 'caller-gone')
  return { outcome: refused ? 'refused' : 'failure', asked: [], error }
}

/** Writes the audit record of an exchange; rejects with `internal` when it cannot be written. Tells of its end either way. */
export async function accountFor(known: Known, ending: Ending, parts: ExchangeParts): Promise<void> {
  const { audit, clock, events } = parts
  const { exchange, assertion, started, account } = known
  const { correlationId, peer } = exchange
  const { error, asked, outcome } = ending
  const transaction = known.transaction?.id ?? 'unknown'
  const at = clock.now()
  try {
    await audit.record({
      ...{ at, correlationId, transaction, peer },
      ...(assertion === undefined ? {} : { assertion }),
      ...account,
      ...ending,
      asked: asked.map(({ home, outcome }) => ({ home, outcome })),
    })
    events.auditWritten({ correlationId, durationMs: clock.now() - at })
  } catch (failure) {
    events.auditFailed({ correlationId, transaction, error: failure })
    throw new GatewayError('internal', 'The gateway cannot account for this request', { cause: failure })
  } finally {
    events.exchangeFinished({
      ...{ correlationId, transaction, outcome, asked },
      durationMs: clock.now() - started,
      ...(error === undefined ? {} : { error }),
    })
  }
}

/** The HTTP headers of every answer. */
export function exchangeHeaders({ exchange }: Begun): Record<string, string> {
  return { 'x-correlation-id': exchange.correlationId, 'cache-control': 'no-store' }
}

/** The HTTP headers of a fault: who found no place may come again soon. */
export function faultHeaders(begun: Begun, error: GatewayError): Record<string, string> {
  return { ...exchangeHeaders(begun), ...(error.code === 'overloaded' ? { 'retry-after': '1' } : {}) }
}
