import type { CodeQuery, Slot } from './code.ts'
import type { HomeCommunityId } from './identifiers.ts'
import type { AvailabilityStatus } from './metadata.ts'
import type { PatientId } from './patient.ts'
import type { TimeRange } from './timestamp.ts'

/** Any of these. */
export type AnyOf<T> = readonly T[]
/** All of these groups, any of each group. */
export type AllOfAnyOf<T> = readonly AnyOf<T>[]

/** Either the registry's own id of an object, or the id the world knows it by, or the id its versions share. */
export type ObjectKey =
  | { readonly by: 'entry-uuid'; readonly ids: AnyOf<string> }
  | { readonly by: 'unique-id'; readonly ids: AnyOf<string> }
  | { readonly by: 'logical-id'; readonly ids: AnyOf<string> }

export interface DocumentFilter {
  readonly classCodes?: AnyOf<CodeQuery>
  readonly typeCodes?: AnyOf<CodeQuery>
  readonly practiceSettingCodes?: AnyOf<CodeQuery>
  readonly healthcareFacilityTypeCodes?: AnyOf<CodeQuery>
  readonly formatCodes?: AnyOf<CodeQuery>
  readonly eventCodes?: AllOfAnyOf<CodeQuery>
  readonly confidentialityCodes?: AllOfAnyOf<CodeQuery>
  /** LIKE patterns: `%` any run, `_` one character. */
  readonly authorPersons?: AnyOf<string>
  readonly kinds?: AnyOf<'stable' | 'on-demand'>
  readonly creationTime?: TimeRange
  readonly serviceStartTime?: TimeRange
  readonly serviceStopTime?: TimeRange
}

/** The filters of the "and contents" queries and GetAll. */
export type ContentFilter = Pick<DocumentFilter, 'formatCodes' | 'confidentialityCodes' | 'kinds'>

interface Asked {
  /** The one community the query is for; absent means whoever knows the patient. */
  readonly home?: HomeCommunityId
  /** Parameters nobody here knows, passed on (ITI TF-2: 3.38.4.1.3 "all parameters"). */
  readonly extra: readonly Slot[]
}

export interface FindDocuments extends Asked {
  readonly type: 'FindDocuments'
  readonly patientId: PatientId
  readonly status: AnyOf<AvailabilityStatus>
  readonly filter: DocumentFilter
}
export interface FindDocumentsByReferenceId extends Asked {
  readonly type: 'FindDocumentsByReferenceId'
  readonly patientId: PatientId
  readonly status: AnyOf<AvailabilityStatus>
  readonly referenceIds: AllOfAnyOf<string>
  readonly filter: DocumentFilter
}
export interface FindSubmissionSets extends Asked {
  readonly type: 'FindSubmissionSets'
  readonly patientId: PatientId
  readonly status: AnyOf<AvailabilityStatus>
  readonly sourceIds?: AnyOf<string>
  readonly submissionTime?: TimeRange
  readonly authorPerson?: string
  readonly contentTypeCodes?: AnyOf<CodeQuery>
}
export interface FindFolders extends Asked {
  readonly type: 'FindFolders'
  readonly patientId: PatientId
  readonly status: AnyOf<AvailabilityStatus>
  readonly lastUpdateTime?: TimeRange
  readonly codes?: AllOfAnyOf<CodeQuery>
}
export interface GetAll extends Asked {
  readonly type: 'GetAll'
  readonly patientId: PatientId
  readonly documentStatus: AnyOf<AvailabilityStatus>
  readonly submissionSetStatus: AnyOf<AvailabilityStatus>
  readonly folderStatus: AnyOf<AvailabilityStatus>
  readonly filter: ContentFilter
}
export interface GetDocuments extends Asked {
  readonly type: 'GetDocuments'
  readonly documents: ObjectKey
}
export interface GetFolders extends Asked {
  readonly type: 'GetFolders'
  readonly folders: ObjectKey
}
export interface GetAssociations extends Asked {
  readonly type: 'GetAssociations'
  readonly ids: AnyOf<string>
}
export interface GetDocumentsAndAssociations extends Asked {
  readonly type: 'GetDocumentsAndAssociations'
  readonly documents: ObjectKey
}
export interface GetSubmissionSets extends Asked {
  readonly type: 'GetSubmissionSets'
  readonly ids: AnyOf<string>
}
export interface GetSubmissionSetAndContents extends Asked {
  readonly type: 'GetSubmissionSetAndContents'
  readonly submissionSet: ObjectKey
  readonly filter: ContentFilter
}
export interface GetFolderAndContents extends Asked {
  readonly type: 'GetFolderAndContents'
  readonly folder: ObjectKey
  readonly filter: ContentFilter
}
export interface GetFoldersForDocument extends Asked {
  readonly type: 'GetFoldersForDocument'
  readonly document: ObjectKey
}
export interface GetRelatedDocuments extends Asked {
  readonly type: 'GetRelatedDocuments'
  readonly document: ObjectKey
  readonly associationTypes: AnyOf<string>
  readonly kinds?: AnyOf<'stable' | 'on-demand'>
}

/** The fourteen queries of ITI-18 (ITI TF-2: 3.18.4.1.2.3.7). */
export type StoredQuery =
  | FindDocuments
  | FindDocumentsByReferenceId
  | FindSubmissionSets
  | FindFolders
  | GetAll
  | GetDocuments
  | GetFolders
  | GetAssociations
  | GetDocumentsAndAssociations
  | GetSubmissionSets
  | GetSubmissionSetAndContents
  | GetFolderAndContents
  | GetFoldersForDocument
  | GetRelatedDocuments

export type PatientQuery = Extract<StoredQuery, { readonly patientId: PatientId }>

/** Whether the query names a patient. Those that do not must name a community (ITI TF-2: 3.38.4.1.2.1). */
export function namesPatient(query: StoredQuery): query is PatientQuery {
  return 'patientId' in query
}

/** The same question about the same person under another identifier. */
export function underIdentifier<Q extends PatientQuery>(query: Q, id: PatientId): Q {
  return { ...query, patientId: id }
}
