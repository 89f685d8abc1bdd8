import { asGatewayError, GatewayError } from '../errors.ts'
import type { AuthenticatedCall, AuthorizedCall } from '../model/call.ts'
import type { HomeCommunityId } from '../model/identifiers.ts'
import {
  type DeliveredDocument,
  type DocumentReference,
  type FederatedRetrieval,
  type ReferenceFailure,
  type RetrieveAnswer,
  type RetrievedDocument,
  sameReference,
} from '../model/retrieval.ts'
import type { AccessPolicy, Clock, Community } from '../ports.ts'
import { fanOut, type OnLeg } from './fan-out.ts'
import { type Found, located } from './locate-documents.ts'
import type { Pushes } from './pushed.ts'
import type { QueryGateway } from './query.ts'
import { remembering, stillTold } from './still-told.ts'
import { type Unverified, verifyDocument } from './verify-document.ts'

/** What retrieving needs. */
export interface RetrieveParts {
  readonly policy: AccessPolicy
  readonly clock: Clock
  readonly home: HomeCommunityId
  readonly communities: readonly Community[]
  /** Finds entries as the caller may know them: whom they are about and whether they are hidden is decided there. */
  readonly index: QueryGateway
  readonly unverified: (holder: Community) => Unverified
  readonly mostDocuments: number
  readonly onLeg?: (call: AuthorizedCall, ...leg: Parameters<OnLeg>) => void
  /** What is pushed meanwhile takes effect on documents that are under way; without it nothing is ever pushed. */
  readonly pushes?: Pushes
  /** Told before the answer leaves, which it does not when this rejects. */
  readonly onDelivered?: (call: AuthorizedCall, documents: readonly DeliveredDocument[]) => Promise<void>
}

/** Retrieves documents for one caller. Throws GatewayError for the request; failures of documents are values. */
export interface RetrieveGateway {
  /** Whoever gets the answer disposes of the documents in it. */
  retrieve(references: readonly DocumentReference[], caller: AuthenticatedCall): Promise<FederatedRetrieval>
}

/**
 * Retrieves across communities. A reference names neither patient nor confidentiality, so each document is first found in
 * the index as its caller may see it; what is unknown, somebody else's or hidden is not found, all alike. Then each
 * holder is asked for its own, and every document is held against its entry before it is given away.
 */
export function retrieveGateway(parts: RetrieveParts): RetrieveGateway {
  const { mostDocuments, policy } = parts
  return {
    async retrieve(asked, caller) {
      const references = distinct(asked)
      if (references.length === 0) throw new GatewayError('parameter-missing', 'No document is named')
      if (references.length > mostDocuments) {
        throw new GatewayError('parameter-count', `At most ${mostDocuments} documents can be retrieved at once`)
      }
      const call = policy.authorizeRetrieval(caller)
      const reading = remembering(parts.index)
      const noting = { ...parts, index: reading.index }
      const first = await fetched(await located(references, caller, noting), call, noting)
      const second = await fromOurselves(first, caller, call, noting)
      const { documents, failures } = await stillTold([...first.documents, ...second.documents], caller, {
        ...noting,
        read: reading.read,
      })
      const answer = {
        documents: inOrder(documents, references),
        failures: inOrder([...first.failures, ...second.failures, ...failures], references),
        asked: [...first.asked, ...second.asked],
      }
      await parts.onDelivered?.(call, answer.documents)
      return answer
    },
  }
}

interface Round extends FederatedRetrieval {
  /** What its holder says lies in our own community. */
  readonly ours: readonly ReferenceFailure[]
}

/** Asks each holder for what it holds of what was found. */
async function fetched(
  { found, failures: unfound }: Awaited<ReturnType<typeof located>>,
  call: AuthorizedCall,
  { clock, communities, home, unverified, onLeg }: RetrieveParts,
): Promise<Round> {
  const failures = [...unfound]
  const groups = new Map<Community, Found[]>()
  for (const one of found) {
    const holder = holderOf(one.entry.home ?? home, communities)
    if (holder === undefined) {
      const message = 'Nobody configured here hands out documents of that community'
      failures.push({ reference: one.reference, error: new GatewayError('community-unknown', message) })
    } else groups.set(holder, [...(groups.get(holder) ?? []), one])
  }
  const legs = new Map([...groups].map(([holder, wanted]) => [holder, new Fetched(wanted)]))
  const { asked, failures: failed } = await fanOut(
    [...legs.keys()],
    call,
    clock,
    async (holder, leg) => await fromHolder(holder, legs.get(holder), leg, unverified(holder)),
    onLeg && ((...leg) => onLeg(call, ...leg)),
  )
  const documents: DeliveredDocument[] = []
  const ours: ReferenceFailure[] = []
  for (const [holder, leg] of legs) {
    const { error } = failed.find((failure) => failure.home === holder.home) ?? {}
    documents.push(...leg.delivered)
    failures.push(...leg.failures, ...leg.unanswered().map(({ reference }) => ({ reference, error: unended(error) })))
    // One that says so of itself has only refused.
    if (holder.home === home) failures.push(...leg.ours)
    else ours.push(...leg.ours)
  }
  return { documents, failures, asked, ours }
}

/**
 * What another community says lies in ours is looked for here, as if it had been named so: our own record's word about it
 * is heard like about any of its documents. Where that is nothing, what the other said is all there is to tell.
 */
async function fromOurselves(
  { ours }: Round,
  caller: AuthenticatedCall,
  call: AuthorizedCall,
  parts: RetrieveParts,
): Promise<FederatedRetrieval> {
  if (ours.length === 0) return { documents: [], failures: [], asked: [] }
  const asked = new Map<DocumentReference, ReferenceFailure>(
    ours.map((failure) => [{ ...failure.reference, home: parts.home }, failure]),
  )
  const { found, failures } = await located([...asked.keys()], caller, parts)
  const here = found.filter(({ entry }) => (entry.home ?? parts.home) === parts.home)
  const round = await fetched({ found: here, failures }, call, parts)
  const documents = round.documents.map((document) => {
    const { reference } = asked.get(document.reference) ?? document
    asked.delete(document.reference)
    return { ...document, reference }
  })
  const refused = [...asked].map(([ours, said]) => {
    const { error } = round.failures.find(({ reference }) => reference === ours) ?? said
    return error.code === 'document-unknown' ? said : { ...said, error }
  })
  return { documents, failures: refused, asked: round.asked }
}

function distinct(references: readonly DocumentReference[]): readonly DocumentReference[] {
  return references.filter((one, index) => references.findIndex((other) => sameReference(one, other)) === index)
}

function inOrder<T extends { readonly reference: DocumentReference }>(
  values: readonly T[],
  references: readonly DocumentReference[],
): T[] {
  return [...values].sort((a, b) => references.indexOf(a.reference) - references.indexOf(b.reference))
}

/** A leg that ended without a word about a document ended with a failure. */
function unended(error: GatewayError | undefined): GatewayError {
  return error ?? new GatewayError('internal', 'The gateway lost a document that it asked for')
}

/** Who hands out documents of a home: the community itself, else who speaks for it. */
function holderOf(home: HomeCommunityId, communities: readonly Community[]): Community | undefined {
  const holders = communities.filter(({ repository }) => repository !== undefined)
  return (
    holders.find((community) => community.home === home) ??
    holders.find(({ relation, reaches }) => relation === 'national' && reaches.includes(home))
  )
}

/** What has come of one holder's leg so far: a leg that is cut short has delivered what it has. */
class Fetched {
  readonly wanted: readonly Found[]
  readonly delivered: DeliveredDocument[] = []
  readonly failures: ReferenceFailure[] = []
  /** What the holder does not hand out since it lies in our own community. */
  readonly ours: ReferenceFailure[] = []

  constructor(wanted: readonly Found[]) {
    this.wanted = wanted
  }

  unanswered(): readonly Found[] {
    const answered = new Set([...this.delivered, ...this.failures, ...this.ours].map(({ reference }) => reference))
    return this.wanted.filter(({ reference }) => !answered.has(reference))
  }
}

/** One document of a holder, and everything it was asked for by: the same may be named with its home and without. */
type Wanted = readonly [Found, ...Found[]]

/** Asks one holder, so many documents at a time as it takes; a request that fails costs its own documents only. */
async function fromHolder(
  holder: Community,
  fetched: Fetched | undefined,
  call: AuthorizedCall,
  unverified: Unverified,
): Promise<{ readonly issues: readonly { readonly severity: string }[] }> {
  const { repository } = holder
  if (repository === undefined || fetched === undefined) {
    throw new GatewayError('internal', 'A community without a repository was asked')
  }
  const requests = requestsFor(fetched.wanted, repository.mostAtOnce)
  const failed: GatewayError[] = []
  for (const request of requests) {
    const references = request.map(([{ entry, reference }]) => ({ ...reference, home: entry.home ?? holder.home }))
    const answer = await repository.retrieve(references, call).catch(asGatewayError)
    if (!(answer instanceof GatewayError)) await assign(answer, request, unverified, fetched)
    else {
      failed.push(answer)
      fetched.failures.push(...request.flat().map(({ reference }) => ({ reference, error: answer })))
    }
  }
  const [first] = failed
  // A leg none of whose requests was answered has failed, and is told so.
  if (first !== undefined && failed.length === requests.length) throw first
  return { issues: fetched.failures.map(() => ({ severity: 'error' })) }
}

/**
 * Each document once, so many in a request as the holder takes. Answers need not tell a home: documents that differ by
 * nothing else go into different requests.
 */
function requestsFor(wanted: readonly Found[], mostAtOnce: number): readonly (readonly Wanted[])[] {
  const documents = Map.groupBy(wanted, ({ entry: { home, repositoryUniqueId, uniqueId } }) =>
    JSON.stringify([home, repositoryUniqueId, uniqueId]),
  )
  const requests: Wanted[][] = []
  for (const [first, ...others] of documents.values()) {
    if (first === undefined) continue
    const fits = (request: readonly Wanted[]) =>
      request.length < mostAtOnce && !request.some(([other]) => isOf(other.reference, first.reference))
    const request = requests.find(fits)
    if (request === undefined) requests.push([[first, ...others]])
    else request.push([first, ...others])
  }
  return requests
}

/** Gives each reference its document or its failure; documents nobody asked for are forgotten. */
async function assign(
  answer: RetrieveAnswer,
  request: readonly Wanted[],
  unverified: Unverified,
  { delivered, failures, ours }: Fetched,
): Promise<void> {
  const taken = new Set<RetrievedDocument>()
  for (const [first, ...others] of request) {
    const document = answer.documents.find((one) => isOf(one, first.reference))
    for (const { reference, entry } of [first, ...others]) {
      try {
        if (document === undefined) {
          const { error, isOurs } = missing(answer, request, reference)
          ;(isOurs ? ours : failures).push({ reference, error })
          continue
        }
        delivered.push({ ...document, reference, entry, verified: verifyDocument(document, entry, unverified) })
        taken.add(document)
      } catch (error) {
        failures.push({ reference, error: asGatewayError(error) })
      }
    }
  }
  const unwanted = answer.documents.filter((document) => !taken.has(document))
  await Promise.allSettled(unwanted.map(({ content }) => content[Symbol.asyncDispose]()))
}

type Named = Pick<DocumentReference, 'repositoryUniqueId' | 'uniqueId'>

/** Some peers answer with the repository's OID as a URN, whatever they were asked. */
function isOf(document: Named, { repositoryUniqueId, uniqueId }: Named): boolean {
  return document.uniqueId === uniqueId && bare(document.repositoryUniqueId) === bare(repositoryUniqueId)
}

function bare(oid: string): string {
  return oid.replace(/^urn:oid:/, '')
}

/** What the holder said about the document it did not hand out, in its own words; else what it said about no other. */
function missing(
  { issues }: RetrieveAnswer,
  request: readonly Wanted[],
  { uniqueId }: DocumentReference,
): { readonly error: GatewayError; readonly isOurs: boolean } {
  const errors = issues.filter(({ severity }) => severity === 'error')
  const others = new Set(request.map(([{ reference }]) => reference.uniqueId))
  const own =
    errors.find((issue) => issue.uniqueId === uniqueId) ??
    errors.find((issue) => issue.uniqueId === undefined || !others.has(issue.uniqueId)) ??
    issues.find((issue) => issue.uniqueId === uniqueId)
  if (own === undefined) {
    const message = 'The community handed out neither the document nor a reason'
    const error = new GatewayError('community-misbehaved', message, { details: { reason: 'document-missing' } })
    return { error, isOurs: false }
  }
  const error = new GatewayError('community-rejected', 'The community did not hand out the document', { issues: [own] })
  return { error, isOurs: own.advice === 'own-repository' }
}
