import { GatewayError, type Issue } from '../../core/errors.ts'
import { harmless } from '../harmless.ts'
import type { Node, XmlTree } from '../xml.ts'
import { membersOf, readTold } from './fields.ts'

/** Something Sistema TS said of a request, of the whole of it or of one line of the prescription. */
export interface TsError {
  /** Four digits. */
  readonly code: string
  /** In its own words, which may name somebody: not for logs nor callers. */
  readonly text: string
  /** Counted from 1; absent when it is about the whole. */
  readonly position?: number
  readonly severity: 'error' | 'warning'
}

/** How Sistema TS judged a request (sistema-ts.md A.4). */
export interface TsOutcome {
  /** `0000` done, `0001` done with warnings, `9999` refused. */
  readonly code: string
  readonly accepted: boolean
  readonly errors: readonly TsError[]
  readonly communications: readonly { readonly code: string; readonly text: string }[]
}

const accepted: ReadonlySet<string> = new Set(['0000', '0001'])
const errorFields = new Set(['codEsito', 'esito', 'progPresc', 'progrPresc', 'tipoErrore'] as const)
const communicationFields = new Set(['codice', 'messaggio'] as const)

/** Reads the outcome of an answer whose code stands in the element `field`. Throws `community-misbehaved` without one. */
export function readOutcome(tree: XmlTree, answer: Node, field: string): TsOutcome {
  const code = readTold(tree, answer, new Set([field]))[field]
  if (code === undefined || !/^[0-9]{4}$/.test(code)) throw misread('no-outcome')
  return {
    code,
    accepted: accepted.has(code),
    errors: errorsOf(tree, answer, accepted.has(code)),
    communications: membersOf(tree, answer, 'ElencoComunicazioni', 'Comunicazione').map((node) => {
      const { codice = '', messaggio = '' } = readTold(tree, node, communicationFields)
      return { code: codice, text: messaggio }
    }),
  }
}

/** An answer that is none of what was asked for. */
export function misread(reason: string): GatewayError {
  return new GatewayError('community-misbehaved', 'Sistema TS answered in a way that cannot be read', {
    details: { reason },
  })
}

function errorsOf(tree: XmlTree, answer: Node, done: boolean): TsError[] {
  return membersOf(tree, answer, 'ElencoErroriRicette', 'ErroreRicetta').flatMap((node) => {
    const { codEsito = '', esito = '', tipoErrore, ...line } = readTold(tree, node, errorFields)
    // The line that says that all went well is no error.
    if (codEsito === '0000') return []
    // Both spellings are met (sistema-ts.md A.4); 0 is the prescription as a whole.
    const position = Number(line.progPresc ?? line.progrPresc ?? 0)
    const severity = severityOf(tipoErrore) ?? (done ? 'warning' : 'error')
    return [{ code: codEsito, text: esito, severity, ...(position > 0 ? { position } : {}) }]
  })
}

/** `Bloccante` and `Avviso` are what is met, `E`, `F` and `W` what the manual says. */
export function severityOf(kind: string | undefined): TsError['severity'] | undefined {
  if (kind === undefined) return undefined
  if (/^[bef]/i.test(kind)) return 'error'
  return /^[aw]/i.test(kind) ? 'warning' : undefined
}

/** What was said, without whom it was said of. */
export function issuesOf({ errors }: Pick<TsOutcome, 'errors'>): Issue[] {
  return errors.map(({ code, text, position, severity }) => ({
    severity,
    code: code.slice(0, 64),
    text: harmless(text),
    ...(position === undefined ? {} : { location: `line ${position}` }),
  }))
}

/** Throws `community-rejected`, with what Sistema TS said of it, unless the request was done; a warning is no refusal. */
export function requireAccepted(outcome: TsOutcome): void {
  if (outcome.accepted) return
  const issues = issuesOf(outcome)
  throw new GatewayError('community-rejected', 'Sistema TS refused the request', {
    details: { outcome: outcome.code },
    issues: issues.length > 0 ? issues : [{ severity: 'error', code: outcome.code, text: 'Refused without a reason' }],
  })
}
