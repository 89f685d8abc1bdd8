import { GatewayError } from '../../core/errors.ts'
import { isOid } from '../../core/model/identifiers.ts'
import { authorities, type PatientId, patientId } from '../../core/model/patient.ts'
import type { SearchParameter } from './search.ts'
import { type Condition, conditionOf, tokenIn, unescaped } from './search-values.ts'

/** The patient a search names: by an identifier, or by the id of a Patient of this server. */
export type AskedPatient = { readonly identifier: PatientId } | { readonly id: string }

/** How many parameters a search may have, and values one of them: the index is held against each. */
const most = { conditions: 64, values: 64 } as const

/** A search, its parameters read: those that are known, and whether there were others. */
export interface Conditions {
  readonly known: readonly Condition[]
  readonly hasOthers: boolean
}

/**
 * Reads the parameters of a search; those that are empty ask for nothing. `modifiers` are those a parameter may have.
 * Throws `parameter-invalid` for a modifier that a known parameter has not: it must not be passed over (FHIR R4: 3.1.1.4.3).
 */
export function conditionsIn(
  parameters: readonly SearchParameter[],
  modifiers: Readonly<Record<string, readonly string[]>>,
): Conditions {
  const asked = parameters.map(conditionOf).filter(({ values }) => values.length > 0)
  if (asked.length > most.conditions || asked.some(({ values }) => values.length > most.values)) {
    throw new GatewayError('parameter-count', 'The search has more parameters or values than can be looked at')
  }
  const known = asked.filter(({ name }) => Object.hasOwn(modifiers, name))
  for (const { name, modifier } of known) {
    if (modifier === undefined || modifiers[name]?.includes(modifier)) continue
    throw new GatewayError('parameter-invalid', `The parameter ${name} has no such modifier`)
  }
  return { known, hasOthers: known.length < asked.length }
}

/** The conditions of a name. */
export function named(conditions: readonly Condition[], ...names: readonly string[]): readonly Condition[] {
  return conditions.filter(({ name }) => names.includes(name))
}

/** Systems by which Italy names patients in FHIR, beside the OIDs of their authorities (HL7 Italia; sistema-ts.md D). */
const italianSystems: ReadonlyMap<string, PatientId['authority']> = new Map([
  ['http://hl7.it/sid/codiceFiscale', authorities.codiceFiscale],
  ['http://hl7.it/sid/stp', authorities.stp],
  ['http://hl7.it/sid/eni', authorities.eni],
])

/** The authority of an identifier system; undefined where it has no OID. */
export function authorityOf(system: string): PatientId['authority'] | undefined {
  const known = italianSystems.get(system)
  if (known !== undefined) return known
  const oid = system.startsWith('urn:oid:') ? system.slice('urn:oid:'.length) : ''
  return isOid(oid) ? oid : undefined
}

/** The identifier of a person out of a token. Throws `parameter-invalid` with a sentence that repeats nothing. */
export function identifierIn(text: string, name: string): PatientId {
  const { system = '', value } = tokenIn(text)
  const authority = authorityOf(system)
  if (authority === undefined || value === undefined) {
    throw new GatewayError('parameter-invalid', `The parameter ${name} must have the form urn:oid:<authority>|<value>`)
  }
  return patientId(value, authority)
}

/** The one patient a search is about. Throws `parameter-missing`, `parameter-count`, `parameter-invalid`. */
export function patientAsked(conditions: readonly Condition[]): AskedPatient {
  const asked = named(conditions, 'patient', 'patient.identifier')
  const [condition, ...others] = asked
  const [value, ...alternatives] = condition?.values ?? []
  if (condition === undefined || value === undefined) {
    throw new GatewayError('parameter-missing', 'The search names no patient: patient.identifier or patient is needed')
  }
  if (others.length + alternatives.length > 0) {
    throw new GatewayError('parameter-count', 'The search names more than one patient')
  }
  if (condition.name === 'patient.identifier' || condition.modifier === 'identifier') {
    return { identifier: identifierIn(value, condition.name) }
  }
  const id = /(?:^|(?:^|\/)Patient\/)([A-Za-z0-9\-.]{1,64})$/.exec(unescaped(value))?.[1]
  if (id === undefined)
    throw new GatewayError('parameter-invalid', 'The parameter patient is no reference to a Patient')
  return { id }
}

/** What of a search may stand in an address: nothing that names a person, an object or a text somebody typed. */
const telling: ReadonlySet<string> = new Set([
  ...['status', 'date', 'creation', 'period', 'category', 'type', 'setting', 'facility', 'event', 'security-label'],
  ...['format', 'code', 'designationType'],
])

export function addressable(conditions: readonly Condition[]): readonly SearchParameter[] {
  return conditions.flatMap(({ name, values }) => (telling.has(name) ? [[name, values.join(',')] as const] : []))
}
