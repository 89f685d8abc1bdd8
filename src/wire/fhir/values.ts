import { Buffer } from 'node:buffer'
import { GatewayError } from '../../core/errors.ts'
import type { Code } from '../../core/model/code.ts'
import { isOid } from '../../core/model/identifiers.ts'
import type { PatientId } from '../../core/model/patient.ts'
import { isTimestamp, type Timestamp, timestamp } from '../../core/model/timestamp.ts'
import { formatCx, parseCx } from '../hl7/cx.ts'
import { sha1Of } from '../sha1-text.ts'
import { encounterIdType, schemeOf, systemOf, uriSystem, withoutOidUrn } from './names.ts'
import type { CodeableConcept, Coding, Identifier, Reference } from './types.ts'

const dateTime = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d))?)?)?$/

/** A FHIR dateTime as a time in UTC, as coarse as told; fractions of a second are cut off. Throws `metadata-invalid`. */
export function readTime(text: string, place: string): Timestamp {
  const [, year, month = '', day = '', hour = '', minute = '', second = '', zone] = dateTime.exec(text) ?? []
  const digits = `${year ?? ''}${month}${day}${hour}${minute}${second}`
  if (!isTimestamp(digits)) throw new GatewayError('metadata-invalid', `${place} is not a FHIR dateTime with a zone`)
  if (day === '') return digits
  const local = Date.parse(`${year}-${month}-${day}T00:00:00Z`)
  if (!new Date(local).toISOString().startsWith(`${year}-${month}-${day}`)) {
    throw new GatewayError('metadata-invalid', `${place} is not a day of the calendar`)
  }
  if (zone === undefined || zone === 'Z') return digits
  const offset = (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4))) * (zone.startsWith('-') ? -60_000 : 60_000)
  const seconds = (Number(hour) * 60 + Number(minute)) * 60 + Number(second)
  return timestamp(new Date(local + seconds * 1000 - offset).toISOString().replace(/\..*|[-:T]/g, ''))
}

/** A time as a FHIR dateTime. Hours and minutes alone are not FHIR's: the rest is filled with zeros. */
export function writeTime(time: Timestamp): string {
  const date = [time.slice(0, 4), time.slice(4, 6), time.slice(6, 8)].filter((part) => part !== '').join('-')
  if (time.length <= 8) return date
  const clock = time.slice(8).padEnd(6, '0')
  return `${date}T${clock.slice(0, 2)}:${clock.slice(2, 4)}:${clock.slice(4)}Z`
}

/** SHA-1 in hexadecimal from `attachment.hash`, base64 of the 20 bytes (MHD 4.2.4). Throws `metadata-invalid`. */
export function readHash(text: string): string {
  const hash = sha1Of(text)
  if (hash !== undefined) return hash
  throw new GatewayError('metadata-invalid', 'content.attachment.hash is not a SHA-1 digest')
}

export function writeHash(hexadecimal: string): string {
  return Buffer.from(hexadecimal, 'hex').toString('base64')
}

/**
 * An identifier as XDS writes a uniqueId: a URI without `urn:oid:`, or `OID^extension` when the system is the root
 * (ITI TF-2: Z.9.1.1). Undefined when it has no value.
 */
export function readUniqueId({ system, value }: Identifier): string | undefined {
  if (value === undefined || value === '') return undefined
  const root = system === undefined ? '' : withoutOidUrn(system)
  return root !== system && root !== '' ? `${root}^${value}` : withoutOidUrn(value)
}

export function writeUniqueId(id: string): Identifier {
  if (isOid(id)) return { system: uriSystem, value: `urn:oid:${id}` }
  if (id.startsWith('urn:')) return { system: uriSystem, value: id }
  const caret = id.indexOf('^')
  const root = id.slice(0, caret)
  const extension = id.slice(caret + 1)
  return caret > 0 && extension !== '' && isOid(root) ? { system: `urn:oid:${root}`, value: extension } : { value: id }
}

/** An identifier under an authority that has an OID; undefined for any other. */
export function readAssigned({ system, value }: Identifier): PatientId | undefined {
  if (system === undefined || value === undefined || value === '') return undefined
  const authority = withoutOidUrn(system)
  return authority !== system && isOid(authority) ? { value, authority } : undefined
}

export function writeAssigned(id: PatientId): Identifier {
  return { system: `urn:oid:${id.authority}`, value: id.value }
}

/** A coding as a code; undefined when it has none. */
export function readCoding({ system, code, display }: Coding): Code | undefined {
  if (code === undefined || code === '') return undefined
  return { code, scheme: system === undefined ? '' : schemeOf(system), ...(display === undefined ? {} : { display }) }
}

export function writeCoding({ code, scheme, display }: Code): Coding {
  return {
    ...(scheme === '' ? {} : { system: systemOf(scheme) }),
    code,
    ...(display === undefined ? {} : { display }),
  }
}

/** Every code of a concept: one code may matter to policy and another to people, so none is chosen over the rest. */
export function readConcept(concept: CodeableConcept): readonly Code[] {
  return (concept.coding ?? []).flatMap((coding) => readCoding(coding) ?? [])
}

export function writeConcept(code: Code): CodeableConcept {
  return { coding: [writeCoding(code)] }
}

/**
 * A related object's identifier as XDS writes a reference id, CXi `id^^^&oid&ISO^type` (ITI TF-2: Z.9.1.2). Undefined
 * when the reference has no identifier, or one whose system XDS cannot name.
 */
export function readReferenceId(reference: Reference): string | undefined {
  const { system, value, type } = reference.identifier ?? {}
  if (value === undefined || value === '') return undefined
  const kind = type?.coding?.find(({ system, code }) => system === uriSystem && code !== '')?.code
  if (system === undefined && value.includes('^')) return value
  const assigned = readAssigned(reference.identifier ?? {})
  if (assigned !== undefined) return kind === undefined ? formatCx(assigned) : `${formatCx(assigned)}^${kind}`
  if (system !== undefined && system !== uriSystem && system !== dicomUidSystem) return undefined
  return kind === undefined ? withoutOidUrn(value) : `${withoutOidUrn(value)}^^^^${kind}`
}

const dicomUidSystem = 'urn:dicom:uid'

/** What a reference id says, as far as FHIR can say it. */
interface ReferenceIdParts {
  readonly value: string
  readonly assigned?: PatientId
  readonly kind?: string
}

/** Takes a CXi apart; undefined when it says more than an id, an authority with an OID, and a type. */
export function referenceIdParts(cxi: string): ReferenceIdParts | undefined {
  const components = cxi.split('^')
  const assigned = parseCx(cxi)
  const value = components[0] ?? ''
  const kind = components[4]
  const spelled = assigned === undefined ? value : formatCx(assigned)
  const whole = kind === undefined ? spelled : `${spelled}${assigned === undefined ? '^^^^' : '^'}${kind}`
  if (whole !== cxi || value === '' || kind === '') return undefined
  return { value, ...(assigned === undefined ? {} : { assigned }), ...(kind === undefined ? {} : { kind }) }
}

export function writeReferenceId(cxi: string): Reference {
  const parts = referenceIdParts(cxi)
  // A spelling FHIR has no place for travels as it is: a value with carets and without a system.
  if (parts === undefined) return { identifier: { value: cxi } }
  const type = parts.kind === undefined ? {} : { type: { coding: [{ system: uriSystem, code: parts.kind }] } }
  const id = parts.assigned === undefined ? plainValue(parts.value) : writeAssigned(parts.assigned)
  return { identifier: { ...type, ...id } }
}

function plainValue(value: string): Identifier {
  return isOid(value) ? { system: uriSystem, value: `urn:oid:${value}` } : { value }
}

export function isEncounterId(cxi: string): boolean {
  return cxi.endsWith(`^${encounterIdType}`)
}
