import { query as queryNamespace, rim } from './ebrim.ts'
import { readCx } from './entry.ts'
import { children, type Element, isNamed, only } from './xml.ts'

/** What a registry answers instead of an answer: a RegistryError of the standard (ihe.md §1.15). */
export class RegistryProblem extends Error {
  override readonly name = 'RegistryProblem'
  readonly code: string
  constructor(code: string, text: string) {
    super(text)
    this.code = code
  }
}

/** A stored query as it was asked: every occurrence of a parameter apart, for occurrences mean AND. */
export interface AskedQuery {
  readonly name: QueryName
  readonly home?: string
  readonly requestId?: string
  readonly returnType: 'LeafClass' | 'ObjectRef'
  readonly parameters: ReadonlyMap<string, readonly (readonly string[])[]>
}

export type QueryName =
  | 'FindDocuments'
  | 'FindDocumentsByReferenceId'
  | 'FindSubmissionSets'
  | 'FindFolders'
  | 'GetAll'
  | 'GetDocuments'
  | 'GetFolders'
  | 'GetAssociations'
  | 'GetDocumentsAndAssociations'
  | 'GetSubmissionSets'
  | 'GetSubmissionSetAndContents'
  | 'GetFolderAndContents'
  | 'GetFoldersForDocument'
  | 'GetRelatedDocuments'

interface Definition {
  readonly name: QueryName
  readonly required?: readonly string[]
  /** Exactly one of these. */
  readonly oneOf?: readonly string[]
  /** The key in `oneOf` has one value only. */
  readonly single?: true
}

const doc = '$XDSDocumentEntry'
const set = '$XDSSubmissionSet'
const folder = '$XDSFolder'
const documentKeys = [`${doc}EntryUUID`, `${doc}UniqueId`, `${doc}LogicalID`]
const documentKey = [`${doc}EntryUUID`, `${doc}UniqueId`]

/** The fourteen queries (ITI TF-2: 3.18.4.1.2.3.7). */
const definitions: Readonly<Record<string, Definition>> = {
  'urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d': {
    name: 'FindDocuments',
    required: [`${doc}PatientId`, `${doc}Status`],
  },
  'urn:uuid:12941a89-e02e-4be5-967c-ce4bfc8fe492': {
    name: 'FindDocumentsByReferenceId',
    required: [`${doc}PatientId`, `${doc}Status`, `${doc}ReferenceIdList`],
  },
  'urn:uuid:f26abbcb-ac74-4422-8a30-edb644bbc1a9': {
    name: 'FindSubmissionSets',
    required: [`${set}PatientId`, `${set}Status`],
  },
  'urn:uuid:958f3006-baad-4929-a4de-ff1114824431': {
    name: 'FindFolders',
    required: [`${folder}PatientId`, `${folder}Status`],
  },
  'urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3': {
    name: 'GetAll',
    required: ['$patientId', `${doc}Status`, `${set}Status`, `${folder}Status`],
  },
  'urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4': { name: 'GetDocuments', oneOf: documentKeys },
  'urn:uuid:5737b14c-8a1a-4539-b659-e03a34a5e1e4': {
    name: 'GetFolders',
    oneOf: [`${folder}EntryUUID`, `${folder}UniqueId`, `${folder}LogicalID`],
  },
  'urn:uuid:a7ae438b-4bc2-4642-93e9-be891f7bb155': { name: 'GetAssociations', required: ['$uuid'] },
  'urn:uuid:bab9529a-4a10-40b3-a01f-f68a615d247a': { name: 'GetDocumentsAndAssociations', oneOf: documentKeys },
  'urn:uuid:51224314-5390-4169-9b91-b1980040715a': { name: 'GetSubmissionSets', required: ['$uuid'] },
  'urn:uuid:e8e3cb2c-e39c-46b9-99e4-c12f57260b83': {
    name: 'GetSubmissionSetAndContents',
    oneOf: [`${set}EntryUUID`, `${set}UniqueId`],
    single: true,
  },
  'urn:uuid:b909a503-523d-4517-8acf-8e5834dfc4c7': {
    name: 'GetFolderAndContents',
    oneOf: [`${folder}EntryUUID`, `${folder}UniqueId`],
    single: true,
  },
  'urn:uuid:10cae35a-c7f9-4cf5-b61e-fc3278ffb578': { name: 'GetFoldersForDocument', oneOf: documentKey, single: true },
  'urn:uuid:d90e5407-b356-4d91-a89f-873917b4b0e6': {
    name: 'GetRelatedDocuments',
    oneOf: documentKey,
    single: true,
    required: ['$AssociationTypes'],
  },
}

/** The id of a query, for whoever asks one. */
export function queryId(name: QueryName): string {
  const found = Object.entries(definitions).find(([, definition]) => definition.name === name)
  if (found === undefined) throw new Error(`No query is called ${name}`)
  return found[0]
}

const patientParameters = [`${doc}PatientId`, `${set}PatientId`, `${folder}PatientId`, '$patientId']
const times = ['CreationTime', 'ServiceStartTime', 'ServiceStopTime', 'SubmissionTime', 'LastUpdateTime']
const timePattern = new RegExp(`^\\$XDS\\w+(${times.join('|')})(From|To)$`)
/** `'code^^scheme'` is asked for these. */
const codePattern =
  /^\$XDS(DocumentEntry(ClassCode|TypeCode|PracticeSettingCode|HealthcareFacilityTypeCode|EventCodeList|ConfidentialityCode|FormatCode)|SubmissionSetContentType|FolderCodeList)$/
/** A second slot of the same name is a second condition for these, and a mistake for all others. */
const repeatable = new Set([
  `${doc}EventCodeList`,
  `${doc}ConfidentialityCode`,
  `${doc}ReferenceIdList`,
  `${folder}CodeList`,
])
/** Everything else is an extension (`$MetadataLevel` is a bare number): legal, and of no effect here. */
function knownParameter(name: string): boolean {
  return name.startsWith('$XDS') || ['$uuid', '$patientId', '$AssociationTypes'].includes(name)
}
const singles = new Set([...patientParameters, `${set}AuthorPerson`])
/** rim.xsd: LongName. */
const longestValue = 256

/**
 * Reads an `AdhocQueryRequest`. A tolerant reader takes values without quotes and codes without schemes, as INI does;
 * a strict one reports them. Throws RegistryProblem, and Error for what is no query at all.
 */
export function readStoredQuery(body: Element, manner: 'strict' | 'tolerant'): AskedQuery {
  if (!isNamed(body, queryNamespace, 'AdhocQueryRequest')) throw new Error('The body is not an AdhocQueryRequest')
  const returnType = only(body, queryNamespace, 'ResponseOption')?.getAttribute('returnType') ?? 'RegistryObject'
  const asked = only(body, rim, 'AdhocQuery')
  if (asked === undefined) throw new Error('There is no AdhocQuery')
  if (returnType !== 'LeafClass' && returnType !== 'ObjectRef') {
    throw new RegistryProblem('XDSRegistryError', 'The return type is neither LeafClass nor ObjectRef')
  }
  const definition = definitions[asked.getAttribute('id') ?? '']
  if (definition === undefined) throw new RegistryProblem('XDSUnknownStoredQuery', 'The stored query is unknown')
  const parameters = readParameters(asked, definition, manner)
  check(definition, parameters)
  const home = asked.getAttribute('home')
  const requestId = body.getAttribute('id')
  return {
    name: definition.name,
    returnType,
    parameters,
    ...(home !== null && { home }),
    ...(requestId !== null && { requestId }),
  }
}

function readParameters(asked: Element, { single, oneOf = [] }: Definition, manner: 'strict' | 'tolerant') {
  const parameters = new Map<string, string[][]>()
  for (const slot of children(asked, rim, 'Slot')) {
    const name = slot.getAttribute('name') ?? ''
    if (!knownParameter(name)) continue
    const list = only(slot, rim, 'ValueList')
    const texts = (list ? children(list, rim, 'Value') : []).map((value) => value.textContent?.trim() ?? '')
    const alone = singles.has(name) || timePattern.test(name) || (single === true && oneOf.includes(name))
    const values = texts.flatMap((text) => readValue(name, text, alone, manner))
    if (alone && values.length !== 1) {
      throw new RegistryProblem('XDSStoredQueryParamNumber', `${name} takes one value`)
    }
    const known = parameters.get(name)
    if (known !== undefined && !repeatable.has(name)) {
      throw new RegistryProblem('XDSStoredQueryParamNumber', `${name} stands twice`)
    }
    parameters.set(name, [...(known ?? []), values])
  }
  return parameters
}

function readValue(name: string, text: string, alone: boolean, manner: 'strict' | 'tolerant'): string[] {
  if (manner === 'strict' && text.length > longestValue) {
    throw new RegistryProblem('XDSRegistryError', `A value of ${name} is longer than ${longestValue} characters`)
  }
  const bad = (why: string): RegistryProblem => new RegistryProblem('XDSRegistryError', `${name}: ${why}`)
  const inList = text.startsWith('(')
  if (manner === 'strict' && inList === alone)
    throw bad(alone ? 'one value, no list' : 'a list in parentheses is needed')
  if (inList && !text.endsWith(')')) throw bad('the list is not closed')
  const values = splitValues(inList ? text.slice(1, -1) : text).map((part) => {
    const quoted = /^'((?:[^']|'')*)'$/.exec(part)?.[1]
    if (quoted !== undefined) return quoted.replaceAll("''", "'")
    if (part === '' || part.includes("'")) throw bad('a value is not well-formed')
    if (manner === 'strict' && !(timePattern.test(name) && /^\d+$/.test(part))) throw bad('a string needs quotes')
    return part
  })
  for (const value of values) checkValue(name, value, manner, bad)
  return values
}

function splitValues(text: string): string[] {
  return (text.match(/(?:'(?:[^']|'')*'|[^,])+/g) ?? []).map((part) => part.trim())
}

function checkValue(name: string, value: string, manner: 'strict' | 'tolerant', bad: (why: string) => Error): void {
  if (patientParameters.includes(name) && readCx(value) === undefined) throw bad('not a patient identifier (CX)')
  if (timePattern.test(name) && !/^\d{4}(\d\d){0,5}$/.test(value)) throw bad('not a time')
  if (manner === 'strict' && codePattern.test(name) && !/^[^^]+\^\^[^^]+$/.test(value))
    throw bad('a code needs its scheme')
}

function check({ required = [], oneOf }: Definition, parameters: ReadonlyMap<string, string[][]>): void {
  for (const name of required) {
    const values = parameters.get(name)?.flat() ?? []
    if (values.length === 0) throw new RegistryProblem('XDSStoredQueryMissingParam', `${name} is missing`)
  }
  if (oneOf === undefined) return
  const given = oneOf.filter((name) => parameters.has(name))
  if (given.length === 0)
    throw new RegistryProblem('XDSStoredQueryMissingParam', `One of ${oneOf.join(', ')} is missing`)
  if (given.length > 1)
    throw new RegistryProblem('XDSStoredQueryParamNumber', `Only one of ${given.join(', ')} may stand`)
}

/** The patient the query names, where it names one. */
export function patientAsked(asked: AskedQuery): string | undefined {
  for (const name of patientParameters) {
    const value = asked.parameters.get(name)?.[0]?.[0]
    if (value !== undefined) return value
  }
  return undefined
}

/** The document types asked for; `undefined` when the query does not narrow them. */
export function typesAsked(asked: AskedQuery): readonly string[] | undefined {
  return asked.parameters.get(`${doc}TypeCode`)?.flat()
}
