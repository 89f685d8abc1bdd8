import type { HomeRule } from '../config/adapter.ts'
import { GatewayError, type Issue } from '../core/errors.ts'
import type { QueryAnswer } from '../core/model/answers.ts'
import type { HomeCommunityId } from '../core/model/identifiers.ts'

/**
 * Holds an answer to the rule about homes. A missing home refuses the answer, or is left for whoever knows whose answer
 * it is; an object of a community that the answering one does not front is dropped with a warning, because nobody could
 * retrieve it there. Throws `community-misbehaved` (ITI TF-2: 3.38.4.1.3).
 */
export function homed(
  answer: QueryAnswer,
  asked: HomeCommunityId | undefined,
  { missing, allowed }: HomeRule,
): QueryAnswer {
  const issues: Issue[] = []
  const take = <T extends { readonly entryUuid: string; readonly home?: HomeCommunityId }>(
    objects: readonly T[],
  ): T[] =>
    objects.filter((object) => {
      if (object.home === undefined) {
        if (missing === 'stamp') return true
        throw new GatewayError('community-misbehaved', 'The community told of an object without its home', {
          issues: [
            { severity: 'error', code: 'XDSMissingHomeCommunityId', text: `Object ${object.entryUuid} has no home` },
          ],
        })
      }
      if (object.home === asked || allowed === 'any' || allowed.has(object.home)) return true
      issues.push({
        severity: 'warning',
        code: 'XDSRegistryMetadataError',
        text: `Object ${object.entryUuid} left out: it belongs to a community that this one does not answer for`,
      })
      return false
    })
  const entries = take(answer.entries)
  const submissionSets = take(answer.submissionSets)
  const folders = take(answer.folders)
  return { ...answer, entries, submissionSets, folders, issues: [...answer.issues, ...issues] }
}
