import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { like } from '../../../../src/core/model/like.ts'

describe('LIKE of author names', () => {
  it.each([
    ['%Bianchi%', '^Bianchi^Anna', true],
    ['%bianchi%', '^Bianchi^Anna', false],
    ['^Bianchi^_nna', '^Bianchi^Anna', true],
    ['^Bianchi', '^Bianchi^Anna', false],
    ['', '', true],
    ['', 'a', false],
    ['%', '', true],
    ['_', '', false],
    ['_', '𝒜', true],
    ['a%b%c', 'a-b-b-c', true],
    ['a%b%c', 'a-c-b', false],
    ['.*', 'abc', false],
  ])('matches %j with %j: %j', (pattern, value, expected) => {
    expect(like(pattern, value)).toBe(expected)
  })

  it('agrees with a regular expression on every pattern', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '%', '_', '.') })
    fc.assert(
      fc.property(text, text, (pattern, value) => {
        const expression = [...pattern].map((c) => (c === '%' ? '[^]*' : c === '_' ? '[^]' : c === '.' ? '\\.' : c))
        expect(like(pattern, value)).toBe(new RegExp(`^${expression.join('')}$`, 'u').test(value))
      }),
    )
  })

  it('answers a hostile pattern at once', () => {
    expect(like('%a'.repeat(500), `${'a'.repeat(5_000)}b`)).toBe(false)
  })
})
