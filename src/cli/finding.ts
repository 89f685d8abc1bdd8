/** What the doctor found about one thing, and what to do about it. Never a secret, and no personal data. */
export interface Finding {
  readonly level: 'ok' | 'warn' | 'fail'
  /** Where: a key of the configuration, or a subject such as `clock`. */
  readonly what: string
  readonly found: string
  /** Absent when nothing is to be done. */
  readonly advice?: string
}

export function ok(what: string, found: string): Finding {
  return { level: 'ok', what, found }
}

export function warn(what: string, found: string, advice: string): Finding {
  return { level: 'warn', what, found, advice }
}

export function fail(what: string, found: string, advice: string): Finding {
  return { level: 'fail', what, found, advice }
}

/** One line per finding. */
export function asLines(findings: readonly Finding[]): string {
  const width = Math.max(0, ...findings.map(({ what }) => Math.min(what.length, widest)))
  return findings
    .map(({ level, what, found, advice }) => {
      return `${level.padEnd(4)}  ${what.padEnd(width)}  ${found}${advice === undefined ? '' : ` → ${advice}`}\n`
    })
    .join('')
}

const widest = 48

/** An instant for people: `2027-01-23`. */
export function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}
