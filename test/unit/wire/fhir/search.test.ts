import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import type { DocumentEntry } from '../../../../src/core/model/metadata.ts'
import { authorities } from '../../../../src/core/model/patient.ts'
import type { FindDocuments, GetDocuments } from '../../../../src/core/model/stored-query.ts'
import { timestamp } from '../../../../src/core/model/timestamp.ts'
import { decodeDocumentReference } from '../../../../src/wire/fhir/document-reference.ts'
import { encodeDocumentSearch, encodeForm, encodePatientSearch } from '../../../../src/wire/fhir/search.ts'
import { document } from './samples.ts'

const patientId = { value: 'PRVCRC70A01D612G', authority: authorities.codiceFiscale }
const loinc = '2.16.840.1.113883.6.1'
const events = '2.16.840.1.113883.2.9.3.3.6.1.3'

function find(filter: FindDocuments['filter'], more: Partial<FindDocuments> = {}): FindDocuments {
  return { type: 'FindDocuments', patientId, status: ['approved'], filter, extra: [], ...more }
}

const get = (documents: GetDocuments['documents']): GetDocuments => ({ type: 'GetDocuments', documents, extra: [] })
const known = decodeDocumentReference(document()).entry
const told = (more: Partial<DocumentEntry>): DocumentEntry => ({ ...known, ...more })

describe('the ITI-67 search for FindDocuments', () => {
  it('names patient and status', () => {
    expect(encodeDocumentSearch(find({})).form).toEqual([
      ['patient.identifier', 'urn:oid:2.16.840.1.113883.2.9.4.3.2|PRVCRC70A01D612G'],
      ['status', 'current'],
    ])
    expect(encodeDocumentSearch(find({}, { status: ['deprecated', 'approved'] })).form[1]?.[1]).toBe(
      'superseded,current',
    )
  })

  it('ignores a status that does not exist, and fails when no other is left', () => {
    expect(encodeDocumentSearch(find({}, { status: ['approved', 'urn:x'] })).form[1]?.[1]).toBe('current')
    expect(() => encodeDocumentSearch(find({}, { status: ['urn:x'] }))).toThrow(
      expect.objectContaining({ code: 'parameter-missing' }) as GatewayError,
    )
  })

  it('tells alternatives in one value and conditions in several, in every spelling of a code system', () => {
    const { form } = encodeDocumentSearch(
      find({
        typeCodes: [{ code: '11502-2', scheme: loinc }, { code: '68604-8' }],
        classCodes: [{ code: 'REF', scheme: '2.16.840.1.113883.2.9.3.3.6.1.5' }],
        eventCodes: [[{ code: 'P99', scheme: events }], [{ code: 'pay', scheme: events }, { code: 'PUBLICPOL' }]],
        confidentialityCodes: [[{ code: 'N', scheme: '2.16.840.1.113883.5.25' }]],
        formatCodes: [{ code: 'a,b|c', scheme: 'urn:x' }],
        practiceSettingCodes: [{ code: 'AD_PSC100' }],
        healthcareFacilityTypeCodes: [{ code: 'Ospedale' }],
      }),
    )
    expect(form.slice(2)).toEqual([
      ['category', 'urn:oid:2.16.840.1.113883.2.9.3.3.6.1.5|REF'],
      ['type', 'urn:oid:2.16.840.1.113883.6.1|11502-2,http://loinc.org|11502-2,68604-8'],
      ['setting', 'AD_PSC100'],
      ['facility', 'Ospedale'],
      ['format', 'urn:x|a\\,b\\|c'],
      ['event', `urn:oid:${events}|P99`],
      ['event', `urn:oid:${events}|pay,PUBLICPOL`],
      ['security-label', 'urn:oid:2.16.840.1.113883.5.25|N,http://terminology.hl7.org/CodeSystem/v3-Confidentiality|N'],
    ])
  })

  it('limits the creation time, unless on-demand documents, which have none, are looked for', () => {
    const creationTime = { from: timestamp('2024'), to: timestamp('20250301') }
    expect(encodeDocumentSearch(find({ creationTime })).form.slice(2)).toEqual([
      ['creation', 'ge2024-01-01T00:00:00Z'],
      ['creation', 'lt2025-03-01T00:00:00Z'],
    ])
    expect(encodeDocumentSearch(find({ creationTime, kinds: ['stable', 'on-demand'] })).form).toHaveLength(2)
  })

  it('looks at service times, authors and kinds here: FHIR would exclude too much or cannot say it', () => {
    const { form, matches } = encodeDocumentSearch(
      find({ serviceStartTime: { from: timestamp('2024') }, authorPersons: ['%ROSSI%'], kinds: ['stable'] }),
    )
    expect(form).toHaveLength(2)
    const authors = [{ persons: ['^ROSSI'], institutions: [], roles: [], specialties: [], telecommunications: [] }]
    expect(matches(told({ authors }))).toBe(true)
    expect(matches(told({ authors, serviceStartTime: timestamp('2023') }))).toBe(false)
    expect(matches(told({ authors: [] }))).toBe(false)
    expect(matches(told({ authors, kind: 'on-demand' }))).toBe(false)
  })

  it('does not believe that the server looked at the status', () => {
    const { matches } = encodeDocumentSearch(find({}))
    expect(matches(known)).toBe(true)
    expect(matches(told({ status: 'deprecated' }))).toBe(false)
  })
})

describe('the ITI-67 search for FindDocumentsByReferenceId', () => {
  const byReference = (referenceIds: readonly (readonly string[])[]) =>
    encodeDocumentSearch({ ...find({}), type: 'FindDocumentsByReferenceId', referenceIds })
  const order = '090^^^&2.16.840.1.113883.2.9.4.3.8&ISO^urn:ihe:iti:xds:2013:order'

  it('looks for the identifiers of related objects, one condition per group', () => {
    expect(byReference([[order, 'A^^^^urn:rve:2018:idReq'], [order]]).form.slice(2)).toEqual([
      ['related:identifier', 'urn:oid:2.16.840.1.113883.2.9.4.3.8|090,A'],
      ['related:identifier', 'urn:oid:2.16.840.1.113883.2.9.4.3.8|090'],
    ])
  })

  it.each([
    ['an encounter', '9^^^&1.2&ISO^urn:ihe:iti:xds:2015:encounterId'],
    ['a bare OID', '1.2.3^^^^urn:ihe:iti:xds:2016:studyInstanceUID'],
    ['a spelling FHIR has no place for', '9^^^NAME&1.2&ISO^urn:x'],
  ])('leaves a group with %s to be looked at here', (_, id) => {
    const { form, matches } = byReference([[order, id]])
    expect(form).toHaveLength(2)
    expect(matches(told({ referenceIds: [id] }))).toBe(true)
    expect(matches(told({ referenceIds: ['another'] }))).toBe(false)
  })
})

describe('the ITI-67 search for GetDocuments', () => {
  it('asks for any status, and for the patient when they are known', () => {
    const { form, matches } = encodeDocumentSearch(
      get({ by: 'entry-uuid', ids: ['urn:uuid:a', 'urn:uuid:b'] }),
      patientId,
    )
    expect(form).toEqual([
      ['patient.identifier', 'urn:oid:2.16.840.1.113883.2.9.4.3.2|PRVCRC70A01D612G'],
      ['status', 'current,superseded'],
      ['identifier', 'urn:ietf:rfc:3986|urn:uuid:a,urn:ietf:rfc:3986|urn:uuid:b'],
    ])
    expect(matches(told({ entryUuid: 'urn:uuid:b' }))).toBe(true)
    expect(matches(told({ entryUuid: 'urn:uuid:c' }))).toBe(false)
  })

  it('asks for a uniqueId in every way FHIR may hold it', () => {
    const { form, matches } = encodeDocumentSearch(get({ by: 'unique-id', ids: ['1.2.3', '1.2^A,1', 'urn:uuid:a'] }))
    expect(form).toEqual([
      ['status', 'current,superseded'],
      [
        'identifier',
        'urn:ietf:rfc:3986|urn:oid:1.2.3,urn:oid:1.2|A\\,1,urn:ietf:rfc:3986|urn:oid:1.2^A\\,1,urn:ietf:rfc:3986|urn:uuid:a',
      ],
    ])
    expect(matches(told({ uniqueId: '1.2^A,1' }))).toBe(true)
    expect(matches(known)).toBe(false)
  })

  it('has no words for logical ids', () => {
    expect(() => encodeDocumentSearch(get({ by: 'logical-id', ids: ['urn:uuid:a'] }))).toThrow(GatewayError)
  })
})

describe('the body of a search', () => {
  it('is form-encoded', () => {
    expect(encodeForm(encodePatientSearch({ ...patientId, value: 'A B+&é' }))).toBe(
      'identifier=urn%3Aoid%3A2.16.840.1.113883.2.9.4.3.2%7CA+B%2B%26%C3%A9',
    )
  })
})
