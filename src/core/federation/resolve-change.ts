import { asGatewayError, GatewayError, type Issue } from '../errors.ts'
import { nothingFound } from '../model/answers.ts'
import type { AuthorizedCall } from '../model/call.ts'
import type { MetadataChange, SubmitChange, UpdateChange } from '../model/change.ts'
import type { DocumentEntry } from '../model/metadata.ts'
import { onlyIdentifier, type PatientId, samePatientId } from '../model/patient.ts'
import type { GetDocuments } from '../model/stored-query.ts'
import type { Clock, Community, PushJournal } from '../ports.ts'
import { lateness, unlessAborted } from './fan-out.ts'
import { logicalIdOf, overlaid, versionOf } from './overlay.ts'

/** What a change is held against. */
export interface ResolveParts {
  readonly journal: PushJournal
  readonly clock: Clock
  /** Our own community: its registry is asked about what a push refers to. */
  readonly own: Community
  /** Whether a push is taken while our record does not answer: the journal keeps it all the same. */
  readonly whenRecordDown: 'accept' | 'refuse'
}

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
      const { entries: known, answered } = await existing({ by: 'entry-uuid', ids: change.ids }, call, parts)
      const persons = patientsNamed(call)
      const entries = known.filter(({ patientId }) => persons.some((one) => samePatientId(one, patientId)))
      const unknown = change.ids.filter((id) => answered && !entries.some(({ entryUuid }) => entryUuid === id))
      // Somebody else's documents answer as those that do not exist.
      const fault = (id: string) => issueOf('UnresolvedReferenceException', 'No document of that id is known', id)
      if (unknown.length > 0) throw metadataRefused(unknown.map(fault))
      return { change: { ...change, entries }, before: entries }
    }
    case 'submit':
      return await resolvedSubmission(change, call, parts)
    case 'update':
      return await resolvedUpdate(change, call, parts)
  }
}

async function resolvedSubmission(
  change: SubmitChange,
  call: AuthorizedCall,
  parts: ResolveParts,
): Promise<ResolvedChange> {
  const { submissionSet, entries: own, folders, associations } = change.submission
  const submitted = new Set([submissionSet, ...own, ...folders].map(({ entryUuid }) => entryUuid))
  const targets = [...new Set(associations.map(({ target }) => target))].filter((id) => !submitted.has(id))
  if (targets.length === 0 && parts.whenRecordDown === 'accept') return { change, before: [] }
  const { entries, answered } = await existing({ by: 'entry-uuid', ids: targets }, call, parts)
  const faults = targets.flatMap((id) => targetFaults(id, entries, answered, change))
  if (faults.length > 0) throw metadataRefused(faults)
  return { change, before: entries }
}

function targetFaults(
  id: string,
  entries: readonly DocumentEntry[],
  answered: boolean,
  { submission }: SubmitChange,
): readonly Issue[] {
  const target = entries.find(({ entryUuid }) => entryUuid === id)
  if (target === undefined) {
    return answered
      ? [issueOf('UnresolvedReferenceException', 'An association names a document that is not known', id)]
      : []
  }
  if (!samePatientId(target.patientId, submission.submissionSet.patientId)) {
    return [issueOf('XDSPatientIdDoesNotMatch', 'An association names a document of another patient', id)]
  }
  if (target.status === 'deprecated') {
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
  const faults: Issue[] = []
  const entries = submission.entries.map((entry) => {
    const { logicalId } = entry
    if (logicalId === undefined) {
      faults.push(
        issueOf('XDSMetadataIdentifierError', 'An update does not name the document it is of', entry.entryUuid),
      )
      return entry
    }
    const versions = known.filter((one) => logicalIdOf(one) === logicalId || one.entryUuid === logicalId)
    const latest = versions.reduce<DocumentEntry | undefined>(
      (a, b) => (a && versionOf(a) >= versionOf(b) ? a : b),
      undefined,
    )
    const told = submission.associations.find(({ target, type }) => type === 'has-member' && target === entry.entryUuid)
    const previous = told?.previousVersion ?? (latest === undefined ? entry.version : String(versionOf(latest)))
    if (latest === undefined && answered) {
      faults.push(issueOf('UnresolvedReferenceException', 'The document that is updated is not known', logicalId))
    } else if (latest !== undefined && previous !== undefined && Number(previous) !== versionOf(latest)) {
      faults.push(
        issueOf(
          'R221',
          'The version number included in the update request did not match the existing object',
          logicalId,
        ),
      )
    } else if (latest !== undefined && !samePatientId(latest.patientId, entry.patientId)) {
      faults.push(issueOf('XDSPatientIdDoesNotMatch', 'The document that is updated is another patient’s', logicalId))
    }
    const number = Number(previous ?? 1)
    return { ...entry, version: String(Number.isFinite(number) ? number + 1 : 2) }
  })
  if (faults.length > 0) throw metadataRefused(faults)
  return { change: { ...change, submission: { ...submission, entries } }, before: known }
}

interface Existing {
  readonly entries: readonly DocumentEntry[]
  /** False when only the journal was heard: what is not found may be in the record. */
  readonly answered: boolean
}

async function existing(
  documents: GetDocuments['documents'],
  call: AuthorizedCall,
  parts: ResolveParts,
): Promise<Existing> {
  const { own, journal } = parts
  const pending = await journal.touching(documents.ids)
  const query: GetDocuments = { type: 'GetDocuments', documents, home: own.home, extra: [] }
  const { answer, answered } = await heard(query, call, parts)
  const changes = pending.flatMap(({ pushed }) => (pushed.kind === 'change' ? [pushed.change] : []))
  const patients = [...pending.flatMap((push) => push.patients), ...patientsNamed(call)]
  const [first] = patients
  if (first === undefined) return { entries: answer.entries, answered }
  const everybody = { ...onlyIdentifier(first), identifiers: patients }
  return { entries: overlaid(query, answer, changes, everybody).entries, answered }
}

/** What our record says, or that it is silent. */
async function heard(query: GetDocuments, call: AuthorizedCall, { own, clock, whenRecordDown }: ResolveParts) {
  const silent = { answer: nothingFound, answered: false }
  const { registry } = own
  if (registry === undefined) return silent
  const signal = AbortSignal.any([call.signal, lateness(call, clock)])
  try {
    return { answer: await unlessAborted(() => registry.query(query, { ...call, signal }), signal), answered: true }
  } catch (thrown) {
    const failure = asGatewayError(thrown)
    if (call.signal.aborted) throw new GatewayError('caller-gone', 'The caller left before the answer')
    if (failure.fault !== 'community' && !signal.aborted) throw failure
    // A record that refuses to tell has been heard: whoever pushes may not know of what they refer to.
    if (failure.code === 'community-rejected') return { answer: nothingFound, answered: true }
    if (whenRecordDown === 'accept') return silent
    throw new GatewayError('community-unavailable', 'Our record does not answer, and pushes are not taken without it', {
      cause: failure,
    })
  }
}

/** The person the caller says it is about, where they do, by every identifier a registry vouches for. */
export function patientsNamed({ assertion: { patientId, patientKnownAs } }: AuthorizedCall): readonly PatientId[] {
  return [...(patientId === undefined ? [] : [patientId]), ...(patientKnownAs?.identifiers ?? [])]
}

/** The refusal of metadata, with every fault that was found. */
export function metadataRefused(issues: readonly Issue[]): GatewayError {
  return new GatewayError('metadata-invalid', 'The metadata are not those of the affinity domain', { issues })
}

/** A fault of an object, in the words of the norm. */
export function issueOf(code: string, text: string, location?: string): Issue {
  return { severity: 'error', code, text, ...(location === undefined ? {} : { location }) }
}
