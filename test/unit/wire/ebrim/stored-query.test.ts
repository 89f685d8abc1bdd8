import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ErrorCode, GatewayError } from '../../../../src/core/errors.ts'
import type { StoredQuery } from '../../../../src/core/model/stored-query.ts'
import { queryIds } from '../../../../src/wire/ebrim/names.ts'
import { decodeStoredQuery, encodeStoredQuery } from '../../../../src/wire/ebrim/stored-query.ts'
import { readTree } from '../../../../src/wire/xml.ts'
import { storedQueries } from './arbitraries.ts'

const approved = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"
const patient = "'RSSMRA75C03F839K^^^&amp;2.16.840.1.113883.2.9.4.3.2&amp;ISO'"
const citizen = { value: 'RSSMRA75C03F839K', authority: '2.16.840.1.113883.2.9.4.3.2' }

type Slots = readonly (readonly [name: string, ...values: string[]])[]

const asked: Slots = [
  ['$XDSDocumentEntryPatientId', patient],
  ['$XDSDocumentEntryStatus', approved],
]

interface Shape {
  readonly id?: string
  readonly home?: string
  readonly returnType?: string
}

function request(slots: Slots, { id = queryIds.FindDocuments, home, returnType = 'LeafClass' }: Shape = {}): string {
  const written = slots.map(
    ([name, ...values]) =>
      `<rim:Slot name="${name}"><rim:ValueList>${values.map((v) => `<rim:Value>${v}</rim:Value>`).join('')}</rim:ValueList></rim:Slot>`,
  )
  return (
    '<q:AdhocQueryRequest id="urn:uuid:1" xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">' +
    `<q:ResponseOption returnComposedObjects="true" returnType="${returnType}"/>` +
    `<rim:AdhocQuery id="${id}"${home === undefined ? '' : ` home="${home}"`}>${written.join('')}</rim:AdhocQuery></q:AdhocQueryRequest>`
  )
}

function decode(xml: string) {
  const tree = readTree(Buffer.from(xml))
  return decodeStoredQuery(tree, tree.root)
}

function decoded(slots: Slots, shape?: Shape): StoredQuery {
  return decode(request(slots, shape)).query
}

function refusal(xml: string): ErrorCode {
  try {
    decode(xml)
  } catch (error) {
    if (error instanceof GatewayError) return error.code
    throw error
  }
  throw new Error('nothing was refused')
}

const documentFilter = (...more: Slots) => {
  const query = decoded([...asked, ...more])
  if (query.type !== 'FindDocuments') throw new Error('another query')
  return query.filter
}

describe('a stored query as it comes in', () => {
  it('is read with what it asks for, and how it wants the answer', () => {
    expect(decode(request(asked, { returnType: 'ObjectRef' }))).toEqual({
      query: { type: 'FindDocuments', patientId: citizen, status: ['approved'], filter: {}, extra: [] },
      returnType: 'ObjectRef',
      requestId: 'urn:uuid:1',
    })
  })

  it('may name the community it is for', () => {
    const home = 'urn:oid:2.16.840.1.113883.2.9.2.90'
    expect(decoded(asked, { home }).home).toBe(home)
    expect(refusal(request(asked, { home: 'tuscany' }))).toBe('parameter-invalid')
  })

  it('is known by its id, in whatever case', () => {
    expect(decoded(asked, { id: queryIds.FindDocuments.toUpperCase().replace('URN:UUID:', 'urn:uuid:') }).type).toBe(
      'FindDocuments',
    )
    expect(decoded(asked, { id: queryIds.FindDocuments.replace('urn:uuid:', '') }).type).toBe('FindDocuments')
    expect(refusal(request(asked, { id: 'urn:uuid:00000000-0000-0000-0000-000000000000' }))).toBe('query-unsupported')
  })

  it('keeps the parameters nobody here knows', () => {
    expect(decoded([...asked, ['$MetadataLevel', '1'], ['$XDSDocumentEntry.author', "('a')", 'b']]).extra).toEqual([
      { name: '$MetadataLevel', values: ['1'] },
      { name: '$XDSDocumentEntry.author', values: ["('a')", 'b'] },
    ])
  })

  it.each([
    ['FindDocuments', [['$XDSDocumentEntryStatus', approved]]],
    ['FindDocuments', [['$XDSDocumentEntryPatientId', patient]]],
    ['FindDocumentsByReferenceId', asked],
    ['FindSubmissionSets', [['$XDSSubmissionSetPatientId', patient]]],
    ['FindFolders', [['$XDSFolderPatientId', patient]]],
    [
      'GetAll',
      [
        ['$patientId', patient],
        ['$XDSDocumentEntryStatus', approved],
        ['$XDSSubmissionSetStatus', approved],
      ],
    ],
    ['GetDocuments', []],
    ['GetFolders', []],
    ['GetAssociations', []],
    ['GetDocumentsAndAssociations', [['$XDSDocumentEntryLogicalID', "('urn:uuid:1')"]]],
    ['GetSubmissionSets', []],
    ['GetSubmissionSetAndContents', []],
    ['GetFolderAndContents', []],
    ['GetFoldersForDocument', []],
    ['GetRelatedDocuments', [['$XDSDocumentEntryUniqueId', "'1.2.3'"]]],
    ['GetDocuments', [['$XDSDocumentEntryUniqueId']]],
    ['FindDocuments', [...asked, ['$XDSDocumentEntryTypeCode']]],
    ['FindDocuments', [...asked, ['$XDSDocumentEntryTypeCode', '()']]],
    ['FindDocuments', [...asked, ['$XDSDocumentEntryCreationTimeFrom']]],
    [
      'FindDocuments',
      [asked[0]!, ['$XDSDocumentEntryStatus', "('urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Approved')"]],
    ],
  ] as const)('%s without what it needs is refused as lacking a parameter (%j)', (type, slots) => {
    expect(refusal(request(slots as Slots, { id: queryIds[type] }))).toBe('parameter-missing')
  })

  it.each([
    ['FindDocuments', [...asked, ['$XDSDocumentEntryPatientId', patient]]],
    ['FindDocuments', [['$XDSDocumentEntryPatientId', patient, patient], asked[1]!]],
    ['FindDocuments', [['$XDSDocumentEntryPatientId', `(${patient},${patient})`], asked[1]!]],
    ['FindDocuments', [...asked, ['$XDSDocumentEntryTypeCode', "('a^^b')"], ['$XDSDocumentEntryTypeCode', "('c^^b')"]]],
    ['FindDocuments', [...asked, ['$XDSDocumentEntryCreationTimeFrom', '2024', '2025']]],
    [
      'GetDocuments',
      [
        ['$XDSDocumentEntryUniqueId', "('1')"],
        ['$XDSDocumentEntryEntryUUID', "('urn:uuid:1')"],
      ],
    ],
    ['GetFolderAndContents', [['$XDSFolderUniqueId', "('1','2')"]]],
  ] as const)('%s with more than it can take is refused as having too many (%j)', (type, slots) => {
    expect(refusal(request(slots as Slots, { id: queryIds[type] }))).toBe('parameter-count')
  })

  it.each([
    [['$XDSDocumentEntryTypeCode', "('a^^b'"]],
    [['$XDSDocumentEntryTypeCode', "('a^^b',)"]],
    [['$XDSDocumentEntryTypeCode', "('a^^b' 'c^^d')"]],
    [['$XDSDocumentEntryTypeCode', "('a^^b') or 1"]],
    [['$XDSDocumentEntryTypeCode', "'a^^b"]],
    [['$XDSDocumentEntryTypeCode', "'a^^b','c^^d'"]],
    [['$XDSDocumentEntryTypeCode', "('')"]],
    [['$XDSDocumentEntryTypeCode', '("a^^b")']],
    [['$XDSDocumentEntryTypeCode', '"a^^b"']],
    [['$XDSDocumentEntryTypeCode', "('a^b^c')"]],
    [['$XDSDocumentEntryTypeCode', "('a^^')"]],
    [['$XDSDocumentEntryTypeCode', "('^^b')"]],
    [['$XDSDocumentEntryTypeCode', "('a^^b^c')"]],
    [['$XDSDocumentEntryTypeCodeScheme', "('b')"]],
    [['$XDSDocumentEntryCreationTimeFrom', '20241301']],
    [['$XDSDocumentEntryCreationTimeFrom', '2024-01-01']],
  ] as const)('a malformed parameter is refused as invalid (%j)', (slot) => {
    expect(refusal(request([...asked, slot]))).toBe('parameter-invalid')
  })

  it.each([
    "'RSSMRA75C03F839X^^^&amp;2.16.840.1.113883.2.9.4.3.2&amp;ISO'",
    "'rssmra75c03f839k^^^&amp;2.16.840.1.113883.2.9.4.3.2&amp;ISO'",
    "'RSSMRA75C03F839K'",
    "'ECID1^^^ECID&amp;ECID&amp;ECID'",
  ])('a patient who cannot exist is refused, and not repeated (%s)', (id) => {
    const xml = request([['$XDSDocumentEntryPatientId', id], asked[1]!])
    expect(refusal(xml)).toBe('parameter-invalid')
    expect(() => decode(xml)).not.toThrow(/RSSMRA|rssmra|ECID/)
  })

  it.each([
    ['another element', '<q:AdhocQuery xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"/>'],
    ['another namespace', request(asked).replace('xsd:query:3.0', 'xsd:query:2.1')],
    ['two queries', request(asked).replace(/(<rim:AdhocQuery .*<\/rim:AdhocQuery>)/, '$1$1')],
    ['no response option', request(asked).replace(/<q:ResponseOption[^>]*>/, '')],
    ['no id', request(asked).replace(/ id="urn:uuid:14[^"]*"/, '')],
  ])('a request of a wrong shape is refused as such: %s', (_, xml) => {
    expect(refusal(xml)).toBe('request-malformed')
  })

  it.each(['RegistryObject', 'LeafClassWithRepositoryItem', ''])('an answer as %j is nothing we give', (returnType) => {
    expect(refusal(request(asked, { returnType }))).toBe('parameter-invalid')
  })
})

describe('the values of a parameter', () => {
  it('are any of several, in one list or in several', () => {
    const codes = [
      { code: 'a', scheme: '1' },
      { code: 'b', scheme: '1' },
      { code: "it's", scheme: '1' },
    ]
    expect(documentFilter(['$XDSDocumentEntryTypeCode', "('a^^1', 'b^^1','it''s^^1')"]).typeCodes).toEqual(codes)
    expect(documentFilter(['$XDSDocumentEntryTypeCode', "('a^^1')", "\n ( 'b^^1',\n 'it''s^^1' ) "]).typeCodes).toEqual(
      codes,
    )
  })

  it('are all of several when the slot is repeated, where the standard allows it', () => {
    expect(
      documentFilter(
        ['$XDSDocumentEntryEventCodeList', "('a^^1','b^^1')"],
        ['$XDSDocumentEntryEventCodeList', "('c^^1')"],
      ).eventCodes,
    ).toEqual([
      [
        { code: 'a', scheme: '1' },
        { code: 'b', scheme: '1' },
      ],
      [{ code: 'c', scheme: '1' }],
    ])
  })

  it('may stand unquoted, and codes without their scheme, as INI sends them', () => {
    const query = decoded([
      ['$XDSDocumentEntryPatientId', patient.slice(1, -1)],
      ['$XDSDocumentEntryStatus', approved.slice(2, -2)],
      ['$XDSDocumentEntryEventCodeList', 'P99'],
      ['$XDSDocumentEntryTypeCode', '(60591-5^^2.16.840.1.113883.6.1, 11502-2)'],
    ])
    expect(query).toMatchObject({
      patientId: citizen,
      status: ['approved'],
      filter: {
        eventCodes: [[{ code: 'P99' }]],
        typeCodes: [{ code: '60591-5', scheme: '2.16.840.1.113883.6.1' }, { code: '11502-2' }],
      },
    })
  })

  it('may stand in parentheses even where there is only one', () => {
    expect(decoded([['$XDSDocumentEntryPatientId', `(${patient})`], asked[1]!])).toMatchObject({ patientId: citizen })
  })

  it('of a status or a document type nobody knows are passed over', () => {
    expect(
      decoded([
        asked[0]!,
        ['$XDSDocumentEntryStatus', "('urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated','urn:example:Draft')"],
        ['$XDSDocumentEntryType', "('urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248','urn:uuid:1')"],
      ]),
    ).toMatchObject({ status: ['deprecated'], filter: { kinds: ['on-demand'] } })
  })

  it('of a time are read quoted or not', () => {
    expect(
      documentFilter(['$XDSDocumentEntryCreationTimeFrom', '202401'], ['$XDSDocumentEntryCreationTimeTo', "'20250101'"])
        .creationTime,
    ).toEqual({ from: '202401', to: '20250101' })
  })

  it('of an association type are read in full and in the short form of old data', () => {
    expect(
      decoded(
        [
          ['$XDSDocumentEntryUniqueId', "'1.2.3'"],
          ['$AssociationTypes', "('urn:ihe:iti:2007:AssociationType:RPLC','XFRM')"],
        ],
        { id: queryIds.GetRelatedDocuments },
      ),
    ).toMatchObject({ associationTypes: ['replaces', 'transforms'] })
  })
})

describe('a stored query as it goes out', () => {
  const query: StoredQuery = {
    type: 'FindDocuments',
    patientId: citizen as never,
    status: ['approved'],
    filter: {
      typeCodes: Array.from({ length: 9 }, (_, at) => ({ code: `60591-${at}`, scheme: '2.16.840.1.113883.6.1' })),
      creationTime: { from: '2024' as never },
    },
    extra: [],
  }

  it('quotes what is text and leaves numbers as they are', () => {
    const xml = encodeStoredQuery(query)
    expect(xml).toContain(`<rim:Value>${patient}</rim:Value>`)
    expect(xml).toContain('<rim:Value>2024</rim:Value>')
    expect(xml).toContain("<rim:Value>('60591-0^^2.16.840.1.113883.6.1')</rim:Value>")
  })

  it('may put codes together, but never beyond the 256 characters of a value', () => {
    const xml = encodeStoredQuery(query, { codeLists: 'joined' })
    const values = [...xml.matchAll(/<rim:Value>\(([^<]*60591[^<]*)\)<\/rim:Value>/g)].map((match) => match[0])
    expect(values).toHaveLength(2)
    expect(Math.max(...values.map((value) => value.length - '<rim:Value></rim:Value>'.length))).toBeLessThanOrEqual(256)
    expect(decode(xml).query).toEqual(query)
  })

  it('asks for whole objects unless told otherwise', () => {
    expect(encodeStoredQuery(query)).toContain('returnType="LeafClass"')
    expect(encodeStoredQuery(query, { returnType: 'ObjectRef' })).toContain('returnType="ObjectRef"')
  })

  it('does not ask for objects by a key the query has no parameter for', () => {
    const key = { by: 'logical-id', ids: ['urn:uuid:1'] } as const
    expect(() => encodeStoredQuery({ type: 'GetFoldersForDocument', document: key, extra: [] })).toThrow(GatewayError)
  })

  it.each(Object.keys(storedQueries) as StoredQuery['type'][])('comes back as it was: %s', (type) => {
    fc.assert(
      fc.property(storedQueries[type], fc.constantFrom('one-per-value', 'joined'), (asked, codeLists) => {
        expect(decode(encodeStoredQuery(asked, { codeLists })).query).toEqual(asked)
      }),
    )
  })
})
