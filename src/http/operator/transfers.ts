import { randomUUID } from 'node:crypto'
import { GatewayError, type Issue } from '../../core/errors.ts'
import { documentsTold, transferEvents } from '../../core/federation/index-transfer.ts'
import { correlationId } from '../../core/model/identifiers.ts'
import type { MissingDocument, MovedDocument, TransferEvent } from '../../core/model/index-transfer.ts'
import { authorities, type PatientId, patientId } from '../../core/model/patient.ts'
import type { AuditEvent, PushState, TransferOf, WaitingDelivery } from '../../core/ports.ts'
import { parseCx } from '../../wire/hl7/cx.ts'
import { deliveriesIn } from './cases.ts'
import { type ExplainedCode, explainedIn } from './explained.ts'
import type { OperatorParts } from './parts.ts'
import { OperatorRefusal } from './problems.ts'
import { type ListedDelivery, listedDelivery } from './views.ts'

/** Begins to move somebody's index to us: resolves when it cannot be lost. */
export type StartTransfer = (transfer: TransferOf & { readonly operator: string }) => Promise<void>

/** A document in the state of a transfer: its name in the world, as far as it was told, and its id at the former index. */
export interface ShownDocument {
  readonly id: string
  readonly document?: string
  readonly repository?: string
  readonly reason?: string
}

/** How a transfer stands. Whom it is about is not told. */
export interface TransferState {
  readonly id: string
  /** `stopped`: the next step failed for good, or was discarded. */
  readonly state: 'running' | 'stopped' | 'done'
  readonly startedAt?: string
  /** Ids that there were at the former index. */
  readonly listed: number
  readonly read: number
  /** Written down to be told to our record, and of these those that our record has taken. */
  readonly kept: number
  readonly delivered: number
  /** In our record, or on the way there, before. */
  readonly had: number
  readonly missing: readonly ShownDocument[]
  /** Not current at the former index, replaced by documents that nobody names: they stay there. */
  readonly left: readonly ShownDocument[]
  readonly removed: number
  readonly faults: readonly (ShownDocument & { readonly code: string; readonly text: string })[]
  /** The step under way, or that failed. */
  readonly step?: ListedDelivery
  readonly reason?: string
  readonly explanations?: readonly ExplainedCode[]
}

export interface TransferActions {
  /** Answers the new transfer's id. Throws OperatorRefusal, and GatewayError when it cannot be kept or accounted for. */
  start(patient: unknown, operator: string): Promise<string>
  /** Throws OperatorRefusal when no such transfer is known. */
  show(id: string, operator: string): Promise<TransferState>
}

/** What operators do about index transfers, each deed in the audit trail before it is done. */
export function transferActions(parts: OperatorParts): TransferActions {
  const { startTransfer, wake, journal } = parts
  return {
    async start(given, operator) {
      if (startTransfer === undefined) {
        throw new OperatorRefusal('conflict', 'By the configuration no index is moved to us')
      }
      const transfer = { transferId: `urn:uuid:${randomUUID()}`, patientId: patientIn(given) }
      await accountFor('start-transfer', transfer, operator, parts)
      await startTransfer({ ...transfer, operator })
      wake()
      return transfer.transferId
    },
    async show(transferId, operator) {
      const [began] = await transferEvents(transferId, journal)
      if (began?.type !== 'started') throw new OperatorRefusal('unknown', 'No such transfer is known')
      await accountFor('show-transfer', { transferId, patientId: began.patientId }, operator, parts)
      return await stateOf(transferId, parts)
    },
  }
}

/** A codice fiscale, or any identifier as `ID^^^&OID&ISO`. Throws OperatorRefusal. */
function patientIn(given: unknown): PatientId {
  if (typeof given !== 'string' || given.length > 256) {
    throw new OperatorRefusal('malformed', 'patient must be a codice fiscale, or have the form ID^^^&OID&ISO')
  }
  const cx = given.includes('^') ? parseCx(given) : { value: given, authority: authorities.codiceFiscale }
  if (cx === undefined) throw new OperatorRefusal('malformed', 'patient must have the form ID^^^&OID&ISO')
  try {
    return patientId(cx.value, cx.authority)
  } catch (error) {
    if (error instanceof GatewayError) throw new OperatorRefusal('malformed', `patient: ${error.message}`)
    throw error
  }
}

async function stateOf(id: string, parts: OperatorParts): Promise<TransferState> {
  // Before what was done, which is written down before a step ends: else one that has just ended would seem to be missing.
  const step = await stepOf(id, parts)
  const events = await transferEvents(id, parts.journal)
  const documents = [...documentsTold(events).values()]
  const became = (what: MovedDocument['became']) => documents.filter((document) => document.became === what)
  const kept = became('pushed')
  const states = await statesOf(kept, parts)
  const complete = events.find((event) => event.type === 'complete')
  const removed = new Set(events.flatMap((event) => (event.type === 'removed' ? event.ids : [])))
  const isDone = complete?.ids.every((one) => removed.has(one)) === true
  const explanations = explainedIn(step?.reason)
  return {
    id,
    state: isDone ? 'done' : step?.state === 'waiting' ? 'running' : 'stopped',
    ...(events[0] === undefined ? {} : { startedAt: new Date(events[0].at).toISOString() }),
    listed: events.flatMap((event) => (event.type === 'listed' ? event.ids : [])).length,
    read: documents.length,
    kept: kept.length,
    delivered: states.filter((state) => state === 'delivered').length,
    had: became('had').length,
    missing: complete === undefined ? missingIn(events).map(shown) : [],
    left: (complete?.left ?? []).map(shown),
    removed: removed.size,
    faults: documents.flatMap((document) => document.faults.map((fault) => ({ ...shown(document), ...told(fault) }))),
    ...(step === undefined || isDone ? {} : { step: listedDelivery(step) }),
    ...(step?.reason === undefined ? {} : { reason: step.reason }),
    ...(explanations.length === 0 ? {} : { explanations }),
  }
}

/** As it was found last. */
function missingIn(events: readonly TransferEvent[]): readonly MissingDocument[] {
  return events.reduce<readonly MissingDocument[]>(
    (found, event) => (event.type === 'missing' ? event.documents : found),
    [],
  )
}

/** One at a time: each may be large, and only a word of it is kept. */
async function statesOf(
  documents: readonly MovedDocument[],
  { journal }: OperatorParts,
): Promise<readonly PushState[]> {
  const states: PushState[] = []
  for (const { pushes } of documents) {
    for (const id of pushes) {
      const push = await journal.find(id)
      if (push !== undefined) states.push(push.state)
    }
  }
  return states
}

/** The first step that is not done: those behind it wait for it. */
async function stepOf(id: string, { outbox }: OperatorParts): Promise<WaitingDelivery | undefined> {
  for await (const delivery of deliveriesIn(outbox, undefined)) if (delivery.key === id) return delivery
  return undefined
}

function shown({ id, uniqueId, repositoryUniqueId, ...more }: MissingDocument | MovedDocument): ShownDocument {
  return {
    id,
    ...(uniqueId === undefined ? {} : { document: uniqueId }),
    ...(repositoryUniqueId === undefined ? {} : { repository: repositoryUniqueId }),
    ...('reason' in more ? { reason: more.reason } : {}),
  }
}

function told({ code, text }: Issue): Pick<Issue, 'code' | 'text'> {
  return { code, text }
}

async function accountFor(
  request: 'start-transfer' | 'show-transfer',
  { transferId, patientId }: TransferOf,
  operator: string,
  { audit, clock, events }: OperatorParts,
): Promise<void> {
  const at = clock.now()
  const exchange = { correlationId: correlationId(randomUUID()), transaction: 'operator' } as const
  const event: AuditEvent = {
    ...{ at, ...exchange, request, patientId, asked: [], outcome: 'success' },
    peer: { subject: operator, fingerprint: '' },
    operated: { delivery: transferId },
  }
  try {
    await audit.record(event)
    events.auditWritten({ correlationId: exchange.correlationId, durationMs: clock.now() - at })
  } catch (error) {
    events.auditFailed({ ...exchange, error })
    throw new GatewayError('internal', 'The gateway cannot account for this request', { cause: error })
  }
}
