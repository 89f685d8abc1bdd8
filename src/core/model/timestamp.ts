import { GatewayError } from '../errors.ts'

declare const brand: unique symbol
/** A moment or a period, `YYYY[MM[DD[hh[mm[ss]]]]]` in UTC, as coarse as it was told (ITI TF-3: Table 4.2.3.1.7-2). */
export type Timestamp = string & { readonly [brand]: 'Timestamp' }

const pattern =
  /^[0-9]{4}((0[1-9]|1[0-2])((0[1-9]|[12][0-9]|3[01])(([01][0-9]|2[0-3])([0-5][0-9]([0-5][0-9]|60)?)?)?)?)?$/

export function isTimestamp(text: string): text is Timestamp {
  return pattern.test(text)
}

/** Throws `parameter-invalid`. */
export function timestamp(text: string): Timestamp {
  if (!isTimestamp(text))
    throw new GatewayError('parameter-invalid', 'A time must have the form YYYY[MM[DD[hh[mm[ss]]]]]')
  return text
}

/** The first second of the period, for comparison: coarse times compare by their beginning. */
export function startOf(time: Timestamp): string {
  return time + '00000101000000'.slice(time.length)
}

/** A half-open range: `from` belongs to it, `to` does not (ITI TF-2: 3.18.4.1.2.3.7.1). */
export interface TimeRange {
  readonly from?: Timestamp
  readonly to?: Timestamp
}

export function inRange(time: Timestamp, range: TimeRange): boolean {
  const start = startOf(time)
  if (range.from !== undefined && start < startOf(range.from)) return false
  return range.to === undefined || start < startOf(range.to)
}
