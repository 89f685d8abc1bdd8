import { describe, expect, it } from 'vitest'
import { commandOf, instantOf, millisecondsOf, needed, oneOf, optionsOf, verbOf } from '../../../src/cli/arguments.ts'
import { CliError } from '../../../src/cli/exit.ts'

const options = {
  trust: { type: 'string', multiple: true, default: [] as string[] },
  at: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const

const read = (...args: string[]) => optionsOf(args, options, ['trust'])

describe('the options of a command', () => {
  it.each<[string, readonly string[]]>([
    ['several values after one', ['--trust', 'a', 'b', 'c']],
    ['one value after each', ['--trust', 'a', '--trust', 'b', '--trust', 'c']],
    ['an equals sign', ['--trust=a', 'b', '--trust=c']],
    ['another option between', ['--trust', 'a', 'b', '--at', 'x', '--trust', 'c']],
    ['a flag behind', ['--trust', 'a', 'b', 'c', '--json']],
  ])('take a list by %s', (_what, args) => {
    expect(read(...args).trust).toEqual(['a', 'b', 'c'])
  })

  it.each<[string, readonly string[]]>([
    ['an option nobody knows', ['--trusted', 'a']],
    ['a value nobody asked for', ['a']],
    ['a second value of a single option', ['--at', 'x', 'y']],
    ['a value after a flag', ['--json', 'a']],
    ['a list of nothing', ['--trust']],
  ])('refuse %s with the usage', (_what, args) => {
    expect(() => read(...args)).toThrow(CliError)
    expect(() => read(...args)).toThrow('usage: npm run crocevia')
  })
})

describe('an instant', () => {
  it.each([
    ['2027-01-23T10:00:00Z', Date.UTC(2027, 0, 23, 10)],
    ['2027-01-23T10:00Z', Date.UTC(2027, 0, 23, 10)],
    ['2027-01-23T10:00:00.250+01:00', Date.UTC(2027, 0, 23, 9, 0, 0, 250)],
  ])('is read from %s', (text, time) => {
    expect(instantOf(text)).toBe(time)
  })

  it.each(['', 'now', '2027-01-23', '2027-01-23T10:00:00', '2027-13-23T10:00:00Z', '1795617606'])(
    'is refused when it is not one: %j',
    (text) => {
      expect(() => instantOf(text)).toThrow(CliError)
    },
  )
})

describe('a number of seconds', () => {
  it('is told in milliseconds', () => {
    expect(millisecondsOf('skew', '60')).toBe(60_000)
    expect(millisecondsOf('skew', '0')).toBe(0)
  })

  it.each(['', '-1', '1.5', '1e3', '60s', '9999999999'])('is refused when it is not one: %j', (text) => {
    expect(() => millisecondsOf('skew', text)).toThrow('--skew must be a number of seconds')
  })
})

describe('a word of a list', () => {
  it('is taken as it is, and any other is refused with the list', () => {
    expect(oneOf('profile', 'xua', ['ini', 'xua'])).toBe('xua')
    expect(() => oneOf('profile', 'XUA', ['ini', 'xua'])).toThrow('--profile must be one of ini, xua')
  })
})

describe('a command with a verb', () => {
  const words = ['create', 'remove'] as const

  it('takes one of its words, and options around it', () => {
    const { values, positionals } = commandOf(['create', '--at', 'x'], options)
    expect(values.at).toBe('x')
    expect(verbOf('push', positionals, words)).toBe('create')
  })

  it.each([
    ['none', []],
    ['another', ['destroy']],
    ['two', ['create', 'remove']],
    ['a name that every object has', ['constructor']],
  ])('is refused with %s', (_what, positionals) => {
    expect(() => verbOf('push', positionals, words)).toThrow('push is followed by one of create, remove')
  })

  it('is refused with an option nobody knows', () => {
    expect(() => commandOf(['create', '--frob'], options)).toThrow(CliError)
  })
})

describe('what must be said', () => {
  it('is said, and not empty', () => {
    expect(needed('document', 'a')).toBe('a')
    for (const text of [undefined, '']) expect(() => needed('document', text)).toThrow('--document is needed')
  })
})
