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
    const [first, ...others] = byWord(cluster) as [Told, ...Told[]]
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
  // The same object twice is what a registry tells that was asked once per identifier and knows both.
  const objects = new Map(
    entries.map((entry) => [`${entry.entryUuid} ${entry.version ?? ''} ${entry.uniqueId}`, entry]),
  )
  for (const entry of objects.values()) {
    const other = current.get(entry.uniqueId)
    if (other === undefined || isNewer(entry, other)) current.set(entry.uniqueId, entry)
  }
  return homed([...objects.values()], by.home).map((entry) => {
    const latest = current.get(entry.uniqueId)
    const now = latest?.entryUuid === entry.entryUuid && latest.version === entry.version
    const state = now ? 'current' : `${entry.version ?? ''} ${entry.status ?? ''} ${entry.hash ?? ''}`
    return { entry, by, rank: authorityOf(by, entry, known), state }
  })
}

function versionOf({ version }: DocumentEntry): number {
  const number = Number(version ?? '1')
  return Number.isFinite(number) ? number : 0
}

function isNewer(a: DocumentEntry, b: DocumentEntry): boolean {
  if (a.status !== b.status && (a.status === 'approved' || b.status === 'approved')) return a.status === 'approved'
  const versions = versionOf(a) - versionOf(b)
  return versions === 0 ? a.entryUuid < b.entryUuid : versions > 0
}

function clustersOf(told: readonly Told[]): Told[][] {
  const byId = new Map<string, Told[][]>()
  for (const one of [...told].sort(byEvidence)) {
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

/** Whoever tells a hash comes first, so that those who tell none always join the same document. */
function byEvidence(a: Told, b: Told): number {
  const silence = Number(a.entry.hash === undefined) - Number(b.entry.hash === undefined)
  return silence || byAuthority(a, b)
}

function byAuthority(a: Told, b: Told): number {
  return a.rank - b.rank || compare(a.by.home, b.by.home) || compare(a.entry.entryUuid, b.entry.entryUuid)
}

/** Versions compare only within one logical id: groups stand by their strongest voice, the highest version first in each. */
function byWord(cluster: readonly Told[]): Told[] {
  const groups = Map.groupBy([...cluster].sort(byAuthority), ({ by, entry }) => {
    return entry.logicalId ?? `${by.home} ${entry.entryUuid}`
  })
  return [...groups.values()].flatMap((group) => group.sort((a, b) => versionOf(b.entry) - versionOf(a.entry)))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function sourceOf({ by, entry }: Told): Source {
  return {
    home: by.home,
    entryUuid: entry.entryUuid,
    ...(entry.version === undefined ? {} : { version: entry.version }),
  }
}

/**
 * What is compared between sources, each as one text; what a source leaves out contradicts nobody. Nor does a document
 * that would be made when it is retrieved contradict the one that is registered: it is another of the same.
 */
const compared: Partial<Record<keyof DocumentEntry, (entry: DocumentEntry) => string | undefined>> = {
  status: ({ status }) => status,
  version: ({ version }) => version,
  mimeType: ({ mimeType }) => mimeType,
  repositoryUniqueId: ({ repositoryUniqueId }) => repositoryUniqueId,
  creationTime: ({ creationTime }) => creationTime,
  serviceStartTime: ({ serviceStartTime }) => serviceStartTime,
  serviceStopTime: ({ serviceStopTime }) => serviceStopTime,
  languageCode: ({ languageCode }) => languageCode,
  title: ({ title }) => title[0]?.value,
  typeCode: ({ typeCode }) => typeCode?.code,
  classCode: ({ classCode }) => classCode?.code,
  formatCode: ({ formatCode }) => formatCode?.code,
  practiceSettingCode: ({ practiceSettingCode }) => practiceSettingCode?.code,
  healthcareFacilityTypeCode: ({ healthcareFacilityTypeCode }) => healthcareFacilityTypeCode?.code,
  confidentialityCodes: ({ confidentialityCodes }) => unordered(confidentialityCodes.map(({ code }) => code)),
  eventCodes: ({ eventCodes }) => unordered(eventCodes.map(({ code }) => code)),
  authors: ({ authors }) => unordered(authors.flatMap(({ persons }) => persons)),
}

function unordered(values: readonly string[]): string | undefined {
  return values.length === 0 ? undefined : [...new Set(values)].sort().join(' ')
}

function differences(first: DocumentEntry, told: readonly DocumentEntry[]): (keyof DocumentEntry)[] {
  const others = told.filter(({ kind }) => kind === first.kind)
  if (others.length === 0) return []
  return (Object.entries(compared) as [keyof DocumentEntry, (entry: DocumentEntry) => string | undefined][])
    .filter(([, text]) => {
      const told = text(first)
      return others.some((other) => {
        const otherwise = text(other)
        return told !== undefined && otherwise !== undefined && told !== otherwise
      })
    })
    .map(([name]) => name)
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

/** By what each document was replaced: by association, or by logical id and version. */
export function successorsOf(
  entries: readonly MergedEntry[],
  associations: readonly Association[],
): ReadonlyMap<MergedEntry, MergedEntry> {
  const byUuid = new Map(entries.map((entry) => [entry.entryUuid, entry]))
  const successor = new Map<MergedEntry, MergedEntry>()
  for (const { type, source, target } of [...associations].sort(byEnds)) {
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
  return successor
}

/** Newest first; what was replaced stands right after what replaced it. */
function inOrder(entries: readonly MergedEntry[], associations: readonly Association[]): MergedEntry[] {
  const byAge = [...entries].sort(byTime)
  const successor = successorsOf(byAge, associations)
  const replaced = new Map<MergedEntry, MergedEntry[]>()
  for (const [older, newer] of successor) replaced.set(newer, [...(replaced.get(newer) ?? []), older])
  const ordered: MergedEntry[] = []
  const placed = new Set<MergedEntry>()
  const place = (newest: MergedEntry): void => {
    const waiting = [newest]
    for (let entry = waiting.pop(); entry !== undefined; entry = waiting.pop()) {
      if (placed.has(entry)) continue
      placed.add(entry)
      ordered.push(entry)
      waiting.push(...(replaced.get(entry) ?? []).sort(byTime).reverse())
    }
  }
  for (const entry of byAge) if (!successor.has(entry)) place(entry)
  // Peers may claim that two documents replace each other; nobody is lost over it.
  for (const entry of byAge) place(entry)
  return ordered
}

function byTime(a: MergedEntry, b: MergedEntry): number {
  const [x, y] = [timeOf(a), timeOf(b)]
  return (
    compare(y, x) ||
    compare(a.uniqueId, b.uniqueId) ||
    versionOf(b) - versionOf(a) ||
    compare(a.home ?? '', b.home ?? '') ||
    compare(a.entryUuid, b.entryUuid)
  )
}

function byEnds(a: Association, b: Association): number {
  return compare(a.target, b.target) || compare(a.source, b.source)
}

function timeOf({ creationTime }: DocumentEntry): string {
  return creationTime === undefined ? '' : startOf(creationTime)
}
