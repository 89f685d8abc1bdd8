import { GatewayError } from '../errors.ts'
import type { AsOf } from '../model/answers.ts'
import type { AuthenticatedCall } from '../model/call.ts'
import type { HomeCommunityId } from '../model/identifiers.ts'
import type { DeliveredDocument, FederatedRetrieval, ReferenceFailure } from '../model/retrieval.ts'
import { located } from './locate-documents.ts'
import type { Pushes } from './pushed.ts'
import type { QueryGateway } from './query.ts'

/** The index, and as of when each of its answers is. */
export function remembering(index: QueryGateway) {
  const read: AsOf[] = []
  const noted: QueryGateway = {
    async query(query, caller) {
      const answer = await index.query(query, caller)
      if (answer.asOf !== undefined) read.push(answer.asOf)
      return answer
    },
  }
  return { index: noted, read }
}

/** How often documents are looked for again; who is pushed about faster than this gets them later. */
const mostLooks = 3

/** What is needed to look again. */
export interface StillToldParts {
  readonly home: HomeCommunityId
  readonly index: QueryGateway
  readonly pushes?: Pushes
  /** As of when what was read is; emptied as it is looked at. */
  readonly read: AsOf[]
}

/**
 * What of the documents may still be given away: whatever was pushed about their patient while they were under way is heard
 * first, and what it hides or removes was never there.
 */
export async function stillTold(
  documents: readonly DeliveredDocument[],
  caller: AuthenticatedCall,
  parts: StillToldParts,
): Promise<Pick<FederatedRetrieval, 'documents' | 'failures'>> {
  let left = documents
  const failures: ReferenceFailure[] = []
  for (let look = 0; look < mostLooks; look++) {
    const read = parts.read.splice(0)
    if (left.length === 0 || !(await isOvertaken(read, parts.pushes))) return { documents: left, failures }
    const again = await located(
      left.map(({ reference }) => reference),
      caller,
      parts,
    )
    const isFound = ({ reference }: DeliveredDocument) => again.found.some((one) => one.reference === reference)
    for (const gone of left.filter((document) => !isFound(document))) await gone.content[Symbol.asyncDispose]()
    failures.push(...again.failures)
    left = left.filter(isFound)
  }
  for (const { content } of left) await content[Symbol.asyncDispose]()
  throw new GatewayError('overloaded', 'The record of the person is changing too fast to be told now')
}

async function isOvertaken(read: readonly AsOf[], pushes: Pushes | undefined): Promise<boolean> {
  if (pushes === undefined) return false
  const now = await Promise.all(read.map(async ({ identifiers }) => (await pushes.about(identifiers)).generation))
  return read.some(({ generation }, index) => now[index] !== generation)
}
