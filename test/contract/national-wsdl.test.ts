import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  XmlBufferInputProvider,
  XmlDocument,
  XmlValidateError,
  XsdValidator,
  xmlRegisterInputProvider,
} from 'libxml2-wasm'
import { xmlRegisterFsInputProviders } from 'libxml2-wasm/lib/nodejs.mjs'
import { describe, expect, it } from 'vitest'
import { encodeRegistryResponse } from '../../src/wire/ebrim/registry-response.ts'
import { encodeRemoveObjects, encodeSubmitObjects } from '../../src/wire/ebrim/submit-objects.ts'
import { validSubmit } from '../support/submissions.ts'

const contracts = join(import.meta.dirname, '../../contracts')
const official = join(import.meta.dirname, '../../../shared/corpus/ihe/schemas/xds/wsdl/schema/ebRS30/lcm.xsd')
const present = existsSync(official)
const reason = present ? '' : ' (skipped: ../shared/corpus is absent)'
const served = 'https://gateway.test:8443/ini/service'

const files = ['ihe/xsd', 'ini/xsd'].flatMap((folder) =>
  readdirSync(join(contracts, folder)).map((name) => [name, readFileSync(join(contracts, folder, name))] as const),
)
xmlRegisterFsInputProviders()
xmlRegisterInputProvider(
  new XmlBufferInputProvider(Object.fromEntries(files.map(([name, content]) => [`${served}?xsd=${name}`, content]))),
)

function validator(content: Buffer, url: string): XsdValidator {
  using document = XmlDocument.fromBuffer(content, { url })
  return XsdValidator.fromDoc(document)
}

function complaint(schema: XsdValidator, message: string): string | undefined {
  using document = XmlDocument.fromString(message)
  try {
    schema.validate(document)
    return undefined
  } catch (error) {
    if (error instanceof XmlValidateError) return error.message
    throw error
  }
}

/** The names of ini.md §1.3, and the actions of §1.2. */
const services = [
  {
    file: 'XDS.b_DocumentRegistry',
    namespace: 'urn:ihe:iti:xds-b:2007',
    portType: 'DocumentRegistry_PortType',
    binding: 'DocumentRegistry_Binding_Soap12',
    service: 'DocumentRegistry_Service',
    port: 'DocumentRegistry_Port_Soap12',
    operations: ['DocumentRegistry_RegisterDocumentSet-b', 'DocumentRegistry_RegistryStoredQuery'],
    actions: ['urn:ihe:iti:2007:RegisterDocumentSet-b', 'urn:ihe:iti:2007:RegistryStoredQuery'],
  },
  {
    file: 'XDS.b_DocumentRegistry_v1',
    namespace: 'urn:ihe:iti:xds-b:2007',
    portType: 'DocumentRegistry_PortType',
    binding: 'DocumentRegistry_Binding_Soap12',
    service: 'DocumentRegistry_Service',
    port: 'DocumentRegistry_UpdateDocumentSet_Port_Soap12',
    operations: ['DocumentRegistry_UpdateDocumentSet'],
    actions: ['urn:ihe:iti:2010:UpdateDocumentSet'],
  },
  {
    file: 'XDSDeletetWS',
    namespace: 'urn:ihe:iti:xds-b:2010',
    portType: 'XDSDeletetWS',
    binding: 'XDSDeletetWSBinding',
    service: 'XDSDeletetWSService',
    port: 'XDSDeletetWSSPort',
    operations: ['DocumentRegistry_DeleteDocumentSet'],
    actions: ['urn:ihe:iti:xds-b:2010:XDSDeletetWS:DocumentRegistry_DeleteDocumentSetRequest'],
  },
  {
    file: 'XDS.b_DocumentRepository',
    namespace: 'urn:ihe:iti:xds-b:2007',
    portType: 'DocumentRepository_PortType',
    binding: 'DocumentRepository_Binding',
    service: 'DocumentRepository_Service',
    port: 'DocumentRepository_Port_Soap12',
    operations: ['DocumentRepository_RetrieveDocumentSet'],
    actions: ['urn:ihe:iti:2007:RetrieveDocumentSet'],
  },
  {
    file: 'FindDocumentReferences',
    namespace: 'urn:ihe:iti:xds-b:2007',
    portType: 'DocumentRegistry_PortType',
    binding: 'DocumentRegistry_Binding_Soap12',
    service: 'DocumentRegistry_Service',
    port: 'DocumentRegistry_Port_Soap12',
    operations: ['DocumentRegistry_RegistryStoredQuery'],
    actions: ['urn:ihe:iti:2007:RegistryStoredQuery'],
  },
] as const

const namespaces = {
  wsdl: 'http://schemas.xmlsoap.org/wsdl/',
  soap12: 'http://schemas.xmlsoap.org/wsdl/soap12/',
  wsaw: 'http://www.w3.org/2006/05/addressing/wsdl',
  xs: 'http://www.w3.org/2001/XMLSchema',
}

describe.each(services)('the contract $file', ({ file, namespace, portType, binding, service, port, ...rest }) => {
  const template = readFileSync(join(contracts, 'ini/wsdl', `${file}.wsdl`), 'utf8')
  const valuesOf = (xpath: string): string[] => {
    using wsdl = XmlDocument.fromString(template.replace('{{location}}', served), { url: `${served}?wsdl` })
    return wsdl.find(xpath, namespaces).map((node) => node.content)
  }

  it('has the names of INI’s contract', () => {
    expect(valuesOf('/wsdl:definitions/@targetNamespace')).toEqual([namespace])
    expect(valuesOf('//wsdl:portType/@name')).toEqual([portType])
    expect(valuesOf('//wsdl:binding/@name')).toEqual([binding])
    expect(valuesOf('//wsdl:service/@name')).toEqual([service])
    expect(valuesOf('//wsdl:port/@name')).toEqual([port])
    expect(valuesOf('//wsdl:portType/wsdl:operation/@name')).toEqual(rest.operations)
    expect(valuesOf('//wsdl:portType/wsdl:operation/wsdl:input/@wsaw:Action')).toEqual(rest.actions)
  })

  it('has one place for the address, and schemas that are served', () => {
    expect(template.split('{{location}}')).toHaveLength(2)
    const named = valuesOf('//xs:import/@schemaLocation').map((location) => location.replace('?xsd=', ''))
    expect(named.length).toBeGreaterThan(0)
    for (const name of named) expect(files.map(([known]) => known)).toContain(name)
  })
})

const { submission } = validSubmit()
const messages = {
  'a submission': encodeSubmitObjects(submission),
  'a removal': encodeRemoveObjects(['urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3']),
} as const

describe('messages of a push', () => {
  it.each(Object.entries(messages))('%s satisfies the schema that is served', (_, message) => {
    const content = files.find(([name]) => name === 'lcm.xsd')?.[1] ?? Buffer.alloc(0)
    using schema = validator(content, `${served}?xsd=lcm.xsd`)
    expect(complaint(schema, message)).toBeUndefined()
  })

  it('the answer to one does, and one without a status does not', () => {
    const content = files.find(([name]) => name === 'rs.xsd')?.[1] ?? Buffer.alloc(0)
    using schema = validator(content, `${served}?xsd=rs.xsd`)
    const refusal = { errorCode: 'R224', codeContext: 'saved', severity: 'error', location: 'x' } as const
    const answer = encodeRegistryResponse({ status: 'failure', errors: [refusal] })
    expect(complaint(schema, answer)).toBeUndefined()
    expect(complaint(schema, answer.replace(/ status="[^"]*"/, ''))).toMatch(/status/)
  })

  it.skipIf(!present).each(Object.entries(messages))(`%s satisfies the norm's own schema${reason}`, (_, message) => {
    using schema = validator(readFileSync(official), official)
    expect(complaint(schema, message)).toBeUndefined()
  })
})
