import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { authorities } from '../../../../src/core/model/patient.ts'
import type { SoughtPerson } from '../../../../src/core/model/patient-discovery.ts'
import { timestamp } from '../../../../src/core/model/timestamp.ts'
import { encodeDiscoveryAnswer } from '../../../../src/wire/hl7v3/discovery-answer.ts'
import { decodeDiscoveryAnswer } from '../../../../src/wire/hl7v3/discovery-answer-read.ts'
import {
  type DiscoveryToAsk,
  decodeDiscoveryRequest,
  encodeDiscoveryRequest,
  readDiscoveryFrame,
} from '../../../../src/wire/hl7v3/discovery-request.ts'
import { readTree } from '../../../../src/wire/xml.ts'
import { answers, frame, nobody, noFrame, question, sought, stp } from '../../../fixtures/hl7v3/discovery.ts'
import { citizen, homes, otherCitizen } from '../../../support/builders.ts'

const fixture = (name: string) => readFileSync(new URL(`../../../fixtures/hl7v3/${name}.xml`, import.meta.url), 'utf8')
const asked = fixture('patient-discovery.request')
const told = fixture('patient-discovery.response')

function decodeQuestion(xml: string) {
  const tree = readTree(Buffer.from(xml))
  return decodeDiscoveryRequest(tree, tree.root)
}

function decodeAnswer(xml: string) {
  const tree = readTree(Buffer.from(xml))
  return decodeDiscoveryAnswer(tree, tree.root)
}

function refusal(read: () => unknown): unknown {
  try {
    read()
  } catch (error) {
    return error
  }
  throw new Error('Nothing was refused')
}

describe('a question of somebody else', () => {
  it('is read with everything that is looked at, whatever else it says', () => {
    expect(decodeQuestion(asked)).toMatchObject({
      frame: {
        messageId: { root: '2.16.840.1.113883.2.9.2.50.99', extension: 'q-1' },
        queryId: { root: '2.16.840.1.113883.2.9.2.50.98', extension: '1' },
        sender: { device: { root: '2.16.840.1.113883.2.9.2.50.7' }, home: homes.veneto },
        receiver: { device: { root: '2.16.840.1.113883.2.9.2.90.7' }, home: homes.tuscany },
        processingCode: 'T',
      },
      priority: 'immediate',
      initialQuantity: 5,
      minimumDegree: 75,
    })
    expect(decodeQuestion(asked).sought).toEqual({
      identifiers: [citizen],
      demographics: {
        names: [{ family: 'Prova&Fault', given: ['Àlfa', 'Beta'] }],
        birthDate: '19800101',
        gender: 'male',
      },
      authorities: [authorities.stp],
    })
  })

  it('is repeated in the answer as a document of its own, to the last parameter', () => {
    const { query = '' } = decodeQuestion(asked).frame
    const tree = readTree(Buffer.from(query))
    expect([tree.namespace(tree.root), tree.local(tree.root)]).toEqual(['urn:hl7-org:v3', 'queryByParameter'])
    expect(query).toContain('<hl7:city>Prova</hl7:city>')
    const answer = encodeDiscoveryAnswer(answers.nobody, decodeQuestion(asked).frame)
    expect(answer).toContain(query)
    expect(decodeAnswer(answer)).toEqual({
      answers: { root: '2.16.840.1.113883.2.9.2.50.99', extension: 'q-1' },
      queryId: { root: '2.16.840.1.113883.2.9.2.50.98', extension: '1' },
      outcome: { kind: 'not-found' },
    })
  })

  it('may be meant for later', () => {
    expect(decodeQuestion(asked.replace('PriorityCode code="I"', 'PriorityCode code="D"')).priority).toBe('deferred')
    expect(decodeQuestion(asked.replace('<hl7:responsePriorityCode code="I"/>', '')).priority).toBe('immediate')
  })

  it('tells a birth as an interval of one day', () => {
    const born = (value: string) => {
      const xml = asked.replace('<hl7:value value="19800101000000+0100"/>', `<hl7:value>${value}</hl7:value>`)
      return decodeQuestion(xml).sought.demographics.birthDate
    }
    expect(born('<hl7:low value="19800101"/><hl7:high value="198001012359"/>')).toBe('19800101')
    expect(refusal(() => born('<hl7:low value="1980"/><hl7:high value="1981"/>'))).toMatchObject({
      code: 'parameter-invalid',
    })
    expect(born('')).toBeUndefined()
  })

  it.each<[string, string, string, string]>([
    ['a value that is no codice fiscale', 'PROVAX80A01H501M', 'PROVAX80A01H501A', 'parameter-invalid'],
    ['a birth that is none', 'value="19800101000000+0100"', 'value="19801301"', 'parameter-invalid'],
    ['a gender nobody knows', '<hl7:value code="M"/>', '<hl7:value code="X"/>', 'parameter-invalid'],
    ['two genders', '<hl7:value code="M"/>', '<hl7:value code="M"/><hl7:value code="F"/>', 'parameter-count'],
    [
      'a name in one text',
      '<hl7:given>Àlfa</hl7:given><hl7:given>Beta</hl7:given><hl7:family>Prova&amp;Fault</hl7:family>',
      'Prova Alfa',
      'parameter-invalid',
    ],
    ['no parameters', 'parameterList', 'parameters', 'request-malformed'],
    ['no id', '<hl7:id root="2.16.840.1.113883.2.9.2.50.99" extension="q-1"/>', '', 'request-malformed'],
    ['no query id', 'hl7:queryId', 'hl7:x', 'request-malformed'],
    ['another name', 'PRPA_IN201305UV02 xmlns', 'PRPA_IN201301UV02 xmlns', 'request-malformed'],
    ['another namespace', '"urn:hl7-org:v3"', '"urn:hl7-org:v2"', 'request-malformed'],
  ])('is refused with %s, and its values are not repeated', (what, part, instead, code) => {
    expect(asked).toContain(part)
    const broken = asked.replaceAll(part, instead).replace('</hl7:PRPA_IN201305UV02>', () => {
      return what === 'another name' ? '</hl7:PRPA_IN201301UV02>' : '</hl7:PRPA_IN201305UV02>'
    })
    const error = refusal(() => decodeQuestion(broken))
    expect(error).toMatchObject({ code })
    expect(String((error as Error).message)).not.toMatch(/PROVAX|Prova|1980/)
  })

  it('may not have values without end', () => {
    const value = '<hl7:value root="2.16.840.1.113883.2.9.4.3.2" extension="PROVAX80A01H501M"/>'
    expect(decodeQuestion(asked.replace(value, value.repeat(31))).sought.identifiers).toHaveLength(31)
    expect(refusal(() => decodeQuestion(asked.replace(value, value.repeat(32))))).toMatchObject({
      code: 'parameter-count',
    })
  })

  it('lets go of what cannot name anybody', () => {
    const value = '<hl7:value root="2.16.840.1.113883.2.9.4.3.2" extension="PROVAX80A01H501M"/>'
    for (const instead of [
      '<hl7:value nullFlavor="UNK"/>',
      '<hl7:value root="8c6ed2a0-0000-4000-8000-000000000000" extension="1"/>',
      '<hl7:value root="1.2.3" extension=""/>',
    ]) {
      expect(decodeQuestion(asked.replace(value, instead)).sought.identifiers).toEqual([])
    }
  })

  it('leaves a frame to answer in even where nothing can be read', () => {
    const tree = readTree(Buffer.from('<x/>'))
    expect(readDiscoveryFrame(tree, tree.root)).toEqual({ processingCode: 'P' })
  })
})

const word = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }).filter((text) => {
  return text === text.trim() && text !== '' && !/[\p{C}\s]/u.test(text)
})
const people: fc.Arbitrary<SoughtPerson> = fc.record({
  identifiers: fc.uniqueArray(fc.constantFrom(citizen, otherCitizen, stp), { maxLength: 3 }),
  demographics: fc.record(
    {
      names: fc.array(
        fc.oneof(
          fc.record({ family: word, given: fc.array(word, { maxLength: 2 }) }),
          fc.record({ given: fc.tuple(word) }),
        ),
        { maxLength: 3 },
      ),
      birthDate: fc.constantFrom(timestamp('1980'), timestamp('198002'), timestamp('19800229')),
      gender: fc.constantFrom('female', 'male', 'other'),
    },
    { requiredKeys: ['names'] },
  ),
  authorities: fc.uniqueArray(fc.constantFrom(...Object.values(authorities)), { maxLength: 2 }),
})

describe('a question of ours', () => {
  it('says what it was given and nothing else', () => {
    fc.assert(
      fc.property(people, fc.constantFrom('immediate', 'deferred'), (sought, priority) => {
        const decoded = decodeQuestion(encodeDiscoveryRequest({ ...question, sought, priority }))
        expect(decoded).toMatchObject({ sought, priority, frame: { queryId: question.queryId, processingCode: 'P' } })
        expect(decoded.sought).toEqual(sought)
      }),
    )
  })

  it('has what is optional only where it is told', () => {
    const whole: DiscoveryToAsk = { ...question, initialQuantity: 1, minimumDegree: 75, processingCode: 'D' }
    const { messageId, queryId, sender, receiver } = question
    expect(decodeQuestion(encodeDiscoveryRequest(whole))).toEqual({
      frame: { messageId, queryId, sender, receiver, processingCode: 'D', query: expect.any(String) },
      ...{ priority: 'immediate', sought, initialQuantity: 1, minimumDegree: 75 },
    })
    const bare = encodeDiscoveryRequest({ ...question, sought: nobody })
    expect(bare).toContain('<parameterList></parameterList>')
    expect(bare).not.toMatch(/initialQuantity|matchCriterion/)
  })
})

describe('an answer of somebody else', () => {
  it('tells everybody found, each with their own community', () => {
    expect(decodeAnswer(told)).toEqual({
      answers: { root: '2.16.840.1.113883.2.9.2.90.99', extension: 'q-9' },
      queryId: { root: '2.16.840.1.113883.2.9.2.90.98', extension: '1' },
      outcome: {
        kind: 'found',
        matches: [
          {
            home: homes.veneto,
            patientId: citizen,
            otherIds: [{ value: 'STP0500000000001', authority: authorities.stp }],
            demographics: { names: [{ family: 'Prova', given: ['Alfa'] }], birthDate: '19800101', gender: 'male' },
            degree: 95,
          },
          {
            home: homes.lazio,
            patientId: { value: '1234', authority: '2.16.840.1.113883.2.9.2.120.4.1' },
            otherIds: [],
            degree: 80,
          },
        ],
      },
    })
  })

  it('is a failure as soon as either of its codes says so', () => {
    const failed = (...parts: readonly [string, string]) => decodeAnswer(told.replace(...parts)).outcome
    for (const part of ['AE', 'AR', 'CE', 'CR']) {
      expect(failed('typeCode code="CA"', `typeCode code="${part}"`)).toEqual({
        kind: 'failed',
        reason: 'InternalError',
      })
    }
    for (const part of ['AE', 'QE']) {
      expect(failed('code="OK "', `code="${part}"`)).toMatchObject({ kind: 'failed' })
    }
  })

  it.each<[string, string, string]>([
    ['a person without a community', '<id root="2.16.840.1.113883.2.9.2.50"/>', '<id nullFlavor="NI"/>'],
    ['a person without an identifier', 'root="2.16.840.1.113883.2.9.2.120.4.1" extension="1234"', 'nullFlavor="NI"'],
    ['a birth that is none', '<birthTime value="19800101"/>', '<birthTime value="1980-01"/>'],
    ['no acknowledgement', 'acknowledgement>', 'x>'],
    ['another message', 'PRPA_IN201306UV02', 'PRPA_IN201310UV02'],
  ])('is refused with %s', (_, part, instead) => {
    expect(told).toContain(part)
    expect(refusal(() => decodeAnswer(told.replaceAll(part, instead)))).toMatchObject({ code: 'community-misbehaved' })
  })

  it('may not tell of people without end', () => {
    const from = told.indexOf('<subject typeCode')
    const person = told.slice(from, told.indexOf('</subject>') + '</subject>'.length)
    const many = (times: number) => `${told.slice(0, from)}${person.repeat(times)}${told.slice(from)}`
    expect(decodeAnswer(many(62)).outcome).toMatchObject({ kind: 'found' })
    expect(refusal(() => decodeAnswer(many(63)))).toMatchObject({ code: 'community-misbehaved' })
  })
})

describe('an answer of ours', () => {
  it.each(Object.entries(answers))('says %s', (_, answer) => {
    const { messageId, queryId } = question
    expect(decodeAnswer(encodeDiscoveryAnswer(answer, frame))).toEqual({
      answers: messageId,
      queryId,
      outcome: answer.outcome,
    })
    expect(decodeAnswer(encodeDiscoveryAnswer(answer, noFrame))).toEqual({ outcome: answer.outcome })
  })

  it.each([
    ['one person', 'AA', 'OK', 1],
    ['people of several communities', 'AA', 'OK', 2],
    ['nobody', 'AA', 'NF', 0],
    ['a wish for more', 'AA', 'OK', 0],
    ['a failure', 'AE', 'AE', 0],
  ] as const)('tells %s by the codes of the framework', (name, acknowledged, code, results) => {
    const xml = encodeDiscoveryAnswer(answers[name], frame)
    expect(xml).toContain(`<acknowledgement><typeCode code="${acknowledged}"/>`)
    expect(xml).toContain(`<queryResponseCode code="${code}"/><resultTotalQuantity value="${results}"/>`)
    expect(xml.match(/<registrationEvent /g) ?? []).toHaveLength(results)
    expect(xml.match(/<reasonOf /g) ?? []).toHaveLength(name === 'a failure' || name === 'a wish for more' ? 1 : 0)
  })

  it('goes to who asked, and names a community by its bare identifier', () => {
    const xml = encodeDiscoveryAnswer(answers['one person'], frame)
    expect(xml).toMatch(/<receiver typeCode="RCV">.{1,99}<id root="2.16.840.1.113883.2.9.2.50.7"\/>/)
    expect(xml).toMatch(/<custodian .{1,99}<id root="2.16.840.1.113883.2.9.2.90"\/><code code="NotHealthDataLocator"/)
    expect(xml).not.toContain('urn:oid')
  })

  it('tells nothing of a person beside identifiers where there is no name to tell', () => {
    const matches = [
      { home: homes.tuscany, patientId: citizen, otherIds: [], demographics: { ...sought.demographics, names: [] } },
    ]
    const xml = encodeDiscoveryAnswer({ ...answers.nobody, outcome: { kind: 'found', matches } }, frame)
    expect(xml).toContain('<name nullFlavor="NA"/></patientPerson>')
  })
})
