import type { Demographics } from './demographics.ts'
import type { Oid } from './identifiers.ts'
import type { PatientId } from './patient.ts'

/** A person somebody asks about: by identifiers, and what else must be true of them. */
export interface SoughtPerson {
  readonly identifiers: readonly PatientId[]
  readonly demographics: Demographics
  /** Authorities whose identifiers of the person are wanted beside the one to ask by. */
  readonly authorities: readonly Oid[]
}

/** A person we know, and as much about them as an asker needs. */
export interface FoundPerson {
  /** By which to ask us for the person's documents. */
  readonly patientId: PatientId
  /** Others of the person that were asked with, or asked for by their authority. */
  readonly otherIds: readonly PatientId[]
  /** Absent when the asker told nothing to be held against it, or nothing is known. */
  readonly demographics?: Demographics
}
