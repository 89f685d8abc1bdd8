import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeCommunicationDisclosure,
  decodeCommunicationDisclosureResponse,
  decodeRetrieveDisclosure,
  decodeRetrieveDisclosureResponse,
  encodeCommunicationDisclosure,
  encodeCommunicationDisclosureResponse,
  encodeRetrieveDisclosure,
  encodeRetrieveDisclosureResponse,
} from '../../../../src/wire/ini/disclosure.ts'
import { readTree } from '../../../../src/wire/xml.ts'
import { disclosures, word } from './arbitraries.ts'
import { schemasPresent, validate, withoutSchemas } from './schema.ts'

const success = { status: 'success' } as const
const document = { content: Buffer.from('Informativa'), mediaType: 'text/plain', type: 'BREVE' }
const notice = { id: '150^2', documents: [document, { ...document, type: 'ESTESA' }] }

function retrieved(xml: string, asked = notice.id) {
  const tree = readTree(Buffer.from(xml))
  return decodeRetrieveDisclosureResponse(tree, tree.root, asked)
}

describe('an information notice', () => {
  it('is asked for and told as it was written', () => {
    fc.assert(
      fc.property(disclosures, (one) => {
        const tree = readTree(Buffer.from(encodeRetrieveDisclosure(one.id)))
        expect(decodeRetrieveDisclosure(tree, tree.root)).toBe(one.id)
        expect(retrieved(encodeRetrieveDisclosureResponse(success, one), one.id)).toEqual(one)
      }),
    )
  })

  it('is communicated as it was written, and gets an id', () => {
    fc.assert(
      fc.property(disclosures, word, ({ documents }, region) => {
        const tree = readTree(Buffer.from(encodeCommunicationDisclosure({ region, documents })))
        expect(decodeCommunicationDisclosure(tree, tree.root)).toEqual({ region, documents })
      }),
    )
    const tree = readTree(Buffer.from(encodeCommunicationDisclosureResponse(success, '090', '7')))
    expect(decodeCommunicationDisclosureResponse(tree, tree.root)).toBe('7')
  })

  it.skipIf(!schemasPresent)(`is as the schema has it${withoutSchemas}`, () => {
    validate('DisclosureManager', encodeRetrieveDisclosure(notice.id))
    validate('DisclosureManager', encodeRetrieveDisclosureResponse(success, notice))
    validate('DisclosureManager', encodeCommunicationDisclosure({ region: '090', documents: notice.documents }))
    validate('DisclosureManager', encodeCommunicationDisclosureResponse(success, '090', '7'))
  })

  it('may be asked for as the latest, and only then be another than was asked for', () => {
    const xml = encodeRetrieveDisclosureResponse(success, notice)
    expect(retrieved(xml, '150^last').id).toBe('150^2')
    expect(() => retrieved(xml, '150^1')).toThrow(expect.objectContaining({ code: 'community-misbehaved' }))
  })

  it('is not believed without documents, or with one that is no base64', () => {
    const misbehaved = expect.objectContaining({ code: 'community-misbehaved' })
    expect(() => retrieved(encodeRetrieveDisclosureResponse(success, { ...notice, documents: [] }))).toThrow(misbehaved)
    const xml = encodeRetrieveDisclosureResponse(success, notice).replace(/(?<=<Value>)[^<]+/, '%%%%')
    expect(() => retrieved(xml)).toThrow(misbehaved)
    const tree = readTree(Buffer.from(encodeCommunicationDisclosureResponse(success, '090')))
    expect(() => decodeCommunicationDisclosureResponse(tree, tree.root)).toThrow(misbehaved)
  })

  it('has two documents at least, whoever tells it', () => {
    const one = { region: '090', documents: [document] }
    const tooFew = expect.objectContaining({ code: 'parameter-count' })
    expect(() => encodeCommunicationDisclosure(one)).toThrow(tooFew)
    const xml = encodeCommunicationDisclosure({ region: '090', documents: notice.documents })
    const tree = readTree(Buffer.from(xml.replace(/<Document>.*?<\/Document>/, '')))
    expect(() => decodeCommunicationDisclosure(tree, tree.root)).toThrow(tooFew)
  })
})
