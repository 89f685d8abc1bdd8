import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ConsentNotification } from '../../../../src/core/model/change.ts'
import { decodeNotifyConsent, encodeNotifyConsent, notifyConsent } from '../../../../src/wire/ini/notify-consent.ts'
import { readTree } from '../../../../src/wire/xml.ts'
import { citizen, clinician } from '../../../support/builders.ts'
import { consentChanges } from './arbitraries.ts'

const message: ConsentNotification = {
  type: 'consents-changed',
  patientId: citizen,
  organization: '050',
  operator: clinician,
  operatorRole: 'AAS',
  operatorLocality: '050',
  requestor: citizen.value,
  disclosure: '2025.1',
  consents: [
    { name: 'C2', given: true, date: '2025-05-19' },
    { name: 'C3', given: false, note: 'withdrawn' },
  ],
}

function decode(xml: string): ConsentNotification {
  const tree = readTree(Buffer.from(xml))
  return decodeNotifyConsent(tree, tree.root)
}

function varied(from: string | RegExp, to: string): ConsentNotification {
  const xml = encodeNotifyConsent(message)
  const other = xml.replace(from, to)
  expect(other).not.toBe(xml)
  return decode(other)
}

describe('the notification of changed consents', () => {
  it('is read as it was written', () => {
    fc.assert(fc.property(consentChanges, (one) => void expect(decode(encodeNotifyConsent(one))).toEqual(one)))
  })

  it('has its fields in the order of the schema, those that are not known empty', () => {
    const xml = encodeNotifyConsent({ patientId: citizen, consents: message.consents })
    expect([...xml.matchAll(/<([A-Z]\w+)[ >]/g)].map(([, name]) => name)).toEqual([
      ...['NotifyConsentRequest', 'OrganizationID', 'OperatorLocality', 'PatientId', 'OperatorId', 'OperatorRole'],
      ...['RequestorId', 'DisclosuresId', 'ConsentList', 'Consent', 'Consent'],
    ])
  })

  it('writes truth as a word or as a digit', () => {
    expect(varied('<value>true</value>', '<value> 1 </value>')).toEqual(message)
    expect(varied('<value>false</value>', '<value>0</value>')).toEqual(message)
  })

  it('may tell of one consent only, and more than we know of', () => {
    expect(varied(/<Consent name="C3">.*?<\/Consent>/, '').consents).toEqual(message.consents.slice(0, 1))
    const slot = '<Slot name="x"><ValueList><Value>1</Value></ValueList></Slot>'
    expect(varied('</NotifyConsentRequest>', `${slot}</NotifyConsentRequest>`)).toEqual(message)
    expect(varied('<ConsentList>', '<ConsentList><Other/>')).toEqual(message)
  })

  it('may leave out everything but whose consents they are and what they are', () => {
    const xml = encodeNotifyConsent(message).replace(
      /<(OrganizationID|Operator\w+|RequestorId|DisclosuresId|note)>.*?<\/\1>/g,
      '',
    )
    expect(decode(xml)).toEqual({
      type: 'consents-changed',
      patientId: citizen,
      consents: [
        { name: 'C2', given: true, date: '2025-05-19' },
        { name: 'C3', given: false },
      ],
    })
  })

  it.each([
    ['another message', /NotifyConsentRequest/g, 'NotifyConsent', 'request-malformed'],
    ['another namespace', notifyConsent.namespace, 'urn:x', 'request-malformed'],
    ['no patient', /<PatientId>.*<\/PatientId>/, '', 'parameter-missing'],
    ['a patient nobody can be', /(?<=<PatientId>)[^<]*/, 'PROVAX80A01H501X', 'parameter-invalid'],
    ['no list', /<ConsentList>.*<\/ConsentList>/, '', 'parameter-missing'],
    ['an empty list', /(?<=<ConsentList>).*(?=<\/ConsentList>)/, '', 'parameter-missing'],
    ['two lists', '<ConsentList>', '<ConsentList/><ConsentList>', 'parameter-count'],
    ['a consent without a name', ' name="C2"', '', 'parameter-missing'],
    ['a consent without a value', '<value>true</value>', '', 'parameter-missing'],
    ['a consent that is neither', '<value>true</value>', '<value>TRUE</value>', 'parameter-invalid'],
    ['a consent with two values', '<value>true</value>', '<value>true</value><value>false</value>', 'parameter-count'],
    ['a consent that is told twice', '"C3"', '"C2"', 'parameter-count'],
  ])('is refused with %s, and no word of it repeated', (_what, from, to, failure) => {
    expect(() => varied(from, to)).toThrow(
      expect.objectContaining({ code: failure, message: expect.not.stringMatching(/PROVAX/) }),
    )
  })
})
