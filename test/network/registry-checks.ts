import { randomUUID } from 'node:crypto'
import { type Association, associationType, cx, type Entry, type Holdings } from './entry.ts'
import { RegistryProblem } from './stored-query.ts'
import { isUuid } from './submission-read.ts'

/** By IHE's names, or by those of the Italian registries where they have some (ini.md §6.1). */
export type ErrorNames = 'ihe' | 'national'

const problems = {
  member: {
    ihe: ['XDSRegistryMetadataError', 'A document is no member of the submission set'],
    national: ['R153', 'Missing association with SubmissionSet'],
  },
  version: {
    ihe: ['XDSMetadataVersionError', 'PreviousVersion is not the version that is current'],
    national: ['R221', 'The version number included in the update request did not match the existing object'],
  },
  duplicate: {
    ihe: ['XDSDuplicateUniqueIdInRegistry', 'The registry knows the uniqueId already'],
    national: ['R224', 'DocumentEntry already saved in a previous communication'],
  },
} as const

/** What is put together is about several people. */
export function mismatch(): RegistryProblem {
  return new RegistryProblem('XDSPatientIdDoesNotMatch', 'What is put together is about different patients')
}

/** Something is named that is not there. */
export function unresolved(what: string): RegistryProblem {
  return new RegistryProblem('UnresolvedReferenceException', `The ${what} is not known here`)
}

/** The ids of objects. */
export function ofId(objects: readonly { readonly entryUuid: string }[]): ReadonlySet<string> {
  return new Set(objects.map(({ entryUuid }) => entryUuid))
}

/** The same, superseded. */
export function deprecated(entry: Entry): Entry {
  return { ...entry, status: 'Deprecated' }
}

/** Ids of one's own that are UUIDs are kept, and must be new; symbolic ones become UUIDs (ITI TF-3: 4.2.1.4). */
export function checkNew({ entries, submissionSets, folders, associations }: Holdings, current: Holdings): void {
  const known = ofId([...current.entries, ...current.submissionSets, ...current.folders, ...current.associations])
  if ([...entries, ...submissionSets, ...folders, ...associations].some(({ entryUuid }) => known.has(entryUuid))) {
    throw new RegistryProblem('XDSRegistryMetadataError', 'An object is submitted under an id that another has')
  }
}

/** Ids under which what was submitted is kept. */
export function naming(submission: Holdings): (id: string) => string {
  const own = [...submission.entries, ...submission.submissionSets, ...submission.folders, ...submission.associations]
  const names = new Map(
    own.flatMap(({ entryUuid }) => (isUuid(entryUuid) ? [] : [[entryUuid, `urn:uuid:${randomUUID()}`] as const])),
  )
  return (id) => names.get(id) ?? id
}

/** An association between what these ids have become. */
export function renamed(one: Association, named: (id: string) => string): Association {
  return { ...one, entryUuid: named(one.entryUuid), source: named(one.source), target: named(one.target) }
}

/** Who replaces a document takes its place in its folders (ITI TF-2: 3.42.4.1.3.3). */
export function inherited(
  associations: readonly Association[],
  { folders, associations: known }: Holdings,
): Association[] {
  return associations
    .filter(({ type }) => type === associationType.replaces)
    .flatMap(({ source, target }) =>
      known
        .filter((one) => one.target === target && folders.some(({ entryUuid }) => entryUuid === one.source))
        .map((one) => ({ ...one, entryUuid: `urn:uuid:${randomUUID()}`, target: source })),
    )
}

/** One document has one entry: whoever registers it again is told so, or that it is another one under its name. */
export function checkUniqueId(
  entry: Entry,
  { entries }: Holdings,
  problem: (what: 'duplicate') => RegistryProblem,
): void {
  const same = entries.find(({ uniqueId }) => uniqueId === entry.uniqueId)
  if (same === undefined) return
  if (same.hash !== entry.hash) throw new RegistryProblem('XDSNonIdenticalHash', 'The uniqueId is of another document')
  if (same.size !== entry.size) throw new RegistryProblem('XDSNonIdenticalSize', 'The uniqueId is of another document')
  throw problem('duplicate')
}

/** The version an update is made from, which must be current. Throws RegistryProblem. */
export function latestOf({ logicalId, entryUuid }: Entry, { entries }: Holdings): Entry {
  if (logicalId === '' || logicalId === entryUuid) {
    throw new RegistryProblem('XDSMetadataIdentifierError', 'An update has a logical id, which is not its own id')
  }
  const versions = entries.filter((other) => other.logicalId === logicalId)
  const [latest] = versions.toSorted((one, other) => Number(other.version) - Number(one.version))
  if (latest === undefined) throw unresolved('logical id')
  if (latest.status !== 'Approved') {
    throw new RegistryProblem('XDSMetadataUpdateError', 'A document that was replaced is not updated')
  }
  return latest
}

/** Metadata may change; which document they are about, and about whom, may not (ITI TF-2: 3.57.4.1.3.3). */
export function checkSame(entry: Entry, latest: Entry): void {
  if (cx(entry.patient) !== cx(latest.patient)) {
    throw new RegistryProblem('XDSPatientIDReconciliationError', 'The patient of a document does not change')
  }
  const same = (['uniqueId', 'repositoryUniqueId', 'hash', 'size', 'mimeType'] as const).every(
    (name) => entry[name] === latest[name],
  )
  if (!same) throw new RegistryProblem('XDSMetadataUpdateError', 'An update is about the same document')
}

/** What is wrong with a change, by the name the registry has for it. */
export function namedProblem(what: keyof typeof problems, names: ErrorNames): RegistryProblem {
  const [code, text] = problems[what][names]
  return new RegistryProblem(code, text)
}
