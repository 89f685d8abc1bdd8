import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { asGatewayError, GatewayError } from '../../core/errors.ts'
import type { Leg } from '../../core/model/answers.ts'
import type { Assertion, Peer } from '../../core/model/call.ts'
import { type RequestAction, responseAction } from '../../wire/actions.ts'
import { type AddressingMode, actionNotSupported, messageIdOf, readAddressing } from '../../wire/addressing.ts'
import { MtomError } from '../../wire/mtom/mtom-error.ts'
import { PackageReader } from '../../wire/mtom/package.ts'
import { type Envelope, encodeEnvelope, encodeFault, httpStatusOf, openEnvelope, soapNames } from '../../wire/soap.ts'
import { readBody } from '../body.ts'
import type { StreamedBody } from '../stream.ts'
import { enveloped, mediaType } from './packaging.ts'
import type { Refusals } from './refusals.ts'
import {
  accountFor,
  type Begun,
  beginExchange,
  type ExchangeParts,
  endingOf,
  exchangeHeaders,
  faultHeaders,
  isAddressing,
  parseMessage,
  requireAdmitted,
  requireMediaType,
} from './stations.ts'
import type { BodyWithDocuments, SoapTransaction } from './transaction.ts'

/**
 * Finds and verifies the assertion of a message for the party that presents it, with the certificate of the connection,
 * DER. Rejects with `assertion-*`.
 */
export type Authenticate = (envelope: Envelope, peer: Peer, presenter?: Uint8Array) => Promise<Assertion>

/** What every SOAP service shares. */
export interface SoapParts extends ExchangeParts {
  readonly authenticate: Authenticate
  readonly refusals: Refusals
  readonly addressing: AddressingMode
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

/** Header blocks this gateway understands when they are mandatory. */
export function understands(namespace: string, local: string): boolean {
  return isAddressing(namespace, local) || (namespace === soapNames.wsse && local === 'Security')
}

/** An exchange as it goes through the stations; whatever is known so far is what gets audited. */
interface Progress extends Begun {
  /** Whether the request came as an MTOM package, and is answered by one. */
  packaged?: boolean
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
  return async function serve(incoming: IncomingMessage, hangUp: AbortSignal): Promise<SoapReply> {
    const progress: Progress = beginExchange(incoming, hangUp, parts)
    let leave: (() => void) | undefined
    const admitted = async () => {
      leave = parts.admission.enter()
      return await stations(incoming, progress)
    }
    // An answer with documents keeps its place, and what it holds, until it is sent.
    const end = async () => {
      leave?.()
      await progress.exchange.held.disposeAsync()
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
    requireAdmitted(exchange.peer, service.admits)
    const contentType = incoming.headers['content-type'] ?? ''
    const packaged = isPackage(contentType)
    progress.packaged = packaged
    if (!packaged) requireMediaType(contentType, 'application/soap+xml')
    const late = AbortSignal.any([exchange.signal, AbortSignal.timeout(parts.deadlineMs)])
    const bytes = await readBody(incoming, parts.maxMessageBytes, late)
    const xml = packaged ? rootOf(contentType, bytes) : bytes
    const envelope = openEnvelope(await parseMessage(xml, parts.maxMessageBytes), understands)
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
    const error = status === 'failure' && failed ? { error: failed } : {}
    const accounted = accountFor(progress, { outcome: status, asked, results, ...error }, parts)
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
    await accountFor(progress, endingOf(error), parts)
    const { transaction, exchange } = progress
    if (transaction === undefined || parts.refusals.asFault(error, exchange.peer)) return fault(progress, error)
    return {
      status: 200,
      headers: exchangeHeaders(progress),
      ...written(progress, transaction.action, transaction.fail(error, progress.envelope)),
    }
  }

  function fault(progress: Progress, error: GatewayError): SoapReply {
    const { fault, status } = parts.refusals.faultOf(error, progress.exchange.peer)
    return {
      status: status ?? httpStatusOf(fault),
      body: encodeFault(fault, address(progress)),
      contentType: fault.code === 'VersionMismatch' ? 'text/xml; charset=utf-8' : mediaType,
      headers: faultHeaders(progress, error),
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

function address({ envelope }: Progress) {
  const relatesTo = envelope === undefined ? undefined : messageIdOf(envelope)
  return { messageId: `urn:uuid:${randomUUID()}`, ...(relatesTo === undefined ? {} : { relatesTo }) }
}

/** Who was asked, for how long and how it went (W3C Server Timing): for integrators, invisible to SOAP. */
function serverTiming(asked: readonly Leg[]): string {
  return asked
    .map(({ name, durationMs, outcome }) => `${name};dur=${Math.round(durationMs)};desc="${outcome}"`)
    .join(', ')
}
