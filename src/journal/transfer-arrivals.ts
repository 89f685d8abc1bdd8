import { GatewayError } from '../core/errors.ts'
import { hasArrived, isAbout, missing, whyMissing } from '../core/federation/index-transfer.ts'
import { chunksOf } from '../core/federation/lookup.ts'
import type { MissingDocument, MovedDocument } from '../core/model/index-transfer.ts'
import type { DocumentEntry } from '../core/model/metadata.ts'
import type { PatientId } from '../core/model/patient.ts'
import type { Outbox } from '../core/ports.ts'
import type { IndexTransferParts, Moving } from './transfer-parts.ts'

/** How many documents our record is asked about at once. */
const mostAsked = 50
/** How many pages of dead deliveries are looked through. */
const mostPages = 100
const page = 100

/**
 * Documents that have not arrived and will not by themselves; what our record has of somebody else has not. Throws
 * `community-busy` while some may still.
 */
export async function arrivals(
  documents: readonly MovedDocument[],
  moving: Moving,
  parts: IndexTransferParts,
): Promise<readonly MissingDocument[]> {
  const expected = documents.filter(({ became }) => became !== 'former')
  const identifiers = await identifiersOf(moving, parts)
  const ours = (await entriesOf(expected, moving, parts)).filter((entry) => isAbout(entry, identifiers))
  const absent = expected.filter((document) => !hasArrived(document, ours))
  if (absent.length === 0) return []
  const deadFor = await deadReasons(parts.outbox)
  const lost: MissingDocument[] = []
  let waiting = 0
  for (const document of absent) {
    const pushes = await Promise.all(document.pushes.map((id) => parts.journal.find(id)))
    const before = deadFor.size === 0 ? [] : await parts.journal.touching([document.uniqueId])
    const why = whyMissing(pushes, deadFor, before)
    if (why === undefined) waiting++
    else lost.push(missing(document, why))
  }
  if (waiting === 0) return lost
  throw new GatewayError('community-busy', `Our record has not been told of ${waiting} documents yet`, {
    details: { waiting, lost: lost.length },
  })
}

/** Of the person whose index is moved. */
export async function identifiersOf(
  { call, patientId }: Moving,
  { own }: IndexTransferParts,
): Promise<readonly PatientId[]> {
  const known = await own.patients?.locate(patientId, call)
  return [patientId, ...(known?.patient.identifiers ?? [])]
}

/** What our record has of documents, whomever it is about. */
export async function entriesOf(
  documents: readonly Pick<DocumentEntry, 'uniqueId'>[],
  { call }: Moving,
  { own }: IndexTransferParts,
): Promise<readonly DocumentEntry[]> {
  if (own.registry === undefined) throw new GatewayError('internal', 'Our own community has no registry to be asked')
  const found: DocumentEntry[] = []
  const names = [...new Set(documents.map(({ uniqueId }) => uniqueId))]
  for (const ids of chunksOf(names, mostAsked)) {
    const query = { type: 'GetDocuments', documents: { by: 'unique-id', ids }, home: own.home, extra: [] } as const
    const { entries, issues } = await own.registry.query(query, call)
    // An answer with errors may lack what is there.
    const errors = issues.filter(({ severity }) => severity === 'error')
    if (errors.length > 0) {
      throw new GatewayError('community-unavailable', 'Our record does not tell all it has', { issues: errors })
    }
    found.push(...entries)
  }
  return found
}

/** Deliveries that are dead, and why. */
async function deadReasons(outbox: Pick<Outbox, 'list'>): Promise<ReadonlyMap<string, string>> {
  const reasons = new Map<string, string>()
  let after: string | undefined
  for (let pages = 0; pages < mostPages; pages++) {
    const found = await outbox.list({ state: 'dead', limit: page, ...(after === undefined ? {} : { after }) })
    for (const { id, reason = 'no reason is known' } of found) reasons.set(id, reason)
    if (found.length < page) return reasons
    after = found.at(-1)?.id
  }
  throw new GatewayError('overloaded', 'More deliveries are dead than can be looked through')
}
