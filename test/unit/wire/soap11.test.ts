import { describe, expect, it } from 'vitest'
import { readFault } from '../../../src/wire/ebrim/fault.ts'
import { SoapFaultError, soapNames } from '../../../src/wire/soap.ts'
import { encodeEnvelope11, encodeFault11, openEnvelope11, openRequest11 } from '../../../src/wire/soap11.ts'
import { NONE, readTree } from '../../../src/wire/xml.ts'

const addressing = {
  action: 'urn:fse:NotifyHiding',
  messageId: 'urn:uuid:1',
  to: 'https://ini.test/a?b=1&c=2',
  relatesTo: 'urn:uuid:0',
}
const { soap11, soap12, wsa } = soapNames

const read = (xml: string) => readTree(Buffer.from(xml))

function envelope(header: string, body = '<x xmlns=""/>', soap: string = soap11): string {
  return `<e:Envelope xmlns:e="${soap}" xmlns:w="${wsa}">${header}<e:Body>${body}</e:Body></e:Envelope>`
}

function request(xml: string) {
  return openRequest11(read(xml), (namespace, local) => namespace === wsa && local === 'To')
}

function refusal(xml: string): string {
  try {
    request(xml)
  } catch (error) {
    if (error instanceof SoapFaultError) return error.soapFault.code
    throw error
  }
  return 'none'
}

describe('an envelope of SOAP 1.1', () => {
  it('has an assertion alone in its security header, with addressing or without', () => {
    const assertion = '<a:Assertion xmlns:a="urn:a"/>'
    for (const addressed of [addressing, undefined]) {
      const tree = read(encodeEnvelope11(addressed, '<x/>', assertion))
      const [header] = tree.children(tree.root)
      const blocks = header === undefined ? [] : tree.children(header)
      const security = blocks.filter((node) => tree.is(node, soapNames.wsse, 'Security'))
      expect(security.flatMap((node) => tree.children(node)).map((node) => tree.local(node))).toEqual(['Assertion'])
      expect(blocks).toHaveLength(addressed === undefined ? 1 : 5)
    }
    expect(encodeEnvelope11(undefined, '<x/>')).not.toContain('Header')
  })

  it('is opened as it was written', () => {
    const tree = read(encodeEnvelope11(addressing, '<x/>'))
    const { body, ...told } = openEnvelope11(tree)
    expect(told).toEqual({ action: addressing.action, messageId: 'urn:uuid:1', relatesTo: 'urn:uuid:0' })
    expect(tree.local(body)).toBe('x')
    expect(tree.text(tree.children(tree.first(tree.root))[0] ?? NONE)).toBe(addressing.to)
  })

  it('has no header without addressing', () => {
    const tree = read(encodeEnvelope11(undefined, '<x/>'))
    expect(tree.children(tree.root).map((node) => tree.local(node))).toEqual(['Body'])
    expect(tree.local(openEnvelope11(tree).body)).toBe('x')
  })

  it('may be empty, without a header or without a body', () => {
    for (const xml of [
      '<Envelope/>',
      '<Envelope><Header/><Body/></Envelope>',
      '<Envelope><Body/></Envelope>',
      '<x/>',
    ]) {
      expect(openEnvelope11(read(xml))).toEqual({ body: NONE })
    }
  })
})

describe('a request in SOAP 1.1', () => {
  it('is opened with and without a header', () => {
    const told = '<e:Header><w:Action>urn:x</w:Action><w:MessageID>1</w:MessageID></e:Header>'
    expect(request(envelope(told))).toMatchObject({ action: 'urn:x', messageId: '1' })
    expect(request(envelope(''))).toEqual({ body: 2 })
  })

  it.each([
    ['another version', envelope('', '<x/>', soap12), 'VersionMismatch'],
    ['no envelope', '<x/>', 'VersionMismatch'],
    ['an empty body', envelope('', ''), 'Sender'],
    ['two messages', envelope('', '<x/><y/>'), 'Sender'],
    ['no body', `<e:Envelope xmlns:e="${soap11}"><e:Header/></e:Envelope>`, 'Sender'],
    ['nothing', `<e:Envelope xmlns:e="${soap11}"/>`, 'Sender'],
  ])('is refused with %s', (_what, xml, code) => {
    expect(refusal(xml)).toBe(code)
  })

  it.each([
    ['one that is understood', '<w:To e:mustUnderstand="1">x</w:To>', 'none'],
    ['one that is not', '<w:From e:mustUnderstand="1"/>', 'MustUnderstand'],
    ['one that is for whoever is next', `<y e:mustUnderstand="1" e:actor="${nextActor()}"/>`, 'MustUnderstand'],
    ['one that is for somebody else', '<y e:mustUnderstand="1" e:actor="urn:z"/>', 'none'],
    ['one that need not be', '<y e:mustUnderstand="0"/>', 'none'],
  ])('of mandatory headers, %s', (_what, header, code) => {
    expect(refusal(envelope(`<e:Header>${header}</e:Header>`))).toBe(code)
  })
})

describe('a fault of SOAP 1.1', () => {
  it.each([
    ['Sender', 'Client'],
    ['Receiver', 'Server'],
    ['VersionMismatch', 'VersionMismatch'],
    ['MustUnderstand', 'MustUnderstand'],
  ] as const)('calls %s by its own word %s', (code, spelt) => {
    const tree = read(encodeEnvelope11(undefined, encodeFault11({ code, reason: 'a < b' })))
    expect(readFault(tree, openEnvelope11(tree).body)).toMatchObject({ code: spelt, reason: 'a < b' })
  })
})

function nextActor(): string {
  return 'http://schemas.xmlsoap.org/soap/actor/next'
}
