import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ConsentSet } from '../../../../src/core/model/consents.ts'
import {
  decodeConsentSet,
  decodeConsentSetResponse,
  encodeConsentSet,
  encodeConsentSetResponse,
  registerConsentSet,
} from '../../../../src/wire/ini/consent-set.ts'
import { readTree } from '../../../../src/wire/xml.ts'
import { citizen, homes, otherCitizen } from '../../../support/builders.ts'
import { consentSets } from './arbitraries.ts'
import { schemasPresent, validate, withoutSchemas } from './schema.ts'

const set: ConsentSet = {
  patientId: citizen,
  operator: otherCitizen,
  operatorRole: 'OGC',
  requestor: citizen,
  consents: [
    { name: 'C1', given: true },
    { name: 'C2', given: false, date: '2026-05-19', note: 'withdrawn' },
  ],
  disclosure: '150^1',
}

function decode(xml: string): ConsentSet {
  const tree = readTree(Buffer.from(xml))
  return decodeConsentSet(tree, tree.root)
}

function varied(from: string | RegExp, to: string): ConsentSet {
  const xml = encodeConsentSet(set, 'value')
  const other = xml.replace(from, to)
  expect(other).not.toBe(xml)
  return decode(other)
}

describe('a set of consents', () => {
  it('is read as it was written, its persons spelt either way', () => {
    fc.assert(
      fc.property(consentSets, fc.constantFrom('cx' as const, 'value' as const), (one, form) => {
        expect(decode(encodeConsentSet(one, form))).toEqual(one)
      }),
    )
  })

  it('has its fields in the order of the schema', () => {
    expect([...encodeConsentSet(set, 'cx').matchAll(/<([A-Z]\w+)[ >]/g)].map(([, name]) => name)).toEqual([
      ...['RegisterConsentSetRequest', 'OperatorID', 'OperatorRole', 'Requestor', 'PatientId'],
      ...['ConsentList', 'Consent', 'Consent', 'IDDisclosure'],
    ])
  })

  it.skipIf(!schemasPresent)(`and its answers are as the schema has them${withoutSchemas}`, () => {
    validate('CommunicationConsent', encodeConsentSet(set, 'cx'))
    validate('CommunicationConsent', encodeConsentSetResponse({ status: 'success' }, '090'))
    const error = { code: 'AU1', context: 'Numero consensi in lista non coerente' }
    validate('CommunicationConsent', encodeConsentSetResponse({ status: 'failure', error }))
  })

  it.each([
    ['another message', /RegisterConsentSetRequest/g, 'RegisterConsentSet', 'request-malformed'],
    ['another namespace', registerConsentSet.namespace, 'urn:x', 'request-malformed'],
    ['no operator', /<OperatorID>.*<\/OperatorID>/, '', 'parameter-missing'],
    ['no role', /(?<=<OperatorRole>)OGC/, '', 'parameter-missing'],
    ['a requestor nobody can be', /(?<=<Requestor>)[^<]*/, 'PROVAX80A01H501X', 'parameter-invalid'],
    ['two patients', '<PatientId>', '<PatientId/><PatientId>', 'parameter-count'],
    ['no consents', /(?<=<ConsentList>).*(?=<\/ConsentList>)/, '', 'parameter-missing'],
    ['a consent that is told twice', '"C2"', '"C1"', 'parameter-count'],
    ['no notice', /(?<=<IDDisclosure>)[^<]*/, '', 'parameter-missing'],
  ])('is refused with %s', (_what, from, to, code) => {
    expect(() => varied(from, to)).toThrow(expect.objectContaining({ code }))
  })

  it('cannot be spelt with what XML cannot carry', () => {
    expect(() => encodeConsentSet({ ...set, disclosure: '\u0000' }, 'cx')).toThrow(RangeError)
  })
})

describe('the answer to a set of consents', () => {
  const homeOf = (code: string) => (code === '120' ? homes.lazio : undefined)
  const told = (region: string) => {
    const tree = readTree(Buffer.from(encodeConsentSetResponse({ status: 'success' }, region)))
    return decodeConsentSetResponse(tree, tree.root, homeOf)
  }

  it('tells the region of assistance, by its code or its home', () => {
    expect(told('120')).toEqual({ assistedBy: homes.lazio })
    expect(told(homes.veneto)).toEqual({ assistedBy: homes.veneto })
  })

  it('may tell none, or one that cannot be read', () => {
    expect(told('')).toEqual({})
    expect(told('Lazio')).toEqual({})
  })
})
