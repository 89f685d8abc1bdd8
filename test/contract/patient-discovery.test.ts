import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  XmlBufferInputProvider,
  XmlDocument,
  XmlValidateError,
  XsdValidator,
  xmlRegisterInputProvider,
} from 'libxml2-wasm'
import { xmlRegisterFsInputProviders } from 'libxml2-wasm/lib/nodejs.mjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { actions, responseAction } from '../../src/wire/actions.ts'
import { encodeDiscoveryAnswer } from '../../src/wire/hl7v3/discovery-answer.ts'
import { decodeDiscoveryRequest, encodeDiscoveryRequest } from '../../src/wire/hl7v3/discovery-request.ts'
import { readTree } from '../../src/wire/xml.ts'
import { answers, frame, nobody, noFrame, question } from '../fixtures/hl7v3/discovery.ts'

const contracts = join(import.meta.dirname, '../../contracts/ihe')
const official = join(
  import.meta.dirname,
  '../../../shared/corpus/ihe/schemas/hl7v3/schema/HL7V3/NE2008/multicacheschemas',
)
const present = existsSync(official)
const reason = present ? '' : ' (skipped: ../shared/corpus is absent)'
const served = 'https://gateway.test:8443/xcpd/responding'

const fixture = (name: string) => readFileSync(join(import.meta.dirname, `../fixtures/hl7v3/${name}.xml`), 'utf8')

const asked = encodeDiscoveryRequest({ ...question, initialQuantity: 1, minimumDegree: 75 })
const tree = readTree(Buffer.from(asked))
const { frame: whole } = decodeDiscoveryRequest(tree, tree.root)

const questions: Readonly<Record<string, string>> = {
  'a question with everything': asked,
  'a question about nobody': encodeDiscoveryRequest({ ...question, sought: nobody }),
  'a question for later, for training': encodeDiscoveryRequest({
    ...question,
    priority: 'deferred',
    processingCode: 'T',
  }),
}
const told: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(answers).flatMap(([name, answer]) => [
    [`an answer with ${name}`, encodeDiscoveryAnswer(answer, frame)],
    [`an answer with ${name} that repeats the question`, encodeDiscoveryAnswer(answer, whole)],
    [`an answer with ${name} to nobody knows what`, encodeDiscoveryAnswer(answer, noFrame)],
  ]),
)
/** None of them says what HL7 would let it say. */
const wrong: Readonly<Record<string, string>> = {
  'a question without an id': asked.replace(/<id root="1c0b[^>]*>/, ''),
  'a question without parameters': asked.replace(/<parameterList>.*<\/parameterList>/, ''),
  'a question without a version': asked.replace(' ITSVersion="XML_1.0"', ''),
  'a question whose sender precedes its receiver': asked.replace(
    /(<receiver .*<\/receiver>)(<sender .*<\/sender>)/,
    '$2$1',
  ),
  'an identifier that is no OID': asked.replace('root="2.16.840.1.113883.2.9.4.3.2"', 'root="urn:oid:1.2"'),
  'a code with a blank': asked.replace('code="new"', 'code="ne w"'),
  'a birth that is no time': asked.replace('value="19800101"', 'value="1980-01-01"'),
  'a person without a community': (told['an answer with one person'] ?? '').replace(/<custodian .*<\/custodian>/, ''),
  'a person without a name': (told['an answer with one person by an identifier alone'] ?? '').replace(
    /<name [^>]*>/,
    '',
  ),
  'a number that is none': (told['an answer with nobody'] ?? '').replace('Quantity value="0"', 'Quantity value="none"'),
}

/** HL7 lets it be said, IHE does not. */
const narrower: Readonly<Record<string, string>> = {
  'an answer that acknowledges nothing': (told['an answer with nobody'] ?? '').replace(
    /<acknowledgement>.*<\/acknowledgement>/,
    '',
  ),
}

xmlRegisterFsInputProviders()
xmlRegisterInputProvider(
  new XmlBufferInputProvider({ [`${served}?xsd=hl7v3.xsd`]: readFileSync(join(contracts, 'xsd/hl7v3.xsd')) }),
)

function schema(path: string, url: string): XsdValidator {
  using document = XmlDocument.fromBuffer(readFileSync(path), { url })
  return XsdValidator.fromDoc(document)
}

function accepts(validator: XsdValidator, message: string): boolean {
  using document = XmlDocument.fromString(message)
  try {
    validator.validate(document)
    return true
  } catch (error) {
    if (error instanceof XmlValidateError) return false
    throw error
  }
}

describe('the schema that is served', () => {
  using validator = schema(join(contracts, 'xsd/hl7v3.xsd'), `${served}?xsd=hl7v3.xsd`)
  const judged = (messages: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(messages).map(([name, xml]) => [name, accepts(validator, xml)]))
  const [accepted, refused] = [judged({ ...questions, ...told }), judged({ ...wrong, ...narrower })]

  it.each(Object.keys(accepted))('accepts %s', (name) => {
    expect(accepted[name]).toBe(true)
  })

  it.each(Object.keys(refused))('refuses %s', (name) => {
    expect([asked, ...Object.values(told)]).not.toContain({ ...wrong, ...narrower }[name])
    expect(refused[name]).toBe(false)
  })
})

describe.skipIf(!present)(`the norm's own schemas${reason}`, () => {
  let judges: Readonly<Record<'PRPA_IN201305UV02' | 'PRPA_IN201306UV02', XsdValidator>>

  beforeAll(() => {
    const judge = (name: string) =>
      schema(join(official, `${name}.xsd`), pathToFileURL(join(official, `${name}.xsd`)).href)
    judges = { PRPA_IN201305UV02: judge('PRPA_IN201305UV02'), PRPA_IN201306UV02: judge('PRPA_IN201306UV02') }
  })

  afterAll(() => {
    for (const judge of Object.values(judges)) judge.dispose()
  })

  it.each(Object.entries({ ...questions, ...told }))('accept %s', (_, message) => {
    const name = message.startsWith('<PRPA_IN201305UV02') ? 'PRPA_IN201305UV02' : 'PRPA_IN201306UV02'
    using document = XmlDocument.fromString(message)
    judges[name].validate(document)
  })

  it('accept what others say in the fixtures of this project', () => {
    expect(accepts(judges.PRPA_IN201305UV02, fixture('patient-discovery.request'))).toBe(true)
    expect(accepts(judges.PRPA_IN201306UV02, fixture('patient-discovery.response'))).toBe(true)
  })

  it.each(Object.entries(wrong))('refuse %s', (_, message) => {
    const name = message.startsWith('<PRPA_IN201305UV02') ? 'PRPA_IN201305UV02' : 'PRPA_IN201306UV02'
    expect(accepts(judges[name], message)).toBe(false)
  })
})

describe('the WSDL of patient discovery', () => {
  const template = readFileSync(join(contracts, 'wsdl/RespondingGateway_PatientDiscovery.wsdl'), 'utf8')
  const namespaces = {
    wsdl: 'http://schemas.xmlsoap.org/wsdl/',
    soap12: 'http://schemas.xmlsoap.org/wsdl/soap12/',
    wsaw: 'http://www.w3.org/2006/05/addressing/wsdl',
    xs: 'http://www.w3.org/2001/XMLSchema',
  }

  function valuesOf(xpath: string): string[] {
    using wsdl = XmlDocument.fromString(template.replace('{{location}}', served), { url: `${served}?wsdl` })
    return wsdl.find(xpath, namespaces).map((node) => node.content)
  }

  it('has one place for the address of the service, and the names of the norm', () => {
    expect(template.split('{{location}}')).toHaveLength(2)
    expect(valuesOf('//soap12:address/@location')).toEqual([served])
    expect(valuesOf('/wsdl:definitions/@targetNamespace')).toEqual(['urn:ihe:iti:xcpd:2009'])
    expect(valuesOf('//wsdl:portType/@name')).toEqual(['RespondingGateway_PortType'])
    expect(valuesOf('//wsdl:operation/@name')).toEqual(Array(2).fill('RespondingGateway_PRPA_IN201305UV02'))
    expect(valuesOf('//soap12:body/@use')).toEqual(['literal', 'literal'])
  })

  it('tells the actions that are served', () => {
    const action = actions.crossGatewayPatientDiscovery
    expect(valuesOf('//wsdl:input/@wsaw:Action')).toEqual([action])
    expect(valuesOf('//soap12:operation/@soapAction')).toEqual([action])
    expect(valuesOf('//soap12:operation/@soapActionRequired')).toEqual(['false'])
    expect(valuesOf('//wsdl:output/@wsaw:Action')).toEqual([responseAction(action)])
    expect(responseAction(action)).toBe('urn:hl7-org:v3:PRPA_IN201306UV02:CrossGatewayPatientDiscovery')
  })

  it('refers to nothing that it does not define', () => {
    expect(valuesOf('//wsdl:portType//@message')).toEqual(valuesOf('//wsdl:message/@name').map((own) => `xcpd:${own}`))
    expect(valuesOf('//wsdl:binding/@type')).toEqual(valuesOf('//wsdl:portType/@name').map((own) => `xcpd:${own}`))
    expect(valuesOf('//wsdl:port/@binding')).toEqual(valuesOf('//wsdl:binding/@name').map((own) => `xcpd:${own}`))
    expect(valuesOf('//wsdl:part/@element')).toEqual(['hl7:PRPA_IN201305UV02', 'hl7:PRPA_IN201306UV02'])
  })

  it('leads to the schema of its messages', () => {
    using wsdl = XmlDocument.fromString(template.replace('{{location}}', served), { url: `${served}?wsdl` })
    const types = wsdl.find('//wsdl:types/xs:schema', namespaces).map((node) => node.toString())
    expect(types).toHaveLength(1)
    using document = XmlDocument.fromString(types.join(''), { url: `${served}?wsdl` })
    using validator = XsdValidator.fromDoc(document)
    expect(accepts(validator, asked)).toBe(true)
    expect(accepts(validator, '<PRPA_IN201305UV02 xmlns="urn:hl7-org:v3"/>')).toBe(false)
  })
})
