import { GatewayError } from '../../core/errors.ts'
import type { PatientId } from '../../core/model/patient.ts'
import { type Identifier, shapes, told } from './types.ts'
import { readAssigned } from './values.ts'

/** A person as a patient index knows them (ITI-78). */
export interface DecodedPatient {
  /** The resource's own id on its server. */
  readonly id?: string
  readonly identifiers: readonly { readonly id: PatientId; readonly old: boolean }[]
  /** The organization that looks after the person, as the index identifies it. */
  readonly managedBy?: Identifier
}

/**
 * Reads a Patient: the identifiers whose authority has an OID, and whether each is still in use. No identifier is
 * checked against its authority's rules. Throws `community-misbehaved`.
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
  }
}
