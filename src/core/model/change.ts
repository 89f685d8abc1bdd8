import type { Assertion } from './call.ts'
import type { CodeQuery } from './code.ts'
import type { HomeCommunityId } from './identifiers.ts'
import type { TransferEvent } from './index-transfer.ts'
import type { Association, DocumentEntry, Folder, SubmissionSet } from './metadata.ts'
import type { PatientId } from './patient.ts'
import type { WorkflowStatus } from './workflow.ts'

/**
 * What was submitted together. Ids are the sender's until the change is accepted: `urn:uuid:` ids, or symbolic ones such
 * as `Document1`, for which accepting makes new entryUUIDs (ITI TF-3: 4.2.1.4).
 */
export interface Submission {
  readonly submissionSet: SubmissionSet
  readonly entries: readonly DocumentEntry[]
  readonly folders: readonly Folder[]
  readonly associations: readonly Association[]
}

/** New documents, and which ones they replace, append to or transform (ITI-42). */
export interface SubmitChange {
  readonly type: 'submit'
  readonly submission: Submission
  /** The documents that its associations lead to beyond it, as they were when it was accepted, as far as that was known. */
  readonly related?: readonly DocumentEntry[]
}

/**
 * New versions of what is known about documents (ITI-57): each entry bears the logicalID of the one it follows, its
 * membership the version it was made from (`Association.previousVersion`).
 */
export interface UpdateChange {
  readonly type: 'update'
  readonly submission: Submission
  /** It was not made for hiding or showing: a document that is hidden stays so, whatever the update says of it. */
  readonly keepsHiding?: true
}

/** Objects that are to be forgotten, by entryUUID; their associations go with them (ITI-62, ini.md §1.5). */
export interface RemoveChange {
  readonly type: 'remove'
  readonly ids: readonly string[]
  /** What they were when the removal was accepted, as far as that was known. */
  readonly entries: readonly DocumentEntry[]
}

/** One document is to be hidden because the one it follows from is (NotifyHiding, ini.md §7.3). */
export interface HideChange {
  readonly type: 'hide'
  readonly patientId: PatientId
  readonly uniqueId: string
  /** The document whose hiding it follows from, usually a prescription. */
  readonly sourceUniqueId?: string
  /** When it was hidden, as told. */
  readonly since?: string
}

/** What a push does to the index of our own community. */
export type MetadataChange = SubmitChange | UpdateChange | RemoveChange | HideChange

/** That a document of ours is indexed by its patient's region of assistance (NotifySubmitObjects, ini.md §7.2). */
export interface SubmitNotification {
  readonly type: 'documents-submitted'
  readonly patientId: PatientId
  readonly home?: HomeCommunityId
  readonly repositoryUniqueId: string
  readonly uniqueId: string
}

/** That somebody retrieved a document of somebody we assist (NotifyRetrieve, ini.md §7.2). */
export interface RetrieveNotification {
  readonly type: 'document-retrieved'
  readonly patientId: PatientId
  readonly home?: HomeCommunityId
  readonly repositoryUniqueId: string
  readonly uniqueId: string
  readonly typeCode?: CodeQuery
  readonly requestor: string
  readonly requestorRole: string
  readonly purposeOfUse: string
  readonly locality?: string
}

/** One consent of a person: `C1`, `C2` … (ini.md §4.10). */
export interface Consent {
  readonly name: string
  readonly given: boolean
  /** As told. */
  readonly date?: string
  readonly note?: string
}

/** That a person changed their consents elsewhere (NotifyConsent, ini.md §7.2). */
export interface ConsentNotification {
  readonly type: 'consents-changed'
  readonly patientId: PatientId
  readonly organization?: string
  readonly operator?: string
  readonly operatorRole?: string
  readonly operatorLocality?: string
  readonly requestor?: string
  /** Which information notice was seen. */
  readonly disclosure?: string
  readonly consents: readonly Consent[]
}

/** What the national infrastructure tells us of, beside changes of the index. */
export type Notification = SubmitNotification | RetrieveNotification | ConsentNotification

/** What is kept of a push: plain data, so that it can be written down as JSON and read again. */
export type Pushed =
  | {
      readonly kind: 'change'
      /** With the entryUUIDs it was accepted under. */
      readonly change: MetadataChange
      /** On whose word; absent for what is told without an assertion. */
      readonly assertion?: Assertion
    }
  | { readonly kind: 'notification'; readonly notification: Notification }
  /** What became of something that was published through the national gateway; it changes nothing here. */
  | { readonly kind: 'workflow'; readonly status: WorkflowStatus }
  /** What was done to move somebody's index to us. */
  | { readonly kind: 'transfer'; readonly transferId: string; readonly event: TransferEvent }
