import type { Exchange } from '../model/call.ts'
import type { HideChange, Notification } from '../model/change.ts'
import type { CorrelationId } from '../model/identifiers.ts'
import type { PatientId } from '../model/patient.ts'
import type { JournalDraft } from '../ports.ts'

/** What the national infrastructure calls its notifications (ini.md §7.2). */
export type NotificationName = 'NotifySubmitObjects' | 'NotifyRetrieve' | 'NotifyHiding' | 'NotifyConsent'

/** A notification as it was received: what it tells, and what it was told by. */
export interface ReceivedNotification {
  readonly transaction: NotificationName
  readonly content: Notification | HideChange
  /** The message's own name, where it has one. */
  readonly messageId?: string
  /** SHA-256 of the message as it came, lower-case hexadecimal. */
  readonly digest: string
}

/** Takes a notification in; `repeated` when it was taken before. Rejects with GatewayError when it cannot be kept. */
export type AcceptNotification = (received: ReceivedNotification, exchange: Exchange) => Promise<'taken' | 'repeated'>

/** What a draft needs beside the notification. */
export interface NotificationDraftOptions {
  /** Random. */
  readonly id: string
  readonly correlationId: CorrelationId
  /** Milliseconds since the epoch. */
  readonly receivedAt: number
  /** How long the same content is taken for a repetition, in milliseconds; 15 minutes by default. */
  readonly repeatWithinMs?: number
  /** A digest whose text names nobody: SHA-256, hexadecimal. */
  readonly hash: (text: string) => string
  /** To whom it is told, as the journal knows them; absent, it is only kept. */
  readonly deliverAs?: string
}

/** Into how many slices the time of repetitions is cut: the more, the more exactly it ends. */
const slices = 4

/**
 * How a notification is written down. The sender repeats itself after timeouts and has no word for saying so (ini.md §6.2
 * no. 5, §7.2), so a repetition is recognised in two ways: by the message's own name together with its content, whenever
 * it comes; and by its content alone for `repeatWithinMs` after the first, whatever its name, and not for more than a
 * quarter longer. What changes something is recognised by name only unless it says when that was: of a consent that is
 * given, withdrawn and given again, the third is no repetition of the first. Those who are told may be told twice.
 */
export function draftOf(received: ReceivedNotification, options: NotificationDraftOptions): JournalDraft {
  const { transaction, content, digest } = received
  const { id, correlationId, receivedAt, hash, deliverAs } = options
  return {
    ...{ id, transaction, correlationId, digest, receivedAt },
    identities: identitiesOf(received, options),
    frees: [],
    patients: [content.patientId],
    objects: objectsOf(content, hash),
    pushed:
      content.type === 'hide' ? { kind: 'change', change: content } : { kind: 'notification', notification: content },
    ...(deliverAs === undefined ? {} : { deliverAs }),
  }
}

function identitiesOf(
  { transaction, content, messageId }: ReceivedNotification,
  { receivedAt, repeatWithinMs = 15 * 60_000, hash }: NotificationDraftOptions,
): readonly string[] {
  const told = canonical(content)
  const identity = (...parts: readonly (string | number)[]) => hash(JSON.stringify([transaction, ...parts, told]))
  const named = messageId === undefined ? [] : [identity('named', nameOf(messageId))]
  if (mayBeMeantAnew(content) || repeatWithinMs <= 0) return named
  // Two sets of consecutive slices meet when the messages are at most `slices` apart: so for the whole time at least,
  // and for less than a slice more, whichever of them comes first.
  const sliceMs = repeatWithinMs / slices
  const first = Math.floor(receivedAt / sliceMs)
  // Slices are numbered by their length, which may be configured otherwise tomorrow.
  const timed = Array.from({ length: slices + 1 }, (_, index) => identity('told', repeatWithinMs, first + index))
  return [...named, ...timed]
}

/** Whether the same words may ask for something once more, soon after it was undone: they do not say at which minute. */
function mayBeMeantAnew(content: ReceivedNotification['content']): boolean {
  if (content.type === 'hide') return !/T\d{2}|^\d{12}/.test(content.since ?? '')
  return content.type === 'consents-changed'
}

/** A message's name without its spelling: `urn:uuid:`, `uuid:` and nothing stand before the same UUID (ini.md §1.4). */
function nameOf(messageId: string): string {
  const [, uuid] = /^(?:urn:uuid:|uuid:)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i.exec(messageId) ?? []
  return uuid?.toLowerCase() ?? messageId
}

/** The same text for the same content, in whatever order its parts were put together. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

/**
 * What must stay in order: a hiding with the other changes of its document; what was done to one document, since order is
 * all that tells those notifications apart (ini.md §7.2); one person's consents. None of these notifications may hold up
 * the changes of a document, and what was retrieved holds up nobody.
 */
function objectsOf(content: ReceivedNotification['content'], hash: (text: string) => string): readonly string[] {
  switch (content.type) {
    case 'hide':
      return [content.uniqueId]
    case 'documents-submitted':
      return [`submitted:${content.repositoryUniqueId}:${content.uniqueId}`]
    case 'consents-changed':
      return [`consents:${hash(JSON.stringify(personOf(content.patientId)))}`]
    case 'document-retrieved':
      return []
  }
}

function personOf({ value, authority }: PatientId): readonly string[] {
  return [authority, value]
}
