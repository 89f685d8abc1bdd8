import type { GatewayError } from '../errors.ts'
import type { CommunityFailure, Leg, MergedAnswer, QueryAnswer } from '../model/answers.ts'
import type { AuthorizedCall, Permit } from '../model/call.ts'
import type { DocumentEntry } from '../model/metadata.ts'
import { produced } from '../policy/routing.ts'
import { seesObscured, viewerOf } from '../policy/visibility.ts'
import type { Community, KnownPatient } from '../ports.ts'
import { unlessAborted } from './fan-out.ts'
import { merge } from './merge.ts'

/** The index as far as it is known: documents that may be shown, and how they relate. */
export type IndexSoFar = Pick<MergedAnswer, 'entries' | 'associations'>

/** How far a federated question has come. */
export interface Progress {
  /** How many communities are asked. */
  readonly total: number
  /** Those that have ended, in the order in which they did. */
  readonly asked: readonly Leg[]
  readonly failures: readonly CommunityFailure[]
  readonly index: IndexSoFar
}

/** Told of a federated question under way. */
export interface Watch {
  /** Told once, before anybody is asked: whom the question is about, and who is asked. */
  readonly routed?: (known: KnownPatient, targets: readonly Community[]) => void
  /**
   * Told at first of nothing and then as communities answer, one call at a time: those that end while it is at work are
   * told together by the next. The last steps may be left out, since the answer follows.
   */
  readonly progressed?: (progress: Progress) => Promise<void> | void
}

/** One community's answer. */
export interface Answered<A extends QueryAnswer> {
  readonly from: Community
  readonly answer: A
}

/** What may be told of answers, nobody being asked who is silent. */
export type ShownOf<A extends QueryAnswer> = (
  answers: readonly Answered<A>[],
  silent: ReadonlySet<Community>,
) => Promise<{ readonly shown: readonly Answered<QueryAnswer>[] }>

export interface ProgressParts<A extends QueryAnswer> {
  readonly call: AuthorizedCall
  readonly known: KnownPatient
  readonly targets: readonly Community[]
  /** Who keeps the person's one index; undefined when it is nobody here. */
  readonly keeper: Community | undefined
  readonly shown: ShownOf<A>
  readonly watch: Watch
}

/** What the fan-out tells as it goes on. */
export interface Progressing<A extends QueryAnswer> {
  /** A community has answered; it counts once its leg has ended. */
  answered(from: Community, answer: A): void
  ended(leg: Leg, community: Community, error?: GatewayError): void
  /** Nothing more is told; resolves when whoever watches has taken what was. */
  over(): Promise<void>
}

const nothingYet: IndexSoFar = { entries: [], associations: [] }

/**
 * Tells on the way what may be shown of the answers so far, by the rules of the answer in the end. Theirs is the word on
 * hiding who keep the person's index, and who produced a document: from whom documents can be hidden nothing is shown before
 * the keeper has been heard or has failed, and no document before its producer has.
 */
export function progressing<A extends QueryAnswer>(parts: ProgressParts<A>): Progressing<A> {
  const { call, keeper, known, targets, watch } = parts
  const arrived = new Map<Community, A>()
  const heard: Answered<A>[] = []
  const asked: Leg[] = []
  const failures: CommunityFailure[] = []
  const silent = new Set<Community>()
  const waiting = new Set(targets)
  const view = viewOf(call.permit)
  let index = nothingYet
  let isOver = false
  let isStale = true
  let telling: Promise<void> = Promise.resolve()
  let isAtWork = false

  async function indexNow(): Promise<IndexSoFar> {
    const awaitsKeeper = view === 'after-keeper' && [...waiting].some(({ home }) => home === keeper?.home)
    if (heard.length === 0 || awaitsKeeper) return index
    const pending = new Set(view === 'at-once' ? [] : waiting)
    const { shown } = await parts.shown([...heard], new Set(silent))
    return indexOf(shown, { targets, pending }, known)
  }

  async function follow(): Promise<void> {
    if (isAtWork || watch.progressed === undefined) return
    isAtWork = true
    try {
      while (isStale && !isOver) {
        isStale = false
        const so = { total: targets.length, asked: [...asked], failures: [...failures] }
        index = await indexNow()
        if (isOver) break
        telling = Promise.resolve(watch.progressed({ ...so, index }))
        await telling
      }
    } catch {
      // What cannot be told now, the answer tells, or fails alike.
    } finally {
      isAtWork = false
    }
  }

  watch.routed?.(known, targets)
  void follow()
  return {
    answered(from, answer) {
      arrived.set(from, answer)
    },
    ended(leg, community, error) {
      const answer = arrived.get(community)
      asked.push(leg)
      waiting.delete(community)
      if (error !== undefined) {
        failures.push({ home: leg.home, error })
        silent.add(community)
      } else if (answer !== undefined) heard.push({ from: community, answer })
      isStale = true
      void follow()
    },
    async over() {
      isOver = true
      // Whoever watches and fails has left, or is told by the answer.
      await unlessAborted(() => telling, call.signal).catch(() => undefined)
    },
  }
}

/**
 * Before whose word nothing is shown. Whoever looks behind what is hidden sees what comes. From citizens and those who stand
 * in for them only a producer hides (P98), which knows when they may be told: a document waits for it alone. Patients hide
 * from everybody else at whoever keeps their index (P99; and P97 from a parent; ini.md §4.5).
 */
function viewOf({ viewer }: Permit): 'at-once' | 'after-producer' | 'after-keeper' {
  const who = viewerOf(viewer)
  if (who === 'system') return 'at-once'
  return seesObscured(viewer) && who !== 'parent' ? 'after-producer' : 'after-keeper'
}

interface Awaited {
  readonly targets: readonly Community[]
  /** Of them those that are still to be heard. */
  readonly pending: ReadonlySet<Community>
}

function indexOf(
  shown: readonly Answered<QueryAnswer>[],
  { pending, targets }: Awaited,
  known: KnownPatient,
): IndexSoFar {
  const held = new Set<string>()
  if (pending.size > 0) {
    for (const { from, answer } of shown) {
      for (const entry of answer.entries) {
        if (vouching(entry, targets).some((one) => one !== from && pending.has(one))) held.add(entry.uniqueId)
      }
    }
  }
  const open = shown.map(({ from, answer }) => ({ from, answer: without(answer, held) }))
  const { entries, associations } = merge(open, known).answer
  return { entries, associations }
}

/** Whose word on hiding a document is: its producer's; where that is not asked, our record's and INI's. */
function vouching(entry: DocumentEntry, targets: readonly Community[]): readonly Community[] {
  const producers = targets.filter((one) => isProducer(one, entry))
  return producers.length > 0
    ? producers
    : targets.filter(({ relation }) => relation === 'own' || relation === 'national')
}

function isProducer({ home }: Community, entry: DocumentEntry): boolean {
  return entry.home === home || produced(home, entry)
}

/** Links are shown between documents that are. */
function without(answer: QueryAnswer, held: ReadonlySet<string>): QueryAnswer {
  const entries = answer.entries.filter(({ uniqueId }) => !held.has(uniqueId))
  const ids = new Set(entries.map(({ entryUuid }) => entryUuid))
  const associations = answer.associations.filter(({ source, target }) => ids.has(source) && ids.has(target))
  return { ...answer, entries, associations, submissionSets: [], folders: [], issues: [] }
}
