import { GatewayError } from '../../core/errors.ts'
import type { Assertion, AuthenticatedCall } from '../../core/model/call.ts'
import type { SearchParameter } from '../../wire/fhir/search.ts'
import { pageParameter } from '../../wire/fhir/searchset.ts'
import { requireEmergencyReason } from '../api/emergency.ts'
import type { ApiCall } from '../api/endpoint.ts'
import type { PresentedRequest } from '../api/guard.ts'
import { inAddress, notAcceptable } from './refusal.ts'

/** Media type of every answer that is a resource. */
export const fhirType = 'application/fhir+json; charset=utf-8'

/** Values of a header, joined as several lines are. */
export function headerOf({ headers }: Pick<PresentedRequest, 'headers'>, wanted: string): string | undefined {
  const values = headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value)
  return values.length === 0 ? undefined : values.join(', ')
}

/** The user whom the tokens name; and in an emergency, why. Throws `access-denied`, `parameter-*`. */
export function userOf(call: ApiCall): AuthenticatedCall {
  const { assertion } = call.caller
  if (assertion === undefined) throw new GatewayError('access-denied', 'The tokens name no user')
  requireEmergencyReason(call)
  return { ...call, assertion }
}

/** The patient the user's tokens are about. Throws `access-denied`. */
export function patientIn({ patientId }: Assertion) {
  if (patientId === undefined) throw new GatewayError('access-denied', 'The tokens name no patient')
  return patientId
}

/** What any request may say in its address. */
const anywhere = ['_format', '_pretty', '_count', pageParameter]

/** Names of parameters that may stand in an address, beside those of `anywhere`: their values name nobody. */
const harmless: ReadonlySet<string> = new Set([
  ...anywhere,
  ...['status', 'date', 'creation', 'period', 'category', 'type', 'setting', 'facility', 'event', 'security-label'],
  ...['format', 'code', 'designationType', 'targetSystem', 'form', '_sort', '_summary', '_elements', '_lastUpdated'],
])

/**
 * The parameters of a search: of the address, and of the form in the body (FHIR R4: 3.1.1.4.9). Throws
 * `media-type-unsupported`, `request-malformed`, and a refusal where something stands in the address that may not.
 */
export function parametersOf({ request }: ApiCall, identifiersInUrls: boolean): readonly SearchParameter[] {
  const [path = '', query = ''] = request.target.split(/\?(.*)/s)
  const inQuery = [...new URLSearchParams(query)]
  if (!identifiersInUrls && inQuery.some(([name]) => !harmless.has(name))) {
    throw inAddress(path.endsWith('_search') || path.includes('$') ? path : `${path}/_search`)
  }
  return [...inQuery, ...(request.method === 'POST' ? formIn(request) : [])]
}

function formIn(request: PresentedRequest): readonly SearchParameter[] {
  if (request.body.byteLength === 0) return []
  const type = headerOf(request, 'content-type') ?? ''
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type.trim())) {
    throw new GatewayError('media-type-unsupported', 'The body must be application/x-www-form-urlencoded')
  }
  return [...new URLSearchParams(textOf(request))]
}

/** Throws `request-malformed`. */
export function textOf({ body }: PresentedRequest): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch (cause) {
    throw new GatewayError('request-malformed', 'The body is not UTF-8', { cause })
  }
}

const jsonNames = /^(?:json|text\/json|application\/(?:json|fhir[+ ]json))(?:\s*;.*)?$/i
const jsonRanges = /^(?:\*\/\*|application\/\*|application\/(?:fhir\+)?json|text\/json)$/

/**
 * Requires that JSON is wanted: by `_format`, else by Accept, else it is. Of FHIR's versions R4 is spoken. Throws a refusal
 * with 406.
 */
export function requireJson(call: Pick<ApiCall, 'request'>, parameters: readonly SearchParameter[]): void {
  const formats = parameters.filter(([name]) => name === '_format').map(([, value]) => value)
  if (formats.length > 0) {
    if (!formats.every((format) => jsonNames.test(format.trim()))) throw notAcceptable()
    return
  }
  const accept = headerOf(call.request, 'accept')
  if (accept === undefined || accept.trim() === '') return
  if (!accept.split(',').some(acceptsJson)) throw notAcceptable()
}

function acceptsJson(range: string): boolean {
  const [type = '', ...parameters] = range.toLowerCase().split(';')
  const values = new Map(parameters.map((parameter) => parameter.trim().split('=', 2) as [string, string | undefined]))
  const version = values.get('fhirversion')
  const weight = Number(values.get('q') ?? 1)
  return jsonRanges.test(type.trim()) && weight > 0 && (version === undefined || /^"?4\.0(?:\.1)?"?$/.test(version))
}

/** How many resources a page is to have; undefined where nothing is said. Throws `parameter-*`. */
export function countIn(parameters: readonly SearchParameter[]): number | undefined {
  const [count, ...others] = parameters.filter(([name]) => name === '_count').map(([, value]) => value)
  if (count === undefined) return undefined
  if (others.length > 0) throw new GatewayError('parameter-count', 'The parameter _count may come once')
  if (!/^\d{1,6}$/.test(count)) throw new GatewayError('parameter-invalid', 'The parameter _count is not a number')
  return Number(count)
}

/** The cursor of the page that is asked for. Throws `parameter-count`. */
export function cursorIn(parameters: readonly SearchParameter[]): string | undefined {
  const [cursor, ...others] = parameters.filter(([name]) => name === pageParameter).map(([, value]) => value)
  if (others.length > 0) throw new GatewayError('parameter-count', `The parameter ${pageParameter} may come once`)
  return cursor
}

/** The parameters of a search that are not about how it is answered. */
export function searchedFor(parameters: readonly SearchParameter[]): readonly SearchParameter[] {
  return parameters.filter(([name]) => !anywhere.includes(name))
}

/** Throws `parameter-invalid` when something was asked that means nothing here, by who wants to be told (FHIR R4: 3.1.1.4.2). */
export function requireKnown({ request }: ApiCall, hasOthers: boolean): void {
  if (!hasOthers || !/(?:^|[,;\s])handling=strict(?:$|[,;\s])/i.test(headerOf(request, 'prefer') ?? '')) return
  throw new GatewayError('parameter-invalid', 'The search has a parameter that is not known here')
}

/** Whether whoever asks has this state of the resource already (RFC 9110 §13.1.2). */
export function hasState({ request }: Pick<ApiCall, 'request'>, etag: string): boolean {
  const known = headerOf(request, 'if-none-match')
  if (known === undefined) return false
  const bare = (tag: string) => tag.trim().replace(/^W\//, '')
  return known.trim() === '*' || known.split(',').some((tag) => bare(tag) === bare(etag))
}

/** `[base]` as whoever asks knows it. */
export function baseOf({ request }: Pick<ApiCall, 'request'>, configured: string | undefined): string {
  if (configured !== undefined) return configured.replace(/\/$/, '')
  const host = headerOf(request, 'host') ?? ''
  return /^[A-Za-z0-9.:[\]-]{1,255}$/.test(host) ? `https://${host}/fhir` : '/fhir'
}
