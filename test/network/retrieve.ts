import { type RegistryIssue, registryErrorList, responseStatus, rs } from './ebrim.ts'
import { soap12 } from './faults.ts'
import { include, includedIn, isPackage, type Part, readPackage, writePackage } from './mtom.ts'
import type { HttpBytes } from './soap-client.ts'
import { children, type Element, escapeXml, isNamed, only, parseXml, serialize } from './xml.ts'

export const xdsb = 'urn:ihe:iti:xds-b:2007'
export const retrieveDocumentSet = 'urn:ihe:iti:2007:RetrieveDocumentSet'
export const crossGatewayRetrieve = 'urn:ihe:iti:2007:CrossGatewayRetrieve'

/** Names a document in a request (ITI TF-2: 3.43.4.1.2). */
export interface Reference {
  readonly home?: string
  readonly repositoryUniqueId: string
  readonly uniqueId: string
}

/** A document as it is handed out. */
export interface Handed extends Reference {
  readonly mimeType: string
  readonly bytes: Buffer
  /** What is wrong with how it is handed out. */
  readonly broken?: 'missing-part' | 'base64-broken'
}

/** A `RetrieveDocumentSetRequest`. */
export function retrieveRequest(references: readonly Reference[]): string {
  return `<xdsb:RetrieveDocumentSetRequest xmlns:xdsb="${xdsb}">${references
    .map((reference) => `<xdsb:DocumentRequest>${named(reference)}</xdsb:DocumentRequest>`)
    .join('')}</xdsb:RetrieveDocumentSetRequest>`
}

/** Reads one to the letter. Throws Error. */
export function readRetrieveRequest(payload: Element): readonly Reference[] {
  const requests = children(payload)
  const right =
    isNamed(payload, xdsb, 'RetrieveDocumentSetRequest') &&
    requests.length > 0 &&
    requests.every((request) => isNamed(request, xdsb, 'DocumentRequest'))
  if (!right) throw new Error('The body is no RetrieveDocumentSetRequest')
  return requests.map((request) => {
    const names = children(request).map(({ localName }) => localName)
    if (!/^(HomeCommunityId )?RepositoryUniqueId DocumentUniqueId$/.test(names.join(' '))) {
      throw new Error('A DocumentRequest is not named as it must be')
    }
    return readReference(request)
  })
}

/** A `RetrieveDocumentSetResponse` in its envelope, in a package or with its documents inside. */
export function writeRetrieval(
  answer: { readonly documents: readonly Handed[]; readonly issues: readonly RegistryIssue[]; readonly failed: number },
  envelope: (body: string) => string,
  packaged: boolean,
): { readonly contentType: string; readonly body: Buffer } {
  const { documents, issues, failed } = answer
  const status = failed === 0 ? 'Success' : documents.length === 0 ? 'Failure' : 'PartialSuccess'
  // No text of a message has braces: these cannot be taken for anything else.
  const mark = (index: number): string => `{{${index}}}`
  const responses = documents.map(
    (document, index) =>
      `<xdsb:DocumentResponse>${named(document)}<xdsb:mimeType>${escapeXml(document.mimeType)}</xdsb:mimeType>` +
      `<xdsb:Document>${mark(index)}</xdsb:Document></xdsb:DocumentResponse>`,
  )
  const text = envelope(
    `<xdsb:RetrieveDocumentSetResponse xmlns:xdsb="${xdsb}" xmlns:rs="${rs}">` +
      `<rs:RegistryResponse status="${responseStatus[status]}">${issues.length === 0 ? '' : registryErrorList(issues)}` +
      `</rs:RegistryResponse>${responses.join('')}</xdsb:RetrieveDocumentSetResponse>`,
  )
  const contentId = (index: number): string => `document-${index}@example`
  if (packaged) {
    const root = documents.reduce((xml, _, index) => xml.replace(mark(index), include(contentId(index))), text)
    const parts = documents.map((document, index): Part => {
      return { contentId: contentId(index), contentType: document.mimeType, bytes: document.bytes }
    })
    return writePackage(
      root,
      parts.filter((_, index) => documents[index]?.broken !== 'missing-part'),
    )
  }
  const pieces = text.split(/\{\{\d+\}\}/)
  const body = Buffer.concat(
    pieces.flatMap((piece, index) => {
      const document = documents[index]
      return document === undefined ? [Buffer.from(piece)] : [Buffer.from(piece), inline(document, contentId(index))]
    }),
  )
  return { contentType: 'application/soap+xml; charset=utf-8', body }
}

function inline({ bytes, broken }: Handed, contentId: string): Buffer {
  if (broken === 'missing-part') return Buffer.from(include(contentId))
  const base64 = bytes.toString('base64')
  if (broken === undefined) return Buffer.from(base64)
  const middle = Math.floor(base64.length / 2)
  return Buffer.from(`${base64.slice(0, middle)}*${base64.slice(middle + 1)}`)
}

/** What a repository answered. */
export interface Retrieval {
  /** `Success`, `PartialSuccess`, `Failure`; absent for a fault. */
  readonly status?: string
  readonly documents: readonly Handed[]
  readonly issues: readonly RegistryIssue[]
  readonly fault?: { readonly code: string; readonly subcode: string; readonly reason: string; readonly detail: string }
  readonly packaged: boolean
  /** The message, without the documents of a package. */
  readonly message: string
  readonly http: HttpBytes
}

/** Reads an answer to a retrieval, whichever way it is packaged. Throws Error for what is none. */
export function readRetrieval(http: HttpBytes): Retrieval {
  const packaged = isPackage(http.contentType)
  const { root: message, parts } = packaged
    ? readPackage(http.contentType, http.bytes)
    : { root: http.bytes.toString('utf8'), parts: new Map<string, Buffer>() }
  const read = { documents: [], issues: [], packaged, message, http }
  // Documents inside the message are taken out before it is parsed: they are too large for that.
  const inside: string[] = []
  const light = message.replaceAll(
    /(<(?:\w+:)?Document>)([^<]*)(<\/)/g,
    (_, open: string, text: string, end: string) => {
      inside.push(text)
      return `${open}${inside.length - 1}${end}`
    },
  )
  const body = only(parseXml(light), soap12, 'Body')
  const [payload] = body ? children(body) : []
  if (payload?.localName === 'Fault') return { ...read, fault: readFault(payload) }
  const response = payload && only(payload, rs, 'RegistryResponse')
  if (payload === undefined || response === undefined || !isNamed(payload, xdsb, 'RetrieveDocumentSetResponse')) {
    throw new Error('The answer is no RetrieveDocumentSetResponse')
  }
  const list = only(response, rs, 'RegistryErrorList')
  const text = (element: Element, name: string): string => element.getAttribute(name)?.split(':').at(-1) ?? ''
  return {
    ...read,
    status: text(response, 'status'),
    issues: (list ? children(list) : []).map((issue) => ({
      code: issue.getAttribute('errorCode') ?? '',
      text: issue.getAttribute('codeContext') ?? '',
      severity: text(issue, 'severity') as RegistryIssue['severity'],
      ...(issue.hasAttribute('location') && { location: issue.getAttribute('location') ?? '' }),
    })),
    documents: children(payload, xdsb, 'DocumentResponse').map((told) => {
      const document = only(told, xdsb, 'Document')
      const [child] = document ? children(document) : []
      const contentId = child && includedIn(serialize(child))
      const bytes =
        contentId === undefined
          ? Buffer.from(inside[Number(document?.textContent)] ?? '', 'base64')
          : parts.get(contentId)
      if (bytes === undefined) throw new Error('A document is not in the package')
      return { ...readReference(told), mimeType: only(told, xdsb, 'mimeType')?.textContent ?? '', bytes }
    }),
  }
}

function readFault(fault: Element): NonNullable<Retrieval['fault']> {
  const code = only(fault, soap12, 'Code')
  const value = (element: Element | undefined): string => only(element, soap12, 'Value')?.textContent ?? ''
  return {
    code: value(code).split(':').at(-1) ?? '',
    subcode: value(only(code, soap12, 'Subcode')),
    reason: only(fault, soap12, 'Reason')?.textContent?.trim() ?? '',
    detail: only(fault, soap12, 'Detail')?.textContent ?? '',
  }
}

function readReference(element: Element): Reference {
  const text = (name: string): string => only(element, xdsb, name)?.textContent?.trim() ?? ''
  const home = text('HomeCommunityId')
  return {
    ...(home === '' ? {} : { home }),
    repositoryUniqueId: text('RepositoryUniqueId'),
    uniqueId: text('DocumentUniqueId'),
  }
}

function named({ home, repositoryUniqueId, uniqueId }: Reference): string {
  const element = (name: string, text: string): string => `<xdsb:${name}>${escapeXml(text)}</xdsb:${name}>`
  return (
    (home === undefined ? '' : element('HomeCommunityId', home)) +
    element('RepositoryUniqueId', repositoryUniqueId) +
    element('DocumentUniqueId', uniqueId)
  )
}
