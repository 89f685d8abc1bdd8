import type { QueryAnswer } from '../model/answers.ts'
import type { MetadataChange, Submission } from '../model/change.ts'
import type { Code } from '../model/code.ts'
import { matchesFilter, matchesReferenceIds } from '../model/document-filter.ts'
import { like } from '../model/like.ts'
import type { Association, Author, DocumentEntry, SubmissionSet } from '../model/metadata.ts'
import { isPatient, type Patient } from '../model/patient.ts'
import type { ObjectKey, StoredQuery } from '../model/stored-query.ts'
import { inRange } from '../model/timestamp.ts'

/** What the affinity domain calls "obscured", as a code of an entry (ini.md §4.5). */
export const obscuredCode: Code = {
  code: 'P99',
  scheme: '2.16.840.1.113883.2.9.3.3.6.1.3',
  display: 'Oscuramento del documento',
}

/** Visibility policy codes: one at a time, the later one in the place of the earlier (#2153 in ini.md §4.5). */
export const visibilityCodes: ReadonlySet<string> = new Set(['P99', 'P00', 'P97', 'P98'])

/** The entry as it is once it is hidden. */
export function obscured(entry: DocumentEntry): DocumentEntry {
  const others = entry.eventCodes.filter(({ code }) => !visibilityCodes.has(code))
  return { ...entry, eventCodes: [...others, obscuredCode] }
}

function isObscured({ eventCodes }: DocumentEntry): boolean {
  return eventCodes.some(({ code }) => code === obscuredCode.code)
}

/** Everything that is known while changes are laid over an answer, by entryUUID. */
interface Sheet {
  readonly entries: Map<string, DocumentEntry>
  readonly submissionSets: Map<string, SubmissionSet>
  readonly associations: Map<string, Association>
  /** What the registry told itself: it has been held against the question already. */
  readonly told: Set<string>
  /** By the id of a version that another has followed, the id of that one. */
  readonly followers: Map<string, string>
}

/**
 * What our registry would have answered had it made the changes already: new entries among those found, replaced ones
 * deprecated, former versions gone, hidden ones hidden, removed ones away. Changes it did make meanwhile are recognised,
 * so that laying them over again alters nothing. Only what concerns the patient is added.
 */
export function overlaid(
  query: StoredQuery,
  answer: QueryAnswer,
  changes: readonly MetadataChange[],
  patient: Patient,
): QueryAnswer {
  if (changes.length === 0) return answer
  return { ...answer, ...found(query, laidOver(answer, changes, patient)) }
}

/** The document an id names. */
export interface Named {
  readonly entry: DocumentEntry
  /** The id is that of a version which this one has followed. */
  readonly former: boolean
}

/** Which document an id names, by what our registry answered and by the changes it has not made yet. */
export function naming(
  answer: QueryAnswer,
  changes: readonly MetadataChange[],
  patient: Patient,
): (id: string) => Named | undefined {
  const sheet = laidOver(answer, changes, patient)
  return (id) => {
    const entry = named(id, sheet)
    return entry === undefined ? undefined : { entry, former: entry.entryUuid !== id }
  }
}

function laidOver(answer: QueryAnswer, changes: readonly MetadataChange[], patient: Patient): Sheet {
  const sheet: Sheet = {
    entries: new Map(answer.entries.map((entry) => [entry.entryUuid, entry])),
    submissionSets: new Map(answer.submissionSets.map((set) => [set.entryUuid, set])),
    associations: new Map(answer.associations.map((link) => [link.entryUuid, link])),
    told: new Set([...answer.entries, ...answer.submissionSets, ...answer.associations].map((one) => one.entryUuid)),
    followers: new Map(),
  }
  for (const change of changes) apply(change, sheet, patient)
  return sheet
}

function apply(change: MetadataChange, sheet: Sheet, patient: Patient): void {
  switch (change.type) {
    case 'submit':
    case 'update':
      for (const { type, target } of change.submission.associations) {
        if (type === 'replaces' || type === 'transforms-and-replaces') deprecate(target, sheet)
      }
      add(change.submission, sheet, patient, change.type === 'update' && change.keepsHiding === true)
      break
    case 'remove':
      remove(new Set(change.ids), sheet)
      break
    case 'hide':
      for (const [id, entry] of sheet.entries) {
        if (entry.uniqueId === change.uniqueId) sheet.entries.set(id, obscured(entry))
      }
  }
}

function deprecate(id: string, { entries }: Sheet): void {
  const entry = entries.get(id)
  if (entry !== undefined) entries.set(id, { ...entry, status: 'deprecated' })
}

function add(
  { submissionSet, entries, associations }: Submission,
  sheet: Sheet,
  patient: Patient,
  keepsHiding: boolean,
): void {
  if (!isPatient(patient, submissionSet.patientId)) return
  for (const told of entries) {
    const others = [...sheet.entries.values()].filter((one) => isSameDocument(one, told))
    const entry = keepsHiding && others.some(isObscured) ? obscured(told) : told
    // The record may have counted on by itself: what obscures a document is not made while it is shown.
    const shows = (one: DocumentEntry) => isObscured(entry) && !isObscured(one)
    const made = others.find((one) => versionOf(one) >= versionOf(entry) && !shows(one))
    if (made !== undefined) {
      follow(entry.entryUuid, made, sheet)
      continue
    }
    for (const { entryUuid } of others) {
      sheet.entries.delete(entryUuid)
      follow(entryUuid, entry, sheet)
    }
    follow(logicalIdOf(entry), entry, sheet)
    sheet.entries.set(entry.entryUuid, entry)
  }
  if (!sheet.submissionSets.has(submissionSet.entryUuid))
    sheet.submissionSets.set(submissionSet.entryUuid, submissionSet)
  for (const link of associations)
    if (!sheet.associations.has(link.entryUuid)) sheet.associations.set(link.entryUuid, link)
}

function follow(id: string, { entryUuid }: DocumentEntry, { entries, followers }: Sheet): void {
  if (id !== entryUuid && !entries.has(id)) followers.set(id, entryUuid)
}

/** The entry of that id, else the one that has followed it. */
function named(id: string, { entries, followers }: Sheet): DocumentEntry | undefined {
  const seen = new Set<string>()
  for (let at: string | undefined = id; at !== undefined && !seen.has(at); at = followers.get(at)) {
    const entry = entries.get(at)
    if (entry !== undefined) return entry
    seen.add(at)
  }
  return [...entries.values()].find((entry) => logicalIdOf(entry) === id)
}

/**
 * The same entry, whichever version: versions share a logicalID, and the first bears it as its own id (ITI TF-3: 4.2.3.2.33).
 * A registry that tells no logicalID, or no repository, is understood by what it does tell.
 */
function isSameDocument(a: DocumentEntry, b: DocumentEntry): boolean {
  const ids = [b.entryUuid, logicalIdOf(b)]
  if (ids.includes(a.entryUuid) || ids.includes(logicalIdOf(a))) return true
  const [one, other] = [a.repositoryUniqueId, b.repositoryUniqueId]
  return a.uniqueId === b.uniqueId && (one === undefined || other === undefined || one === other)
}

/** The id that the entry's versions share. */
export function logicalIdOf({ logicalId, entryUuid }: DocumentEntry): string {
  return logicalId ?? entryUuid
}

/** The version as a number: 1 where none is told (ihe.md §1.10), or where it is not a number. */
export function versionOf({ version }: DocumentEntry): number {
  const number = Number(version ?? 1)
  return Number.isFinite(number) ? number : 1
}

function remove(ids: ReadonlySet<string>, { entries, submissionSets, associations }: Sheet): void {
  for (const id of ids) for (const kind of [entries, submissionSets, associations]) kind.delete(id)
  for (const [id, { source, target }] of associations) {
    if (ids.has(source) || ids.has(target)) associations.delete(id)
  }
}

type Found = Pick<QueryAnswer, 'entries' | 'submissionSets' | 'associations'>

/** What of the sheet answers the question; what the registry told is asked for its status only, which may have changed. */
function found(query: StoredQuery, sheet: Sheet): Found {
  const { entries, submissionSets, associations, told } = sheet
  const links = [...associations.values()]
  const keep = <T extends { readonly entryUuid: string }>(objects: Iterable<T>, asked: (object: T) => boolean) =>
    [...objects].filter((object) => told.has(object.entryUuid) || asked(object))
  const none = () => false
  const documents = (asked: (entry: DocumentEntry) => boolean) => keep(entries.values(), asked)
  const only = (entries: DocumentEntry[]): Found => ({
    entries,
    submissionSets: keep(submissionSets.values(), none),
    associations: keep(links, none),
  })
  switch (query.type) {
    case 'FindDocuments':
      return only(
        documents((entry) => matchesFilter(entry, query.filter)).filter((entry) => hasStatus(entry, query.status)),
      )
    case 'FindDocumentsByReferenceId':
      return only(
        documents(
          (entry) => matchesFilter(entry, query.filter) && matchesReferenceIds(entry, query.referenceIds),
        ).filter((entry) => hasStatus(entry, query.status)),
      )
    case 'GetDocuments':
      return only(documents(isAmong(query.documents, sheet)))
    case 'GetDocumentsAndAssociations': {
      const asked = documents(isAmong(query.documents, sheet))
      const ids = new Set(asked.map(({ entryUuid }) => entryUuid))
      return { ...only(asked), associations: keep(links, (link) => touches(link, ids)) }
    }
    case 'GetRelatedDocuments': {
      const origin = new Set([...entries.values()].filter(isAmong(query.document, sheet)).map(idOf))
      if (query.document.by === 'entry-uuid') for (const id of query.document.ids) origin.add(id)
      const related = links.filter((link) => link.type !== 'has-member' && touches(link, origin))
      const wanted = related.filter((link) => told.has(link.entryUuid) || query.associationTypes.includes(link.type))
      const ends = new Set(wanted.flatMap(({ source, target }) => [source, target]))
      return { ...only(documents((entry) => ends.has(entry.entryUuid))), associations: wanted }
    }
    case 'GetAssociations': {
      const ids = new Set(query.ids)
      return { ...only(documents(none)), associations: keep(links, (link) => touches(link, ids)) }
    }
    case 'FindSubmissionSets':
      return { ...only(documents(none)), submissionSets: keep(submissionSets.values(), (set) => isFound(set, query)) }
    case 'GetSubmissionSets': {
      const ids = new Set(query.ids)
      const members = links.filter(({ type, target }) => type === 'has-member' && ids.has(target))
      const holders = new Set(members.map(({ source }) => source))
      return {
        ...only(documents(none)),
        submissionSets: keep(submissionSets.values(), (set) => holders.has(set.entryUuid)),
        associations: keep(links, (link) => members.includes(link)),
      }
    }
    case 'GetSubmissionSetAndContents': {
      const { by, ids } = query.submissionSet
      const sets = keep(submissionSets.values(), (set) => ids.includes(by === 'unique-id' ? set.uniqueId : idOf(set)))
      const holders = new Set(sets.map(idOf))
      const members = keep(links, ({ type, source }) => type === 'has-member' && holders.has(source))
      const held = new Set(members.map(({ target }) => target))
      return {
        entries: documents((entry) => held.has(entry.entryUuid) && matchesFilter(entry, query.filter)),
        submissionSets: sets,
        associations: members,
      }
    }
    case 'GetAll': {
      const shown = documents((entry) => matchesFilter(entry, query.filter)).filter((entry) =>
        hasStatus(entry, query.documentStatus),
      )
      const sets = keep(submissionSets.values(), (set) => hasStatus(set, query.submissionSetStatus))
      const ids = new Set([...shown, ...sets].map(idOf))
      return {
        entries: shown,
        submissionSets: sets,
        associations: keep(links, ({ source, target }) => ids.has(source) && ids.has(target)),
      }
    }
    case 'FindFolders':
    case 'GetFolders':
    case 'GetFolderAndContents':
    case 'GetFoldersForDocument':
      return only(documents(none))
  }
}

function idOf({ entryUuid }: { readonly entryUuid: string }): string {
  return entryUuid
}

function hasStatus({ status }: { readonly status?: string }, asked: readonly string[]): boolean {
  return asked.length === 0 || asked.includes(status ?? 'approved')
}

/** Whether an entry is asked for; by the id of a version that is gone, the one that followed it is. */
function isAmong({ by, ids }: ObjectKey, sheet: Sheet): (entry: DocumentEntry) => boolean {
  switch (by) {
    case 'entry-uuid': {
      const wanted = new Set(ids.map((id) => named(id, sheet)?.entryUuid))
      return (entry) => wanted.has(entry.entryUuid)
    }
    case 'unique-id':
      return (entry) => ids.includes(entry.uniqueId)
    case 'logical-id':
      return (entry) => ids.includes(logicalIdOf(entry))
  }
}

function touches({ source, target }: Association, ids: ReadonlySet<string>): boolean {
  return ids.has(source) || ids.has(target)
}

function isFound(set: SubmissionSet, query: StoredQuery & { readonly type: 'FindSubmissionSets' }): boolean {
  const { authorPerson, contentTypeCodes, sourceIds, status, submissionTime } = query
  const wrote = ({ persons }: Author) => persons.some((person) => like(authorPerson ?? '%', person))
  return (
    hasStatus(set, status) &&
    (authorPerson === undefined || set.authors.some(wrote)) &&
    (sourceIds === undefined || sourceIds.includes(set.sourceId ?? '')) &&
    (contentTypeCodes === undefined || contentTypeCodes.some(({ code }) => code === set.contentTypeCode?.code)) &&
    (submissionTime === undefined || (set.submissionTime !== undefined && inRange(set.submissionTime, submissionTime)))
  )
}
