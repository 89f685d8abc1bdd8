import type { Issue } from '../errors.ts'
import type { Assertion } from '../model/call.ts'
import type { Submission, SubmitChange } from '../model/change.ts'
import { correlationId } from '../model/identifiers.ts'
import type { MissingDocument, MovedDocument, TransferEvent } from '../model/index-transfer.ts'
import type { DocumentEntry } from '../model/metadata.ts'
import { type PatientId, samePatientId } from '../model/patient.ts'
import type { JournalDraft, JournaledPush, PushJournal, TransferOf } from '../ports.ts'
import { communicated } from './document-recipient.ts'
import { obscuredCode } from './overlay.ts'

/** What the steps of index transfers, and the pushes that come of them, are called in the journal. */
export const transferTransaction = 'IndexTransfer'

/** What writing down documents that are moved needs. */
export interface MovingParts {
  /** SHA-256, lower-case hexadecimal. */
  readonly hash: (text: string) => string
  /** The submission that tells our record of a document, the same whenever it is made. */
  readonly submissionOf: (entry: DocumentEntry) => Submission
  /** What the affinity domain has against the metadata. */
  readonly check: (change: SubmitChange) => readonly Issue[]
  /** On whose word our record is told. */
  readonly assertionFor: (transfer: TransferOf, entry: DocumentEntry) => Assertion
  /** The kind of the deliveries to our record. */
  readonly deliverAs: string
}

/** How an event of a transfer is written down: once under its id, about nobody, found by the transfer. */
export function eventDraft(
  id: string,
  { transferId, event }: Pick<TransferOf, 'transferId'> & { readonly event: TransferEvent },
  { hash, now }: Pick<MovingParts, 'hash'> & { readonly now: number },
): JournalDraft {
  return {
    ...{ id, transaction: transferTransaction, correlationId: correlationId(transferId), receivedAt: now },
    digest: hash(JSON.stringify(event)),
    // Whom the transfer is about is in what began it.
    patients: event.type === 'started' ? [event.patientId] : [],
    ...{ identities: [], frees: [], objects: [transferId] },
    pushed: { kind: 'transfer', transferId, event },
  }
}

/** What was done for a transfer, in its order. */
export async function transferEvents(
  transferId: string,
  journal: Pick<PushJournal, 'naming'>,
): Promise<readonly (TransferEvent & { readonly at: number })[]> {
  const pushes = await journal.naming([transferId])
  return pushes.flatMap(({ pushed, receivedAt }) => {
    return pushed.kind === 'transfer' ? [{ ...pushed.event, at: receivedAt }] : []
  })
}

/**
 * The document as a push to our record. Its id follows from the transfer and the document, so that a step that is done
 * again writes nothing twice; `anew` when an earlier push of the same document is with a record that has it no more.
 */
export function moveDraft(
  entry: DocumentEntry,
  transfer: TransferOf,
  { now, anew }: { readonly now: number; readonly anew: boolean },
  parts: MovingParts,
): JournalDraft {
  const submission = parts.submissionOf(entry)
  const identity = communicated(entry)
  const ids = [submission.submissionSet.entryUuid, ...submission.entries.map(({ entryUuid }) => entryUuid)]
  return {
    ...pushDraft(entry, transfer, { what: 'move', now }, parts),
    identities: [anew ? `${identity} moved by ${transfer.transferId}` : identity],
    objects: [...new Set([...ids, entry.uniqueId])],
    pushed: { kind: 'change', change: { type: 'submit', submission }, assertion: parts.assertionFor(transfer, entry) },
  }
}

/** That our record is to hide a document that it has: the former index has been where it was hidden. */
export function hideDraft(
  entry: DocumentEntry,
  transfer: TransferOf,
  now: number,
  parts: Pick<MovingParts, 'hash' | 'deliverAs'>,
): JournalDraft {
  const { patientId, uniqueId } = entry
  return {
    ...pushDraft(entry, transfer, { what: 'hide', now }, parts),
    identities: [],
    objects: [uniqueId],
    pushed: { kind: 'change', change: { type: 'hide', patientId, uniqueId } },
  }
}

function pushDraft(
  entry: DocumentEntry,
  { transferId, patientId }: TransferOf,
  { what, now }: { readonly what: 'move' | 'hide'; readonly now: number },
  { hash, deliverAs }: Pick<MovingParts, 'hash' | 'deliverAs'>,
): Omit<JournalDraft, 'identities' | 'objects' | 'pushed'> {
  const patients = samePatientId(entry.patientId, patientId) ? [patientId] : [entry.patientId, patientId]
  return {
    id: `${transferId}:${what}:${hash(entry.entryUuid).slice(0, 32)}`,
    ...{ transaction: transferTransaction, correlationId: correlationId(transferId), receivedAt: now },
    ...{ digest: hash(JSON.stringify(entry)), frees: [], patients, deliverAs },
  }
}

/** A document as it is noted in the events of a transfer. */
export function movedDocument(
  entry: DocumentEntry,
  { became, pushes, faults }: Pick<MovedDocument, 'became' | 'pushes' | 'faults'>,
): MovedDocument {
  const { entryUuid, logicalId, uniqueId, repositoryUniqueId, hash } = entry
  return {
    id: entryUuid,
    ...(logicalId === undefined ? {} : { logicalId }),
    uniqueId,
    ...(repositoryUniqueId === undefined ? {} : { repositoryUniqueId }),
    ...(hash === undefined ? {} : { hash }),
    ...{ obscured: isObscured(entry), became, pushes, faults },
  }
}

/** Whether a registry counts the document as current. One that says nothing does. */
export function isCurrent({ status }: DocumentEntry): boolean {
  return status !== 'deprecated'
}

/** Whether an entry is about the person. Somebody else's is never taken, whoever tells of it. */
export function isAbout({ patientId }: DocumentEntry, identifiers: readonly PatientId[]): boolean {
  return identifiers.some((one) => samePatientId(one, patientId))
}

type Named = Pick<MovedDocument, 'uniqueId' | 'repositoryUniqueId' | 'hash'>

/** Whether our record's entry is the document: by its name, its keeper and its content, as far as both tell them. */
export function isSame(one: Named, other: Named): boolean {
  const agree = (a: string | undefined, b: string | undefined) => a === undefined || b === undefined || a === b
  return (
    one.uniqueId === other.uniqueId &&
    agree(one.repositoryUniqueId, other.repositoryUniqueId) &&
    agree(one.hash, other.hash)
  )
}

export function isObscured({ eventCodes }: DocumentEntry): boolean {
  return eventCodes.some(({ code }) => code === obscuredCode.code)
}

/** Whether the document has arrived: in our record, and hidden there when it was hidden. */
export function hasArrived(document: MovedDocument, ours: readonly DocumentEntry[]): boolean {
  const found = ours.filter((entry) => isSame(document, entry))
  return found.length > 0 && (!document.obscured || found.filter(isCurrent).every(isObscured))
}

/**
 * Why a document that our record does not tell of has not arrived; `undefined` while it may still. `before` are pending
 * pushes of the same document, which go out in their order.
 */
export function whyMissing(
  pushes: readonly (JournaledPush | undefined)[],
  deadFor: ReadonlyMap<string, string>,
  before: readonly JournaledPush[] = [],
): string | undefined {
  for (const push of pushes) {
    if (push === undefined) continue
    const dead = deadFor.get(push.id)
    if (push.state === 'pending' && dead !== undefined) return `delivery ${push.id} is dead: ${dead}`
    if (push.state === 'discarded') return `push ${push.id} was ${push.reason ?? 'discarded'}`
  }
  if (pushes.some((push) => push?.state === 'pending')) {
    const ahead = before.find(({ id }) => deadFor.has(id))
    return ahead && `it waits behind delivery ${ahead.id}, which is dead: ${deadFor.get(ahead.id)}`
  }
  return 'our record does not tell of it as the former index does'
}

/** The documents told of in a transfer, each as it was told last, by their ids there. */
export function documentsTold(events: readonly TransferEvent[]): ReadonlyMap<string, MovedDocument> {
  const reads = events.flatMap((event) => (event.type === 'read' ? event.documents : []))
  return new Map(reads.map((document) => [document.id, document]))
}

/** Ids that could not be moved when they were last read, by the reason. */
export function untoldIn(events: readonly TransferEvent[]): ReadonlyMap<string, MissingDocument> {
  const untold = new Map<string, MissingDocument>()
  for (const event of events) {
    if (event.type !== 'read') continue
    for (const missing of event.untold) untold.set(missing.id, missing)
    for (const { id } of event.documents) untold.delete(id)
  }
  return untold
}

/**
 * Of the documents that are still there, those that may be removed: what has arrived, and its own former versions. What was
 * replaced by another document stays: an index transfer tells no associations, and as a document without a successor it
 * would be current here.
 */
export function removable(
  still: readonly MovedDocument[],
): Pick<Extract<TransferEvent, { type: 'complete' }>, 'ids' | 'left'> {
  const current = still.filter(({ became }) => became !== 'former')
  const isVersion = (former: MovedDocument) =>
    current.some(
      (one) => (one.logicalId ?? one.id) === (former.logicalId ?? former.id) || isSame(withoutHash(one), former),
    )
  const stays = still.filter((document) => document.became === 'former' && !isVersion(document))
  const left = new Set(stays.map(({ id }) => id))
  return {
    ids: still.flatMap(({ id }) => (left.has(id) ? [] : [id])),
    left: stays.map((document) => missing(document, 'it is not current there, and what has replaced it is not told')),
  }
}

function withoutHash({ uniqueId, repositoryUniqueId }: Named): Named {
  return { uniqueId, ...(repositoryUniqueId === undefined ? {} : { repositoryUniqueId }) }
}

/** A document that was told of, as missing. */
export function missing(
  { id, uniqueId, repositoryUniqueId }: Omit<MissingDocument, 'reason'>,
  reason: string,
): MissingDocument {
  return {
    id,
    ...(uniqueId === undefined ? {} : { uniqueId }),
    ...(repositoryUniqueId === undefined ? {} : { repositoryUniqueId }),
    reason,
  }
}
