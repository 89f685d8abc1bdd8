import { deflateSync } from 'node:zlib'
import { PdfDict, PdfName, PdfNumber, PdfStream } from '@libpdf/core'
import { describe, expect, it } from 'vitest'
import { DocumentError } from '../../../src/documents/document-error.ts'
import { allowInflation, decoded, headOf } from '../../../src/documents/pdf-streams.ts'

const nothing = () => null

function stream(data: Uint8Array, parameters: Record<string, number> = {}): PdfStream {
  const entries = Object.entries(parameters).map(([key, value]) => [key, PdfNumber.of(value)] as const)
  return PdfStream.fromDict(
    { Filter: PdfName.of('FlateDecode'), DecodeParms: PdfDict.of(Object.fromEntries(entries)) },
    deflateSync(data),
  )
}

describe('a stream', () => {
  it('undoes each of the PNG predictors', () => {
    allowInflation(1000)
    // RFC 2083 §6: two bytes to a pixel, two pixels to a row; each row by another predictor.
    const rows = [
      [0, 10, 20, 30, 40],
      [1, 11, 21, 2, 2],
      [2, 1, 1, 1, 1],
      [3, 6, 11, 1, 1],
      [4, 1, 1, 1, 1],
    ]
    const parameters = { Predictor: 15, Colors: 2, BitsPerComponent: 8, Columns: 2 }
    expect([...decoded(stream(Buffer.from(rows.flat()), parameters), nothing)]).toEqual([
      ...[10, 20, 30, 40],
      ...[11, 21, 13, 23],
      ...[12, 22, 14, 24],
      ...[12, 22, 14, 24],
      ...[13, 23, 15, 25],
    ])
  })

  it.each([
    ['a row that is cut', { Predictor: 12, Columns: 3 }, 'damaged'],
    ['rows of no width', { Predictor: 12, Columns: 0 }, 'damaged'],
    ['rows wider than memory', { Predictor: 12, Columns: 2 ** 40 }, 'damaged'],
    ['a predictor nobody knows', { Predictor: 12, Columns: 4, Colors: 1 }, 'damaged'],
    ['TIFF’s predictor', { Predictor: 2, Columns: 4 }, 'encoding-unsupported'],
  ])('refuses %s', (_what, parameters, reason) => {
    allowInflation(1000)
    expect(() => decoded(stream(Buffer.from([9, 0, 0, 0, 0]), parameters), nothing)).toThrow(
      expect.objectContaining({ reason }),
    )
  })

  it('inflates no more than is left for all of them', () => {
    allowInflation(1000)
    const one = stream(Buffer.alloc(400))
    decoded(one, nothing)
    decoded(one, nothing)
    expect(() => decoded(one, nothing)).toThrow(expect.objectContaining({ reason: 'inflates-too-much' }))
  })

  it('is inflated so for the library as well, where it would go on into what follows a stream', () => {
    allowInflation(1000)
    const doubled = PdfStream.fromDict(
      { Filter: PdfName.of('FlateDecode') },
      Buffer.concat([deflateSync(Buffer.from('a')), deflateSync(Buffer.alloc(100_000))]),
    )
    expect(Buffer.from(doubled.getDecodedData()).toString()).toBe('a')
    const bomb = stream(Buffer.alloc(100_000))
    expect(() => bomb.getDecodedData()).toThrow(DocumentError)
  })

  it('tells how it begins without inflating it all', () => {
    allowInflation(0)
    const head = headOf(stream(Buffer.concat([Buffer.from('<a>'), Buffer.alloc(50_000_000)])), nothing)
    expect(Buffer.from(head.subarray(0, 3)).toString()).toBe('<a>')
    expect(head.length).toBeLessThan(5_000_000)
  })
})
