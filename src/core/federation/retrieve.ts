import { asGatewayError, GatewayError } from '../errors.ts'
import type { FederatedAnswer, MergedEntry } from '../model/answers.ts'
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
import type { GetDocuments } from '../model/stored-query.ts'
import type { AccessPolicy, Clock, Community } from '../ports.ts'
import { fanOut, type OnLeg } from './fan-out.ts'
import type { QueryGateway } from './query.ts'
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
  const { clock, communities, home, mostDocuments, policy, unverified } = parts
  return {
    async retrieve(asked, caller) {
      const references = distinct(asked)
      if (references.length === 0) throw new GatewayError('parameter-missing', 'No document is named')
      if (references.length > mostDocuments) {
        throw new GatewayError('parameter-count', `At most ${mostDocuments} documents can be retrieved at once`)
      }
      const call = policy.authorizeRetrieval(caller)
      const { found, failures } = await located(references, caller, parts)
      const groups = new Map<Community, Found[]>()
      for (const one of found) {
        const holder = holderOf(one.entry.home ?? home, communities)
        if (holder === undefined) {
          const message = 'Nobody configured here hands out documents of that community'
          failures.push({ reference: one.reference, error: new GatewayError('community-unknown', message) })
        } else groups.set(holder, [...(groups.get(holder) ?? []), one])
      }
      const onLeg: OnLeg | undefined = parts.onLeg && ((...leg) => parts.onLeg?.(call, ...leg))
      const fetched = await fanOut(
        [...groups.keys()],
        call,
        clock,
        async (holder, leg) => await fromHolder(holder, groups.get(holder) ?? [], leg, unverified(holder)),
        onLeg,
      )
      const delivered = fetched.answers.flatMap(({ answer }) => answer.delivered)
      for (const { answer } of fetched.answers) failures.push(...answer.failures)
      for (const { home: failed, error } of fetched.failures) {
        const [, wanted = []] = [...groups].find(([holder]) => holder.home === failed) ?? []
        failures.push(...wanted.map(({ reference }) => ({ reference, error })))
      }
      return { documents: inOrder(delivered, references), failures, asked: fetched.asked }
    },
  }
}

interface Found {
  readonly reference: DocumentReference
  readonly entry: MergedEntry
}

function distinct(references: readonly DocumentReference[]): readonly DocumentReference[] {
  return references.filter((one, index) => references.findIndex((other) => sameReference(one, other)) === index)
}

function inOrder(documents: readonly DeliveredDocument[], references: readonly DocumentReference[]) {
  return [...documents].sort((a, b) => references.indexOf(a.reference) - references.indexOf(b.reference))
}

/** The entries of the references, as this caller may know them; one answer for what is unknown, forbidden or hidden. */
async function located(
  references: readonly DocumentReference[],
  caller: AuthenticatedCall,
  { home: own, index }: RetrieveParts,
): Promise<{ readonly found: Found[]; readonly failures: ReferenceFailure[] }> {
  const found: Found[] = []
  const failures: ReferenceFailure[] = []
  const byHome = Map.groupBy(references, ({ home = own }) => home)
  await Promise.all(
    [...byHome].map(async ([home, wanted]) => {
      const ids = [...new Set(wanted.map(({ uniqueId }) => uniqueId))]
      const query: GetDocuments = { type: 'GetDocuments', documents: { by: 'unique-id', ids }, home, extra: [] }
      const answer = await index.query(query, caller).catch(asGatewayError)
      for (const reference of wanted) {
        const entry = answer instanceof GatewayError ? undefined : entryOf(reference, answer)
        if (entry !== undefined) found.push({ reference, entry })
        else failures.push({ reference, error: notFound(answer) })
      }
    }),
  )
  return { found, failures }
}

function entryOf({ repositoryUniqueId, uniqueId }: DocumentReference, { entries }: FederatedAnswer) {
  return entries.find((one) => one.uniqueId === uniqueId && one.repositoryUniqueId === repositoryUniqueId)
}

/** A community that did not answer may know the document; otherwise nobody knows it, or may say so. */
function notFound(answer: FederatedAnswer | GatewayError): GatewayError {
  if (answer instanceof GatewayError) return answer
  const [failure] = answer.failures
  return failure?.error ?? new GatewayError('document-unknown', 'No such document is known')
}

/** Who hands out documents of a home: the community itself, else who speaks for it. */
function holderOf(home: HomeCommunityId, communities: readonly Community[]): Community | undefined {
  const holders = communities.filter(({ repository }) => repository !== undefined)
  return (
    holders.find((community) => community.home === home) ??
    holders.find(({ relation, reaches }) => relation === 'national' && reaches.includes(home))
  )
}

interface Fetched {
  readonly delivered: DeliveredDocument[]
  readonly failures: ReferenceFailure[]
  readonly issues: readonly { readonly severity: string }[]
}

/** Asks one holder, so many documents at a time as it takes; a request that fails costs its own documents only. */
async function fromHolder(
  holder: Community,
  wanted: readonly Found[],
  call: AuthorizedCall,
  unverified: Unverified,
): Promise<Fetched> {
  const { repository } = holder
  if (repository === undefined) throw new GatewayError('internal', 'A community without a repository was asked')
  const { mostAtOnce } = repository
  const delivered: DeliveredDocument[] = []
  const failures: ReferenceFailure[] = []
  for (let from = 0; from < wanted.length; from += mostAtOnce) {
    const chunk = wanted.slice(from, from + mostAtOnce)
    const references = chunk.map(({ entry, reference }) => ({ ...reference, home: entry.home ?? holder.home }))
    const answer = await repository.retrieve(references, call).catch(asGatewayError)
    if (answer instanceof GatewayError) {
      // The only request of a leg fails as the leg does, so that the failure is told as the community's.
      if (wanted.length <= mostAtOnce) throw answer
      failures.push(...chunk.map(({ reference }) => ({ reference, error: answer })))
      continue
    }
    const sorted = await assigned(answer, chunk, unverified)
    delivered.push(...sorted.delivered)
    failures.push(...sorted.failures)
  }
  const issues = failures.map(() => ({ severity: 'error' }))
  return { delivered, failures, issues }
}

/** Gives each reference its document or its failure; documents nobody asked for are forgotten. */
async function assigned(answer: RetrieveAnswer, chunk: readonly Found[], unverified: Unverified) {
  const delivered: DeliveredDocument[] = []
  const failures: ReferenceFailure[] = []
  const taken = new Set<RetrievedDocument>()
  for (const { reference, entry } of chunk) {
    const document = answer.documents.find((one) => isOf(one, reference) && !taken.has(one))
    if (document === undefined) {
      failures.push({ reference, error: missing(answer, reference) })
      continue
    }
    taken.add(document)
    try {
      delivered.push({ ...document, reference, entry, verified: verifyDocument(document, entry, unverified) })
    } catch (error) {
      taken.delete(document)
      failures.push({ reference, error: asGatewayError(error) })
    }
  }
  const unwanted = answer.documents.filter((document) => !taken.has(document))
  await Promise.all(unwanted.map(({ content }) => content[Symbol.asyncDispose]()))
  return { delivered, failures }
}

function isOf(document: RetrievedDocument, { repositoryUniqueId, uniqueId }: DocumentReference): boolean {
  return document.uniqueId === uniqueId && document.repositoryUniqueId === repositoryUniqueId
}

/** What the holder said about the document it did not hand out, in its own words. */
function missing({ issues }: RetrieveAnswer, { uniqueId }: DocumentReference): GatewayError {
  const errors = issues.filter(({ severity }) => severity === 'error')
  const own =
    errors.find((issue) => issue.uniqueId === uniqueId) ?? errors.find((issue) => issue.uniqueId === undefined)
  if (own === undefined) {
    return new GatewayError('community-misbehaved', 'The community handed out neither the document nor a reason', {
      details: { reason: 'document-missing' },
    })
  }
  return new GatewayError('community-rejected', 'The community did not hand out the document', { issues: [own] })
}
