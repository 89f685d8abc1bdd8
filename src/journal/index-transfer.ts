import { GatewayError } from '../core/errors.ts'
import {
  documentsTold,
  eventDraft,
  hideDraft,
  isAbout,
  isCurrent,
  isObscured,
  isSame,
  missing,
  moveDraft,
  movedDocument,
  removable,
  transferEvents,
  untoldIn,
} from '../core/federation/index-transfer.ts'
import { chunksOf } from '../core/federation/lookup.ts'
import type { MissingDocument, MovedDocument, TransferEvent } from '../core/model/index-transfer.ts'
import type { DocumentEntry } from '../core/model/metadata.ts'
import { type PatientId, samePatientId } from '../core/model/patient.ts'
import type { TransferOf } from '../core/ports.ts'
import type { Deliverer } from './dispatcher.ts'
import { arrivals, entriesOf, identifiersOf } from './transfer-arrivals.ts'
import type { IndexTransferParts, Moving } from './transfer-parts.ts'

/** What one delivery of a transfer does; its key is the transfer, so that each waits for those before it. */
export type TransferStep =
  | { readonly step: 'list'; readonly patientId: PatientId }
  | { readonly step: 'read'; readonly patientId: PatientId; readonly n: number; readonly ids: readonly string[] }
  | { readonly step: 'check'; readonly patientId: PatientId }
  | { readonly step: 'remove'; readonly patientId: PatientId; readonly n: number; readonly ids: readonly string[] }

/**
 * The steps of index transfers: `list`, then `read` by `read`, then `check`, then `remove` by `remove`. What a step finds is
 * in the journal before its successors are put, and stands there from then on: a step that is done again, after a crash or
 * an answer that was lost, does what it did before. Nothing is removed there before all of it is here.
 */
export function indexTransferDeliverer(parts: IndexTransferParts): Deliverer {
  return async ({ key: transferId, content }, signal) => {
    const step = JSON.parse(content) as TransferStep
    const transfer = { transferId, patientId: step.patientId }
    const moving: Moving = { ...transfer, call: parts.callFor(transfer, signal) }
    switch (step.step) {
      case 'list':
        return await list(moving, parts)
      case 'read':
        await read(step.n, step.ids, moving, parts)
        return
      case 'check':
        return await check(moving, parts)
      case 'remove':
        return await remove(step, moving, parts)
    }
  }
}

/** Begins to move somebody's index. */
export async function startTransfer(
  { transferId, patientId, operator }: TransferOf & { readonly operator: string },
  { journal, outbox, kind, clock, hash }: Pick<IndexTransferParts, 'journal' | 'outbox' | 'kind' | 'clock' | 'hash'>,
): Promise<void> {
  const event = { type: 'started', patientId, operator } as const
  await journal.append(eventDraft(`${transferId}:started`, { transferId, event }, { hash, now: clock.now() }))
  await put('list', { step: 'list', patientId }, { transferId }, { outbox, kind })
}

async function list(moving: Moving, parts: IndexTransferParts): Promise<void> {
  const { patientId, transferId, call } = moving
  const { ids, chunk } = await once(`${transferId}:listed`, 'listed', moving, parts, async () => ({
    type: 'listed',
    ids: await parts.source.list(moving, call),
    chunk: parts.source.mostAtOnce,
  }))
  for (const [n, some] of chunksOf(ids, chunk).entries()) {
    await put(`read:${n}`, { step: 'read', patientId, n, ids: some }, moving, parts)
  }
  await put('check', { step: 'check', patientId }, moving, parts)
}

/** Reads a chunk and journals what is to be moved of it; the event comes last, when nothing of it can be lost. */
async function read(n: number, ids: readonly string[], moving: Moving, parts: IndexTransferParts) {
  return await once(`${moving.transferId}:read:${n}:done`, 'read', moving, parts, async () => {
    const identifiers = await identifiersOf(moving, parts)
    const entries = await parts.source.read(ids, moving, moving.call)
    const ours = await entriesOf(entries.filter(isCurrent), moving, parts)
    const documents: MovedDocument[] = []
    const untold: MissingDocument[] = []
    for (const id of ids) {
      const entry = entries.find(({ entryUuid }) => entryUuid === id)
      if (entry === undefined) untold.push(missing({ id }, 'it was listed there, and is not told of'))
      else if (isAbout(entry, identifiers)) {
        const document = await moved(entry, { ours, identifiers }, moving, parts)
        if (document === undefined) untold.push(missing({ ...entry, id }, 'our record has it of somebody else'))
        else documents.push(document)
      } else untold.push(missing({ ...entry, id }, 'it is about an identifier that is not known as the person’s'))
    }
    return { type: 'read', documents, untold }
  })
}

interface Known {
  /** What our record has of the documents, whomever it is about. */
  readonly ours: readonly DocumentEntry[]
  /** The person's. */
  readonly identifiers: readonly PatientId[]
}

/** Journals what our record is to be told of a document, if anything. Undefined where it is somebody else's here. */
async function moved(
  entry: DocumentEntry,
  { identifiers, ours }: Known,
  moving: Moving,
  parts: IndexTransferParts,
): Promise<MovedDocument | undefined> {
  if (!isCurrent(entry)) return movedDocument(entry, { became: 'former', pushes: [], faults: [] })
  const now = parts.clock.now()
  const found = ours.filter((one) => isSame(one, entry))
  if (!found.every((one) => isAbout(one, identifiers))) return undefined
  const hide = async (): Promise<readonly string[]> => {
    if (!isObscured(entry) || (found.length > 0 && found.every(isObscured))) return []
    const draft = hideDraft(entry, moving, now, parts)
    await parts.journal.append(draft)
    return [draft.id]
  }
  if (found.length > 0) return movedDocument(entry, { became: 'had', pushes: await hide(), faults: [] })
  const draft = moveDraft(entry, moving, { now, anew: false }, parts)
  const { pushed } = draft
  const faults = pushed.kind === 'change' && pushed.change.type === 'submit' ? parts.check(pushed.change) : []
  const appended = await parts.journal.append(draft)
  if (!('repeats' in appended) || appended.repeats.id === draft.id) {
    return movedDocument(entry, { became: 'pushed', pushes: [draft.id], faults })
  }
  const { id, patients, state } = appended.repeats
  const isTheirs = patients.some((one) => identifiers.some((other) => samePatientId(one, other)))
  if (state === 'pending' && !isTheirs) return undefined
  if (state === 'pending') return movedDocument(entry, { became: 'had', pushes: [id, ...(await hide())], faults: [] })
  // Our record was told of it once and has it no more. Should it have been told just now, it recognises it.
  const again = moveDraft(entry, moving, { now, anew: true }, parts)
  await parts.journal.append(again)
  return movedDocument(entry, { became: 'pushed', pushes: [again.id], faults })
}

/** Puts the removals once everything is here; else says what is not, or that it must be waited for. */
async function check(moving: Moving, parts: IndexTransferParts): Promise<void> {
  const { transferId, patientId } = moving
  const { ids, chunk } = await once(`${transferId}:complete`, 'complete', moving, parts, () => checked(moving, parts))
  for (const [n, some] of chunksOf(ids, chunk).entries()) {
    await put(`remove:${n}`, { step: 'remove', patientId, n, ids: some }, moving, parts)
  }
}

async function checked(
  moving: Moving,
  parts: IndexTransferParts,
): Promise<Extract<TransferEvent, { type: 'complete' }>> {
  const { transferId, call } = moving
  const { source } = parts
  const before = await transferEvents(transferId, parts.journal)
  const told = documentsTold(before)
  const absent = await arrivals([...told.values()], moving, parts)
  const ids = await source.list(moving, call)
  // What came there meanwhile, and what could not be moved before: it may have been mended.
  const unread = chunksOf(
    ids.filter((id) => !told.has(id)),
    source.mostAtOnce,
  )
  let n = before.filter(({ type }) => type === 'read').length + stepsOf(before)
  for (const some of unread) await read(n++, some, moving, parts)
  const events = unread.length === 0 ? before : await transferEvents(transferId, parts.journal)
  const documents = documentsTold(events)
  const still = ids.flatMap((id) => documents.get(id) ?? [])
  const lost = unread.length === 0 ? absent.filter(({ id }) => ids.includes(id)) : await arrivals(still, moving, parts)
  const listed = new Set(still.flatMap(({ logicalId, uniqueId }) => [uniqueId, logicalId ?? uniqueId]))
  // Whatever was told of there must be here before all of it counts as moved; a newer version that is listed counts for it.
  const delisted = absent.filter(({ id }) => {
    const { logicalId, uniqueId } = told.get(id) ?? {}
    return !ids.includes(id) && ![logicalId, uniqueId].some((name) => name !== undefined && listed.has(name))
  })
  const untold = untoldIn(events)
  const unmoved = ids.filter((id) => !documents.has(id))
  const all = [...lost, ...delisted, ...unmoved.map((id) => untold.get(id) ?? missing({ id }, 'it was not read'))]
  if (all.length > 0) {
    await note(`${transferId}:missing:${events.length}`, { type: 'missing', documents: all }, moving, parts)
    throw incomplete(all)
  }
  return { type: 'complete', chunk: source.mostAtOnce, ...removable(still) }
}

async function remove(
  { n, ids }: Extract<TransferStep, { step: 'remove' }>,
  moving: Moving,
  parts: IndexTransferParts,
): Promise<void> {
  await once(`${moving.transferId}:remove:${n}:done`, 'removed', moving, parts, async () => {
    await parts.source.remove(ids, moving, moving.call)
    return { type: 'removed', ids }
  })
}

/** An event of the transfer: as it is in the journal, or as it is made and written down now. */
async function once<Type extends TransferEvent['type']>(
  id: string,
  type: Type,
  moving: Moving,
  parts: IndexTransferParts,
  make: () => Promise<Extract<TransferEvent, { type: Type }>>,
): Promise<Extract<TransferEvent, { type: Type }>> {
  const known = await parts.journal.find(id)
  const found = known === undefined ? await note(id, await make(), moving, parts) : known.pushed
  if (found.kind === 'transfer' && found.event.type === type) {
    return found.event as Extract<TransferEvent, { type: Type }>
  }
  throw new GatewayError('internal', 'A step of an index transfer has the id of something else')
}

/** Writes an event down; whoever was first has the say. */
async function note(id: string, event: TransferEvent, { transferId }: Moving, parts: IndexTransferParts) {
  const { hash, clock, journal } = parts
  const draft = eventDraft(id, { transferId, event }, { hash, now: clock.now() })
  const appended = await journal.append(draft)
  return 'repeats' in appended ? appended.repeats.pushed : draft.pushed
}

async function put(
  name: string,
  step: TransferStep,
  { transferId }: Pick<TransferOf, 'transferId'>,
  { outbox, kind }: Pick<IndexTransferParts, 'outbox' | 'kind'>,
): Promise<void> {
  await outbox.put({ id: `${transferId}:${name}`, kind, key: transferId, content: JSON.stringify(step) })
}

/** How many steps there are to read what was listed. */
function stepsOf(events: readonly TransferEvent[]): number {
  const listed = events.find((event) => event.type === 'listed')
  return listed === undefined ? 0 : Math.ceil(listed.ids.length / listed.chunk)
}

/** Final: an operator mends the cause and has it checked again, or gives the removal there up. */
function incomplete(documents: readonly MissingDocument[]): GatewayError {
  return new GatewayError('document-unknown', `${documents.length} documents have not arrived`, {
    issues: documents.map(({ id, uniqueId, reason }) => {
      return { severity: 'error', code: 'missing', text: `${uniqueId ?? 'of unknown name'} (${id}): ${reason}` }
    }),
  })
}
