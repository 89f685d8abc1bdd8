import { GatewayError, type Issue } from '../errors.ts'
import type { AuthorizedCall } from '../model/call.ts'
import type { MetadataChange, SubmitChange, UpdateChange } from '../model/change.ts'
import type { DocumentEntry } from '../model/metadata.ts'
import { type PatientId, samePatientId } from '../model/patient.ts'
import { logicalIdOf, type Named, obscured, versionOf } from './overlay.ts'
import { existing, isUnversioned, meant, patientsNamed, type ResolveParts } from './referents.ts'

/** A change as it is to be kept, and the entries it alters as far as they are known. */
export interface ResolvedChange {
  readonly change: MetadataChange
  readonly before: readonly DocumentEntry[]
}

/**
 * The change held against what it refers to, in the journal and in the record where that answers. Throws
 * `metadata-invalid` with an issue per fault, and `community-unavailable` when pushes wait for the record.
 */
export async function resolved(
  change: MetadataChange,
  call: AuthorizedCall,
  parts: ResolveParts,
): Promise<ResolvedChange> {
  switch (change.type) {
    case 'hide':
      return { change, before: [] }
    case 'remove': {
      const { named, answered } = await meant(change.ids, call, parts)
      const persons = patientsNamed(call)
      const found = new Map<string, DocumentEntry>()
      for (const id of change.ids) {
        const entry = named(id)?.entry
        if (entry !== undefined && persons.some((one) => samePatientId(one, entry.patientId))) found.set(id, entry)
      }
      const unknown = change.ids.filter((id) => answered && !found.has(id))
      // Somebody else's documents answer as those that do not exist.
      const fault = (id: string) => issueOf('UnresolvedReferenceException', 'No document of that id is known', id)
      if (unknown.length > 0) throw metadataRefused(unknown.map(fault))
      const entries = [...new Set(found.values())]
      // By whichever of its ids the document is known when it is removed.
      const all = entries.flatMap((entry) => [entry.entryUuid, logicalIdOf(entry)])
      const ids = isUnversioned(parts.own) ? [...new Set([...change.ids, ...all])] : change.ids
      return { change: { ...change, ids, entries }, before: entries }
    }
    case 'submit':
      return await resolvedSubmission(await withHidings(change, parts), call, parts)
    case 'update':
      return await resolvedUpdate(change, call, parts)
  }
}

/** What INI had hidden before it was communicated is hidden from its communication on. */
async function withHidings(change: SubmitChange, { journal }: ResolveParts): Promise<SubmitChange> {
  const { submission } = change
  const pending = await journal.touching(submission.entries.map(({ uniqueId }) => uniqueId))
  const hidden = new Set(
    pending.flatMap(({ pushed }) => {
      return pushed.kind === 'change' && pushed.change.type === 'hide' ? [pushed.change.uniqueId] : []
    }),
  )
  if (hidden.size === 0) return change
  const entries = submission.entries.map((entry) => (hidden.has(entry.uniqueId) ? obscured(entry) : entry))
  return { ...change, submission: { ...submission, entries } }
}

async function resolvedSubmission(
  change: SubmitChange,
  call: AuthorizedCall,
  parts: ResolveParts,
): Promise<ResolvedChange> {
  const { submissionSet, entries: own, folders, associations } = change.submission
  const submitted = new Set([submissionSet, ...own, ...folders].map(({ entryUuid }) => entryUuid))
  const targets = [...new Set(associations.map(({ target }) => target))].filter((id) => !submitted.has(id))
  if (targets.length === 0 && parts.whenRecordDown !== 'refuse') return { change, before: [] }
  const { named, answered } = await meant(targets, call, parts)
  const versioned = !isUnversioned(parts.own)
  const faults = targets.flatMap((id) => {
    const target = named(id)
    if (target !== undefined) return targetFaults(id, target, change, versioned, samePerson(call))
    if (!answered) return []
    return [issueOf('UnresolvedReferenceException', 'An association names a document that is not known', id)]
  })
  if (faults.length > 0) throw metadataRefused(faults)
  const before = [...new Set(targets.flatMap((id) => named(id)?.entry ?? []))]
  if (versioned) return { change, before }
  const links = associations.map((link) => ({ ...link, target: named(link.target)?.entry.entryUuid ?? link.target }))
  return { change: { ...change, submission: { ...change.submission, associations: links } }, before }
}

function targetFaults(
  id: string,
  { entry, former }: Named,
  { submission }: SubmitChange,
  versioned: boolean,
  isSame: SamePerson,
): readonly Issue[] {
  if (!isSame(entry.patientId, submission.submissionSet.patientId)) {
    return [issueOf('XDSPatientIdDoesNotMatch', 'An association names a document of another patient', id)]
  }
  // A version that an accepted update follows is deprecated by it (ihe.md §1.9, §1.10).
  if (entry.status === 'deprecated' || (former && versioned)) {
    return [
      issueOf('XDSRegistryDeprecatedDocumentError', 'An association names a document that is no longer current', id),
    ]
  }
  return []
}

/** Each new version follows the one it says it was made from (R221, ini.md §3.3). */
async function resolvedUpdate(
  change: UpdateChange,
  call: AuthorizedCall,
  parts: ResolveParts,
): Promise<ResolvedChange> {
  const { submission } = change
  // All versions share it, and not every registry can be asked by logicalID.
  const ids = submission.entries.map(({ uniqueId }) => uniqueId)
  const { entries: known, answered } = await existing({ by: 'unique-id', ids }, call, parts)
  const unversioned = isUnversioned(parts.own)
  const isSame = samePerson(call)
  const before: DocumentEntry[] = []
  const faults: Issue[] = []
  const entries = submission.entries.map((entry) => {
    const { logicalId } = entry
    if (logicalId === undefined) {
      faults.push(
        issueOf('XDSMetadataIdentifierError', 'An update does not name the document it is of', entry.entryUuid),
      )
      return entry
    }
    const latest = latestVersion({ ...entry, logicalId }, known)
    if (latest !== undefined) before.push(latest)
    const current =
      latest === undefined || (unversioned && latest.version === undefined) ? undefined : versionOf(latest)
    const told = submission.associations.find(({ target, type }) => type === 'has-member' && target === entry.entryUuid)
    const previous = told?.previousVersion ?? (current === undefined ? entry.version : String(current))
    if (latest === undefined && answered) {
      faults.push(issueOf('UnresolvedReferenceException', 'The document that is updated is not known', logicalId))
    } else if (current !== undefined && previous !== undefined && Number(previous) !== current) {
      faults.push(
        issueOf(
          'R221',
          'The version number included in the update request did not match the existing object',
          logicalId,
        ),
      )
    } else if (latest !== undefined && !isSame(latest.patientId, entry.patientId)) {
      faults.push(issueOf('XDSPatientIdDoesNotMatch', 'The document that is updated is another patient’s', logicalId))
    }
    const version = String(numberOf(previous ?? '1', current === undefined ? 1 : 0) + 1)
    return { ...entry, version, logicalId: latest === undefined ? logicalId : logicalIdOf(latest) }
  })
  if (faults.length > 0) throw metadataRefused(faults)
  return { change: { ...change, submission: { ...submission, entries } }, before }
}

/** Where the record's own count is not known it is taken for 1, and what follows it must be later. */
function numberOf(version: string, least: number): number {
  const number = Number(version)
  return Number.isFinite(number) ? Math.max(number, least) : 1
}

/** Of the versions of the document that the new one says it is of, else of the one that bears its unique id. */
function latestVersion(
  { logicalId, uniqueId }: DocumentEntry,
  known: readonly DocumentEntry[],
): DocumentEntry | undefined {
  const ids = known.filter((one) => logicalIdOf(one) === logicalId || one.entryUuid === logicalId).map(logicalIdOf)
  const versions = known.filter((one) => (ids.length > 0 ? ids.includes(logicalIdOf(one)) : one.uniqueId === uniqueId))
  const [first, ...others] = versions
  return others.reduce((a, b) => (a !== undefined && versionOf(a) >= versionOf(b) ? a : b), first)
}

type SamePerson = (a: PatientId, b: PatientId) => boolean

/** Whether two identifiers are one person's: the same, or both of the person the caller asks about. */
function samePerson(call: AuthorizedCall): SamePerson {
  const persons = patientsNamed(call)
  const isTheirs = (id: PatientId) => persons.some((one) => samePatientId(one, id))
  return (a, b) => samePatientId(a, b) || (isTheirs(a) && isTheirs(b))
}

/** The refusal of metadata, with every fault that was found. */
export function metadataRefused(issues: readonly Issue[]): GatewayError {
  return new GatewayError('metadata-invalid', 'The metadata are not those of the affinity domain', { issues })
}

/** A fault of an object, in the words of the norm. */
export function issueOf(code: string, text: string, location?: string): Issue {
  return { severity: 'error', code, text, ...(location === undefined ? {} : { location }) }
}
