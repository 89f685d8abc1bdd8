import type { GatewayError, Issue } from '../errors.ts'
import type { HeldDocument } from '../ports.ts'
import type { Leg, MergedEntry } from './answers.ts'
import type { HomeCommunityId } from './identifiers.ts'

/** Names one document by where it lies (ITI TF-2: 3.43.4.1.2). It says nothing about whom the document is about. */
export interface DocumentReference {
  /** Absent, the asker's own community. */
  readonly home?: HomeCommunityId
  readonly repositoryUniqueId: string
  readonly uniqueId: string
}

/** Whether two references name the same document. */
export function sameReference(a: DocumentReference, b: DocumentReference): boolean {
  return a.uniqueId === b.uniqueId && a.repositoryUniqueId === b.repositoryUniqueId && a.home === b.home
}

/** A document as a repository handed it out. Whoever gets it disposes of its content. */
export interface RetrievedDocument {
  readonly repositoryUniqueId: string
  readonly uniqueId: string
  readonly mimeType: string
  /** Under which ids an on-demand document was kept when it was made (ITI TF-2: 3.43.4.2.2). */
  readonly newUniqueId?: string
  readonly newRepositoryUniqueId?: string
  readonly content: HeldDocument
}

/** What a repository said about a document, or about the whole request when it names none. */
export type RetrieveIssue = Issue & {
  readonly uniqueId?: string
  /** The document lies in our own community, whatever its entry says. */
  readonly advice?: 'own-repository'
}

/** What one community answers to a retrieval. */
export interface RetrieveAnswer {
  readonly documents: readonly RetrievedDocument[]
  readonly issues: readonly RetrieveIssue[]
}

/** A document that may be given away: it was authorised, and it is the one that was registered. */
export interface DeliveredDocument extends RetrievedDocument {
  /** As it was asked for. */
  readonly reference: DocumentReference
  readonly entry: MergedEntry
  /** False when the entry states neither what it is made of nor how long it is, so that nothing could be compared. */
  readonly verified: boolean
}

/** Why one document was not delivered. */
export interface ReferenceFailure {
  readonly reference: DocumentReference
  readonly error: GatewayError
}

export interface FederatedRetrieval {
  readonly documents: readonly DeliveredDocument[]
  readonly failures: readonly ReferenceFailure[]
  readonly asked: readonly Leg[]
}

/** Success when every document was delivered, failure when none was. */
export function retrievalStatus({ documents, failures }: FederatedRetrieval) {
  if (failures.length === 0) return 'success'
  return documents.length === 0 ? 'failure' : 'partial-success'
}
