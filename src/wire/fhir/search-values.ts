import { GatewayError } from '../../core/errors.ts'
import { isTimestamp, startOf, type Timestamp } from '../../core/model/timestamp.ts'
import type { SearchParameter } from './search.ts'

/** One parameter of a search as a server reads it: any of its values will do (FHIR R4: 3.1.1.4). */
export interface Condition {
  /** Without its modifier. */
  readonly name: string
  readonly modifier?: string
  readonly values: readonly string[]
}

/** Takes a parameter apart at commas that are not escaped; the values stay as they were written. */
export function conditionOf([written, text]: SearchParameter): Condition {
  const colon = written.indexOf(':')
  const values = text.match(/(?:\\.|[^\\,])+/g) ?? []
  if (colon < 0) return { name: written, values }
  return { name: written.slice(0, colon), modifier: written.slice(colon + 1), values }
}

/** A value of type token; an empty system stands for none, an absent one for any, an absent value for any of the system. */
export interface Token {
  readonly system?: string
  readonly value?: string
}

export function tokenIn(text: string): Token {
  const parts = text.match(/^((?:\\.|[^\\|])*)\|([\s\S]*)$/)
  if (parts === null) return { value: unescaped(text) }
  const [, system = '', value = ''] = parts
  return { system: unescaped(system), ...(value === '' ? {} : { value: unescaped(value) }) }
}

export function unescaped(text: string): string {
  return text.replace(/\\([\\,|$])/g, '$1')
}

/** Whether a system and a value are those of a token. */
export function fitsToken(
  { system, value }: Token,
  of: { readonly system?: string; readonly value?: string },
): boolean {
  if (system !== undefined && system !== (of.system ?? '')) return false
  return value === undefined || value === of.value
}

/** A time from its first to behind its last millisecond. */
export interface Span {
  readonly low: number
  readonly high: number
}

export type Prefix = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'ap'

/** A value of type date: how it compares, and the span it stands for (FHIR R4: 3.1.1.4.4). */
export interface DateQuery {
  readonly prefix: Prefix
  readonly span: Span
}

const dateValue =
  /^(eq|ne|gt|lt|ge|le|sa|eb|ap)?(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/

/** A time without a zone is in UTC, as the times of documents are. Throws `parameter-invalid`. */
export function dateIn(text: string, name: string): DateQuery {
  const [, prefix = 'eq', ...rest] = dateValue.exec(text) ?? []
  const [year, month, day, hour, minute, second, zone] = rest
  if (year === undefined) throw notDate(name)
  const digits = [year, month, day, hour, minute, second].join('')
  const local = instantOf(digits)
  if (local === undefined) throw notDate(name)
  const low = local - offsetOf(zone)
  const high = endOf(digits, low)
  return { prefix: prefix as Prefix, span: { low, high } }
}

function notDate(name: string): GatewayError {
  return new GatewayError('parameter-invalid', `The parameter ${name} is not a date of FHIR`)
}

/** Undefined for a day that no month has, and for a time that no day has. */
function instantOf(digits: string): number | undefined {
  const [, year, month, day, hour, minute, second] = /^(.{4})(..)(..)(..)(..)(..)$/.exec(filled(digits)) ?? []
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second === '60' ? '59' : second}Z`
  const instant = Date.parse(iso)
  // `2024-02-31` is a day of March to JavaScript.
  if (Number.isNaN(instant)) return undefined
  return new Date(instant).toISOString().slice(0, 10) === iso.slice(0, 10) ? instant : undefined
}

function filled(digits: string): string {
  return digits + '00000101000000'.slice(digits.length)
}

function offsetOf(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4))
  return minutes * (zone.startsWith('-') ? -60_000 : 60_000)
}

const lengths: Readonly<Record<number, number>> = { 8: 86_400_000, 10: 3_600_000, 12: 60_000, 14: 1_000 }

function endOf(digits: string, low: number): number {
  const fixed = lengths[digits.length]
  if (fixed !== undefined) return low + fixed
  const end = new Date(low)
  if (digits.length === 4) end.setUTCFullYear(end.getUTCFullYear() + 1)
  else end.setUTCMonth(end.getUTCMonth() + 1)
  return end.getTime()
}

/** What a time of the index stands for; undefined when there is no such time, whatever a community says. */
export function spanOf(time: Timestamp): Span | undefined {
  const low = instantOf(startOf(time))
  return low === undefined ? undefined : { low, high: endOf(time, low) }
}

/** Whether a time compares so with what is asked for (FHIR R4: 3.1.1.4.4). `ap` is any overlap. */
export function fitsDate({ prefix, span }: DateQuery, { low, high }: Span): boolean {
  const within = low >= span.low && high <= span.high
  switch (prefix) {
    case 'eq':
      return within
    case 'ne':
      return !within
    case 'gt':
      return high > span.high
    case 'ge':
      return high > span.high || within
    case 'lt':
      return low < span.low
    case 'le':
      return low < span.low || within
    case 'sa':
      return low >= span.high
    case 'eb':
      return high <= span.low
    case 'ap':
      return low < span.high && high > span.low
  }
}

/** A moment as the index writes it; undefined before the year 0000 and after 9999, which it cannot write. */
export function timestampAt(instant: number): Timestamp | undefined {
  const digits = new Date(instant).toISOString().replace(/\..*|[-:T]/g, '')
  return isTimestamp(digits) ? digits : undefined
}

/** The beginning of a moment's year. */
export function yearOf(instant: number): number {
  const start = new Date(instant)
  start.setUTCMonth(0, 1)
  return start.setUTCHours(0, 0, 0, 0)
}

/**
 * Whether a text is one of type string: its beginning, without regard to case and accents; `exact`, all of it and to the
 * letter; `contains`, any part (FHIR R4: 3.1.1.4.6).
 */
export function fitsText(text: string, wanted: string, modifier?: string): boolean {
  if (modifier === 'exact') return text === wanted
  const [plainText, plainWanted] = [plain(text), plain(wanted)]
  return modifier === 'contains' ? plainText.includes(plainWanted) : plainText.startsWith(plainWanted)
}

function plain(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
}
