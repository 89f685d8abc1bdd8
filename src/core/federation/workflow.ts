import type { CorrelationId } from '../model/identifiers.ts'
import type { WorkflowStatus } from '../model/workflow.ts'
import type { JournalDraft, JournaledPush, PushJournal } from '../ports.ts'

/** What the events of workflows are called in the journal. */
export const workflowTransaction = 'WorkflowStatus'

/** What a draft needs beside the event. */
export interface WorkflowDraftOptions {
  /** Random. */
  readonly id: string
  readonly correlationId: CorrelationId
  /** SHA-256 of the message as it came, lower-case hexadecimal. */
  readonly digest: string
  /** Milliseconds since the epoch. */
  readonly receivedAt: number
  /** A digest whose text names nobody: SHA-256, hexadecimal. */
  readonly hash: (text: string) => string
}

/**
 * How an event is written down: it is about nobody, and only kept. The same event of a workflow, told again, is the same,
 * whatever is told along with it: its kind, its outcome and its time tell events apart.
 */
export function workflowDraft(status: WorkflowStatus, options: WorkflowDraftOptions): JournalDraft {
  const { hash, ...received } = options
  const { workflowInstanceId, eventType, eventStatus, eventDate } = status
  return {
    ...received,
    transaction: workflowTransaction,
    identities: [hash(JSON.stringify([workflowTransaction, workflowInstanceId, eventType, eventStatus, eventDate]))],
    frees: [],
    patients: [],
    objects: [objectOf(workflowInstanceId)],
    pushed: { kind: 'workflow', status },
  }
}

/** An event of a workflow, and where it stands in the journal. */
export interface KnownWorkflowEvent {
  readonly push: Pick<JournaledPush, 'id' | 'correlationId' | 'receivedAt' | 'sequence'>
  readonly status: WorkflowStatus
}

/** What is known of a workflow, by the times of its events: those of one time, and those without, as they were told. */
export async function workflowEvents(
  workflowInstanceId: string,
  journal: Pick<PushJournal, 'naming'>,
): Promise<readonly KnownWorkflowEvent[]> {
  const pushes = await journal.naming([objectOf(workflowInstanceId)])
  const events = pushes.flatMap((push) =>
    push.pushed.kind === 'workflow' ? [{ push, status: push.pushed.status }] : [],
  )
  return events.sort((a, b) => timeOf(a) - timeOf(b) || a.push.sequence - b.push.sequence)
}

function objectOf(workflowInstanceId: string): string {
  return `workflow:${workflowInstanceId}`
}

function timeOf({ push, status }: KnownWorkflowEvent): number {
  const time = Date.parse(status.eventDate ?? '')
  return Number.isNaN(time) ? push.receivedAt : time
}
