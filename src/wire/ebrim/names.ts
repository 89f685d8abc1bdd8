import type { AssociationType, AvailabilityStatus } from '../../core/model/metadata.ts'
import type { StoredQuery } from '../../core/model/stored-query.ts'

/** Namespaces of ebXML RegRep 3.0 (ITI TF-2: Appendix V; ebRS 3.0, ebRIM 3.0). */
export const rim = 'urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0'
export const rs = 'urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0'
export const query = 'urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0'
export const lcm = 'urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0'

/** Values of `rim:*@objectType` (ITI TF-3: 4.2.5.2). */
export const objectTypes = {
  stable: 'urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1',
  onDemand: 'urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248',
  registryPackage: 'urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:RegistryPackage',
  association: 'urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Association',
  classification: 'urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Classification',
  externalIdentifier: 'urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:ExternalIdentifier',
} as const

/** The two kinds of objects that belong to another one, and how each spells what they have in common. */
export interface MemberName {
  readonly element: 'Classification' | 'ExternalIdentifier'
  readonly owner: string
  readonly scheme: string
  readonly value: string
  readonly objectType: string
}

export const classificationName: MemberName = {
  element: 'Classification',
  owner: 'classifiedObject',
  scheme: 'classificationScheme',
  value: 'nodeRepresentation',
  objectType: objectTypes.classification,
}

export const identifierName: MemberName = {
  element: 'ExternalIdentifier',
  owner: 'registryObject',
  scheme: 'identificationScheme',
  value: 'value',
  objectType: objectTypes.externalIdentifier,
}

/** What makes a RegistryPackage a submission set or a folder (ITI TF-3: 4.2.5.2). */
export const packageNodes = {
  submissionSet: 'urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd',
  folder: 'urn:uuid:d9d542f3-6cc4-48b6-8870-ea235fbc94c2',
} as const

/** Classification schemes of a DocumentEntry (ITI TF-3: Table 4.2.3.2-1). */
export const entrySchemes = {
  author: 'urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d',
  classCode: 'urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a',
  confidentialityCode: 'urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f',
  eventCode: 'urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4',
  formatCode: 'urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d',
  healthcareFacilityTypeCode: 'urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1',
  practiceSettingCode: 'urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead',
  typeCode: 'urn:uuid:f0306f51-975f-434e-a61c-c59651d33983',
} as const

/** Classification schemes of a SubmissionSet (ITI TF-3: Table 4.2.3.3-1). */
export const submissionSetSchemes = {
  author: 'urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d',
  contentTypeCode: 'urn:uuid:aa543740-bdda-424e-8c96-df4873be8500',
} as const

/** Classification scheme of a Folder's codes (ITI TF-3: Table 4.2.3.4-1). */
export const folderSchemes = { code: 'urn:uuid:1ba97051-7806-41a8-a48b-8fce7af683c5' } as const

/** Classification scheme of an association's documentation (ITI TF-3: 4.2.2.2.1). */
export const associationSchemes = { documentation: 'urn:uuid:abd807a3-4432-4053-87b4-fd82c643d1f3' } as const

/** An identifier that XDS stores as a rim:ExternalIdentifier: its scheme, and the name it goes by. */
export interface IdentifierName {
  readonly scheme: string
  readonly name: string
}

export const entryIdentifiers = {
  patientId: { scheme: 'urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427', name: 'XDSDocumentEntry.patientId' },
  uniqueId: { scheme: 'urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab', name: 'XDSDocumentEntry.uniqueId' },
} as const satisfies Record<string, IdentifierName>

export const submissionSetIdentifiers = {
  patientId: { scheme: 'urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446', name: 'XDSSubmissionSet.patientId' },
  sourceId: { scheme: 'urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832', name: 'XDSSubmissionSet.sourceId' },
  uniqueId: { scheme: 'urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8', name: 'XDSSubmissionSet.uniqueId' },
} as const satisfies Record<string, IdentifierName>

export const folderIdentifiers = {
  patientId: { scheme: 'urn:uuid:f64ffdf0-4b97-4e06-b79f-a52b38ec2f8a', name: 'XDSFolder.patientId' },
  uniqueId: { scheme: 'urn:uuid:75df8f67-9973-4fbe-a900-df66cefecc5a', name: 'XDSFolder.uniqueId' },
} as const satisfies Record<string, IdentifierName>

/** Slot names of metadata (ITI TF-3: 4.2.3). */
export const slots = {
  creationTime: 'creationTime',
  hash: 'hash',
  languageCode: 'languageCode',
  legalAuthenticator: 'legalAuthenticator',
  serviceStartTime: 'serviceStartTime',
  serviceStopTime: 'serviceStopTime',
  size: 'size',
  sourcePatientId: 'sourcePatientId',
  sourcePatientInfo: 'sourcePatientInfo',
  uri: 'URI',
  repositoryUniqueId: 'repositoryUniqueId',
  documentAvailability: 'documentAvailability',
  referenceIdList: 'urn:ihe:iti:xds:2013:referenceIdList',
  submissionTime: 'submissionTime',
  intendedRecipient: 'intendedRecipient',
  lastUpdateTime: 'lastUpdateTime',
  codingScheme: 'codingScheme',
  authorPerson: 'authorPerson',
  authorInstitution: 'authorInstitution',
  authorRole: 'authorRole',
  authorSpecialty: 'authorSpecialty',
  authorTelecommunication: 'authorTelecommunication',
  submissionSetStatus: 'SubmissionSetStatus',
  previousVersion: 'PreviousVersion',
} as const

/** A table of words and their spelling, readable in both directions. What it does not know passes unchanged. */
export interface Spelling<Word extends string> {
  readonly word: (spelled: string) => Word
  readonly spell: (word: Word) => string
  readonly knows: (spelled: string) => boolean
}

function spelling<Word extends string>(
  spelled: Readonly<Record<string, string>>,
  alsoRead: Readonly<Record<string, string>> = {},
): Spelling<Word> {
  const words = new Map<string, string>(Object.entries(alsoRead))
  for (const [word, uri] of Object.entries(spelled)) words.set(uri, word)
  const uris = new Map(Object.entries(spelled))
  return {
    word: (uri) => (words.get(uri) ?? uri) as Word,
    spell: (word) => uris.get(word) ?? word,
    knows: (uri) => words.has(uri),
  }
}

/** `rim:*@status` and the `$…Status` parameters (ITI TF-3: 4.2.3.2.2). */
export const availability: Spelling<AvailabilityStatus> = spelling({
  approved: 'urn:oasis:names:tc:ebxml-regrep:StatusType:Approved',
  deprecated: 'urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated',
})

/** `rim:Association@associationType` (ITI TF-3: 4.2.2). The short names are those of ebRIM 2.1, still met in old data. */
export const associationTypes: Spelling<AssociationType> = spelling(
  {
    'has-member': 'urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember',
    replaces: 'urn:ihe:iti:2007:AssociationType:RPLC',
    transforms: 'urn:ihe:iti:2007:AssociationType:XFRM',
    appends: 'urn:ihe:iti:2007:AssociationType:APND',
    'transforms-and-replaces': 'urn:ihe:iti:2007:AssociationType:XFRM_RPLC',
    signs: 'urn:ihe:iti:2007:AssociationType:signs',
    'is-snapshot-of': 'urn:ihe:iti:2010:AssociationType:IsSnapshotOf',
    'updates-availability-status': 'urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus',
    'submits-association': 'urn:ihe:iti:2010:AssociationType:SubmitAssociation',
  },
  {
    HasMember: 'has-member',
    RPLC: 'replaces',
    XFRM: 'transforms',
    APND: 'appends',
    XFRM_RPLC: 'transforms-and-replaces',
    signs: 'signs',
    IsSnapshotOf: 'is-snapshot-of',
    UpdateAvailabilityStatus: 'updates-availability-status',
    SubmitAssociation: 'submits-association',
  },
)

/** `$XDSDocumentEntryType` and `rim:ExtrinsicObject@objectType`. */
export const entryKinds: Spelling<'stable' | 'on-demand'> = spelling({
  stable: objectTypes.stable,
  'on-demand': objectTypes.onDemand,
})

export type ResponseStatus = 'success' | 'partial-success' | 'failure'

/** `rs:RegistryResponse@status` (ITI TF-3: 4.2.4.2). */
export const responseStatuses: Readonly<Record<ResponseStatus, string>> = {
  success: 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success',
  'partial-success': 'urn:ihe:iti:2007:ResponseStatusType:PartialSuccess',
  failure: 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure',
}

/** `rs:RegistryError@severity` (ITI TF-3: 4.2.4.1). */
export const severities = {
  error: 'urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error',
  warning: 'urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Warning',
} as const

/** `rim:AdhocQuery@id` (ITI TF-2: 3.18.4.1.2.4). */
export const queryIds: Readonly<Record<StoredQuery['type'], string>> = {
  FindDocuments: 'urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d',
  FindDocumentsByReferenceId: 'urn:uuid:12941a89-e02e-4be5-967c-ce4bfc8fe492',
  FindSubmissionSets: 'urn:uuid:f26abbcb-ac74-4422-8a30-edb644bbc1a9',
  FindFolders: 'urn:uuid:958f3006-baad-4929-a4de-ff1114824431',
  GetAll: 'urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3',
  GetDocuments: 'urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4',
  GetFolders: 'urn:uuid:5737b14c-8a1a-4539-b659-e03a34a5e1e4',
  GetAssociations: 'urn:uuid:a7ae438b-4bc2-4642-93e9-be891f7bb155',
  GetDocumentsAndAssociations: 'urn:uuid:bab9529a-4a10-40b3-a01f-f68a615d247a',
  GetSubmissionSets: 'urn:uuid:51224314-5390-4169-9b91-b1980040715a',
  GetSubmissionSetAndContents: 'urn:uuid:e8e3cb2c-e39c-46b9-99e4-c12f57260b83',
  GetFolderAndContents: 'urn:uuid:b909a503-523d-4517-8acf-8e5834dfc4c7',
  GetFoldersForDocument: 'urn:uuid:10cae35a-c7f9-4cf5-b61e-fc3278ffb578',
  GetRelatedDocuments: 'urn:uuid:d90e5407-b356-4d91-a89f-873917b4b0e6',
}

/** The parameters of the stored queries (ITI TF-2: 3.18.4.1.2.3.7). */
export const parameters = {
  entryPatientId: '$XDSDocumentEntryPatientId',
  entryStatus: '$XDSDocumentEntryStatus',
  entryClassCode: '$XDSDocumentEntryClassCode',
  entryTypeCode: '$XDSDocumentEntryTypeCode',
  entryPracticeSettingCode: '$XDSDocumentEntryPracticeSettingCode',
  entryHealthcareFacilityTypeCode: '$XDSDocumentEntryHealthcareFacilityTypeCode',
  entryFormatCode: '$XDSDocumentEntryFormatCode',
  entryEventCodeList: '$XDSDocumentEntryEventCodeList',
  entryConfidentialityCode: '$XDSDocumentEntryConfidentialityCode',
  entryAuthorPerson: '$XDSDocumentEntryAuthorPerson',
  entryType: '$XDSDocumentEntryType',
  entryReferenceIdList: '$XDSDocumentEntryReferenceIdList',
  entryCreationTime: '$XDSDocumentEntryCreationTime',
  entryServiceStartTime: '$XDSDocumentEntryServiceStartTime',
  entryServiceStopTime: '$XDSDocumentEntryServiceStopTime',
  entryUuid: '$XDSDocumentEntryEntryUUID',
  entryUniqueId: '$XDSDocumentEntryUniqueId',
  entryLogicalId: '$XDSDocumentEntryLogicalID',
  submissionSetPatientId: '$XDSSubmissionSetPatientId',
  submissionSetStatus: '$XDSSubmissionSetStatus',
  submissionSetSourceId: '$XDSSubmissionSetSourceId',
  submissionSetSubmissionTime: '$XDSSubmissionSetSubmissionTime',
  submissionSetAuthorPerson: '$XDSSubmissionSetAuthorPerson',
  submissionSetContentType: '$XDSSubmissionSetContentType',
  submissionSetUuid: '$XDSSubmissionSetEntryUUID',
  submissionSetUniqueId: '$XDSSubmissionSetUniqueId',
  folderPatientId: '$XDSFolderPatientId',
  folderStatus: '$XDSFolderStatus',
  folderLastUpdateTime: '$XDSFolderLastUpdateTime',
  folderCodeList: '$XDSFolderCodeList',
  folderUuid: '$XDSFolderEntryUUID',
  folderUniqueId: '$XDSFolderUniqueId',
  folderLogicalId: '$XDSFolderLogicalID',
  patientId: '$patientId',
  uuid: '$uuid',
  associationTypes: '$AssociationTypes',
} as const

/** Companions that carried the coding scheme of a code parameter before 2007; today they are an error. */
export const obsoleteParameters: ReadonlySet<string> = new Set(
  [
    parameters.entryClassCode,
    parameters.entryTypeCode,
    parameters.entryPracticeSettingCode,
    parameters.entryHealthcareFacilityTypeCode,
    parameters.entryFormatCode,
    parameters.entryEventCodeList,
    parameters.entryConfidentialityCode,
    parameters.submissionSetContentType,
    parameters.folderCodeList,
  ].map((name) => `${name}Scheme`),
)

/**
 * The id of a classification or identifier that came without one: made from its owner's id and its place, so that the
 * same object is always written in the same way.
 */
export function derivedId(owner: string, key: string): string {
  return `${owner}.${key}`
}

/** Whether `id` is what `derivedId` makes, without making it. */
export function isDerivedId(id: string, owner: string, key: string): boolean {
  return id.length === owner.length + 1 + key.length && id.startsWith(owner) && id.endsWith(`.${key}`)
}
