import { GatewayError, type Issue } from '../../core/errors.ts'
import { type Bundle, isObject, type Json, type OperationOutcome, shapes, told } from './types.ts'

/** One resource of a search's answer, read by nobody yet. */
export interface BundledResource {
  readonly resource: Json
  /** The address the Bundle gives it, which references in other entries may use. */
  readonly fullUrl?: string
}

/** A page of a search's answer (FHIR R4: 3.1.1.1; MHD: 2:3.67.4.2.2.2). */
export interface SearchPage {
  /** Resources of the type that was searched for. */
  readonly matches: readonly BundledResource[]
  /** Resources that came along. */
  readonly included: readonly BundledResource[]
  readonly issues: readonly Issue[]
  /** Where the next page is; absent on the last one. As the server told it. */
  readonly next?: string
}

/** The JSON text of a message. Throws `community-misbehaved`. */
export function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    // The parser's own message quotes what it could not read.
    throw new GatewayError('community-misbehaved', 'The community answered something that is not JSON')
  }
}

/**
 * Reads a page of type `searchset`. Resources without a type and of a type nobody asked for are passed over, as is what
 * the server calls included in the results. Throws `community-misbehaved`.
 */
export function readSearchPage(value: unknown, resourceType: string): SearchPage {
  const bundle = told(shapes.bundle, value, 'Bundle', 'community-misbehaved')
  if (bundle.resourceType !== 'Bundle' || bundle.type !== 'searchset') {
    throw new GatewayError(
      'community-misbehaved',
      'The community answered a search with something else than a searchset',
    )
  }
  const matches: BundledResource[] = []
  const included: BundledResource[] = []
  const issues: Issue[] = []
  for (const entry of bundle.entry ?? []) {
    const { resource, fullUrl, search } = entry
    if (!isObject(resource)) continue
    const bundled = { resource, ...(fullUrl === undefined ? {} : { fullUrl }) }
    if (resource.resourceType === 'OperationOutcome') issues.push(...readOutcome(resource))
    else if (resource.resourceType === resourceType && search?.mode !== 'include') matches.push(bundled)
    else included.push(bundled)
  }
  const next = nextLink(bundle)
  return { matches, included, issues, ...(next === undefined ? {} : { next }) }
}

function nextLink({ link = [] }: Bundle): string | undefined {
  return link.find(({ relation }) => relation === 'next')?.url
}

/** An OperationOutcome's issues in the words of XDS; informational ones say nothing XDS could. Throws `community-misbehaved`. */
export function readOutcome(value: unknown): readonly Issue[] {
  const outcome = told(shapes.outcome, value, 'OperationOutcome', 'community-misbehaved')
  return (outcome.issue ?? []).flatMap(readIssue)
}

/** Whether the body of a failed request says why in FHIR's way. */
export function isOutcome(value: unknown): boolean {
  return isObject(value) && value.resourceType === 'OperationOutcome'
}

type OutcomeIssue = NonNullable<OperationOutcome['issue']>[number]

const longestText = 1024

function readIssue(issue: OutcomeIssue): readonly Issue[] {
  const { severity, diagnostics, details, expression, location } = issue
  if (severity === 'information') return []
  const text = diagnostics ?? details?.text ?? details?.coding?.[0]?.display ?? `FHIR issue ${issue.code ?? 'unknown'}`
  const place = expression?.[0] ?? location?.[0]
  return [
    {
      severity: severity === 'warning' ? 'warning' : 'error',
      code: codeOf(issue),
      text: text.slice(0, longestText),
      ...(place === undefined ? {} : { location: place.slice(0, longestText) }),
    },
  ]
}

/** Codes of FHIR (IssueType) that say, of a search for one patient, what a code of XDS says; no official map exists. */
const codes: ReadonlyMap<string, string> = new Map([
  ['not-found', 'XDSUnknownPatientId'],
  ['required', 'XDSStoredQueryMissingParam'],
  ['value', 'XDSStoredQueryParamNumber'],
  ['not-supported', 'XDSUnknownStoredQuery'],
  ['too-costly', 'XDSTooManyResults'],
  ['throttled', 'XDSRegistryBusy'],
])

/** The XDS code a gateway to XDS put into the details, else the nearest one. */
function codeOf({ code = '', details }: OutcomeIssue): string {
  const own = details?.coding?.find((coding) => /^XDS[A-Za-z]{1,60}$/.test(coding.code ?? ''))?.code
  return own ?? codes.get(code) ?? 'XDSRegistryError'
}
