import type { KnownWorkflowEvent } from '../../core/federation/workflow.ts'
import type { WorkflowStatus } from '../../core/model/workflow.ts'
import type { JournaledPush, PushState, WaitingDelivery } from '../../core/ports.ts'
import { type Case, contentOf, documentsIn } from './cases.ts'
import { type ExplainedCode, explainedIn } from './explained.ts'

/** A state as operators know it: a push that is pending and whose delivery is dead is dead. */
export type ShownState = PushState | WaitingDelivery['state']

/** A push of a list: whom and what it is about is not told. Instants are in ISO 8601, UTC. */
export interface ListedPush {
  readonly id: string
  readonly sequence: number
  readonly transaction: string
  readonly state: ShownState
  readonly receivedAt: string
  readonly settledAt?: string
  readonly correlationId: string
  readonly documents: number
}

/** A delivery of a list. */
export interface ListedDelivery {
  readonly id: string
  /** What it is and to whom: `push:tuscany`. */
  readonly kind: string
  readonly state: WaitingDelivery['state']
  readonly putAt: string
  readonly attempts: number
  /** When it is tried next, once it is its turn; absent for a dead one. */
  readonly nextAttemptAt?: string
}

/** One push or delivery, whole. */
export interface Inspected extends Partial<Omit<ListedDelivery, 'id' | 'state'>> {
  readonly id: string
  readonly state: ShownState
  readonly sequence?: number
  readonly transaction?: string
  readonly correlationId?: string
  /** SHA-256 of the message as it came. */
  readonly digest?: string
  readonly receivedAt?: string
  readonly settledAt?: string
  /** Why the last attempt failed, in the other side's own words, or why it was discarded. */
  readonly reason?: string
  /** What the codes in the reason mean; absent where none of them is known. */
  readonly explanations?: readonly ExplainedCode[]
  readonly documents: readonly { readonly document: string; readonly repository?: string; readonly home?: string }[]
  /** entryUUIDs of what is to be removed. */
  readonly removes?: readonly string[]
  readonly content?: unknown
}

/** A publication at the national gateway, its events in their order. */
export interface FollowedWorkflow {
  readonly workflowInstanceId: string
  readonly events: readonly (Omit<WorkflowStatus, 'workflowInstanceId'> & {
    readonly receivedAt: string
    /** The push that brought it. */
    readonly id: string
    readonly correlationId: string
  })[]
}

export function followed(workflowInstanceId: string, events: readonly KnownWorkflowEvent[]): FollowedWorkflow {
  return {
    workflowInstanceId,
    events: events.map(({ push: { id, correlationId, receivedAt }, status: { workflowInstanceId: _, ...told } }) => ({
      ...told,
      ...{ receivedAt: instant(receivedAt), id, correlationId },
    })),
  }
}

export function listedPush(push: JournaledPush, isDead: boolean): ListedPush {
  const { id, sequence, transaction, correlationId, receivedAt, settledAt } = push
  return {
    ...{ id, sequence, transaction, state: isDead ? 'dead' : push.state, receivedAt: instant(receivedAt) },
    ...(settledAt === undefined ? {} : { settledAt: instant(settledAt) }),
    ...{ correlationId, documents: documentsIn({ id, push }).length },
  }
}

export function listedDelivery({ id, kind, state, putAt, attempts, nextAt }: WaitingDelivery): ListedDelivery {
  return {
    ...{ id, kind, state, putAt: instant(putAt), attempts },
    ...(state === 'dead' ? {} : { nextAttemptAt: instant(nextAt) }),
  }
}

/** A case as it is inspected; its content only where that is asked for. */
export function inspected(one: Case, withContent: boolean): Inspected {
  const { id, push, delivery } = one
  const reason = delivery?.reason ?? push?.reason
  const explanations = explainedIn(reason)
  return {
    id,
    ...(push === undefined ? {} : received(push)),
    ...(delivery === undefined ? {} : listedDelivery(delivery)),
    state: stateOf(one),
    ...(reason === undefined ? {} : { reason }),
    ...(explanations.length === 0 ? {} : { explanations }),
    documents: documentsIn(one).map(({ uniqueId, repositoryUniqueId, home }) => ({
      document: uniqueId,
      ...(repositoryUniqueId === '' ? {} : { repository: repositoryUniqueId }),
      ...(home === undefined ? {} : { home }),
    })),
    ...(withContent ? { content: contentOf(one) } : {}),
  }
}

function received({ sequence, transaction, correlationId, digest, receivedAt, settledAt, pushed }: JournaledPush) {
  const removes = pushed.kind === 'change' && pushed.change.type === 'remove' ? pushed.change.ids : undefined
  return {
    ...{ sequence, transaction, correlationId, digest, receivedAt: instant(receivedAt) },
    ...(settledAt === undefined ? {} : { settledAt: instant(settledAt) }),
    ...(removes === undefined ? {} : { removes }),
  }
}

function stateOf({ push, delivery }: Case): ShownState {
  if (push === undefined) return delivery.state
  return push.state === 'pending' && delivery?.state === 'dead' ? 'dead' : push.state
}

function instant(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
