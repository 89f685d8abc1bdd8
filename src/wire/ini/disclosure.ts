import { Buffer } from 'node:buffer'
import { GatewayError } from '../../core/errors.ts'
import type { Disclosure, DisclosureDocument } from '../../core/model/consents.ts'
import { NONE, type Node, type XmlTree } from '../xml.ts'
import { child, textIn, unreadable } from './consent-query.ts'
import {
  element,
  encodeRequest,
  errorElement,
  Fields,
  type NotificationOutcome,
  requireRequest,
  statusElement,
} from './notification.ts'

const namespace = 'http://www.fascicolosanitario.gov.it/schema/typeSchemaDisclosureManager'

/** How an information notice is had; its action is told by no public source and follows the others (ini.md §1.2, row 12). */
export const retrieveDisclosure = {
  name: 'RetrieveDisclosure',
  action: 'urn:fse:RetrieveDisclosure',
  namespace,
} as const

/** How one is told; of its action the same is true. */
export const communicationDisclosure = {
  name: 'CommunicationDisclosure',
  action: 'urn:fse:CommunicationDisclosure',
  namespace,
} as const

/** A notice that a region tells. */
export interface NewDisclosure {
  /** Organization code: the schema's own word is `RegionId`. */
  readonly region: string
  readonly documents: readonly DisclosureDocument[]
}

/** Spells the question for a notice. Throws RangeError on what XML cannot carry. */
export function encodeRetrieveDisclosure(id: string): string {
  return encodeRequest(retrieveDisclosure, [element('DisclosureId', id)])
}

/** Reads the question for a notice. Throws `request-malformed`, `parameter-missing` and `parameter-count`. */
export function decodeRetrieveDisclosure(tree: XmlTree, body: Node): string {
  requireRequest(retrieveDisclosure, tree, body)
  return new Fields(tree, body, retrieveDisclosure).required('DisclosureId')
}

/** Spells the answer with a notice; without one its fields are empty, which the schema does not allow. Throws RangeError. */
export function encodeRetrieveDisclosureResponse(outcome: NotificationOutcome, disclosure?: Disclosure): string {
  return response(retrieveDisclosure.name, outcome, [
    element('DisclosureId', disclosure?.id ?? ''),
    documentList(disclosure?.documents ?? []),
  ])
}

/**
 * Reads the notice of an answer that was taken, by local names. Throws `community-misbehaved` when it is another than
 * `asked`, has no document, or one in base64 that is none.
 */
export function decodeRetrieveDisclosureResponse(tree: XmlTree, body: Node, asked: string): Disclosure {
  const id = textIn(tree, body, 'DisclosureId') || asked
  // `150^last` asks for the latest, whatever it is called (sistema-ts.md §A.8).
  if (id !== asked && !asked.endsWith('^last')) throw unreadable('wrong-disclosure')
  const documents = documentsIn(tree, child(tree, body, 'DocumentList'))
  if (documents.length === 0) throw unreadable('disclosure-without-documents')
  return { id, documents: documents.map((node) => readDocument(tree, node, () => unreadable('base64'))) }
}

/**
 * Spells a new notice. Throws `parameter-count` for fewer than two documents, which the schema asks for, and RangeError on
 * what XML cannot carry.
 */
export function encodeCommunicationDisclosure({ region, documents }: NewDisclosure): string {
  requireTwo(documents)
  return encodeRequest(communicationDisclosure, [element('RegionId', region), documentList(documents)])
}

/** Reads a new notice. Throws `request-malformed`, `parameter-missing`, `parameter-count` and `parameter-invalid`. */
export function decodeCommunicationDisclosure(tree: XmlTree, body: Node): NewDisclosure {
  requireRequest(communicationDisclosure, tree, body)
  const fields = new Fields(tree, body, communicationDisclosure)
  const region = fields.required('RegionId')
  const documents = documentsIn(tree, fields.node('DocumentList')).map((node) =>
    readDocument(tree, node, () => new GatewayError('parameter-invalid', 'The Value of a Document must be base64')),
  )
  requireTwo(documents)
  return { region, documents }
}

/** Spells the answer to a new notice. Throws RangeError. */
export function encodeCommunicationDisclosureResponse(outcome: NotificationOutcome, region: string, id = ''): string {
  return response(communicationDisclosure.name, outcome, [element('RegionId', region), element('DisclosureId', id)])
}

/** Reads the id that a notice was given, from an answer that was taken. Throws `community-misbehaved` without one. */
export function decodeCommunicationDisclosureResponse(tree: XmlTree, body: Node): string {
  const id = textIn(tree, body, 'DisclosureId')
  if (id === '') throw unreadable('disclosure-without-id')
  return id
}

function response(name: string, { status, error }: NotificationOutcome, fields: readonly string[]): string {
  return (
    `<${name}Response xmlns="${namespace}">${statusElement(status)}${fields.join('')}` +
    `${errorElement(error)}</${name}Response>`
  )
}

function documentList(documents: readonly DisclosureDocument[]): string {
  const spelt = documents.map(
    ({ content, mediaType, type }) =>
      `<Document><Value>${Buffer.from(content).toString('base64')}</Value>` +
      `${element('MimeType', mediaType)}${element('DocumentType', type)}</Document>`,
  )
  return `<DocumentList>${spelt.join('')}</DocumentList>`
}

function documentsIn(tree: XmlTree, list: Node): readonly Node[] {
  return list === NONE ? [] : tree.children(list).filter((node) => tree.local(node) === 'Document')
}

function readDocument(tree: XmlTree, node: Node, notBase64: () => GatewayError): DisclosureDocument {
  const base64 = textIn(tree, node, 'Value').replace(/\s+/g, '')
  if (base64 === '' || base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) throw notBase64()
  return {
    content: Buffer.from(base64, 'base64'),
    mediaType: textIn(tree, node, 'MimeType'),
    type: textIn(tree, node, 'DocumentType'),
  }
}

function requireTwo(documents: readonly DisclosureDocument[]): void {
  if (documents.length < 2) throw new GatewayError('parameter-count', 'A notice has two documents at least')
}
