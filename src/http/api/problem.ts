import type { Consequence } from '../../../contracts/explanations/explanation.ts'
import { explanationOf } from '../../../contracts/explanations/explanation-of.ts'
import type { ErrorCode, GatewayError } from '../../core/errors.ts'
import type { CorrelationId } from '../../core/model/identifiers.ts'
import type { FormRefusal } from './document-forms.ts'
import type { PublishedProblem } from './guard.ts'

/**
 * The body of an answer that tells a failure (RFC 7807). `reason` is one word about a token or a document's form, of a
 * closed vocabulary; `consequence` is what a community's failure means to whoever waits for the answer.
 */
export interface Problem extends PublishedProblem, Partial<Consequence> {
  readonly instance: string
  readonly reason?: string
}

interface Told {
  readonly status: number
  /** The last part of the problem's type, which never changes. */
  readonly word: string
  readonly title: string
  /** Seconds after which it is worth trying again. */
  readonly retryAfter?: number
  /** Instead of the error's own sentence. */
  readonly detail?: string
}

const told = (status: number, word: string, title: string, more: Partial<Told> = {}): Told => {
  return { status, word, title, ...more }
}

/** Every failure as a problem. */
export const apiProblems: Readonly<Record<ErrorCode, Told>> = {
  'request-malformed': told(400, 'request-malformed', 'The request is malformed'),
  'media-type-unsupported': told(415, 'media-type-unsupported', 'The media type is not supported'),
  'request-too-large': told(413, 'request-too-large', 'The request is too large'),
  'parameter-missing': told(400, 'parameter-missing', 'A parameter is missing'),
  'parameter-count': told(400, 'parameter-count', 'A parameter occurs too often or not often enough'),
  'parameter-invalid': told(400, 'parameter-invalid', 'A parameter has a value it cannot have'),
  'query-unsupported': told(400, 'query-unsupported', 'The query is not supported'),
  'metadata-invalid': told(422, 'metadata-invalid', 'The metadata are not valid'),
  'document-duplicate': told(409, 'document-duplicate', 'The document is there already'),
  'document-unknown': told(404, 'document-unknown', 'The document is not known'),
  'repository-unknown': told(404, 'repository-unknown', 'The repository is not known'),
  'patient-unknown': told(404, 'patient-unknown', 'The patient is not known'),
  'patient-mismatch': told(422, 'patient-mismatch', 'The request speaks of different patients'),
  'community-unknown': told(404, 'community-unknown', 'The community is not known'),
  'community-missing': told(400, 'community-missing', 'The community is not named'),
  'too-many-results': told(413, 'too-many-results', 'There are more results than can be told'),
  'caller-gone': told(408, 'request-incomplete', 'The request did not arrive in time'),
  'assertion-missing': told(401, 'token-missing', 'A token is missing', {
    detail: 'The request does not carry the tokens its sender must bring',
  }),
  'assertion-invalid': told(401, 'token-invalid', 'A token is not accepted', {
    detail: 'A token of the request, or how it is presented, is not accepted',
  }),
  'access-denied': told(403, 'access-denied', 'Access is denied'),
  'community-unavailable': told(502, 'community-unavailable', 'A community is not available'),
  'community-timeout': told(504, 'community-timeout', 'A community does not answer in time'),
  'community-busy': told(503, 'community-busy', 'A community is busy', { retryAfter: 5 }),
  'community-rejected': told(502, 'community-rejected', 'A community rejected the request'),
  'community-misbehaved': told(502, 'community-misbehaved', 'A community gave no usable answer'),
  'document-altered': told(502, 'document-altered', 'A document is not the one that was registered'),
  overloaded: told(503, 'overloaded', 'The gateway is busy', { retryAfter: 1 }),
  internal: told(500, 'internal', 'The gateway failed'),
}

/** Failures that are no error codes of their own, by what their details say. */
const keysUnavailable = told(503, 'keys-unavailable', 'The keys of a token’s issuer cannot be had', { retryAfter: 5 })
/** Beyond what is agreed with a consumer for a minute. */
const tooManyRequests = told(429, 'too-many-requests', 'Too many requests')
const repeatedHeader: Told = {
  ...apiProblems['request-malformed'],
  detail: 'A header that may come once came several times',
}

/** Those that are no error codes and no refused forms. */
export const otherProblems: readonly Told[] = [keysUnavailable, tooManyRequests]

const tooComplex = told(422, 'document-too-complex-for-this-form', 'The document is too complex for this form')
const notReadable = told(422, 'document-not-readable', 'The document cannot be read for this form')

/** Why a form of a document is not given; `reason` tells those apart that share a type. The original is always given. */
export const formProblems: Readonly<Record<FormRefusal, Told>> = {
  none: told(404, 'form-unknown', 'The document has no such form'),
  'too-large': told(422, 'document-too-large-for-this-form', 'The document is too large for this form'),
  'inflates-too-much': tooComplex,
  'too-complex': tooComplex,
  'too-slow': tooComplex,
  ambiguous: notReadable,
  encrypted: notReadable,
  damaged: notReadable,
  'encoding-unsupported': notReadable,
  'xml-refused': notReadable,
  'body-malformed': notReadable,
  'body-elsewhere': notReadable,
  busy: told(503, 'forms-busy', 'Too many documents are being read', { retryAfter: 5 }),
  'reader-failed': told(500, 'form-failed', 'The form could not be made'),
}

/** What is answered where nothing is served, and to methods that are not. */
export const pathUnknown = told(404, 'path-unknown', 'Nothing is served at this address')
export const methodNotAllowed = told(405, 'method-not-allowed', 'The method is not allowed here')

/** The problem of a failure, and when it is worth trying again. */
export function problemOf(
  error: GatewayError,
  correlationId: CorrelationId,
  published?: PublishedProblem,
): { readonly problem: Problem; readonly retryAfter?: number } {
  const { code, details } = error
  const { retryAfter, ...told } = toldOf(error)
  const isTold = code === 'assertion-missing' || code === 'assertion-invalid' || details.kind === 'form'
  const reason = isTold && typeof details.reason === 'string' ? { reason: details.reason } : {}
  const own = problem(told, correlationId, told.detail ?? error.message)
  return {
    problem: { ...own, ...consequenceOf(error), ...published, ...reason },
    ...(retryAfter === undefined ? {} : { retryAfter }),
  }
}

/** What communities failed with as if it were a registry's word. */
const unheard: ReadonlySet<ErrorCode> = new Set([
  'community-unavailable',
  'community-timeout',
  'community-busy',
  'community-misbehaved',
])

/** By what the community said itself, where that is known; its code and words are the log's. */
export function consequenceOf({ code, details, fault, issues }: GatewayError): Partial<Consequence> {
  // Whoever issues tokens is no community.
  if (fault !== 'community' || details.reason === 'keys-unavailable') return {}
  const errors = issues.filter(({ severity }) => severity === 'error')
  const said = [...errors, ...issues].map((issue) => explanationOf(issue.code, issue.text))
  const found =
    said.find((one) => one !== undefined) ?? (unheard.has(code) ? explanationOf('XDSUnavailableCommunity') : undefined)
  if (found === undefined) return {}
  const { consequence, consequenceIt } = found
  return { consequence, consequenceIt }
}

/** A problem that is no failure of the exchange. */
export function problem({ status, word, title }: Told, correlationId: CorrelationId, detail = title): Problem {
  const instance = `urn:uuid:${correlationId}`
  return { type: `urn:crocevia:problem:${word}`, title, status, detail, instance }
}

/** Which problem a failure is, without the exchange it happened in. */
export function problemTypeOf(error: GatewayError): Pick<Problem, 'type' | 'title'> {
  const { title, word } = toldOf(error)
  return { type: `urn:crocevia:problem:${word}`, title }
}

function toldOf({ code, details: { kind, reason, retryAfter } }: GatewayError): Told {
  if (kind === 'rate') return { ...tooManyRequests, retryAfter: Number(retryAfter) }
  if (reason === 'keys-unavailable') return keysUnavailable
  if (kind === 'form') return formProblems[reason as FormRefusal]
  const repeated = kind === 'header' && typeof reason === 'string' && reason.endsWith('-is-repeated')
  return repeated ? repeatedHeader : apiProblems[code]
}
