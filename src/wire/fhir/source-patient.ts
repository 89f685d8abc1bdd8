import type { DocumentEntry } from '../../core/model/metadata.ts'
import { isTimestamp } from '../../core/model/timestamp.ts'
import { formatCx, parseCx } from '../hl7/cx.ts'
import { type Address, type HumanName, type Identifier, type Json, type Patient, shapes, told } from './types.ts'
import { readAssigned, readTime, writeAssigned, writeTime } from './values.ts'

type SourcePatient = Pick<DocumentEntry, 'sourcePatientId' | 'sourcePatientInfo'>

/** HL7 table 0001 and FHIR's administrative gender. */
const genders: readonly (readonly [string, string])[] = [
  ['F', 'female'],
  ['M', 'male'],
  ['O', 'other'],
  ['U', 'unknown'],
]

/**
 * The patient as the document's source knew them, in the PID fields of XDS: `context.sourcePatientInfo` names the id by
 * its identifier and the rest by a contained Patient (MHD 4.2.4). Throws `metadata-invalid`.
 */
export function readSourcePatient(element: unknown, contained: ReadonlyMap<string, Json>): SourcePatient {
  if (element === undefined) return { sourcePatientInfo: [] }
  const reference = told(shapes.reference, element, 'context.sourcePatientInfo')
  const resource = contained.get(reference.reference ?? '')
  const patient = resource === undefined ? {} : told(shapes.patient, resource, 'context.sourcePatientInfo')
  const identifiers = patient.identifier ?? []
  const own = reference.identifier ?? identifiers.find(({ use }) => use === 'usual') ?? identifiers[0]
  const sourcePatientId = own && readId(own)
  return {
    ...(sourcePatientId === undefined ? {} : { sourcePatientId }),
    sourcePatientInfo: readInfo(patient),
  }
}

export function writeSourcePatient(people: SourcePatient, contained: Json[]): Json | undefined {
  const { sourcePatientId, sourcePatientInfo } = people
  if (sourcePatientId === undefined && sourcePatientInfo.length === 0) return undefined
  const patient = writeInfo(sourcePatientInfo)
  const named = Object.keys(patient).length > 0
  if (named) contained.push({ resourceType: 'Patient', id: 'source-patient', ...patient })
  return {
    ...(named ? { reference: '#source-patient' } : {}),
    ...(sourcePatientId === undefined ? {} : { identifier: writeId(sourcePatientId) }),
  }
}

/** A value with carets and without a system is a spelling that FHIR had no place for. */
function readId(identifier: Identifier): string | undefined {
  const assigned = readAssigned(identifier)
  if (assigned !== undefined) return formatCx(assigned)
  return identifier.system === undefined && identifier.value?.includes('^') ? identifier.value : undefined
}

function writeId(cx: string): Identifier {
  const id = parseCx(cx)
  return id !== undefined && formatCx(id) === cx ? writeAssigned(id) : { value: cx }
}

function readInfo(patient: Patient): readonly string[] {
  const { identifier = [], name, birthDate, gender, address } = patient
  const sex = genders.find(([, word]) => word === gender)?.[0]
  return [
    ...identifier.flatMap((one) => field('PID-3', readId(one))),
    ...field('PID-5', name?.[0] && readName(name[0])),
    ...field('PID-7', birthDate && readTime(birthDate, 'Patient.birthDate')),
    ...field('PID-8', sex),
    ...field('PID-11', address?.[0] && readAddress(address[0])),
  ]
}

function field(id: string, value: string | undefined): readonly string[] {
  return value === undefined || value === '' ? [] : [`${id}|${value}`]
}

function writeInfo(lines: readonly string[]): Json {
  const values = (id: string) => lines.flatMap((line) => (line.startsWith(`${id}|`) ? [line.slice(id.length + 1)] : []))
  const identifier = values('PID-3').flatMap((value) => value.split('~').map(writeId))
  const [name] = values('PID-5')
  const [birth = ''] = values('PID-7')
  const [sex] = values('PID-8')
  const [address] = values('PID-11')
  const gender = genders.find(([letter]) => letter === sex)?.[1]
  const day = birth.slice(0, 8)
  return {
    ...(identifier.length === 0 ? {} : { identifier }),
    ...(name === undefined ? {} : { name: [writeName(name)] }),
    ...(gender === undefined ? {} : { gender }),
    ...(isTimestamp(day) ? { birthDate: writeTime(day) } : {}),
    ...(address === undefined ? {} : { address: [writeAddress(address)] }),
  }
}

/** XPN: family, given, further given names. */
function readName({ family, given = [], text }: HumanName): string {
  if (text?.includes('^')) return text
  const parts = [family ?? (given.length === 0 ? text : undefined) ?? '', given[0] ?? '', given.slice(1).join(' ')]
  return parts.map(plain).join('^').replace(/\^+$/, '')
}

function writeName(xpn: string): HumanName {
  const [family = '', first = '', further = '', ...others] = xpn.split('^')
  const given = [first, further].filter((part) => part !== '')
  const name = { ...(family === '' ? {} : { family }), ...(given.length === 0 ? {} : { given }) }
  const whole = others.length === 0 && readName(name) === xpn
  return whole ? name : { ...name, text: xpn }
}

/** XAD: street, other designation, city, province, post code, country. */
function readAddress({ line = [], city = '', district, state, postalCode = '', country = '' }: Address): string {
  const parts = [line[0] ?? '', line.slice(1).join(' '), city, state ?? district ?? '', postalCode, country]
  return parts.map(plain).join('^').replace(/\^+$/, '')
}

function writeAddress(xad: string): Address {
  const [street = '', other = '', city = '', state = '', postalCode = '', country = ''] = xad.split('^')
  const line = [street, other].filter((part) => part !== '')
  return {
    ...(line.length === 0 ? {} : { line }),
    ...(city === '' ? {} : { city }),
    ...(state === '' ? {} : { state }),
    ...(postalCode === '' ? {} : { postalCode }),
    ...(country === '' ? {} : { country }),
  }
}

/** Delimiters of HL7 V2 inside a name would move its parts. */
function plain(text: string): string {
  return text.replace(/[\^~|&\\]/g, ' ')
}
