import type { Code, Extra, LocalizedText, Slot } from '../../core/model/code.ts'
import type { HomeCommunityId } from '../../core/model/identifiers.ts'
import type { AssociationType, Author, AvailabilityStatus, DocumentEntry } from '../../core/model/metadata.ts'
import { type PatientId, samePatientId } from '../../core/model/patient.ts'
import { formatCx, parseCx } from '../hl7/cx.ts'
import { sha1Of } from '../sha1-text.ts'
import {
  writeAuthor,
  writeCode,
  writeExtraClassifications,
  writeExtraIdentifiers,
  writeIdentifier,
  writeNode,
} from './member-write.ts'
import { associationTypes, availability, entryKinds } from './names.ts'
import type { ClassificationForm, ObjectTable } from './object-tables.ts'
import {
  attribute,
  extraAttributes,
  writeField,
  writeSlot,
  writeSlots,
  writeTexts,
  writeVersion,
} from './parts-write.ts'

/** The fields every registry object has, beside those its table names. */
interface Common {
  readonly entryUuid: string
  readonly logicalId?: string
  readonly version?: string
  readonly home?: HomeCommunityId
  readonly status?: AvailabilityStatus
  readonly title?: readonly LocalizedText[]
  readonly comments?: readonly LocalizedText[]
  readonly kind?: DocumentEntry['kind']
  readonly extra?: Extra
}

type Fields = Common & Readonly<Record<string, unknown>>

/**
 * Writes one registry object after its table, in the element order of ebRIM 3.0's schema, with the `rim` prefix. `home`
 * is written when the object has none of its own; `more` are slots to be added to its own.
 */
export function writeObject<T extends Common>(
  object: T,
  table: ObjectTable<T>,
  home: HomeCommunityId | undefined,
  more: readonly Slot[] = [],
): string {
  const { slots, rest } = preparedFor(object) ?? inner(object, table)
  return `<rim:${table.element}${ownAttributes(object as Fields, table, home)}>${slots}${writeSlots(more)}${rest}`
}

/** What of an object does not depend on whom it is written for. */
interface Inner {
  readonly slots: string
  /** Everything after the slots, with the end tag. */
  readonly rest: string
}

const prepared = new WeakMap<Extra, Inner & { readonly object: object }>()

/**
 * Writes the inside of an object before it is known for whom, while other communities are still waited for. Only for
 * objects that a peer told of in ebRIM: what came with them is what they are recognised by.
 */
export function prepareObject<T extends Common>(object: T, table: ObjectTable<T>): void {
  if (object.extra === undefined) return
  try {
    const { slots, rest } = inner(object, table)
    // Reading a character makes V8 join the thousand pieces a string was put together from, now rather than later.
    slots.charCodeAt(0)
    rest.charCodeAt(0)
    prepared.set(object.extra, { object, slots, rest })
  } catch (error) {
    // What XML cannot carry is told of when the answer is written.
    if (!(error instanceof RangeError)) throw error
  }
}

/** The home stands in the start tag; who told of an entry is not of its metadata. */
const writtenApart: ReadonlySet<string> = new Set(['home', 'sources'])

/** What was prepared for an object, as long as none of its fields is another one now; its home is written apart. */
function preparedFor(object: Common): Inner | undefined {
  const found = object.extra && prepared.get(object.extra)
  if (found === undefined) return undefined
  const was = found.object as Fields
  const now = object as Fields
  for (const name in was) if (!(name in now)) return undefined
  for (const name in now) if (was[name] !== now[name] && !writtenApart.has(name)) return undefined
  return found
}

function inner<T extends Common>(object: T, table: ObjectTable<T>): Inner {
  const fields = object as Fields
  const { entryUuid: id, extra } = object
  const slots = slotFields(fields, table)
  let xml = ''
  xml += writeTexts('Name', table.titled ? object.title : extra?.names)
  xml += writeTexts('Description', table.titled ? object.comments : extra?.descriptions)
  xml += writeVersion('VersionInfo', object.version, extra?.version)
  for (const [scheme, { field, form }] of table.classifications) {
    const value = fields[field]
    if (value !== undefined) xml += classifications(value, form, scheme, id, field)
  }
  if (table.node !== undefined) xml += writeNode(table.node, extra?.of?.node, { owner: id, key: 'node' })
  xml += writeExtraClassifications(extra, id)
  for (const [scheme, { field, form, name }] of table.identifiers) {
    const value = fields[field]
    if (value === undefined) continue
    const beside = extra?.of?.[field]
    const told = form === 'patient' ? spelledPatient(value as PatientId, beside) : String(value)
    xml += writeIdentifier(scheme, told, beside, { owner: id, key: field }, name)
  }
  xml += writeExtraIdentifiers(extra, id)
  xml += writeVersion('ContentVersionInfo', undefined, extra?.contentVersion)
  return { slots, rest: `${xml}</rim:${table.element}>` }
}

const spelledElsewhere: ReadonlySet<string> = new Set(['home', 'objectType'])

function ownAttributes<T>(fields: Fields, table: ObjectTable<T>, home: HomeCommunityId | undefined): string {
  const told = fields.extra?.attributes
  let xml = attribute('id', fields.entryUuid)
  if (fields.logicalId !== undefined) xml += attribute('lid', fields.logicalId)
  const where = fields.home ?? home ?? told?.home
  if (where !== undefined) xml += attribute('home', where)
  const objectType = told?.objectType ?? table.objectType ?? entryKinds.spell(fields.kind ?? 'stable')
  xml += attribute('objectType', objectType)
  if (fields.status !== undefined) xml += attribute('status', availability.spell(fields.status))
  for (const [name, field] of table.attributes) {
    const value = fields[field]
    if (value === undefined) continue
    xml += attribute(name, field === 'type' ? associationTypes.spell(value as AssociationType) : String(value))
  }
  return xml + extraAttributes(fields.extra, spelledElsewhere)
}

/** The slots of named fields, then the others. A value that its field could not take is written as it was told. */
function slotFields<T>(fields: Fields, table: ObjectTable<T>): string {
  const { extra } = fields
  let xml = ''
  for (const [name, { field, form }] of table.slots) {
    const value = fields[field]
    if (value === undefined) continue
    if (form === 'texts') {
      if ((value as readonly string[]).length > 0) xml += writeField(name, value as readonly string[], extra)
    } else if (form !== 'hash' || toldHash(extra, name) !== value) xml += writeField(name, [String(value)], extra)
  }
  for (const slot of extra?.slots ?? []) {
    const known = table.slots.get(slot.name)
    const value = known === undefined ? undefined : fields[known.field]
    const free = value === undefined || (Array.isArray(value) && value.length === 0)
    if (free || (known?.form === 'hash' && toldHash(extra, slot.name) === value)) xml += writeSlot(slot)
  }
  return xml
}

/** The hash as digits in small letters, when a peer told it otherwise. */
function toldHash(extra: Extra | undefined, name: string): string | undefined {
  const told = extra?.slots?.find((slot) => slot.name === name)?.values[0]
  return told === undefined ? undefined : sha1Of(told.trim())
}

function classifications(
  value: unknown,
  form: ClassificationForm,
  scheme: string,
  owner: string,
  field: string,
): string {
  if (form === 'code') return writeCode(value as Code, scheme, { owner, key: field })
  let xml = ''
  let at = 0
  for (const item of value as readonly (Code | Author)[]) {
    const place = { owner, key: `${field}-${at++}` }
    xml += form === 'codes' ? writeCode(item as Code, scheme, place) : writeAuthor(item as Author, scheme, place)
  }
  return xml
}

/** A patient identifier as it was told, as long as it still names the same patient. */
function spelledPatient(id: PatientId, beside: Extra | undefined): string {
  const told = beside?.attributes?.value
  const named = told === undefined ? undefined : parseCx(told)
  return told !== undefined && named !== undefined && samePatientId(named, id) ? told : formatCx(id)
}
