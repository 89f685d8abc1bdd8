import { GatewayError } from '../core/errors.ts'
import type { Assertion, AuthorizedCall } from '../core/model/call.ts'
import type { HideChange } from '../core/model/change.ts'
import type { Clock, Community, JournaledPush, PushJournal } from '../core/ports.ts'
import type { Deliverer } from './dispatcher.ts'

export interface PushDelivererParts {
  readonly journal: PushJournal
  /** Our own community. */
  readonly own: Community
  readonly clock: Clock
  /** How long one attempt may take, milliseconds. */
  readonly timeoutMs: number
  /** Who we say it is that asks for what INI notified us of without an assertion. */
  readonly ourselves: (change: HideChange, push: JournaledPush) => Assertion
}

/**
 * Carries what was pushed to us to our record: on the word of whoever pushed it, under the correlation id it came with. One
 * that is done with, or was given up meanwhile, is passed over.
 */
export function pushDeliverer({ journal, own, clock, timeoutMs, ourselves }: PushDelivererParts): Deliverer {
  return async ({ content: id }, signal) => {
    const push = await journal.find(id)
    if (push?.state !== 'pending') return
    const { pushed } = push
    if (pushed.kind === 'notification') {
      if (own.notifications === undefined) throw unwanted('notification')
      await own.notifications.tell(pushed.notification, signal)
      return
    }
    if (own.recipient === undefined) throw unwanted('change')
    const { change } = pushed
    const assertion = pushed.assertion ?? (change.type === 'hide' ? ourselves(change, push) : undefined)
    if (assertion === undefined) throw new GatewayError('internal', 'A change was kept without anybody’s word')
    await own.recipient.accept(change, callOf(push, assertion, clock.now() + timeoutMs, signal))
  }
}

function unwanted(what: string): GatewayError {
  return new GatewayError('internal', 'Our record takes no such thing by its configuration', { details: { what } })
}

function callOf(push: JournaledPush, assertion: Assertion, deadline: number, signal: AbortSignal): AuthorizedCall {
  const { role, purposeOfUse, subject } = assertion
  return {
    correlationId: push.correlationId,
    signal,
    deadline,
    // Nobody is at the other end: the push was authenticated when it came, and its audit record says by whom.
    peer: { subject: 'journal', fingerprint: push.digest },
    assertion,
    permit: { partition: `push ${push.id}`, viewer: { role, purposeOfUse, subject } },
  }
}
