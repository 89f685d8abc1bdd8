import type { Code, Extra, LocalizedText, Slot } from '../../core/model/code.ts'
import type { HomeCommunityId } from '../../core/model/identifiers.ts'
import type { Author, AvailabilityStatus } from '../../core/model/metadata.ts'
import type { PatientId } from '../../core/model/patient.ts'
import { formatCx, parseCx } from '../hl7/cx.ts'
import { escapeAttribute } from '../xml-write.ts'
import { associationTypes, availability, derivedId, entryKinds, objectTypes, slots as slotNames } from './names.ts'
import { authorSlots, type ObjectTable } from './object-tables.ts'
import { attribute, extraAttributes, texts, versionInfo, writeSlot } from './parts-write.ts'

/** The fields every registry object has, and whatever its table names. */
type Fields = Readonly<Record<string, unknown>> & {
  readonly entryUuid: string
  readonly logicalId?: string
  readonly version?: string
  readonly home?: HomeCommunityId
  readonly status?: AvailabilityStatus
  readonly title?: readonly LocalizedText[]
  readonly comments?: readonly LocalizedText[]
  readonly extra?: Extra
}

/**
 * Writes one registry object after its table, in the element order of ebRIM 3.0's schema, with the `rim` prefix. `home`
 * is written when the object has none of its own. `more` are slots to be added after its own.
 */
export function writeObject<T extends object>(
  object: T,
  table: ObjectTable<T>,
  home: HomeCommunityId | undefined,
  more: readonly Slot[] = [],
): string {
  const fields = object as unknown as Fields
  const { entryUuid: id, extra } = fields
  let xml = `<rim:${table.element}${ownAttributes(fields, table, home)}>`
  xml += slotFields(fields, table)
  for (const slot of more) xml += writeSlot(slot)
  xml += texts('Name', table.titled ? fields.title : extra?.names)
  xml += texts('Description', table.titled ? fields.comments : extra?.descriptions)
  xml += versionInfo('VersionInfo', fields.version, extra?.version)
  for (const [scheme, { field, form }] of table.classifications) {
    const value = fields[field]
    if (value === undefined) continue
    if (form === 'code') xml += writeCode(value as Code, scheme, id, field)
    else if (form === 'codes') xml += all(value as readonly Code[], (code, at) => writeCode(code, scheme, id, `${field}-${at}`))
    else xml += all(value as readonly Author[], (author, at) => writeAuthor(author, scheme, id, `${field}-${at}`))
  }
  if (table.node !== undefined)
    xml += classification(attribute('classificationNode', table.node), '', '', extra?.of?.['node'], id, 'node')
  xml += extraClassifications(extra, id)
  for (const [scheme, { field, form, name }] of table.identifiers) {
    const value = fields[field]
    if (value === undefined) continue
    const carried = extra?.of?.[field]
    const told = form === 'patient' ? spelledPatient(value as PatientId, carried) : String(value)
    xml += identifier(scheme, told, carried, id, field, name)
  }
  xml += extraIdentifiers(extra, id)
  if (extra?.contentVersion !== undefined) xml += versionInfo('ContentVersionInfo', undefined, extra.contentVersion)
  return `${xml}</rim:${table.element}>`
}
