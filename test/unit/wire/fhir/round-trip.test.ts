import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Code, LocalizedText } from '../../../../src/core/model/code.ts'
import { homeCommunityId, oid } from '../../../../src/core/model/identifiers.ts'
import type { Author, DocumentEntry } from '../../../../src/core/model/metadata.ts'
import { timestamp } from '../../../../src/core/model/timestamp.ts'
import { decodeDocumentReference, encodeDocumentReference } from '../../../../src/wire/fhir/document-reference.ts'
import { formatCx, formatXcn, formatXon } from '../../../../src/wire/hl7/cx.ts'

const word = fc.stringMatching(/^[A-Za-zÀ-ÿ0-9][A-Za-zÀ-ÿ0-9 .'_/-]{0,15}[A-Za-z0-9]$/)
const root = fc.constantFrom('2.16.840.1.113883.2.9.2.90.4.4', '2.16.840.1.113883.2.9.4.3.2', '1.2.3').map(oid)
const id = fc.record({ value: word, authority: root })
const scheme = fc.constantFrom(
  '2.16.840.1.113883.6.1',
  '2.16.840.1.113883.5.25',
  '2.16.840.1.113883.2.9.3.3.6.1.3',
  '',
  'urn:x:y',
)
const code: fc.Arbitrary<Code> = fc.record({ code: word, scheme, display: word }, { requiredKeys: ['code', 'scheme'] })
const text: fc.Arbitrary<readonly LocalizedText[]> = fc.array(fc.record({ value: word }), { maxLength: 1 })
const time = fc
  .tuple(
    fc.date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
    fc.constantFrom(4, 6, 8, 14),
  )
  .map(([date, length]) =>
    timestamp(
      date
        .toISOString()
        .replace(/\..*|[-:T]/g, '')
        .slice(0, length),
    ),
  )

const cx = id.map(formatCx)
/** Spellings as they should be, and as they come. */
const xcn = fc.oneof(
  fc.record({ id: word, authority: root, family: word, given: word }, { requiredKeys: ['id'] }).map(formatXcn),
  fc.tuple(word, word).map(([family, given]) => `^${family}^${given}^^^DR^^^&1.2.3&ISO^L`),
)
const xon = fc.oneof(
  fc.record({ name: word, code: word, authority: root }, { requiredKeys: ['name'] }).map(formatXon),
  word.map((name) => `${name}^^^^^&1.2.3&ISO^XX^^^7`),
)
const xtn = fc.oneof(
  word.map((name) => `^^Internet^${name}`),
  word.map((number) => `^^PH^^^^^^^^^${number}`),
  word.map((number) => `^PRN^PH^^39^055^${number}`),
)
const author: fc.Arbitrary<Author> = fc
  .record({
    persons: fc.array(xcn, { maxLength: 1 }),
    institutions: fc.uniqueArray(xon, { maxLength: 3 }),
    roles: fc.uniqueArray(fc.oneof(word, cx), { maxLength: 2 }),
    specialties: fc.uniqueArray(word, { maxLength: 2 }),
    telecommunications: fc.uniqueArray(xtn, { maxLength: 2 }),
  })
  // FHIR ties roles together by the person only: without one, each institution is an author of its own.
  .filter(({ persons, institutions }) => persons.length === 1 || institutions.length === 1)

const cxi = fc.oneof(
  fc
    .tuple(cx, fc.constantFrom('urn:ihe:iti:xds:2013:order', 'urn:ihe:iti:xds:2015:encounterId'))
    .map((parts) => parts.join('^')),
  word.map((value) => `${value}^^^^urn:rve:2018:idReq`),
  fc.constantFrom(
    '1.2.840.5^^^^urn:ihe:iti:xds:2016:studyInstanceUID',
    'A^^^NAME&1.2&ISO^urn:x',
    'B^^^&1.2&ISO^urn:x^urn:oid:1.2',
  ),
)

const optional = fc.record(
  {
    home: root.map(homeCommunityId),
    mimeType: fc.constantFrom('application/pdf', 'text/x-cda-r2+xml'),
    hash: fc.stringMatching(/^[0-9a-f]{40}$/),
    size: fc.nat(),
    serviceStartTime: time,
    serviceStopTime: time,
    languageCode: fc.constant('it-IT'),
    legalAuthenticator: xcn,
    classCode: code,
    typeCode: code,
    formatCode: code,
    healthcareFacilityTypeCode: code,
    practiceSettingCode: code,
    repositoryUniqueId: root,
  },
  { requiredKeys: [] },
)
const required = fc.record({
  kind: fc.constant('stable' as const),
  entryUuid: fc.uuid().map((uuid) => `urn:uuid:${uuid}`),
  uniqueId: fc.oneof(
    root,
    fc.tuple(root, word).map((parts) => parts.join('^')),
    fc.uuid().map((uuid) => `urn:uuid:${uuid}`),
    word,
  ),
  status: fc.constantFrom('approved' as const, 'deprecated' as const),
  patientId: id,
  title: text,
  comments: text,
  creationTime: time,
  sourcePatientId: fc.oneof(cx, fc.constant('7^^^NAME&1.2&ISO')),
  sourcePatientInfo: fc
    .tuple(
      fc.array(
        cx.map((value) => `PID-3|${value}`),
        { maxLength: 2 },
      ),
      fc.subarray(['PID-5|ROSSI^MARIO', 'PID-7|19700101', 'PID-8|F', 'PID-11|VIA A^^PISA^PI^56100^ITA']),
    )
    .map((parts) => parts.flat()),
  authors: fc.array(author, { maxLength: 3 }),
  confidentialityCodes: fc.array(code, { maxLength: 2 }),
  eventCodes: fc.array(code, { maxLength: 3 }),
  referenceIds: fc
    .uniqueArray(cxi, { maxLength: 3 })
    .map((ids) => ids.toSorted((a, b) => Number(a.endsWith('encounterId')) - Number(b.endsWith('encounterId')))),
})
const entries: fc.Arbitrary<DocumentEntry> = fc.tuple(required, optional).map(([a, b]) => ({ ...a, ...b }))

const urlOf = ({ repositoryUniqueId }: DocumentEntry) =>
  `https://gateway.example/fhir/Binary/1${repositoryUniqueId === undefined ? '' : `?repositoryUniqueId=${repositoryUniqueId}`}`

describe('a DocumentEntry', () => {
  it('comes back from a DocumentReference with every attribute ITI-67 can carry', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        const resource = JSON.parse(JSON.stringify(encodeDocumentReference(entry, { url: urlOf(entry) })))
        const { extra: _, ...back } = decodeDocumentReference(resource).entry
        expect(back).toEqual(entry)
      }),
    )
  })

  it('comes back on-demand, without what is not known before the document is made', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        const { hash: _h, size: _s, creationTime: _c, ...onDemand } = { ...entry, kind: 'on-demand' as const }
        const resource = encodeDocumentReference({ ...entry, kind: 'on-demand' }, { url: urlOf(entry) })
        const { extra: _, ...back } = decodeDocumentReference(resource).entry
        expect(back).toEqual(onDemand)
      }),
    )
  })

  it('comes back with the slots the affinity domain added', () => {
    const slots = [{ name: 'urn:ita:2022:description', values: ['019655^Bentelan^2.16.840.1.113883.2.9.6.1.5', 'b'] }]
    fc.assert(
      fc.property(entries, (entry) => {
        const resource = encodeDocumentReference({ ...entry, extra: { slots } }, { url: urlOf(entry) })
        expect(decodeDocumentReference(resource).entry.extra?.slots).toEqual(slots)
      }),
    )
  })
})

describe('a DocumentReference', () => {
  it('is told on unchanged, whatever else it holds', () => {
    const names = fc.stringMatching(/^_?[a-z][a-zA-Z]{3,9}X$/)
    fc.assert(
      fc.property(entries, fc.dictionary(names, fc.jsonValue({ maxDepth: 3 })), (entry, unknown) => {
        const url = urlOf(entry)
        const resource = encodeDocumentReference(entry, { url })
        const [content] = resource.content as [Record<string, unknown>]
        const told = JSON.parse(JSON.stringify({ ...resource, ...unknown, content: [{ ...content, ...unknown }] }))
        expect(encodeDocumentReference(decodeDocumentReference(told).entry, { url })).toEqual(told)
      }),
    )
  })
})

describe('any JSON', () => {
  it('is understood or refused, and nothing else happens', () => {
    fc.assert(
      fc.property(entries, fc.nat(), fc.jsonValue(), (entry, at, value) => {
        const resource = encodeDocumentReference(entry, { url: urlOf(entry) })
        const names = Object.keys(resource)
        const odd = { ...resource, [names[at % names.length] ?? '']: value }
        try {
          decodeDocumentReference(odd)
        } catch (error) {
          expect(error).toMatchObject({ code: 'metadata-invalid' })
        }
      }),
    )
  })
})
