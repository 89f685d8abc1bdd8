import { asGatewayError, GatewayError } from '../errors.ts'
import type { FederatedAnswer, MergedEntry } from '../model/answers.ts'
import type { AuthenticatedCall } from '../model/call.ts'
import type { HomeCommunityId } from '../model/identifiers.ts'
import type { DocumentReference, ReferenceFailure } from '../model/retrieval.ts'
import type { GetDocuments } from '../model/stored-query.ts'
import type { QueryGateway } from './query.ts'

/** A reference and what the index says of its document. */
export interface Found {
  readonly reference: DocumentReference
  readonly entry: MergedEntry
}

/** A reference and where it was looked for. */
interface Sought {
  readonly reference: DocumentReference
  readonly home: HomeCommunityId
}

type LookedUp = Sought & { readonly told: MergedEntry | GatewayError }

/**
 * The entries of the references, as this caller may know them; one answer for what is unknown, forbidden or hidden. An
 * entry may say that its document lies in another community than the reference does: then that community's word is heard
 * too, for it may hide the document, and naming it by another home must not show what its own name would not.
 */
export async function located(
  references: readonly DocumentReference[],
  caller: AuthenticatedCall,
  { home: own, index }: { readonly home: HomeCommunityId; readonly index: QueryGateway },
): Promise<{ readonly found: Found[]; readonly failures: ReferenceFailure[] }> {
  const first = await lookedUp(
    references.map((reference) => ({ reference, home: reference.home ?? own })),
    caller,
    index,
  )
  const elsewhere = first.flatMap(({ reference, home, told }) => {
    if (told instanceof GatewayError || told.home === undefined || told.home === home) return []
    return [{ reference, home: told.home }]
  })
  const second = elsewhere.length === 0 ? [] : await lookedUp(elsewhere, caller, index)
  const found: Found[] = []
  const failures: ReferenceFailure[] = []
  for (const once of first) {
    const { reference, home, told } = second.find((again) => again.reference === once.reference) ?? once
    if (told instanceof GatewayError) failures.push({ reference, error: told })
    else if ((told.home ?? home) === home) found.push({ reference, entry: told })
    else failures.push({ reference, error: unknown() })
  }
  return { found, failures }
}

async function lookedUp(
  sought: readonly Sought[],
  caller: AuthenticatedCall,
  index: QueryGateway,
): Promise<readonly LookedUp[]> {
  const byHome = Map.groupBy(sought, ({ home }) => home)
  const groups = await Promise.all([...byHome].map(([home, wanted]) => lookedUpAt(home, wanted, caller, index)))
  return groups.flat()
}

/**
 * A registry may refuse a whole question for one id of somebody else's: then each is asked about by itself, so that it
 * costs the others nothing, and so that what that registry would hide is not shown by another in its silence.
 */
async function lookedUpAt(
  home: HomeCommunityId,
  wanted: readonly Sought[],
  caller: AuthenticatedCall,
  index: QueryGateway,
): Promise<readonly LookedUp[]> {
  const ids = [...new Set(wanted.map(({ reference }) => reference.uniqueId))]
  const query: GetDocuments = { type: 'GetDocuments', documents: { by: 'unique-id', ids }, home, extra: [] }
  const answer = await index.query(query, caller).catch(asGatewayError)
  if (ids.length > 1 && isRefused(answer)) {
    const alone = Map.groupBy(wanted, ({ reference }) => reference.uniqueId)
    const apart = await Promise.all([...alone.values()].map((group) => lookedUpAt(home, group, caller, index)))
    return apart.flat()
  }
  return wanted.map((one) => ({ ...one, told: entryOf(one, answer) }))
}

function isRefused(answer: FederatedAnswer | GatewayError): boolean {
  return !(answer instanceof GatewayError) && answer.failures.some(({ error }) => error.code === 'community-rejected')
}

/**
 * A community that did not answer may know the document; otherwise nobody knows it, or may say so: a refusal would tell
 * that there is something to refuse.
 */
function entryOf({ reference, home }: Sought, answer: FederatedAnswer | GatewayError): MergedEntry | GatewayError {
  if (answer instanceof GatewayError) return answer
  const { repositoryUniqueId, uniqueId } = reference
  const fitting = answer.entries.filter((one) => {
    return one.uniqueId === uniqueId && one.repositoryUniqueId === repositoryUniqueId
  })
  const entry = fitting.find((one) => one.home === home) ?? fitting[0]
  const silent = answer.failures.find(({ error }) => error.code !== 'community-rejected')
  return entry ?? silent?.error ?? unknown()
}

function unknown(): GatewayError {
  return new GatewayError('document-unknown', 'No such document is known')
}
