import type { GatewayError, Issue } from '../errors.ts'
import type { HomeCommunityId } from './identifiers.ts'
import type { Association, DocumentEntry, Folder, ObjectReference, SubmissionSet } from './metadata.ts'
import type { PatientId } from './patient.ts'

/** What one community answers to a stored query. Its own errors and warnings stand beside what it did find. */
export interface QueryAnswer {
  readonly entries: readonly DocumentEntry[]
  readonly submissionSets: readonly SubmissionSet[]
  readonly folders: readonly Folder[]
  readonly associations: readonly Association[]
  /** Bare ids the community added; a registry may name its classification schemes so. */
  readonly references: readonly ObjectReference[]
  readonly issues: readonly Issue[]
}

export const nothingFound: QueryAnswer = {
  entries: [],
  submissionSets: [],
  folders: [],
  associations: [],
  references: [],
  issues: [],
}

export interface CommunityFailure {
  readonly home: HomeCommunityId
  readonly error: GatewayError
}

/** How one community's leg of a federated question went. */
export interface Leg {
  readonly home: HomeCommunityId
  readonly name: string
  readonly durationMs: number
  readonly outcome: 'answered' | 'partial' | 'failed'
}

/** An issue and the community that raised it. */
export type CommunityIssue = Issue & { readonly home: HomeCommunityId }

/** Who else told of the same document, in the order of whose word counts. */
export interface Source {
  readonly home: HomeCommunityId
  readonly entryUuid: string
  readonly version?: string
}

/** A document of the merged index: told once, with everybody who told of it. */
export type MergedEntry = DocumentEntry & { readonly sources: readonly Source[] }

export interface MergedAnswer {
  readonly entries: readonly MergedEntry[]
  readonly submissionSets: readonly SubmissionSet[]
  readonly folders: readonly Folder[]
  readonly associations: readonly Association[]
  readonly issues: readonly CommunityIssue[]
}

/** Of whom something was told, as of everything that was pushed about them until then. */
export interface AsOf {
  readonly identifiers: readonly PatientId[]
  readonly generation: number
}

export type Federated<A> = A & {
  readonly asked: readonly Leg[]
  readonly failures: readonly CommunityFailure[]
}

/** `asOf` is for those who act on the answer later; it is told to nobody. Absent where nothing is ever pushed. */
export type FederatedAnswer = Federated<MergedAnswer> & { readonly asOf?: AsOf }

/**
 * Success, partial success or failure, after ITI TF-2: 3.18.4.1.3 and the truth table of docs/conformance.md:
 * failures beside at least one community that answered are partial; failures alone are failure.
 */
export function statusOf(answer: FederatedAnswer): 'success' | 'partial-success' | 'failure' {
  const failed = answer.failures.length > 0 || answer.issues.some((issue) => issue.severity === 'error')
  if (!failed) return 'success'
  const answered = answer.asked.some((leg) => leg.outcome !== 'failed')
  return answered ? 'partial-success' : 'failure'
}
