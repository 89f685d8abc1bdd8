import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { XmlDocument, XsdValidator } from 'libxml2-wasm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  decodeNotifyRetrieve,
  decodeNotifyRetrieveResponse,
  encodeNotifyRetrieve,
  encodeNotifyRetrieveResponse,
  type NotifyRetrieve,
  type NotifyRetrieveOutcome,
  notifyRetrieve,
} from '../../../../src/wire/ini/notify-retrieve.ts'
import { encodeEnvelope11, openEnvelope11 } from '../../../../src/wire/soap11.ts'
import { NONE, readTree } from '../../../../src/wire/xml.ts'
import { citizen, clinician, homes, loinc, otherCitizen } from '../../../support/builders.ts'

const corpus = join(import.meta.dirname, '../../../../../shared/corpus/ini')
const schema = join(corpus, 'xsd/wxdsb/typeSchemaNotifyRetrieve.xsd')
const sample = join(corpus, 'samples/issues/NotifyRetrieve_request.xml')
const present = existsSync(schema) && existsSync(sample)
const reason = present ? '' : ' (skipped: ../shared/corpus is absent)'

const message: NotifyRetrieve = {
  repositoryUniqueId: '2.16.840.1.113883.2.9.2.50.4.5.3',
  uniqueId: '2.16.840.1.113883.2.9.2.50.4.4^2.16.840.1.113883.2.9.2.50502.4.4.1.prova',
  typeCode: { code: '11502-2', scheme: loinc },
  requestor: clinician,
  requestorRole: 'AAS',
  purposeOfUse: 'TREATMENT',
  locality: 'Amb. Nefrologico^^^^^&2.16.840.1.113883.2.9.4.1.3&ISO^^^^090202',
  patientId: citizen,
}

const withHome: NotifyRetrieve = { ...message, homeCommunityId: homes.veneto }

/** Words as fields have them: no white space around, which a reader takes away. */
const word = fc.string({ minLength: 1, maxLength: 40 }).filter((text) => {
  return text === text.trim() && !/[\u0000-\u001f\ufffe\uffff]/.test(text)
})
const code = word.filter((text) => !/[\^'()]/.test(text))

const messages: fc.Arbitrary<NotifyRetrieve> = fc.record(
  {
    homeCommunityId: fc.constantFrom(homes.veneto, homes.lazio),
    typeCode: fc.oneof(fc.record({ code }), fc.record({ code, scheme: code })),
    repositoryUniqueId: word,
    uniqueId: word,
    requestor: word,
    requestorRole: word,
    purposeOfUse: word,
    locality: word,
    patientId: fc.constantFrom(citizen, otherCitizen),
  },
  {
    requiredKeys: [
      ...(['repositoryUniqueId', 'uniqueId', 'requestor', 'requestorRole'] as const),
      ...(['purposeOfUse', 'locality', 'patientId'] as const),
    ],
  },
)

const outcomes: fc.Arbitrary<NotifyRetrieveOutcome> = fc.oneof(
  fc.constant({ status: 'success' } as const),
  fc.record({
    status: fc.constantFrom('success', 'failure'),
    error: fc.record({ code: word, context: fc.oneof(word, fc.constant('')) }),
  }),
)

function decode(xml: string): NotifyRetrieve {
  const tree = readTree(Buffer.from(xml))
  return decodeNotifyRetrieve(tree, tree.root)
}

function decodeResponse(xml: string): NotifyRetrieveOutcome {
  const tree = readTree(Buffer.from(xml))
  return decodeNotifyRetrieveResponse(tree, tree.root)
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
    fc.assert(fc.property(messages, (one) => void expect(decode(encodeNotifyRetrieve(one))).toEqual(one)))
  })
})

describe('a notification from elsewhere', () => {
  const varied = (from: string | RegExp, to: string): NotifyRetrieve => {
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
    expect(varied(homes.veneto, '030').homeCommunityId).toBe('urn:oid:2.16.840.1.113883.2.9.2.30')
    expect(varied(homes.veneto, '2.16.840.1.113883.2.9.2.50').homeCommunityId).toBe(homes.veneto)
  })

  it('may name a patient by a bare codice fiscale', () => {
    expect(varied(/(?<=<PatientId>)[^<]*/, citizen.value).patientId).toEqual(citizen)
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

describe('the answer to a notification', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(outcomes, (one) => void expect(decodeResponse(encodeNotifyRetrieveResponse(one))).toEqual(one)),
    )
  })

  it('is read by local names, with or without an error, its status with or without a prefix', () => {
    expect(decodeResponse('<NotifyRetrieveResponse><Status> Success </Status></NotifyRetrieveResponse>')).toEqual({
      status: 'success',
    })
    const prefixed = 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure'
    expect(
      decodeResponse(
        `<n:NotifyRetrieveResponse xmlns:n="urn:x"><n:Status>${prefixed}</n:Status>` +
          '<n:Error errorCode="CRF1" codeContext="It is not possible to communicate with the RDA."/></n:NotifyRetrieveResponse>',
      ),
    ).toEqual({
      status: 'failure',
      error: { code: 'CRF1', context: 'It is not possible to communicate with the RDA.' },
    })
  })

  it.each([
    '<NotifyRetrieveResponse/>',
    '<NotifyRetrieveResponse><Status>Perhaps</Status></NotifyRetrieveResponse>',
    '<NotifyConsentResponse><Status>Success</Status></NotifyConsentResponse>',
  ])('is not taken for one when it is %s', (xml) => {
    expect(() => decodeResponse(xml)).toThrow(expect.objectContaining({ code: 'community-misbehaved' }))
  })

  it('is not taken for one when there is nothing', () => {
    const tree = readTree(Buffer.from('<x/>'))
    expect(() => decodeNotifyRetrieveResponse(tree, NONE)).toThrow(
      expect.objectContaining({ code: 'community-misbehaved' }),
    )
  })
})

describe('an envelope of SOAP 1.1', () => {
  const { action } = notifyRetrieve
  const addressing = { action, messageId: 'urn:uuid:1', to: 'https://ini.test/a?b=1&c=2', relatesTo: 'urn:uuid:0' }

  it('is opened as it was written', () => {
    const tree = readTree(Buffer.from(encodeEnvelope11(addressing, encodeNotifyRetrieve(message))))
    const { body, ...told } = openEnvelope11(tree)
    expect(told).toEqual({ action, messageId: 'urn:uuid:1', relatesTo: 'urn:uuid:0' })
    expect(decodeNotifyRetrieve(tree, body)).toEqual(message)
  })

  it('may be empty, without a header or without a body', () => {
    for (const xml of [
      '<Envelope/>',
      '<Envelope><Header/><Body/></Envelope>',
      '<Envelope><Body/></Envelope>',
      '<x/>',
    ]) {
      expect(openEnvelope11(readTree(Buffer.from(xml)))).toEqual({ body: NONE })
    }
  })
})

describe.skipIf(!present)(`by the schema that regions use${reason}`, () => {
  let validator: XsdValidator
  let document: XmlDocument

  beforeAll(() => {
    document = XmlDocument.fromBuffer(readFileSync(schema), { url: pathToFileURL(schema).href })
    validator = XsdValidator.fromDoc(document)
  })

  afterAll(() => {
    validator.dispose()
    document.dispose()
  })

  function validate(xml: string): void {
    const read = XmlDocument.fromString(xml)
    try {
      validator.validate(read)
    } finally {
      read.dispose()
    }
  }

  it('what is not valid is noticed', () => {
    const xml = encodeNotifyRetrieve(message)
    expect(() => validate(xml.replace(/<Pou>.*<\/Pou>/, ''))).toThrow(/Pou/)
    expect(() => validate(encodeNotifyRetrieveResponse({ status: 'success' }).replace(/<Error.*\/>/, ''))).toThrow()
  })

  it('every notification is valid', () => {
    fc.assert(fc.property(messages, (one) => void validate(encodeNotifyRetrieve(one))))
  })

  it('every answer is valid', () => {
    fc.assert(fc.property(outcomes, (one) => void validate(encodeNotifyRetrieveResponse(one))))
  })

  it('the notification that INI was seen to send is read', () => {
    // The person in it has a code that nobody can have.
    const text = readFileSync(sample, 'utf8').replaceAll('PROVAX00X00X000Y', citizen.value)
    const tree = readTree(Buffer.from(text))
    const { action, body } = openEnvelope11(tree)
    expect(action).toBe(notifyRetrieve.action)
    expect(decodeNotifyRetrieve(tree, body)).toMatchObject({
      repositoryUniqueId: '2.16.840.1.113883.2.9.2.50.4.5.3',
      typeCode: { code: '11502-2', scheme: loinc },
      requestorRole: 'APR',
      locality: '050',
      patientId: citizen,
    })
  })
})
