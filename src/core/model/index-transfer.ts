import type { Issue } from '../errors.ts'
import type { PatientId } from './patient.ts'

/** A document of an index that moves to us, as its former region of assistance told of it. */
export interface MovedDocument {
  /** Its id there, by which it is removed there in the end. */
  readonly id: string
  /** The id that its versions share there. */
  readonly logicalId?: string
  readonly uniqueId: string
  readonly repositoryUniqueId?: string
  readonly hash?: string
  readonly obscured: boolean
  /**
   * `pushed` to our record; `had`: it is there already, or waits for it; `former`: it is not current there any more, and what
   * has followed it is not told in an index transfer.
   */
  readonly became: 'pushed' | 'had' | 'former'
  /** The pushes that bring it, or its hiding, to our record: ids in the journal. */
  readonly pushes: readonly string[]
  /** What the affinity domain has against its metadata: told, and no reason to leave it behind. */
  readonly faults: readonly Issue[]
}

/** A document that has not arrived: by its id there, and by its name in the world where that was told. */
export interface MissingDocument {
  readonly id: string
  readonly uniqueId?: string
  readonly repositoryUniqueId?: string
  readonly reason: string
}

/** What was done for an index transfer, as the journal keeps it. */
export type TransferEvent =
  | { readonly type: 'started'; readonly patientId: PatientId; readonly operator: string }
  /** What there was to be moved: ids there, read so many at a time. */
  | { readonly type: 'listed'; readonly ids: readonly string[]; readonly chunk: number }
  /** What was told of those ids; of the others, why they cannot be moved. */
  | {
      readonly type: 'read'
      readonly documents: readonly MovedDocument[]
      readonly untold: readonly MissingDocument[]
    }
  | { readonly type: 'missing'; readonly documents: readonly MissingDocument[] }
  /** Everything current is here: what may be removed there, and what stays because nobody says what has followed it. */
  | {
      readonly type: 'complete'
      readonly ids: readonly string[]
      readonly chunk: number
      readonly left: readonly MissingDocument[]
    }
  | { readonly type: 'removed'; readonly ids: readonly string[] }
