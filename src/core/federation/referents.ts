import { asGatewayError, GatewayError } from '../errors.ts'
import { nothingFound, type QueryAnswer } from '../model/answers.ts'
import type { AuthorizedCall } from '../model/call.ts'
import type { MetadataChange } from '../model/change.ts'
import type { DocumentEntry } from '../model/metadata.ts'
import { onlyIdentifier, type PatientId } from '../model/patient.ts'
import type { GetDocuments } from '../model/stored-query.ts'
import type { Clock, Community, DocumentRecipient, JournaledPush, PushJournal } from '../ports.ts'
import { lateness, unlessAborted } from './fan-out.ts'
import { type Named, naming, overlaid } from './overlay.ts'
import { entriesIn } from './pushed.ts'

/**
 * Takes changes for a record in which a document stays one object whatever is told of it anew: there are no former versions,
 * an id that the document had before is an id of the document, and a version that is not told is not known. In any other
 * record an id is that of one version, and a version that is not told is the first (ihe.md §1.10).
 */
export interface UnversionedRecipient extends DocumentRecipient {
  readonly formerVersions: 'none'
}

/** Whether the record of a community keeps no former versions. */
export function isUnversioned({ recipient }: Pick<Community, 'recipient'>): boolean {
  return recipient !== undefined && 'formerVersions' in recipient && recipient.formerVersions === 'none'
}

/** What a change is held against. */
export interface ResolveParts {
  readonly journal: PushJournal
  readonly clock: Clock
  /** Our own community: its registry is asked about what a push refers to. */
  readonly own: Community
  /**
   * Whether a push is taken while our record does not answer: the journal keeps it all the same. `accept-new` takes what
   * refers to nothing that the record would have to be asked about.
   */
  readonly whenRecordDown: 'accept' | 'accept-new' | 'refuse'
}

interface Heard {
  readonly answer: QueryAnswer
  /** False when only the journal was heard: what is not found may be in the record. */
  readonly answered: boolean
}

/** Which document an id names: as the journal has it, and as the record does. Rejects as `existing` does. */
export async function meant(ids: readonly string[], call: AuthorizedCall, parts: ResolveParts) {
  const { query, answer, answered, pending } = await looked({ by: 'entry-uuid', ids }, call, parts)
  const aliases = isUnversioned(parts.own) ? await aliasesIn(answer, query, call, parts) : new Map()
  const { changes, everybody } = laying(pending, call)
  const named = everybody && naming(answer, changes, everybody)
  const answeredAs = (id: string): Named | undefined => {
    const entry = answer.entries.find((one) => one.entryUuid === id)
    return entry && { entry, former: false }
  }
  return {
    answered,
    named: (id: string): Named | undefined => (named ?? answeredAs)(id) ?? (named ?? answeredAs)(aliases.get(id) ?? id),
  }
}

/** Documents as they are once what is pending is made. Rejects with `community-unavailable` when pushes wait for the record. */
export async function existing(documents: GetDocuments['documents'], call: AuthorizedCall, parts: ResolveParts) {
  const { query, answer, answered, pending } = await looked(documents, call, parts)
  const { changes, everybody } = laying(pending, call)
  const { entries } = everybody === undefined ? answer : overlaid(query, answer, changes, everybody)
  return { entries, answered }
}

/**
 * What the record says of documents, and what is pending about them. The journal is asked before the record, so that
 * nothing is missed that gets there meanwhile, and again by the names that are known then: a later change of a document may
 * bear none of the ids asked for.
 */
async function looked(documents: GetDocuments['documents'], call: AuthorizedCall, parts: ResolveParts) {
  const { own, journal } = parts
  const first = await journal.touching(documents.ids)
  const query: GetDocuments = { type: 'GetDocuments', documents, home: own.home, extra: [] }
  const { answer, answered } = await heard(query, call, parts)
  const names = [...answer.entries, ...entriesIn(changesIn(first))].map(({ uniqueId }) => uniqueId)
  const further = names.length === 0 ? [] : await journal.touching([...new Set(names)])
  const bySequence = new Map([...first, ...further].map((push) => [push.sequence, push]))
  const pending = [...bySequence.values()].sort((a, b) => a.sequence - b.sequence)
  return { query, answer, answered, pending }
}

function changesIn(pushes: readonly JournaledPush[]): readonly MetadataChange[] {
  return pushes.flatMap(({ pushed }) => (pushed.kind === 'change' ? [pushed.change] : []))
}

function laying(pending: readonly JournaledPush[], call: AuthorizedCall) {
  const patients = [...pending.flatMap((push) => push.patients), ...patientsNamed(call)]
  const [first] = patients
  const everybody = first && { ...onlyIdentifier(first), identifiers: patients }
  return { changes: changesIn(pending), everybody }
}

/** Most ids that are asked about one by one: more are of documents of which nobody could tell which is which. */
const mostAsked = 20

/**
 * By ids that documents had, those they have: a document that is told and bears none of the ids asked for was asked for by
 * one of the ids of which nothing else is told.
 */
async function aliasesIn(
  { entries }: QueryAnswer,
  query: GetDocuments,
  call: AuthorizedCall,
  parts: ResolveParts,
): Promise<ReadonlyMap<string, string>> {
  const { by, ids } = query.documents
  const bears = (entry: DocumentEntry, id: string) => entry.entryUuid === id || entry.logicalId === id
  const strays = entries.filter((entry) => !ids.some((id) => bears(entry, id)))
  const open = ids.filter((id) => !entries.some((entry) => bears(entry, id)))
  const aliases = new Map<string, string>()
  if (strays.length === 0) return aliases
  for (const id of open.slice(0, mostAsked)) {
    const { answer } = await heard({ ...query, documents: { by, ids: [id] } }, call, parts)
    const [entry] = answer.entries
    if (entry !== undefined) aliases.set(id, entry.entryUuid)
  }
  return aliases
}

/** What our record says, or that it is silent. */
async function heard(
  query: GetDocuments,
  call: AuthorizedCall,
  { own, clock, whenRecordDown }: ResolveParts,
): Promise<Heard> {
  const silent = { answer: nothingFound, answered: false }
  const { registry } = own
  if (registry === undefined) return silent
  const signal = AbortSignal.any([call.signal, lateness(call, clock)])
  try {
    const answer = await unlessAborted(() => registry.query(query, { ...call, signal }), signal)
    return { answer, answered: !answer.issues.some(({ severity }) => severity === 'error') }
  } catch (thrown) {
    const failure = asGatewayError(thrown)
    if (call.signal.aborted) throw new GatewayError('caller-gone', 'The caller left before the answer')
    if (failure.fault !== 'community' && !signal.aborted) throw failure
    // A record that refuses to tell says neither that something is there nor that it is not.
    if (failure.code === 'community-rejected') {
      throw new GatewayError('community-rejected', 'Our record refuses to tell what the push refers to', {
        cause: failure,
      })
    }
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
