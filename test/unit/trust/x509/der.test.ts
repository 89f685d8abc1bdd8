import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { element, identifier, integer, octets, sequence } from '../../../../certs-dev/der.ts'
import { DerReader, tags } from '../../../../src/trust/x509/der.ts'

const reader = (hex: string): DerReader => new DerReader(Buffer.from(hex, 'hex'))

describe('elements', () => {
  it('are read one after the other, each within its bounds', () => {
    const items = new DerReader(sequence(integer(5), octets(Buffer.from('ab')), sequence())).read(tags.sequence)
    expect(items.integer()).toBe('05')
    expect(items.optional(tags.sequence)).toBeUndefined()
    expect(items.tag).toBe(tags.octetString)
    expect(items.read(tags.octetString).rest().toString()).toBe('ab')
    expect(items.whole()).toEqual(Buffer.from('3000', 'hex'))
    items.finish()
    expect(items.tag).toBeUndefined()
  })

  it.each([200, 70_000])('of %i octets are read', (length) => {
    expect(new DerReader(octets(Buffer.alloc(length))).read(tags.octetString).rest()).toHaveLength(length)
  })

  it.each([
    ['nothing', ''],
    ['a tag alone', '04'],
    ['an indefinite length', '048001010000'],
    ['a length that could be shorter', '04810161'],
    ['a length with a leading zero', `04820080${'61'.repeat(128)}`],
    ['a length of five octets', '0485000000000161'],
    ['a length whose octets are missing', '0482'],
    ['a length that leads outside', '040361'],
    ['a tag of several octets', '1f0161'],
  ])('are refused with %s', (_, hex) => {
    expect(() => reader(hex).read()).toThrow('DER')
  })

  it('are refused when another was asked for, or something is left', () => {
    expect(() => reader('0400').read(tags.sequence)).toThrow('DER')
    expect(() => reader('0400').finish()).toThrow('DER')
  })

  it('never lead out of an element that contains them', () => {
    const inner = new DerReader(Buffer.concat([sequence(Buffer.from('0403', 'hex')), Buffer.from('616263')]))
    expect(() => inner.read(tags.sequence).read()).toThrow('DER')
  })
})

describe('values', () => {
  it.each([
    ['020100', '00'],
    ['02017f', '7f'],
    ['02020080', '80'],
    ['0201ff', 'ff'],
    ['0202ff00', 'ff00'],
  ])('%s is the number %s', (hex, number) => {
    expect(reader(hex).integer()).toBe(number)
  })
  it.each(['0200', '0202007f', '0202ff80', '020200'])('%s is no number', (hex) => {
    expect(() => reader(hex).integer()).toThrow()
  })

  it('are true or false, and nothing else', () => {
    expect(reader('0101ff').boolean()).toBe(true)
    expect(reader('010100').boolean()).toBe(false)
    for (const hex of ['010101', '0100', '0102ffff']) expect(() => reader(hex).boolean()).toThrow()
  })

  it.each(['2.5.29.15', '1.3.76.29.1.10', '0.9.2342.19200300.100.1.1', '2.16.840.1.101.3.4.2.1'])(
    '%s is named',
    (name) => {
      expect(new DerReader(identifier(name)).objectIdentifier()).toBe(name)
    },
  )
  it('are named by arcs of any size', () => {
    const uuid = reader('0614698190aecbb1b7d3e9dbf4dfb3a6b2c4e0f9a101')
    expect(uuid.objectIdentifier()).toMatch(/^2\.25\.\d{30,}$/)
  })
  it.each(['0600', '060180', '06022a80', '060380012a'])('%s names nothing', (hex) => {
    expect(() => reader(hex).objectIdentifier()).toThrow()
  })

  const time = (tag: number, text: string): DerReader => new DerReader(element(tag, Buffer.from(text)))
  it('are instants', () => {
    expect(time(0x17, '491231235959Z').time()).toBe(Date.UTC(2049, 11, 31, 23, 59, 59))
    expect(time(0x17, '500101000000Z').time()).toBe(Date.UTC(1950, 0, 1))
    expect(time(0x18, '99991231235959Z').time()).toBe(Date.UTC(9999, 11, 31, 23, 59, 59))
    expect(time(0x17, '240229120000Z').time()).toBe(Date.UTC(2024, 1, 29, 12))
  })
  it.each([
    [0x17, '2601010000Z'],
    [0x17, '260101000000+0100'],
    [0x17, '260230000000Z'],
    [0x17, '261301000000Z'],
    [0x17, '260101240000Z'],
    [0x18, '20260101000000.5Z'],
    [0x18, '260101000000Z'],
    [0x0c, '260101000000Z'],
  ])('are no instants in other forms: %i %s', (tag, text) => {
    expect(() => time(tag, text).time()).toThrow()
  })

  it('are texts, of whichever kind of string', () => {
    expect(new DerReader(element(0x0c, Buffer.from('è'))).text()).toBe('è')
    expect(new DerReader(element(0x13, Buffer.from('a'))).text()).toBe('a')
    expect(new DerReader(element(0x1e, Buffer.from('00e80061', 'hex'))).text()).toBe('èa')
    expect(reader('03020001').text()).toBe('#03020001')
  })
  it.each([
    ['a control character', '0c026100'],
    ['a line end', '13020a61'],
    ['broken UTF-8', '0c01ff'],
    ['half a character', '1e0161'],
  ])('are no texts with %s', (_, hex) => {
    expect(() => reader(hex).text()).toThrow()
  })
})

it('reads on or throws, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const arbitrary = new DerReader(Buffer.from(bytes))
      let length = 0
      try {
        while (arbitrary.tag !== undefined) length += arbitrary.whole().length
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
        return
      }
      expect(length).toBe(bytes.length)
    }),
  )
})
