import { GatewayError } from '../../core/errors.ts'
import type { Pushed } from '../../core/model/change.ts'
import type { RetrieveNotice } from '../../core/model/notice.ts'
import type { PatientId } from '../../core/model/patient.ts'
import type { DocumentReference } from '../../core/model/retrieval.ts'
import type { AuditEvent, JournaledPush, Outbox, PushJournal, WaitingDelivery } from '../../core/ports.ts'

/** Something an operator may act upon: a push, with its delivery as long as it has one, or a delivery that is no push. */
export type Case =
  | { readonly id: string; readonly push: JournaledPush; readonly delivery?: WaitingDelivery }
  | { readonly id: string; readonly push?: undefined; readonly delivery: WaitingDelivery }

type Places = { readonly journal: PushJournal; readonly outbox: Outbox }

const page = 100
const mostPages = 1_000

/** What is known under an id; `undefined` when it is neither a push nor a delivery that waits or is dead. */
export async function caseOf(id: string, { journal, outbox }: Places): Promise<Case | undefined> {
  const [push, delivery] = await Promise.all([journal.find(id), deliveryOf(id, outbox)])
  if (push !== undefined) return { id, push, ...(delivery === undefined ? {} : { delivery }) }
  return delivery && { id, delivery }
}

/** The dead are looked through first: they are few, and what an operator asks about is among them. */
async function deliveryOf(id: string, outbox: Outbox): Promise<WaitingDelivery | undefined> {
  for (const state of ['dead', undefined] as const) {
    for await (const delivery of deliveriesIn(outbox, state)) if (delivery.id === id) return delivery
  }
  return undefined
}

/** Everything that waits or is dead, or only what is dead. Throws `overloaded` when it is more than may be looked through. */
export async function* deliveriesIn(outbox: Outbox, state: 'dead' | undefined): AsyncGenerator<WaitingDelivery> {
  let after: string | undefined
  for (let pages = 0; pages < mostPages; pages++) {
    const found = await outbox.list({
      limit: page,
      ...(state === undefined ? {} : { state }),
      ...(after === undefined ? {} : { after }),
    })
    yield* found
    if (found.length < page) return
    after = found.at(-1)?.id
  }
  throw new GatewayError('overloaded', 'More waits to be delivered than can be looked through')
}

/** Whom a case is about and which documents, for the audit trail. */
export function concernsOf({ push, delivery }: Case): Pick<AuditEvent, 'patientId' | 'documents'> {
  if (push !== undefined) {
    const patientId = push.patients[0] ?? patientOf(push.pushed)
    return { ...(patientId === undefined ? {} : { patientId }), documents: documentsOf(push.pushed) }
  }
  const step = stepIn(delivery)
  if (step !== undefined) return { patientId: step.patientId }
  const notice = noticeIn(delivery)
  return notice === undefined ? {} : { patientId: notice.patientId, documents: [referenceOf(notice)] }
}

/** The documents of a case; what a push does not tell of them is empty. */
export function documentsIn({ push, delivery }: Case): readonly DocumentReference[] {
  if (push !== undefined) return documentsOf(push.pushed)
  const notice = noticeIn(delivery)
  return notice === undefined ? [] : [referenceOf(notice)]
}

/** What was pushed or is to be told, as data; `undefined` when it is of no form that is known here. */
export function contentOf({ push, delivery }: Case): unknown {
  if (push === undefined) return stepIn(delivery) ?? noticeIn(delivery)
  const { pushed } = push
  switch (pushed.kind) {
    case 'change':
      return pushed.change
    case 'notification':
      return pushed.notification
    case 'workflow':
      return pushed.status
    case 'transfer':
      return pushed.event
  }
}

/** Of what is told on, which is in nobody's index of pushes. */
function patientOf(pushed: Pushed): PatientId | undefined {
  if (pushed.kind !== 'change') return undefined
  const { change } = pushed
  if (change.type === 'hide') return change.patientId
  return change.type === 'remove' ? change.entries[0]?.patientId : change.submission.submissionSet.patientId
}

function documentsOf(pushed: Pushed): readonly DocumentReference[] {
  if (pushed.kind === 'workflow') return []
  if (pushed.kind === 'transfer') return pushed.event.type === 'read' ? pushed.event.documents.map(referenceOf) : []
  if (pushed.kind === 'notification') {
    const { notification } = pushed
    return notification.type === 'consents-changed' ? [] : [referenceOf(notification)]
  }
  const { change } = pushed
  switch (change.type) {
    case 'submit':
    case 'update':
      return change.submission.entries.map(referenceOf)
    case 'remove':
      return change.entries.map(referenceOf)
    case 'hide':
      return [referenceOf(change)]
  }
}

function referenceOf(told: Partial<DocumentReference> & Pick<DocumentReference, 'uniqueId'>): DocumentReference {
  const { home, repositoryUniqueId = '', uniqueId } = told
  return { repositoryUniqueId, uniqueId, ...(home === undefined ? {} : { home }) }
}

/** The gateway itself has written it. */
function stepIn({ kind, content }: WaitingDelivery): { readonly patientId: PatientId } | undefined {
  return kind.startsWith('index-transfer:') ? (JSON.parse(content) as { readonly patientId: PatientId }) : undefined
}

/** So it has this. */
function noticeIn({ kind, content }: WaitingDelivery): RetrieveNotice | undefined {
  return kind.startsWith('notify-retrieve:') ? (JSON.parse(content) as RetrieveNotice) : undefined
}
