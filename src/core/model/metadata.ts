import type { Code, Extra, LocalizedText } from './code.ts'
import type { HomeCommunityId } from './identifiers.ts'
import type { PatientId } from './patient.ts'
import type { Timestamp } from './timestamp.ts'

/** `approved` and `deprecated` are the standard's; anything else a peer says is kept as it was said. */
export type AvailabilityStatus = 'approved' | 'deprecated' | (string & {})

interface RegistryObject {
  /** The object's id in the registry that told of it: entryUUID. */
  readonly entryUuid: string
  /** The same for every version of the object (logicalID). */
  readonly logicalId?: string
  readonly version?: string
  readonly home?: HomeCommunityId
  readonly status?: AvailabilityStatus
  readonly title: readonly LocalizedText[]
  readonly comments: readonly LocalizedText[]
  readonly extra?: Extra
}

/** One author of a document or submission; every value is kept in the form it was told in (XCN, XON, XTN). */
export interface Author {
  readonly persons: readonly string[]
  readonly institutions: readonly string[]
  readonly roles: readonly string[]
  readonly specialties: readonly string[]
  readonly telecommunications: readonly string[]
  readonly extra?: Extra
}

/** What is known about a document (ITI TF-3: 4.2.3.2). */
export interface DocumentEntry extends RegistryObject {
  /** An on-demand document is made when it is retrieved. */
  readonly kind: 'stable' | 'on-demand'
  readonly uniqueId: string
  readonly repositoryUniqueId?: string
  readonly patientId: PatientId
  readonly mimeType?: string
  /** SHA-1 of the document, lower-case hexadecimal. */
  readonly hash?: string
  /** Bytes. */
  readonly size?: number
  readonly creationTime?: Timestamp
  readonly serviceStartTime?: Timestamp
  readonly serviceStopTime?: Timestamp
  readonly languageCode?: string
  readonly legalAuthenticator?: string
  readonly sourcePatientId?: string
  readonly sourcePatientInfo: readonly string[]
  readonly documentAvailability?: string
  readonly uri?: readonly string[]
  readonly authors: readonly Author[]
  readonly classCode?: Code
  readonly typeCode?: Code
  readonly formatCode?: Code
  readonly healthcareFacilityTypeCode?: Code
  readonly practiceSettingCode?: Code
  readonly confidentialityCodes: readonly Code[]
  readonly eventCodes: readonly Code[]
  /** Identifiers of orders, studies, encounters: CXi as told. */
  readonly referenceIds: readonly string[]
}

/** What was submitted together (ITI TF-3: 4.2.3.3). */
export interface SubmissionSet extends RegistryObject {
  readonly uniqueId: string
  readonly sourceId?: string
  readonly patientId: PatientId
  readonly submissionTime?: Timestamp
  readonly contentTypeCode?: Code
  readonly authors: readonly Author[]
  readonly intendedRecipients: readonly string[]
}

/** A named collection of documents (ITI TF-3: 4.2.3.4). */
export interface Folder extends RegistryObject {
  readonly uniqueId: string
  readonly patientId: PatientId
  readonly lastUpdateTime?: Timestamp
  readonly codes: readonly Code[]
}

export type AssociationType =
  | 'has-member'
  | 'replaces'
  | 'transforms'
  | 'appends'
  | 'transforms-and-replaces'
  | 'signs'
  | 'is-snapshot-of'
  | 'updates-availability-status'
  | 'submits-association'
  | (string & {})

/** How two objects relate (ITI TF-3: 4.2.2). Types nobody here knows are kept as told. */
export interface Association extends Omit<RegistryObject, 'title' | 'comments'> {
  readonly type: AssociationType
  readonly source: string
  readonly target: string
  /** `Original` or `Reference`, on a submission set's membership. */
  readonly submissionSetStatus?: string
  readonly previousVersion?: string
  readonly documentation?: Code
}

/** The id of an object without the object. */
export interface ObjectReference {
  readonly id: string
  readonly home?: HomeCommunityId
}
