import type { AdapterTools } from '../../src/config/adapter.ts'
import { GatewayError, type Issue } from '../../src/core/errors.ts'
import type { AuthorizedCall } from '../../src/core/model/call.ts'
import type { PatientId } from '../../src/core/model/patient.ts'
import { type BundledResource, isOutcome, parseJson, readOutcome, readSearchPage } from '../../src/wire/fhir/bundle.ts'
import { fhirJson } from '../../src/wire/fhir/names.ts'
import { encodeForm, type SearchParameter } from '../../src/wire/fhir/search.ts'

/** Bounds of one search: an answer of more pages or resources is refused as too many. */
const limits = { pages: 50, resources: 5_000 } as const

/** Resources wished for on one page; the server may choose otherwise. */
const pageSize = 250

export interface FhirSearch {
  readonly resourceType: 'DocumentReference' | 'Patient'
  readonly form: readonly SearchParameter[]
  readonly call: AuthorizedCall
  /** The person the search is about, when it names one. */
  readonly patientId?: PatientId
}

export interface FhirFound {
  readonly matches: readonly BundledResource[]
  readonly included: readonly BundledResource[]
  readonly issues: readonly Issue[]
}

export type FhirTools = Pick<AdapterTools, 'send' | 'vouch'>

type Page = Pick<Parameters<FhirTools['send']>[0], 'url' | 'method' | 'body'>

/**
 * Searches a FHIR server by `POST [base]/<type>/_search` and follows its pages: what is asked about whom stands in the
 * body, never in an address. Rejects with GatewayError: `patient-unknown` for a 404 that says so, `too-many-results`,
 * `community-*`.
 */
export async function searchFhir(baseUrl: string, tools: FhirTools, search: FhirSearch): Promise<FhirFound> {
  const base = new URL(baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`)
  const matches: BundledResource[] = []
  const included: BundledResource[] = []
  const issues: Issue[] = []
  const asked = new Set<string>()
  const seen = new Set<string>()
  const form = [...search.form, ['_count', String(pageSize)] as const]
  let page: Page | undefined = posted(`${base.href}${search.resourceType}/_search`, encodeForm(form))
  while (page !== undefined) {
    if (asked.size >= limits.pages) throw tooMany()
    const fingerprint: string = `${page.method} ${page.url} ${page.body ?? ''}`
    if (asked.has(fingerprint)) throw misbehaved('The pages of an answer lead back to one another')
    asked.add(fingerprint)
    const answer = readSearchPage(await ask(baseUrl, tools, search, page), search.resourceType)
    for (const match of answer.matches) if (isNew(match, seen)) matches.push(match)
    included.push(...answer.included)
    issues.push(...answer.issues)
    if (matches.length + included.length > limits.resources) throw tooMany()
    page = answer.next === undefined ? undefined : nextPage(answer.next, base, search)
  }
  return { matches, included, issues }
}

/** While pages are fetched the record goes on changing, and what stood on one page may move to the next. */
function isNew({ resource }: BundledResource, seen: Set<string>): boolean {
  if (typeof resource.id !== 'string') return true
  const known = seen.has(resource.id)
  seen.add(resource.id)
  return !known
}

function posted(url: string, body: string): Page {
  return { url, method: 'POST', body }
}

async function ask(baseUrl: string, tools: FhirTools, { call, patientId }: FhirSearch, page: Page): Promise<unknown> {
  const about = patientId === undefined ? {} : { patientId }
  // One token per request: a record may refuse to see the same one twice.
  const token = await tools.vouch({ kind: 'jwt', audience: baseUrl, call, ...about })
  const { status, body } = await tools.send({
    ...page,
    headers: {
      accept: fhirJson,
      authorization: `Bearer ${token}`,
      'x-correlation-id': call.correlationId,
      ...(page.method === 'POST' ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
    },
    signal: call.signal,
  })
  if (status !== 200) throw refusal(status, outcomeIn(body), { act: 'search', aboutPatient: patientId !== undefined })
  return parseJson(body)
}

/**
 * Pages are fetched from below the base address only, whatever the server says. An address that repeats whom the
 * search is about is turned back into a body.
 */
function nextPage(next: string, base: URL, { resourceType, patientId }: FhirSearch): Page {
  const url = URL.parse(next, base.href)
  const inside = url?.origin === base.origin && `${url.pathname}/`.startsWith(base.pathname)
  if (url === null || !inside || url.username !== '' || url.password !== '') {
    throw misbehaved('The next page of an answer lies outside the record')
  }
  url.hash = ''
  const words = [...url.searchParams.values()].flatMap((text) => text.split(/[|,]/))
  const named = patientId !== undefined && words.includes(patientId.value)
  if (!named && !url.pathname.endsWith('/_search')) return { url: url.href, method: 'GET' }
  const form = url.searchParams.toString()
  url.search = ''
  const path = url.pathname.replace(/\/_search$/, '')
  if (path !== `${base.pathname}${resourceType}`) throw misbehaved('The next page of an answer names the patient')
  return posted(`${url.origin}${path}/_search`, form)
}

/** What a failed request says of itself in FHIR; undefined when it does not. */
export function outcomeIn(body: Buffer): readonly Issue[] | undefined {
  try {
    const value = parseJson(body)
    return isOutcome(value) ? readOutcome(value) : undefined
  } catch {
    // A refusal need not come in FHIR; its status says enough.
    return undefined
  }
}

/** A failed request in the gateway's words. `issues` is undefined when the server gave no reason in FHIR's way. */
export function refusal(
  status: number,
  issues: readonly Issue[] | undefined,
  { act, aboutPatient }: { readonly act: string; readonly aboutPatient: boolean },
): GatewayError {
  const options = { details: { status }, issues: issues ?? [] }
  if (status === 429 || status === 503) {
    return new GatewayError('community-busy', 'The record is busy', options)
  }
  if (status >= 500) return new GatewayError('community-unavailable', 'The record failed to answer', options)
  if (status === 401 || status === 403) {
    return new GatewayError('community-rejected', 'The record refused access', options)
  }
  // Any other 404 is an address that does not exist: that must not pass for a citizen without documents.
  if (status === 404 && aboutPatient && issues?.some(({ code }) => code === 'XDSUnknownPatientId') === true) {
    return new GatewayError('patient-unknown', 'The record knows no such patient', options)
  }
  if (status >= 400) return new GatewayError('community-rejected', `The record refused the ${act}`, options)
  return new GatewayError('community-misbehaved', 'The record answered with an unexpected status', options)
}

function misbehaved(message: string): GatewayError {
  return new GatewayError('community-misbehaved', message)
}

function tooMany(): GatewayError {
  return new GatewayError('too-many-results', 'The record found more than the gateway takes at once', {
    details: { pages: limits.pages, resources: limits.resources },
  })
}
