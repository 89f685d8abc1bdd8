import type {
  ContentFilter,
  DocumentFilter,
  FindFolders,
  FindSubmissionSets,
  GetRelatedDocuments,
  StoredQuery,
} from '../../core/model/stored-query.ts'
import { parameters as names } from './names.ts'
import {
  associations,
  codeGroups,
  codes,
  type Fields,
  group,
  kinds,
  objectKey,
  type Parameter,
  patient,
  required,
  statuses,
  text,
  textGroups,
  texts,
  timeRange,
} from './parameters.ts'

const contentFields: Fields<ContentFilter> = {
  formatCodes: codes(names.entryFormatCode),
  confidentialityCodes: codeGroups(names.entryConfidentialityCode),
  kinds: kinds(names.entryType),
}
const contents = group(contentFields)

const documents = group<DocumentFilter>({
  classCodes: codes(names.entryClassCode),
  typeCodes: codes(names.entryTypeCode),
  practiceSettingCodes: codes(names.entryPracticeSettingCode),
  healthcareFacilityTypeCodes: codes(names.entryHealthcareFacilityTypeCode),
  eventCodes: codeGroups(names.entryEventCodeList),
  authorPersons: texts(names.entryAuthorPerson),
  creationTime: timeRange(names.entryCreationTime),
  serviceStartTime: timeRange(names.entryServiceStartTime),
  serviceStopTime: timeRange(names.entryServiceStopTime),
  ...contentFields,
})

const documentIds = { 'entry-uuid': names.entryUuid, 'unique-id': names.entryUniqueId }
const folderIds = { 'entry-uuid': names.folderUuid, 'unique-id': names.folderUniqueId }
const submissionSetIds = { 'entry-uuid': names.submissionSetUuid, 'unique-id': names.submissionSetUniqueId }
const oneDocument = required(objectKey(documentIds, { single: true }))

/** The fields of a query that its own parameters spell. */
export type QueryFields<Q> = Omit<Q, 'type' | 'home' | 'extra'>

/** The parameters of every stored query (ITI TF-2: 3.18.4.1.2.3.7). */
export const queryTables: {
  readonly [Type in StoredQuery['type']]: Parameter<QueryFields<Extract<StoredQuery, { readonly type: Type }>>>
} = {
  FindDocuments: group({
    patientId: required(patient(names.entryPatientId)),
    status: required(statuses(names.entryStatus)),
    filter: documents,
  }),
  FindDocumentsByReferenceId: group({
    patientId: required(patient(names.entryPatientId)),
    status: required(statuses(names.entryStatus)),
    referenceIds: required(textGroups(names.entryReferenceIdList)),
    filter: documents,
  }),
  FindSubmissionSets: group<QueryFields<FindSubmissionSets>>({
    patientId: required(patient(names.submissionSetPatientId)),
    status: required(statuses(names.submissionSetStatus)),
    sourceIds: texts(names.submissionSetSourceId),
    submissionTime: timeRange(names.submissionSetSubmissionTime),
    authorPerson: text(names.submissionSetAuthorPerson),
    contentTypeCodes: codes(names.submissionSetContentType),
  }),
  FindFolders: group<QueryFields<FindFolders>>({
    patientId: required(patient(names.folderPatientId)),
    status: required(statuses(names.folderStatus)),
    lastUpdateTime: timeRange(names.folderLastUpdateTime),
    codes: codeGroups(names.folderCodeList),
  }),
  GetAll: group({
    patientId: required(patient(names.patientId)),
    documentStatus: required(statuses(names.entryStatus)),
    submissionSetStatus: required(statuses(names.submissionSetStatus)),
    folderStatus: required(statuses(names.folderStatus)),
    filter: contents,
  }),
  GetDocuments: group({
    documents: required(objectKey({ ...documentIds, 'logical-id': names.entryLogicalId }, { single: false })),
  }),
  GetFolders: group({
    folders: required(objectKey({ ...folderIds, 'logical-id': names.folderLogicalId }, { single: false })),
  }),
  GetAssociations: group({ ids: required(texts(names.uuid)) }),
  GetDocumentsAndAssociations: group({ documents: required(objectKey(documentIds, { single: false })) }),
  GetSubmissionSets: group({ ids: required(texts(names.uuid)) }),
  GetSubmissionSetAndContents: group({
    submissionSet: required(objectKey(submissionSetIds, { single: true })),
    filter: contents,
  }),
  GetFolderAndContents: group({
    folder: required(objectKey(folderIds, { single: true })),
    filter: contents,
  }),
  GetFoldersForDocument: group({ document: oneDocument }),
  GetRelatedDocuments: group<QueryFields<GetRelatedDocuments>>({
    document: oneDocument,
    associationTypes: required(associations(names.associationTypes)),
    kinds: kinds(names.entryType),
  }),
}
