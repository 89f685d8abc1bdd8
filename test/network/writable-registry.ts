import { randomUUID } from 'node:crypto'
import { citizenOf } from './citizens.ts'
import {
  type Association,
  associationType,
  cx,
  type Entry,
  type Folder,
  type Holdings,
  type SubmissionSet,
} from './entry.ts'
import { type Registered, type RegisteredLog, registeredLog } from './registered.ts'
import {
  checkNew,
  checkSame,
  checkUniqueId,
  deprecated,
  type ErrorNames,
  inherited,
  latestOf,
  mismatch,
  namedProblem,
  naming,
  ofId,
  renamed,
  unresolved,
} from './registry-checks.ts'
import type { Clock } from './server.ts'
import { RegistryProblem } from './stored-query.ts'
import { isUuid } from './submission-read.ts'

/** A registry that can be changed. Each change happens whole or, with RegistryProblem, not at all. */
export interface WritableRegistry {
  /** What is known now, however often it is looked at. */
  readonly holdings: Holdings
  readonly registered: RegisteredLog
  /** ITI-42: new documents, and which they replace. */
  register(submission: Holdings, by?: Registered['by']): readonly Entry[]
  /** ITI-57: new versions of what is known; the former ones are kept, deprecated. */
  update(submission: Holdings, by?: Registered['by']): readonly Entry[]
  /** ITI-62: objects and all associations with them, which nobody has to name (ini.md §7.1). */
  remove(ids: readonly string[], by?: Registered['by']): readonly Entry[]
  /**
   * What a document is in its own resource, new or not: FHIR's way. What it was is kept, deprecated: under the entryUUID it
   * had where it gets another, else under a new one. Throws RegistryProblem for what cannot be the same document.
   */
  put(entry: Entry, set: SubmissionSet, known?: KnownResource): Entry
  /** Several changes that happen together or, when one throws, not at all. `pretending`, not at all in any case. */
  together<T>(changes: () => T, pretending?: boolean): T
}

/** The resource that is put anew. */
export interface KnownResource {
  /** The entryUUID it has until now. */
  readonly of: string
  readonly resource: Exclude<Entry['fhir'], 'history' | undefined>
}

export interface WritableRegistryOptions {
  readonly clock: Clock
  readonly errorNames?: ErrorNames
}

/** The initial holdings are left alone. */
export function writableRegistry(initial: Holdings, options: WritableRegistryOptions): WritableRegistry {
  const { clock, errorNames = 'ihe' } = options
  const registered = registeredLog()
  let current = initial
  let unspoken: Registered[] | undefined

  const holdings: Holdings = {
    get entries() {
      return current.entries
    },
    get submissionSets() {
      return current.submissionSets
    },
    get folders() {
      return current.folders
    },
    get associations() {
      return current.associations
    },
  }
  const problem = (what: 'member' | 'version' | 'duplicate') => namedProblem(what, errorNames)
  const become = (
    next: Holdings,
    by: Registered['by'],
    changed: readonly (readonly [Entry, Registered['change']])[],
  ) => {
    current = next
    const told = changed.map(([entry, change]): Registered => {
      const { entryUuid, uniqueId, version } = entry
      return { at: clock.now(), by, change, entryUuid, uniqueId, version, entry }
    })
    if (unspoken === undefined) registered.add(told)
    else unspoken.push(...told)
  }
  /** The one submission set, everything in it a member of it and about one patient whom somebody knows. */
  const checkWhole = ({ submissionSets, entries, folders, associations }: Holdings): SubmissionSet => {
    const [set, ...more] = submissionSets
    if (set === undefined || more.length > 0) {
      throw new RegistryProblem('XDSRegistryMetadataError', 'A submission has one submission set')
    }
    const members = associations.filter(
      ({ type, source }) => type === associationType.hasMember && source === set.entryUuid,
    )
    for (const { entryUuid } of [...entries, ...folders]) {
      if (!members.some(({ target }) => target === entryUuid)) throw problem('member')
    }
    if (entries.some(({ entryUuid }) => members.some((one) => one.target === entryUuid && !one.submissionSetStatus))) {
      throw new RegistryProblem('XDSRegistryMetadataError', 'A membership does not say SubmissionSetStatus Original')
    }
    if ([...entries, ...folders].some(({ patient }) => cx(patient) !== cx(set.patient))) throw mismatch()
    if (citizenOf(set.patient) === undefined) {
      throw new RegistryProblem('XDSUnknownPatientId', 'Nobody is known under the identifier of the patient')
    }
    return set
  }

  function register(submission: Holdings, by: Registered['by'] = 'ITI-42'): readonly Entry[] {
    const set = checkWhole(submission)
    const known = ofId([...current.entries, ...current.submissionSets, ...current.folders])
    const packages = [...current.submissionSets, ...current.folders]
    const again = [set, ...submission.folders].some(({ uniqueId }) => packages.some((one) => one.uniqueId === uniqueId))
    if (again) throw problem('duplicate')
    for (const entry of submission.entries) checkUniqueId(entry, current, problem)
    checkNew(submission, current)
    const own = ofId([...submission.entries, ...submission.submissionSets, ...submission.folders])
    const replaced = new Map<string, Entry>()
    for (const { type, source, target } of submission.associations) {
      if (!own.has(source) && !known.has(source)) throw unresolved('source')
      if (!own.has(target) && !known.has(target)) throw unresolved('target')
      if (type === associationType.hasMember) continue
      const older = current.entries.find(({ entryUuid }) => entryUuid === target)
      if (older === undefined || own.has(target)) throw unresolved('target')
      if (older.status !== 'Approved') {
        throw new RegistryProblem('XDSRegistryDeprecatedDocumentError', 'What is replaced, or added to, is deprecated')
      }
      if (cx(older.patient) !== cx(set.patient)) throw mismatch()
      if (type === associationType.replaces) replaced.set(older.entryUuid, older)
    }
    const named = naming(submission)
    const entries = submission.entries.map((entry): Entry => {
      const entryUuid = named(entry.entryUuid)
      const logicalId = isUuid(entry.logicalId) ? entry.logicalId : entryUuid
      return { ...entry, entryUuid, logicalId, version: '1', status: 'Approved' }
    })
    const associations = submission.associations.map((one) => renamed(one, named))
    become(
      {
        entries: [
          ...current.entries.map((entry) => (replaced.has(entry.entryUuid) ? deprecated(entry) : entry)),
          ...entries,
        ],
        submissionSets: [...current.submissionSets, { ...set, entryUuid: named(set.entryUuid) }],
        folders: [
          ...current.folders,
          ...submission.folders.map((one): Folder => ({ ...one, entryUuid: named(one.entryUuid) })),
        ],
        associations: [...current.associations, ...associations, ...inherited(associations, current)],
      },
      by,
      entries.map((entry) => {
        const replaces = associations.some(
          ({ type, source }) => type === associationType.replaces && source === entry.entryUuid,
        )
        return [entry, replaces ? 'replace' : 'create'] as const
      }),
    )
    return entries
  }

  function update(submission: Holdings, by: Registered['by'] = 'ITI-57'): readonly Entry[] {
    const set = checkWhole(submission)
    if (
      submission.folders.length > 0 ||
      submission.associations.some(({ type }) => type !== associationType.hasMember)
    ) {
      throw new RegistryProblem('XDSMetadataUpdateOperationError', 'Only entries can be updated here')
    }
    if (current.submissionSets.some(({ uniqueId }) => uniqueId === set.uniqueId)) throw problem('duplicate')
    checkNew(submission, current)
    const former = new Map<string, Entry>()
    const named = naming(submission)
    const entries = submission.entries.map((entry): Entry => {
      const latest = latestOf(entry, current)
      const member = submission.associations.find(({ target }) => target === entry.entryUuid)
      if (member?.previousVersion !== latest.version) throw problem('version')
      checkSame(entry, latest)
      former.set(latest.entryUuid, latest)
      const version = String(Number(latest.version) + 1)
      return { ...entry, entryUuid: named(entry.entryUuid), logicalId: latest.logicalId, version, status: 'Approved' }
    })
    become(
      {
        ...current,
        entries: [
          ...current.entries.map((entry) => (former.has(entry.entryUuid) ? deprecated(entry) : entry)),
          ...entries,
        ],
        submissionSets: [...current.submissionSets, { ...set, entryUuid: named(set.entryUuid) }],
        associations: [...current.associations, ...submission.associations.map((one) => renamed(one, named))],
      },
      by,
      entries.map((entry) => [entry, 'update'] as const),
    )
    return entries
  }

  function remove(ids: readonly string[], by: Registered['by'] = 'ITI-62'): readonly Entry[] {
    const all = ofId([...current.entries, ...current.submissionSets, ...current.folders, ...current.associations])
    if (ids.some((id) => !all.has(id))) throw unresolved('object')
    const gone = new Set(ids)
    const reaches = ({ entryUuid, source, target }: Association): boolean =>
      gone.has(entryUuid) || gone.has(source) || gone.has(target)
    // A submission of which nothing is left is left to nobody.
    for (const { entryUuid } of current.submissionSets) {
      const members = current.associations.filter(({ source }) => source === entryUuid)
      if (members.length > 0 && members.every(reaches)) gone.add(entryUuid)
    }
    const removed = current.entries.filter(({ entryUuid }) => gone.has(entryUuid))
    const left = <T extends { readonly entryUuid: string }>(objects: readonly T[]): readonly T[] =>
      objects.filter(({ entryUuid }) => !gone.has(entryUuid))
    become(
      {
        entries: left(current.entries),
        submissionSets: left(current.submissionSets),
        folders: left(current.folders),
        associations: current.associations.filter((one) => !reaches(one)),
      },
      by,
      removed.map((entry) => [entry, 'remove'] as const),
    )
    return removed
  }

  function put(entry: Entry, set: SubmissionSet, known?: KnownResource): Entry {
    const former = current.entries.find(({ entryUuid }) => entryUuid === (known?.of ?? entry.entryUuid))
    if (former === undefined) {
      const [created] = register(submissionOfOne(entry, set), 'FHIR')
      if (created === undefined) throw unresolved('document')
      if (entry.status === 'Deprecated') {
        const entries = current.entries.map((one) => (one === created ? deprecated(one) : one))
        current = { ...current, entries }
      }
      return created
    }
    checkSame(entry, former)
    if (entry.status === 'Deprecated') {
      // What was replaced changes in nothing else; that is no new version of its metadata.
      const entries = current.entries.map((one) => (one === former ? deprecated(one) : one))
      current = { ...current, entries }
      return deprecated(former)
    }
    const version = String(Number(former.version) + 1)
    const now: Entry = { ...entry, logicalId: former.logicalId, version, ...(known && { fhir: known.resource }) }
    const renamed = now.entryUuid !== former.entryUuid
    const then: Entry = {
      ...deprecated(former),
      fhir: 'history',
      ...(!renamed && { entryUuid: `urn:uuid:${randomUUID()}` }),
    }
    const others = current.entries.filter((one) => one !== former)
    const nameOf = (id: string): string => (id === former.entryUuid ? now.entryUuid : id)
    const associations = current.associations.map((one) =>
      renamed ? { ...one, source: nameOf(one.source), target: nameOf(one.target) } : one,
    )
    become({ ...current, associations, entries: [...others, then, now] }, 'FHIR', [[now, 'update']])
    return now
  }

  function together<T>(changes: () => T, pretending = false): T {
    const [before, outer] = [current, unspoken]
    const told: Registered[] = []
    unspoken = told
    let done = false
    try {
      const result = changes()
      done = !pretending
      return result
    } finally {
      unspoken = outer
      if (done) registered.add(told)
      else current = before
    }
  }

  return { holdings, registered, register, update, remove, put, together }
}

/** One document and the submission set it comes in. */
export function submissionOfOne(entry: Entry, set: SubmissionSet, replaces?: string): Holdings {
  const membership = { type: associationType.hasMember, source: set.entryUuid, target: entry.entryUuid }
  const replacement = { type: associationType.replaces, source: entry.entryUuid, target: replaces ?? '' }
  return {
    entries: [entry],
    submissionSets: [set],
    folders: [],
    associations: [
      { entryUuid: 'membership', ...membership, submissionSetStatus: 'Original' },
      ...(replaces === undefined ? [] : [{ entryUuid: 'replacement', ...replacement }]),
    ],
  }
}
