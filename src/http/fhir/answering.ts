import { randomUUID } from 'node:crypto'
import { asGatewayError, GatewayError } from '../../core/errors.ts'
import { type FederatedAnswer, statusOf } from '../../core/model/answers.ts'
import type { Assertion } from '../../core/model/call.ts'
import type { PatientId } from '../../core/model/patient.ts'
import { encodeOutcome, type ToldIssue } from '../../wire/fhir/outcome.ts'
import type { AskedPatient } from '../../wire/fhir/question.ts'
import type { SearchParameter } from '../../wire/fhir/search.ts'
import { encodeSearchset } from '../../wire/fhir/searchset.ts'
import type { Json } from '../../wire/fhir/types.ts'
import type { ApiAnswer, ApiCall } from '../api/endpoint.ts'
import { communityIssue, silenceIssue } from './failures.ts'
import type { KeptAnswer } from './pages.ts'
import { type FhirParts, mostPerPage } from './parts.ts'
import { NobodyAnswered, pageGone } from './refusal.ts'
import { baseOf, countIn, fhirType, patientIn } from './request.ts'
import { idsFor, viewOf } from './viewer.ts'

/** A resource as the answer. */
export function answered(body: Json): ApiAnswer {
  return { body, contentType: fhirType }
}

/** The identifier of the patient a search names. Throws `patient-unknown` for an id that is not the viewer's for their patient. */
export function patientOf(asked: AskedPatient, viewer: Assertion, { key }: Pick<FhirParts, 'key'>): PatientId {
  if ('identifier' in asked) return asked.identifier
  const patientId = patientIn(viewer)
  if (asked.id === idsFor(key, viewer).patient) return patientId
  throw new GatewayError('patient-unknown', 'No such patient is known')
}

/** Has it audited who answered. Throws when nobody did. */
export function requireAnswer(answer: FederatedAnswer, note: ApiCall['note']): void {
  const { asked, failures, issues } = answer
  note({ asked })
  const status = statusOf(answer)
  if (status === 'partial-success') note({ outcome: 'partial-success' })
  if (status !== 'failure') return
  const [first] = failures
  if (first !== undefined) throw new NobodyAnswered(asGatewayError(first.error), failures)
  throw new GatewayError('community-rejected', 'No community could answer the question', { issues })
}

/** What is told of a search beside what it found; undefined when there is nothing to tell. */
export function outcomeOf(
  { failures, issues }: Pick<FederatedAnswer, 'failures' | 'issues'>,
  hasOthers: boolean,
  { nameOf }: Pick<FhirParts, 'nameOf'>,
): Json | undefined {
  const ignored: ToldIssue = {
    ...{ severity: 'warning', code: 'not-supported', word: 'parameter-ignored' },
    text: 'A parameter of the search is not known here and was passed over',
  }
  const told = [
    ...failures.map((failure) => silenceIssue(failure, nameOf)),
    ...issues.map((issue) => communityIssue(issue, nameOf)),
    ...(hasOthers ? [ignored] : []),
  ]
  const once = new Map(told.map((issue) => [`${issue.severity} ${issue.code} ${issue.text}`, issue]))
  return once.size === 0 ? undefined : encodeOutcome([...once.values()])
}

/** How many resources each page has. Throws `parameter-*`. */
export function pageSizeOf(parameters: readonly SearchParameter[], { pageSize }: FhirParts): number {
  return Math.min(countIn(parameters) ?? pageSize, mostPerPage)
}

/** Where a page begins, and how it is gone on from there. */
export interface PageOf {
  readonly offset: number
  readonly cursorTo: (offset: number) => string
}

/** The first page of an answer; what is left is kept for those who ask on. Throws `too-many-results`. */
export function firstPage(answer: KeptAnswer, viewer: Assertion, { pages }: FhirParts): PageOf {
  const isWhole = answer.found.entries.length <= answer.count || answer.count === 0
  return { offset: 0, cursorTo: isWhole ? () => '' : pages.keep(answer, viewOf(viewer)) }
}

/**
 * A further page, as it was when the search was made: the same documents in the same order. Throws a refusal with 410 when it
 * is not kept, is somebody else's, or when something was pushed about the person since.
 */
export async function furtherPage(
  cursor: string,
  type: KeptAnswer['found']['type'],
  viewer: Assertion,
  { isOvertaken, pages }: FhirParts,
): Promise<PageOf & { readonly answer: KeptAnswer }> {
  const page = pages.open(cursor, viewOf(viewer))
  if (page === undefined || page.answer.found.type !== type) throw pageGone()
  const { asOf } = page.answer
  if (asOf !== undefined && (await isOvertaken(asOf))) throw pageGone()
  return page
}

/** The Bundle of a page. */
export function bundled(
  call: ApiCall,
  { count, found, outcome, parameters }: KeptAnswer,
  { offset, cursorTo }: PageOf,
  { resources, parts }: { readonly resources: readonly Json[]; readonly parts: FhirParts },
): ApiAnswer {
  const total = found.entries.length
  const next = offset + count
  call.note({ results: resources.length })
  return answered(
    encodeSearchset({
      address: `${baseOf(call, parts.base)}/${found.type}`,
      ...{ total, resources, parameters },
      ...(outcome === undefined ? {} : { outcome: { resource: outcome, fullUrl: `urn:uuid:${randomUUID()}` } }),
      ...(count === 0 || next >= total ? {} : { cursor: cursorTo(next) }),
    }),
  )
}
