import { GatewayError } from '../../core/errors.ts'
import type { CommunityFailure, FederatedAnswer } from '../../core/model/answers.ts'
import type { AuthenticatedCall } from '../../core/model/call.ts'
import type { HomeCommunityId } from '../../core/model/identifiers.ts'
import type { Folder, SubmissionSet } from '../../core/model/metadata.ts'
import { encodeFolder, encodeSubmissionSet } from '../../wire/fhir/list.ts'
import { type ListQuestion, listQuestion } from '../../wire/fhir/list-question.ts'
import { uriSystem } from '../../wire/fhir/names.ts'
import { addressable } from '../../wire/fhir/question.ts'
import type { SearchParameter } from '../../wire/fhir/search.ts'
import type { Json, Reference } from '../../wire/fhir/types.ts'
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
import { cursorIn, parametersOf, patientIn, requireJson, requireKnown, searchedFor, userOf } from './request.ts'
import { resourceRoutes } from './resource-routes.ts'
import { idsFor } from './viewer.ts'

type AnyList = SubmissionSet | Folder

/** Communities are asked for the members of each of them. */
const mostLists = 50

/** Find Document Lists (MHD, ITI-66): submission sets and folders; and the read of one of them. */
export function listRoutes(parts: FhirParts): readonly ApiRoute[] {
  return resourceRoutes(
    { resource: 'List', transaction: 'ITI-66' },
    { search: (call) => found(call, parts), read: (call) => one(call, parts) },
  )
}

async function found(call: ApiCall, parts: FhirParts): Promise<ApiAnswer> {
  call.note({ request: 'FindSubmissionSets' })
  const parameters = parametersOf(call, parts.identifiersInUrls)
  requireJson(call, parameters)
  const cursor = cursorIn(parameters)
  const user = userOf(call)
  if (cursor === undefined) return await searched(call, user, parameters, parts)
  call.note({ request: 'FindSubmissionSets page', patientId: patientIn(user.assertion) })
  const { answer, ...page } = await furtherPage(cursor, 'List', user.assertion, parts)
  return await told(call, user, { answer, page }, parts)
}

async function searched(
  call: ApiCall,
  user: AuthenticatedCall,
  parameters: readonly SearchParameter[],
  parts: FhirParts,
): Promise<ApiAnswer> {
  const { assertion } = user
  const question = listQuestion(searchedFor(parameters))
  requireKnown(call, question.hasOthers)
  const count = Math.min(pageSizeOf(parameters, parts), mostLists)
  const patientId = patientOf(question.patient, assertion, parts)
  call.note({ patientId })
  const askedAt = parts.clock.now()
  const all = await everythingOf(question.queries(patientId), user, parts)
  requireAnswer(all, call.note)
  const { hasId } = question
  const ids = idsFor(parts.key, assertion)
  const lists = listsIn(all)
  const entries = lists.filter((list) => question.matches(list) && (hasId?.(ids.list(list)) ?? true)).sort(latestFirst)
  const outcome = outcomeOf(all, question.hasOthers, parts)
  const answer: KeptAnswer = {
    found: { type: 'List', entries },
    ...{ parameters: addressable(question.conditions), count, askedAt },
    ...(all.asOf === undefined ? {} : { asOf: all.asOf }),
    ...(outcome === undefined ? {} : { outcome }),
  }
  return await told(call, user, { answer, page: firstPage(answer, assertion, parts) }, parts)
}

/** What several questions about one person are answered. */
async function everythingOf(
  [question, ...others]: ReturnType<ListQuestion['queries']>,
  user: AuthenticatedCall,
  { gateway }: FhirParts,
): Promise<FederatedAnswer> {
  const answers = [question, ...others].map((query) => gateway.query(query, user))
  const [first, ...more] = (await Promise.all(answers)) as [FederatedAnswer, ...FederatedAnswer[]]
  if (more.length === 0) return first
  const all = [first, ...more]
  return {
    ...first,
    submissionSets: all.flatMap(({ submissionSets }) => submissionSets),
    folders: all.flatMap(({ folders }) => folders),
    issues: all.flatMap(({ issues }) => issues),
    asked: all.flatMap(({ asked }) => asked),
    failures: all.flatMap(({ failures }) => failures),
  }
}

/** Each once: a community that is asked under several identifiers tells of a list under each. */
function listsIn({ folders, submissionSets }: FederatedAnswer): readonly AnyList[] {
  return [...new Map([...submissionSets, ...folders].map((list: AnyList) => [keyOf(list), list])).values()]
}

function timeOf(list: AnyList): string {
  return ('intendedRecipients' in list ? list.submissionTime : list.lastUpdateTime) ?? ''
}

function latestFirst(a: AnyList, b: AnyList): number {
  const [x, y] = [`${timeOf(b)} ${a.entryUuid}`, `${timeOf(a)} ${b.entryUuid}`]
  return x < y ? -1 : x > y ? 1 : 0
}

async function told(
  call: ApiCall,
  user: AuthenticatedCall,
  { answer, page }: { readonly answer: KeptAnswer; readonly page: PageOf },
  parts: FhirParts,
): Promise<ApiAnswer> {
  if (answer.found.type !== 'List') return bundled(call, answer, page, { resources: [], parts })
  const lists = answer.found.entries.slice(page.offset, page.offset + answer.count)
  const members = await membersOf(lists, user, parts)
  if (members.failures.length > 0) call.note({ outcome: 'partial-success' })
  const outcome = withFailures(answer.outcome, members.failures, parts)
  const resources = lists.map((list) => encoded(list, members, idsFor(parts.key, user.assertion).list(list)))
  return bundled(call, { ...answer, ...(outcome === undefined ? {} : { outcome }) }, page, { resources, parts })
}

function withFailures(outcome: Json | undefined, failures: readonly CommunityFailure[], parts: FhirParts) {
  const more = failures.length === 0 ? undefined : outcomeOf({ failures, issues: [] }, false, parts)
  if (outcome === undefined || more === undefined) return outcome ?? more
  return { ...outcome, issue: [...(outcome.issue as unknown[]), ...(more.issue as unknown[])] }
}

interface Members {
  /** By the entryUUID of the list, after the home of who told of it. */
  readonly of: ReadonlyMap<string, readonly Reference[]>
  readonly failures: readonly CommunityFailure[]
}

/** The documents in each list, as far as the viewer may know them: whoever told of a list is asked what is in it. */
async function membersOf(lists: readonly AnyList[], user: AuthenticatedCall, parts: FhirParts): Promise<Members> {
  const byHome = Map.groupBy(lists, ({ home }) => home)
  const told = await Promise.all([...byHome].map(([home, some]) => membersAt(home, some, user, parts)))
  return {
    of: new Map(told.flatMap(({ of }) => [...of])),
    failures: told.flatMap(({ failures }) => failures),
  }
}

async function membersAt(
  home: HomeCommunityId | undefined,
  lists: readonly AnyList[],
  user: AuthenticatedCall,
  { gateway, key }: FhirParts,
): Promise<Members> {
  const place = { ...(home === undefined ? {} : { home }), extra: [] }
  const listed = await gateway.query(
    { type: 'GetAssociations', ids: lists.map((list) => list.entryUuid), ...place },
    user,
  )
  const links = listed.associations.filter(({ type }) => type === 'has-member')
  const targets = [...new Set(links.map(({ target }) => target))]
  if (targets.length === 0) return { of: new Map(), failures: listed.failures }
  const documents = { by: 'entry-uuid', ids: targets } as const
  const { entries, failures } = await gateway.query({ type: 'GetDocuments', documents, ...place }, user)
  const ids = idsFor(key, user.assertion)
  const references = new Map(
    entries.flatMap(({ sources }) =>
      sources.map((source): [string, Reference] => [
        source.entryUuid,
        {
          ...{ reference: `DocumentReference/${ids.document(source)}`, type: 'DocumentReference' },
          identifier: { system: uriSystem, value: source.entryUuid },
        },
      ]),
    ),
  )
  const bySource = Map.groupBy(links, ({ source }) => source)
  const of = new Map(
    lists.map((list) => {
      const members = bySource.get(list.entryUuid) ?? []
      return [keyOf(list), members.flatMap(({ target }) => references.get(target) ?? [])] as const
    }),
  )
  return { of, failures: [...listed.failures, ...failures] }
}

function keyOf({ entryUuid, home }: AnyList): string {
  return `${home ?? ''} ${entryUuid}`
}

function encoded(list: AnyList, { of }: Members, id: string): Json {
  const served = { id, members: of.get(keyOf(list)) ?? [] }
  return 'intendedRecipients' in list ? encodeSubmissionSet(list, served) : encodeFolder(list, served)
}

/** One list by its id: found again among all that the viewer may know of their patient. */
async function one(call: ApiCall, parts: FhirParts): Promise<ApiAnswer> {
  call.note({ request: 'ReadList' })
  const parameters = parametersOf(call, parts.identifiersInUrls)
  requireJson(call, parameters)
  const user = userOf(call)
  const patientId = patientIn(user.assertion)
  call.note({ patientId })
  const common = { patientId, status: ['approved', 'deprecated'], extra: [] }
  const all = await everythingOf(
    [
      { type: 'FindSubmissionSets', ...common },
      { type: 'FindFolders', ...common },
    ],
    user,
    parts,
  )
  requireAnswer(all, call.note)
  const ids = idsFor(parts.key, user.assertion)
  const list = listsIn(all).find((some) => ids.list(some) === call.parameters.id)
  if (list === undefined) {
    const [silent] = all.failures
    if (silent !== undefined) throw new NobodyAnswered(silent.error, all.failures)
    throw new GatewayError('document-unknown', 'No such list is known')
  }
  call.note({ results: 1 })
  return answered(encoded(list, await membersOf([list], user, parts), ids.list(list)))
}
