import type { RegistryReply, RepositoryReply, SubmissionReply } from '../../src/config/adapter.ts'
import { GatewayError, type Issue } from '../../src/core/errors.ts'
import { nothingFound, type QueryAnswer } from '../../src/core/model/answers.ts'
import type { RetrieveAnswer } from '../../src/core/model/retrieval.ts'
import { passingFailure } from '../../src/wire/ebrim/error-meanings.ts'
import { answerOf } from '../../src/wire/ebrim/outcome.ts'
import { documentsOf } from '../../src/wire/ebrim/retrieval-outcome.ts'

/** What INI means, whatever the status around it says. */
export type Meaning =
  /** There is nothing of the kind. */
  | 'nothing-found'
  /** The patient is ours: our own registry is the one that counts. */
  | 'ours'
  /** It was told of before, and is there. */
  | 'saved'
  /** What it was made from is no longer the latest. */
  | 'overtaken'
  /** What is to be replaced was replaced by somebody. */
  | 'replaced'
  /** The region of assistance could not be heard: what became of a change is unknown. */
  | 'region-unreachable'
  /** The region of assistance failed: its people must be told before this is tried again (ini.md §6.2 no. 4). */
  | 'region-failed'
  /** INI is not well just now. */
  | 'passing'
  /** INI has judged: never to be tried again by itself (ini.md §6.2 no. 4). */
  | 'refused'

/** Every code of ini.md §6.1 that can answer a search, a look-up or a change. */
export const meanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['PST4', 'refused'],
  ['PST5', 'refused'],
  ['PST6', 'refused'],
  ['PST10', 'refused'],
  ['PIT1', 'refused'],
  ['PIT2', 'refused'],
  ['PFC3', 'refused'],
  ['PFC9', 'refused'],
  ['PFA11', 'refused'],
  ['PFA14', 'refused'],
  ['R50', 'refused'],
  ['R56', 'refused'],
  ['R80', 'refused'],
  ['R153', 'refused'],
  ['R166', 'refused'],
  ['R220', 'ours'],
  ['R221', 'overtaken'],
  ['R224', 'saved'],
  ['R227', 'refused'],
  ['QND1', 'nothing-found'],
  ['QND2', 'ours'],
  ['CRF1', 'region-unreachable'],
  ['CRF2', 'region-failed'],
  ['EDS3', 'nothing-found'],
  // From registries behind INI, in IHE's words.
  ['UnresolvedReferenceException', 'nothing-found'],
  ['XDSMetadataVersionError', 'overtaken'],
  ['XDSRegistryDeprecatedDocumentError', 'replaced'],
])

/** Policies and metadata: codes nobody has seen yet are of the same kind as their family's (ini.md §6.1). */
const families = /^(?:P[A-Z]{2}|R)[0-9]+$/
/** INI's own trouble, which has no code of its own: `Internal Error 1011`, `Internal Error init service` (ini.md §6.1). */
const trouble = /^\W*(?:internal (?:server )?error\b|error init service|init service)/i
/** Consents that are missing are told by a fault's text alone, as if the receiver were at fault (ini.md §1.6 no. 5). */
const missingConsent = /missing (?:upload|consultation) consent/i

/** By the code; only where INI has none for the matter, by its words. `undefined` for what nobody has explained. */
export function meaningOf({ code, text }: Issue): Meaning | undefined {
  const known = meanings.get(code)
  if (known !== undefined) return known
  if (families.test(code) || missingConsent.test(text)) return 'refused'
  if (passingFailure(code) !== undefined || trouble.test(text)) return 'passing'
  return undefined
}

/**
 * What INI's reply to a search means. `QND1` is an empty answer; `QND2` and `R220` say that the person is ours, so that
 * our own registry, which is asked anyway, has the answer; `CRF1` and `CRF2` are the region of assistance failing behind
 * INI. Throws GatewayError with INI's own words among its issues.
 */
export function iniAnswer(reply: RegistryReply): QueryAnswer {
  const issues = issuesOf(reply)
  const meant = new Set(issues.map(meaningOf))
  if (isNothing(issues) || meant.has('ours')) return nothingFound
  if (meant.has('region-unreachable') || meant.has('region-failed')) {
    throw new GatewayError('community-rejected', 'The region of assistance did not answer INI', { issues })
  }
  refuseByPolicy(reply)
  return answerOf(reply)
}

/**
 * What INI's reply to a look-up before a change means: `ours` when it does nothing about the patient. Throws GatewayError
 * as `changeOutcome` does.
 */
export function lookUpOutcome(reply: RegistryReply): QueryAnswer | 'ours' {
  const issues = issuesOf(reply)
  if (isNothing(issues)) return nothingFound
  const outcome = outcomeOf(reply.kind === 'fault' ? reply : { ...reply, issues })
  if (outcome === 'ours') return outcome
  if (outcome !== 'made') throw outcome.error
  return reply.kind === 'answer' ? reply.answer : nothingFound
}

/** That INI did not make a change. */
export interface Refusal {
  /** What was said against it, if that alone was said. */
  readonly because?: Meaning
  /** To be thrown unless that can be dealt with: with INI's own words. */
  readonly error: GatewayError
}

/** What became of a change: `ours` when INI leaves it to our own registry. */
export type Outcome = 'made' | 'ours' | Refusal

/**
 * What INI's reply to a change means (ini.md §6.2). `R220` is `ours` and `R224` is success whatever the status and the
 * severity. The error of a refusal is `community-unavailable` where trying again with the same ids is right, since a change
 * that was made after all is then answered with R224; else it is `community-rejected`, which is final.
 */
export function changeOutcome(reply: SubmissionReply): Outcome {
  return outcomeOf(reply)
}

function outcomeOf(reply: SubmissionReply): Outcome {
  const issues = issuesOf(reply)
  const meant = new Set(issues.map(meaningOf))
  if (meant.has('ours')) return 'ours'
  const errors = issues.filter(({ severity }) => severity === 'error')
  // INI warns of what it does not do, and then the status is failure; a warning beside success is a remark.
  if (reply.kind === 'answer' && reply.status !== 'failure' && errors.length === 0) return 'made'
  const reasons = new Set((errors.length > 0 ? errors : issues).map(meaningOf))
  if (reasons.size === 1 && reasons.has('saved')) return 'made'
  const failed = ordered.find(([meaning]) => reasons.has(meaning))
  const [only] = reasons.size === 1 ? reasons : []
  const because = only === undefined ? {} : { because: only }
  if (failed !== undefined && !reasons.has(undefined)) {
    const [, code, sentence] = failed
    return { ...because, error: new GatewayError(code, sentence, { issues }) }
  }
  // Unless it is judged, what INI calls its own fault may pass.
  const passes = reply.kind === 'fault' && !reply.sender
  const code = passes ? 'community-unavailable' : 'community-rejected'
  return { ...because, error: new GatewayError(code, 'INI did not make a change', { issues }) }
}

/** Whichever comes first decides where several things are said. */
const ordered = [
  ['refused', 'community-rejected', 'INI refused a change'],
  [
    'region-failed',
    'community-rejected',
    'The region of assistance failed to make a change: tell its operators before it is tried again',
  ],
  ['overtaken', 'community-rejected', 'INI knows another version of a document than the one that was changed'],
  ['replaced', 'community-rejected', 'INI knows that a document was replaced already'],
  ['nothing-found', 'community-rejected', 'INI knows no document of those to be changed'],
  [
    'region-unreachable',
    'community-unavailable',
    'INI could not hear the region of assistance: whether a change was made is unknown',
  ],
  ['passing', 'community-unavailable', 'INI is not well just now'],
  ['saved', 'community-rejected', 'INI took only a part of a change before'],
] as const satisfies readonly (readonly [Meaning, 'community-rejected' | 'community-unavailable', string])[]

/** The documents of INI's reply; throws GatewayError with INI's own words where it is a fault. */
export function iniDocuments(reply: RepositoryReply): RetrieveAnswer {
  refuseByPolicy(reply)
  return documentsOf(reply)
}

function issuesOf(reply: RegistryReply | SubmissionReply): readonly Issue[] {
  if (reply.kind === 'fault') return [reply.issue]
  return 'answer' in reply ? reply.answer.issues : reply.issues
}

/** INI's own word for it; other registries' are about what a query refers to. */
function isNothing(issues: readonly Issue[]): boolean {
  return issues.some(({ code }) => code === 'QND1')
}

/** Access policy faults come with the code Receiver, as if INI were at fault (ini.md §6.1, PIT2). */
function refuseByPolicy(reply: RegistryReply | RepositoryReply): void {
  if (reply.kind !== 'fault' || !/^P[A-Z]{2}[0-9]+$/.test(reply.issue.code)) return
  throw new GatewayError('community-rejected', 'INI refused the request', { issues: [reply.issue] })
}
