import { GatewayError } from '../../core/errors.ts'
import type { Extra } from '../../core/model/code.ts'
import { isOid } from '../../core/model/identifiers.ts'
import type { Association, DocumentEntry } from '../../core/model/metadata.ts'
import type { PatientId } from '../../core/model/patient.ts'
import { type Elements, putTogether, takeApart } from './elements.ts'
import { type Extensions, readExtensions, writeExtensions } from './extensions.ts'
import { type EntryUuids, type Field, fields, readEntryUuids } from './fields.ts'
import { type PeopleElements, readPeople, writePeople } from './people.ts'
import { type Relations, readRelations, writeRelations } from './relations.ts'
import { isObject, isShallow, type Json, type Reference, sameJson, shapes, told } from './types.ts'
import { isEncounterId, readAssigned, readReferenceId, writeAssigned, writeReferenceId } from './values.ts'

/** What the references of a DocumentReference mean, as far as whoever received it together with others knows. */
export interface References {
  /** Asked only about a subject that has no identifier. */
  readonly patientId?: (subject: Reference) => PatientId | undefined
  readonly entryUuid?: (document: Reference) => string | undefined
}

export interface DecodedDocument extends Relations {
  readonly entry: DocumentEntry
}

/** What of a DocumentReference belongs to whoever serves it, and not to the document. */
export interface Served {
  /** Where the document is retrieved (ITI-68). */
  readonly url: string
  readonly associations?: readonly Association[]
}

/**
 * Extra of this name holds the elements XDS has no word for. ebRIM's writer looks there for names of its own only, so
 * that an answer in ebRIM is never touched by them.
 */
const besides = 'fhir'

const deepest = 32
const fieldsByPlace = new Map(fields.map((field) => [field.place, field]))
const peoplePlaces = ['contained', 'author', 'authenticator', 'context.sourcePatientInfo'] as const
const relatedPlaces = ['context.related', 'context.encounter'] as const
/** Read, but not by a table row: several make one attribute, or their meaning ends with the server that told them. */
const special: ReadonlySet<string> = new Set(['subject', 'relatesTo', 'extension', ...peoplePlaces, ...relatedPlaces])

/**
 * A DocumentEntry out of a DocumentReference (MHD 4.2.4: XDS and MHD Mapping). What XDS has no word for is kept and
 * told on by `encodeDocumentReference`, and by nobody else; only `id`, `meta`, `text`, `subject` and `relatesTo`, which
 * speak of the server that told them, are not. An extension with a URN for a name and a string for a value is a slot. The
 * version is `meta.versionId` where that is a whole number, the logicalID the first entryUUID the document had.
 * Throws `metadata-invalid` with a sentence that quotes nothing.
 */
export function decodeDocumentReference(resource: unknown, references: References = {}): DecodedDocument {
  const { id, content } = told(shapes.documentReference, resource, 'DocumentReference')
  if (!isObject(resource) || resource.resourceType !== 'DocumentReference' || content?.[0] === undefined) {
    throw new GatewayError('metadata-invalid', 'A resource is not a DocumentReference with a content')
  }
  if (!isShallow(resource, deepest))
    throw new GatewayError('metadata-invalid', 'A DocumentReference is nested too deep')
  const elements = takeApart(resource)
  const extensions = readExtensions(elements.get('extension'))
  const attributes: Record<string, unknown> = {
    title: [],
    comments: [],
    confidentialityCodes: [],
    eventCodes: [],
    kind: isOnDemand(elements) ? 'on-demand' : 'stable',
    patientId: readPatientId(elements.get('subject'), references),
    ...readPeople(peopleIn(elements)),
    referenceIds: readReferenceIds(elements),
  }
  const set = (attribute: keyof DocumentEntry, value: unknown) => {
    if (value !== undefined) attributes[attribute] = value
  }
  for (const { place, attribute, read } of fields) if (elements.has(place)) set(attribute, read(elements.get(place)))
  set('entryUuid', attributes.entryUuid ?? uuidUrn(id))
  set('logicalId', uuidsIn(elements.get('identifier')).former.at(-1))
  set('version', versionIn(resource.meta))
  set('home', extensions.home)
  set('repositoryUniqueId', repositoryIn(elements.get('content.attachment.url')))
  for (const needed of ['entryUuid', 'uniqueId', 'status']) {
    if (attributes[needed] === undefined) throw new GatewayError('metadata-invalid', `A document has no ${needed}`)
  }
  set('extra', extraOf(elements, attributes as unknown as DocumentEntry, extensions))
  const entry = attributes as unknown as DocumentEntry
  return { entry, ...readRelations(elements.get('relatesTo'), entry, references.entryUuid ?? (() => undefined)) }
}

/**
 * The DocumentReference of an entry. Elements kept from an earlier one are told again as long as they still say what
 * the entry says: what has been taken from the entry since does not come back with them. Several titles, comments
 * or persons of one author, logical id, version and documentAvailability are beyond ITI-67. Throws `metadata-invalid`
 * for a status other than approved and deprecated.
 */
export function encodeDocumentReference(entry: DocumentEntry, served: Served): Json {
  if (entry.status === undefined) throw new GatewayError('metadata-invalid', 'A document has no availability status')
  const elements = elementsOf(entry)
  const { contained, author, authenticator, sourcePatientInfo } = writePeople(entry)
  setAll(elements, peoplePlaces, [contained, author, authenticator, sourcePatientInfo])
  const kept = keptIn(entry)
  for (const [place, value] of Object.entries(kept)) {
    const field = fieldsByPlace.get(place)
    const agrees = field === undefined ? !special.has(place) : stillSays(field, value, entry[field.attribute])
    if (agrees) elements.set(place, value)
  }
  putBack(elements, kept, peoplePlaces, (those) => sameJson(readPeople(peopleIn(those)), peopleOf(entry)))
  putBack(elements, kept, relatedPlaces, (those) => sameJson(readReferenceIds(those), entry.referenceIds))
  const others = kept.extension
  const extension = [...writeExtensions(entry), ...(Array.isArray(others) ? others : [])]
  if (extension.length > 0) elements.set('extension', extension)
  const relatesTo = writeRelations(served.associations ?? [], entry.entryUuid)
  if (relatesTo.length > 0) elements.set('relatesTo', relatesTo)
  elements.set('subject', { type: 'Patient', identifier: writeAssigned(entry.patientId) })
  elements.set('content.attachment.url', served.url)
  return putTogether(elements)
}

/** The elements that say what the attributes say. The people are not among them: see `extraOf`. */
function elementsOf(entry: DocumentEntry): Elements {
  const elements: Elements = new Map()
  for (const { place, attribute, write } of fields) {
    const value = entry[attribute]
    const element = value === undefined || isAbsent(entry, attribute) ? undefined : write(value)
    if (element !== undefined) elements.set(place, element)
  }
  const related = entry.referenceIds.filter((id) => !isEncounterId(id)).map(writeReferenceId)
  const encounter = entry.referenceIds.filter(isEncounterId).map(writeReferenceId)
  setAll(elements, relatedPlaces, [
    related.length > 0 ? related : undefined,
    encounter.length > 0 ? encounter : undefined,
  ])
  return elements
}

function setAll(elements: Elements, places: readonly string[], values: readonly unknown[]): void {
  for (const [index, place] of places.entries()) {
    if (values[index] !== undefined) elements.set(place, values[index])
  }
}

/** An on-demand document has neither hash nor size nor creation time; that is how MHD tells it from a stable one. */
function isAbsent({ kind }: DocumentEntry, attribute: keyof DocumentEntry): boolean {
  return kind === 'on-demand' && (attribute === 'hash' || attribute === 'size' || attribute === 'creationTime')
}

function isOnDemand(elements: Elements): boolean {
  return ['hash', 'size', 'creation'].every((name) => !elements.has(`content.attachment.${name}`))
}

function stillSays({ read }: Field, element: unknown, value: unknown): boolean {
  const said = read(element)
  const nothing = value === undefined || (Array.isArray(value) && value.length === 0)
  return said === undefined ? nothing : sameJson(said, value)
}

function peopleIn(elements: ReadonlyMap<string, unknown>): PeopleElements {
  const [contained, author, authenticator, sourcePatientInfo] = peoplePlaces.map((place) => elements.get(place))
  return { contained, author, authenticator, sourcePatientInfo }
}

function peopleOf({ authors, legalAuthenticator, sourcePatientId, sourcePatientInfo }: DocumentEntry) {
  return {
    authors,
    ...(legalAuthenticator === undefined ? {} : { legalAuthenticator }),
    ...(sourcePatientId === undefined ? {} : { sourcePatientId }),
    sourcePatientInfo,
  }
}

/** Slots, and the elements that would be lost if the entry alone were told on. */
function extraOf(elements: Elements, entry: DocumentEntry, { slots, others }: Extensions): Extra | undefined {
  const said = elementsOf(entry)
  const differs = (place: string) => !sameJson(elements.get(place), said.get(place))
  // Contained resources have ids of their server's choice, so that no other spelling of the people is ever the same.
  const together = new Set<string>([...peoplePlaces, ...(relatedPlaces.some(differs) ? relatedPlaces : [])])
  const left = [...elements].filter(([place]) => {
    if (special.has(place)) return together.has(place)
    return !fieldsByPlace.has(place) || differs(place)
  })
  if (others.length > 0) left.push(['extension', others])
  if (slots.length === 0 && left.length === 0) return undefined
  const text = JSON.stringify(Object.fromEntries(left))
  return {
    ...(slots.length === 0 ? {} : { slots }),
    ...(left.length === 0 ? {} : { of: { [besides]: { attributes: { told: text } } } }),
  }
}

function keptIn(entry: DocumentEntry): Json {
  const text = entry.extra?.of?.[besides]?.attributes?.told
  const kept: unknown = text === undefined ? {} : JSON.parse(text)
  return isObject(kept) ? kept : {}
}

/** Puts kept elements that belong together back, if together they say what the entry says. */
function putBack(
  elements: Elements,
  kept: Json,
  places: readonly string[],
  agrees: (those: ReadonlyMap<string, unknown>) => boolean,
): void {
  const those = new Map(places.flatMap((place) => (Object.hasOwn(kept, place) ? [[place, kept[place]] as const] : [])))
  if (those.size === 0 || !agrees(those)) return
  for (const place of places) elements.delete(place)
  for (const [place, value] of those) elements.set(place, value)
}

/** The entryUUIDs a DocumentReference has or gets, without reading the rest of it. Throws `metadata-invalid`. */
export function entryUuidsOf(resource: Json): EntryUuids {
  const { id } = told(shapes.documentReference, resource, 'DocumentReference')
  const { current = uuidUrn(id), former } = uuidsIn(resource.identifier)
  return { ...(current === undefined ? {} : { current }), former }
}

/** The entryUUID a DocumentReference has or gets, without reading the rest of it. Throws `metadata-invalid`. */
export function entryUuidOf(resource: Json): string | undefined {
  return entryUuidsOf(resource).current
}

function uuidsIn(identifier: unknown): EntryUuids {
  return identifier === undefined ? { former: [] } : readEntryUuids(identifier)
}

/** Servers name versions as they like; where they count them, the number is that of XDS. */
function versionIn(meta: unknown): string | undefined {
  const versionId = isObject(meta) ? meta.versionId : undefined
  return typeof versionId === 'string' && /^(0|[1-9]\d{0,14})$/.test(versionId) ? versionId : undefined
}

function uuidUrn(id: string | undefined): string | undefined {
  const isUuid = id !== undefined && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)
  return isUuid ? `urn:uuid:${id.toLowerCase()}` : undefined
}

function readPatientId(element: unknown, references: References): PatientId {
  const subject: Reference = element === undefined ? {} : told(shapes.reference, element, 'subject')
  const id = (subject.identifier && readAssigned(subject.identifier)) ?? references.patientId?.(subject)
  if (id === undefined) throw new GatewayError('metadata-invalid', 'A document names no patient that is known here')
  return id
}

/** MHD leaves the address free; gateways to XDS put the repository's id into its query [MobileAccessGateway]. */
function repositoryIn(url: unknown): string | undefined {
  const query = typeof url === 'string' ? url.slice(url.indexOf('?') + 1) : ''
  const id = new URLSearchParams(query).get('repositoryUniqueId') ?? ''
  return isOid(id) ? id : undefined
}

function readReferenceIds(elements: ReadonlyMap<string, unknown>): readonly string[] {
  return relatedPlaces.flatMap((place) => {
    const element = elements.get(place)
    return element === undefined
      ? []
      : told(shapes.references, element, place).flatMap((one) => readReferenceId(one) ?? [])
  })
}
