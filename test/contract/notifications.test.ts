import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import {
  XmlBufferInputProvider,
  XmlDocument,
  XmlValidateError,
  XsdValidator,
  xmlRegisterInputProvider,
} from 'libxml2-wasm'
import { describe, expect, it } from 'vitest'
import { encodeNotificationResponse, type NotificationMessage } from '../../src/wire/ini/notification.ts'
import { encodeNotifyConsent, notifyConsent } from '../../src/wire/ini/notify-consent.ts'
import { encodeNotifyHiding, notifyHiding } from '../../src/wire/ini/notify-hiding.ts'
import { encodeNotifyRetrieve, notifyRetrieve } from '../../src/wire/ini/notify-retrieve.ts'
import { encodeNotifySubmitObjects, notifySubmitObjects } from '../../src/wire/ini/notify-submit-objects.ts'
import { consentChanges, hidings, outcomes, retrievals, submissions } from '../unit/wire/ini/arbitraries.ts'

const contracts = join(import.meta.dirname, '../../contracts/ini')
const corpus = join(import.meta.dirname, '../../../shared/corpus/ini/xsd/wxdsb')

/** Where a client would have found the WSDL: the schemas are found relative to it. */
const served = 'https://gateway.test:8443/ini/notifications'
const schemaNames = [
  'notification.xsd',
  'typeSchemaNotifyConsent.xsd',
  'typeSchemaNotifyHiding.xsd',
  'typeSchemaNotifyRetrieve.xsd',
  'typeSchemaNotifySubmitObjects.xsd',
]

interface Service {
  readonly name: string
  readonly message: NotificationMessage
  /** Spelt by us. */
  readonly requests: fc.Arbitrary<string>
  /** Fields without which a request is none. */
  readonly needs: readonly string[]
}

const services: readonly Service[] = [
  {
    name: 'NotifyCommunicationMetadata',
    message: notifySubmitObjects,
    requests: submissions.map(encodeNotifySubmitObjects),
    needs: ['RepositoryUniqueId', 'DocumentUniqueId', 'PatientId'],
  },
  {
    name: 'NotifyRetrieve',
    message: notifyRetrieve,
    requests: retrievals.map(encodeNotifyRetrieve),
    needs: ['RepositoryUniqueId', 'DocumentUniqueId', 'TypeCode', 'RequestorId', 'RequestorRole', 'Pou', 'PatientId'],
  },
  {
    name: 'NotifyHiding',
    message: notifyHiding,
    requests: hidings.map(encodeNotifyHiding),
    needs: ['PatientId', 'DocumentId'],
  },
  {
    name: 'NotifyConsent',
    message: notifyConsent,
    requests: consentChanges.map(encodeNotifyConsent),
    needs: ['PatientId', 'ConsentList', 'value', 'note', 'DisclosuresId'],
  },
]

const namespaces = {
  wsdl: 'http://schemas.xmlsoap.org/wsdl/',
  soap: 'http://schemas.xmlsoap.org/wsdl/soap/',
  wsaw: 'http://www.w3.org/2006/05/addressing/wsdl',
  xs: 'http://www.w3.org/2001/XMLSchema',
}

xmlRegisterInputProvider(
  new XmlBufferInputProvider(
    Object.fromEntries(
      schemaNames.map((name) => [`${served}?xsd=${name}`, readFileSync(join(contracts, 'xsd', name))]),
    ),
  ),
)

/** Compiles a schema with all that it includes; what it cannot find or understand is thrown. */
function schema(path: string, url: string): XsdValidator {
  using document = XmlDocument.fromBuffer(readFileSync(path), { url })
  return XsdValidator.fromDoc(document)
}

const ours = ({ name }: NotificationMessage): XsdValidator =>
  schema(join(contracts, `xsd/typeSchema${name}.xsd`), `${served}?xsd=typeSchema${name}.xsd`)

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

const without = (field: string, xml: string) => xml.replace(new RegExp(`<${field}[ >].*?</${field}>`), '')

describe('the schemas of notifications', () => {
  it('are those that the WSDLs lead to', () => {
    const ofNotifications = (folder: string, name: RegExp) =>
      readdirSync(join(contracts, folder)).filter((file) => name.test(file))
    expect(ofNotifications('xsd', /notif/i).sort()).toEqual(schemaNames)
    expect(ofNotifications('wsdl', /^Notify/).sort()).toEqual(services.map(({ name }) => `${name}.wsdl`).sort())
  })
})

describe.each(services)('the schema of $message.name', ({ message, requests, needs }) => {
  it('accepts every request that we spell', () => {
    using validator = ours(message)
    fc.assert(fc.property(requests, (xml) => accepts(validator, xml)))
  })

  it('accepts every answer that we spell', () => {
    using validator = ours(message)
    fc.assert(fc.property(outcomes, (one) => accepts(validator, encodeNotificationResponse(message, one))))
  })

  it('refuses a request that lacks what is needed', () => {
    using validator = ours(message)
    const [xml = ''] = fc.sample(requests, 1)
    for (const field of needs) {
      expect(without(field, xml)).not.toBe(xml)
      expect(accepts(validator, without(field, xml))).toBe(false)
    }
    expect(accepts(validator, xml.replace('</PatientId>', '</PatientId><Other/>'))).toBe(false)
  })

  it('refuses an answer without an error, and one that says neither', () => {
    using validator = ours(message)
    const xml = encodeNotificationResponse(message, { status: 'success' })
    expect(accepts(validator, xml.replace(/<Error.*\/>/, ''))).toBe(false)
    expect(accepts(validator, xml.replace('Success', 'Perhaps'))).toBe(false)
  })

  const path = join(corpus, `typeSchema${message.name}.xsd`)
  const reason = existsSync(path) ? '' : ` (skipped: ../shared/corpus has none)`
  it.skipIf(!existsSync(path))(`accepts nothing that the schema of others refuses${reason}`, () => {
    using validator = ours(message)
    using theirs = schema(path, pathToFileURL(path).href)
    fc.assert(fc.property(requests, (xml) => accepts(theirs, xml)))
    fc.assert(fc.property(outcomes, (one) => accepts(theirs, encodeNotificationResponse(message, one))))
    const [xml = ''] = fc.sample(requests, 1)
    const slot = '<Slot name="x"><ValueList><Value>1</Value></ValueList></Slot>'
    const slotted = xml.replace(/<\/\w+>$/, `${slot}$&`)
    for (const one of [...needs.map((field) => without(field, xml)), slotted]) {
      expect(accepts(theirs, one)).toBe(accepts(validator, one))
    }
    expect(accepts(validator, slotted)).toBe(true)
  })
})

describe.each(services)('the WSDL of $name', ({ name, message, requests }) => {
  const template = readFileSync(join(contracts, 'wsdl', `${name}.wsdl`), 'utf8')

  function valuesOf(xpath: string): string[] {
    using wsdl = XmlDocument.fromString(template.replace('{{location}}', served), { url: `${served}?wsdl` })
    return wsdl.find(xpath, namespaces).map((node) => node.content)
  }

  it('has one place for the address of the service', () => {
    expect(template.split('{{location}}')).toHaveLength(2)
    expect(valuesOf('/wsdl:definitions/wsdl:service/wsdl:port/soap:address/@location')).toEqual([served])
    expect(valuesOf('//wsdl:service/@name')).toEqual([`${name}_Service`])
  })

  it('carries the names and actions of the contract', () => {
    expect(valuesOf('/wsdl:definitions/@targetNamespace')).toEqual([message.namespace])
    expect(valuesOf('//wsdl:portType/wsdl:operation/@name')).toEqual([message.name])
    expect(valuesOf('//wsdl:input/@wsaw:Action')).toEqual([message.action])
    expect(valuesOf('//wsdl:output/@wsaw:Action')).toEqual([`${message.action}Response`])
    expect(valuesOf('//soap:operation/@soapAction')).toEqual([message.action])
  })

  it('is document/literal over SOAP 1.1 alone', () => {
    expect(valuesOf('//soap:binding/@style')).toEqual(['document'])
    expect(valuesOf('//soap:binding/@transport')).toEqual(['http://schemas.xmlsoap.org/soap/http'])
    expect(valuesOf('//soap:body/@use')).toEqual(['literal', 'literal'])
    expect(valuesOf('//wsdl:binding')).toHaveLength(1)
  })

  it('refers to nothing that it does not define', () => {
    expect(valuesOf('//wsdl:portType//@message')).toEqual(valuesOf('//wsdl:message/@name').map((own) => `tns:${own}`))
    expect(valuesOf('//wsdl:binding/@type')).toEqual(valuesOf('//wsdl:portType/@name').map((own) => `tns:${own}`))
    expect(valuesOf('//wsdl:port/@binding')).toEqual(valuesOf('//wsdl:binding/@name').map((own) => `tns:${own}`))
    expect(valuesOf('//wsdl:binding/wsdl:operation/@name')).toEqual(valuesOf('//wsdl:portType/wsdl:operation/@name'))
    expect(valuesOf('//wsdl:part/@element')).toEqual([`tns:${message.name}Request`, `tns:${message.name}Response`])
  })

  it('leads to schemas that define its messages', () => {
    using wsdl = XmlDocument.fromString(template.replace('{{location}}', served), { url: `${served}?wsdl` })
    const [types = ''] = wsdl.find('//wsdl:types/xs:schema', namespaces).map((node) => node.toString())
    using document = XmlDocument.fromString(types, { url: `${served}?wsdl` })
    using validator = XsdValidator.fromDoc(document)
    for (const xml of fc.sample(requests, 5)) expect(accepts(validator, xml)).toBe(true)
    expect(accepts(validator, encodeNotificationResponse(message, { status: 'success' }))).toBe(true)
    expect(accepts(validator, `<${message.name}Request xmlns="${message.namespace}"/>`)).toBe(false)
  })
})
