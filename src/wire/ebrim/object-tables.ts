import type { Association, Author, DocumentEntry, Folder, SubmissionSet } from '../../core/model/metadata.ts'
import {
  associationSchemes,
  entryIdentifiers,
  entrySchemes,
  folderIdentifiers,
  folderSchemes,
  type IdentifierName,
  objectTypes,
  packageNodes,
  slots,
  submissionSetIdentifiers,
  submissionSetSchemes,
} from './names.ts'

/** Where in the core's object a part of an ebRIM object is kept, and in which form it is written there. */
export interface FieldOf<T, Form> {
  readonly field: keyof T & string
  readonly form: Form
}

export type SlotForm = 'text' | 'texts' | 'time' | 'size' | 'hash'
export type ClassificationForm = 'code' | 'codes' | 'authors'
export type IdentifierForm = 'text' | 'patient'

/**
 * How one kind of registry object is spelled in ebRIM: the one table that both the reader and the writer follow
 * (ITI TF-3: 4.2.3, 4.2.5).
 */
export interface ObjectTable<T> {
  readonly element: 'ExtrinsicObject' | 'RegistryPackage' | 'Association'
  /** The value of `@objectType`; a document entry's is its kind. */
  readonly objectType: string | undefined
  /** Attributes of the element itself that are the object's own fields. */
  readonly attributes: ReadonlyMap<string, keyof T & string>
  readonly slots: ReadonlyMap<string, FieldOf<T, SlotForm>>
  readonly classifications: ReadonlyMap<string, FieldOf<T, ClassificationForm>>
  readonly identifiers: ReadonlyMap<string, FieldOf<T, IdentifierForm> & { readonly name: string }>
  /** The classification node that makes a package what it is. */
  readonly node?: string
  /** Whether Name and Description are the object's title and comments. */
  readonly titled: boolean
  /** Without these there is no object to speak of. */
  readonly required: readonly (keyof T & string)[]
  /** The fields that are lists, and therefore never absent. */
  readonly lists: readonly (keyof T & string)[]
}

function identifiers<T>(
  names: Readonly<Record<string, IdentifierName>>,
): ReadonlyMap<string, FieldOf<T, IdentifierForm> & { readonly name: string }> {
  return new Map(
    Object.entries(names).map(([field, { scheme, name }]) => [
      scheme,
      { field: field as keyof T & string, form: field === 'patientId' ? 'patient' : 'text', name },
    ]),
  )
}

/** The slots of an author's classification (ITI TF-3: 4.2.3.1.4). */
export const authorSlots: ReadonlyMap<string, Exclude<keyof Author, 'extra'>> = new Map([
  [slots.authorPerson, 'persons'],
  [slots.authorInstitution, 'institutions'],
  [slots.authorRole, 'roles'],
  [slots.authorSpecialty, 'specialties'],
  [slots.authorTelecommunication, 'telecommunications'],
])

export const documentEntryTable: ObjectTable<DocumentEntry> = {
  element: 'ExtrinsicObject',
  objectType: undefined,
  attributes: new Map([['mimeType', 'mimeType']]),
  slots: new Map<string, FieldOf<DocumentEntry, SlotForm>>([
    [slots.creationTime, { field: 'creationTime', form: 'time' }],
    [slots.hash, { field: 'hash', form: 'hash' }],
    [slots.languageCode, { field: 'languageCode', form: 'text' }],
    [slots.legalAuthenticator, { field: 'legalAuthenticator', form: 'text' }],
    [slots.repositoryUniqueId, { field: 'repositoryUniqueId', form: 'text' }],
    [slots.serviceStartTime, { field: 'serviceStartTime', form: 'time' }],
    [slots.serviceStopTime, { field: 'serviceStopTime', form: 'time' }],
    [slots.size, { field: 'size', form: 'size' }],
    [slots.sourcePatientId, { field: 'sourcePatientId', form: 'text' }],
    [slots.sourcePatientInfo, { field: 'sourcePatientInfo', form: 'texts' }],
    [slots.uri, { field: 'uri', form: 'texts' }],
    [slots.documentAvailability, { field: 'documentAvailability', form: 'text' }],
    [slots.referenceIdList, { field: 'referenceIds', form: 'texts' }],
  ]),
  classifications: new Map<string, FieldOf<DocumentEntry, ClassificationForm>>([
    [entrySchemes.author, { field: 'authors', form: 'authors' }],
    [entrySchemes.classCode, { field: 'classCode', form: 'code' }],
    [entrySchemes.confidentialityCode, { field: 'confidentialityCodes', form: 'codes' }],
    [entrySchemes.eventCode, { field: 'eventCodes', form: 'codes' }],
    [entrySchemes.formatCode, { field: 'formatCode', form: 'code' }],
    [entrySchemes.healthcareFacilityTypeCode, { field: 'healthcareFacilityTypeCode', form: 'code' }],
    [entrySchemes.practiceSettingCode, { field: 'practiceSettingCode', form: 'code' }],
    [entrySchemes.typeCode, { field: 'typeCode', form: 'code' }],
  ]),
  identifiers: identifiers(entryIdentifiers),
  titled: true,
  required: ['uniqueId', 'patientId'],
  lists: ['title', 'comments', 'sourcePatientInfo', 'authors', 'confidentialityCodes', 'eventCodes', 'referenceIds'],
}

export const submissionSetTable: ObjectTable<SubmissionSet> = {
  element: 'RegistryPackage',
  objectType: objectTypes.registryPackage,
  attributes: new Map(),
  slots: new Map<string, FieldOf<SubmissionSet, SlotForm>>([
    [slots.submissionTime, { field: 'submissionTime', form: 'time' }],
    [slots.intendedRecipient, { field: 'intendedRecipients', form: 'texts' }],
  ]),
  classifications: new Map<string, FieldOf<SubmissionSet, ClassificationForm>>([
    [submissionSetSchemes.author, { field: 'authors', form: 'authors' }],
    [submissionSetSchemes.contentTypeCode, { field: 'contentTypeCode', form: 'code' }],
  ]),
  identifiers: identifiers(submissionSetIdentifiers),
  node: packageNodes.submissionSet,
  titled: true,
  required: ['uniqueId', 'patientId'],
  lists: ['title', 'comments', 'authors', 'intendedRecipients'],
}

export const folderTable: ObjectTable<Folder> = {
  element: 'RegistryPackage',
  objectType: objectTypes.registryPackage,
  attributes: new Map(),
  slots: new Map<string, FieldOf<Folder, SlotForm>>([
    [slots.lastUpdateTime, { field: 'lastUpdateTime', form: 'time' }],
  ]),
  classifications: new Map<string, FieldOf<Folder, ClassificationForm>>([
    [folderSchemes.code, { field: 'codes', form: 'codes' }],
  ]),
  identifiers: identifiers(folderIdentifiers),
  node: packageNodes.folder,
  titled: true,
  required: ['uniqueId', 'patientId'],
  lists: ['title', 'comments', 'codes'],
}

export const associationTable: ObjectTable<Association> = {
  element: 'Association',
  objectType: objectTypes.association,
  attributes: new Map<string, keyof Association & string>([
    ['associationType', 'type'],
    ['sourceObject', 'source'],
    ['targetObject', 'target'],
  ]),
  slots: new Map<string, FieldOf<Association, SlotForm>>([
    [slots.submissionSetStatus, { field: 'submissionSetStatus', form: 'text' }],
    [slots.previousVersion, { field: 'previousVersion', form: 'text' }],
  ]),
  classifications: new Map<string, FieldOf<Association, ClassificationForm>>([
    [associationSchemes.documentation, { field: 'documentation', form: 'code' }],
  ]),
  identifiers: new Map(),
  titled: false,
  required: ['type', 'source', 'target'],
  lists: [],
}
