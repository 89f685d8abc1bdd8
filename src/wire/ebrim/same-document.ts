import { logicalIdOf, obscuredCode, versionOf, visibilityCodes } from '../../core/federation/overlay.ts'
import type { DocumentEntry } from '../../core/model/metadata.ts'
import { sameJson } from '../fhir/types.ts'

/** What a registry says of an entry by itself, and what only the wire looks into. */
const ofTheRegistry: ReadonlySet<string> = new Set(['entryUuid', 'logicalId', 'version', 'home', 'status', 'extra'])

/** Whether both entries say the same of a document, whatever ids and version each bears. */
export function sayTheSame(one: DocumentEntry, other: DocumentEntry): boolean {
  return sameJson(factsOf(one), factsOf(other))
}

function factsOf(entry: DocumentEntry): unknown {
  const own = Object.entries(entry).filter(([name]) => !ofTheRegistry.has(name))
  const slots = (entry.extra?.slots ?? []).map(({ name, values }) => ({ name, values }))
  slots.sort((a, b) => (a.name < b.name ? -1 : 1))
  const told = JSON.stringify({ ...Object.fromEntries(own), slots }, (name, value) =>
    name === 'extra' ? undefined : value,
  )
  return JSON.parse(told)
}

/** Whether both are entries of one document with one content: by its name, and by the digest of its bytes. */
export function haveSameContent(one: DocumentEntry, other: DocumentEntry): boolean {
  return one.uniqueId === other.uniqueId && one.hash === other.hash
}

/** The latest version of each entry, and of those the current ones, where there are any. */
export function latestOf(entries: readonly DocumentEntry[]): readonly DocumentEntry[] {
  const latest = new Map<string, DocumentEntry>()
  for (const entry of entries) {
    const before = latest.get(logicalIdOf(entry))
    if (before === undefined || versionOf(before) < versionOf(entry)) latest.set(logicalIdOf(entry), entry)
  }
  const current = [...latest.values()].filter(({ status }) => status !== 'deprecated')
  return current.length > 0 ? current : [...latest.values()]
}

/** Whether hiding is the one thing its visibility policy says: there is one at a time (#2153 in ini.md §4.5). */
export function isObscured({ eventCodes }: DocumentEntry): boolean {
  const policies = eventCodes.filter(({ code }) => visibilityCodes.has(code))
  return policies.length === 1 && policies[0]?.code === obscuredCode.code
}
