import { asGatewayError, GatewayError } from '../errors.ts'
import { nothingFound } from '../model/answers.ts'
import type { AuthorizedCall } from '../model/call.ts'
import type { MetadataChange } from '../model/change.ts'
import type { DocumentEntry } from '../model/metadata.ts'
import type { GetDocuments } from '../model/stored-query.ts'
import {
  citedOrders,
  following,
  hiddenByChain,
  isBoundByChain,
  type Order,
  ordersOf,
  prescribedOrders,
  prescriptionIds,
} from '../policy/hiding-chain.ts'
import type { IsAuthor } from '../policy/visibility.ts'
import type { Clock, Community, KnownPatient } from '../ports.ts'
import { lateness, unlessAborted } from './fan-out.ts'
import { chunksOf, mostIds, naming, toldInFull } from './lookup.ts'
import { overlaid } from './overlay.ts'
import { entriesIn } from './pushed.ts'

/** What one community told of, in the answer and beside it. */
export interface ToldEntries {
  readonly from: Community
  readonly entries: readonly DocumentEntry[]
}

/** What following the chain of hiding needs. */
export interface OrderParts {
  readonly isAuthor: IsAuthor
  readonly clock: Clock
  /** Where the indexes of persons are: also communities that the question itself did not go to. */
  readonly communities: readonly Community[]
  /** Told when prescriptions cannot be had: what cites them is not shown. */
  readonly onOrdersUnknown?: (call: AuthorizedCall, community: Community, error: GatewayError) => void
  /** What was looked up before in the same exchange is not asked for again. */
  readonly lookedUp?: LookedUpOrders
  /** Who is known to be silent, and is not asked: what cites their prescriptions is hidden. */
  readonly silent?: ReadonlySet<Community>
}

/** Orders whose prescriptions were looked up, and what their keepers told; good until more is pushed about the person. */
export type LookedUpOrders = Map<
  Community,
  { readonly orders: Set<Order>; readonly prescriptions: Map<string, DocumentEntry> }
>

/** Whom the question is about, and what was pushed about them and is not in the record yet. */
export interface About {
  readonly known: KnownPatient
  readonly changes: readonly MetadataChange[]
}

/** What is hidden beyond what says so itself. */
export interface HiddenBesides {
  /** Unique ids. */
  readonly ids: ReadonlySet<string>
  /** Whether anybody was asked: time has passed meanwhile. */
  readonly asked: boolean
}

/**
 * Unique ids of entries that the chain of hiding hides from the caller, beyond those hidden by themselves. A prescription
 * that is cited and that the keeper of the person's index did not tell of by itself is asked for there, by its unique id;
 * whoever cites one that cannot be had is hidden too. Asks nobody for callers to whom obscured documents are shown, nor
 * for what is hidden anyway. Rejects only with `caller-gone`.
 */
export async function hiddenByOrders(
  told: readonly ToldEntries[],
  hidden: ReadonlySet<string>,
  about: About,
  call: AuthorizedCall,
  parts: OrderParts,
): Promise<HiddenBesides> {
  const { permit } = call
  if (!isBoundByChain(permit)) return { ids: new Set(), asked: false }
  const entries = told.flatMap((one) => one.entries)
  const pushed = entriesIn(about.changes)
  const atHand = hiddenByChain(entries, pushed, permit, parts.isAuthor)
  const isOpen = (entry: DocumentEntry) => {
    return !hidden.has(entry.uniqueId) && !atHand.has(entry.uniqueId) && !parts.isAuthor(entry, permit.viewer.subject)
  }
  const questions = questionsFor(told, isOpen, about.known, parts.communities)
  const looked = await Promise.all(
    [...questions].map(([keeper, orders]) => lookedUp(keeper, orders, about, call, parts)),
  )
  if (call.signal.aborted) throw new GatewayError('caller-gone', 'The caller left before the answer')
  const found = looked.flatMap(({ prescriptions }) => prescriptions)
  const unknown = new Set(looked.flatMap(({ missing }) => missing))
  const ids = new Set([
    ...hiddenByChain(entries, [...pushed, ...found], permit, parts.isAuthor),
    ...following(entries.filter(isOpen), unknown, permit, parts.isAuthor),
  ])
  return { ids, asked: questions.size > 0 }
}

/**
 * Which orders each keeper of an index is to be asked about: those it did not decide by telling of the prescription. Of
 * prescriptions told by a supplement, too: it has not heard of what is hidden, and the keeper may have been asked for other
 * documents, or was silent.
 */
function questionsFor(
  told: readonly ToldEntries[],
  isOpen: (entry: DocumentEntry) => boolean,
  known: KnownPatient,
  communities: readonly Community[],
): ReadonlyMap<Community, ReadonlySet<Order>> {
  const decided = new Map<Community, ReadonlySet<Order>>()
  for (const { from, entries } of told) decided.set(from, prescribedOrders(entries))
  const open = new Map<Community, Set<Order>>()
  for (const { from, entries } of told) {
    const keeper = keeperOf(known, communities) ?? from
    const doubtful = entries.filter(isOpen)
    const prescribed = from.relation === 'supplement' ? prescribedOrders(doubtful) : []
    for (const order of new Set([...citedOrders(doubtful), ...prescribed])) {
      if (decided.get(keeper)?.has(order)) continue
      const orders = open.get(keeper) ?? new Set()
      open.set(keeper, orders.add(order))
    }
  }
  return open
}

/**
 * Who keeps the person's one index: the region of assistance, or who speaks for it; our own community where that is not
 * known (architecture: routing). Undefined when it is nobody here.
 */
export function keeperOf({ assistedBy }: KnownPatient, communities: readonly Community[]): Community | undefined {
  const asked = communities.filter(({ registry }) => registry !== undefined)
  if (assistedBy === undefined) return asked.find(({ relation }) => relation === 'own')
  return asked.find(({ home }) => home === assistedBy) ?? asked.find(({ relation }) => relation === 'national')
}

interface Looked {
  readonly prescriptions: readonly DocumentEntry[]
  /** Orders whose prescriptions could not be asked for. */
  readonly missing: readonly Order[]
}

async function lookedUp(
  keeper: Community,
  orders: ReadonlySet<Order>,
  about: About,
  call: AuthorizedCall,
  parts: OrderParts,
): Promise<Looked> {
  if (parts.silent?.has(keeper)) return { prescriptions: [], missing: [...orders] }
  const signal = AbortSignal.any([call.signal, lateness(call, parts.clock)])
  const before = parts.lookedUp?.get(keeper) ?? { orders: new Set<Order>(), prescriptions: new Map() }
  parts.lookedUp?.set(keeper, before)
  const all = [...orders].filter((order) => !before.orders.has(order))
  const perQuestion = mostIds / prescriptionIds('').length
  const missing: Order[] = []
  // One after the other: a long record must not take every place its keeper has.
  for (const some of chunksOf(all, perQuestion)) {
    try {
      const answer = await unlessAborted(
        () => toldInFull(keeper, questionAbout(keeper, some), { ...call, signal }),
        signal,
      )
      for (const entry of answer.entries) before.prescriptions.set(entry.entryUuid, entry)
      for (const order of some) before.orders.add(order)
    } catch (thrown) {
      missing.push(...some)
      if (!call.signal.aborted) parts.onOrdersUnknown?.(call, keeper, asGatewayError(thrown))
    }
  }
  const answer = { ...nothingFound, entries: [...before.prescriptions.values()] }
  const { changes, known } = about
  const { entries } =
    keeper.relation === 'own' ? overlaid(questionAbout(keeper, [...orders]), answer, changes, known.patient) : answer
  return { prescriptions: entries.filter((entry) => ordersOf(entry).prescribed.length > 0), missing }
}

function questionAbout(keeper: Community, orders: readonly Order[]): GetDocuments {
  return naming(keeper, orders.flatMap(prescriptionIds))
}
