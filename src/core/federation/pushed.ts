import { asGatewayError, type GatewayError, type Issue } from '../errors.ts'
import { nothingFound, type QueryAnswer } from '../model/answers.ts'
import type { AuthorizedCall } from '../model/call.ts'
import type { MetadataChange, Submission } from '../model/change.ts'
import type { DocumentEntry } from '../model/metadata.ts'
import type { GetDocuments, StoredQuery } from '../model/stored-query.ts'
import type { Community, JournaledPush, KnownPatient, PatientChanges, PushJournal } from '../ports.ts'
import { ask } from './ask.ts'
import type { Context } from './complete.ts'
import { logicalIdOf, obscured, overlaid } from './overlay.ts'

/** What a read of the index needs of the journal. */
export type Pushes = Pick<PushJournal, 'about' | 'touching'>

const nothingPushed: PatientChanges = { generation: 0, sequence: 0, pushes: [] }

/**
 * What was pushed about a person as of now. Rejects when that cannot be read: then it is not known what must be hidden, and
 * nothing may be told.
 */
export async function pushedAbout({ patient }: KnownPatient, pushes: Pushes | undefined): Promise<PatientChanges> {
  return pushes === undefined ? nothingPushed : await pushes.about(patient.identifiers)
}

/**
 * What was pushed from `before` until now, together with what was pending then: by now the record may have made it, after
 * it answered.
 */
export async function pushedSince(
  before: PatientChanges,
  { patient }: KnownPatient,
  pushes: Pushes | undefined,
): Promise<PatientChanges> {
  if (pushes === undefined) return before
  const now = await pushes.about(patient.identifiers, before.sequence)
  if (now.generation === before.generation) return before
  const bySequence = new Map<number, JournaledPush>()
  for (const push of [...before.pushes, ...now.pushes]) bySequence.set(push.sequence, push)
  return { ...now, pushes: [...bySequence.values()].sort((a, b) => a.sequence - b.sequence) }
}

/**
 * Hidings that are pending for documents that were told, whatever identifier of their person they name: where the person's
 * identifiers are not all known, what was pushed about the person is not either.
 */
export async function hidingsOf(
  entries: readonly DocumentEntry[],
  pushes: Pushes | undefined,
): Promise<readonly MetadataChange[]> {
  if (pushes === undefined || entries.length === 0) return []
  const ids = [...new Set(entries.map(({ uniqueId }) => uniqueId))]
  const hidings: MetadataChange[] = []
  for (let from = 0; from < ids.length; from += mostObjects) {
    const touching = await pushes.touching(ids.slice(from, from + mostObjects))
    for (const { pushed } of touching) {
      if (pushed.kind === 'change' && pushed.change.type === 'hide') hidings.push(pushed.change)
    }
  }
  return hidings
}

/** How many objects the journal is asked about at once. */
const mostObjects = 4096

/** The changes among what was pushed; one that was given up changes nothing. */
export function changesOf({ pushes }: PatientChanges): readonly MetadataChange[] {
  return pushes.flatMap(({ pushed, state }) =>
    pushed.kind === 'change' && state !== 'discarded' ? [pushed.change] : [],
  )
}

/** The entries that changes bring along: whoever may not know of one may not know of its document. */
export function entriesIn(changes: readonly MetadataChange[]): readonly DocumentEntry[] {
  return changes.flatMap((change) => {
    return change.type === 'submit' || change.type === 'update' ? change.submission.entries : []
  })
}

/** Whether who asks may be told of an entry that the record has no word on. */
export type MayTell = (entry: DocumentEntry, call: AuthorizedCall) => boolean

/**
 * How one community is asked: our own with what was pushed laid over its answers. While it is silent, documents that were
 * only pushed are told, and an issue says that there may be more. Of documents it has, what was pushed is not all: it may
 * have hidden them since. Where nothing may be told, the silence is answered as if nothing had been pushed.
 */
export function asker(community: Community, known: KnownPatient, changes: readonly MetadataChange[], mayTell: MayTell) {
  return async (query: StoredQuery, call: AuthorizedCall): Promise<QueryAnswer> => {
    if (community.relation !== 'own' || changes.length === 0) return await ask(community, query, known, call)
    try {
      return overlaid(query, await ask(community, query, known, call), changes, known.patient)
    } catch (thrown) {
      const error = asGatewayError(thrown)
      const fresh = new Set(changes.flatMap((change) => (change.type === 'submit' ? newIds(change.submission) : [])))
      const pending = overlaid(query, nothingFound, changes, known.patient)
      const entries = pending.entries.filter((entry) => {
        return (fresh.has(entry.entryUuid) || fresh.has(logicalIdOf(entry))) && mayTell(entry, call)
      })
      if (error.fault !== 'community' || entries.length === 0) throw error
      return { ...nothingFound, entries, issues: [silent(error)] }
    }
  }
}

function newIds({ entries }: Submission): readonly string[] {
  return entries.map(({ entryUuid }) => entryUuid)
}

function silent({ message }: GatewayError): Issue {
  return {
    severity: 'error',
    code: 'XDSUnavailableCommunity',
    text: `${message}: only what was communicated lately is told`,
  }
}

/**
 * An answer that was overtaken by changes: what they hide, alter or remove is so in it, and new documents are in it.
 * Their links are not: what these lead to has not been looked at.
 */
export function overtaken<A extends QueryAnswer & { readonly context: Context }>(
  answer: A,
  from: Community,
  query: StoredQuery,
  known: KnownPatient,
  changes: readonly MetadataChange[],
): A {
  if (changes.length === 0) return answer
  const context = { ...answer.context, entries: hiding(answer.context.entries, changes) }
  if (from.relation !== 'own') return { ...answer, entries: hiding(answer.entries, changes), context }
  const { entries, submissionSets, associations } = overlaid(query, answer, changes, known.patient)
  const present = <T extends { readonly entryUuid: string }>(before: readonly T[], after: readonly T[]) => {
    const left = new Set(after.map(({ entryUuid }) => entryUuid))
    return before.filter(({ entryUuid }) => left.has(entryUuid))
  }
  const linked: GetDocuments = { type: 'GetDocuments', documents: { by: 'entry-uuid', ids: [] }, extra: [] }
  return {
    ...answer,
    entries,
    submissionSets: present(answer.submissionSets, submissionSets),
    associations: present(answer.associations, associations),
    context: {
      ...context,
      entries: overlaid(linked, { ...nothingFound, entries: context.entries }, changes, known.patient).entries,
    },
  }
}

function hiding(entries: readonly DocumentEntry[], changes: readonly MetadataChange[]): readonly DocumentEntry[] {
  const hidden = new Set(changes.flatMap((change) => (change.type === 'hide' ? [change.uniqueId] : [])))
  return hidden.size === 0 ? entries : entries.map((entry) => (hidden.has(entry.uniqueId) ? obscured(entry) : entry))
}
