import { GatewayError, type Issue } from '../../core/errors.ts'
import { nothingFound, type QueryAnswer } from '../../core/model/answers.ts'
import { passingFailure } from './error-meanings.ts'

type Reply =
  | { readonly kind: 'answer'; readonly status: string; readonly answer: QueryAnswer }
  | { readonly kind: 'fault'; readonly issue: Issue; readonly sender: boolean }

/**
 * The answer in a registry's reply. A patient nobody knows there is an empty answer (ITI TF-2: 3.18.4.1.3, ihe.md §6.1
 * no. 7). Throws `community-rejected`, `-busy` or `-unavailable` with the registry's own issues when it failed.
 */
export function answerOf(reply: Reply): QueryAnswer {
  if (reply.kind === 'fault') {
    const code = reply.sender ? 'community-rejected' : 'community-unavailable'
    throw new GatewayError(code, 'The community answered with a fault', { issues: [reply.issue] })
  }
  const issues = reply.answer.issues.filter(({ code }) => code !== 'XDSUnknownPatientId')
  const answer = { ...reply.answer, issues }
  if (reply.status !== 'failure') return answer
  const errors = issues.filter(({ severity }) => severity === 'error')
  if (errors.length === 0 && issues.length < reply.answer.issues.length) return { ...nothingFound, issues }
  const code = errors.map((issue) => passingFailure(issue.code)).find((meaning) => meaning !== undefined)
  throw new GatewayError(code ?? 'community-rejected', 'The community refused the query', { issues })
}
