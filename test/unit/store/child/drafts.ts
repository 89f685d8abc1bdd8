import type { CorrelationId, Oid } from '../../../../src/core/model/identifiers.ts'
import type { PatientId } from '../../../../src/core/model/patient.ts'
import type { JournalDraft, JournaledPush, PushState } from '../../../../src/core/ports.ts'

/** A synthetic person, told apart by a name. */
export function person(name: string): PatientId {
  return { value: name, authority: '2.16.840.1.113883.2.9.4.3.2' as Oid }
}

/** A push of that id, which nothing repeats and which touches nothing that others do. */
export function draft(id: string, changes: Partial<JournalDraft> = {}): JournalDraft {
  return {
    id,
    transaction: 'ITI-62',
    correlationId: `correlation ${id}` as CorrelationId,
    digest: 'ab'.repeat(32),
    receivedAt: Date.UTC(2026, 2, 2),
    identities: [`identity of ${id}`],
    frees: [],
    patients: [person(`person of ${id}`)],
    objects: [`object of ${id}`],
    pushed: { kind: 'change', change: { type: 'remove', ids: [`urn:uuid:${id}`], entries: [] } },
    deliverAs: 'push:tuscany',
    ...changes,
  }
}

/** The same, only kept. */
export function keptDraft(id: string, changes: Partial<JournalDraft> = {}): JournalDraft {
  const { deliverAs: _, ...kept } = draft(id, changes)
  return kept
}

/** How the journal tells of that draft. */
export function pushOf(appended: JournalDraft, sequence: number, state: PushState = 'pending'): JournaledPush {
  const { identities: _, frees: __, deliverAs: ___, ...told } = appended
  return { ...told, sequence, state }
}
