import { GatewayError } from '../../core/errors.ts'
import { successorsOf } from '../../core/federation/merge.ts'
import type { MergedEntry } from '../../core/model/answers.ts'
import type { Assertion, AuthenticatedCall } from '../../core/model/call.ts'
import type { Association } from '../../core/model/metadata.ts'
import { documentQuestion } from '../../wire/fhir/document-question.ts'
import { addressable } from '../../wire/fhir/question.ts'
import type { SearchParameter } from '../../wire/fhir/search.ts'
import { encodeServedDocument } from '../../wire/fhir/served-document.ts'
import type { Json } from '../../wire/fhir/types.ts'
import type { ApiAnswer, ApiCall, ApiRoute } from '../api/endpoint.ts'
import {
  answered,
  bundled,
  firstPage,
  furtherPage,
  outcomeOf,
  type PageOf,
  pageSizeOf,
  patientOf,
  requireAnswer,
} from './answering.ts'
import type { KeptAnswer } from './pages.ts'
import type { FhirParts } from './parts.ts'
import { NobodyAnswered } from './refusal.ts'
import { baseOf, cursorIn, parametersOf, patientIn, requireJson, requireKnown, searchedFor, userOf } from './request.ts'
import { resourceRoutes } from './resource-routes.ts'
import { idsFor } from './viewer.ts'

/** Find Document References (MHD, ITI-67), and the read of one of them. */
export function documentReferenceRoutes(parts: FhirParts): readonly ApiRoute[] {
  return resourceRoutes(
    { resource: 'DocumentReference', transaction: 'ITI-67' },
    { search: (call) => found(call, parts), read: (call) => one(call, parts) },
  )
}

async function found(call: ApiCall, parts: FhirParts): Promise<ApiAnswer> {
  call.note({ request: 'FindDocuments' })
  const parameters = parametersOf(call, parts.identifiersInUrls)
  requireJson(call, parameters)
  const cursor = cursorIn(parameters)
  const user = userOf(call)
  if (cursor === undefined) return await searched(call, user, parameters, parts)
  call.note({ request: 'FindDocuments page', patientId: patientIn(user.assertion) })
  const { answer, ...page } = await furtherPage(cursor, 'DocumentReference', user.assertion, parts)
  return told(call, user.assertion, { answer, page }, parts)
}

async function searched(
  call: ApiCall,
  user: AuthenticatedCall,
  parameters: readonly SearchParameter[],
  parts: FhirParts,
): Promise<ApiAnswer> {
  const { assertion } = user
  const question = documentQuestion(searchedFor(parameters))
  requireKnown(call, question.hasOthers)
  const count = pageSizeOf(parameters, parts)
  const patientId = patientOf(question.patient, assertion, parts)
  call.note({ patientId })
  const askedAt = parts.clock.now()
  const all = await parts.gateway.query(question.query(patientId), user, { replacements: true })
  requireAnswer(all, call.note)
  const { hasId } = question
  const ids = idsFor(parts.key, assertion)
  const entries = all.entries.filter((entry) => {
    return (
      question.matches(entry) && (hasId === undefined || entry.sources.some((source) => hasId(ids.document(source))))
    )
  })
  const outcome = outcomeOf(all, question.hasOthers, parts)
  const answer: KeptAnswer = {
    found: { type: 'DocumentReference', entries, associations: all.associations },
    ...{ parameters: addressable(question.conditions), count, askedAt },
    ...(all.asOf === undefined ? {} : { asOf: all.asOf }),
    ...(outcome === undefined ? {} : { outcome }),
  }
  return told(call, assertion, { answer, page: firstPage(answer, assertion, parts) }, parts)
}

function told(
  call: ApiCall,
  viewer: Assertion,
  { answer, page }: { readonly answer: KeptAnswer; readonly page: PageOf },
  parts: FhirParts,
): ApiAnswer {
  const { askedAt, count, found } = answer
  if (found.type !== 'DocumentReference') return bundled(call, answer, page, { resources: [], parts })
  const encode = encoder({ ...found, askedAt }, viewer, { ...parts, base: baseOf(call, parts.base) })
  const resources = found.entries.slice(page.offset, page.offset + count).map((entry) => encode(entry))
  return bundled(call, answer, page, { resources, parts })
}

interface Index {
  readonly entries: readonly MergedEntry[]
  readonly associations: readonly Association[]
  readonly askedAt: number
}

/** Makes the resources of an index, for one viewer, who knows the server as `base`. */
function encoder(
  { associations, askedAt, entries }: Index,
  viewer: Assertion,
  parts: FhirParts & { readonly base: string },
) {
  const { key, maxAgeMs, nameOf } = parts
  const ids = idsFor(key, viewer)
  const successors = successorsOf(entries, associations)
  return (entry: MergedEntry, known?: string): Json => {
    const [first = { home: '', entryUuid: entry.entryUuid }] = entry.sources
    const newer = successors.get(entry)
    const url = addressOf(entry, viewer, parts)
    return encodeServedDocument(entry, {
      ...{ id: known ?? ids.document(first as MergedEntry['sources'][number]), associations, nameOf },
      asOf: (home) => askedAt - maxAgeMs(home),
      ...(url === undefined ? {} : { url }),
      ...(newer === undefined ? {} : { replacedBy: newer.entryUuid }),
    })
  }
}

/** Where a document is handed out; a document whose repository nobody tells cannot be asked for. */
function addressOf(
  { home, repositoryUniqueId, uniqueId }: MergedEntry,
  viewer: Assertion,
  { base, handles }: Pick<FhirParts, 'handles'> & { readonly base: string },
): string | undefined {
  if (repositoryUniqueId === undefined) return undefined
  const reference = { ...(home === undefined ? {} : { home }), repositoryUniqueId, uniqueId }
  return `${base}/Binary/${handles.seal(reference, viewer)}`
}

/**
 * One document by its id: found again among all that the viewer may know of their patient, so that a read shows nothing
 * that a search would not. Its state has no name (ETag): the handle of each answer is good for a short time, and whoever
 * was told that nothing changed would keep one that opens nothing.
 */
async function one(call: ApiCall, parts: FhirParts): Promise<ApiAnswer> {
  call.note({ request: 'ReadDocumentReference' })
  const parameters = parametersOf(call, parts.identifiersInUrls)
  requireJson(call, parameters)
  const user = userOf(call)
  const patientId = patientIn(user.assertion)
  call.note({ patientId })
  const { id = '' } = call.parameters
  const ids = idsFor(parts.key, user.assertion)
  const askedAt = parts.clock.now()
  const answer = await parts.gateway.query(
    {
      ...{ type: 'FindDocuments', patientId, status: ['approved', 'deprecated'], extra: [] },
      filter: { kinds: ['stable', 'on-demand'] },
    },
    user,
    { replacements: true },
  )
  requireAnswer(answer, call.note)
  const entry = answer.entries.find(({ sources }) => sources.some((source) => ids.document(source) === id))
  if (entry === undefined) {
    const [silent] = answer.failures
    if (silent !== undefined) throw new NobodyAnswered(silent.error, answer.failures)
    throw new GatewayError('document-unknown', 'No such document is known')
  }
  call.note({ results: 1 })
  const encode = encoder({ ...answer, askedAt }, user.assertion, { ...parts, base: baseOf(call, parts.base) })
  return answered(encode(entry, id))
}
