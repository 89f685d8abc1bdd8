import { describe, expect, it } from 'vitest'
import {
  encodeEnvelope,
  encodeFault,
  type Fault,
  httpStatusOf,
  openEnvelope,
  SoapFaultError,
  soapNames,
} from '../../../src/wire/soap.ts'
import { NONE, readTree } from '../../../src/wire/xml.ts'

const { soap11, soap12, wsa, wsse } = soapNames

const understands = (namespace: string, local: string) =>
  namespace === wsa || (namespace === wsse && local === 'Security')
const open = (xml: string) => openEnvelope(readTree(Buffer.from(xml)), understands)
const envelope = (header: string, body: string, namespace: string = soap12) =>
  `<e:Envelope xmlns:e="${namespace}" xmlns:wsa="${wsa}">${header}${body}</e:Envelope>`

function faultOf(xml: string): Fault {
  try {
    open(xml)
  } catch (error) {
    if (error instanceof SoapFaultError) return error.soapFault
    throw error
  }
  throw new Error('was opened')
}

describe('a SOAP 1.2 envelope', () => {
  it('is taken apart into header blocks and the one message', () => {
    const { tree, headers, body } = open(
      envelope(
        '<e:Header><wsa:Action>a</wsa:Action><wsa:To>t</wsa:To></e:Header>',
        '<e:Body><x xmlns="urn:x"/></e:Body>',
      ),
    )
    expect(headers.map((node) => tree.local(node))).toEqual(['Action', 'To'])
    expect(tree.is(body, 'urn:x', 'x')).toBe(true)
  })

  it('may have no header, and an empty body', () => {
    const { headers, body } = open(envelope('', '<e:Body/>'))
    expect(headers).toEqual([])
    expect(body).toBe(NONE)
  })

  it.each([
    ['no body', envelope('<e:Header/>', '')],
    ['two bodies', envelope('', '<e:Body/><e:Body/>')],
    ['two headers', envelope('<e:Header/><e:Header/>', '<e:Body/>')],
    ['the header behind the body', envelope('', '<e:Body/><e:Header/>')],
    ['something behind the body', envelope('', '<e:Body/><x xmlns="urn:x"/>')],
    ['two messages', envelope('', '<e:Body><x xmlns="urn:x"/><x xmlns="urn:x"/></e:Body>')],
    ['a body of another namespace', envelope('', '<Body xmlns="urn:x"/>')],
  ])('is refused as the sender’s with %s', (_what, xml) => {
    expect(faultOf(xml).code).toBe('Sender')
  })

  it.each([
    ['SOAP 1.1', envelope('', '<e:Body/>', soap11)],
    ['another namespace', envelope('', '<e:Body/>', 'urn:x')],
    ['no envelope at all', '<x/>'],
  ])('%s is a version mismatch', (_what, xml) => {
    const fault = faultOf(xml)
    expect(fault.code).toBe('VersionMismatch')
    expect(httpStatusOf(fault)).toBe(500)
    const told = readTree(Buffer.from(encodeFault(fault, { messageId: 'urn:uuid:1' })))
    expect(told.namespace(told.root)).toBe(soap11)
    expect(encodeFault(fault, { messageId: 'm' })).toContain('SupportedEnvelope qname="env12:Envelope"')
  })
})

describe('a mandatory header', () => {
  const block = (attributes: string) =>
    envelope(`<e:Header><q:Odd xmlns:q="urn:odd" ${attributes}/></e:Header>`, '<e:Body/>')

  it.each([
    'e:mustUnderstand="true"',
    'e:mustUnderstand="1"',
    'e:mustUnderstand=" true "',
    `e:mustUnderstand="1" e:role="${soap12}/role/next"`,
    `e:mustUnderstand="1" e:role="${soap12}/role/ultimateReceiver"`,
    'e:mustUnderstand="1" e:role=""',
  ])('that nobody understands is named: %s', (attributes) => {
    const fault = faultOf(block(attributes))
    expect(fault.code).toBe('MustUnderstand')
    expect(fault.headers).toContain('<env:NotUnderstood qname="q:Odd" xmlns:q="urn:odd"/>')
    const tree = readTree(Buffer.from(encodeFault(fault, { messageId: 'm' })))
    const header = tree.child(tree.root, soap12, 'Header')
    expect(tree.children(header, soap12, 'NotUnderstood')).toHaveLength(1)
  })

  it.each([
    '',
    'e:mustUnderstand="false"',
    'e:mustUnderstand="0"',
    'mustUnderstand="true"',
    'wsa:mustUnderstand="true"',
    `e:mustUnderstand="1" e:role="${soap12}/role/none"`,
    'e:mustUnderstand="1" e:role="urn:somebody-else"',
  ])('is none of ours: %s', (attributes) => {
    expect(open(block(attributes)).headers).toHaveLength(1)
  })

  it('of addressing and security is understood', () => {
    const header = `<e:Header><wsa:Action e:mustUnderstand="1"/><s:Security xmlns:s="${wsse}" e:mustUnderstand="1"/></e:Header>`
    expect(open(envelope(header, '<e:Body/>')).headers).toHaveLength(2)
    const other = `<e:Header><s:Timestamp xmlns:s="${wsse}" e:mustUnderstand="1"/></e:Header>`
    expect(faultOf(envelope(other, '<e:Body/>')).code).toBe('MustUnderstand')
  })
})

describe('a message we write', () => {
  it('reads as it was meant, whatever it is about', () => {
    const xml = encodeEnvelope(
      {
        action: 'a&b',
        messageId: '<m>',
        relatesTo: 'r',
        to: 'https://x/?a=1&b=2',
        anonymousReply: true,
        assertion: '<a xmlns="urn:a"/>',
      },
      '<x xmlns="urn:x"/>',
    )
    const { tree, headers } = open(xml)
    const told = Object.fromEntries(headers.map((node) => [tree.local(node), tree.text(node)]))
    expect(told).toMatchObject({ Action: 'a&b', MessageID: '<m>', RelatesTo: 'r', To: 'https://x/?a=1&b=2' })
    expect(xml).toContain('<wsa:Action env:mustUnderstand="true">')
    expect(xml).toContain(`<wsa:ReplyTo><wsa:Address>${wsa}/anonymous</wsa:Address></wsa:ReplyTo>`)
  })
})

describe('a fault', () => {
  it.each([
    ['Sender', 400],
    ['Receiver', 500],
    ['MustUnderstand', 500],
    ['VersionMismatch', 500],
  ] as const)('%s goes with HTTP %i', (code, status) => expect(httpStatusOf({ code, reason: 'r' })).toBe(status))

  const read = (fault: Fault) => {
    const { tree, headers, body } = open(encodeFault(fault, { messageId: 'urn:uuid:m', relatesTo: 'urn:uuid:r' }))
    const action = headers.find((node) => tree.local(node) === 'Action') ?? NONE
    return { tree, body, action: tree.text(action), children: tree.children(body).map((node) => tree.local(node)) }
  }

  it('nests its subcodes, outer first, and escapes its reason', () => {
    const { tree, body, children } = read({
      code: 'Sender',
      subcodes: ['wsa:InvalidAddressingHeader', 'wsa:InvalidCardinality'],
      reason: 'a < b & c',
      detail: '<d xmlns="urn:d"/>',
    })
    expect(children).toEqual(['Code', 'Reason', 'Detail'])
    const values: string[] = []
    for (let node = tree.child(body, soap12, 'Code'); node !== NONE; node = tree.child(node, soap12, 'Subcode')) {
      values.push(tree.text(tree.child(node, soap12, 'Value')))
    }
    expect(values).toEqual(['env:Sender', 'wsa:InvalidAddressingHeader', 'wsa:InvalidCardinality'])
    expect(tree.text(tree.child(tree.child(body, soap12, 'Reason'), soap12, 'Text'))).toBe('a < b & c')
  })

  it('of addressing has the action of addressing faults, any other that of SOAP faults', () => {
    expect(read({ code: 'Sender', subcodes: ['wsa:ActionNotSupported'], reason: 'r' }).action).toBe(`${wsa}/fault`)
    expect(read({ code: 'Sender', subcodes: ['wsse:InvalidSecurity'], reason: 'r' }).action).toBe(`${wsa}/soap/fault`)
    expect(read({ code: 'Receiver', reason: 'r' }).action).toBe(`${wsa}/soap/fault`)
  })
})
