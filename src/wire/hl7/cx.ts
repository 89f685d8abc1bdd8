import { isOid, type Oid } from '../../core/model/identifiers.ts'
import type { PatientId } from '../../core/model/patient.ts'

/** Spells an identifier as `ID^^^&OID&ISO` (HL7 V2 CX as narrowed by ITI TF-3: Table 4.2.3.1.7-2). */
export function formatCx(id: PatientId): string {
  return `${id.value}^^^&${id.authority}&ISO`
}

/**
 * Reads `ID^^^&OID&ISO`. A name beside the OID (`NAME&OID&ISO`) and components after the fourth say nothing about who is
 * meant and are passed over; without an OID there is no identifier, and undefined is returned. Only the form is looked
 * at: whether the value is a valid code of its authority is for `patientId` of the core to say.
 */
export function parseCx(text: string): PatientId | undefined {
  const first = text.indexOf('^')
  if (first <= 0 || !text.startsWith('^^^', first)) return undefined
  const end = text.indexOf('^', first + 3)
  const authority = parseHd(end < 0 ? text.slice(first + 3) : text.slice(first + 3, end))
  return authority === undefined ? undefined : { value: text.slice(0, first), authority }
}

/** An organization in a document's metadata: a name, and the code an authority knows it by. */
export interface Organization {
  readonly name: string
  readonly code?: string
  readonly authority?: Oid
}

/** Spells an organization as `NAME^^^^^&OID&ISO^^^^CODE` (HL7 V2 XON; the code's place is XON.10). */
export function formatXon(organization: Organization): string {
  const name = encoded(organization.name)
  if (organization.code === undefined) return name
  const authority = organization.authority === undefined ? '' : `&${organization.authority}&ISO`
  return `${name}^^^^^${authority}^^^^${encoded(organization.code)}`
}

/** Reads an XON, also with the OID standing first in XON.6, as some Italian registries write it. */
export function parseXon(text: string): Organization {
  const parts = text.split('^')
  const authority = parseHd(parts[5] ?? '') ?? leadingOid(parts[5] ?? '')
  const code = decoded(parts[9] ?? '')
  return {
    name: decoded(parts[0] ?? ''),
    ...(code === '' ? {} : { code }),
    ...(authority === undefined ? {} : { authority }),
  }
}

/** A person in a document's metadata. */
export interface Person {
  readonly id?: string
  readonly authority?: Oid
  readonly family?: string
  readonly given?: string
}

/** Spells a person as `ID^FAMILY^GIVEN^^^^^^&OID&ISO` (HL7 V2 XCN; the authority's place is XCN.9). */
export function formatXcn(person: Person): string {
  const names = [person.id ?? '', person.family ?? '', person.given ?? ''].map(encoded).join('^')
  if (person.authority === undefined) return names.replace(/\^+$/, '')
  return `${names}^^^^^^&${person.authority}&ISO`
}

export function parseXcn(text: string): Person {
  const parts = text.split('^')
  const id = decoded(parts[0] ?? '')
  // XCN.2 may have subcomponents; the first is the surname.
  const family = decoded((parts[1] ?? '').split('&')[0] ?? '')
  const given = decoded(parts[2] ?? '')
  const authority = parseHd(parts[8] ?? '')
  return {
    ...(id === '' ? {} : { id }),
    ...(authority === undefined ? {} : { authority }),
    ...(family === '' ? {} : { family }),
    ...(given === '' ? {} : { given }),
  }
}

function parseHd(text: string): Oid | undefined {
  const first = text.indexOf('&')
  if (first < 0 || !text.endsWith('&ISO')) return undefined
  const oid = text.slice(first + 1, -'&ISO'.length)
  return isOid(oid) ? oid : undefined
}

function leadingOid(text: string): Oid | undefined {
  const oid = text.endsWith('&ISO') ? text.slice(0, -'&ISO'.length) : ''
  return isOid(oid) ? oid : undefined
}

const sequences: Readonly<Record<string, string>> = {
  '\\': '\\E\\',
  '^': '\\S\\',
  '&': '\\T\\',
  '|': '\\F\\',
  '~': '\\R\\',
}
const characters: Readonly<Record<string, string>> = { E: '\\', S: '^', T: '&', F: '|', R: '~' }

function encoded(text: string): string {
  return text.replace(/[\\^&|~]/g, (character) => sequences[character] ?? character)
}

function decoded(text: string): string {
  return text.replace(/\\([ESTFR])\\/g, (sequence, letter: string) => characters[letter] ?? sequence)
}
