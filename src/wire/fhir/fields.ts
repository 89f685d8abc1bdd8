import { GatewayError } from '../../core/errors.ts'
import type { Code, LocalizedText } from '../../core/model/code.ts'
import { isOid } from '../../core/model/identifiers.ts'
import type { DocumentEntry } from '../../core/model/metadata.ts'
import type { Timestamp } from '../../core/model/timestamp.ts'
import { identifierTypeSystem, uriSystem } from './names.ts'
import { shapes, told } from './types.ts'
import {
  readCoding,
  readConcept,
  readHash,
  readTime,
  readUniqueId,
  writeCoding,
  writeConcept,
  writeHash,
  writeTime,
  writeUniqueId,
} from './values.ts'

/** How one element of a DocumentReference carries one attribute of a DocumentEntry (MHD 4.2.4: XDS and MHD Mapping). */
export interface Field {
  readonly place: string
  readonly attribute: keyof DocumentEntry
  /** Undefined when the element says nothing the attribute could hold. Throws `metadata-invalid`. */
  readonly read: (element: unknown) => unknown
  /** Undefined when there is nothing to say. */
  readonly write: (value: unknown) => unknown
}

function field<Attribute extends keyof DocumentEntry>(
  place: string,
  attribute: Attribute,
  read: (element: unknown, place: string) => DocumentEntry[Attribute] | undefined,
  write: (value: NonNullable<DocumentEntry[Attribute]>) => unknown,
): Field {
  return {
    place,
    attribute,
    read: (element) => read(element, place),
    write: (value) => write(value as NonNullable<DocumentEntry[Attribute]>),
  }
}

const readText = (element: unknown, place: string): string => told(shapes.text, element, place)
const asIs = (value: unknown): unknown => value
const readTexts = (element: unknown, place: string): readonly LocalizedText[] => [{ value: readText(element, place) }]
const writeTexts = (texts: readonly LocalizedText[]): unknown => texts[0]?.value
const readDateTime = (element: unknown, place: string): Timestamp => readTime(readText(element, place), place)
const readOne = (element: unknown, place: string): Code | undefined =>
  preferred(readConcept(told(shapes.concept, element, place)))
const readSeveral = (element: unknown, place: string): readonly Code[] =>
  told(shapes.concepts, element, place).flatMap(readConcept)
const writeSeveral = (codes: readonly Code[]): unknown => (codes.length === 0 ? undefined : codes.map(writeConcept))

/** Where XDS has room for one code: the first whose scheme has an OID, as every scheme of the affinity domain has. */
function preferred(codes: readonly Code[]): Code | undefined {
  return codes.find(({ scheme }) => isOid(scheme)) ?? codes[0]
}

function readStatus(element: unknown): 'approved' | 'deprecated' {
  if (element === 'current') return 'approved'
  if (element === 'superseded') return 'deprecated'
  throw new GatewayError('metadata-invalid', 'status is neither current nor superseded')
}

function writeStatus(status: string): 'current' | 'superseded' {
  if (status === 'approved') return 'current'
  if (status === 'deprecated') return 'superseded'
  throw new GatewayError('metadata-invalid', 'FHIR document sharing knows no such availability status')
}

function readSize(element: unknown, place: string): number {
  const size = told(shapes.number, element, place)
  if (Number.isSafeInteger(size) && size >= 0) return size
  throw new GatewayError('metadata-invalid', `${place} is not a number of bytes`)
}

/** The entryUUIDs among the identifiers of a document. */
export interface EntryUuids {
  /** The one marked so, else the official one, else the first UUID there is. */
  readonly current?: string
  /** Those it had before, the latest first. */
  readonly former: readonly string[]
}

/** Throws `metadata-invalid`. */
export function readEntryUuids(element: unknown, place = 'identifier'): EntryUuids {
  const uuids = told(shapes.identifiers, element, place).filter(
    ({ system, value }) => system === uriSystem && value?.startsWith('urn:uuid:'),
  )
  const kindOf = (id: (typeof uuids)[number]) =>
    id.type?.coding?.find(({ system }) => system === identifierTypeSystem)?.code
  const marked = uuids.find((id) => kindOf(id) === 'entryUUID')
  const unmarked = uuids.filter((id) => kindOf(id) === undefined)
  const named = unmarked.find(({ use }) => use === 'official') ?? unmarked.find(({ use }) => use !== 'old')
  const current = (marked ?? named ?? unmarked[0])?.value
  const former = unmarked.flatMap(({ use, value }) =>
    use === 'old' && value !== undefined && value !== current ? [value] : [],
  )
  return { ...(current === undefined ? {} : { current }), former }
}

function writeEntryUuid(value: string): unknown {
  const type = { coding: [{ system: identifierTypeSystem, code: 'entryUUID' }] }
  return [{ use: 'official', type, system: uriSystem, value }]
}

/**
 * The identifiers of a document whose entryUUID becomes another: the one it had stays as an old one (FHIR R4: IdentifierUse),
 * so that whoever knows the document by it still finds it. Throws `metadata-invalid`.
 */
export function writeNewEntryUuid(element: unknown, former: string, value: string): unknown {
  const identifiers = element === undefined ? [] : told(shapes.identifiers, element, 'identifier')
  const others = identifiers.filter((id) => id.system !== uriSystem || (id.value !== former && id.value !== value))
  return [writeEntryUuid(value), { use: 'old', system: uriSystem, value: former }, ...others].flat()
}

/** The elements that carry one attribute each. Those that take several to understand have readers of their own. */
export const fields: readonly Field[] = [
  field('identifier', 'entryUuid', (element, place) => readEntryUuids(element, place).current, writeEntryUuid),
  field(
    'masterIdentifier',
    'uniqueId',
    (element, place) => readUniqueId(told(shapes.identifier, element, place)),
    (id) => ({ use: 'usual', ...writeUniqueId(id) }),
  ),
  field('status', 'status', readStatus, writeStatus),
  field('type', 'typeCode', readOne, writeConcept),
  field(
    'category',
    'classCode',
    (element, place) => preferred(readSeveral(element, place)),
    (code) => [writeConcept(code)],
  ),
  field('description', 'comments', readTexts, writeTexts),
  field('securityLabel', 'confidentialityCodes', readSeveral, writeSeveral),
  field('content.attachment.contentType', 'mimeType', readText, asIs),
  field('content.attachment.language', 'languageCode', readText, asIs),
  field('content.attachment.size', 'size', readSize, asIs),
  field(
    'content.attachment.hash',
    'hash',
    (element, place) => readHash(readText(element, place)),
    (hash) => writeHash(hash),
  ),
  field('content.attachment.title', 'title', readTexts, writeTexts),
  field('content.attachment.creation', 'creationTime', readDateTime, writeTime),
  field(
    'content.format',
    'formatCode',
    (element, place) => readCoding(told(shapes.coding, element, place)),
    writeCoding,
  ),
  field('context.event', 'eventCodes', readSeveral, writeSeveral),
  field('context.period.start', 'serviceStartTime', readDateTime, writeTime),
  field('context.period.end', 'serviceStopTime', readDateTime, writeTime),
  field('context.facilityType', 'healthcareFacilityTypeCode', readOne, writeConcept),
  field('context.practiceSetting', 'practiceSettingCode', readOne, writeConcept),
]
