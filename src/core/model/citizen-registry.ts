import { GatewayError } from '../errors.ts'
import type { HomeCommunityId } from './identifiers.ts'
import { type PatientId, samePatientId } from './patient.ts'
import type { Timestamp } from './timestamp.ts'

/** What an identifier is, as a registry of citizens says: Sistema TS's TipologiaCI (sistema-ts.md A.10). */
export type IdentifierKind = 'codice-fiscale' | 'stp' | 'eni' | 'team' | 'asylum-seeker' | 'not-registered'

/** One identifier a citizen has or has had. */
export interface CitizenIdentifier {
  readonly id: PatientId
  /** Whether it is in force; those replaced are not. */
  readonly active: boolean
}

/** Who assists a citizen. */
export interface Assistance {
  /** The region of assistance; `none` when the registry says that nobody assists the person. */
  readonly by: HomeCommunityId | 'none'
  /** Three digits of the local health authority. */
  readonly localAuthority?: string
  readonly since?: Timestamp
}

/** What a national registry knows of a citizen, as of the moment it was asked. */
export interface CitizenFacts {
  /** What the registry says of the identifier it was asked about: ValiditaCI 0 is valid, 1 is not. */
  readonly asked: { readonly id: PatientId; readonly valid: boolean; readonly kind: IdentifierKind }
  /** Every identifier it tells of; the one asked about may be missing where the registry lists others only. */
  readonly identifiers: readonly CitizenIdentifier[]
  /** Absent when the registry did not tell, which is not `none`. */
  readonly assistance?: Assistance
  readonly dateOfDeath?: Timestamp
}

/**
 * The identifiers of the citizen, with the one that is in force. Throws `patient-unknown` when the registry does not know
 * the identifier that was asked about, and `community-misbehaved` when its answer does not say which one person is meant:
 * then nothing may be told of anybody.
 */
export function requireOneCitizen(facts: CitizenFacts): {
  readonly identifiers: readonly PatientId[]
  readonly active: PatientId
} {
  const { asked, identifiers } = facts
  if (!asked.valid) throw new GatewayError('patient-unknown', 'The registry of citizens does not know the identifier')
  const told = identifiers.some(({ id }) => samePatientId(id, asked.id))
    ? identifiers
    : [...identifiers, { id: asked.id, active: identifiers.every(({ active }) => !active) }]
  const active = told.filter((one) => one.active)
  // Of one kind nobody has two in force; a codice fiscale beside an STP code is somebody whose code has just been given.
  const kinds = new Set(active.map(({ id }) => id.authority))
  const [first] = active
  if (kinds.size !== active.length || first === undefined) {
    throw new GatewayError(
      'community-misbehaved',
      'The registry of citizens does not say which identifier is in force',
      {
        details: { active: active.length },
      },
    )
  }
  const inForce = active.find(({ id }) => samePatientId(id, asked.id)) ?? first
  return { identifiers: told.map(({ id }) => id), active: inForce.id }
}
