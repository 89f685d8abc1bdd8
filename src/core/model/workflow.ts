/** The kinds of events that are documented (ini.md §7.4); others may come. */
export const workflowEventTypes = [
  'VALIDATION',
  'PUBLICATION',
  'SEND_TO_INI',
  'SEND_TO_UAR',
  'UAR_FINAL_STATUS',
] as const

/** The outcomes that are documented; others may come. */
export const workflowEventStatuses = ['SUCCESS', 'BLOCKING_ERROR'] as const

/** One event on the way of what a producer published, as the national FSE 2.0 gateway told it (ini.md §7.4). */
export interface WorkflowStatus {
  /** Which publication: an arc and digests, nothing personal (ini.md §3.4). */
  readonly workflowInstanceId: string
  readonly eventType: string
  readonly eventStatus: string
  /** ISO 8601, as told. */
  readonly eventDate?: string
  /** Who published. */
  readonly issuer?: string
  /** In the other side's words; may hold personal data. */
  readonly message?: string
}
