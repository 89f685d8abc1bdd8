import { GatewayError } from '../../core/errors.ts'
import type { Extra, Slot } from '../../core/model/code.ts'
import { type HomeCommunityId, homeCommunityId, isOid } from '../../core/model/identifiers.ts'
import type { Association, AssociationType, DocumentEntry } from '../../core/model/metadata.ts'
import type { PatientId } from '../../core/model/patient.ts'
import { type Elements, putTogether, takeApart } from './elements.ts'
import { fields } from './fields.ts'
import { homeCommunityIdUrl, uriSystem } from './names.ts'
import { readPeople, writePeople } from './people.ts'
import { type Extension, isObject, isShallow, type Json, type Reference, sameJson, shapes, told } from './types.ts'
import { isEncounterId, readAssigned, readReferenceId, writeAssigned, writeReferenceId } from './values.ts'

/** What the references of a DocumentReference mean, as far as whoever received it together with others knows. */
export interface References {
  readonly patientId?: (subject: Reference) => PatientId | undefined
  readonly entryUuid?: (document: Reference) => string | undefined
}

export interface DecodedDocument {
  readonly entry: DocumentEntry
  /** What the document does to others (`relatesTo`). */
  readonly associations: readonly Association[]
  /** How many of its relations point to something that cannot be named. */
  readonly dangling: number
}

/** What of a DocumentReference belongs to whoever serves it, and not to the document. */
export interface Served {
  /** Where the document is retrieved (ITI-68). */
  readonly url: string
  readonly associations?: readonly Association[]
}

/** Extra of this name holds the elements XDS has no word for. ebRIM looks at names of its own only and never meets it. */
const besides = 'fhir'

const deepest = 32

/** Elements that no table row reads: several make one attribute, or their meaning ends with the server that told them. */
const read = new Set([
  ...fields.map(({ place }) => place),
  ...['subject', 'relatesTo', 'extension', 'contained', 'author', 'authenticator'],
  ...['context.sourcePatientInfo', 'context.related', 'context.encounter'],
])

/**
 * A DocumentEntry out of a DocumentReference (MHD 4.2.4: XDS and MHD Mapping). What XDS has no word for is kept and
 * told on by `encodeDocumentReference`, and by nobody else; only `id`, `meta`, `text`, `subject` and `relatesTo`, which
 * speak of the server that told them, are not. An extension with the name of a URN and a string is an XDS slot.
 * Throws `metadata-invalid` with a sentence that quotes nothing.
 */
export function decodeDocumentReference(resource: unknown, references: References = {}): DecodedDocument {
  const { id, content } = told(shapes.documentReference, resource, 'DocumentReference')
  if (!isObject(resource) || resource['resourceType'] !== 'DocumentReference' || content?.[0] === undefined) {
    throw new GatewayError('metadata-invalid', 'A resource is not a DocumentReference with a content')
  }
  if (!isShallow(resource, deepest))
    throw new GatewayError('metadata-invalid', 'A DocumentReference is nested too deep')
  const elements = takeApart(resource)
  const attributes: Record<string, unknown> = {}
  for (const { place, attribute, read } of fields) {
    if (elements.has(place)) attributes[attribute] = read(elements.get(place))
  }
  attributes['entryUuid'] ??= uuidOf(id)
  for (const needed of ['entryUuid', 'uniqueId', 'status']) {
    if (attributes[needed] === undefined) throw new GatewayError('metadata-invalid', `A document has no ${needed}`)
  }
  const extensions = readExtensions(elements.get('extension'))
  const repositoryUniqueId = repositoryIn(elements.get('content.attachment.url'))
  const plain = {
    title: [],
    comments: [],
    confidentialityCodes: [],
    eventCodes: [],
    ...attributes,
    kind: isOnDemand(elements) ? 'on-demand' : 'stable',
    patientId: readPatientId(elements.get('subject'), references),
    ...(extensions.home === undefined ? {} : { home: extensions.home }),
    ...(repositoryUniqueId === undefined ? {} : { repositoryUniqueId }),
    ...readPeople(peopleIn(elements)),
    referenceIds: readReferenceIds(elements),
  } as unknown as DocumentEntry
  const extra = extraOf(extensions.slots, leftOver(elements, plain, extensions.others))
  const entry = extra === undefined ? withoutAbsent(plain) : { ...withoutAbsent(plain), extra }
  return { entry, ...readRelations(elements.get('relatesTo'), entry, references) }
}

/**
 * The DocumentReference of an entry. Elements kept from an earlier one are told again as long as they still say what
 * the entry says: what has been taken from the entry since does not come back with them. Several titles, comments
 * or persons of one author, logical id, version and documentAvailability are beyond ITI-67. Throws `metadata-invalid`
 * for a status beyond approved and deprecated.
 */
export function encodeDocumentReference(entry: DocumentEntry, served: Served): Json {
  if (entry.status === undefined) throw new GatewayError('metadata-invalid', 'A document has no availability status')
  const elements = elementsOf(entry)
  const kept = keptIn(entry)
  for (const [place, value] of Object.entries(kept)) if (!read.has(place)) elements.set(place, value)
  for (const { place, attribute, read } of fields) {
    const value = entry[attribute]
    if (place in kept && sameJson(read(kept[place]) ?? emptied(value), value)) elements.set(place, kept[place])
  }
  keepTogether(elements, kept, peoplePlaces, (those) => sameJson(readPeople(peopleIn(those)), peopleOf(entry)))
  keepTogether(elements, kept, relatedPlaces, (those) => sameJson(readReferenceIds(those), entry.referenceIds))
  const extension = [...writeExtensions(entry), ...listOf(kept['extension'])]
  if (extension.length > 0) elements.set('extension', extension)
  const relatesTo = (served.associations ?? []).flatMap((one) => writeRelation(one, entry.entryUuid))
  if (relatesTo.length > 0) elements.set('relatesTo', relatesTo)
  elements.set('subject', { type: 'Patient', identifier: writeAssigned(entry.patientId) })
  elements.set('content.attachment.url', served.url)
  return putTogether(elements)
}

/** The elements that say what the attributes say, and nothing else. */
function elementsOf(entry: DocumentEntry): Elements {
  const elements: Elements = new Map()
  for (const { place, attribute, write } of fields) {
    const value = entry[attribute]
    const element = value === undefined || isAbsent(entry, attribute) ? undefined : write(value)
    if (element !== undefined) elements.set(place, element)
  }
  const { contained, author, authenticator, sourcePatientInfo } = writePeople(entry)
  const related = entry.referenceIds.filter((id) => !isEncounterId(id)).map(writeReferenceId)
  const encounter = entry.referenceIds.filter(isEncounterId).map(writeReferenceId)
  const people = [contained, author, authenticator, sourcePatientInfo]
  for (const [index, place] of peoplePlaces.entries()) {
    if (people[index] !== undefined) elements.set(place, people[index])
  }
  if (related.length > 0) elements.set('context.related', related)
  if (encounter.length > 0) elements.set('context.encounter', encounter)
  return elements
}

/** An on-demand document has neither hash nor size nor creation time; that is how MHD tells it from a stable one. */
function isAbsent(entry: DocumentEntry, attribute: keyof DocumentEntry): boolean {
  return entry.kind === 'on-demand' && ['hash', 'size', 'creationTime'].includes(attribute)
}

function isOnDemand(elements: Elements): boolean {
  return ['hash', 'size', 'creation'].every((name) => !elements.has(`content.attachment.${name}`))
}

const peoplePlaces = ['contained', 'author', 'authenticator', 'context.sourcePatientInfo'] as const
const relatedPlaces = ['context.related', 'context.encounter'] as const

function peopleIn(elements: ReadonlyMap<string, unknown>) {
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

/** Puts kept elements that belong together back, if together they say what the entry says. */
function keepTogether(
  elements: Elements,
  kept: Json,
  places: readonly string[],
  agrees: (those: ReadonlyMap<string, unknown>) => boolean,
): void {
  const those = new Map(places.flatMap((place) => (place in kept ? [[place, kept[place]] as const] : [])))
  if (those.size === 0 || !agrees(those)) return
  for (const place of places) elements.delete(place)
  for (const [place, value] of those) elements.set(place, value)
}

/** What would be lost if the entry alone were told on. */
function leftOver(elements: Elements, entry: DocumentEntry, extensions: readonly unknown[]): Json {
  const said = elementsOf(withoutAbsent(entry))
  const left: [string, unknown][] = []
  const differs = (place: string) => !sameJson(elements.get(place), said.get(place))
  for (const places of [peoplePlaces, relatedPlaces]) {
    if (!places.some(differs)) continue
    for (const place of places) if (elements.has(place)) left.push([place, elements.get(place)])
  }
  for (const [place, element] of elements) {
    if (!read.has(place) || (fields.some((field) => field.place === place) && differs(place)))
      left.push([place, element])
  }
  if (extensions.length > 0) left.push(['extension', extensions])
  return Object.fromEntries(left)
}

function extraOf(slots: readonly Slot[], left: Json): Extra | undefined {
  if (slots.length === 0 && Object.keys(left).length === 0) return undefined
  return {
    ...(slots.length === 0 ? {} : { slots }),
    ...(Object.keys(left).length === 0 ? {} : { of: { [besides]: { attributes: { told: JSON.stringify(left) } } } }),
  }
}

function keptIn(entry: DocumentEntry): Json {
  const text = entry.extra?.of?.[besides]?.attributes?.['told']
  const kept: unknown = text === undefined ? {} : JSON.parse(text)
  return isObject(kept) ? kept : {}
}

function emptied(value: unknown): unknown {
  return Array.isArray(value) ? [] : undefined
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function withoutAbsent(entry: DocumentEntry): DocumentEntry {
  return Object.fromEntries(
    Object.entries(entry).filter(([, value]) => value !== undefined),
  ) as unknown as DocumentEntry
}

function uuidOf(id: string | undefined): string | undefined {
  const isUuid = id !== undefined && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)
  return isUuid ? `urn:uuid:${id.toLowerCase()}` : undefined
}

function readPatientId(element: unknown, references: References): PatientId {
  const subject: Reference = element === undefined ? {} : told(shapes.reference, element, 'subject')
  const id = references.patientId?.(subject) ?? (subject.identifier && readAssigned(subject.identifier))
  if (id === undefined) throw new GatewayError('metadata-invalid', 'A document names no patient that is known here')
  return id
}

/** MHD leaves the address free; gateways to XDS put the repository's id into its query [MobileAccessGateway, IPF]. */
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

interface Extensions {
  readonly home?: HomeCommunityId
  readonly slots: readonly Slot[]
  readonly others: readonly unknown[]
}

/** rim:LongName, the longest value a slot takes (ebRIM 3.0). */
const longestSlotValue = 256

function readExtensions(element: unknown): Extensions {
  const slots = new Map<string, string[]>()
  const others: unknown[] = []
  let home: HomeCommunityId | undefined
  for (const extension of element === undefined ? [] : told(shapes.extensions, element, 'extension')) {
    const { url = '', valueString, valueOid } = extension
    if (url === homeCommunityIdUrl && valueOid !== undefined && home === undefined) home = readHome(valueOid)
    else if (isSlot(extension) && valueString !== undefined) slots.set(url, [...(slots.get(url) ?? []), valueString])
    else others.push(extension)
  }
  return {
    ...(home === undefined ? {} : { home }),
    slots: [...slots].map(([name, values]) => ({ name, values })),
    others,
  }
}

function readHome(oid: string): HomeCommunityId {
  try {
    return homeCommunityId(oid)
  } catch (cause) {
    throw new GatewayError('metadata-invalid', 'The homeCommunityId extension holds no OID', { cause })
  }
}

function isSlot(extension: Extension): boolean {
  const { url = '', valueString = '' } = extension
  const fits = valueString !== '' && valueString.length <= longestSlotValue
  return url.startsWith('urn:') && fits && Object.keys(extension).length === 2
}

function writeExtensions({ home, extra }: DocumentEntry): readonly Extension[] {
  const slots = (extra?.slots ?? []).filter(({ name }) => name.startsWith('urn:'))
  return [
    ...(home === undefined ? [] : [{ url: homeCommunityIdUrl, valueOid: home }]),
    ...slots.flatMap(({ name, values }) => values.map((valueString) => ({ url: name, valueString }))),
  ]
}

/** `relatesTo.code` by kind of association (MHD 4.2.4: AssociationType vs RelatesTo). */
const relationCodes: ReadonlyMap<AssociationType, string> = new Map([
  ['replaces', 'replaces'],
  ['transforms', 'transforms'],
  ['appends', 'appends'],
  ['signs', 'signs'],
  ['transforms-and-replaces', 'replaces'],
  ['is-snapshot-of', 'transforms'],
])

function readRelations(element: unknown, { entryUuid: source, home }: DocumentEntry, references: References) {
  const associations: Association[] = []
  let dangling = 0
  for (const [index, relation] of (element === undefined
    ? []
    : told(shapes.relations, element, 'relatesTo')
  ).entries()) {
    const target = relation.target && targetOf(relation.target, references)
    const type = relation.code
    if (target === undefined || type === undefined || !relationCodes.has(type)) dangling++
    else {
      const entryUuid = `${source}.relatesTo-${index}`
      associations.push({ entryUuid, type, source, target, ...(home === undefined ? {} : { home }) })
    }
  }
  return { associations, dangling }
}

function targetOf(target: Reference, references: References): string | undefined {
  const { system, value } = target.identifier ?? {}
  const named = [system === uriSystem ? value : undefined, target.reference]
  return references.entryUuid?.(target) ?? named.find((name) => name?.startsWith('urn:uuid:'))
}

function writeRelation({ source, target, type }: Association, entryUuid: string): readonly Json[] {
  const code = relationCodes.get(type)
  if (source !== entryUuid || code === undefined) return []
  return [{ code, target: { type: 'DocumentReference', identifier: { system: uriSystem, value: target } } }]
}
