import { explanationOf } from '../../contracts/explanations/explanation-of.ts'
import { asGatewayError, type ErrorCode, type Fault, type GatewayError } from '../core/errors.ts'

/** What may be logged of an error: codes, numbers and places in the code. Never a sentence: it may quote a message. */
export interface LoggedFailure {
  readonly code: ErrorCode
  readonly fault: Fault
  readonly details?: Readonly<Record<string, string | number | boolean>>
  /** What explains what the other side said: a code of our own list (`crocevia explain`), never the other side's word. */
  readonly explain?: string
  /** Where in the code it was raised, for the gateway's own failures. */
  readonly at?: readonly string[]
  readonly causes?: readonly LoggedCause[]
}

export interface LoggedCause {
  readonly name: string
  readonly code?: string
  readonly at?: readonly string[]
}

const maxCauses = 5
const maxFrames = 8

/** Strings among the details are kept when they are a word, a code or an origin; free text is left out. */
export function loggedFailure(thrown: unknown): LoggedFailure {
  const error = asGatewayError(thrown)
  const withPlaces = error.fault === 'gateway'
  const details = Object.entries(error.details).filter(([, value]) => typeof value !== 'string' || isTerm(value))
  const at = withPlaces ? placesOf(error) : []
  const causes = causesOf(error.cause, withPlaces)
  const explain = explainedIssue(error)
  return {
    code: error.code,
    fault: error.fault,
    ...(details.length === 0 ? {} : { details: Object.fromEntries(details) }),
    ...(explain === undefined ? {} : { explain }),
    ...(at.length === 0 ? {} : { at }),
    ...(causes.length === 0 ? {} : { causes }),
  }
}

/** Of several issues that of the first error that is known, else of the first that is known at all. */
function explainedIssue({ issues }: GatewayError): string | undefined {
  const errors = issues.filter(({ severity }) => severity === 'error')
  return [...errors, ...issues]
    .map(({ code, text }) => explanationOf(code, text)?.code)
    .find((code) => code !== undefined)
}

function causesOf(first: unknown, withPlaces: boolean): readonly LoggedCause[] {
  const causes: LoggedCause[] = []
  for (let cause = first; cause !== undefined && causes.length < maxCauses; cause = causeOf(cause)) {
    const { code } = Object(cause) as { code?: unknown }
    const at = withPlaces && cause instanceof Error ? placesOf(cause) : []
    causes.push({
      name: nameOf(cause),
      ...(typeof code === 'string' && isCode(code) ? { code } : {}),
      ...(at.length === 0 ? {} : { at }),
    })
  }
  return causes
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined
}

/** The class's name: `error.name` may have been set to anything. */
function nameOf(cause: unknown): string {
  if (!(cause instanceof Error)) return typeof cause
  const name = cause.constructor.name
  return name.length <= 40 && /^[A-Z][A-Za-z]*(Error|Exception)$/.test(name) ? name : 'Error'
}

/**
 * Where the stack passes through our own code. Its heading repeats name and message and is cut off; a message that looks
 * like a frame would still have to look like one of our file names, in which no identifier of a person fits.
 */
function placesOf({ stack = '', message }: Error): readonly string[] {
  const heading = stack.lastIndexOf(message)
  if (heading < 0) return []
  const frames = stack.slice(heading + message.length).matchAll(ownFrame)
  return [...frames].slice(0, maxFrames).map(([, place = '']) => place)
}

const ownFrame =
  /^ {4}at .*\/((?:src|adapters)(?:\/[a-z]{1,15}[0-9]{0,2}(?:-[a-z]{1,15}[0-9]{0,2})*){1,6}\.ts:[0-9]{1,5}:[0-9]{1,5})\)?$/gm

function isTerm(text: string): boolean {
  return isWord(text) || isCode(text) || isOrigin(text)
}

// No part of a pattern has room for an identifier of a person, the shortest of which has 11 digits, or 16 characters.
function isWord(text: string): boolean {
  return (
    text.length <= 64 && /^(?:[A-Za-z]{1,15}|[A-Za-z0-9]{1,4})(?:-(?:[A-Za-z]{1,15}|[A-Za-z0-9]{1,4}))*$/.test(text)
  )
}

/** `ECONNREFUSED`, `ERR_TLS_CERT_ALTNAME_INVALID`, `UND_ERR_SOCKET`, `CERT_HAS_EXPIRED`. */
function isCode(text: string): boolean {
  return text.length <= 60 && (/^E[A-Z]{2,14}$/.test(text) || /^[A-Z]{1,15}(_[A-Z]{1,15}[0-9]{0,2})+$/.test(text))
}

/** Scheme, host and port of an endpoint, as configured. */
function isOrigin(text: string): boolean {
  return text.length <= 100 && /^https?:\/\/[a-z0-9.[\]:-]+$/.test(text)
}
