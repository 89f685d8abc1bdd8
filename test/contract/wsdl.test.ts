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
import { homeCommunityId } from '../../src/core/model/identifiers.ts'
import { encodeRegistryResponse } from '../../src/wire/ebrim/registry-response.ts'
import { encodeRetrieveRequest, encodeRetrieveResponse } from '../../src/wire/ebrim/retrieve.ts'
import { encodeRemoveObjects, encodeSubmitObjects } from '../../src/wire/ebrim/submit-objects.ts'
import { validSubmit } from '../support/submissions.ts'

const contracts = join(import.meta.dirname, '../../contracts/ihe')
const official = join(import.meta.dirname, '../../../shared/corpus/ihe/schemas/xds/wsdl/schema/ebRS30/query.xsd')
const present = existsSync(official)
const reason = present ? '' : ' (skipped: ../shared/corpus is absent)'

/** Where a client would have found the WSDL: the schemas are found relative to it. */
const served = 'https://gateway.test:8443/xds/registry'
const schemaNames = ['hl7v3.xsd', 'lcm.xsd', 'query.xsd', 'rim.xsd', 'rs.xsd', 'xdsb.xsd', 'xml.xsd']

const services = [
  { name: 'DocumentRegistry', transactions: ['RegistryStoredQuery'] },
  { name: 'DocumentRepository', transactions: ['RetrieveDocumentSet'] },
  { name: 'RespondingGateway', transactions: ['CrossGatewayQuery', 'CrossGatewayRetrieve'] },
]

const namespaces = {
  wsdl: 'http://schemas.xmlsoap.org/wsdl/',
  soap12: 'http://schemas.xmlsoap.org/wsdl/soap12/',
  wsaw: 'http://www.w3.org/2006/05/addressing/wsdl',
  xs: 'http://www.w3.org/2001/XMLSchema',
}

xmlRegisterFsInputProviders()
xmlRegisterInputProvider(
  new XmlBufferInputProvider(
    Object.fromEntries(
      schemaNames.map((name) => [`${served}?xsd=${name}`, readFileSync(join(contracts, 'xsd', name))]),
    ),
  ),
)

/** Compiles a schema with all that it imports; what it cannot find or understand is thrown. */
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

const ours = (): XsdValidator => schema(join(contracts, 'xsd/query.xsd'), `${served}?xsd=query.xsd`)

const declared =
  'xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" ' +
  'xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0" xmlns:rs="urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"'
const success = 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success'
const home = 'urn:oid:2.16.840.1.113883.2.9.2.50'

const slot = (name: string, ...values: string[]): string =>
  `<rim:Slot name="${name}"><rim:ValueList>${values.map((value) => `<rim:Value>${value}</rim:Value>`).join('')}` +
  '</rim:ValueList></rim:Slot>'
const text = (element: 'Name' | 'Description', value: string): string =>
  `<rim:${element}><rim:LocalizedString xml:lang="it-IT" charset="UTF-8" value="${value}"/></rim:${element}>`
const classification = (inner: string): string =>
  '<rim:Classification id="c1" classifiedObject="d1" nodeRepresentation="11502-2" ' +
  `classificationScheme="urn:uuid:f0306f51-975f-434e-a61c-c59651d33983">${inner}</rim:Classification>`
const uniqueId =
  '<rim:ExternalIdentifier id="e1" registryObject="d1" value="1.2.3^4" ' +
  'identificationScheme="urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab">' +
  `${text('Name', 'XDSDocumentEntry.uniqueId')}</rim:ExternalIdentifier>`

const association =
  '<rim:Association id="a1" sourceObject="s1" targetObject="d1" ' +
  'associationType="urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember">' +
  `${slot('SubmissionSetStatus', 'Original')}</rim:Association>`
/** Leaves out the first attribute of that name. */
const without = (attribute: string, xml: string): string => xml.replace(new RegExp(` ${attribute}="[^"]*"`), '')

const option = '<query:ResponseOption returnComposedObjects="true" returnType="LeafClass"/>'
const findDocuments =
  '<rim:AdhocQuery id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d">' +
  slot('$XDSDocumentEntryPatientId', "'RSSMRA75C03F839K^^^&amp;2.16.840.1.113883.2.9.4.3.2&amp;ISO'") +
  slot('$XDSDocumentEntryStatus', "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')") +
  '</rim:AdhocQuery>'
const request = (inner: string, attributes = ''): string =>
  `<query:AdhocQueryRequest ${declared} ${attributes}>${inner}</query:AdhocQueryRequest>`

const response = (inner: string, attributes = `status="${success}"`): string =>
  `<query:AdhocQueryResponse ${declared} ${attributes}>${inner}</query:AdhocQueryResponse>`
const objects = (inner: string): string => response(`<rim:RegistryObjectList>${inner}</rim:RegistryObjectList>`)
const entry = (inner: string, attributes = 'id="d1"'): string =>
  objects(`<rim:ExtrinsicObject ${attributes}>${inner}</rim:ExtrinsicObject>`)
const empty = '<rim:RegistryObjectList/>'
const failed = (attributes: string): string =>
  `<rs:RegistryErrorList><rs:RegistryError ${attributes}/></rs:RegistryErrorList>`
const unavailable = failed(
  `codeContext="did not answer" errorCode="XDSUnavailableCommunity" location="${home}" ` +
    'severity="urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error"',
)

const valid: Readonly<Record<string, string>> = {
  'a stored query': request(option + findDocuments),
  'a stored query for references': request(`<query:ResponseOption returnType="ObjectRef"/>${findDocuments}`),
  'the attributes a SOAP stack adds by itself': request(
    option + findDocuments,
    'id="urn:uuid:1" comment="c" federated="false" startIndex="0" maxResults="-1"',
  ),
  'a request with slots of its own': request(
    `<rs:RequestSlotList>${slot('urn:x', 'y')}</rs:RequestSlotList>${option}${findDocuments}`,
  ),
  'a stored query sent to one community': request(
    option + findDocuments.replace('<rim:AdhocQuery', `<rim:AdhocQuery home="${home}"`),
  ),
  'an answer without documents': response(empty),
  'an answer that tells which request it is for': response(empty, `status="${success}" requestId="urn:uuid:1"`),
  'an answer with slots and errors': response(
    `<rs:ResponseSlotList>${slot('DeferredProcessingRequired', 'x')}</rs:ResponseSlotList>${unavailable}${empty}`,
    'status="urn:ihe:iti:2007:ResponseStatusType:PartialSuccess" startIndex="0" totalResultCount="0"',
  ),
  'a document entry with everything in its place': entry(
    slot('creationTime', '20260601') +
      slot('sourcePatientInfo', 'PID-5|A^B', 'PID-8|F') +
      text('Name', 'Referto') +
      text('Description', 'nota') +
      '<rim:VersionInfo versionName="2" comment="c"/>' +
      classification(slot('codingScheme', '2.16.840.1.113883.6.1') + text('Name', 'Referto')) +
      uniqueId +
      '<rim:ContentVersionInfo versionName="1"/>',
    `id="d1" home="${home}" lid="urn:uuid:1" mimeType="application/pdf" isOpaque="false" ` +
      'objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1" ' +
      'status="urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"',
  ),
  'objects of all kinds in any order': objects(
    association +
      '<rim:ExtrinsicObject id="d1"/>' +
      `<rim:RegistryPackage id="s1">${slot('submissionTime', '2026')}</rim:RegistryPackage>` +
      `<rim:ObjectRef id="urn:uuid:2" home="${home}"/><rim:ExtrinsicObject id="d2"/>` +
      '<rim:Classification id="c2" classifiedObject="s1" ' +
      'classificationNode="urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"/>',
  ),
  'a slot without values': entry('<rim:Slot name="x"><rim:ValueList/></rim:Slot>'),
  'a text without a language, and one whose language is unknown': entry(
    '<rim:Name><rim:LocalizedString value="a"/><rim:LocalizedString xml:lang="" value="b"/></rim:Name>',
  ),
  'a name without a text': entry('<rim:Name/>'),
  'a value of 256 characters': entry(slot('x', 'y'.repeat(256))),
  'a document entry with several codes and identifiers': entry(
    classification('') + classification('') + uniqueId + uniqueId,
  ),
  'many slots of the request': request(
    `<rs:RequestSlotList>${slot('urn:x', 'y')}${slot('urn:z')}</rs:RequestSlotList>${option}${findDocuments}`,
  ),
  'a list of no slots': response(`<rs:ResponseSlotList/>${empty}`),
  'several errors': response(
    unavailable.replace('<rs:RegistryError ', '<rs:RegistryError codeContext="" errorCode="x"/>$&') + empty,
  ),
  'an error with a text': response(unavailable.replace('/>', '>why</rs:RegistryError>') + empty),
}

const invalid: Readonly<Record<string, string>> = {
  'a request without a query': request(option),
  'a request without a response option': request(findDocuments),
  'a query before its response option': request(findDocuments + option),
  'a query without an id': request(option + without('id', findDocuments)),
  'a return type that does not exist': request(option.replace('LeafClass', 'Leaf') + findDocuments),
  'a slot without a name': request(option + without('name', findDocuments)),
  'a slot without a list of values': entry('<rim:Slot name="x"><rim:Value>y</rim:Value></rim:Slot>'),
  'a number that is none': request(option + findDocuments, 'maxResults="all"'),
  'an attribute of nobody': request(option + findDocuments, 'limit="1"'),
  'a query in the wrong namespace': request(option + findDocuments.replaceAll('rim:', 'rs:')),
  'an answer without a status': response(empty, ''),
  'an answer without a list of objects': response(''),
  'objects before errors': response(empty + unavailable),
  'errors in the rim namespace': response(unavailable.replaceAll('rs:', 'rim:') + empty),
  'a list of no errors': response(`<rs:RegistryErrorList/>${empty}`),
  'an error without a code': response(failed('codeContext="x"') + empty),
  'an error without a context': response(failed('errorCode="x"') + empty),
  'an object without an id': entry('', ''),
  'an identifier before a classification': entry(uniqueId + classification('')),
  'a name before a slot': entry(text('Name', 'x') + slot('x', 'y')),
  'a description before a name': entry(text('Description', 'x') + text('Name', 'x')),
  'two names': entry(text('Name', 'x') + text('Name', 'y')),
  'a text without a value': entry('<rim:Name><rim:LocalizedString xml:lang="it-IT"/></rim:Name>'),
  'a classification of nothing': entry(without('classifiedObject', classification(''))),
  'an identifier without a value': entry(without('value', uniqueId)),
  'an identifier without a scheme': entry(without('identificationScheme', uniqueId)),
  'an identifier of nothing': entry(without('registryObject', uniqueId)),
  'an association without a type': objects(without('associationType', association)),
  'an association that comes from nowhere': objects(without('sourceObject', association)),
  'an association that leads nowhere': objects(without('targetObject', association)),
  'a slot in the place of an object': objects(slot('x', 'y')),
  'a value of 257 characters': entry(slot('x', 'y'.repeat(257))),
  'a text of 1025 characters': entry(text('Name', 'x'.repeat(1025))),
  'a version of 17 characters': entry(`<rim:VersionInfo versionName="${'1'.repeat(17)}"/>`),
  'a home in the spelling of another norm': entry('', 'id="d1" homeCommunityId="x"'),
}

describe('the schemas that are served', () => {
  it('are those that the WSDLs lead to', () => {
    expect(readdirSync(join(contracts, 'xsd')).sort()).toEqual(schemaNames)
  })

  it.each(Object.entries(valid))('accept %s', (_, message) => {
    using validator = ours()
    expect(accepts(validator, message)).toBe(true)
  })

  it.each(Object.entries(invalid))('refuse %s', (_, message) => {
    using validator = ours()
    expect(accepts(validator, message)).toBe(false)
  })

  it('refuse the return types that XDS does not have', () => {
    using validator = ours()
    for (const returnType of ['RegistryObject', 'LeafClassWithRepositoryItem'])
      expect(accepts(validator, request(option.replace('LeafClass', returnType) + findDocuments))).toBe(false)
    expect(accepts(validator, request(`<query:ResponseOption/>${findDocuments}`))).toBe(false)
  })
})

describe.skipIf(!present)(`the norm's own schemas${reason}`, () => {
  it.each(Object.entries({ ...valid, ...invalid }))('judge %s as ours do', (_, message) => {
    using validator = ours()
    using norm = schema(official, official)
    expect(accepts(norm, message)).toBe(accepts(validator, message))
  })
})

describe.each(services)('the WSDL of $name', ({ name, transactions }) => {
  const template = readFileSync(join(contracts, 'wsdl', `${name}.wsdl`), 'utf8')

  function valuesOf(xpath: string): string[] {
    using wsdl = XmlDocument.fromString(template.replace('{{location}}', served), { url: `${served}?wsdl` })
    return wsdl.find(xpath, namespaces).map((node) => node.content)
  }

  it('has one place for the address of the service', () => {
    expect(template.split('{{location}}')).toHaveLength(2)
    expect(valuesOf('/wsdl:definitions/wsdl:service/wsdl:port/soap12:address/@location')).toEqual([served])
  })

  it('carries the names of the norm', () => {
    expect(valuesOf('/wsdl:definitions/@targetNamespace')).toEqual(['urn:ihe:iti:xds-b:2007'])
    expect(valuesOf('//wsdl:portType/@name')).toEqual([`${name}_PortType`])
    expect(valuesOf('//wsdl:portType/wsdl:operation/@name')).toEqual(
      transactions.map((transaction) => `${name}_${transaction}`),
    )
    expect(valuesOf('//wsdl:binding/@name')).toEqual([`${name}_Binding_Soap12`])
    expect(valuesOf('//wsdl:service/@name')).toEqual([`${name}_Service`])
    expect(valuesOf('//wsdl:port/@name')).toEqual([`${name}_Port_Soap12`])
  })

  it('tells the action of the request and that of the answer', () => {
    const actions = transactions.map((transaction) => `urn:ihe:iti:2007:${transaction}`)
    const answers = actions.map((action) => `${action}Response`)
    expect(valuesOf('//wsdl:portType/wsdl:operation/wsdl:input/@wsaw:Action')).toEqual(actions)
    expect(valuesOf('//wsdl:portType/wsdl:operation/wsdl:output/@wsaw:Action')).toEqual(answers)
    expect(valuesOf('//soap12:operation/@soapAction')).toEqual(actions)
    expect(valuesOf('//soap12:operation/@soapActionRequired')).toEqual(actions.map(() => 'false'))
  })

  it('is document/literal over SOAP 1.2 alone', () => {
    expect(valuesOf('//soap12:binding/@style')).toEqual(['document'])
    expect(valuesOf('//soap12:body/@use')).toEqual(transactions.flatMap(() => ['literal', 'literal']))
    expect(valuesOf('//wsdl:binding')).toHaveLength(1)
  })

  it('refers to nothing that it does not define', () => {
    expect(valuesOf('//wsdl:portType//@message')).toEqual(valuesOf('//wsdl:message/@name').map((own) => `xds:${own}`))
    expect(valuesOf('//wsdl:binding/@type')).toEqual(valuesOf('//wsdl:portType/@name').map((own) => `xds:${own}`))
    expect(valuesOf('//wsdl:port/@binding')).toEqual(valuesOf('//wsdl:binding/@name').map((own) => `xds:${own}`))
    expect(valuesOf('//wsdl:binding/wsdl:operation/@name')).toEqual(valuesOf('//wsdl:portType/wsdl:operation/@name'))
    expect(valuesOf('//wsdl:part/@element')).toEqual(transactions.flatMap(messagesOf))
  })

  it('leads to schemas that define its messages', () => {
    using wsdl = XmlDocument.fromString(template.replace('{{location}}', served), { url: `${served}?wsdl` })
    const types = wsdl.find('//wsdl:types/xs:schema', namespaces).map((node) => node.toString())
    expect(types).toHaveLength(1)
    using document = XmlDocument.fromString(types.join(''), { url: `${served}?wsdl` })
    using validator = XsdValidator.fromDoc(document)
    const asks = transactions.some((transaction) => transaction.endsWith('Query'))
    expect(accepts(validator, request(option + findDocuments))).toBe(asks)
    expect(accepts(validator, request(option))).toBe(false)
    const retrieves = transactions.some((transaction) => !transaction.endsWith('Query'))
    const reference = { repositoryUniqueId: '1.2.3', uniqueId: '1.2.3^4' }
    expect(accepts(validator, encodeRetrieveRequest([{ home: homeCommunityId(home), ...reference }]))).toBe(retrieves)
    expect(accepts(validator, encodeRetrieveRequest([]))).toBe(false)
    const told = { ...reference, mimeType: 'text/xml', content: { base64: 'PGEvPg==' } }
    const error = { errorCode: 'XDSDocumentUniqueIdError', codeContext: 'x', severity: 'error', location: '1' } as const
    for (const errors of [[], [error]]) {
      expect(accepts(validator, encodeRetrieveResponse([told], { status: 'success', errors }))).toBe(retrieves)
    }
  })
})

function messagesOf(transaction: string): string[] {
  const message = transaction.endsWith('Query') ? 'query:AdhocQuery' : 'xds:RetrieveDocumentSet'
  return [`${message}Request`, `${message}Response`]
}

describe('the WSDL of DocumentRegistry, where those who make documents push', () => {
  const template = readFileSync(join(contracts, 'wsdl/DocumentRegistry_Producers.wsdl'), 'utf8')
  const pushes = [
    ['RegisterDocumentSet-b', 'urn:ihe:iti:2007:RegisterDocumentSet-b', 'SubmitObjectsRequest'],
    ['UpdateDocumentSet', 'urn:ihe:iti:2010:UpdateDocumentSet', 'SubmitObjectsRequest'],
    ['DeleteDocumentSet', 'urn:ihe:iti:2010:DeleteDocumentSet', 'RemoveObjectsRequest'],
  ] as const
  using document = XmlDocument.fromString(template.replace('{{location}}', served), { url: `${served}?wsdl` })
  const valuesOf = (xpath: string): string[] => document.find(xpath, namespaces).map((node) => node.content)
  const types = document.find('//wsdl:types/xs:schema', namespaces).map((node) => node.toString())
  const operations = valuesOf('//wsdl:portType/wsdl:operation/@name')
  const bodies = valuesOf('//wsdl:message/wsdl:part/@element')
  const actions = valuesOf('//wsdl:portType/wsdl:operation/wsdl:input/@wsaw:Action')
  const answers = valuesOf('//wsdl:portType/wsdl:operation/wsdl:output/@wsaw:Action')
  const bound = valuesOf('//wsdl:binding/wsdl:operation/@name')

  it('has the search, and what is pushed, each by its action', () => {
    expect(operations).toEqual([
      'DocumentRegistry_RegistryStoredQuery',
      ...pushes.map(([name]) => `DocumentRegistry_${name}`),
    ])
    expect(bound).toEqual(operations)
    expect(actions.slice(1)).toEqual(pushes.map(([, action]) => action))
    expect(answers).toEqual(actions.map((action) => `${action}Response`))
    expect(bodies.slice(2)).toEqual(pushes.flatMap(([, , body]) => [`lcm:${body}`, 'rs:RegistryResponse']))
  })

  it('leads to schemas that define its messages', () => {
    using schemas = XmlDocument.fromString(types.join(''), { url: `${served}?wsdl` })
    using validator = XsdValidator.fromDoc(schemas)
    expect(accepts(validator, request(option + findDocuments))).toBe(true)
    expect(accepts(validator, encodeRemoveObjects(['urn:uuid:1']))).toBe(true)
    expect(accepts(validator, encodeSubmitObjects(validSubmit().submission))).toBe(true)
    expect(accepts(validator, encodeRegistryResponse({ status: 'success', errors: [] }))).toBe(true)
  })
})
