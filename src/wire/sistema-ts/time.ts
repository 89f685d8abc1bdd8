import { isTimestamp, type Timestamp } from '../../core/model/timestamp.ts'

const hourMs = 3_600_000

/** The last Sunday of a month (0 is January) at one o'clock UTC, when the clocks of Europe change (Directive 2000/84/EC). */
function change(year: number, month: number): number {
  const last = new Date(Date.UTC(year, month + 1, 0, 1))
  return last.getTime() - last.getUTCDay() * 24 * hourMs
}

/** How far Italian clocks are ahead of UTC. */
function aheadMs(utc: number): number {
  const year = new Date(utc).getUTCFullYear()
  return utc >= change(year, 2) && utc < change(year, 9) ? 2 * hourMs : hourMs
}

/** An instant as Sistema TS writes it, on Italian clocks: `aaaa-mm-gg HH:MM:SS`. */
export function tsTime(utc: number): string {
  return new Date(utc + aheadMs(utc)).toISOString().slice(0, 19).replace('T', ' ')
}

/**
 * An instant as Sistema TS writes it, in UTC; a bare day stays a day. Undefined for what is neither. Of the hour that is
 * told twice in autumn the second is taken.
 */
export function timestampOfTs(text: string | undefined): Timestamp | undefined {
  const [, day = '', time] =
    /^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T]([0-9]{2}:[0-9]{2}:[0-9]{2}))?$/.exec(text ?? '') ?? []
  const local = Date.parse(`${day}T${time ?? '00:00:00'}Z`)
  // Days that no month has roll over, in this parser or the next.
  if (Number.isNaN(local) || !new Date(local).toISOString().startsWith(day)) return undefined
  const told = time === undefined ? day.replaceAll('-', '') : compact(local - aheadMs(local - hourMs))
  return isTimestamp(told) ? told : undefined
}

function compact(utc: number): string {
  return new Date(utc).toISOString().slice(0, 19).replace(/[-:T]/g, '')
}
