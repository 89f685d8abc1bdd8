import { X509Certificate } from 'node:crypto'
import { GatewayError } from '../core/errors.ts'
import { SoapFaultError } from '../wire/soap.ts'
import { XmlError } from '../wire/xml.ts'

/** What becomes of an input, as printed. `reason` is one word in kebab-case, null when accepted. */
export interface Verdict {
  readonly accepted: boolean
  /** `ok`, or what the gateway would answer with; `malformed` for what cannot be read at all. */
  readonly code: string
  readonly reason: string | null
  /** What was understood. Of a refused input it is what it says of itself, and nobody has vouched for it. */
  readonly read: Readonly<Record<string, unknown>>
}

/** Judges one input. */
export type Judge = (input: Buffer) => Verdict | Promise<Verdict>

export function accepted(read: Verdict['read']): Verdict {
  return { accepted: true, code: 'ok', reason: null, read }
}

export function malformed(reason: string, read: Verdict['read'] = {}): Verdict {
  return { accepted: false, code: 'malformed', reason, read }
}

/**
 * The verdict on an input that a reader or verifier threw at. `codeOf` says how the gateway would answer a refusal.
 * Anything that is no refusal is thrown again.
 */
export function verdictOn(
  error: unknown,
  codeOf: (error: GatewayError) => string,
  read: Verdict['read'] = {},
): Verdict {
  if (error instanceof XmlError) return malformed(error.reason, { ...read, offset: error.offset })
  if (error instanceof SoapFaultError) {
    const { code, subcodes = [], reason } = error.soapFault
    const [outer = code] = subcodes
    // The inner subcode says more than the sentence, where there is one.
    const inner = subcodes.at(-1)?.split(':')[1]
    return {
      accepted: false,
      code: outer,
      reason: inKebab(inner ?? reason),
      read: { ...read, answer: error.soapFault },
    }
  }
  if (!(error instanceof GatewayError)) throw error
  const reason = typeof error.details.reason === 'string' ? error.details.reason : error.code
  return { accepted: false, code: codeOf(error), reason, read }
}

/** What kind of refusal it is, for those without a code of the caller's dialect. */
export function kindOf({ code, details }: GatewayError): string {
  return typeof details.kind === 'string' ? details.kind : code
}

function inKebab(words: string): string {
  return words
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .toLowerCase()
}

/** Prints a verdict as one line of JSON; resolves to the exit code. */
export function print(verdict: Verdict): 0 | 1 {
  process.stdout.write(`${JSON.stringify({ ...verdict, read: plain(verdict.read) })}\n`)
  return verdict.accepted ? 0 : 1
}

const longestText = 2_048
const longestList = 256

/** Plain values of a bounded size, whatever was read; certificates become what names them. */
function plain(value: unknown): unknown {
  if (typeof value === 'string') return clipped(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof X509Certificate) return named(value)
  if (Array.isArray(value)) return value.slice(0, longestList).map(plain)
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== undefined && typeof one !== 'function')
      .slice(0, longestList)
      .map(([name, one]) => [clipped(name), plain(one)]),
  )
}

function clipped(text: string): string {
  return text.length > longestText ? `${text.slice(0, longestText)}…` : text
}

function named({ fingerprint256, issuer, subject, validFromDate, validToDate }: X509Certificate) {
  const inOneLine = (name: string | undefined) => name?.replaceAll('\n', ', ')
  return {
    subject: inOneLine(subject),
    issuer: inOneLine(issuer),
    notBefore: isoOf(validFromDate.getTime()),
    notAfter: isoOf(validToDate.getTime()),
    fingerprint256,
  }
}

/** An instant as text; undefined for one that no calendar has. */
export function isoOf(time: number): string | undefined {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : undefined
}
