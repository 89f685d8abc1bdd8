import { describe, expect, it } from 'vitest'
import type { Permit } from '../../../../src/core/model/call.ts'
import type { DocumentEntry } from '../../../../src/core/model/metadata.ts'
import {
  citedOrders,
  hiddenByChain,
  isBoundByChain,
  ordersOf,
  prescribedOrders,
  prescriptionIds,
} from '../../../../src/core/policy/hiding-chain.ts'
import { clinician, entry, loinc } from '../../../support/builders.ts'

const order = '0900A4000000001'
const sistemaTs = '2.16.840.1.113883.2.9.4.3.8'
const cited = `${order}^^^&${sistemaTs}&ISO^urn:ihe:iti:xds:2013:order`
const typed = (code: string) => ({ typeCode: { code, scheme: loinc } })
const hiding = { eventCodes: [{ code: 'P99', scheme: '2.16.840.1.113883.2.9.3.3.6.1.3' }] }

const report = entry('report', { referenceIds: [cited] })
const prescription = entry('p', { uniqueId: `${sistemaTs}^${order}_PRESPEC`, ...typed('57832-8') })
const dispensing = entry('e', { uniqueId: `${sistemaTs}^${order}_EROSPEC`, ...typed('81223-0') })
const hiddenPrescription = { ...prescription, ...hiding }

const permit = (role = 'AAS', purposeOfUse = 'TREATMENT'): Permit => {
  return { partition: 'p', viewer: { role, purposeOfUse, subject: clinician } }
}
const nobody = () => false
const hidden = (entries: readonly DocumentEntry[], context: readonly DocumentEntry[] = [], viewer = permit()) => [
  ...hiddenByChain(entries, context, viewer, nobody),
]

describe('the order an entry cites', () => {
  it.each([
    ['the form of the affinity domain', cited, order],
    ['lower case', cited.toLowerCase(), order],
    ['a suffix behind the number (#1798)', cited.replace('^', '_PRESPEC^'), order],
    ['the authority before it (#2006)', `${sistemaTs}^${cited}`, order],
    ['all of that', `${sistemaTs}^${cited}_PRESPEC`, order],
    ['the authority that documents have inside', cited.replace('.3.8&', '.3.9&'), order],
    ['no type', `${order}^^^&${sistemaTs}&ISO`, order],
    ['no authority', `${order}^^^^urn:ihe:iti:xds:2013:order`, order],
    ['another authority', cited.replace(sistemaTs, '1.2.3'), undefined],
    ['a request of one region', `${order}^^^^urn:rve:2018:idReq`, undefined],
    ['a study', '1.2.3^^^&1.2&ISO^urn:ihe:iti:xds:2016:studyInstanceUID', undefined],
    ['nothing', '', undefined],
    ['no number', `^^^&${sistemaTs}&ISO^urn:ihe:iti:xds:2013:order`, undefined],
  ])('is told by %s', (_what, reference, found) => {
    const { cited, prescribed } = ordersOf(entry('report', { referenceIds: [reference] }))
    expect([cited, prescribed]).toEqual([found === undefined ? [] : [found], []])
  })

  it('is each of several, once', () => {
    const other = cited.replace('0001', '0002')
    expect(ordersOf(entry('report', { referenceIds: [cited, other, cited] })).cited).toHaveLength(2)
    expect(citedOrders([report, report, dispensing])).toEqual(new Set([order]))
  })

  it.each(['_EROSPEC', '_EROFARM'])('is in the id of a dispensing: %s', (suffix) => {
    const one = entry('e', { uniqueId: `${sistemaTs}^${order}${suffix}` })
    expect(ordersOf(one)).toEqual({ cited: [order], prescribed: [] })
    // As one region wrote it (#1827).
    const other = entry('e', { uniqueId: `2.16.840.1.113883.2.9.2.50.4.4^${order}${suffix}` })
    expect(ordersOf(other)).toEqual({ cited: [order], prescribed: [] })
  })
})

describe('the order an entry is the prescription of', () => {
  it.each(['_PRESPEC', '_PREFARM'])('is in its id: %s', (suffix) => {
    expect(ordersOf(entry('p', { uniqueId: `${sistemaTs}^${order}${suffix}` }))).toEqual({
      cited: [],
      prescribed: [order],
    })
  })

  it('is in an id made of the whole reference (#2006)', () => {
    const uniqueId = `${sistemaTs}^${cited}_PRESPEC`
    expect(ordersOf(entry('p', { uniqueId })).prescribed).toEqual([order])
  })

  it.each(['57833-6', '57832-8', '57829-4'])('is the one it refers to, when it is of type %s', (code) => {
    const one = entry('p', { referenceIds: [cited], ...typed(code) })
    expect(ordersOf(one)).toEqual({ cited: [], prescribed: [order] })
    expect(prescribedOrders([one, report])).toEqual(new Set([order]))
  })

  it('is looked for under the ids that Sistema TS gives', () => {
    expect(prescriptionIds(order)).toEqual([`${sistemaTs}^${order}_PRESPEC`, `${sistemaTs}^${order}_PREFARM`])
  })
})

describe('a hidden prescription', () => {
  it('hides the reports and dispensings that cite it, in the answer or beside it', () => {
    const following = [report.uniqueId, dispensing.uniqueId]
    expect(hidden([report, dispensing, hiddenPrescription])).toEqual([...following, prescription.uniqueId])
    expect(hidden([report, dispensing], [hiddenPrescription])).toEqual(following)
  })

  it.each<[string, Partial<DocumentEntry>]>([
    ['most protected', { confidentialityCodes: [{ code: 'V', scheme: '2.16.840.1.113883.5.25' }] }],
    ['of the region’s own notation', { ...hiding, uniqueId: '1.2^p', referenceIds: [cited], ...typed('57833-6') }],
  ])('is also one that is %s', (_what, more) => {
    expect(hidden([report], [{ ...prescription, ...more }])).toEqual([report.uniqueId])
  })

  it('is hidden wherever else it is told of openly: the strictest word counts', () => {
    const elsewhere = entry('p2', { referenceIds: [cited], ...typed('57832-8') })
    expect(hidden([elsewhere, prescription, report], [hiddenPrescription])).toEqual([
      elsewhere.uniqueId,
      prescription.uniqueId,
      report.uniqueId,
    ])
  })

  it.each<[string, DocumentEntry]>([
    ['open', prescription],
    ['another’s', { ...hiddenPrescription, uniqueId: `${sistemaTs}^0900A4000000002_PRESPEC` }],
    ['a hidden dispensing', { ...dispensing, ...hiding }],
    ['a hidden report', { ...report, ...hiding, uniqueId: 'other' }],
    [
      'in clear though most protected',
      {
        ...prescription,
        confidentialityCodes: [{ code: 'V', scheme: '2.16.840.1.113883.5.25' }],
        eventCodes: [{ code: 'P00', scheme: '2.16.840.1.113883.2.9.3.3.6.1.3' }],
      },
    ],
    ['hidden from the parent', { ...prescription, eventCodes: [{ code: 'P97', scheme: '' }] }],
  ])('hides nothing when it is %s', (_what, other) => {
    expect(hidden([report], [other])).toEqual([])
  })

  it('does not hide a report from its author, and does from the prescriber', () => {
    const by = (author: DocumentEntry) =>
      hiddenByChain([report, hiddenPrescription], [], permit(), ({ uniqueId }) => uniqueId === author.uniqueId)
    expect(by(report)).toEqual(new Set([prescription.uniqueId]))
    expect(by(prescription)).toEqual(new Set([report.uniqueId]))
  })

  it('of a type the permit does not name hides all the same, and an open one does not', () => {
    const reports = { ...permit(), documentTypes: [{ code: '11502-2', scheme: loinc }] }
    expect(hidden([report], [hiddenPrescription], reports)).toEqual([report.uniqueId])
    expect(hidden([report], [prescription], reports)).toEqual([])
  })

  it.each([
    ['AAS', 'TREATMENT', true],
    ['APR', 'EMERGENCY', true],
    ['FAR', 'PUBEMERGENCY', true],
    ['GTW', 'UPDATE', true],
    ['INI', 'TREATMENT', true],
    ['INI', 'SYSADMIN', false],
    ['NOR', 'SYSADMIN', false],
    ['ASS', 'PERSONAL', false],
    ['TUT', 'PERSONAL', false],
    ['GEN', 'PERSONAL', false],
    ['ING', 'PERSONAL', false],
  ])('matters to %s for %s: %s', (role, purpose, matters) => {
    expect(isBoundByChain(permit(role, purpose))).toBe(matters)
    expect(hidden([report], [hiddenPrescription], permit(role, purpose))).toEqual(matters ? [report.uniqueId] : [])
  })
})
