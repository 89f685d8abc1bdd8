import { GatewayError } from '../core/errors.ts'
import type { Assertion, AuthorizedCall } from '../core/model/call.ts'
import type { HideChange, MetadataChange } from '../core/model/change.ts'
import type { Clock, Community, DocumentRecipient, JournalDraft, JournaledPush, PushJournal } from '../core/ports.ts'
import type { Deliverer } from './dispatcher.ts'

export interface PushDelivererParts {
  readonly journal: PushJournal
  /** Who is told: our own community, or the one that our producers' pushes are published to. */
  readonly to: Community
  readonly clock: Clock
  /** How long one attempt may take, milliseconds. */
  readonly timeoutMs: number
  /** Who we say it is that asks for what INI notified us of without an assertion. */
  readonly ourselves: (change: HideChange, push: JournaledPush) => Assertion
  /** Whether nobody else is to be told, whatever was to follow (`JournalDraft.followedBy`); by default somebody is. */
  readonly isLast?: (push: JournaledPush, call: AuthorizedCall) => Promise<boolean>
}

/**
 * Carries what was pushed to us to our record, or on from there: on the word of whoever pushed it, under the correlation id
 * it came with. One that is done with, or was given up meanwhile, is passed over. What follows is put before the delivery
 * is written down as made: at least once, and twice is once.
 */
export function pushDeliverer(parts: PushDelivererParts): Deliverer {
  const { journal, to, clock, timeoutMs, ourselves, isLast } = parts
  return async ({ content: id }, signal) => {
    const push = await journal.find(id)
    if (push?.state !== 'pending') return
    const { pushed } = push
    if (pushed.kind === 'notification') {
      if (to.notifications === undefined) throw unwanted('notification')
      await to.notifications.tell(pushed.notification, signal)
      return
    }
    if (pushed.kind === 'workflow' || pushed.kind === 'transfer') throw unwanted(pushed.kind)
    if (to.recipient === undefined) throw unwanted('change')
    const { change } = pushed
    const assertion = pushed.assertion ?? (change.type === 'hide' ? ourselves(change, push) : undefined)
    if (assertion === undefined) throw new GatewayError('internal', 'A change was kept without anybody’s word')
    const call = callOf(push, assertion, clock.now() + timeoutMs, signal)
    await accepted(to.recipient, change, call, push, journal)
    if (push.followedBy === undefined || (await isLast?.(push, call)) === true) return
    await journal.append(following(push, push.followedBy))
  }
}

/**
 * A document may be hidden before our record hears of it (ini.md §6.3 no. 4: notifications out of order). A communication
 * that came after the hiding carries it; until one comes, the hiding waits.
 */
async function accepted(
  recipient: DocumentRecipient,
  change: MetadataChange,
  call: AuthorizedCall,
  push: JournaledPush,
  journal: PushJournal,
): Promise<void> {
  try {
    await recipient.accept(change, call)
  } catch (error) {
    if (change.type !== 'hide' || !(error instanceof GatewayError) || error.code !== 'document-unknown') throw error
    const later = await journal.touching([change.uniqueId])
    const isCarried = later.some(({ sequence, pushed }) => {
      return sequence > push.sequence && pushed.kind === 'change' && pushed.change.type === 'submit'
    })
    if (isCarried) return
    throw new GatewayError('community-unavailable', 'The document to be hidden is not known yet', { cause: error })
  }
}

/**
 * What follows is a push of its own: it goes out after those before it about the same documents that wait for the same
 * recipient. It is about nobody, since it changes nothing in our index.
 */
function following(push: JournaledPush, kind: string): JournalDraft {
  const { id, transaction, correlationId, digest, receivedAt, objects, pushed } = push
  return {
    ...{ id: `${id}:${kind}`, transaction, correlationId, digest, receivedAt, pushed },
    ...{ identities: [], frees: [], patients: [], objects: objects.map((object) => `${kind} ${object}`) },
    deliverAs: kind,
  }
}

function unwanted(what: string): GatewayError {
  return new GatewayError('internal', 'The recipient takes no such thing by its configuration', { details: { what } })
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
