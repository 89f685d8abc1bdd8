import type { Buffer } from 'node:buffer'
import { GatewayError } from '../../core/errors.ts'
import { homeCommunityId } from '../../core/model/identifiers.ts'
import type { DocumentReference, RetrieveIssue } from '../../core/model/retrieval.ts'
import { MtomError } from '../mtom/mtom-error.ts'
import { binaryOf, encodeInclude } from '../mtom/xop.ts'
import { NONE, type Node, type XmlTree } from '../xml.ts'
import { escapeText } from '../xml-write.ts'
import { type ResponseStatus, responseStatuses, rs } from './names.ts'
import { type RegistryErrorRecord, writeRegistryErrors } from './registry-error.ts'
import { decodeRegistryResponse } from './registry-response.ts'

/** The namespace of ITI-43 and ITI-39 (ihe.md §1.8). */
export const xdsb = 'urn:ihe:iti:xds-b:2007'

/** References of one request, before the use case bounds them further. */
const mostReferences = 1_024

/**
 * Reads a RetrieveDocumentSetRequest (ITI TF-2: 3.43.4.1.2). Throws `request-malformed` when it is no such element,
 * `parameter-missing` or `parameter-invalid` for a reference that lacks something; no message repeats a value.
 */
export function decodeRetrieveRequest(tree: XmlTree, request: Node): readonly DocumentReference[] {
  if (!tree.is(request, xdsb, 'RetrieveDocumentSetRequest')) {
    throw new GatewayError('request-malformed', 'An xdsb:RetrieveDocumentSetRequest was expected')
  }
  const requests = tree.children(request, xdsb, 'DocumentRequest')
  if (requests.length === 0) throw new GatewayError('parameter-missing', 'The request names no document')
  if (requests.length > mostReferences)
    throw new GatewayError('parameter-count', 'The request names too many documents')
  return requests.map((one) => {
    const home = textOf(tree, one, 'HomeCommunityId')
    const repositoryUniqueId = textOf(tree, one, 'RepositoryUniqueId')
    const uniqueId = textOf(tree, one, 'DocumentUniqueId')
    if (repositoryUniqueId === undefined || uniqueId === undefined) {
      throw new GatewayError('parameter-missing', 'A document is named by RepositoryUniqueId and DocumentUniqueId')
    }
    return { ...(home === undefined ? {} : { home: homeCommunityId(home) }), repositoryUniqueId, uniqueId }
  })
}

export function encodeRetrieveRequest(references: readonly DocumentReference[]): string {
  const requests = references.map(
    ({ home, repositoryUniqueId, uniqueId }) =>
      `<xdsb:DocumentRequest>${element('HomeCommunityId', home)}${element('RepositoryUniqueId', repositoryUniqueId)}` +
      `${element('DocumentUniqueId', uniqueId)}</xdsb:DocumentRequest>`,
  )
  return `<xdsb:RetrieveDocumentSetRequest xmlns:xdsb="${xdsb}">${requests.join('')}</xdsb:RetrieveDocumentSetRequest>`
}

/** A document as a response tells of it; its bytes are in the package, or in the message itself. */
export interface ToldDocument {
  readonly home?: string
  readonly repositoryUniqueId: string
  readonly uniqueId: string
  readonly newRepositoryUniqueId?: string
  readonly newUniqueId?: string
  readonly mimeType: string
  readonly content: { readonly contentId: string } | { readonly bytes: Buffer }
}

export interface DecodedRetrieveResponse {
  readonly status: ResponseStatus
  readonly documents: readonly ToldDocument[]
  readonly issues: readonly RetrieveIssue[]
}

/**
 * Reads a RetrieveDocumentSetResponse (ITI TF-2: 3.43.4.2.2), or the bare RegistryResponse some send with errors only.
 * Throws `community-misbehaved` for anything else, and for a document without what names it.
 */
export function decodeRetrieveResponse(tree: XmlTree, response: Node): DecodedRetrieveResponse {
  const bare = response !== NONE && tree.local(response) === 'RegistryResponse'
  if (!bare && (response === NONE || tree.local(response) !== 'RetrieveDocumentSetResponse')) {
    throw nonsense('The community answered with something other than a retrieve response')
  }
  const registry = bare ? response : tree.child(response, rs, 'RegistryResponse')
  if (registry === NONE) throw nonsense('The community answered without a RegistryResponse')
  const { status, issues } = decodeRegistryResponse(tree, registry)
  return {
    status,
    documents: bare ? [] : tree.children(response, xdsb, 'DocumentResponse').map((node) => documentOf(tree, node)),
    issues: issues.map(aboutDocument),
  }
}

function documentOf(tree: XmlTree, response: Node): ToldDocument {
  const repositoryUniqueId = textOf(tree, response, 'RepositoryUniqueId')
  const uniqueId = textOf(tree, response, 'DocumentUniqueId')
  const document = tree.child(response, xdsb, 'Document')
  if (repositoryUniqueId === undefined || uniqueId === undefined || document === NONE) {
    throw nonsense('The community handed out a document without its name or content')
  }
  const home = textOf(tree, response, 'HomeCommunityId')
  const newUniqueId = textOf(tree, response, 'NewDocumentUniqueId')
  const newRepositoryUniqueId = textOf(tree, response, 'NewRepositoryUniqueId')
  return {
    ...(home === undefined ? {} : { home }),
    repositoryUniqueId,
    uniqueId,
    ...(newRepositoryUniqueId === undefined ? {} : { newRepositoryUniqueId }),
    ...(newUniqueId === undefined ? {} : { newUniqueId }),
    mimeType: textOf(tree, response, 'mimeType') ?? 'application/octet-stream',
    content: contentOf(tree, document),
  }
}

function contentOf(tree: XmlTree, document: Node): ToldDocument['content'] {
  try {
    return binaryOf(tree, document)
  } catch (error) {
    if (!(error instanceof MtomError)) throw error
    throw new GatewayError('community-misbehaved', 'The community handed out a document that cannot be read', {
      cause: error,
      details: { reason: error.reason },
    })
  }
}

/** ITI-43 puts the document's id into `location`, ITI-39 the community beside it in a form nobody defined (ihe.md §6.4). */
function aboutDocument(issue: RetrieveIssue): RetrieveIssue {
  const { location } = issue
  if (location === undefined || /^urn:oid:[0-9.]+$/.test(location)) return issue
  const uniqueId = location.split(/[\s,;|]+/).find((part) => part !== '' && !part.startsWith('urn:oid:'))
  return uniqueId === undefined ? issue : { ...issue, uniqueId }
}

/** A document to be told of, by reference to the part that carries it or with its bytes in base64 inside the message. */
export interface DocumentToTell extends Omit<ToldDocument, 'content'> {
  readonly content: { readonly contentId: string } | { readonly base64: string }
}

/** Spells a RetrieveDocumentSetResponse. */
export function encodeRetrieveResponse(
  documents: readonly DocumentToTell[],
  { status, errors }: { readonly status: ResponseStatus; readonly errors: readonly RegistryErrorRecord[] },
): string {
  const responses = documents.map(
    ({ home, content, ...told }) =>
      `<xdsb:DocumentResponse>${element('HomeCommunityId', home)}${element('RepositoryUniqueId', told.repositoryUniqueId)}` +
      element('DocumentUniqueId', told.uniqueId) +
      element('NewRepositoryUniqueId', told.newRepositoryUniqueId) +
      element('NewDocumentUniqueId', told.newUniqueId) +
      element('mimeType', told.mimeType) +
      `<xdsb:Document>${'contentId' in content ? encodeInclude(content.contentId) : content.base64}</xdsb:Document>` +
      '</xdsb:DocumentResponse>',
  )
  return (
    `<xdsb:RetrieveDocumentSetResponse xmlns:xdsb="${xdsb}" xmlns:rs="${rs}">` +
    `<rs:RegistryResponse status="${responseStatuses[status]}">${writeRegistryErrors(errors)}</rs:RegistryResponse>` +
    `${responses.join('')}</xdsb:RetrieveDocumentSetResponse>`
  )
}

function element(name: string, text: string | undefined): string {
  return text === undefined ? '' : `<xdsb:${name}>${escapeText(text)}</xdsb:${name}>`
}

function textOf(tree: XmlTree, parent: Node, local: string): string | undefined {
  const node = tree.child(parent, xdsb, local)
  const text = node === NONE ? '' : tree.text(node).trim()
  return text === '' ? undefined : text
}

function nonsense(message: string): GatewayError {
  return new GatewayError('community-misbehaved', message)
}
