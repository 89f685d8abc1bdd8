import { GatewayError } from '../errors.ts'
import { nothingFound, type QueryAnswer } from '../model/answers.ts'
import type { AuthorizedCall } from '../model/call.ts'
import type { GetDocuments } from '../model/stored-query.ts'
import type { Community } from '../ports.ts'

/** How many unique ids one question names. */
export const mostIds = 100

/** The same ids, so many at a time. */
export function chunksOf(ids: readonly string[], size: number): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(ids.length / size) }, (_, n) => ids.slice(n * size, (n + 1) * size))
}

/** The question for documents of these unique ids. */
export function naming({ home }: Community, ids: readonly string[]): GetDocuments {
  return { type: 'GetDocuments', home, extra: [], documents: { by: 'unique-id', ids } }
}

/**
 * What a community has of documents. Nobody is left out as somebody else: an order's number is the nation's, and its
 * patient's identifier may be an old one. Rejects when it does not tell all it has.
 */
export async function toldInFull(
  community: Community,
  query: GetDocuments,
  call: AuthorizedCall,
): Promise<QueryAnswer> {
  const answer = await told(community, query, call)
  if (!answer.issues.some(({ severity }) => severity === 'error')) return answer
  throw new GatewayError('community-rejected', 'The community did not tell of documents in full', {
    issues: answer.issues,
  })
}

async function told({ registry }: Community, query: GetDocuments, call: AuthorizedCall): Promise<QueryAnswer> {
  if (registry === undefined) throw new GatewayError('internal', 'A community without a registry was asked')
  try {
    return await registry.query(query, call)
  } catch (error) {
    // A community that does not know the patient has nothing to tell (ihe.md §6.1 no. 7).
    if (error instanceof GatewayError && error.code === 'patient-unknown') return nothingFound
    throw error
  }
}
