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
  /** Where the event stands in the message, counted from 0. */
  readonly position: number
  /** Milliseconds since the epoch. */
  readonly receivedAt: number
  /** A digest whose text names nobody: SHA-256, hexadecimal. */
  readonly hash: (text: string) => string
}

/**
 * How an event is written down: it is about nobody, and only kept. The same event of a workflow, told again, is the same,
 * whatever is told along with it: its kind, its outcome and its time tell events apart. One without a time is the same only
 * at its place in the same message: what failed, and was tried again, may fail again.
 */
export function workflowDraft(status: WorkflowStatus, options: WorkflowDraftOptions): JournalDraft {
  const { hash, position, ...received } = options
  const { workflowInstanceId, eventType, eventStatus, eventDate } = status
  const occasion = eventDate === undefined ? [received.digest, position] : [eventDate]
  const event = [workflowTransaction, workflowInstanceId, eventType, eventStatus, ...occasion]
  return {
    ...received,
    transaction: workflowTransaction,
    identities: [hash(JSON.stringify(event))],
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
