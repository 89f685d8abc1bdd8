import { createHash, randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { asGatewayError, type ErrorCode, GatewayError } from '../../core/errors.ts'
import { unlessAborted } from '../../core/federation/fan-out.ts'
import type { ReceivedNotification } from '../../core/federation/notifications.ts'
import type { Exchange, Peer } from '../../core/model/call.ts'
import type { AuditEvent } from '../../core/ports.ts'
import {
  encodeNotificationResponse,
  type NotificationMessage,
  type NotificationOutcome,
} from '../../wire/ini/notification.ts'
import { SoapFaultError, soapNames } from '../../wire/soap.ts'
import { encodeEnvelope11, encodeFault11, type Opened11, openRequest11, soap11Type } from '../../wire/soap11.ts'
import type { Node, XmlTree } from '../../wire/xml.ts'
import { readBody } from '../body.ts'
import type { SoapReply } from './endpoint.ts'
import { faultOf, soapErrors } from './error-table.ts'
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

/** One notification as data: from the message in the body to what is kept of it. */
export interface NotificationService {
  readonly message: NotificationMessage
  /** Throws GatewayError. */
  readonly decode: (tree: XmlTree, body: Node) => ReceivedNotification['content']
  /** Resolves when the notification will not be lost. Rejects with GatewayError. */
  readonly handle: (received: ReceivedNotification, exchange: Exchange) => Promise<'taken' | 'repeated'>
  /** What the audit record holds of a notification. */
  readonly account: (
    content: ReceivedNotification['content'],
  ) => Pick<AuditEvent, 'patientId' | 'request' | 'documents'>
}

/** The notifications that are taken at one address, and from whom. */
export interface NotificationDoor {
  readonly services: readonly NotificationService[]
  readonly admits: (peer: Peer) => boolean
  /**
   * What an answer calls a message that lacks something or has it wrong: no public source tells the code of a notification
   * for it (ini.md §6.1).
   */
  readonly malformedCode?: string
}

/** An exchange as it goes through the stations; whatever is known so far is what gets audited. */
interface Progress extends Begun {
  transaction?: { readonly id: ReceivedNotification['transaction'] }
  message?: NotificationMessage
  opened?: Opened11
  account?: ReturnType<NotificationService['account']>
}

/** Of a notification, which is a few lines. */
const mostBytes = 256 * 1024

/**
 * Puts the stations of a notification in order: admit, read, open, dispatch, decode, handle, audit, answer. SOAP 1.1,
 * nobody vouches for anybody (ini.md §7.2). What is no message of the door is answered by a fault, and so is what we cannot
 * do: it may be told again. What is wrong with a message of the door is answered by its own response. Every attempt leaves
 * an audit record before its answer; if the record cannot be written, the answer is a fault.
 */
export function notificationEndpoint(door: NotificationDoor, parts: ExchangeParts) {
  const maxBytes = Math.min(parts.maxMessageBytes, mostBytes)
  const { malformedCode = 'XDSRegistryMetadataError' } = door

  return async function serve(incoming: IncomingMessage, hangUp: AbortSignal): Promise<SoapReply> {
    const progress: Progress = beginExchange(incoming, hangUp, parts)
    let leave: (() => void) | undefined
    const admitted = async () => {
      leave = parts.admission.enter()
      return await stations(incoming, progress)
    }
    try {
      const answer = await admitted().catch(asGatewayError)
      if (answer instanceof GatewayError) return await refuse(progress, answer)
      await accountFor(progress, { outcome: 'success', asked: [] }, parts)
      return responded(progress, answer, { status: 'success' })
    } catch (unaccounted) {
      return fault(progress, asGatewayError(unaccounted))
    } finally {
      leave?.()
      await progress.exchange.held.disposeAsync()
    }
  }

  async function stations(incoming: IncomingMessage, progress: Progress): Promise<NotificationMessage> {
    const { exchange } = progress
    requireAdmitted(exchange.peer, door.admits)
    requireMediaType(incoming.headers['content-type'] ?? '', 'text/xml')
    const late = AbortSignal.timeout(parts.deadlineMs)
    const bytes = await readBody(incoming, maxBytes, AbortSignal.any([exchange.signal, late]))
    const tree = await parseMessage(bytes, maxBytes)
    const opened = openRequest11(tree, isAddressing)
    progress.opened = opened
    const { body, action, messageId } = opened
    const service = serviceOf(tree, body)
    const { message } = service
    const transaction = message.name
    progress.transaction = { id: transaction }
    requireNoContradiction(message, [action, incoming.headers.soapaction])
    progress.message = message
    const content = service.decode(tree, body)
    progress.account = service.account(content)
    const digest = createHash('sha256').update(bytes).digest('hex')
    const received = { transaction, content, digest, ...(messageId === undefined ? {} : { messageId }) }
    // Who leaves meanwhile is not waited for, and what they told is kept all the same.
    await unlessAborted(() => service.handle(received, exchange), late).catch((error: unknown) => {
      if (!late.aborted || error instanceof GatewayError) throw error
      throw new GatewayError('overloaded', 'The notification was not kept in time; tell it again', { cause: error })
    })
    return message
  }

  /** The body decides: some actions are told by no public source, and consents may have none at all (#1974). */
  function serviceOf(tree: XmlTree, body: Node): NotificationService {
    const found = door.services.find(({ message }) => tree.is(body, message.namespace, `${message.name}Request`))
    if (found !== undefined) return found
    throw new SoapFaultError({ code: 'Sender', reason: 'The body is no message of this service' })
  }

  async function refuse(progress: Progress, error: GatewayError): Promise<SoapReply> {
    await accountFor(progress, endingOf(error), parts)
    const { message } = progress
    if (message === undefined || error.fault !== 'caller') return fault(progress, error)
    const code = codes.has(error.code) ? nameOf(error.code) : malformedCode
    return responded(progress, message, { status: 'failure', error: { code, context: error.message } })
  }

  /** An answer by the service's own means. */
  function responded(progress: Progress, message: NotificationMessage, outcome: NotificationOutcome): SoapReply {
    const body = encodeEnvelope11(
      addressingOf(progress, `${message.action}Response`),
      encodeNotificationResponse(message, outcome),
    )
    return { status: 200, body, contentType: soap11Type, headers: exchangeHeaders(progress) }
  }

  function fault(progress: Progress, error: GatewayError): SoapReply {
    const { fault, status = 500 } = faultOf(error)
    // What is no fault of the message may be told again (SOAP 1.1 §4.4.1).
    const told = error.fault === 'caller' || error.fault === 'trust' ? fault : { ...fault, code: 'Receiver' as const }
    return {
      status,
      body: encodeEnvelope11(addressingOf(progress, `${soapNames.wsa}/soap/fault`), encodeFault11(told)),
      contentType: soap11Type,
      headers: faultHeaders(progress, error),
    }
  }
}

/** What has a code of its own in XDS. */
const codes: ReadonlySet<ErrorCode> = new Set(['patient-unknown', 'document-unknown', 'repository-unknown'])

function nameOf(code: ErrorCode): string {
  const told = soapErrors[code]
  return told.as === 'registry-error' ? told.errorCode : 'XDSRegistryError'
}

/** Actions that belong to some message we know: all of IHE's, and those of the national services (ini.md §1.2, §7.2). */
const known = /^urn:ihe:|^urn:fse:(?:Notify(?:SubmitObjects|Retrieve|Hiding|Consent)|ConsentQuery|RegisterConsentSet)$/

/** Throws when the header of the message, or that of HTTP, names another message than the one that came. */
function requireNoContradiction(
  { action }: NotificationMessage,
  told: readonly (string | string[] | undefined)[],
): void {
  for (const one of told) {
    // SOAP 1.1 puts it in quotes, and not all do; some call the action as the message (#1974).
    const plain = String(one ?? '')
      .trim()
      .replace(/^"(.*)"$/, '$1')
      .replace(/Request$/, '')
    if (plain === action || !known.test(plain)) continue
    throw new SoapFaultError({ code: 'Sender', reason: 'The action names another message than the body holds' })
  }
}

/** Those who address their messages are answered so; to others addressing may do harm (#1974). */
function addressingOf({ opened }: Progress, action: string) {
  if (opened?.action === undefined && opened?.messageId === undefined) return undefined
  const { messageId: relatesTo } = opened
  return { action, messageId: `urn:uuid:${randomUUID()}`, ...(relatesTo === undefined ? {} : { relatesTo }) }
}
