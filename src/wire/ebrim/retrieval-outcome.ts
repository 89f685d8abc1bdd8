import { GatewayError, type Issue } from '../../core/errors.ts'
import type { RetrieveAnswer } from '../../core/model/retrieval.ts'

type Reply =
  | ({ readonly kind: 'answer' } & RetrieveAnswer)
  | { readonly kind: 'fault'; readonly issue: Issue; readonly sender: boolean }

/**
 * The documents in a repository's reply. What it says of each stays beside them; a fault is a failure of them all: throws
 * `community-rejected` or `community-unavailable` with its words.
 */
export function documentsOf(reply: Reply): RetrieveAnswer {
  if (reply.kind === 'answer') return reply
  const code = reply.sender ? 'community-rejected' : 'community-unavailable'
  throw new GatewayError(code, 'The community answered with a fault', { issues: [reply.issue] })
}
