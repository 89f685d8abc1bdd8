import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { organizationHome } from '../../../../contracts/affinity-domain/organizations.ts'
import type { RetrieveNotification } from '../../../../src/core/model/change.ts'
import { decodeNotifyRetrieve, encodeNotifyRetrieve, notifyRetrieve } from '../../../../src/wire/ini/notify-retrieve.ts'
import { openEnvelope11 } from '../../../../src/wire/soap11.ts'
import { readTree } from '../../../../src/wire/xml.ts'
import { citizen, clinician, homes, loinc } from '../../../support/builders.ts'
import { retrievals } from './arbitraries.ts'

const sample = join(import.meta.dirname, '../../../../../shared/corpus/ini/samples/issues/NotifyRetrieve_request.xml')

const message: RetrieveNotification = {
  type: 'document-retrieved',
  repositoryUniqueId: '2.16.840.1.113883.2.9.2.50.4.5.3',
  uniqueId: '2.16.840.1.113883.2.9.2.50.4.4^2.16.840.1.113883.2.9.2.50502.4.4.1.prova',
  typeCode: { code: '11502-2', scheme: loinc },
  requestor: clinician,
  requestorRole: 'AAS',
  purposeOfUse: 'TREATMENT',
  locality: 'Amb. Nefrologico^^^^^&2.16.840.1.113883.2.9.4.1.3&ISO^^^^090202',
  patientId: citizen,
}

const withHome: RetrieveNotification = { ...message, home: homes.veneto }

function decode(xml: string): RetrieveNotification {
  const tree = readTree(Buffer.from(xml))
  return decodeNotifyRetrieve(tree, tree.root, organizationHome)
}

function childrenOf(xml: string): string[] {
  const tree = readTree(Buffer.from(xml))
  return tree.children(tree.root, notifyRetrieve.namespace).map((node) => tree.local(node))
}

describe('a notification of a retrieval', () => {
  it('has its fields in the order of the schema, all in its namespace', () => {
    expect(childrenOf(encodeNotifyRetrieve(withHome))).toEqual([
      ...['HomeCommunityId', 'RepositoryUniqueId', 'DocumentUniqueId', 'TypeCode', 'RequestorId'],
      ...['RequestorRole', 'Pou', 'RequestorLocality', 'PatientId'],
    ])
    expect(childrenOf(encodeNotifyRetrieve(message))).not.toContain('HomeCommunityId')
  })

  it('spells codes with their scheme and people as CX', () => {
    const xml = encodeNotifyRetrieve(message)
    expect(xml).toContain('<TypeCode>11502-2^^2.16.840.1.113883.6.1</TypeCode>')
    expect(xml).toContain('<PatientId>PROVAX80A01H501M^^^&amp;2.16.840.1.113883.2.9.4.3.2&amp;ISO</PatientId>')
  })

  it('has an empty type code where the type is not known', () => {
    const { typeCode: _unknown, ...untyped } = message
    expect(encodeNotifyRetrieve(untyped)).toContain('<TypeCode></TypeCode>')
    expect(decode(encodeNotifyRetrieve(untyped))).toEqual(untyped)
  })

  it('is read as it was written', () => {
    fc.assert(fc.property(retrievals, (one) => void expect(decode(encodeNotifyRetrieve(one))).toEqual(one)))
  })
})

describe('a notification from elsewhere', () => {
  const varied = (from: string | RegExp, to: string): RetrieveNotification => {
    const xml = encodeNotifyRetrieve(withHome)
    const other = xml.replace(from, to)
    expect(other).not.toBe(xml)
    return decode(other)
  }
  const type = /(?<=<TypeCode>)[^<]*/

  it.each([`('11502-2^^${loinc}')^^${loinc}`, `('11502-2^^${loinc}')`, ` 11502-2^^${loinc} `])(
    'may spell a type as %s',
    (spelling) => {
      expect(varied(type, spelling).typeCode).toEqual({ code: '11502-2', scheme: loinc })
    },
  )

  it('may leave out the scheme of a type', () => {
    expect(varied(type, '11502-2').typeCode).toEqual({ code: '11502-2' })
  })

  it('may name a home by an organization’s code, or by a bare identifier', () => {
    expect(varied(homes.veneto, '030').home).toBe('urn:oid:2.16.840.1.113883.2.9.2.30')
    expect(varied(homes.veneto, '2.16.840.1.113883.2.9.2.50').home).toBe(homes.veneto)
  })

  it('may name a patient by a bare codice fiscale', () => {
    expect(varied(/(?<=<PatientId>)[^<]*/, citizen.value).patientId).toEqual(citizen)
  })

  it('may leave out where the requestor works', () => {
    const { locality: _unknown, ...placeless } = withHome
    expect(varied(/<RequestorLocality>.*<\/RequestorLocality>/, '')).toEqual(placeless)
  })

  it('may carry slots, which say nothing to us', () => {
    const slot = '<Slot name="x"><ValueList><Value>1</Value></ValueList></Slot>'
    expect(varied('</NotifyRetrieveRequest>', `${slot}</NotifyRetrieveRequest>`)).toEqual(withHome)
  })

  it.each([
    ['another message', /NotifyRetrieveRequest/g, 'NotifyHidingRequest', 'request-malformed'],
    ['another namespace', notifyRetrieve.namespace, 'urn:x', 'request-malformed'],
    ['a field that is missing', /<Pou>.*<\/Pou>/, '', 'parameter-missing'],
    ['a field that is empty', /<Pou>.*<\/Pou>/, '<Pou> </Pou>', 'parameter-missing'],
    ['a type code that is not even empty', /<TypeCode>.*<\/TypeCode>/, '', 'parameter-missing'],
    ['a field that stands twice', '<Pou>', '<Pou>X</Pou><Pou>', 'parameter-count'],
    ['a home that is none', homes.veneto, 'Veneto', 'parameter-invalid'],
    ['a patient without an authority', /(?<=<PatientId>)[^<]*/, 'PROVAX80A01H501M^^^', 'parameter-invalid'],
    ['a patient nobody can be', /(?<=<PatientId>)[^<]*/, 'PROVAX80A01H501X', 'parameter-invalid'],
  ])('is refused with %s, and no word of it repeated', (_what, from, to, failure) => {
    expect(() => varied(from, to)).toThrow(
      expect.objectContaining({ code: failure, message: expect.not.stringMatching(/PROVAX|Veneto/) }),
    )
  })
})

it.skipIf(!existsSync(sample))(
  `the notification that INI was seen to send is read${existsSync(sample) ? '' : ' (skipped: ../shared/corpus is absent)'}`,
  () => {
    // The person in it has a code that nobody can have.
    const text = readFileSync(sample, 'utf8').replaceAll('PROVAX00X00X000Y', citizen.value)
    const tree = readTree(Buffer.from(text))
    const { action, body } = openEnvelope11(tree)
    expect(action).toBe(notifyRetrieve.action)
    expect(decodeNotifyRetrieve(tree, body, organizationHome)).toMatchObject({
      repositoryUniqueId: '2.16.840.1.113883.2.9.2.50.4.5.3',
      typeCode: { code: '11502-2', scheme: loinc },
      requestorRole: 'APR',
      locality: '050',
      patientId: citizen,
    })
  },
)
