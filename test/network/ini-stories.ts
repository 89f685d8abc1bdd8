import { randomUUID } from 'node:crypto'
import { cx, type Identifier } from './entry.ts'
import type { IniPushes, ToldNotice } from './ini-driver.ts'
import type { PushAnswer, Voice, Wishes } from './ini-exchange.ts'
import { authority } from './organizations.ts'
import type { ToldDocument } from './push-answer.ts'
import { adhocQuery } from './soap-client.ts'
import { nationalDelete, removeObjectsRequest } from './submission.ts'

const registry = '/ini/DocumentRegistry_Service'
const transfer = {
  search: '/ini/RegistryIndexTransfer/DocumentRegistry_Service',
  delete: '/ini/RegistryIndexTransfer/XDSDeletetWSService',
} as const
const storedQuery = 'urn:ihe:iti:2007:RegistryStoredQuery'
const status = (name: string): string => `urn:oasis:names:tc:ebxml-regrep:StatusType:${name}`

/** How a hiding chain went. */
export interface HidingChain {
  /** GetDocuments for the prescription. */
  readonly prescription: PushAnswer
  /** FindDocumentsByReferenceId for what is obscured already. */
  readonly obscured: PushAnswer
  /** The same for everything about the prescription. */
  readonly all: PushAnswer
  /** One for each document that is to be hidden. */
  readonly notices: readonly ToldNotice[]
  /** Unique ids of these. */
  readonly hidden: readonly string[]
}

/**
 * INI asks as itself for the prescription and for what of the chain is obscured, the event bare as it spells it (#1640), and
 * tells the region of every other document of the chain (ini.md §7.3). How it learns of these nobody says: here it asks for
 * the chain again, without the event.
 */
export async function hidingChain(
  push: IniPushes,
  about: Identifier,
  nre: string,
  { source, ...wishes }: Wishes & { readonly source?: string },
): Promise<HidingChain> {
  const ask = (body: string): Promise<PushAnswer> =>
    push.say(
      {
        path: registry,
        actionUri: storedQuery,
        body,
        about,
        defaults: { as: '000', role: 'INI', purpose: 'SYSADMIN', action: 'READ' },
      },
      wishes,
    )
  const cited = `${nre}^^^&${authority.prescription}&ISO^urn:ihe:iti:xds:2013:order`
  const chain = (more: Readonly<Record<string, readonly string[]>> = {}): string =>
    adhocQuery(
      'FindDocumentsByReferenceId',
      {
        $XDSDocumentEntryPatientId: `'${cx(about)}'`,
        $XDSDocumentEntryStatus: [`('${status('Approved')}')`],
        $XDSDocumentEntryReferenceIdList: [`('${cited}')`],
        ...more,
      },
      { raw: true },
    )
  const names = ['_PRESPEC', '_PREFARM'].map((suffix) => `${authority.prescription}^${nre}${suffix}`)
  const prescription = await ask(adhocQuery('GetDocuments', { $XDSDocumentEntryUniqueId: names }))
  const obscured = await ask(chain({ $XDSDocumentEntryEventCodeList: ['P99'] }))
  const all = await ask(chain())
  const documents = latest([...prescription.documents, ...all.documents])
  const start = [source, ...documents.filter(isHidden).map(({ uniqueId }) => uniqueId)].find((id) => id !== undefined)
  const open = start === undefined ? [] : documents.filter((one) => !isHidden(one) && one.uniqueId !== source)
  const notices: ToldNotice[] = []
  for (const { uniqueId } of open) {
    notices.push(await push.notifyHiding({ patient: about, document: uniqueId, ...(start && { source: start }) }))
  }
  return { prescription, obscured, all, notices, hidden: open.map(({ uniqueId }) => uniqueId) }
}

function isHidden({ events }: ToldDocument): boolean {
  return events.includes('P99')
}

/** One of each document, that which is current. */
function latest(documents: readonly ToldDocument[]): readonly ToldDocument[] {
  return [...new Map(documents.filter((one) => one.status === 'Approved').map((one) => [one.uniqueId, one])).values()]
}

export interface TransferWishes extends Wishes {
  /** How many documents at a time; default 50. */
  readonly chunk?: number
  /** Whether what was read is deleted; default true. */
  readonly remove?: boolean
  /** Stops after so many chunks, as an interrupted transfer does. */
  readonly chunks?: number
  /** Code of the new region of assistance; default Lazio. */
  readonly to?: Voice
  readonly transferId?: string
}

/** How an index transfer went. */
export interface IndexTransfer {
  readonly transferId: string
  /** The search for everything there is: ids alone. */
  readonly search: PushAnswer
  /** GetDocuments, chunk by chunk. */
  readonly chunks: readonly PushAnswer[]
  /** What was read. */
  readonly documents: readonly ToldDocument[]
  /** ITI-62 of each chunk. */
  readonly removals: readonly PushAnswer[]
}

/** The new region of assistance reads the index of somebody in chunks, and deletes what it has (ini.md §7.1, #2724). */
export async function indexTransfer(
  push: IniPushes,
  about: Identifier,
  wishes: TransferWishes,
): Promise<IndexTransfer> {
  const { chunk = 50, remove = true, chunks: most = Number.POSITIVE_INFINITY, to = '120' } = wishes
  const { transferId = `urn:uuid:${randomUUID()}`, claims, ...more } = wishes
  const own: Wishes = {
    ...more,
    claims: { ...claims, attributes: { IndexTransferId: transferId, ...claims?.attributes } },
  }
  const ask = (path: string, actionUri: string, body: string, action: string): Promise<PushAnswer> =>
    push.say({ path, actionUri, body, about, defaults: { as: to, role: 'NOR', purpose: 'SYSADMIN', action } }, own)
  const find = (body: string): Promise<PushAnswer> => ask(transfer.search, storedQuery, body, 'READ')
  const search = await find(
    adhocQuery(
      'FindDocuments',
      {
        $XDSDocumentEntryPatientId: cx(about),
        $XDSDocumentEntryStatus: [status('Approved'), status('Deprecated')],
      },
      { returnType: 'ObjectRef' },
    ),
  )
  const chunks: PushAnswer[] = []
  const removals: PushAnswer[] = []
  for (let at = 0; at < search.references.length && chunks.length < most; at += chunk) {
    const ids = search.references.slice(at, at + chunk)
    const read = await find(adhocQuery('GetDocuments', { $XDSDocumentEntryEntryUUID: ids }))
    chunks.push(read)
    const moved = read.documents.map(({ entryUuid }) => entryUuid)
    if (remove && moved.length > 0) {
      removals.push(await ask(transfer.delete, nationalDelete, removeObjectsRequest(moved), 'DELETE'))
    }
  }
  return { transferId, search, chunks, documents: chunks.flatMap(({ documents }) => documents), removals }
}
