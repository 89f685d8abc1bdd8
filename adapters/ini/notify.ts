import type { AdapterTools } from '../../src/config/adapter.ts'
import { type ErrorCode, GatewayError, type Issue } from '../../src/core/errors.ts'
import type { RetrieveNotice } from '../../src/core/model/notice.ts'
import { type PeerFault, readFault } from '../../src/wire/ebrim/fault.ts'
import {
  decodeNotifyRetrieveResponse,
  encodeNotifyRetrieve,
  type NotifyRetrieve,
  type NotifyRetrieveOutcome,
  notifyRetrieve,
} from '../../src/wire/ini/notify-retrieve.ts'
import { encodeEnvelope11, type Opened11, openEnvelope11, soap11Type, soapActionOf } from '../../src/wire/soap11.ts'
import { defaultXmlLimits, NONE, readTree, XmlError, type XmlTree } from '../../src/wire/xml.ts'
import type { IniOptions } from './options.ts'

/**
 * Tells INI, which tells the region of assistance, that a document was retrieved: SOAP 1.1 without an assertion
 * (ini.md §7.2). Every call is a message of its own; telling twice does no harm. Rejects with GatewayError:
 * `community-rejected` is final, `community-unavailable` and `-busy` may pass, and whether a notice got through is unknown
 * after `community-timeout` and `-misbehaved`. The errors name nobody.
 */
export function retrieveNotifier(
  url: string,
  tools: Pick<AdapterTools, 'send'>,
  { notifyHome = 'absent' }: Partial<Pick<IniOptions, 'notifyHome'>> = {},
): (notice: RetrieveNotice, signal: AbortSignal) => Promise<void> {
  return async ({ home, assistedBy, ...message }, signal) => {
    const told = { absent: undefined, document: home, assistance: assistedBy }[notifyHome]
    const uuid = crypto.randomUUID()
    const { action } = notifyRetrieve
    const body = spelt({ ...message, ...(told === undefined ? {} : { homeCommunityId: told }) })
    const answer = await tools.send({
      url,
      method: 'POST',
      headers: { 'content-type': soap11Type, soapaction: soapActionOf(action) },
      body: encodeEnvelope11({ action, messageId: `urn:uuid:${uuid}`, to: url }, body),
      signal,
    })
    requireTaken(answer, uuid)
  }
}

/** Throws `metadata-invalid` for what a registry of another notation may tell and XML cannot carry. */
function spelt(message: NotifyRetrieve): string {
  try {
    return encodeNotifyRetrieve(message)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new GatewayError('metadata-invalid', 'A notice has a character that cannot be sent')
  }
}

type Answer = Awaited<ReturnType<AdapterTools['send']>>

/** Of an answer, which is a few lines. */
const maxAnswerBytes = 1024 * 1024

/** Throws unless the answer says that the notice was taken. */
function requireTaken(answer: Answer, uuid: string): void {
  const { tree, body, relatesTo } = opened(answer)
  if (relatesTo !== undefined && !relatesTo.toLowerCase().endsWith(uuid)) throw misbehaved('relates-to-differs')
  if (tree.local(body) === 'Fault') throw faulted(readFault(tree, body))
  const outcome = decodeNotifyRetrieveResponse(tree, body)
  if (outcome.status === 'failure' || (outcome.error?.code ?? '') !== '') throw refused(outcome)
  if (answer.status >= 400) throw unusable(answer)
}

/** The body decides, not the status of HTTP: faults come with 500, and with 200 (ini.md §6.2 no. 1). */
function opened(answer: Answer): Opened11 & { readonly tree: XmlTree } {
  try {
    const tree = readTree(answer.body, { ...defaultXmlLimits, maxBytes: maxAnswerBytes })
    const envelope = openEnvelope11(tree)
    if (envelope.body !== NONE) return { ...envelope, tree }
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
  }
  throw unusable(answer)
}

/**
 * What INI's codes mean for a notice, where it is not a refusal (ini.md §6.1); those of ebRS are as from any registry. `RtRE3` is
 * INI's word for a region of assistance that it could not tell.
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
  // One code stands for what is wrong with the message and for what is wrong with INI: AU1, XDSRegistryError.
  return meanings.get(code) ?? (/^Internal (?:Server )?Error\b/i.test(text) ? 'community-unavailable' : undefined)
}

function refused({ error }: NotifyRetrieveOutcome): GatewayError {
  const text = error?.context ?? ''
  const code = error?.code || 'Failure'
  return new GatewayError(meaningOf(code, text) ?? 'community-rejected', 'INI did not take a notice', {
    issues: [issueOf(code, text)],
  })
}

const ours = new Set(['Client', 'Sender', 'VersionMismatch', 'MustUnderstand'])

function faulted(fault: PeerFault): GatewayError {
  // `Client.Authentication` is a kind of `Client` (SOAP 1.1 §4.4.1).
  const [side = ''] = fault.code.split('.')
  const code = fault.detail.errorCode ?? fault.subcode ?? fault.code
  const meaning = meaningOf(code, '') ?? (ours.has(side) ? 'community-rejected' : 'community-unavailable')
  return new GatewayError(meaning, 'INI answered a notice with a fault', {
    issues: [issueOf(code, fault.detail.description ?? fault.reason)],
  })
}

/** What may be an identifier: of a person without any digit (omocodia), or anything long with one, or with HL7's carets. */
const identifier = /^[a-z]{16}$|^(?=.*[0-9]).{11,}$|\^/i

/** INI's own words, cut, and without whatever may say whom or which document they are about. */
function issueOf(code: string, text: string): Issue {
  const harmless = text.replace(/[^\s,;:'"()]+/g, (word) => (identifier.test(word) ? '…' : word))
  return { severity: 'error', code: code.slice(0, 64), text: harmless.slice(0, 200) }
}

function unusable({ status }: Answer): GatewayError {
  const details = { status }
  if (status === 401 || status === 403) return new GatewayError('community-rejected', 'INI refused us', { details })
  if (status === 429 || status === 503) return new GatewayError('community-busy', 'INI is busy', { details })
  if (status >= 500) return new GatewayError('community-unavailable', 'INI failed', { details })
  return misbehaved('no-soap', details)
}

function misbehaved(reason: string, details: { readonly status?: number } = {}): GatewayError {
  return new GatewayError('community-misbehaved', 'A notice was answered in a way that cannot be read', {
    details: { reason, ...details },
  })
}
