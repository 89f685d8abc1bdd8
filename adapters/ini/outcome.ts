import type { RegistryReply, RepositoryReply } from '../../src/config/adapter.ts'
import { GatewayError, type Issue } from '../../src/core/errors.ts'
import { nothingFound, type QueryAnswer } from '../../src/core/model/answers.ts'
import type { RetrieveAnswer } from '../../src/core/model/retrieval.ts'
import { answerOf } from '../../src/wire/ebrim/outcome.ts'
import { documentsOf } from '../../src/wire/ebrim/retrieval-outcome.ts'

type Meaning = 'nothing-found' | 'ask-yourself' | 'region-unreachable'

/** Decided on the code alone: the status around it has been wrong before (ini.md §6.1, §6.2 no. 2). */
const meanings: ReadonlyMap<string, Meaning> = new Map([
  ['QND1', 'nothing-found'],
  ['QND2', 'ask-yourself'],
  ['R220', 'ask-yourself'],
  ['CRF1', 'region-unreachable'],
  ['CRF2', 'region-unreachable'],
])

/**
 * What INI's reply to a search means. `QND1` is an empty answer; `QND2` and `R220` say that the person is ours, so that
 * our own registry, which is asked anyway, has the answer; `CRF1` and `CRF2` are the region of assistance failing behind
 * INI. Throws GatewayError with INI's own words among its issues.
 */
export function iniAnswer(reply: RegistryReply): QueryAnswer {
  const issues: readonly Issue[] = reply.kind === 'fault' ? [reply.issue] : reply.answer.issues
  const meant = issues.map(({ code }) => meanings.get(code)).find((meaning) => meaning !== undefined)
  if (meant === 'nothing-found' || meant === 'ask-yourself') return nothingFound
  if (meant === 'region-unreachable') {
    throw new GatewayError('community-rejected', 'The region of assistance did not answer INI', { issues })
  }
  refuseByPolicy(reply)
  return answerOf(reply)
}

/** The documents of INI's reply; throws GatewayError with INI's own words where it is a fault. */
export function iniDocuments(reply: RepositoryReply): RetrieveAnswer {
  refuseByPolicy(reply)
  return documentsOf(reply)
}

/** Access policy faults come with the code Receiver, as if INI were at fault (ini.md §6.1, PIT2). */
function refuseByPolicy(reply: RegistryReply | RepositoryReply): void {
  if (reply.kind !== 'fault' || !/^P[A-Z]{2}[0-9]+$/.test(reply.issue.code)) return
  throw new GatewayError('community-rejected', 'INI refused the request', { issues: [reply.issue] })
}
