import { type ErrorCode, GatewayError, type Issue } from '../../core/errors.ts'
import { type PeerFault, readFault } from '../ebrim/fault.ts'
import { encodeEnvelope11, type Opened11, openEnvelope11, soap11Type, soapActionOf } from '../soap11.ts'
import { defaultXmlLimits, NONE, readTree, XmlError, type XmlTree } from '../xml.ts'
import { decodeNotificationResponse, type NotificationMessage, type NotificationOutcome } from './notification.ts'

/** A notification on its way: SOAP 1.1 without an assertion (ini.md §7.2). */
export interface NotificationRequest {
  readonly url: string
  readonly method: 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * The request that tells a notification, under a UUID of its own. Throws `metadata-invalid` for what a registry of another
 * notation may tell and XML cannot carry.
 */
export function notificationRequest(
  { action }: NotificationMessage,
  { url, uuid, encode }: { readonly url: string; readonly uuid: string; readonly encode: () => string },
): NotificationRequest {
  return {
    url,
    method: 'POST',
    headers: { 'content-type': soap11Type, soapaction: soapActionOf(action) },
    body: encodeEnvelope11({ action, messageId: `urn:uuid:${uuid}`, to: url }, spelt(encode)),
  }
}

function spelt(encode: () => string): string {
  try {
    return encode()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new GatewayError('metadata-invalid', 'A notification has a character that cannot be sent')
  }
}

/** What came back over HTTP. */
export interface NotificationAnswer {
  readonly status: number
  readonly body: Uint8Array
}

/** Of an answer, which is a few lines unless its message says otherwise. */
const maxAnswerBytes = 1024 * 1024

/**
 * The answer taken apart. Throws unless it says that the message of that name, and of that UUID where it had one, was taken:
 * `community-rejected` is final, `community-unavailable` and `-busy` may pass, and `community-misbehaved` says nothing either
 * way. The errors name nobody.
 */
export function requireTaken(
  answer: NotificationAnswer,
  message: { readonly name: string; readonly maxAnswerBytes?: number },
  uuid?: string,
): OpenedAnswer {
  const opened = openedAnswer(answer, message.maxAnswerBytes)
  const { tree, body, relatesTo } = opened
  if (uuid !== undefined && relatesTo !== undefined && !relatesTo.toLowerCase().endsWith(uuid)) {
    throw misbehaved('relates-to-differs')
  }
  if (tree.local(body) === 'Fault') throw faulted(readFault(tree, body))
  const outcome = decodeNotificationResponse(message, tree, body)
  if (outcome.status === 'failure' || (outcome.error?.code ?? '') !== '') throw refused(outcome)
  if (answer.status >= 400) throw unusable(answer)
  return opened
}

/** An answer and the tree its nodes belong to. */
export type OpenedAnswer = Opened11 & { readonly tree: XmlTree }

/** The body decides, not the status of HTTP: faults come with 500, and with 200 (ini.md §6.2 no. 1). */
function openedAnswer(answer: NotificationAnswer, maxBytes = maxAnswerBytes): OpenedAnswer {
  try {
    const tree = readTree(answer.body, { ...defaultXmlLimits, maxBytes })
    const envelope = openEnvelope11(tree)
    if (envelope.body !== NONE) return { ...envelope, tree }
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
  }
  throw unusable(answer)
}

/**
 * What INI's codes mean for a notification, where it is not a refusal (ini.md §6.1); those of ebRS are as from any registry.
 * `RtRE3` is INI's word for a region of assistance that it could not tell.
 */
const meanings: ReadonlyMap<string, ErrorCode> = new Map([
  ['CRF1', 'community-unavailable'],
  ['RtRE3', 'community-unavailable'],
  ['ConsentError', 'community-unavailable'],
  ['XDSRegistryNotAvailable', 'community-unavailable'],
  ['XDSRegistryOutOfResources', 'community-unavailable'],
  ['XDSRegistryBusy', 'community-busy'],
  ['XDSRepositoryBusy', 'community-busy'],
])

/** Neither is ever tried again by itself; CRF2 is an error inside the region of assistance (ini.md §6.2 no. 4). */
const final = /^(?:P[A-Z]{2}[0-9]+|R[0-9]+|CRF2)$/

/** `undefined` where neither the code nor the text beside it says. */
function meaningOf(code: string, text: string): ErrorCode | undefined {
  if (final.test(code)) return 'community-rejected'
  // One code stands for what is wrong with the message and for what is wrong with its receiver: AU1, XDSRegistryError.
  return meanings.get(code) ?? (/^Internal (?:Server )?Error\b/i.test(text) ? 'community-unavailable' : undefined)
}

function refused({ error }: NotificationOutcome): GatewayError {
  const text = error?.context ?? ''
  const code = error?.code || 'Failure'
  return new GatewayError(meaningOf(code, text) ?? 'community-rejected', 'A notification was not taken', {
    issues: [issueOf(code, text)],
  })
}

const ours = new Set(['Client', 'Sender', 'VersionMismatch', 'MustUnderstand'])

function faulted(fault: PeerFault): GatewayError {
  // `Client.Authentication` is a kind of `Client` (SOAP 1.1 §4.4.1).
  const [side = ''] = fault.code.split('.')
  const code = fault.detail.errorCode ?? fault.subcode ?? fault.code
  const meaning = meaningOf(code, '') ?? (ours.has(side) ? 'community-rejected' : 'community-unavailable')
  return new GatewayError(meaning, 'A notification was answered with a fault', {
    issues: [issueOf(code, fault.detail.description ?? fault.reason)],
  })
}

/** What may be an identifier: of a person without any digit (omocodia), or anything long with one, or with HL7's carets. */
const identifier = /^[a-z]{16}$|^(?=.*[0-9]).{11,}$|\^/i

/** The receiver's own words, cut, and without whatever may say whom or which document they are about. */
function issueOf(code: string, text: string): Issue {
  const harmless = text.replace(/[^\s,;:'"()]+/g, (word) => (identifier.test(word) ? '…' : word))
  return { severity: 'error', code: code.slice(0, 64), text: harmless.slice(0, 200) }
}

function unusable({ status }: NotificationAnswer): GatewayError {
  const details = { status }
  if (status === 401 || status === 403) {
    return new GatewayError('community-rejected', 'We were refused with a notification', { details })
  }
  if (status === 429 || status === 503) {
    return new GatewayError('community-busy', 'The receiver of a notification is busy', { details })
  }
  if (status >= 500) {
    return new GatewayError('community-unavailable', 'The receiver of a notification failed', { details })
  }
  return misbehaved('no-soap', details)
}

function misbehaved(reason: string, details: { readonly status?: number } = {}): GatewayError {
  return new GatewayError('community-misbehaved', 'A notification was answered in a way that cannot be read', {
    details: { reason, ...details },
  })
}
