import type { MergedEntry } from '../model/answers.ts'
import type { IsAuthor } from '../policy/visibility.ts'
import type { QueryGateway } from './query.ts'

/** Roles of systems that ask on behalf of the author and name nobody (ini.md §2.3: the national gateway on reads). */
const spokesmen: ReadonlySet<string> = new Set(['GTW'])

/**
 * The index for those who are about to change documents: whoever asks finds what they wrote, and anything else as if it
 * were not there (ini.md §2.6: the region of assistance verifies that the requester is the author).
 */
export function onlyAuthored(gateway: QueryGateway, isAuthor: IsAuthor): QueryGateway {
  return {
    async query(query, caller) {
      const answer = await gateway.query(query, caller)
      const { role, subject } = caller.assertion
      if (spokesmen.has(role)) return answer
      const kept = (entry: MergedEntry) => isAuthor(entry, subject)
      return { ...answer, entries: answer.entries.filter(kept), submissionSets: [], folders: [], associations: [] }
    },
  }
}
