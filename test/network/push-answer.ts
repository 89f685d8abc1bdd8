import { documentUniqueId, rim, rs } from './ebrim.ts'
import { soap11, soap12, wsa } from './faults.ts'
import type { HttpAnswer } from './soap-client.ts'
import { children, type Element, only, parseXml, serialize } from './xml.ts'

/** A RegistryError as it was told. */
export interface ToldIssue {
  readonly code: string
  readonly text: string
  readonly severity: string
  readonly location?: string
}

/** A document as a query answered it. */
export interface ToldDocument {
  readonly entryUuid: string
  readonly logicalId: string
  readonly version: string
  readonly status: string
  readonly uniqueId: string
  readonly repositoryUniqueId: string
  readonly home?: string
  /** Codes of the event list. */
  readonly events: readonly string[]
  readonly xml: string
}

/** A fault, of SOAP 1.2 or 1.1; what INI's dialect says in the detail is read out of it. */
export interface ToldFault {
  readonly code: string
  readonly subcodes: readonly string[]
  readonly reason: string
  /** `ErrorCode` of the detail. */
  readonly iniCode?: string
  /** `Description` of the detail. */
  readonly description?: string
  readonly detail: string
}

/** What a registry answered. Neither status nor fault: nothing that can be understood. */
export interface RegistryAnswer {
  /** `Success`, `PartialSuccess` or `Failure`. */
  readonly status?: string
  readonly issues: readonly ToldIssue[]
  readonly documents: readonly ToldDocument[]
  /** Ids of the ObjectRefs. */
  readonly references: readonly string[]
  readonly fault?: ToldFault
  readonly relatesTo?: string
  readonly action?: string
}

/** What a notification was answered. */
export interface NoticeAnswer {
  /** `Success` or `Failure`. */
  readonly status?: string
  /** Absent where its attributes are empty, as the schema has it for success. */
  readonly error?: { readonly code: string; readonly text: string }
  readonly fault?: ToldFault
  /** Local name of what was answered. */
  readonly payload?: string
}

/** Reads a registry's answer: `AdhocQueryResponse`, `RegistryResponse` or a fault of SOAP 1.2. */
export function readRegistryAnswer(http: Pick<HttpAnswer, 'text'>): RegistryAnswer {
  const nothing = { issues: [], documents: [], references: [] }
  const envelope = parsed(http.text)
  if (envelope === undefined) return nothing
  const header = only(envelope, soap12, 'Header')
  const relatesTo = textOf(only(header, wsa, 'RelatesTo'))
  const action = textOf(only(header, wsa, 'Action'))
  const addressed = { ...(relatesTo !== undefined && { relatesTo }), ...(action !== undefined && { action }) }
  const body = only(envelope, soap12, 'Body')
  const [payload] = body ? children(body) : []
  if (payload === undefined) return { ...nothing, ...addressed }
  if (payload.localName === 'Fault') return { ...nothing, ...addressed, fault: readFault12(payload) }
  const list = only(payload, rs, 'RegistryErrorList')
  const objects = only(payload, rim, 'RegistryObjectList')
  return {
    ...addressed,
    status: lastPart(payload.getAttribute('status')),
    issues: (list ? children(list) : []).map(readIssue),
    documents: (objects ? children(objects, rim, 'ExtrinsicObject') : []).map(readDocument),
    references: (objects ? children(objects, rim, 'ObjectRef') : []).map((ref) => ref.getAttribute('id') ?? ''),
  }
}

/** Reads what a SOAP 1.1 service answered to a notification. */
export function readNoticeAnswer(http: Pick<HttpAnswer, 'text'>): NoticeAnswer {
  const envelope = parsed(http.text)
  const body = envelope && only(envelope, soap11, 'Body')
  const [payload] = body ? children(body) : []
  if (payload === undefined) return {}
  if (payload.localName === 'Fault') return { fault: readFault11(payload) }
  const child = (name: string): Element | undefined => children(payload).find(({ localName }) => localName === name)
  const error = child('Error')
  const code = error?.getAttribute('errorCode') ?? ''
  const status = textOf(child('Status'))
  return {
    payload: payload.localName ?? '',
    ...(status !== undefined && { status }),
    ...(code !== '' && { error: { code, text: error?.getAttribute('codeContext') ?? '' } }),
  }
}

function readIssue(issue: Element): ToldIssue {
  const location = issue.getAttribute('location')
  return {
    code: issue.getAttribute('errorCode') ?? '',
    text: issue.getAttribute('codeContext') ?? '',
    severity: lastPart(issue.getAttribute('severity')),
    ...(location !== null && { location }),
  }
}

function readDocument(object: Element): ToldDocument {
  const home = object.getAttribute('home')
  const identifier = children(object, rim, 'ExternalIdentifier').find(
    (one) => one.getAttribute('identificationScheme') === documentUniqueId,
  )
  const repository = children(object, rim, 'Slot').find((slot) => slot.getAttribute('name') === 'repositoryUniqueId')
  return {
    entryUuid: object.getAttribute('id') ?? '',
    logicalId: object.getAttribute('lid') ?? '',
    version: only(object, rim, 'VersionInfo')?.getAttribute('versionName') ?? '',
    status: lastPart(object.getAttribute('status')),
    uniqueId: identifier?.getAttribute('value') ?? '',
    repositoryUniqueId: repository?.textContent?.trim() ?? '',
    ...(home !== null && { home }),
    events: children(object, rim, 'Classification')
      .filter((one) => one.getAttribute('classificationScheme') === 'urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4')
      .map((one) => one.getAttribute('nodeRepresentation') ?? ''),
    xml: serialize(object),
  }
}

function readFault12(fault: Element): ToldFault {
  const code = only(fault, soap12, 'Code')
  const subcodes: string[] = []
  for (let at = only(code, soap12, 'Subcode'); at !== undefined; at = only(at, soap12, 'Subcode')) {
    subcodes.push(textOf(only(at, soap12, 'Value')) ?? '')
  }
  const reason = only(fault, soap12, 'Reason')
  return {
    code: lastPart(textOf(only(code, soap12, 'Value')) ?? null),
    subcodes,
    reason: textOf(reason && children(reason)[0]) ?? '',
    ...readDetail(only(fault, soap12, 'Detail')),
  }
}

function readFault11(fault: Element): ToldFault {
  const child = (name: string): Element | undefined => children(fault).find(({ localName }) => localName === name)
  return {
    code: lastPart(textOf(child('faultcode')) ?? null),
    subcodes: [],
    reason: textOf(child('faultstring')) ?? '',
    ...readDetail(child('detail')),
  }
}

/** By local names: INI binds the prefixes wrongly (ini.md §1.6). */
function readDetail(detail: Element | undefined): Pick<ToldFault, 'iniCode' | 'description' | 'detail'> {
  if (detail === undefined) return { detail: '' }
  const named = (name: string): string | undefined =>
    textOf(Array.from(detail.getElementsByTagName('*')).find(({ localName }) => localName === name))
  const [iniCode, description] = [named('ErrorCode'), named('Description')]
  return {
    detail: serialize(detail),
    ...(iniCode !== undefined && { iniCode }),
    ...(description !== undefined && { description }),
  }
}

function parsed(text: string): Element | undefined {
  try {
    return parseXml(text)
  } catch {
    return undefined
  }
}

function lastPart(text: string | null): string {
  return text?.split(':').at(-1) ?? ''
}

function textOf(element: Element | undefined): string | undefined {
  return element?.textContent?.trim()
}
