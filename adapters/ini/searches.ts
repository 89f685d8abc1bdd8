import type { QueryAnswer } from '../../src/core/model/answers.ts'
import type { AuthorizedCall } from '../../src/core/model/call.ts'
import type { DocumentReference } from '../../src/core/model/retrieval.ts'
import type { Clock } from '../../src/core/ports.ts'

/** INI hands out a document only if a successful search returned it in the previous 20 minutes (ini.md §2.6). */
const windowMs = 20 * 60_000
/** Clocks differ, and a request takes its time: a search is relied on for a little less. */
const marginMs = 60_000
/** How many found documents are remembered; then the oldest are forgotten, and searched for again when they are wanted. */
const most = 100_000

/** Which documents INI told of lately, to whom. Nothing personal is kept: what may differ by asker is the permit's partition. */
export interface Searches {
  remember(answer: QueryAnswer, call: AuthorizedCall): void
  /** The references that no search has returned lately. */
  missing(references: readonly DocumentReference[], call: AuthorizedCall): readonly DocumentReference[]
  /** INI says that it knows of no search. */
  forget(references: readonly DocumentReference[], call: AuthorizedCall): void
}

export function recentSearches(clock: Clock): Searches {
  const found = new Map<string, number>()
  const keyOf = (repository: string | undefined, document: string, { permit }: AuthorizedCall) =>
    `${permit.partition}\u0000${repository ?? ''}\u0000${document}`
  return {
    remember({ entries }, call) {
      const now = clock.now()
      for (const { repositoryUniqueId, uniqueId } of entries) {
        const key = keyOf(repositoryUniqueId, uniqueId, call)
        // Put last again, so that the first are the oldest.
        found.delete(key)
        found.set(key, now)
      }
      for (const [key] of found) {
        if (found.size <= most) break
        found.delete(key)
      }
    },
    missing(references, call) {
      const since = clock.now() - windowMs + marginMs
      return references.filter(({ repositoryUniqueId, uniqueId }) => {
        return (found.get(keyOf(repositoryUniqueId, uniqueId, call)) ?? 0) < since
      })
    },
    forget(references, call) {
      for (const { repositoryUniqueId, uniqueId } of references) found.delete(keyOf(repositoryUniqueId, uniqueId, call))
    },
  }
}
