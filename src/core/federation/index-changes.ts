import type { MergedEntry } from '../model/answers.ts'
import { successorsOf } from './merge.ts'
import type { IndexSoFar } from './progressive.ts'

/** A document that was there before, and what is known of it now. */
export interface ChangedEntry {
  readonly before: MergedEntry
  readonly entry: MergedEntry
}

/** What became of an index from one moment to the next; every document is in one list at most. */
export interface IndexChanges {
  readonly added: readonly MergedEntry[]
  /** More, or others, tell of it now; whose word counts may be another. */
  readonly merged: readonly ChangedEntry[]
  /** Another document has replaced it, or it is no longer the one in force. */
  readonly superseded: readonly ChangedEntry[]
  /** Something else about it is told otherwise. */
  readonly altered: readonly ChangedEntry[]
  /** It may not be told any more. */
  readonly removed: readonly MergedEntry[]
}

/**
 * The changes from one state of an index to another. A document is the same as long as somebody told of it before and
 * still does: what is removed and comes back under a new entry is added.
 */
export function changesBetween(before: IndexSoFar, after: IndexSoFar): IndexChanges {
  const [was, is] = [stateOf(before), stateOf(after)]
  const left = new Set(before.entries)
  const changes = {
    added: [] as MergedEntry[],
    merged: [] as ChangedEntry[],
    superseded: [] as ChangedEntry[],
    altered: [] as ChangedEntry[],
  }
  for (const entry of after.entries) {
    const former = sourcesOf(entry)
      .map((source) => was.bySource.get(source))
      .find((one) => one !== undefined && left.has(one))
    if (former === undefined) {
      changes.added.push(entry)
      continue
    }
    left.delete(former)
    const change = { before: former, entry }
    if (sourcesOf(former).join() !== sourcesOf(entry).join()) changes.merged.push(change)
    else if (isSuperseded(entry, is) && !isSuperseded(former, was)) changes.superseded.push(change)
    else if (was.textOf(former) !== is.textOf(entry)) changes.altered.push(change)
  }
  return { ...changes, removed: [...left] }
}

type State = ReturnType<typeof stateOf>

function stateOf({ associations, entries }: IndexSoFar) {
  const successors = successorsOf(entries, associations)
  const predecessors = Map.groupBy(successors.keys(), (older) => successors.get(older))
  const bySource = new Map(entries.flatMap((entry) => sourcesOf(entry).map((source) => [source, entry] as const)))
  const nameOf = (entry: MergedEntry) => sourcesOf(entry)[0]
  const textOf = (entry: MergedEntry) => {
    const newer = successors.get(entry)
    return JSON.stringify([entry, newer && nameOf(newer), predecessors.get(entry)?.map(nameOf)])
  }
  return { bySource, successors, textOf }
}

function isSuperseded(entry: MergedEntry, { successors }: State): boolean {
  return successors.has(entry) || entry.status === 'deprecated'
}

function sourcesOf({ sources, uniqueId }: MergedEntry): readonly string[] {
  return sources.map(({ entryUuid, home, version }) => `${home} ${entryUuid} ${version ?? ''} ${uniqueId}`)
}
