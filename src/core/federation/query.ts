import { asGatewayError, GatewayError } from '../errors.ts'
import type { FederatedAnswer, QueryAnswer } from '../model/answers.ts'
import type { AuthenticatedCall, AuthorizedCall } from '../model/call.ts'
import { isPatient, onlyIdentifier, type PatientId, withIdentifiers } from '../model/patient.ts'
import { namesPatient, type StoredQuery } from '../model/stored-query.ts'
import { citedOrders, isBoundByChain } from '../policy/hiding-chain.ts'
import { type IsAuthor, isVisible } from '../policy/visibility.ts'
import type { AccessPolicy, Clock, Community, KnownPatient, PatientChanges, PatientLocator } from '../ports.ts'
import { type Context, contextOf } from './complete.ts'
import type { ConsentGate } from './consents.ts'
import { fanOut, lateness, type OnLeg, unlessAborted } from './fan-out.ts'
import { hiddenByKeeper, type KeeperWord } from './keeper-word.ts'
import { type Disagreement, merge } from './merge.ts'
import { hiddenByOrders, keeperOf, type LookedUpOrders, type OrderParts } from './orders.ts'
import { type Answered, progressing, type Watch } from './progressive.ts'
import {
  asker,
  changesOf,
  entriesIn,
  hidingsOf,
  type MayTell,
  overtaken,
  type Pushes,
  pushedAbout,
  pushedSince,
} from './pushed.ts'
import { withReplacements } from './replacements.ts'
import { hiddenIds, withhold } from './withhold.ts'

/** What a federated question needs. */
export interface FederationParts extends Pick<OrderParts, 'onOrdersUnknown'> {
  readonly policy: AccessPolicy
  readonly isAuthor: IsAuthor
  readonly clock: Clock
  /** Tells a person's identifiers and region of assistance; without one, only the identifier asked about is known. */
  readonly patients?: PatientLocator
  /** What was pushed and is not in the record yet; without it the communities' answers are all there is. */
  readonly pushes?: Pushes
  /** What people have consented to; without it everybody is taken to have. */
  readonly consents?: ConsentGate
  /** Where the indexes of persons are; default those who are asked. */
  readonly communities?: readonly Community[]
  readonly onLeg?: (call: AuthorizedCall, ...leg: Parameters<OnLeg>) => void
  /** Told of an answer while others are still waited for: time to get it ready. */
  readonly onEarlyAnswer?: (answer: QueryAnswer) => void
  readonly onDisagreement?: (call: AuthorizedCall, disagreement: Disagreement) => void
}

/** Answers stored queries about one person for one caller. Throws GatewayError; failures of communities are values. */
export interface QueryGateway {
  query(query: StoredQuery, caller: AuthenticatedCall, wishes?: QueryWishes): Promise<FederatedAnswer>
}

/** What is wished beside the answer; whoever watches is told on the way. */
export interface QueryWishes extends Watch {
  /** Whether communities that told of replaced documents are asked by which. */
  readonly replacements?: boolean
}

/** Authorizes, finds the person, asks the communities that `route` names, and merges what may be shown. */
export async function federate(
  query: StoredQuery,
  caller: AuthenticatedCall,
  route: (known: KnownPatient) => readonly Community[],
  parts: FederationParts,
  wishes?: QueryWishes,
): Promise<FederatedAnswer> {
  const authorized = parts.policy.authorize(query, caller)
  const { known, doubt } = await locate(patientOf(query, authorized), authorized, parts)
  parts.policy.admit(authorized, known)
  const before = await pushedAbout(known, parts.pushes)
  const consented = async ({ generation }: PatientChanges): Promise<AuthorizedCall> => {
    const narrowed = await parts.consents?.narrowed(authorized, known, generation)
    return { ...(narrowed ?? authorized), generation }
  }
  const call = await consented(before)
  const targets = route(known)
  const mayTell: MayTell = (entry, { permit }) => {
    // Whether a prescription is hidden is not known while the record is silent.
    const isFree = !isBoundByChain(permit) || citedOrders([entry]).size === 0
    return isFree && isVisible(entry, permit, parts.isAuthor)
  }
  const shown = shownTo(
    { query, known, targets, before, consented, isAlone: doubt !== undefined },
    { communities: targets, ...parts },
  )
  const keeper = keeperOf(known, parts.communities ?? targets)
  const progress = wishes && progressing({ call, known, targets, keeper, shown, watch: wishes })
  const onLeg: OnLeg = (...leg) => {
    progress?.ended(...leg)
    parts.onLeg?.(call, ...leg)
  }
  let waiting = targets.length
  const { answers, failures, asked } = await fanOut(
    targets,
    call,
    parts.clock,
    async (community, leg) => {
      try {
        const asking = asker(community, known, changesOf(before), mayTell)
        const answer = await askInContext(community, query, leg, asking, wishes?.replacements)
        if (waiting > 1) parts.onEarlyAnswer?.(answer)
        progress?.answered(community, answer)
        return answer
      } finally {
        waiting--
      }
    },
    onLeg,
  )
  await progress?.over()
  const told = await shown(answers)
  const { answer, disagreements } = merge(told.shown, known)
  for (const disagreement of disagreements) parts.onDisagreement?.(call, disagreement)
  const own = targets.find(({ relation }) => relation === 'own') ?? targets[0]
  const issues =
    doubt === undefined || own === undefined ? answer.issues : [...answer.issues, { ...doubt, home: own.home }]
  const asOf = { identifiers: known.patient.identifiers, generation: told.generation }
  return { ...answer, issues, asked, failures, ...(parts.pushes === undefined ? {} : { asOf }) }
}

interface Shown {
  readonly query: StoredQuery
  readonly known: KnownPatient
  readonly targets: readonly Community[]
  readonly before: PatientChanges
  /** The call as the person's consents allow it, after what was pushed about them. */
  readonly consented: (since: PatientChanges) => Promise<AuthorizedCall>
  /** The person may have identifiers that could not be found out. */
  readonly isAlone: boolean
}

/** How often what was pushed meanwhile is taken into account; who is pushed about faster than this is asked about later. */
const mostLooks = 5

/**
 * What the caller may be told of answers, as of what was pushed until then. Looking prescriptions up takes a while in
 * which more may be pushed, so afterwards the journal is asked again.
 */
function shownTo({ query, known, targets, before, consented, isAlone }: Shown, parts: FederationParts & OrderParts) {
  let heard: { readonly generation: number; readonly lookedUp: LookedUpOrders; readonly word: KeeperWord } | undefined
  const heardAt = (generation: number) => {
    if (heard?.generation !== generation) heard = { generation, lookedUp: new Map(), word: new Map() }
    return heard
  }
  return async (answers: readonly Answered<InContext>[], silent?: ReadonlySet<Community>) => {
    let since = await pushedSince(before, known, parts.pushes)
    for (let look = 0; look < mostLooks; look++) {
      const call = await consented(since)
      const doubtful = isAlone ? answers.flatMap(({ answer }) => [...answer.entries, ...answer.context.entries]) : []
      const changes = [...changesOf(since), ...(await hidingsOf(doubtful, parts.pushes))]
      const current = answers.map(({ from, answer }) => ({
        from,
        answer: overtaken(answer, from, query, known, changes),
      }))
      const told = current.map(({ from, answer }) => ({
        from,
        entries: [...answer.entries, ...answer.context.entries],
      }))
      const entries = [...told.flatMap((one) => one.entries), ...entriesIn(changes)]
      const marked = hiddenIds(entries, call.permit, parts.isAuthor)
      const { lookedUp, word } = heardAt(since.generation)
      const looking = { ...parts, lookedUp, ...(silent === undefined ? {} : { silent }) }
      const about = { known, changes }
      const kept = await hiddenByKeeper(told, marked, about, call, { ...looking, query, targets, word })
      const concealed = new Set([...marked, ...kept.ids])
      const following = await hiddenByOrders(told, concealed, about, call, looking)
      const now = kept.asked || following.asked ? await pushedSince(since, known, parts.pushes) : since
      if (now.generation === since.generation) {
        const hidden = new Set([...concealed, ...following.ids])
        const shown = current.map(({ from, answer }) => ({ from, answer: withhold(answer, answer.context, hidden) }))
        return { shown, generation: since.generation }
      }
      since = now
    }
    throw new GatewayError('overloaded', 'The record of the person is changing too fast to be told now')
  }
}

/** The person the whole exchange is about: the assertion's, which the policy has held against the query's. */
function patientOf(query: StoredQuery, { assertion }: AuthorizedCall): PatientId {
  const id = namesPatient(query) ? query.patientId : assertion.patientId
  if (id === undefined) throw new GatewayError('access-denied', 'The assertion names no patient')
  return id
}

/** The person with every identifier our index and the national registry know, the one asked about first. */
async function locate(id: PatientId, call: AuthorizedCall, parts: FederationParts) {
  const { known, ...located } = await locateInIndex(id, call, parts)
  const { patientKnownAs } = call.assertion
  if (patientKnownAs === undefined) return { known, ...located }
  const assistedBy = known.assistedBy ?? patientKnownAs.assistedBy
  const patient = withIdentifiers(known.patient, patientKnownAs.identifiers)
  return { known: { patient, ...(assistedBy === undefined ? {} : { assistedBy }) }, ...located }
}

async function locateInIndex(id: PatientId, call: AuthorizedCall, { patients, clock }: FederationParts) {
  const alone: KnownPatient = { patient: onlyIdentifier(id) }
  if (patients === undefined) return { known: alone }
  const late = lateness(call, clock)
  const signal = AbortSignal.any([call.signal, late])
  try {
    const known = (await unlessAborted(() => patients.locate(id, { ...call, signal }), signal)) ?? alone
    if (isPatient(known.patient, id)) return known.doubt === undefined ? { known } : { known, doubt: known.doubt }
    throw new GatewayError('community-misbehaved', 'The patient index answered about another patient')
  } catch (thrown) {
    if (call.signal.aborted) throw new GatewayError('caller-gone', 'The caller left before the answer')
    const error = asGatewayError(thrown)
    if (error.fault !== 'community' && !late.aborted) throw error
    const text = 'The patient index did not answer: documents under other identifiers of the patient may be missing'
    return { known: alone, doubt: { severity: 'warning', code: 'XDSRegistryError', text } as const }
  }
}

type InContext = QueryAnswer & { readonly context: Context }

async function askInContext(
  community: Community,
  query: StoredQuery,
  call: AuthorizedCall,
  asking: ReturnType<typeof asker>,
  tellsReplacements = false,
): Promise<InContext> {
  const { home } = community
  const again = (further: StoredQuery) => asking(further, call)
  const answer = await asking(query, call)
  const context = await contextOf(answer, home, again)
  return { ...(tellsReplacements ? await withReplacements(answer, home, again) : answer), context }
}
