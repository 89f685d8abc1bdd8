import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../../src/core/errors.ts'
import type { Consent } from '../../../../src/core/model/change.ts'
import type { ConsentSet, ConsentState } from '../../../../src/core/model/consents.ts'
import { consentSetRules, isInForce, requireConsentSet } from '../../../../src/core/policy/consent-set.ts'
import { citizen, otherCitizen } from '../../../support/builders.ts'

const dated = (name: string, given: boolean): Consent => ({ name, given, date: '2026-05-19' })
const before: ConsentState = { consents: [dated('C1', true), dated('C2', true), { name: 'C5', given: false }] }
const set: ConsentSet = {
  patientId: citizen,
  operator: otherCitizen,
  operatorRole: 'OGC',
  requestor: citizen,
  consents: [{ name: 'C1', given: true }, { name: 'C2', given: false }, dated('C5', true)],
  disclosure: '1',
}

/** Code of the failure, and of each issue. */
function refusal(change: Partial<ConsentSet>, state: ConsentState = before, managed?: readonly string[]): string[] {
  try {
    requireConsentSet({ ...set, ...change }, { before: state, managed })
    return []
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    return [error.code, ...error.issues.map(({ code }) => code)]
  }
}

const withC5 = (c5: Consent, known: Consent | undefined = before.consents[2]): string[] =>
  refusal(
    { consents: [...set.consents.slice(0, 2), c5] },
    { consents: [...before.consents.slice(0, 2), ...(known ? [known] : [])] },
    ['C1', 'C2', 'C5'],
  )

describe('a set of consents, before INI is asked', () => {
  it('is sound as an operator sets it for the patient', () => {
    expect(refusal({})).toEqual([])
  })

  it.each<[string, readonly Consent[]]>([
    ['one too few', set.consents.slice(0, 2)],
    ['one too many', [...set.consents, dated('C6', true)]],
    ['another in the place of one', [...set.consents.slice(0, 2), dated('C6', true)]],
    ['one twice', [...set.consents.slice(0, 2), { name: 'C2', given: true }]],
  ])('is AU1 with %s of the consents INI manages', (_what, consents) => {
    expect(refusal({ consents })).toEqual(['parameter-count', 'AU1'])
  })

  it('is held against the consents that are said to be managed, and against none where nobody knows them', () => {
    expect(refusal({}, before, ['C1', 'C2', 'C3', 'C4'])).toEqual(['parameter-count', 'AU1'])
    expect(refusal({}, { consents: [] })).toEqual([])
    expect(refusal({}, { consents: [] }, ['C1', 'C2'])).toEqual(['parameter-count', 'AU1'])
  })

  it.each<[string, string, Partial<ConsentSet>]>([
    ['an assisted person for somebody else', 'ASS', { operator: otherCitizen, requestor: otherCitizen }],
    ['an assisted person asked by another', 'ASS', { operator: citizen, requestor: otherCitizen }],
    ['a parent asked by another', 'GEN', { operator: otherCitizen, requestor: citizen }],
    ['a guardian of themselves', 'TUT', { operator: citizen, requestor: citizen }],
    ['a delegate of themselves', 'ING', { operator: citizen, requestor: citizen }],
  ])('is CON5 as set by %s', (_who, operatorRole, change) => {
    expect(refusal({ ...change, operatorRole })).toEqual(['parameter-invalid', 'CON5'])
  })

  it.each([
    ['ASS', citizen],
    ['GEN', otherCitizen],
    ['TUT', otherCitizen],
    ['ING', otherCitizen],
  ])('is sound as set by %s', (operatorRole, who) => {
    expect(refusal({ operatorRole, operator: who, requestor: who })).toEqual([])
  })

  it('is CON13 with a changed consent about the EDS that has no day', () => {
    expect(withC5({ name: 'C5', given: true })).toEqual(['parameter-invalid', 'CON13'])
    expect(withC5({ name: 'C5', given: true }, dated('C5', false))).toEqual(['parameter-invalid', 'CON13'])
    expect(withC5({ name: 'C5', given: false }, dated('C5', false))).toEqual([])
  })

  it('is CON13 too when such a consent is expressed for the first time, though its value stays', () => {
    expect(withC5({ name: 'C5', given: false })).toEqual(['parameter-invalid', 'CON13'])
    expect(withC5({ name: 'C5', given: false }, { name: 'C6', given: true })).toEqual(['parameter-invalid', 'CON13'])
    expect(withC5(dated('C5', false))).toEqual([])
  })

  it.each(['2026-02-30', '2026-13-01', '19/05/2026', '2026-05-19T10:00:00Z', ''])('is CON13 on “%s”', (date) => {
    expect(withC5({ name: 'C5', given: true, date })).toEqual(['parameter-invalid', 'CON13'])
  })

  it.each(['2026-05-19', '2024-02-29', '2026-05-19Z', '2026-05-19+02:00'])('may be on %s', (date) => {
    expect(withC5({ name: 'C5', given: true, date })).toEqual([])
  })

  it('needs a notice, and days that are some, for which no code of INI is known', () => {
    expect(refusal({ disclosure: ' ' })).toEqual(['parameter-missing', 'parameter-missing'])
    const consents = [{ name: 'C1', given: true, date: 'today' }, ...set.consents.slice(1)]
    expect(refusal({ consents })).toEqual(['parameter-invalid', 'parameter-invalid'])
    const one = { consents: [dated('C1', true)] }
    expect(refusal(one, { consents: one.consents })).toEqual(['parameter-count', 'parameter-count'])
  })

  it('is told all that is wrong with it at once, naming nobody', () => {
    const worst = { consents: [{ name: 'C5', given: true }], operatorRole: 'ASS', disclosure: '' }
    expect(refusal(worst)).toEqual([
      'parameter-count',
      ...['AU1', 'CON5', 'CON13', 'parameter-count', 'parameter-missing'],
    ])
    expect(() => requireConsentSet({ ...set, ...worst }, { before })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(citizen.value) }),
    )
  })

  it('is judged by rules that say where they stand', () => {
    for (const { source } of consentSetRules) expect(source).toMatch(/^(ini\.md|schema)/)
  })
})

describe('a set of consents that was sent', () => {
  const inForce = (more: Partial<ConsentState> = {}): ConsentState => ({
    consents: [dated('C1', true), dated('C2', false), dated('C5', true)],
    ...more,
  })

  it('is in force with its values, its days and its notice', () => {
    expect(isInForce(set, inForce())).toBe(true)
    expect(isInForce(set, inForce({ disclosure: '1' }))).toBe(true)
  })

  it('is not in force with another value, another day, another notice, or a consent that is missing', () => {
    expect(isInForce(set, before)).toBe(false)
    expect(isInForce(set, inForce({ disclosure: '2' }))).toBe(false)
    expect(isInForce({ ...set, consents: [{ name: 'C5', given: true, date: '2026-05-20' }] }, inForce())).toBe(false)
    expect(isInForce(set, inForce({ consents: [dated('C1', true)] }))).toBe(false)
    expect(isInForce(set, inForce({ consents: [...inForce().consents, dated('C2', true)] }))).toBe(false)
  })
})
