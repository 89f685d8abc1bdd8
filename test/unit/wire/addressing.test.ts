import { describe, expect, it } from 'vitest'
import { type AddressingMode, actionNotSupported, messageIdOf, readAddressing } from '../../../src/wire/addressing.ts'
import { type Envelope, openEnvelope, SoapFaultError, soapNames } from '../../../src/wire/soap.ts'
import { readTree } from '../../../src/wire/xml.ts'

const { soap12, wsa } = soapNames
const action = '<wsa:Action>urn:ihe:iti:2007:RegistryStoredQuery</wsa:Action>'
const id = '<wsa:MessageID>urn:uuid:1</wsa:MessageID>'
const anonymous = `<wsa:Address>${wsa}/anonymous</wsa:Address>`

function envelope(headers: string): Envelope {
  const xml = `<e:Envelope xmlns:e="${soap12}" xmlns:wsa="${wsa}"><e:Header>${headers}</e:Header><e:Body/></e:Envelope>`
  return openEnvelope(readTree(Buffer.from(xml)), () => true)
}

function faultOf(headers: string, mode: AddressingMode = 'strict') {
  try {
    readAddressing(envelope(headers), mode)
  } catch (error) {
    if (error instanceof SoapFaultError) return error.soapFault
    throw error
  }
  throw new Error('was accepted')
}

describe('the addressing of a request', () => {
  it.each([
    'urn:uuid:0c9d7c34-4f6f-4a55-9c55-1c3a6c2b9d22',
    'uuid:0c9d7c34-4f6f-4a55-9c55-1c3a6c2b9d22',
    '0c9d7c34-4f6f-4a55-9c55-1c3a6c2b9d22',
  ])('keeps the message id as it was spelt: %s', (messageId) => {
    const given = envelope(`${action}<wsa:MessageID> ${messageId}\n</wsa:MessageID><wsa:To>https://x</wsa:To>`)
    const told = { action: 'urn:ihe:iti:2007:RegistryStoredQuery', messageId, to: 'https://x' }
    expect(readAddressing(given, 'strict')).toEqual(told)
    expect(messageIdOf(given)).toBe(messageId)
  })

  it.each([
    '',
    `<wsa:ReplyTo>${anonymous}</wsa:ReplyTo>`,
    `<wsa:ReplyTo>${anonymous}</wsa:ReplyTo><wsa:FaultTo>${anonymous}</wsa:FaultTo>`,
  ])('may ask for the answer on the same connection: %s', (reply) =>
    expect(readAddressing(envelope(action + id + reply), 'strict')).not.toHaveProperty('to'),
  )

  it.each([
    ['no action', id, 'wsa:Action'],
    ['an empty action', `<wsa:Action> </wsa:Action>${id}`, 'wsa:Action'],
    ['no message id', action, 'wsa:MessageID'],
    ['an empty message id', `${action}<wsa:MessageID/>`, 'wsa:MessageID'],
    [
      'headers of the older addressing',
      `<Action xmlns="http://schemas.xmlsoap.org/ws/2004/08/addressing">a</Action>${id}`,
      'wsa:Action',
    ],
  ])('is refused with %s, in either mode', (_what, headers, name) => {
    for (const mode of ['strict', 'lenient'] as const) {
      expect(faultOf(headers, mode)).toMatchObject({
        code: 'Sender',
        subcodes: ['wsa:MessageAddressingHeaderRequired'],
        detail: `<wsa:ProblemHeaderQName>${name}</wsa:ProblemHeaderQName>`,
      })
    }
  })

  const reply = `<wsa:ReplyTo>${anonymous}</wsa:ReplyTo>`
  it.each([
    ['Action', action + action + id],
    ['MessageID', action + id + id],
    ['To', `${action}${id}<wsa:To>a</wsa:To><wsa:To>b</wsa:To>`],
    ['ReplyTo', action + id + reply + reply],
    ['FaultTo', (action + id + reply + reply).replaceAll('ReplyTo', 'FaultTo')],
  ])('with %s twice is refused, or read by its first for those who cannot be mended', (name, headers) => {
    expect(faultOf(headers)).toMatchObject({
      subcodes: ['wsa:InvalidAddressingHeader', 'wsa:InvalidCardinality'],
      detail: `<wsa:ProblemHeaderQName>wsa:${name}</wsa:ProblemHeaderQName>`,
    })
    expect(readAddressing(envelope(headers), 'lenient').messageId).toBe('urn:uuid:1')
  })

  it.each(['ReplyTo', 'FaultTo'])('with %s elsewhere is refused: answers leave on the same connection', (name) => {
    for (const address of ['https://elsewhere.example/', `${wsa}/none`, '']) {
      expect(
        faultOf(`${action}${id}<wsa:${name}><wsa:Address>${address}</wsa:Address></wsa:${name}>`).subcodes,
      ).toEqual(['wsa:InvalidAddressingHeader', 'wsa:OnlyAnonymousAddressSupported'])
    }
    expect(faultOf(`${action}${id}<wsa:${name}/>`).subcodes).toEqual([
      'wsa:InvalidAddressingHeader',
      'wsa:MissingAddressInEPR',
    ])
  })

  it('tells a message id even when nothing else is right', () => {
    expect(messageIdOf(envelope(id + id))).toBe('urn:uuid:1')
    expect(messageIdOf(envelope('<wsa:MessageID/>'))).toBeUndefined()
    expect(messageIdOf(envelope(''))).toBeUndefined()
  })
})

it('an action nobody serves is told back, escaped', () => {
  const { soapFault } = actionNotSupported('urn:<x>')
  expect(soapFault).toMatchObject({ code: 'Sender', subcodes: ['wsa:ActionNotSupported'] })
  expect(soapFault.detail).toContain('<wsa:Action>urn:&lt;x&gt;</wsa:Action>')
})
