import { describe, expect, it } from 'vitest'
import { matchesFilter, matchesReferenceIds } from '../../../../src/core/model/document-filter.ts'
import type { DocumentEntry } from '../../../../src/core/model/metadata.ts'
import { authorities } from '../../../../src/core/model/patient.ts'
import type { DocumentFilter } from '../../../../src/core/model/stored-query.ts'
import { timestamp } from '../../../../src/core/model/timestamp.ts'

const loinc = '2.16.840.1.113883.6.1'
const events = '2.16.840.1.113883.2.9.3.3.6.1.3'

function entry(more: Partial<DocumentEntry> = {}): DocumentEntry {
  return {
    kind: 'stable',
    entryUuid: 'urn:uuid:0c287d32-01e3-4d87-9953-9fcc9404eb21',
    uniqueId: '2.16.840.1.113883.2.9.2.90.4.4^SYN.1',
    patientId: { value: 'PRVCRC70A01D612G', authority: authorities.codiceFiscale },
    title: [],
    comments: [],
    sourcePatientInfo: [],
    authors: [],
    confidentialityCodes: [],
    eventCodes: [],
    referenceIds: [],
    ...more,
  }
}

const author = (person: string) => ({
  persons: [person],
  institutions: [],
  roles: [],
  specialties: [],
  telecommunications: [],
})

describe('matchesFilter', () => {
  it('finds a stable document when nothing is asked', () => {
    expect(matchesFilter(entry(), {})).toBe(true)
  })

  it('finds on-demand documents only when they are asked for', () => {
    const onDemand = entry({ kind: 'on-demand' })
    expect(matchesFilter(onDemand, {})).toBe(false)
    expect(matchesFilter(onDemand, { kinds: ['on-demand'] })).toBe(true)
    expect(matchesFilter(entry(), { kinds: ['on-demand'] })).toBe(false)
    expect(matchesFilter(entry(), { kinds: ['stable', 'on-demand'] })).toBe(true)
  })

  it.each<[keyof DocumentFilter, keyof DocumentEntry]>([
    ['classCodes', 'classCode'],
    ['typeCodes', 'typeCode'],
    ['practiceSettingCodes', 'practiceSettingCode'],
    ['healthcareFacilityTypeCodes', 'healthcareFacilityTypeCode'],
    ['formatCodes', 'formatCode'],
  ])('takes any of several %s, with their scheme where one is named', (asked, told) => {
    const coded = entry({ [told]: { code: 'A', scheme: loinc } })
    expect(matchesFilter(coded, { [asked]: [{ code: 'B' }, { code: 'A' }] })).toBe(true)
    expect(matchesFilter(coded, { [asked]: [{ code: 'A', scheme: loinc }] })).toBe(true)
    expect(matchesFilter(coded, { [asked]: [{ code: 'A', scheme: 'another' }] })).toBe(false)
    expect(matchesFilter(coded, { [asked]: [{ code: 'a' }] })).toBe(false)
    expect(matchesFilter(entry(), { [asked]: [{ code: 'A' }] })).toBe(false)
  })

  it.each(['eventCodes', 'confidentialityCodes'] as const)('wants one of every group of %s', (name) => {
    const coded = entry({ [name]: ['A', 'B'].map((code) => ({ code, scheme: events })) })
    expect(matchesFilter(coded, { [name]: [[{ code: 'A' }], [{ code: 'C' }, { code: 'B' }]] })).toBe(true)
    expect(matchesFilter(coded, { [name]: [[{ code: 'A' }], [{ code: 'C' }]] })).toBe(false)
    expect(matchesFilter(coded, { [name]: [] })).toBe(true)
  })

  it('looks for author persons by LIKE', () => {
    const signed = entry({ authors: [author('X^NERI^ANNA'), author('Y^ROSSI^MARIO')] })
    expect(matchesFilter(signed, { authorPersons: ['%^ROSSI^MARI_'] })).toBe(true)
    expect(matchesFilter(signed, { authorPersons: ['ROSSI', '%ANNA'] })).toBe(true)
    expect(matchesFilter(signed, { authorPersons: ['%rossi%'] })).toBe(false)
    expect(matchesFilter(entry(), { authorPersons: ['%'] })).toBe(false)
  })

  it('takes times from the beginning of a range up to, not including, its end', () => {
    const range = { from: timestamp('20240101'), to: timestamp('2025') }
    const at = (time: string) => matchesFilter(entry({ creationTime: timestamp(time) }), { creationTime: range })
    expect(at('20240101000000')).toBe(true)
    expect(at('20231231235959')).toBe(false)
    expect(at('20241231235959')).toBe(true)
    expect(at('20250101')).toBe(false)
    expect(at('2024')).toBe(true)
  })

  it('excludes a stable document without creation time from a range, and an on-demand one never', () => {
    const filter = { creationTime: { from: timestamp('2024') }, kinds: ['stable', 'on-demand'] as const }
    expect(matchesFilter(entry(), filter)).toBe(false)
    expect(matchesFilter(entry({ kind: 'on-demand' }), filter)).toBe(true)
  })

  it.each(['serviceStartTime', 'serviceStopTime'] as const)('excludes nothing for a missing %s', (name) => {
    const filter = { [name]: { from: timestamp('2024'), to: timestamp('2025') } }
    expect(matchesFilter(entry(), filter)).toBe(true)
    expect(matchesFilter(entry({ [name]: timestamp('202405') }), filter)).toBe(true)
    expect(matchesFilter(entry({ [name]: timestamp('202505') }), filter)).toBe(false)
  })
})

describe('matchesReferenceIds', () => {
  it('wants one id of every group, spelled exactly so', () => {
    const referring = entry({ referenceIds: ['1^^^&1.2&ISO^urn:ihe:iti:xds:2013:order', '2'] })
    expect(matchesReferenceIds(referring, [['2', '3'], ['1^^^&1.2&ISO^urn:ihe:iti:xds:2013:order']])).toBe(true)
    expect(matchesReferenceIds(referring, [['2'], ['1']])).toBe(false)
    expect(matchesReferenceIds(referring, [])).toBe(true)
  })
})
