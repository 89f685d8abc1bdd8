import {
  type Association,
  associationType,
  type Code,
  type DocumentFacts,
  type Entry,
  type Folder,
  type Holdings,
  type Status,
  type SubmissionSet,
} from './entry.ts'
import { kindOf } from './kinds.ts'
import { organization } from './organizations.ts'
import { uuidOf } from './random.ts'

/** Who keeps a registry of documents. */
export type Holder = 'tuscany' | 'ini' | 'region-050' | 'region-120' | 'region-150'

/** The registry in which a document is first registered, by the organization that keeps the document. */
const registryOf: Readonly<Record<string, Holder>> = {
  '090': 'tuscany',
  '000': 'ini',
  '050': 'region-050',
  '120': 'region-120',
  '150': 'region-150',
}

/** Writes what one registry knows: its own ids, submission sets and associations around facts that are the same everywhere. */
export interface RegistryBook {
  tell(facts: DocumentFacts, status?: Status): Entry
  /** The older one must have been told as deprecated. */
  replace(newer: Entry, older: Entry): void
  /** A new version of the metadata; the former one is kept, deprecated. Other registries may not have heard. */
  amend(entry: Entry, change: Partial<DocumentFacts>): Entry
  file(title: string, code: Code, entries: readonly Entry[]): void
  holdings(): Holdings
}

export function registryBook(seed: string, holder: Holder): RegistryBook {
  const entries: Entry[] = []
  const submissionSets: SubmissionSet[] = []
  const folders: Folder[] = []
  const associations: Association[] = []
  const urn = (...parts: readonly string[]): string => `urn:uuid:${uuidOf(seed, holder, ...parts)}`
  // A registry that speaks of documents of its own domain need not say where they are (ITI TF-3: 4.2.3.2.13).
  const homeOf = (facts: DocumentFacts): { home?: string } =>
    holder === 'tuscany' && facts.keeper === '090' ? {} : { home: organization(facts.keeper).home }

  function associate(type: string, source: string, target: string, more: Partial<Association> = {}): void {
    associations.push({ entryUuid: urn('association', source, target), type, source, target, ...more })
  }

  function submit(entry: Entry, previousVersion?: string): void {
    const { uniqueId, version } = entry
    const { arc } = organization(entry.keeper)
    const set: SubmissionSet = {
      entryUuid: urn('submission', uniqueId, version),
      uniqueId: `${arc}.4.3.${Number.parseInt(uuidOf(seed, holder, uniqueId, version).slice(0, 8), 16)}`,
      sourceId: arc,
      patient: entry.patient,
      submissionTime: entry.creationTime,
      contentType: kindOf(entry.typeCode.code).content,
      author: entry.author,
      status: 'Approved',
      title: `Comunicazione: ${entry.title}`,
      ...homeOf(entry),
    }
    submissionSets.push(set)
    associate(associationType.hasMember, set.entryUuid, entry.entryUuid, {
      submissionSetStatus: 'Original',
      ...(previousVersion !== undefined && { previousVersion }),
      ...homeOf(entry),
    })
  }

  return {
    tell(facts, status = 'Approved') {
      const logicalId = `urn:uuid:${uuidOf(seed, 'logical', facts.uniqueId)}`
      const first = registryOf[facts.keeper] === holder
      const entryUuid = first ? logicalId : urn('entry', facts.uniqueId, '1')
      const entry: Entry = { ...facts, entryUuid, logicalId, version: '1', status, ...homeOf(facts) }
      entries.push(entry)
      submit(entry)
      return entry
    },
    replace(newer, older) {
      if (older.status !== 'Deprecated') throw new Error('What is replaced must be deprecated')
      associate(associationType.replaces, newer.entryUuid, older.entryUuid, homeOf(newer))
    },
    amend(entry, change) {
      const former = entries.indexOf(entry)
      if (former < 0) throw new Error('Only what was told can be amended')
      const version = String(Number(entry.version) + 1)
      const entryUuid = urn('entry', entry.uniqueId, version)
      const amended: Entry = { ...entry, ...change, entryUuid, version }
      entries.splice(former, 1, { ...entry, status: 'Deprecated' }, amended)
      submit(amended, entry.version)
      return amended
    },
    file(title, code, members) {
      const [first] = members
      if (first === undefined) throw new Error('A folder needs a document')
      const { arc } = organization(first.keeper)
      const folder: Folder = {
        entryUuid: urn('folder', title, first.uniqueId),
        uniqueId: `${arc}.4.6.${Number.parseInt(uuidOf(seed, holder, title).slice(0, 8), 16)}`,
        patient: first.patient,
        lastUpdateTime: members
          .map((member) => member.creationTime)
          .reduce((one, other) => (one > other ? one : other)),
        codes: [code],
        status: 'Approved',
        title,
        ...homeOf(first),
      }
      folders.push(folder)
      for (const member of members) associate(associationType.hasMember, folder.entryUuid, member.entryUuid)
      // A folder is submitted with what is put in it (ITI TF-3: 4.1.4).
      const submission = associations.find(
        (known) => known.submissionSetStatus === 'Original' && known.target === first.entryUuid,
      )
      if (submission) associate(associationType.hasMember, submission.source, folder.entryUuid)
    },
    holdings: () => ({ entries, submissionSets, folders, associations }),
  }
}
