import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { CliError } from './exit.ts'
import { usage } from './usage.ts'

/**
 * Reads the options of a command that takes nothing else. An option of `lists` takes every value up to the next option:
 * `--trust a.pem b.pem`. Throws CliError.
 */
export function optionsOf<T extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: T,
  lists: readonly (keyof T & string)[] = [],
) {
  try {
    return parseArgs({ args: spread(args, lists), options, allowPositionals: false }).values
  } catch (error) {
    throw new CliError('usage', `${error instanceof Error ? error.message : 'bad arguments'}\n\n${usage}`)
  }
}

/** Reads the words and the options of a command. Throws CliError. */
export function commandOf<T extends ParseArgsOptionsConfig>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    throw new CliError('usage', `${error instanceof Error ? error.message : 'bad arguments'}\n\n${usage}`)
  }
}

/** Puts the name of a list before each of its values. */
function spread(args: readonly string[], lists: readonly string[]): string[] {
  let list: string | undefined
  let filled = false
  return args.flatMap((arg) => {
    if (arg.startsWith('-')) {
      const [name = ''] = arg.slice(2).split('=', 1)
      list = lists.includes(name) ? `--${name}` : undefined
      filled = arg.includes('=')
      return [arg]
    }
    if (list === undefined) return [arg]
    const first = !filled
    filled = true
    return first ? [arg] : [list, arg]
  })
}

/** One of a closed list of words. Throws CliError. */
export function oneOf<Word extends string>(name: string, text: string, words: readonly Word[]): Word {
  const word = words.find((one) => one === text)
  if (word === undefined) throw new CliError('usage', `--${name} must be one of ${words.join(', ')}`)
  return word
}

/** The one word behind a command that says what it is to do. Throws CliError. */
export function verbOf<Word extends string>(
  command: string,
  positionals: readonly string[],
  words: readonly Word[],
): Word {
  const [text, ...rest] = positionals
  const word = words.find((one) => one === text)
  if (word !== undefined && rest.length === 0) return word
  throw new CliError('usage', `${command} is followed by one of ${words.join(', ')}\n\n${usage}`)
}

/** What must be said. Throws CliError. */
export function needed(name: string, text: string | undefined): string {
  if (text === undefined || text === '') throw new CliError('usage', `--${name} is needed`)
  return text
}

/** Whole seconds, as milliseconds. Throws CliError. */
export function millisecondsOf(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new CliError('usage', `--${name} must be a number of seconds`)
  return Number(text) * 1_000
}

const instant = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:[0-9]{2})$/

/** An instant with its zone, in milliseconds of the epoch; now when nothing is said. Throws CliError. */
export function instantOf(text: string | undefined): number {
  if (text === undefined) return Date.now()
  const time = instant.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time)) throw new CliError('usage', '--at must be an instant such as 2026-01-31T10:00:00Z')
  return time
}
