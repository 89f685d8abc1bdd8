import { randomUUID } from 'node:crypto'
import { GatewayError } from '../../core/errors.ts'
import { type KnownWorkflowEvent, workflowEvents } from '../../core/federation/workflow.ts'
import { type CorrelationId, correlationId } from '../../core/model/identifiers.ts'
import type { AuditEvent, Outbox } from '../../core/ports.ts'
import { type Case, caseOf, concernsOf } from './cases.ts'
import type { OperatorParts } from './parts.ts'
import { OperatorRefusal } from './problems.ts'

/** Which of the two an operator speaks of: in `journal` only pushes are known. */
export type Where = 'journal' | 'deliveries'

/** What operators may do. Each throws OperatorRefusal, or GatewayError when the store or the audit trail cannot be used. */
export interface OperatorActions {
  inspect(where: Where, id: string, operator: string): Promise<Case>
  /** What is known of a publication at the national gateway. */
  follow(workflowInstanceId: string, operator: string): Promise<readonly KnownWorkflowEvent[]>
  /** Credentials that a community refused may be tried again: whoever resets them has mended them. */
  reset(community: string, operator: string): Promise<void>
  /** It is delivered again at once, from its first attempt on. */
  retry(where: Where, id: string, operator: string): Promise<void>
  /** It is given up for good; what the other side had said last is kept beside the reason. */
  discard(where: Where, id: string, operator: string, reason: string): Promise<void>
}

interface Deed {
  readonly request: 'inspect' | 'follow' | 'retry' | 'discard' | 'reset'
  readonly operator: string
  readonly reason?: string
}

/**
 * What operators do, each deed in the audit trail before it is done: if the record cannot be written, nothing is shown or
 * done. One that proves impossible in the end leaves a second record that says so.
 */
export function operatorActions(parts: OperatorParts): OperatorActions {
  const { journal, outbox, clock, events, wake } = parts

  async function found(where: Where, id: string): Promise<Case> {
    const one = await caseOf(id, parts)
    if (one !== undefined && (where === 'deliveries' || one.push !== undefined)) return one
    if (where === 'deliveries' && (await isDone(id, outbox)))
      throw new OperatorRefusal('conflict', 'It was delivered or discarded')
    throw new OperatorRefusal('unknown', where === 'journal' ? 'No such push is known' : 'No such delivery is known')
  }

  async function act(one: Case, deed: Deed, change: () => Promise<boolean>): Promise<void> {
    const exchange = correlationId(randomUUID())
    const { push } = one
    const isOver = push !== undefined && push.state !== 'pending'
    if (!isOver) {
      await accountFor(one, deed, 'success', exchange, parts)
      if (await change()) return
    }
    await accountFor(one, deed, 'failure', exchange, parts)
    throw new OperatorRefusal(
      'conflict',
      isOver ? `It is ${push.state}` : 'It is under way, or due already, or done with',
    )
  }

  return {
    async inspect(where, id, operator) {
      const one = await found(where, id)
      await accountFor(one, { request: 'inspect', operator }, 'success', correlationId(randomUUID()), parts)
      return one
    },
    async follow(id, operator) {
      const events = await workflowEvents(id, journal)
      if (events.length === 0) throw new OperatorRefusal('unknown', 'No event of such a workflow is known')
      await accountFor({ id }, { request: 'follow', operator }, 'success', correlationId(randomUUID()), parts)
      return events
    },
    async reset(community, operator) {
      const reset = parts.credentials?.get(community)
      if (reset === undefined) throw new OperatorRefusal('unknown', 'No community of that name has credentials')
      await accountFor({ id: community }, { request: 'reset', operator }, 'success', correlationId(randomUUID()), parts)
      reset()
    },
    async retry(where, id, operator) {
      const one = await found(where, id)
      await act(one, { request: 'retry', operator }, () => outbox.retry(id, clock.now()))
      events.deliveryRetried({ id, kind: kindOf(one) })
      wake()
    },
    async discard(where, id, operator, reason) {
      const one = await found(where, id)
      const failed = one.delivery?.reason === undefined ? [] : [`the last attempt failed: ${one.delivery.reason}`]
      const kept = [`discarded by ${operator}: ${reason}`, ...failed].join('\n')
      await act(one, { request: 'discard', operator, reason }, () =>
        one.push === undefined ? outbox.discard(id, kept) : journal.discard(id, kept),
      )
      events.deliveryDiscarded({ id, kind: kindOf(one) })
      // What was behind it may go out now.
      wake()
    },
  }
}

/** Whether an id is that of a delivery which is not there any more: the list can be gone on with after it. */
async function isDone(id: string, outbox: Outbox): Promise<boolean> {
  try {
    await outbox.list({ after: id, limit: 1 })
    return true
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'parameter-invalid') return false
    throw error
  }
}

function kindOf({ push, delivery }: Case): string {
  return delivery?.kind ?? push?.transaction ?? ''
}

/** What a deed was about: a push, a delivery, or a workflow. */
type Matter = Case | { readonly id: string }

async function accountFor(
  one: Matter,
  { request, operator, reason }: Deed,
  outcome: AuditEvent['outcome'],
  correlation: CorrelationId,
  { audit, clock, events }: OperatorParts,
): Promise<void> {
  const at = clock.now()
  const exchange = { correlationId: correlation, transaction: 'operator' } as const
  try {
    await audit.record({
      ...{ at, ...exchange, request, asked: [], outcome },
      // Nobody has proved who they are at this port; the name is what was said.
      peer: { subject: operator, fingerprint: '' },
      ...('push' in one || 'delivery' in one ? concernsOf(one) : {}),
      operated: { delivery: one.id, ...(reason === undefined ? {} : { reason }) },
    })
    events.auditWritten({ correlationId: correlation, durationMs: clock.now() - at })
  } catch (error) {
    events.auditFailed({ ...exchange, error })
    throw new GatewayError('internal', 'The gateway cannot account for this request', { cause: error })
  }
}
