import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { organizationHome } from '../../../../contracts/affinity-domain/organizations.ts'
import type { SubmitNotification } from '../../../../src/core/model/change.ts'
import {
  decodeNotifySubmitObjects,
  encodeNotifySubmitObjects,
  notifySubmitObjects,
} from '../../../../src/wire/ini/notify-submit-objects.ts'
import { openEnvelope11 } from '../../../../src/wire/soap11.ts'
import { readTree } from '../../../../src/wire/xml.ts'
import { citizen, homes } from '../../../support/builders.ts'
import { submissions } from './arbitraries.ts'

const sample = join(
  import.meta.dirname,
  '../../../../../shared/corpus/ini/samples/issues/NotifySubmitObjects_request.xml',
)

const message: SubmitNotification = {
  type: 'documents-submitted',
  patientId: citizen,
  home: homes.veneto,
  repositoryUniqueId: '2.16.840.1.113883.2.9.2.90.4.5.910',
  uniqueId: '2.16.840.1.113883.2.9.2.90.4.4^9999.LAB.910.1',
}

function decode(xml: string): SubmitNotification {
  const tree = readTree(Buffer.from(xml))
  return decodeNotifySubmitObjects(tree, tree.root, organizationHome)
}

function varied(from: string | RegExp, to: string): SubmitNotification {
  const xml = encodeNotifySubmitObjects(message)
  const other = xml.replace(from, to)
  expect(other).not.toBe(xml)
  return decode(other)
}

describe('the notification of an operation on metadata', () => {
  it('is read as it was written', () => {
    fc.assert(fc.property(submissions, (one) => void expect(decode(encodeNotifySubmitObjects(one))).toEqual(one)))
  })

  it('may name a home by an organization’s code, by a bare identifier, or not at all', () => {
    expect(varied(homes.veneto, '030').home).toBe('urn:oid:2.16.840.1.113883.2.9.2.30')
    expect(varied('urn:oid:', '').home).toBe(homes.veneto)
    const { home: _unknown, ...homeless } = message
    expect(varied(/<HomeCommunityId>.*<\/HomeCommunityId>/, '')).toEqual(homeless)
  })

  it('may name a patient by a bare codice fiscale, and say more than we know of', () => {
    expect(varied(/(?<=<PatientId>)[^<]*/, citizen.value).patientId).toEqual(citizen)
    const more = '<Note>x</Note><Slot name="x"><ValueList><Value>1</Value></ValueList></Slot>'
    expect(varied('</NotifySubmitObjectsRequest>', `${more}</NotifySubmitObjectsRequest>`)).toEqual(message)
  })

  it.each([
    ['another message', /NotifySubmitObjectsRequest/g, 'NotifySubmitRequest', 'request-malformed'],
    ['another namespace', notifySubmitObjects.namespace, 'urn:x', 'request-malformed'],
    ['no repository', /<RepositoryUniqueId>.*<\/RepositoryUniqueId>/, '', 'parameter-missing'],
    ['an empty document', /(?<=<DocumentUniqueId>)[^<]*/, ' ', 'parameter-missing'],
    ['no patient', /<PatientId>.*<\/PatientId>/, '', 'parameter-missing'],
    ['two patients', '<PatientId>', '<PatientId>X</PatientId><PatientId>', 'parameter-count'],
    ['a patient nobody can be', /(?<=<PatientId>)[^<]*/, 'PROVAX80A01H501X', 'parameter-invalid'],
    ['a home that is none', homes.veneto, 'Veneto', 'parameter-invalid'],
  ])('is refused with %s, and no word of it repeated', (_what, from, to, failure) => {
    expect(() => varied(from, to)).toThrow(
      expect.objectContaining({ code: failure, message: expect.not.stringMatching(/PROVAX|Veneto/) }),
    )
  })

  it.skipIf(!existsSync(sample))(
    `is read as INI was seen to send it${existsSync(sample) ? '' : ' (skipped: ../shared/corpus is absent)'}`,
    () => {
      // The person in it has a code that nobody can have.
      const tree = readTree(Buffer.from(readFileSync(sample, 'utf8').replaceAll('PROVAX00X00X000Y', citizen.value)))
      const { action, body } = openEnvelope11(tree)
      expect(action).toBe(notifySubmitObjects.action)
      expect(decodeNotifySubmitObjects(tree, body, organizationHome)).toMatchObject({
        home: 'urn:oid:2.16.840.1.113883.2.9.2.80',
        repositoryUniqueId: '2.16.840.1.113883.2.9.2.150.4.5.1',
        patientId: citizen,
      })
    },
  )
})
