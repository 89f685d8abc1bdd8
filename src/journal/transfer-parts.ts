import type { MovingParts } from '../core/federation/index-transfer.ts'
import type { AuthorizedCall } from '../core/model/call.ts'
import type { Clock, Community, IndexTransferSource, Outbox, PushJournal, TransferOf } from '../core/ports.ts'

/** What moving indexes to our record needs. */
export interface IndexTransferParts extends MovingParts {
  readonly source: IndexTransferSource
  /** Our own community: its record is asked what it has. */
  readonly own: Pick<Community, 'home' | 'registry' | 'patients'>
  readonly journal: Pick<PushJournal, 'append' | 'find' | 'naming' | 'touching'>
  readonly outbox: Pick<Outbox, 'put' | 'list'>
  readonly clock: Clock
  /** The kind of the deliveries that are steps. */
  readonly kind: string
  /** On whose word the former index, and our own record, are asked. */
  readonly callFor: (transfer: TransferOf, signal: AbortSignal) => AuthorizedCall
}

/** One transfer under way, on one attempt of one step. */
export interface Moving extends TransferOf {
  readonly call: AuthorizedCall
}
