import type { Submission } from '../model/change.ts'
import type { Code, Extra } from '../model/code.ts'
import type { Association } from '../model/metadata.ts'

/** A submission, and what several rules ask about it, worked out once. */
export interface Message {
  readonly submission: Submission
  /** By the id of its target: the membership of the submission set. */
  readonly memberships: ReadonlyMap<string, Association>
  /** How many entries bear a uniqueId. */
  readonly bearers: ReadonlyMap<string, number>
  readonly entryIds: ReadonlySet<string>
}

export function messageOf(submission: Submission): Message {
  const { submissionSet, entries, associations } = submission
  const own = associations.filter(({ type, source }) => type === 'has-member' && source === submissionSet.entryUuid)
  const bearers = new Map<string, number>()
  for (const { uniqueId } of entries) bearers.set(uniqueId, (bearers.get(uniqueId) ?? 0) + 1)
  return {
    submission,
    memberships: new Map(own.map((association) => [association.target, association])),
    bearers,
    entryIds: new Set(entries.map(({ entryUuid }) => entryUuid)),
  }
}

/** What may be said of an object within its message. */
export type Predicate<T> = (object: T, message: Message) => boolean
/** The values an object has for something: none, one or several. */
export type Reading<T, V> = (object: T) => readonly V[]
/** What may be said of one value. */
export type Test<V> = (value: V) => boolean

/** A field that is there or not, as a reading. */
export function optional<T, V>(read: (object: T) => V | undefined): Reading<T, V> {
  return (object) => {
    const value = read(object)
    return value === undefined ? [] : [value]
  }
}

type Extended = { readonly extra?: Extra }

/**
 * The values of a slot that has no field of its own, without white space around them. For a slot that has one: what it
 * told that the field could not take.
 */
export function slot(name: string): Reading<Extended, string> {
  return ({ extra }) =>
    extra?.slots === undefined
      ? []
      : extra.slots.filter((one) => one.name === name).flatMap(({ values }) => values.map((value) => value.trim()))
}

export function missing<T, V>(reading: Reading<T, V>): Predicate<T> {
  return (object) => reading(object).length === 0
}

/** More than one value passes the test. */
export function several<T, V>(reading: Reading<T, V>, test: Test<V>): Predicate<T> {
  return (object) => reading(object).filter(test).length > 1
}

export function some<T, V>(reading: Reading<T, V>, test: Test<V>): Predicate<T> {
  return (object) => reading(object).some(test)
}

export function not<Arguments extends readonly unknown[]>(
  predicate: (...values: Arguments) => boolean,
): (...values: Arguments) => boolean {
  return (...values) => !predicate(...values)
}

export function both<Arguments extends readonly unknown[]>(
  one: (...values: Arguments) => boolean,
  other: (...values: Arguments) => boolean,
): (...values: Arguments) => boolean {
  return (...values) => one(...values) && other(...values)
}

export function either<Arguments extends readonly unknown[]>(
  one: (...values: Arguments) => boolean,
  other: (...values: Arguments) => boolean,
): (...values: Arguments) => boolean {
  return (...values) => one(...values) || other(...values)
}

export function matches(pattern: RegExp): Test<string> {
  return (value) => pattern.test(value)
}

export function oneOf(values: Iterable<string>): Test<string> {
  const known = new Set(values)
  return (value) => known.has(value)
}

/** The displays a code may bear, first the one in force, by code. */
export type Displays = ReadonlyMap<string, readonly string[]>

/** A table of displays, with the other one that a code may bear. */
export function displaysOf(
  table: Readonly<Record<string, string>>,
  others: Readonly<Record<string, string>> = {},
): Displays {
  return new Map(
    Object.entries(table).map(([code, display]) => [code, [display, others[code]].filter((one) => one !== undefined)]),
  )
}

export function codeIn(codes: Iterable<string>): Test<Code> {
  const known = oneOf(codes)
  return ({ code }) => known(code)
}

export function ofScheme(scheme: string): Test<Code> {
  return (code) => code.scheme === scheme
}

/** The code bears a display of its own. Nothing is asked of a code that is not in the table. */
export function displayedBy(table: Displays): Test<Code> {
  return ({ code, display }) => {
    const known = table.get(code)
    return known === undefined || (display !== undefined && known.some((one) => sameWords(one, display)))
  }
}

/** The same words, however the typesetting of one or the other spells an apostrophe or an accent. */
export function sameWords(one: string, other: string): boolean {
  return one === other || typed(one) === typed(other)
}

function typed(text: string): string {
  return text.normalize('NFC').replaceAll('\u2019', "'")
}
