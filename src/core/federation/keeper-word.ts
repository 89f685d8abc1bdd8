import { asGatewayError, GatewayError } from '../errors.ts'
import { nothingFound } from '../model/answers.ts'
import type { AuthorizedCall } from '../model/call.ts'
import type { DocumentEntry } from '../model/metadata.ts'
import type { StoredQuery } from '../model/stored-query.ts'
import { viewerOf } from '../policy/visibility.ts'
import type { Community } from '../ports.ts'
import { lateness, unlessAborted } from './fan-out.ts'
import { chunksOf, mostIds, naming, toldInFull } from './lookup.ts'
import { type About, type HiddenBesides, keeperOf, type OrderParts, type ToldEntries } from './orders.ts'
import { overlaid } from './overlay.ts'
import { hiddenIds } from './withhold.ts'

/** What a keeper told of documents it was asked about; undefined while it has not been asked. */
export type KeeperWord = Map<string, readonly DocumentEntry[]>

export interface KeeperParts extends Pick<OrderParts, 'isAuthor' | 'clock' | 'communities' | 'silent'> {
  readonly query: StoredQuery
  /** Who is asked the question itself. */
  readonly targets: readonly Community[]
  /** What was heard before in the same exchange is not asked for again. */
  readonly word: KeeperWord
}

/**
 * Unique ids of documents that our record hides, where it keeps the person's index and the question did not make it say so:
 * because others alone were asked, or for documents with certain marks. It is then asked about each that others told of. INI
 * tells nobody of what it hides, so that it cannot be asked. While our record is silent, the word of those who answer counts,
 * as in any other answer. Rejects only with `caller-gone`.
 */
export async function hiddenByKeeper(
  told: readonly ToldEntries[],
  hidden: ReadonlySet<string>,
  { changes, known }: About,
  call: AuthorizedCall,
  { query, targets, word, ...parts }: KeeperParts,
): Promise<HiddenBesides> {
  const nothing = { ids: new Set<string>(), asked: false }
  const keeper = keeperOf(known, parts.communities)
  if (keeper?.relation !== 'own' || viewerOf(call.permit.viewer) === 'system' || parts.silent?.has(keeper))
    return nothing
  if (targets.includes(keeper) && !namesMarks(query)) return nothing
  const heard = new Set(told.flatMap(({ entries, from }) => (from === keeper ? entries.map(idOf) : [])))
  const others = told.flatMap(({ entries, from }) => (from === keeper ? [] : entries.map(idOf)))
  const ids = [...new Set(others)].filter((id) => !heard.has(id) && !hidden.has(id))
  if (ids.length === 0) return nothing
  const asked = await askedAbout(
    ids.filter((id) => !word.has(id)),
    keeper,
    word,
    call,
    parts,
  )
  const answer = { ...nothingFound, entries: ids.flatMap((id) => word.get(id) ?? []) }
  const { entries } = overlaid(naming(keeper, ids), answer, changes, known.patient)
  return { ids: hiddenIds(entries, call.permit, parts.isAuthor), asked }
}

function idOf({ uniqueId }: DocumentEntry): string {
  return uniqueId
}

/** Whether a document that is marked as hidden may be left out of the answer for its marks. */
function namesMarks(query: StoredQuery): boolean {
  if (!('filter' in query)) return false
  const { filter } = query
  return filter.confidentialityCodes !== undefined || ('eventCodes' in filter && filter.eventCodes !== undefined)
}

/** Whether anybody was asked. One question after the other: a long record must not take every place our record has. */
async function askedAbout(
  ids: readonly string[],
  keeper: Community,
  word: KeeperWord,
  call: AuthorizedCall,
  { clock }: Pick<KeeperParts, 'clock'>,
): Promise<boolean> {
  const signal = AbortSignal.any([call.signal, lateness(call, clock)])
  const open = [...chunksOf(ids, mostIds)]
  for (let some = open.shift(); some !== undefined; some = open.shift()) {
    const question = naming(keeper, some)
    const answer = await unlessAborted(() => toldInFull(keeper, question, { ...call, signal }), signal).catch(
      asGatewayError,
    )
    if (call.signal.aborted) throw new GatewayError('caller-gone', 'The caller left before the answer')
    if (!(answer instanceof GatewayError)) {
      const found = Map.groupBy(answer.entries, idOf)
      for (const id of some) word.set(id, found.get(id) ?? [])
    } else if (answer.code === 'community-rejected' && some.length > 1) {
      // A registry may refuse a whole question for one id of somebody else's: that must not uncover the others.
      open.unshift(...chunksOf(some, Math.ceil(some.length / 2)))
    }
  }
  return ids.length > 0
}
