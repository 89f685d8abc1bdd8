import { createHash } from 'node:crypto'
import {
  type Association,
  type Author,
  type Code,
  cx,
  type Entry,
  type Folder,
  type Holdings,
  type SubmissionSet,
} from './entry.ts'
import { escapeXml } from './xml.ts'

export const rim = 'urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0'
export const rs = 'urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0'
export const query = 'urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0'
export const statusPrefix = 'urn:oasis:names:tc:ebxml-regrep:StatusType:'
export const stable = 'urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1'
/** Identification scheme of a document's uniqueId. */
export const documentUniqueId = 'urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab'

const registryObject = 'urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject'
/** Values of `status` of a response. */
export const responseStatus = {
  Success: 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success',
  Failure: 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure',
  PartialSuccess: 'urn:ihe:iti:2007:ResponseStatusType:PartialSuccess',
} as const

/** One line of a RegistryErrorList. */
export interface RegistryIssue {
  readonly code: string
  readonly text: string
  readonly severity: 'Error' | 'Warning'
  readonly location?: string
}

export interface QueryResponse {
  readonly status: keyof typeof responseStatus
  readonly found: Holdings
  readonly returnType: 'LeafClass' | 'ObjectRef'
  readonly issues?: readonly RegistryIssue[]
  /** Stamped on every object, whatever its own. */
  readonly home?: string
  readonly requestId?: string
}

/** An `AdhocQueryResponse` that the ebRS schemas accept, self-contained in its namespaces. */
export function queryResponse({ status, found, returnType, issues = [], home, requestId }: QueryResponse): string {
  const stamp = <T extends { readonly home?: string }>(object: T): T =>
    home === undefined ? object : { ...object, home }
  const objects =
    returnType === 'ObjectRef'
      ? [...found.entries, ...found.submissionSets, ...found.folders, ...found.associations].map((object) =>
          element('rim:ObjectRef', { id: object.entryUuid, ...homeOf(stamp(object)) }),
        )
      : [
          ...found.entries.map((entry) => extrinsicObject(stamp(entry))),
          ...found.submissionSets.map((set) => submissionSet(stamp(set))),
          ...found.folders.map((one) => folder(stamp(one))),
          ...found.associations.map((one) => association(stamp(one))),
        ]
  return element(
    'query:AdhocQueryResponse',
    {
      'xmlns:query': query,
      'xmlns:rim': rim,
      'xmlns:rs': rs,
      status: responseStatus[status],
      ...(requestId !== undefined && { requestId }),
    },
    issues.length > 0 ? registryErrorList(issues) : '',
    element('rim:RegistryObjectList', {}, ...objects),
  )
}

export function registryErrorList(issues: readonly RegistryIssue[]): string {
  const severity = (name: string): string => `urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:${name}`
  const highest = issues.some((issue) => issue.severity === 'Error') ? 'Error' : 'Warning'
  return element(
    'rs:RegistryErrorList',
    { highestSeverity: severity(highest) },
    ...issues.map((issue) =>
      element('rs:RegistryError', {
        errorCode: issue.code,
        codeContext: issue.text,
        severity: severity(issue.severity),
        ...(issue.location !== undefined && { location: issue.location }),
      }),
    ),
  )
}

/** An entry as an object; without a logical id, a version or a service time where these are empty: the sender knows none. */
export function extrinsicObject(entry: Entry): string {
  const { entryUuid: id } = entry
  return element(
    'rim:ExtrinsicObject',
    {
      id,
      ...(entry.logicalId !== '' && { lid: entry.logicalId }),
      ...homeOf(entry),
      objectType: stable,
      status: statusPrefix + entry.status,
      mimeType: entry.mimeType,
      isOpaque: 'false',
    },
    slot('creationTime', entry.creationTime),
    slot('hash', entry.hash),
    slot('legalAuthenticator', ...(entry.legalAuthenticator === undefined ? [] : [entry.legalAuthenticator])),
    slot('repositoryUniqueId', entry.repositoryUniqueId),
    slot('serviceStartTime', ...told(entry.serviceStartTime)),
    slot('serviceStopTime', ...told(entry.serviceStopTime)),
    slot('size', String(entry.size)),
    slot('sourcePatientId', cx(entry.patient)),
    slot('sourcePatientInfo', ...entry.sourcePatientInfo),
    slot('urn:ihe:iti:xds:2013:referenceIdList', ...entry.references),
    slot(
      'urn:ita:2022:administrativeRequest',
      ...(entry.administrativeRequest === undefined ? [] : [entry.administrativeRequest]),
    ),
    slot('urn:ita:2022:description', ...entry.descriptions),
    ...Object.entries(entry.otherSlots ?? usualSlots).map(([name, values]) => slot(name, ...values)),
    named(entry.title),
    entry.comments === undefined ? '' : element('rim:Description', {}, localized(entry.comments)),
    entry.version === '' ? '' : element('rim:VersionInfo', { versionName: entry.version }),
    authorship('urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d', id, entry.author),
    classification('urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a', id, entry.classCode),
    classification('urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f', id, entry.confidentiality),
    ...entry.events.map((event) => classification('urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4', id, event)),
    classification('urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d', id, entry.formatCode),
    classification('urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1', id, entry.facilityType),
    classification('urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead', id, entry.practiceSetting),
    classification('urn:uuid:f0306f51-975f-434e-a61c-c59651d33983', id, entry.typeCode),
    externalIdentifier(
      'urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427',
      id,
      'XDSDocumentEntry.patientId',
      cx(entry.patient),
    ),
    externalIdentifier(documentUniqueId, id, 'XDSDocumentEntry.uniqueId', entry.uniqueId),
  )
}

export function submissionSet(set: SubmissionSet): string {
  const { entryUuid: id } = set
  return element(
    'rim:RegistryPackage',
    { id, ...homeOf(set), objectType: `${registryObject}:RegistryPackage`, status: statusPrefix + set.status },
    slot('submissionTime', set.submissionTime),
    named(set.title),
    set.author === undefined ? '' : authorship('urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d', id, set.author),
    classification('urn:uuid:aa543740-bdda-424e-8c96-df4873be8500', id, set.contentType),
    node('urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd', id),
    externalIdentifier(
      'urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446',
      id,
      'XDSSubmissionSet.patientId',
      cx(set.patient),
    ),
    externalIdentifier('urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832', id, 'XDSSubmissionSet.sourceId', set.sourceId),
    externalIdentifier('urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8', id, 'XDSSubmissionSet.uniqueId', set.uniqueId),
  )
}

export function folder(one: Folder): string {
  const { entryUuid: id } = one
  return element(
    'rim:RegistryPackage',
    { id, ...homeOf(one), objectType: `${registryObject}:RegistryPackage`, status: statusPrefix + one.status },
    slot('lastUpdateTime', one.lastUpdateTime),
    named(one.title),
    ...one.codes.map((code) => classification('urn:uuid:1ba97051-7806-41a8-a48b-8fce7af683c5', id, code)),
    node('urn:uuid:d9d542f3-6cc4-48b6-8870-ea235fbc94c2', id),
    externalIdentifier('urn:uuid:f64ffdf0-4b97-4e06-b79f-a52b38ec2f8a', id, 'XDSFolder.patientId', cx(one.patient)),
    externalIdentifier('urn:uuid:75df8f67-9973-4fbe-a900-df66cefecc5a', id, 'XDSFolder.uniqueId', one.uniqueId),
  )
}

export function association(one: Association): string {
  return element(
    'rim:Association',
    {
      id: one.entryUuid,
      ...homeOf(one),
      objectType: `${registryObject}:Association`,
      associationType: one.type,
      sourceObject: one.source,
      targetObject: one.target,
      status: `${statusPrefix}Approved`,
    },
    slot('SubmissionSetStatus', ...(one.submissionSetStatus === undefined ? [] : [one.submissionSetStatus])),
    slot('PreviousVersion', ...(one.previousVersion === undefined ? [] : [one.previousVersion])),
  )
}

function authorship(scheme: string, object: string, author: Author): string {
  const { person, name, institution } = author
  const xcn = `${person.value}^${name?.family ?? ''}^${name?.given ?? ''}^^^^^^&${person.authority}&ISO`
  return element(
    'rim:Classification',
    { ...classified(scheme, object, ''), nodeRepresentation: '' },
    slot('authorPerson', xcn),
    slot('authorInstitution', ...(institution === undefined ? [] : [xonOf(institution)])),
    slot('authorRole', author.role),
    slot('authorSpecialty', ...(author.specialty === undefined ? [] : [author.specialty])),
    slot('authorTelecommunication', ...(author.mail === undefined ? [] : [`^^Internet^${author.mail}`])),
  )
}

function xonOf({ name, system, code }: NonNullable<Author['institution']>): string {
  return `${name}^^^^^&${system}&ISO^^^^${code}`
}

function classification(scheme: string, object: string, code: Code): string {
  return element(
    'rim:Classification',
    { ...classified(scheme, object, code.code), nodeRepresentation: code.code },
    slot('codingScheme', code.scheme),
    named(code.display),
  )
}

function node(classificationNode: string, object: string): string {
  return element('rim:Classification', {
    id: ownId(classificationNode, object, ''),
    objectType: `${registryObject}:Classification`,
    classifiedObject: object,
    classificationNode,
  })
}

function classified(classificationScheme: string, object: string, code: string): Readonly<Record<string, string>> {
  return {
    id: ownId(classificationScheme, object, code),
    objectType: `${registryObject}:Classification`,
    classificationScheme,
    classifiedObject: object,
  }
}

function externalIdentifier(identificationScheme: string, object: string, name: string, value: string): string {
  return element(
    'rim:ExternalIdentifier',
    {
      id: ownId(identificationScheme, object, name),
      objectType: `${registryObject}:ExternalIdentifier`,
      registryObject: object,
      identificationScheme,
      value,
    },
    named(name),
  )
}

/** An id for a part, the same whenever the object is told. */
function ownId(scheme: string, object: string, what: string): string {
  const hex = createHash('sha256').update(`${scheme}\0${object}\0${what}`).digest('hex')
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** What every document of the seed says in slots that nobody here asks about. */
const usualSlots: Readonly<Record<string, readonly string[]>> = {
  languageCode: ['it-IT'],
  'urn:ihe:iti:xds:2024:SubjectApplication': ['REPARTO^ESEMPIO SPA^3.2'],
  'urn:ita:2017:repository-type': ['CONS^^^&2.16.840.1.113883.2.9.3.3.6.1.7&ISO'],
  'urn:ita:2022:documentSigned': ['true^Documento firmato'],
}

function told(text: string): readonly string[] {
  return text === '' ? [] : [text]
}

function slot(name: string, ...values: readonly string[]): string {
  if (values.length === 0) return ''
  const list = values.map((value) => `<rim:Value>${escapeXml(value)}</rim:Value>`).join('')
  return `<rim:Slot name="${escapeXml(name)}"><rim:ValueList>${list}</rim:ValueList></rim:Slot>`
}

function named(text: string): string {
  return element('rim:Name', {}, localized(text))
}

function localized(text: string): string {
  return element('rim:LocalizedString', { 'xml:lang': 'it-IT', charset: 'UTF-8', value: text })
}

function homeOf(object: { readonly home?: string }): Readonly<Record<string, string>> {
  return object.home === undefined ? {} : { home: object.home }
}

/** An element with its attributes and what is in it, already written. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string>>,
  ...children: readonly string[]
): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(value)}"`)
  const content = children.join('')
  return content === '' ? `<${name}${written.join('')}/>` : `<${name}${written.join('')}>${content}</${name}>`
}
