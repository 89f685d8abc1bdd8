import { GatewayError } from '../errors.ts'
import { nothingFound, type QueryAnswer } from '../model/answers.ts'
import type { HomeCommunityId } from '../model/identifiers.ts'
import type { DocumentEntry } from '../model/metadata.ts'
import type { StoredQuery } from '../model/stored-query.ts'

/** What must be known, beside the answer, to decide what of it may be shown. */
export interface Context {
  /** Documents the answer refers to without containing them. */
  readonly entries: readonly DocumentEntry[]
  /** Members of the answer's submission sets and folders: ids by container id. */
  readonly members: ReadonlyMap<string, readonly string[]>
}

/**
 * Links and containers betray the documents they point at, so those must be known before either is shown. Asks the same
 * community for the members of the answer's submission sets and folders, and for every linked object that is not in the
 * answer. An answer with entries only needs nothing. Rejects when the community does not answer that in full.
 */
export async function contextOf(
  answer: QueryAnswer,
  home: HomeCommunityId,
  again: (query: StoredQuery) => Promise<QueryAnswer>,
): Promise<Context> {
  const containers = [...answer.submissionSets, ...answer.folders].map(({ entryUuid }) => entryUuid)
  if (containers.length === 0 && answer.associations.length === 0) return { entries: [], members: new Map() }
  // Asked for every container: an answer that lists some members may have left others out, for a filter or by itself.
  const listed =
    containers.length === 0
      ? nothingFound
      : whole(await again({ type: 'GetAssociations', ids: containers, home, extra: [] }))
  const links = [...answer.associations, ...listed.associations]
  const members = new Map<string, string[]>()
  for (const { source, target, type } of links) {
    if (type === 'has-member') members.set(source, [...(members.get(source) ?? []), target])
  }
  const present = new Set([...answer.entries.map(({ entryUuid }) => entryUuid), ...containers])
  const missing = [...new Set(links.flatMap(({ source, target }) => [source, target]))].filter((id) => !present.has(id))
  if (missing.length === 0) return { entries: [], members }
  const documents = { by: 'entry-uuid', ids: missing } as const
  const found = whole(await again({ type: 'GetDocuments', documents, home, extra: [] }))
  return { entries: found.entries, members }
}

/** What is not known to be all there is may hide what must stay hidden. */
function whole(answer: QueryAnswer): QueryAnswer {
  if (!answer.issues.some(({ severity }) => severity === 'error')) return answer
  throw new GatewayError('community-rejected', 'The community did not tell what its answer refers to', {
    issues: answer.issues,
  })
}
