import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, chained, genesis } from '../../../src/store/chain.ts'

describe('canonicalJson', () => {
  it('writes members by name, without white space, and leaves out what is undefined', () => {
    expect(canonicalJson({ b: [1, 'x', null, true], a: { d: undefined, c: '"\n' } })).toBe(
      '{"a":{"c":"\\"\\n"},"b":[1,"x",null,true]}',
    )
  })

  it('orders names by UTF-16 code units, as RFC 8785 does', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\u{1F600}', '\u0080', '\u00f6']
    const written = canonicalJson(Object.fromEntries(names.map((name) => [name, 0])))
    expect(Object.keys(JSON.parse(written) as object)).toEqual([
      '1',
      '\r',
      '\u0080',
      '\u00f6',
      '\u20ac',
      '\u{1F600}',
      '\ufb33',
    ])
  })

  it('is the same for every order in which members were set, and says the same as JSON', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse())
        expect(canonicalJson(reversed)).toBe(canonicalJson(value))
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1n, Symbol('x'), () => 0])(
    'refuses what JSON cannot say: %s',
    (value) => {
      expect(() => canonicalJson({ value })).toThrow(TypeError)
    },
  )
})

describe('chained', () => {
  it('is the SHA-256 of the previous hash and the record, as any tool computes it', () => {
    // printf '%064d{"name":"à"}' 0 | sha256sum
    expect(chained(genesis.hash, canonicalJson({ name: 'à' }))).toBe(
      'dee802a3b83d3bdaa96808a4935dee3f446e8ae8544696f170a4cdb641633af5',
    )
  })
})
