import fc, { type Arbitrary } from 'fast-check'
import type { QueryAnswer } from '../../../../src/core/model/answers.ts'
import type { Code, CodeQuery, Extra, LocalizedText, Slot } from '../../../../src/core/model/code.ts'
import { type HomeCommunityId, homeCommunityId } from '../../../../src/core/model/identifiers.ts'
import type { Association, Author, DocumentEntry, Folder, SubmissionSet } from '../../../../src/core/model/metadata.ts'
import { authorities, codiceFiscaleCheckCharacter, type PatientId } from '../../../../src/core/model/patient.ts'
import type { ContentFilter, DocumentFilter, ObjectKey, StoredQuery } from '../../../../src/core/model/stored-query.ts'
import { type TimeRange, type Timestamp, timestamp } from '../../../../src/core/model/timestamp.ts'

/** Without the keys whose value is undefined, as `exactOptionalPropertyTypes` wants it. */
export function some<T>(
  fields: { readonly [Key in keyof T]: Arbitrary<T[Key]> },
  ...always: (keyof T)[]
): Arbitrary<T> {
  return fc.record(fields as never, { requiredKeys: always as never }) as unknown as Arbitrary<T>
}

const awkward = [
  '<',
  '>',
  '&',
  '"',
  "'",
  '^',
  '(',
  ')',
  ',',
  ' ',
  '\n',
  '\t',
  '\r',
  'è',
  '漢',
  '😀',
  ']]>',
  '%',
  '_',
  '\u0085',
  '\u2028',
]
const unit = fc.oneof(fc.constantFrom(...awkward), fc.constantFrom(...'abcXYZ019-.:'))
/** Text of at least one character, with everything in it that has a meaning in XML, HL7 or stored queries. */
export const text: Arbitrary<string> = fc.string({ unit, minLength: 1, maxLength: 12 })
export const anyText: Arbitrary<string> = fc.string({ unit, maxLength: 12 })

/** White space around a value is that of pretty printing, and not kept. */
const told = anyText.map((value) => value.trim())
const named = text.map((value) => `x${value}`.trim())

const letters = (count: number) =>
  fc.string({ unit: fc.constantFrom(...'ABCDEFGHILMNPRSTZ'), minLength: count, maxLength: count })
const digits = (count: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: count, maxLength: count })

/** Synthetic people only: surnames and birthplaces are drawn by lot, so that the codes belong to nobody by design. */
export const patientId: Arbitrary<PatientId> = fc.oneof(
  fc.tuple(letters(6), digits(2), letters(1), digits(2), letters(1), digits(3)).map((parts) => {
    const first = parts.join('')
    return { value: first + codiceFiscaleCheckCharacter(first), authority: authorities.codiceFiscale }
  }),
  digits(13).map((number) => ({ value: `STP${number}`, authority: authorities.stp })),
)

export const uuid: Arbitrary<string> = fc.uuid().map((id) => `urn:uuid:${id}`)
export const home: Arbitrary<HomeCommunityId> = fc
  .integer({ min: 10, max: 999 })
  .map((number) => homeCommunityId(`urn:oid:2.16.840.1.113883.2.9.2.${number}`))
export const time: Arbitrary<Timestamp> = fc
  .constantFrom('2024', '202402', '20240229', '2024022923', '202402292359', '20240229235958')
  .map(timestamp)

const codeText: Arbitrary<string> = text.map((value) => value.replaceAll('^', '-'))
const oneOrMore = <T>(item: Arbitrary<T>) => fc.array(item, { minLength: 1, maxLength: 4 })
const code: Arbitrary<CodeQuery> = some<CodeQuery>({ code: codeText, scheme: codeText }, 'code')
const codes = oneOrMore(code)
const groups = oneOrMore(codes)
const kinds = fc.uniqueArray(fc.constantFrom('stable' as const, 'on-demand' as const), { minLength: 1 })
const status = fc.uniqueArray(fc.constantFrom('approved' as const, 'deprecated' as const), { minLength: 1 })
const range: Arbitrary<TimeRange> = fc.oneof(
  fc.record({ from: time }),
  fc.record({ to: time }),
  fc.record({ from: time, to: time }),
)

const content: Arbitrary<ContentFilter> = some<ContentFilter>({
  formatCodes: codes,
  confidentialityCodes: groups,
  kinds,
})
const documents: Arbitrary<DocumentFilter> = some<DocumentFilter>({
  classCodes: codes,
  typeCodes: codes,
  practiceSettingCodes: codes,
  healthcareFacilityTypeCodes: codes,
  formatCodes: codes,
  eventCodes: groups,
  confidentialityCodes: groups,
  authorPersons: oneOrMore(text),
  kinds,
  creationTime: range,
  serviceStartTime: range,
  serviceStopTime: range,
})

const ids = oneOrMore(text)
const key = (by: readonly ObjectKey['by'][], names: Arbitrary<string[]>): Arbitrary<ObjectKey> =>
  fc.record({ by: fc.constantFrom(...by), ids: names })
const two = ['entry-uuid', 'unique-id'] as const
const several = key(two, ids)
const versions = key([...two, 'logical-id'], ids)
const one = key(
  two,
  text.map((id) => [id]),
)

/** Parameters nobody here knows: told on as they came, whatever is in them. */
const unknown: Arbitrary<Slot> = fc.record({
  name: fc.constantFrom('$MetadataLevel', '$XDSDocumentEntry.author', '$targetCommunityIdList', '$x'),
  values: fc.array(anyText, { maxLength: 3 }),
})

function query<T extends StoredQuery['type']>(
  type: T,
  fields: {
    readonly [Key in keyof Omit<Extract<StoredQuery, { type: T }>, 'type' | 'home' | 'extra'>]-?: Arbitrary<unknown>
  },
  ...always: string[]
): Arbitrary<StoredQuery> {
  return fc.record(
    { type: fc.constant(type), home, extra: fc.array(unknown, { maxLength: 2 }), ...fields },
    { requiredKeys: ['type', 'extra', ...always] as never },
  ) as unknown as Arbitrary<StoredQuery>
}

export const storedQueries: Readonly<Record<StoredQuery['type'], Arbitrary<StoredQuery>>> = {
  FindDocuments: query('FindDocuments', { patientId, status, filter: documents }, 'patientId', 'status', 'filter'),
  FindDocumentsByReferenceId: query(
    'FindDocumentsByReferenceId',
    { patientId, status, referenceIds: oneOrMore(ids), filter: documents },
    'patientId',
    'status',
    'referenceIds',
    'filter',
  ),
  FindSubmissionSets: query(
    'FindSubmissionSets',
    { patientId, status, sourceIds: ids, submissionTime: range, authorPerson: text, contentTypeCodes: codes },
    'patientId',
    'status',
  ),
  FindFolders: query('FindFolders', { patientId, status, lastUpdateTime: range, codes: groups }, 'patientId', 'status'),
  GetAll: query(
    'GetAll',
    { patientId, documentStatus: status, submissionSetStatus: status, folderStatus: status, filter: content },
    'patientId',
    'documentStatus',
    'submissionSetStatus',
    'folderStatus',
    'filter',
  ),
  GetDocuments: query('GetDocuments', { documents: versions }, 'documents'),
  GetFolders: query('GetFolders', { folders: versions }, 'folders'),
  GetAssociations: query('GetAssociations', { ids }, 'ids'),
  GetDocumentsAndAssociations: query('GetDocumentsAndAssociations', { documents: several }, 'documents'),
  GetSubmissionSets: query('GetSubmissionSets', { ids }, 'ids'),
  GetSubmissionSetAndContents: query(
    'GetSubmissionSetAndContents',
    { submissionSet: one, filter: content },
    'submissionSet',
    'filter',
  ),
  GetFolderAndContents: query('GetFolderAndContents', { folder: one, filter: content }, 'folder', 'filter'),
  GetFoldersForDocument: query('GetFoldersForDocument', { document: one }, 'document'),
  GetRelatedDocuments: query(
    'GetRelatedDocuments',
    {
      document: one,
      associationTypes: oneOrMore(fc.constantFrom('replaces', 'has-member', 'urn:example:association')),
      kinds,
    },
    'document',
    'associationTypes',
  ),
}

const localized: Arbitrary<LocalizedText> = some<LocalizedText>(
  { value: anyText, language: fc.constantFrom('it', 'de-IT'), charset: fc.constantFrom('UTF-8', 'ISO-8859-15') },
  'value',
)
const unknownSlot: Arbitrary<Slot> = some<Slot>(
  {
    name: fc.constantFrom('urn:ita:2017:repository-type', 'urn:ita:2022:description', 'x'),
    values: fc.array(anyText, { maxLength: 3 }),
    slotType: fc.constant('urn:example:type'),
  },
  'name',
  'values',
)
const attributes = some<Record<string, string>>({
  id: uuid,
  lid: uuid,
  status: fc.constant('urn:example:status'),
  '{urn:example:names}mark': anyText,
})

/** Of something that has keys, or not at all: an empty Extra is never made. */
function filled<T extends object>(from: Arbitrary<T>): Arbitrary<T> {
  return from.filter((value) => Object.keys(value).length > 0)
}

const versionInfo = some<Record<string, string>>({ versionName: fc.constant('2'), comment: anyText })
const memberFields = {
  attributes: filled(attributes),
  slots: oneOrMore(unknownSlot),
  descriptions: oneOrMore(localized),
  version: versionInfo,
}
/** What can come with a classification or an identifier. */
const memberExtra: Arbitrary<Extra> = filled(
  some<Extra>({
    ...memberFields,
    classifications: oneOrMore(
      fc.record({
        scheme: uuid,
        node: uuid,
        value: anyText,
        extra: fc.record({ attributes: fc.record({ id: uuid }), slots: oneOrMore(unknownSlot) }),
      }),
    ),
  } as never),
)
const withNames = (extra: Arbitrary<Extra>) =>
  fc.tuple(extra, oneOrMore(localized)).map(([fields, names]): Extra => ({ ...fields, names }))

const storedCode: Arbitrary<Code> = some<Code>(
  { code: anyText, scheme: told, display: anyText, extra: memberExtra },
  'code',
  'scheme',
)
const author: Arbitrary<Author> = some<Author>(
  {
    persons: fc.array(told, { maxLength: 2 }),
    institutions: fc.array(told, { maxLength: 2 }),
    roles: fc.array(told, { maxLength: 2 }),
    specialties: fc.array(told, { maxLength: 2 }),
    telecommunications: fc.array(told, { maxLength: 2 }),
    extra: fc.oneof(memberExtra, withNames(memberExtra)),
  },
  'persons',
  'institutions',
  'roles',
  'specialties',
  'telecommunications',
)

const objectExtra = (
  of: Readonly<Record<string, Arbitrary<Extra>>>,
  kind: 'entry' | 'package' | 'association',
): Arbitrary<Extra> =>
  filled(
    some<Extra>({
      attributes: filled(
        some<Record<string, string>>({
          ...(kind === 'entry' ? { isOpaque: fc.constant('true') } : {}),
          '{urn:example:names}mark': anyText,
        }),
      ),
      slots: oneOrMore(unknownSlot),
      ...(kind === 'entry' ? { contentVersion: versionInfo } : {}),
      classifications: oneOrMore(
        fc.record({ scheme: uuid, value: anyText, extra: fc.oneof(fc.constant({}), withNames(memberExtra)) }),
      ),
      identifiers: oneOrMore(
        fc.record({ scheme: uuid, value: anyText, extra: fc.oneof(fc.constant({}), withNames(memberExtra)) }),
      ),
      of: filled(some<Record<string, Extra>>(of)),
      ...(kind !== 'association' ? {} : { names: oneOrMore(localized), descriptions: oneOrMore(localized) }),
    } as never),
  )

const objectFields = {
  entryUuid: uuid,
  logicalId: uuid,
  version: fc.constantFrom('1', '2'),
  home,
  status: fc.constantFrom('approved' as const, 'deprecated' as const, 'urn:example:status'),
}
const titles = { title: fc.array(localized, { maxLength: 2 }), comments: fc.array(localized, { maxLength: 2 }) }
const texts = fc.array(told, { maxLength: 3 })

export const documentEntry: Arbitrary<DocumentEntry> = some<DocumentEntry>(
  {
    ...objectFields,
    ...titles,
    kind: fc.constantFrom('stable' as const, 'on-demand' as const),
    uniqueId: text,
    repositoryUniqueId: named,
    patientId,
    mimeType: text,
    hash: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 40, maxLength: 40 }),
    size: fc.nat(),
    creationTime: time,
    serviceStartTime: time,
    serviceStopTime: time,
    languageCode: named,
    legalAuthenticator: named,
    sourcePatientId: named,
    sourcePatientInfo: texts,
    documentAvailability: named,
    uri: oneOrMore(told),
    authors: fc.array(author, { maxLength: 2 }),
    classCode: storedCode,
    typeCode: storedCode,
    formatCode: storedCode,
    healthcareFacilityTypeCode: storedCode,
    practiceSettingCode: storedCode,
    confidentialityCodes: fc.array(storedCode, { maxLength: 2 }),
    eventCodes: fc.array(storedCode, { maxLength: 2 }),
    referenceIds: texts,
    extra: objectExtra({ patientId: memberExtra, uniqueId: withNames(memberExtra) }, 'entry'),
  },
  'entryUuid',
  'title',
  'comments',
  'kind',
  'uniqueId',
  'patientId',
  'sourcePatientInfo',
  'authors',
  'confidentialityCodes',
  'eventCodes',
  'referenceIds',
)

export const submissionSet: Arbitrary<SubmissionSet> = some<SubmissionSet>(
  {
    ...objectFields,
    ...titles,
    uniqueId: text,
    sourceId: text,
    patientId,
    submissionTime: time,
    contentTypeCode: storedCode,
    authors: fc.array(author, { maxLength: 2 }),
    intendedRecipients: texts,
    extra: objectExtra(
      { patientId: memberExtra, sourceId: memberExtra, uniqueId: memberExtra, node: memberExtra },
      'package',
    ),
  },
  'entryUuid',
  'title',
  'comments',
  'sourceId',
  'uniqueId',
  'patientId',
  'authors',
  'intendedRecipients',
)

export const folder: Arbitrary<Folder> = some<Folder>(
  {
    ...objectFields,
    ...titles,
    uniqueId: text,
    patientId,
    lastUpdateTime: time,
    codes: fc.array(storedCode, { maxLength: 3 }),
    extra: objectExtra({ node: memberExtra }, 'package'),
  },
  'entryUuid',
  'title',
  'comments',
  'uniqueId',
  'patientId',
  'codes',
)

export const association: Arbitrary<Association> = some<Association>(
  {
    ...objectFields,
    type: fc.constantFrom('has-member', 'replaces', 'signs', 'submits-association', 'urn:example:association'),
    source: uuid,
    target: uuid,
    submissionSetStatus: fc.constantFrom('Original', 'Reference'),
    previousVersion: named,
    documentation: storedCode,
    extra: objectExtra(
      { SubmissionSetStatus: fc.constant({ attributes: { slotType: 'urn:example:type' } }) },
      'association',
    ),
  },
  'entryUuid',
  'type',
  'source',
  'target',
).filter((object) => object.submissionSetStatus !== undefined || object.extra?.of === undefined)

export const queryAnswer: Arbitrary<QueryAnswer> = fc.record({
  entries: fc.array(documentEntry, { maxLength: 2 }),
  submissionSets: fc.array(submissionSet, { maxLength: 2 }),
  folders: fc.array(folder, { maxLength: 2 }),
  associations: fc.array(association, { maxLength: 2 }),
  references: fc.array(some<QueryAnswer['references'][number]>({ id: uuid, home }, 'id'), { maxLength: 2 }),
  issues: fc.array(
    some<QueryAnswer['issues'][number]>(
      { severity: fc.constantFrom('error' as const, 'warning' as const), code: text, text: anyText, location: text },
      'severity',
      'code',
      'text',
    ),
    { maxLength: 2 },
  ),
})
