import { GatewayError } from '../../core/errors.ts'
import type { Demographics, Gender } from '../../core/model/demographics.ts'
import type { PatientId } from '../../core/model/patient.ts'
import { isTimestamp } from '../../core/model/timestamp.ts'
import { type Identifier, type Patient, shapes, told } from './types.ts'
import { readAssigned } from './values.ts'

/** A person as a patient index knows them (ITI-78). */
export interface DecodedPatient {
  /** The resource's own id on its server. */
  readonly id?: string
  readonly identifiers: readonly { readonly id: PatientId; readonly old: boolean }[]
  /** The organization that looks after the person, as the index identifies it. */
  readonly managedBy?: Identifier
  readonly demographics: Demographics
}

/**
 * Reads a Patient: the identifiers whose authority has an OID, whether each is still in use, and what is told of the
 * person beside them. No identifier is checked against its authority's rules. Throws `community-misbehaved`.
 */
export function decodePatient(resource: unknown): DecodedPatient {
  const patient = told(shapes.patient, resource, 'Patient', 'community-misbehaved')
  if (patient.resourceType !== 'Patient') {
    throw new GatewayError('community-misbehaved', 'A resource is not a Patient')
  }
  const identifiers = (patient.identifier ?? []).flatMap((identifier) => {
    const id = readAssigned(identifier)
    return id === undefined ? [] : [{ id, old: identifier.use === 'old' }]
  })
  const managedBy = patient.managingOrganization?.identifier
  return {
    ...(patient.id === undefined ? {} : { id: patient.id }),
    identifiers,
    ...(managedBy === undefined ? {} : { managedBy }),
    demographics: demographicsOf(patient),
  }
}

const genders: ReadonlySet<string | undefined> = new Set<Gender>(['female', 'male', 'other', 'unknown'])

/** What cannot be held against anything is passed over: a name that is one text, a date that is none. */
function demographicsOf({ name = [], birthDate = '', gender }: Patient): Demographics {
  const names = name
    .filter(({ family, given = [] }) => family !== undefined || given.length > 0)
    .map(({ family, given = [] }) => ({ ...(family === undefined ? {} : { family }), given }))
  const day = birthDate.replaceAll('-', '')
  return {
    names,
    ...(isTimestamp(day) ? { birthDate: day } : {}),
    ...(genders.has(gender) ? { gender: gender as Gender } : {}),
  }
}
