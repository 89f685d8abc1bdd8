import { GatewayError } from '../errors.ts'
import type { Oid } from './identifiers.ts'

/** One identifier of one person, exactly as an authority assigned it. */
export interface PatientId {
  readonly value: string
  readonly authority: Oid
}

/** One person: every identifier known for them. Consent, hiding and audit follow the person, not the identifier. */
export interface Patient {
  readonly identifiers: readonly PatientId[]
  /** The identifier in force today. */
  readonly active: PatientId
}

/** Assigning authorities of Italian patient identifiers (domain facts: ini.md §3.4). */
export const authorities = {
  codiceFiscale: '2.16.840.1.113883.2.9.4.3.2' as Oid,
  teamPersonal: '2.16.840.1.113883.2.9.4.3.3' as Oid,
  teamCard: '2.16.840.1.113883.2.9.4.3.7' as Oid,
  ana: '2.16.840.1.113883.2.9.4.3.15' as Oid,
  stp: '2.16.840.1.113883.2.9.4.3.17' as Oid,
  eni: '2.16.840.1.113883.2.9.4.3.18' as Oid,
} as const

/** The regional STP arc `2.16.840.1.113883.2.9.2.<REG>.4.1.1` (ini.md §3.4). */
const regionalStp = /^2\.16\.840\.1\.113883\.2\.9\.2\.[0-9]{1,3}\.4\.1\.1$/

export function samePatientId(a: PatientId, b: PatientId): boolean {
  return a.value === b.value && a.authority === b.authority
}

export function isPatient(patient: Patient, id: PatientId): boolean {
  return patient.identifiers.some((known) => samePatientId(known, id))
}

export function onlyIdentifier(id: PatientId): Patient {
  return { identifiers: [id], active: id }
}

/** The person with identifiers that another source knows of as well, each once. */
export function withIdentifiers(patient: Patient, more: readonly PatientId[]): Patient {
  const fresh = more.filter((id, index) => {
    return !isPatient(patient, id) && more.findIndex((other) => samePatientId(other, id)) === index
  })
  return fresh.length === 0 ? patient : { ...patient, identifiers: [...patient.identifiers, ...fresh] }
}

// The positions that hold digits in a codice fiscale; omocodia replaces any of them by a letter of `omocodia`
// (D.M. 23 December 1976, art. 6). Two codes that differ only so belong to two different people.
const codiceFiscalePattern = /^[A-Z]{6}[0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]$/

const oddValues: Readonly<Record<string, number>> = Object.fromEntries([
  ...[...'0123456789'].map((digit, index) => [digit, [1, 0, 5, 7, 9, 13, 15, 17, 19, 21][index]]),
  ...[...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].map((letter, index) => [
    letter,
    [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23][index],
  ]),
])

function evenValue(character: string): number {
  return character >= '0' && character <= '9' ? Number(character) : character.charCodeAt(0) - 65
}

/** The check character of the first fifteen characters of a codice fiscale (D.M. 23 December 1976). */
export function codiceFiscaleCheckCharacter(first15: string): string {
  let sum = 0
  for (let index = 0; index < 15; index++) {
    const character = first15.charAt(index)
    // Positions are counted from one in the norm: index 0 is odd.
    sum += index % 2 === 0 ? (oddValues[character] ?? 0) : evenValue(character)
  }
  return String.fromCharCode(65 + (sum % 26))
}

/** A personal codice fiscale: 16 characters, upper case, omocodia allowed, check character right. */
export function isCodiceFiscale(value: string): boolean {
  return codiceFiscalePattern.test(value) && codiceFiscaleCheckCharacter(value) === value.charAt(15)
}

/** A numeric (provisional) codice fiscale: 11 digits, the last being the check digit of the Italian VAT algorithm. */
export function isNumericCodiceFiscale(value: string): boolean {
  if (!/^[0-9]{11}$/.test(value)) return false
  let sum = 0
  for (let index = 0; index < 10; index++) {
    const digit = Number(value.charAt(index))
    if (index % 2 === 0) sum += digit
    else sum += digit * 2 > 9 ? digit * 2 - 9 : digit * 2
  }
  return (10 - (sum % 10)) % 10 === Number(value.charAt(10))
}

export function isStp(value: string): boolean {
  return /^STP[0-9]{13}$/.test(value)
}

export function isEni(value: string): boolean {
  return /^ENI[0-9]{13}$/.test(value)
}

/** A TEAM card number: 20 digits (Decision S2 of 12 June 2009); a personal number: up to 20 letters and digits. */
export function isTeamCard(value: string): boolean {
  return /^[0-9]{20}$/.test(value)
}

function fault(authority: Oid, value: string): string | undefined {
  switch (authority) {
    case authorities.codiceFiscale:
      if (isCodiceFiscale(value) || isNumericCodiceFiscale(value)) return undefined
      if (isStp(value) || isEni(value)) return 'An STP or ENI code stands under the authority of codici fiscali'
      return 'Not a valid codice fiscale: form or check character is wrong'
    case authorities.stp:
      return isStp(value) ? undefined : 'Not a valid STP code: STP and 13 digits'
    case authorities.eni:
      return isEni(value) ? undefined : 'Not a valid ENI code: ENI and 13 digits'
    case authorities.teamCard:
      return isTeamCard(value) ? undefined : 'Not a valid TEAM card number: 20 digits'
    case authorities.teamPersonal:
      return /^[0-9A-Z]{1,20}$/.test(value) ? undefined : 'Not a valid TEAM personal number'
    default:
      if (regionalStp.test(authority)) return isStp(value) ? undefined : 'Not a valid STP code: STP and 13 digits'
      return value.length > 0 && value.length <= 64 ? undefined : 'A patient identifier is empty or too long'
  }
}

/**
 * The identifier of a person somebody asks about. It is checked, never corrected: a trimmed, cut or upper-cased code may
 * be another person's. Throws `parameter-invalid` with a sentence that does not repeat the value.
 */
export function patientId(value: string, authority: Oid): PatientId {
  const reason = fault(authority, value)
  if (reason !== undefined) throw new GatewayError('parameter-invalid', reason)
  return { value, authority }
}
