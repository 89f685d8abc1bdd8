import type { AuditTrail, Clock, Outbox, PushJournal } from '../../core/ports.ts'
import type { Events } from '../../telemetry/events.ts'
import type { StartTransfer } from './transfers.ts'

/** What the operator's view of pushes and deliveries needs. */
export interface OperatorParts {
  readonly journal: PushJournal
  readonly outbox: Outbox
  readonly audit: AuditTrail
  readonly events: Pick<Events, 'auditWritten' | 'auditFailed' | 'deliveryRetried' | 'deliveryDiscarded'>
  readonly clock: Clock
  /** Called when something became due, or ceased to hold back what is behind it. */
  readonly wake: () => void
  /** Names by which the operator port is reached, beside addresses and names that no public domain has. */
  readonly names: readonly string[]
  /** By community: lets credentials be tried again that it had refused. */
  readonly credentials?: ReadonlyMap<string, () => void>
  /** Absent where no index is moved to us. */
  readonly startTransfer?: StartTransfer
}
