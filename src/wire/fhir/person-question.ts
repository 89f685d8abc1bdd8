import { GatewayError } from '../../core/errors.ts'
import type { Demographics, Gender } from '../../core/model/demographics.ts'
import { type PatientId, patientId } from '../../core/model/patient.ts'
import type { SoughtPerson } from '../../core/model/patient-discovery.ts'
import { isTimestamp } from '../../core/model/timestamp.ts'
import { authorityOf, conditionsIn, identifierIn, named } from './question.ts'
import type { SearchParameter } from './search.ts'
import { type Condition, tokenIn, unescaped } from './search-values.ts'

/** An ITI-78 search for one person. */
export interface PersonQuestion {
  readonly sought: SoughtPerson
  readonly hasOthers: boolean
}

/** The parameters of ITI-78 that people are held against; nobody is found without an identifier. */
export const personParameters: Readonly<Record<string, readonly string[]>> = {
  identifier: [],
  family: ['exact'],
  given: ['exact'],
  birthdate: [],
  gender: [],
}

/**
 * Reads an ITI-78 search. An identifier without a value names a domain whose identifiers are wanted (PDQm 2:3.78.4.1.2.4).
 * Throws `parameter-*`.
 */
export function personQuestion(parameters: readonly SearchParameter[]): PersonQuestion {
  const { known: conditions, hasOthers } = conditionsIn(parameters, personParameters)
  const identifiers: PatientId[] = []
  const authorities: PatientId['authority'][] = []
  for (const text of named(conditions, 'identifier').flatMap(({ values }) => values)) {
    const { system, value } = tokenIn(text)
    const domain = value === undefined && system !== undefined ? authorityOf(system) : undefined
    if (domain === undefined) identifiers.push(identifierIn(text, 'identifier'))
    else authorities.push(domain)
  }
  return { sought: { identifiers, authorities, demographics: demographicsIn(conditions) }, hasOthers }
}

const genders: ReadonlySet<string> = new Set<Gender>(['female', 'male', 'other', 'unknown'])

function demographicsIn(conditions: readonly Condition[]): Demographics {
  const family = one(conditions, 'family')
  const given = named(conditions, 'given').flatMap(({ values }) => values.map(unescaped))
  const day = one(conditions, 'birthdate')?.replace(/^eq/, '').replaceAll('-', '')
  const gender = one(conditions, 'gender')
  if (day !== undefined && (!isTimestamp(day) || day.length > 8)) throw odd('birthdate', 'a date')
  if (gender !== undefined && !genders.has(gender)) throw odd('gender', 'a gender of FHIR')
  return {
    names: family === undefined && given.length === 0 ? [] : [{ ...(family === undefined ? {} : { family }), given }],
    ...(day === undefined ? {} : { birthDate: day }),
    ...(gender === undefined ? {} : { gender: gender as Gender }),
  }
}

function one(conditions: readonly Condition[], name: string): string | undefined {
  const values = named(conditions, name).flatMap((condition) => condition.values)
  if (values.length > 1) throw new GatewayError('parameter-count', `The parameter ${name} may have one value`)
  return values[0] === undefined ? undefined : unescaped(values[0])
}

function odd(name: string, what: string): GatewayError {
  return new GatewayError('parameter-invalid', `The parameter ${name} is not ${what}`)
}

/** What `$ihe-pix` is asked (PIXm, ITI-83), as texts; which of them is wrong has words of its own. */
export interface CorrespondingQuestion {
  /** Undefined when its domain is none that is known by an OID. */
  readonly source: PatientId | undefined
  /** The domains whose identifiers are wanted, undefined for all; `unknown` when one of them is none. */
  readonly targets: readonly PatientId['authority'][] | 'unknown' | undefined
}

/** Throws `parameter-*`. */
export function correspondingQuestion(parameters: readonly SearchParameter[]): CorrespondingQuestion {
  const values = (name: string) => parameters.flatMap(([one, value]) => (one === name && value !== '' ? [value] : []))
  const [source, ...others] = values('sourceIdentifier')
  if (source === undefined) throw new GatewayError('parameter-missing', 'The parameter sourceIdentifier is needed')
  if (others.length > 0) throw new GatewayError('parameter-count', 'The parameter sourceIdentifier may come once')
  const { system = '', value } = tokenIn(source)
  const authority = authorityOf(system)
  const targets = values('targetSystem').map(authorityOf)
  const known = targets.filter((target) => target !== undefined)
  return {
    source: authority === undefined || value === undefined ? undefined : patientId(value, authority),
    targets: targets.length === 0 ? undefined : known.length < targets.length ? 'unknown' : known,
  }
}
