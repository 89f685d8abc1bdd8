import type { CommunityIssue, MergedAnswer, MergedEntry, QueryAnswer, Source } from '../model/answers.ts'
import type { HomeCommunityId } from '../model/identifiers.ts'
import type { Association, DocumentEntry } from '../model/metadata.ts'
import { startOf } from '../model/timestamp.ts'
import { authorityOf } from '../policy/routing.ts'
import type { Community, KnownPatient } from '../ports.ts'

/** What communities differ about, for the operators' log. */
export interface Disagreement {
  readonly homes: readonly HomeCommunityId[]
  readonly what: readonly (keyof DocumentEntry)[]
}

export interface Merged {
  readonly answer: MergedAnswer
  readonly disagreements: readonly Disagreement[]
}

interface Told {
  readonly entry: DocumentEntry
  readonly by: Community
  readonly rank: number
  /** `current`, or the version of an older state the same community also told of. */
  readonly state: string
}

/**
 * One index out of many answers. The same document (unique id, with nothing in hash or size against it) appears once;
 * of what is said about it the higher metadata version counts, then the word of the stronger authority
 * (`authorityOf`). Where hash or size contradict, there are two documents and both are shown. Every difference that was
 * decided is told as a warning.
 */
export function merge(
  answers: readonly { readonly from: Community; readonly answer: QueryAnswer }[],
  known: KnownPatient,
): Merged {
  const told = answers.flatMap(({ from, answer }) => toldBy(from, answer.entries, known))
  const clusters = clustersOf(told)
  const disagreements: Disagreement[] = []
  const warnings: CommunityIssue[] = []
  const canonical = new Map<string, string>()
  const merged = clusters.map((cluster) => {
    const [first, ...others] = [...cluster].sort(byWord) as [Told, ...Told[]]
    for (const { by, entry } of cluster) canonical.set(`${by.home} ${entry.entryUuid}`, first.entry.entryUuid)
    const what = differences(
      first.entry,
      others.map(({ entry }) => entry),
    )
    if (what.length > 0) {
      disagreements.push({ homes: cluster.map(({ by }) => by.home), what })
      warnings.push(decided(first, what))
    }
    return { ...first.entry, sources: [first, ...others].map(sourceOf) } satisfies MergedEntry
  })
  for (const conflict of conflictsOf(clusters)) {
    disagreements.push({ homes: conflict.map(({ by }) => by.home), what: ['hash', 'size'] })
    warnings.push(...conflict.slice(0, 1).map(contradicted))
  }
  const associations = relinked(answers, canonical)
  return {
    answer: {
      entries: inOrder(merged, associations),
      submissionSets: answers.flatMap(({ from, answer }) => homed(answer.submissionSets, from.home)),
      folders: answers.flatMap(({ from, answer }) => homed(answer.folders, from.home)),
      associations,
      issues: [
        ...answers.flatMap(({ from, answer }) => answer.issues.map((issue) => ({ ...issue, home: from.home }))),
        ...warnings,
      ],
    },
    disagreements,
  }
}

function homed<T extends { readonly home?: HomeCommunityId }>(objects: readonly T[], home: HomeCommunityId): T[] {
  return objects.map((object) => (object.home === undefined ? { ...object, home } : object))
}

function toldBy(by: Community, entries: readonly DocumentEntry[], known: KnownPatient): Told[] {
  const current = new Map<string, DocumentEntry>()
  for (const entry of entries) {
    const other = current.get(entry.uniqueId)
    if (other === undefined || isNewer(entry, other)) current.set(entry.uniqueId, entry)
  }
  return homed(entries, by.home).map((entry) => {
    const now = current.get(entry.uniqueId)?.entryUuid === entry.entryUuid
    const state = now ? 'current' : `${entry.version ?? ''} ${entry.status ?? ''} ${entry.hash ?? ''}`
    return { entry, by, rank: authorityOf(by, entry, known), state }
  })
}

function versionOf({ version }: DocumentEntry): number {
  const number = Number(version ?? '1')
  return Number.isFinite(number) ? number : 0
}

function isNewer(a: DocumentEntry, b: DocumentEntry): boolean {
  if (a.status !== b.status) return a.status === 'approved'
  return versionOf(a) > versionOf(b)
}

function clustersOf(told: readonly Told[]): Told[][] {
  const byId = new Map<string, Told[][]>()
  for (const one of told) {
    const key = `${one.entry.uniqueId} ${one.state}`
    const clusters = byId.get(key) ?? []
    byId.set(key, clusters)
    const fit = clusters.find((cluster) => cluster.every((other) => maybeSame(one, other)))
    if (fit === undefined) clusters.push([one])
    else fit.push(one)
  }
  return [...byId.values()].flat()
}

function maybeSame(a: Told, b: Told): boolean {
  const agree = <T>(x: T | undefined, y: T | undefined) => x === undefined || y === undefined || x === y
  return agree(a.entry.hash, b.entry.hash) && agree(a.entry.size, b.entry.size)
}

function byWord(a: Told, b: Told): number {
  const sameObject = a.entry.logicalId !== undefined && a.entry.logicalId === b.entry.logicalId
  const versions = sameObject ? versionOf(b.entry) - versionOf(a.entry) : 0
  return versions || a.rank - b.rank || (a.by.home < b.by.home ? -1 : a.by.home > b.by.home ? 1 : 0)
}

function sourceOf({ by, entry }: Told): Source {
  return {
    home: by.home,
    entryUuid: entry.entryUuid,
    ...(entry.version === undefined ? {} : { version: entry.version }),
  }
}

const compared = ['status', 'mimeType', 'creationTime', 'repositoryUniqueId', 'version'] as const
const comparedCodes = ['typeCode', 'classCode', 'formatCode'] as const

function differences(first: DocumentEntry, others: readonly DocumentEntry[]): (keyof DocumentEntry)[] {
  const differs = (a: unknown, b: unknown) => a !== undefined && b !== undefined && a !== b
  return [
    ...compared.filter((name) => others.some((other) => differs(first[name], other[name]))),
    ...comparedCodes.filter((name) => others.some((other) => differs(first[name]?.code, other[name]?.code))),
  ]
}

function decided({ by, entry }: Told, what: readonly string[]): CommunityIssue {
  const text = `Communities differ about ${what.join(', ')} of document ${entry.uniqueId}; the word of ${by.name} is shown`
  return { severity: 'warning', code: 'XDSRegistryMetadataError', text, location: by.home, home: by.home }
}

function contradicted({ by, entry }: Told): CommunityIssue {
  const text = `Communities tell of different documents under the id ${entry.uniqueId}; all are shown`
  return { severity: 'warning', code: 'XDSRegistryMetadataError', text, location: by.home, home: by.home }
}

function conflictsOf(clusters: readonly Told[][]): Told[][] {
  const current = new Map<string, Told[]>()
  for (const cluster of clusters) {
    const [first] = cluster
    if (first === undefined || first.state !== 'current') continue
    current.set(first.entry.uniqueId, [...(current.get(first.entry.uniqueId) ?? []), first])
  }
  return [...current.values()].filter((told) => told.length > 1)
}

function relinked(
  answers: readonly { readonly from: Community; readonly answer: QueryAnswer }[],
  canonical: ReadonlyMap<string, string>,
): Association[] {
  const seen = new Map<string, Association>()
  for (const { from, answer } of answers) {
    for (const link of homed(answer.associations, from.home)) {
      const source = canonical.get(`${from.home} ${link.source}`) ?? link.source
      const target = canonical.get(`${from.home} ${link.target}`) ?? link.target
      const key = `${link.type} ${source} ${target}`
      if (!seen.has(key)) seen.set(key, { ...link, source, target })
    }
  }
  return [...seen.values()]
}

const replacing: ReadonlySet<string> = new Set(['replaces', 'transforms-and-replaces'])

/** Newest first; what was replaced stands right after what replaced it, by association or by logical id and version. */
function inOrder(entries: readonly MergedEntry[], associations: readonly Association[]): MergedEntry[] {
  const byUuid = new Map(entries.map((entry) => [entry.entryUuid, entry]))
  const successor = new Map<MergedEntry, MergedEntry>()
  for (const { type, source, target } of associations) {
    const [newer, older] = [byUuid.get(source), byUuid.get(target)]
    if (replacing.has(type) && newer !== undefined && older !== undefined && newer !== older)
      successor.set(older, newer)
  }
  for (const versions of Map.groupBy(entries, ({ logicalId, entryUuid }) => logicalId ?? entryUuid).values()) {
    const ordered = [...versions].sort((a, b) => versionOf(b) - versionOf(a))
    ordered.forEach((older, index) => {
      const newer = ordered[index - 1]
      if (newer !== undefined && !successor.has(older)) successor.set(older, newer)
    })
  }
  const replaced = new Map<MergedEntry, MergedEntry[]>()
  for (const [older, newer] of successor) replaced.set(newer, [...(replaced.get(newer) ?? []), older])
  const ordered: MergedEntry[] = []
  const placed = new Set<MergedEntry>()
  const place = (entry: MergedEntry): void => {
    if (placed.has(entry)) return
    placed.add(entry)
    ordered.push(entry)
    for (const older of (replaced.get(entry) ?? []).sort(byTime)) place(older)
  }
  for (const entry of entries.filter((one) => !successor.has(one)).sort(byTime)) place(entry)
  // Peers may claim that two documents replace each other; nobody is lost over it.
  for (const entry of [...entries].sort(byTime)) place(entry)
  return ordered
}

function byTime(a: MergedEntry, b: MergedEntry): number {
  const [x, y] = [timeOf(a), timeOf(b)]
  return x === y ? (a.uniqueId < b.uniqueId ? -1 : a.uniqueId > b.uniqueId ? 1 : 0) : x < y ? 1 : -1
}

function timeOf({ creationTime }: DocumentEntry): string {
  return creationTime === undefined ? '' : startOf(creationTime)
}
