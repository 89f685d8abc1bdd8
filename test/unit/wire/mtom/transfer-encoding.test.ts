import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Base64Decoder, decodeBase64 } from '../../../../src/wire/mtom/base64.ts'
import { MtomError } from '../../../../src/wire/mtom/mtom-error.ts'
import { QuotedPrintableDecoder } from '../../../../src/wire/mtom/quoted-printable.ts'

interface Decoder {
  push(bytes: Uint8Array): Buffer
  end(): Buffer
}

function decodeAt(decoder: Decoder, bytes: Buffer, cuts: readonly number[]): string {
  const ends = [...cuts.filter((cut) => cut <= bytes.length), bytes.length].sort((a, b) => a - b)
  const pieces = ends.map((end, index) => decoder.push(bytes.subarray(ends[index - 1] ?? 0, end)))
  return Buffer.concat([...pieces, decoder.end()]).toString('latin1')
}

/** What comes out at every single cut, which must be one and the same. */
function decodeEverywhere(make: () => Decoder, text: string): string {
  const bytes = Buffer.from(text, 'latin1')
  const results = new Set<string>()
  for (let cut = 0; cut <= bytes.length; cut++) {
    try {
      results.add(decodeAt(make(), bytes, [cut]))
    } catch (error) {
      if (!(error instanceof MtomError)) throw error
      results.add(`refused: ${error.reason}`)
    }
  }
  expect(results.size).toBe(1)
  return [...results].join()
}

describe('base64', () => {
  it.each([
    ['', ''],
    ['QQ==', 'A'],
    ['QUI=', 'AB'],
    ['QUJD', 'ABC'],
    ['QUJDRA==\r\n', 'ABCD'],
    ['QU\r\nJD\t R\nA = = ', 'ABCD'],
    ['++//', '\u00fb\u00ef\u00ff'],
  ])('is decoded: %j', (text, decoded) => {
    expect(decodeEverywhere(() => new Base64Decoder(), text)).toBe(decoded)
    expect(decodeBase64(text).toString('latin1')).toBe(decoded)
  })

  it.each(['Q', 'QQ', 'QQ=', 'QUJ', 'QUI', '=', 'Q===', 'QQ===', 'QUJD=', 'QUI==', 'QQ==QQ==', 'QQ=A'])(
    'is refused when groups are not whole: %j',
    (text) => {
      expect(decodeEverywhere(() => new Base64Decoder(), text)).toBe('refused: base64')
      expect(() => decodeBase64(text)).toThrow(MtomError)
    },
  )

  it.each(['QR==', 'QUJ=', 'QU-_', 'QUJD!', 'QUJD\0', 'QUJD\u00a0', 'QUJD\u000b'])(
    'is refused with bits left over or foreign characters: %j',
    (text) => {
      expect(decodeEverywhere(() => new Base64Decoder(), text)).toBe('refused: base64')
    },
  )

  it('is refused as text with characters that only look right in their lower half', () => {
    expect(() => decodeBase64('QUJ\u0144')).toThrow(MtomError)
  })

  it('gives back any bytes, in any pieces, with line ends anywhere', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.array(fc.nat(300)),
        fc.integer({ min: 1, max: 80 }),
        (bytes, cuts, width) => {
          const text = Buffer.from(bytes)
            .toString('base64')
            .replace(new RegExp(`.{${width}}`, 'g'), '$&\r\n')
          const decoded = decodeAt(new Base64Decoder(), Buffer.from(text), cuts)
          expect(decoded).toBe(Buffer.from(bytes).toString('latin1'))
        },
      ),
    )
  })
})

describe('quoted-printable', () => {
  it.each([
    ['', ''],
    ['plain text.', 'plain text.'],
    ['caff=E8', 'caff\u00e8'],
    ['caff=e8', 'caff\u00e8'],
    ['1 =3D 1', '1 = 1'],
    ['one=\r\n two', 'one two'],
    ['one=\ntwo', 'onetwo'],
    ['one= \t\r\ntwo', 'onetwo'],
    ['one \t\r\ntwo', 'one\r\ntwo'],
    ['one \ntwo  ', 'one\ntwo'],
    ['one=20\r\ntwo', 'one \r\ntwo'],
    ['one=', 'one'],
    ['one= ', 'one'],
    ['=00=0D=0A=FF', '\0\r\n\u00ff'],
  ])('is decoded: %j', (text, decoded) => {
    expect(decodeEverywhere(() => new QuotedPrintableDecoder(), text)).toBe(decoded)
  })

  it.each(['=', '=\r'])('may end with a soft line break only when it is one: %j', (text) => {
    const expected = text === '=' ? '' : 'refused: quoted-printable'
    expect(decodeEverywhere(() => new QuotedPrintableDecoder(), text)).toBe(expected)
  })

  it.each(['=G0', '=0', '=0G', '= x', '=\rx', 'caff\u00e8', 'a\0b', `a${' '.repeat(1100)}`])(
    'is refused: %j',
    (text) => {
      expect(decodeEverywhere(() => new QuotedPrintableDecoder(), text)).toBe('refused: quoted-printable')
    },
  )

  it('gives back any bytes, in any pieces', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(800)), (bytes, cuts) => {
        const text = [...bytes].map((byte, index) => {
          const plain = byte > 0x20 && byte < 0x7f && byte !== 0x3d
          const written = plain ? String.fromCharCode(byte) : `=${byte.toString(16).padStart(2, '0').toUpperCase()}`
          return index % 20 === 19 ? `${written}=\r\n` : written
        })
        const decoded = decodeAt(new QuotedPrintableDecoder(), Buffer.from(text.join('')), cuts)
        expect(decoded).toBe(Buffer.from(bytes).toString('latin1'))
      }),
    )
  })
})
