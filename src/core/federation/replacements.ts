import type { QueryAnswer } from '../model/answers.ts'
import type { HomeCommunityId } from '../model/identifiers.ts'
import type { StoredQuery } from '../model/stored-query.ts'

const replacing: ReadonlySet<string> = new Set(['replaces', 'transforms-and-replaces'])

/**
 * The answer with what its documents replaced among themselves: a search for documents tells none of their links. Asks the
 * same community only where it told of documents that are no longer in force. Links to what is not in the answer are left
 * out, since nothing is known of that; a community that does not tell them costs the answer nothing.
 */
export async function withReplacements(
  answer: QueryAnswer,
  home: HomeCommunityId,
  again: (query: StoredQuery) => Promise<QueryAnswer>,
): Promise<QueryAnswer> {
  const ids = answer.entries.flatMap(({ entryUuid, status }) => (status === 'deprecated' ? [entryUuid] : []))
  if (ids.length === 0) return answer
  try {
    const { associations } = await again({ type: 'GetAssociations', ids, home, extra: [] })
    const present = new Set(answer.entries.map(({ entryUuid }) => entryUuid))
    const links = associations.filter(({ source, target, type }) => {
      return replacing.has(type) && present.has(source) && present.has(target)
    })
    return { ...answer, associations: [...answer.associations, ...links] }
  } catch {
    return answer
  }
}
