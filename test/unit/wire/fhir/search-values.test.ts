import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { timestamp } from '../../../../src/core/model/timestamp.ts'
import {
  conditionOf,
  dateIn,
  fitsDate,
  fitsText,
  fitsToken,
  type Prefix,
  type Span,
  spanOf,
  timestampAt,
  tokenIn,
  yearOf,
} from '../../../../src/wire/fhir/search-values.ts'

describe('a parameter', () => {
  it('has alternatives, and commas that are escaped', () => {
    expect(conditionOf(['type', 'a,b'])).toEqual({ name: 'type', values: ['a', 'b'] })
    expect(conditionOf(['author.family:exact', 'De\\, Luca'])).toEqual({
      ...{ name: 'author.family', modifier: 'exact' },
      values: ['De\\, Luca'],
    })
    expect(conditionOf(['type', ''])).toEqual({ name: 'type', values: [] })
    expect(conditionOf(['type', ',,a,'])).toEqual({ name: 'type', values: ['a'] })
  })
})

describe('a token', () => {
  it.each([
    ['x', { value: 'x' }],
    ['s|x', { system: 's', value: 'x' }],
    ['|x', { system: '', value: 'x' }],
    ['s|', { system: 's' }],
    ['s\\|t|x\\,y\\$\\\\', { system: 's|t', value: 'x,y$\\' }],
    ['s|a|b', { system: 's', value: 'a|b' }],
  ])('%s', (text, expected) => {
    expect(tokenIn(text)).toEqual(expected)
  })

  it('fits by what it says and no more', () => {
    const of = { system: 's', value: 'x' }
    expect([tokenIn('x'), tokenIn('s|x'), tokenIn('s|')].map((token) => fitsToken(token, of))).toEqual([
      true,
      true,
      true,
    ])
    expect([tokenIn('X'), tokenIn('t|x'), tokenIn('|x')].map((token) => fitsToken(token, of))).toEqual([
      false,
      false,
      false,
    ])
    expect(fitsToken(tokenIn('|x'), { value: 'x' })).toBe(true)
  })
})

function spanAt(time: string): Span {
  const span = spanOf(timestamp(time))
  if (span === undefined) throw new Error('There is no such time')
  return span
}

describe('a date', () => {
  it.each(['2024-02-31', '2024-13', '24', '2024-01-01T10', 'x2024', '2024-01-01T25:00:00Z', '', 'ge', '2024-1-1'])(
    'is none: %s',
    (text) => {
      expect(() => dateIn(text, 'date')).toThrow(expect.objectContaining({ code: 'parameter-invalid' }))
    },
  )

  const cases: readonly (readonly [string, string, boolean])[] = [
    ['2024', '20240305', true],
    ['2024-03', '2024', false],
    ['ne2024', '20240305', false],
    ['ge2024-03-05', '20240305', true],
    ['ge2024-03-06', '20240305', false],
    ['gt2024-03-05', '20240305', false],
    ['gt2024-03-05', '202403', true],
    ['lt2024-03-05', '202403', true],
    ['lt2024-03-05', '20240305', false],
    ['le2024-03-05', '20240305101500', true],
    ['sa2024-03-05', '20240306', true],
    ['sa2024-03-05', '20240305235959', false],
    ['eb2024-03-05', '20240304235959', true],
    ['eb2024-03-05', '202403', false],
    ['ap2024-03', '2024', true],
    ['ap2024-03', '2023', false],
    ['2024-03-05T10:15:00+01:00', '20240305091500', true],
    ['2024-03-05T10:15:00.123Z', '20240305101500', true],
  ]
  it.each(cases)('%s and %s: %s', (text, time, expected) => {
    expect(fitsDate(dateIn(text, 'date'), spanAt(time))).toBe(expected)
  })

  it('has one relation to a time of the same precision, and its opposites', () => {
    const instants = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1_000)
    fc.assert(
      fc.property(instants, instants, (a, b) => {
        const iso = new Date(a).toISOString().replace('.000', '')
        const span = spanAt(timestampAt(b) ?? '')
        const fits = (prefix: Prefix) => fitsDate(dateIn(`${prefix}${iso}`, 'date'), span)
        expect(fits('eq')).toBe(a === b)
        expect(fits('ne')).toBe(a !== b)
        expect([fits('gt'), fits('sa')]).toEqual([b > a, b > a])
        expect([fits('lt'), fits('eb')]).toEqual([b < a, b < a])
        expect([fits('ge'), fits('le')]).toEqual([b >= a, b <= a])
      }),
    )
  })
})

describe('a time of an index', () => {
  it.each(['20240231', '20230229101500', '20240431'])('is none that could be found: %s', (time) => {
    expect(spanOf(timestamp(time))).toBeUndefined()
  })

  it('has no words before the year 0000 and after 9999', () => {
    const { span } = dateIn('9999', 'date')
    expect([timestampAt(span.low), timestampAt(span.high)]).toEqual(['99990101000000', undefined])
    expect(timestampAt(dateIn('0000-01-01T00:00:00+01:00', 'date').span.low)).toBeUndefined()
  })

  it('lies in a year', () => {
    expect(timestampAt(yearOf(dateIn('2024-06-30T23:59:59Z', 'date').span.low))).toBe('20240101000000')
    expect(timestampAt(yearOf(dateIn('0001-12-31', 'date').span.low))).toBe('00010101000000')
  })
})

it('a text is found by its beginning, whatever its case and accents', () => {
  expect(fitsText('D’Àrco', 'd’arc')).toBe(true)
  expect(fitsText('Verdi', 'erd')).toBe(false)
  expect(fitsText('Verdi', 'ERD', 'contains')).toBe(true)
  expect(fitsText('Verdi', 'verdi', 'exact')).toBe(false)
})
