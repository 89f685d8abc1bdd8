import { type ErrorCode, GatewayError, type Issue } from '../../core/errors.ts'

type Passing = Extract<ErrorCode, 'community-busy' | 'community-unavailable'>

/** What a registry may say against a change that it has made already. */
export type ChangeObstacle =
  /** What is submitted is there. */
  | 'there'
  /** What is to be replaced has been. */
  | 'replaced'
  /** What is referred to is not there. */
  | 'not-there'
  /** What it was made from is no longer the latest. */
  | 'overtaken'

/** By code alone, never by the status around it (ini.md §6.2 no. 2); every other code is a refusal (ihe.md §1.15, ini.md §6.1). */
const meanings: ReadonlyMap<string, Passing | ChangeObstacle> = new Map<string, Passing | ChangeObstacle>([
  ['XDSRegistryBusy', 'community-busy'],
  ['XDSRepositoryBusy', 'community-busy'],
  ['XDSRegistryNotAvailable', 'community-unavailable'],
  ['XDSRegistryOutOfResources', 'community-unavailable'],
  ['XDSDuplicateUniqueIdInRegistry', 'there'],
  ['R224', 'there'],
  ['XDSRegistryDeprecatedDocumentError', 'replaced'],
  ['UnresolvedReferenceException', 'not-there'],
  ['XDSMetadataVersionError', 'overtaken'],
  ['R221', 'overtaken'],
])

/** Refusals by policy come with the code Receiver, as if the registry were at fault (ini.md §6.1, PIT2; §6.2 no. 4). */
const judgement = /^(?:P[A-Z]{2}|R)[0-9]+$/

/** The failure that a code means and that may pass; undefined for every other. */
export function passingFailure(code: string): Passing | undefined {
  const meaning = meanings.get(code)
  return meaning !== undefined && isPassing(meaning) ? meaning : undefined
}

function isPassing(meaning: Passing | ChangeObstacle): meaning is Passing {
  return meaning === 'community-busy' || meaning === 'community-unavailable'
}

type Reply =
  | { readonly kind: 'answer'; readonly status: string; readonly issues: readonly Issue[] }
  | { readonly kind: 'fault'; readonly issue: Issue; readonly sender: boolean }

/** Why a registry did not make a change. */
export interface ChangeRefusal {
  /** What each of its errors says, if each says that the change may have been made already; else nothing. */
  readonly obstacles: readonly ChangeObstacle[]
  /** To be thrown unless it has been: with the registry's own words. */
  readonly error: GatewayError
}

/**
 * What a registry has against a change (ITI-42, ITI-57, ITI-62), which it makes whole or not at all; undefined when it made it.
 * The error is `community-busy` or `-unavailable` when one of its codes, or a fault it calls its own, says "not now"; else
 * `community-rejected`.
 */
export function changeRefusal(reply: Reply): ChangeRefusal | undefined {
  const issues = reply.kind === 'fault' ? [reply.issue] : reply.issues
  const errors = issues.filter(({ severity }) => severity === 'error')
  if (reply.kind === 'answer' && reply.status === 'success' && errors.length === 0) return undefined
  // A failure with nothing but warnings is one all the same.
  const reasons = (errors.length > 0 ? errors : issues).map(({ code }) => meanings.get(code))
  const obstacles = reasons.flatMap((reason) => (reason === undefined || isPassing(reason) ? [] : [reason]))
  const passing = reasons.find((reason): reason is Passing => reason !== undefined && isPassing(reason))
  return {
    obstacles: obstacles.length === reasons.length ? obstacles : [],
    error: new GatewayError(passing ?? codeOf(reply, obstacles), 'The community did not make a change', { issues }),
  }
}

/** Unless it is judged, what a peer calls its own fault may pass. */
function codeOf(reply: Reply, obstacles: readonly ChangeObstacle[]): ErrorCode {
  const own = reply.kind === 'fault' && !reply.sender && obstacles.length === 0 && !judgement.test(reply.issue.code)
  return own ? 'community-unavailable' : 'community-rejected'
}
