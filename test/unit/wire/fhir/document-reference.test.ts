import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import type { DocumentEntry } from '../../../../src/core/model/metadata.ts'
import { documentEntryTable } from '../../../../src/wire/ebrim/object-tables.ts'
import { writeObject } from '../../../../src/wire/ebrim/object-write.ts'
import { parseJson, readSearchPage } from '../../../../src/wire/fhir/bundle.ts'
import { decodeDocumentReference, encodeDocumentReference } from '../../../../src/wire/fhir/document-reference.ts'
import { document, documentWith, fixture } from './samples.ts'

const entryUuid = 'urn:uuid:0c287d32-01e3-4d87-9953-9fcc9404eb21'
const url = 'https://gateway.example/fhir/Binary/1'

function report(): Record<string, unknown> {
  const [first] = readSearchPage(parseJson(fixture('searchset-two-documents')), 'DocumentReference').matches
  return { ...first?.resource }
}

const decoded = (resource: unknown): DocumentEntry => decodeDocumentReference(resource).entry

function fault(resource: unknown): GatewayError {
  try {
    decodeDocumentReference(resource)
  } catch (error) {
    if (error instanceof GatewayError) return error
    throw error
  }
  throw new Error('The resource was understood')
}

describe('decodeDocumentReference', () => {
  it.each([
    ['12', '12'],
    ['0', '0'],
    ['', undefined],
    ['01', undefined],
    ['1.5', undefined],
    ['-1', undefined],
    ['9'.repeat(16), undefined],
    ['MTcyOTA2', undefined],
    [3, undefined],
  ])('takes the version %j of the resource for %j', (versionId, version) => {
    expect(decoded({ ...report(), meta: { versionId } }).version).toBe(version)
    expect(decoded({ ...report(), meta: 'none' }).version).toBeUndefined()
  })

  it('is of the entryUUID it has now, and tells the first one it had as its logicalID', () => {
    const uuid = (digit: string) => `urn:uuid:${digit.repeat(8)}-0000-4000-8000-000000000000`
    const had = (digit: string) => ({ use: 'old', system: 'urn:ietf:rfc:3986', value: uuid(digit) })
    const [current] = report().identifier as readonly object[]
    const { entryUuid } = decoded(report())
    const told = decoded({ ...report(), identifier: [had('2'), current, had('1')] })
    expect(told).toMatchObject({ entryUuid, logicalId: uuid('1') })
    const unmarked = { system: 'urn:ietf:rfc:3986', value: uuid('3') }
    expect(decoded({ ...report(), identifier: [had('1'), unmarked] })).toMatchObject({
      entryUuid: uuid('3'),
      logicalId: uuid('1'),
    })
    const only = decoded({ ...report(), identifier: [had('1')] })
    expect(only.entryUuid).toBe(uuid('1'))
    expect(only.logicalId).toBeUndefined()
  })

  it('reads every attribute that ITI-67 carries', () => {
    const { extra, ...entry } = decoded(report())
    expect(extra?.slots).toEqual([{ name: 'urn:ita:2022:administrativeRequest', values: ['SSN^Regime SSN'] }])
    const doctor = 'SNTDCM45C50G713L^SINTETICA^DECIMA^^^^^^&2.16.840.1.113883.2.9.4.3.2&ISO'
    expect(entry).toEqual({
      kind: 'stable',
      version: '3',
      entryUuid,
      uniqueId: '2.16.840.1.113883.2.9.2.90.4.4^SYN.LAB.1',
      home: 'urn:oid:2.16.840.1.113883.2.9.2.90',
      repositoryUniqueId: '2.16.840.1.113883.2.9.2.90.4.5.910',
      status: 'approved',
      patientId: { value: 'PRVCRC70A01D612G', authority: '2.16.840.1.113883.2.9.4.3.2' },
      title: [{ value: 'Referto di laboratorio' }],
      comments: [{ value: 'Emocromo' }],
      mimeType: 'application/pdf',
      languageCode: 'it-IT',
      hash: '4e7c8255378d8086ee0c527bf7f1b6442256251c',
      size: 48213,
      creationTime: '20250301100000',
      serviceStartTime: '20250228073000',
      serviceStopTime: '20250228',
      typeCode: { code: '11502-2', scheme: '2.16.840.1.113883.6.1', display: 'Referto di Laboratorio' },
      classCode: { code: 'REF', scheme: '2.16.840.1.113883.2.9.3.3.6.1.5', display: 'Referto' },
      formatCode: {
        code: '2.16.840.1.113883.2.9.10.1.1',
        scheme: '2.16.840.1.113883.2.9.3.3.6.1.6',
        display: 'Referto di Laboratorio',
      },
      healthcareFacilityTypeCode: {
        code: 'Territorio',
        scheme: '2.16.840.1.113883.2.9.3.3.6.1.1',
        display: 'Territorio',
      },
      practiceSettingCode: {
        code: 'AD_PSC100',
        scheme: '2.16.840.1.113883.2.9.3.3.6.1.2',
        display: 'Laboratorio Analisi Chimico Cliniche',
      },
      confidentialityCodes: [{ code: 'N', scheme: '2.16.840.1.113883.5.25', display: 'Normal' }],
      eventCodes: [{ code: 'P99', scheme: '2.16.840.1.113883.2.9.3.3.6.1.3', display: 'Oscuramento del documento' }],
      authors: [
        {
          persons: [doctor],
          institutions: ['LABORATORIO ANALISI SINTETICO^^^^^&2.16.840.1.113883.2.9.4.1.2&ISO^^^^090202'],
          roles: ['AAS'],
          specialties: [],
          telecommunications: ['^^Internet^laboratorio@example.test'],
        },
      ],
      legalAuthenticator: doctor,
      sourcePatientId: 'PRVCRC70A01D612G^^^&2.16.840.1.113883.2.9.4.3.2&ISO',
      sourcePatientInfo: [
        'PID-3|PRVCRC70A01D612G^^^&2.16.840.1.113883.2.9.4.3.2&ISO',
        'PID-5|PROVA^CROCE^SECONDA',
        'PID-7|19700101',
        'PID-8|M',
        'PID-11|VIA DEI TEST 1^^FIRENZE^FI^50100',
      ],
      referenceIds: ['0900A4000000001^^^&2.16.840.1.113883.2.9.4.3.8&ISO^urn:ihe:iti:xds:2013:order'],
    })
  })

  it.each([
    [{ system: 'urn:ietf:rfc:3986', value: 'urn:oid:1.2.3' }, '1.2.3'],
    [
      { system: 'urn:ietf:rfc:3986', value: 'urn:uuid:1d398e43-12f4-4e98-8a64-a00da515fc32' },
      'urn:uuid:1d398e43-12f4-4e98-8a64-a00da515fc32',
    ],
    [{ system: 'urn:oid:1.2.3', value: 'A.1' }, '1.2.3^A.1'],
    [{ value: 'urn:oid:1.2.3^A.1' }, '1.2.3^A.1'],
    [{ system: 'https://record.example/ids', value: 'A.1' }, 'A.1'],
  ])('reads the uniqueId of %j', (masterIdentifier, uniqueId) => {
    expect(decoded(document({ masterIdentifier })).uniqueId).toBe(uniqueId)
  })

  it('takes the identifier marked as entryUUID, else the official one, else the only UUID', () => {
    const uuid = (value: string, more = {}) => ({ system: 'urn:ietf:rfc:3986', value: `urn:uuid:${value}`, ...more })
    const type = (code: string) => ({
      type: { coding: [{ system: 'https://profiles.ihe.net/ITI/MHD/CodeSystem/IHE.MHD.MHDIdentifierType', code }] },
    })
    const id = (...identifier: unknown[]) => decoded(document({ identifier })).entryUuid
    expect(id(uuid('a'), uuid('b', { use: 'official' }), uuid('c', type('entryUUID')))).toBe('urn:uuid:c')
    expect(id(uuid('a'), uuid('b', { use: 'official' }))).toBe('urn:uuid:b')
    expect(id(uuid('a', type('uniqueId')), uuid('b'))).toBe('urn:uuid:b')
  })

  it('takes a UUID that is the id of the resource when nothing else is one', () => {
    const resource = document({ id: '1D398E43-12F4-4E98-8A64-A00DA515FC32', identifier: [] })
    expect(decoded(resource).entryUuid).toBe('urn:uuid:1d398e43-12f4-4e98-8a64-a00da515fc32')
    expect(fault(document({ identifier: [] })).message).toBe('A document has no entryUuid')
  })

  it('reads a hash in base64, and in the two spellings of its hexadecimal text', () => {
    const hash = (text: string) => decoded(documentWith({ hash: text })).hash
    expect(hash('2jmj7l5rSw0yVb/vlWAYkK/YBwk=')).toBe('da39a3ee5e6b4b0d3255bfef95601890afd80709')
    expect(hash('DA39A3EE5E6B4B0D3255BFEF95601890AFD80709')).toBe('da39a3ee5e6b4b0d3255bfef95601890afd80709')
    expect(hash('ZGEzOWEzZWU1ZTZiNGIwZDMyNTViZmVmOTU2MDE4OTBhZmQ4MDcwOQ==')).toBe(
      'da39a3ee5e6b4b0d3255bfef95601890afd80709',
    )
    expect(fault(documentWith({ hash: 'c2hvcnQ=' })).message).toContain('hash')
  })

  it.each([
    ['2025', '2025'],
    ['2025-03', '202503'],
    ['2025-03-01', '20250301'],
    ['2025-03-01T00:30:00+01:00', '20250228233000'],
    ['2024-12-31T23:30:00.999-05:30', '20250101050000'],
    ['2016-12-31T23:59:60Z', '20161231235960'],
  ])('reads the time %s as %s', (creation, time) => {
    expect(decoded(documentWith({ creation })).creationTime).toBe(time)
  })

  it.each(['', '2025-13', '2025-02-30', '2025-03-01T10:00:00', '2025-03-01T25:00:00Z', '20250301', '1/3/2025'])(
    'refuses the time %j',
    (creation) => {
      expect(fault(documentWith({ creation }))).toMatchObject({ code: 'metadata-invalid' })
    },
  )

  it('reads a document without hash, size and creation time as on-demand', () => {
    const attachment = { contentType: 'application/fhir+json', url }
    expect(decoded(document({ content: [{ attachment }] })).kind).toBe('on-demand')
    expect(decoded(document({ content: [{ attachment: { ...attachment, size: 0 } }] })).kind).toBe('stable')
    expect(decoded(document({ content: [{ attachment: { ...attachment, creation: '2025' } }] })).kind).toBe('stable')
  })

  it('tells every code of an event, so that a policy code behind another is not overlooked', () => {
    const event = [{ coding: [{ system: 'https://record.example/flags', code: 'hidden' }, { code: 'P99' }] }]
    expect(decoded(document({ context: { event } })).eventCodes.map(({ code }) => code)).toEqual(['hidden', 'P99'])
  })

  it('prefers the code with an OID where XDS has room for one only', () => {
    const type = {
      coding: [
        { system: 'https://record.example/types', code: 'LAB' },
        { system: 'http://loinc.org', code: '11502-2' },
      ],
    }
    expect(decoded(document({ type })).typeCode).toEqual({ code: '11502-2', scheme: '2.16.840.1.113883.6.1' })
  })

  it('makes one author of the roles of one contained practitioner', () => {
    const role = (id: string, organization: string, code: string) => ({
      resourceType: 'PractitionerRole',
      id,
      practitioner: { reference: '#p' },
      organization: { display: organization },
      code: [{ coding: [{ code }] }],
    })
    const contained = [
      { resourceType: 'Practitioner', id: 'p', name: [{ family: 'NERI', given: ['ANNA', 'MARIA'] }] },
      role('a', 'REPARTO A', 'AAS'),
      role('b', 'REPARTO B', 'DRS'),
    ]
    const author = [{ reference: '#a' }, { reference: '#b' }, { type: 'Organization', display: 'ALTRO ENTE' }]
    expect(decoded(document({ contained, author })).authors).toEqual([
      {
        persons: ['^NERI^ANNA MARIA'],
        institutions: ['REPARTO A', 'REPARTO B'],
        roles: ['AAS', 'DRS'],
        specialties: [],
        telecommunications: [],
      },
      { persons: [], institutions: ['ALTRO ENTE'], roles: [], specialties: [], telecommunications: [] },
    ])
  })

  it('reads authors who did not come along by their identifier and display, and passes over who says nothing', () => {
    const identifier = { system: 'urn:oid:2.16.840.1.113883.2.9.4.3.2', value: 'SNTDCM45C50G713L' }
    const author = [
      { reference: 'Practitioner/3', identifier, display: 'Dott. Sintetica' },
      { reference: 'Practitioner/4' },
      { reference: '#nobody' },
      { type: 'Device', display: 'Analizzatore' },
    ]
    expect(decoded(document({ author })).authors.map(({ persons }) => persons)).toEqual([
      ['SNTDCM45C50G713L^Dott. Sintetica^^^^^^^&2.16.840.1.113883.2.9.4.3.2&ISO'],
    ])
  })

  it('does not follow a role that refers to itself', () => {
    const contained = [
      { resourceType: 'PractitionerRole', id: 'r', practitioner: { reference: '#r' }, code: [{ text: 'AAS' }] },
    ]
    expect(decoded(document({ contained, author: [{ reference: '#r' }] })).authors[0]?.roles).toEqual(['AAS'])
  })

  it('names related objects in the CXi spelling, encounters among them', () => {
    const oid = { coding: [{ system: 'urn:ietf:rfc:3986', code: 'urn:ihe:iti:xds:2016:studyInstanceUID' }] }
    const context = {
      related: [
        { identifier: { system: 'urn:dicom:uid', value: 'urn:oid:1.2.3', type: oid } },
        { identifier: { system: 'urn:oid:2.16.840.1.113883.2.9.4.3.8', value: '090' } },
        { reference: 'ServiceRequest/4' },
      ],
      encounter: [
        {
          identifier: {
            system: 'urn:oid:1.2',
            value: '9',
            type: { coding: [{ system: 'urn:ietf:rfc:3986', code: 'urn:ihe:iti:xds:2015:encounterId' }] },
          },
        },
      ],
    }
    expect(decoded(document({ context })).referenceIds).toEqual([
      '1.2.3^^^^urn:ihe:iti:xds:2016:studyInstanceUID',
      '090^^^&2.16.840.1.113883.2.9.4.3.8&ISO',
      '9^^^&1.2&ISO^urn:ihe:iti:xds:2015:encounterId',
    ])
  })

  it('tells what a document does to others, as far as they can be named', () => {
    const relatesTo = [
      { code: 'replaces', target: { reference: 'DocumentReference/40' } },
      { code: 'appends', target: { identifier: { system: 'urn:ietf:rfc:3986', value: 'urn:uuid:b' } } },
      { code: 'signs', target: { reference: 'DocumentReference/unknown' } },
      { code: 'cites', target: { reference: 'urn:uuid:c' } },
    ]
    const { associations, dangling } = decodeDocumentReference(document({ relatesTo }), {
      entryUuid: ({ reference }) => (reference === 'DocumentReference/40' ? 'urn:uuid:a' : undefined),
    })
    expect(associations.map(({ type, source, target }) => [type, source, target])).toEqual([
      ['replaces', entryUuid, 'urn:uuid:a'],
      ['appends', entryUuid, 'urn:uuid:b'],
    ])
    expect(new Set(associations.map((one) => one.entryUuid)).size).toBe(2)
    expect(dangling).toBe(2)
  })

  it('keeps what XDS has no word for out of answers in ebRIM, and gives them the slots', () => {
    const { extra, ...entry } = decoded(report())
    expect(extra?.of).toBeDefined()
    const xml = writeObject({ ...entry, ...(extra === undefined ? {} : { extra }) }, documentEntryTable, undefined)
    expect(xml).toBe(writeObject({ ...entry, extra: { slots: extra?.slots ?? [] } }, documentEntryTable, undefined))
    expect(xml).toContain('<rim:Slot name="urn:ita:2022:administrativeRequest">')
    expect(xml).not.toMatch(/ward|Laboratorio 3|Encounter/)
  })

  it.each([
    ['a status without a meaning in document sharing', { status: 'entered-in-error' }],
    ['no status', { status: undefined }],
    ['no uniqueId', { masterIdentifier: { system: 'urn:oid:1.2' } }],
    ['no content', { content: [] }],
    ['a subject nobody can name', { subject: { reference: 'Patient/7' } }],
    ['a modifier nobody here understands', { modifierExtension: [{ url: 'https://record.example/negated' }] }],
    ['implicit rules', { implicitRules: 'https://record.example/rules' }],
    ['a coding that is not an object', { type: { coding: ['11502-2'] } }],
    ['a list where FHIR has one', { status: ['current'] }],
    ['a null', { description: null }],
    ['a size that is no number of bytes', { content: [{ attachment: { url, size: 1.5 } }] }],
    [
      'a home that is no OID',
      {
        extension: [{ url: 'https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-HomeCommunityId', valueOid: 'x' }],
      },
    ],
    ['depths', { note: JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`) }],
  ])('refuses a resource with %s, without quoting it', (_, more) => {
    const error = fault(JSON.parse(JSON.stringify(document(more))))
    expect(error.code).toBe('metadata-invalid')
    expect(error.message).not.toMatch(/entered-in-error|11502-2|PRVCRC|record\.example/)
  })

  it.each([undefined, null, 7, 'text', [], {}, { resourceType: 'Patient', content: [{}] }])('refuses %j', (value) => {
    expect(fault(value).code).toBe('metadata-invalid')
  })
})

describe('encodeDocumentReference', () => {
  const told = (resource: Record<string, unknown>) => encodeDocumentReference(decoded(resource), { url })

  it('tells on everything the record told of the document, in the record’s own words', () => {
    const { id, meta, text, subject, relatesTo, content, ...rest } = report()
    const [only] = content as [{ attachment: object; format: object }]
    expect(told(report())).toEqual({
      ...rest,
      subject: { type: 'Patient', identifier: (subject as { identifier: object }).identifier },
      content: [{ ...only, attachment: { ...only.attachment, url } }],
      extension: expect.arrayContaining(rest.extension as unknown[]),
    })
  })

  it('tells nothing of the server the document came from but what belongs to the document', () => {
    const text = JSON.stringify(told({ ...document(), meta: { tag: [{ code: 'secret' }] }, text: { div: 'secret' } }))
    expect(text).not.toMatch(/secret|record\.example/)
  })

  it('does not bring back what was taken from the entry', () => {
    const entry = { ...decoded(report()), eventCodes: [], confidentialityCodes: [], authors: [] }
    const text = JSON.stringify(encodeDocumentReference(entry, { url }))
    expect(text).not.toContain('P99')
    expect(text).not.toContain('#author')
    expect(text).toContain('https://record.example/fhir/StructureDefinition/ward')
  })

  it('writes the base64 of the digest and FHIR’s own names of code systems', () => {
    const { extra: _, ...entry } = decoded(report())
    expect(encodeDocumentReference(entry, { url })).toMatchObject({
      type: { coding: [{ system: 'http://loinc.org', code: '11502-2' }] },
      category: [{ coding: [{ system: 'urn:oid:2.16.840.1.113883.2.9.3.3.6.1.5' }] }],
      content: [{ attachment: { hash: 'TnyCVTeNgIbuDFJ79/G2RCJWJRw=', creation: '2025-03-01T10:00:00Z' } }],
    })
  })

  it('writes the associations of the document that MHD has a code for', () => {
    const link = (type: string, source: string, target: string) => ({ entryUuid: `${type}`, type, source, target })
    const associations = [
      link('transforms-and-replaces', entryUuid, 'urn:uuid:a'),
      link('has-member', entryUuid, 'urn:uuid:b'),
      link('replaces', 'urn:uuid:c', entryUuid),
    ]
    expect(encodeDocumentReference(decoded(document()), { url, associations }).relatesTo).toEqual([
      {
        code: 'replaces',
        target: { type: 'DocumentReference', identifier: { system: 'urn:ietf:rfc:3986', value: 'urn:uuid:a' } },
      },
    ])
  })

  it('refuses a status MHD cannot tell', () => {
    const { status: _, ...unknown } = decoded(document())
    expect(() => encodeDocumentReference(unknown, { url })).toThrow(GatewayError)
    expect(() => encodeDocumentReference({ ...unknown, status: 'urn:submitted' }, { url })).toThrow(GatewayError)
  })
})
