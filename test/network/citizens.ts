import type { Identifier } from './entry.ts'
import { authority } from './organizations.ts'

/** An identifier, and since when it is somebody's. The first of a person's is the one in force. */
export interface PersonalIdentifier extends Identifier {
  readonly since: string
}

/** A synthetic person. */
export interface Citizen {
  readonly key: CitizenKey
  readonly family: string
  readonly given: string
  readonly gender: 'female' | 'male'
  /** `YYYY-MM-DD`. */
  readonly birthDate: string
  readonly identifiers: readonly [PersonalIdentifier, ...PersonalIdentifier[]]
  /** Code of the region of assistance (RDA). */
  readonly assistedBy: string | 'none'
  /** Whether any registry of persons has heard of them. */
  readonly known: boolean
  readonly story: string
}

export type CitizenKey =
  | 'tuscan'
  | 'lazio'
  | 'two-codes'
  | 'renamed'
  | 'none'
  | 'stp'
  | 'eni'
  | 'team'
  | 'numeric'
  | 'empty'
  | 'unknown'

const odd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]

/** Completes the first fifteen characters by the check character (D.M. 23 December 1976). */
export function codiceFiscale(first15: string): string {
  if (!/^[A-Z0-9]{15}$/.test(first15)) throw new Error('Fifteen characters are needed')
  let sum = 0
  for (const [index, character] of [...first15].entries()) {
    const value = /\d/.test(character) ? Number(character) : character.charCodeAt(0) - 65
    sum += index % 2 === 0 ? (odd[value] ?? 0) : value
  }
  return first15 + String.fromCharCode(65 + (sum % 26))
}

/** Completes ten digits to a provisional codice fiscale, by the check digit of VAT numbers. */
export function numericCodiceFiscale(first10: string): string {
  if (!/^\d{10}$/.test(first10)) throw new Error('Ten digits are needed')
  let sum = 0
  for (const [index, digit] of [...first10].entries()) {
    const value = Number(digit) * (index % 2 === 0 ? 1 : 2)
    sum += value > 9 ? value - 9 : value
  }
  return first10 + String((10 - (sum % 10)) % 10)
}

// No municipality has a code that begins with X: these people cannot exist.
const cf = (first15: string, since: string): PersonalIdentifier => ({
  value: codiceFiscale(first15),
  authority: authority.codiceFiscale,
  since,
})

const people: readonly Citizen[] = [
  {
    key: 'tuscan',
    family: 'Cipressi',
    given: 'Bianca',
    gender: 'female',
    birthDate: '1951-05-14',
    identifiers: [cf('CPRBNC51E54X090', '1951-05-14')],
    assistedBy: '090',
    known: true,
    story: 'assisted by Tuscany: a long record at home, some of it made in Veneto',
  },
  {
    key: 'lazio',
    family: 'Ginestra',
    given: 'Dario',
    gender: 'male',
    birthDate: '1968-03-09',
    identifiers: [cf('GNSDRA68C09X120', '1968-03-09')],
    assistedBy: '120',
    known: true,
    story: 'assisted by Lazio, treated in Tuscany, Veneto and Campania',
  },
  {
    key: 'two-codes',
    family: 'Mandorli',
    given: 'Elena',
    gender: 'female',
    birthDate: '1979-11-27',
    identifiers: [cf('MNDLNE79S67X091', '2019-04-02'), cf('MNDLNE79S67X090', '1979-11-27')],
    assistedBy: '090',
    known: true,
    story: 'assisted by Tuscany; the codice fiscale was corrected, documents stand under both',
  },
  {
    key: 'renamed',
    family: 'Zagara',
    given: 'Nives',
    gender: 'female',
    birthDate: '1986-07-03',
    identifiers: [cf('ZGRNVS86L43X150', '2021-09-20'), cf('LNTNVS86L43X150', '1986-07-03')],
    assistedBy: '150',
    known: true,
    story: 'assisted by Campania; changed her surname, documents stand under both codes',
  },
  {
    key: 'none',
    family: 'Rosmarini',
    given: 'Ugo',
    gender: 'male',
    birthDate: '1940-01-30',
    identifiers: [cf('RSMGUO40A30X999', '1940-01-30')],
    assistedBy: 'none',
    known: true,
    story: 'without a region of assistance: the index is kept by INI',
  },
  {
    key: 'stp',
    family: 'Salvia',
    given: 'Amir',
    gender: 'male',
    birthDate: '1995-02-18',
    identifiers: [{ value: 'STP0902010004711', authority: authority.stp, since: '2026-02-01' }],
    assistedBy: 'none',
    known: true,
    story: 'a foreigner temporarily present, with an STP code given in Tuscany',
  },
  {
    key: 'eni',
    family: 'Malva',
    given: 'Irina',
    gender: 'female',
    birthDate: '1988-08-08',
    identifiers: [{ value: 'ENI0902020001234', authority: authority.eni, since: '2025-06-15' }],
    assistedBy: 'none',
    known: true,
    story: 'a citizen of the Union without cover, with an ENI code given in Tuscany',
  },
  {
    key: 'team',
    family: 'Lavendel',
    given: 'Greta',
    gender: 'female',
    birthDate: '1972-12-05',
    identifiers: [{ value: '80276001234567890123', authority: authority.teamCard, since: '2024-01-01' }],
    assistedBy: 'none',
    known: true,
    story: 'insured in another country, with a TEAM card',
  },
  {
    key: 'numeric',
    family: 'Primula',
    given: 'Olmo',
    gender: 'male',
    birthDate: '2026-03-21',
    identifiers: [
      { value: numericCodiceFiscale('0090012026'), authority: authority.codiceFiscale, since: '2026-03-22' },
    ],
    assistedBy: '090',
    known: true,
    story: 'a newborn with a provisional, numeric codice fiscale',
  },
  {
    key: 'empty',
    family: 'Ortica',
    given: 'Vera',
    gender: 'female',
    birthDate: '2001-10-10',
    identifiers: [cf('RTCVRE01R50X090', '2001-10-10')],
    assistedBy: '090',
    known: true,
    story: 'assisted by Tuscany, without a single document',
  },
  {
    key: 'unknown',
    family: 'Nessuno',
    given: 'Ignoto',
    gender: 'male',
    birthDate: '1977-07-07',
    identifiers: [cf('NSSGNT77L07X000', '1977-07-07')],
    assistedBy: 'none',
    known: false,
    story: 'a well-formed codice fiscale that nobody has heard of',
  },
]

export const citizens: Readonly<Record<CitizenKey, Citizen>> = Object.fromEntries(
  people.map((citizen) => [citizen.key, citizen]),
) as Record<CitizenKey, Citizen>

export const citizenKeys = people.map((citizen) => citizen.key)

/** Whose identifier it is, among those somebody has heard of. */
export function citizenOf(id: Identifier): Citizen | undefined {
  return people.find(
    (citizen) =>
      citizen.known && citizen.identifiers.some((own) => own.value === id.value && own.authority === id.authority),
  )
}

/** Whether two identifiers belong to one person. An identifier nobody knows is only equal to itself. */
export function samePerson(one: Identifier, other: Identifier): boolean {
  if (one.value === other.value && one.authority === other.authority) return true
  const citizen = citizenOf(one)
  return citizen !== undefined && citizen === citizenOf(other)
}

/** Who has nothing to do with anybody here, for answers about the wrong patient. */
export const stranger: Identifier = { value: codiceFiscale('STRNNN60P01X777'), authority: authority.codiceFiscale }
