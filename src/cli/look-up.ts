import type { QueryAnswer } from '../core/model/answers.ts'
import type { DocumentEntry } from '../core/model/metadata.ts'
import type { StoredQuery } from '../core/model/stored-query.ts'
import { nationalPaths } from '../national.ts'
import { actions } from '../wire/actions.ts'
import { encodeStoredQuery, type ReturnType } from '../wire/ebrim/stored-query.ts'
import type { Caller, Claims } from './caller.ts'
import type { Step } from './step.ts'
import { queryAnswer } from './told.ts'

/** How INI reads before a change: in the name of the national gateway (ini.md §2.4). */
const claims: Claims = { role: 'GTW', purpose: 'UPDATE', action: 'READ' }

/** A query of INI's, and what was found. */
export interface Asked {
  readonly step: Step
  /** Nothing, where it was refused. */
  readonly found: QueryAnswer | undefined
}

/** Asks a stored query at one of the addresses for INI. Throws CliError when there is no answer. */
export async function askAs(
  caller: Caller,
  query: StoredQuery,
  asking: {
    readonly what: string
    readonly path: string
    readonly claims: Claims
    readonly returnType?: ReturnType
    readonly sent?: Step['sent']
  },
): Promise<Asked> {
  const { what, path, returnType = 'LeafClass', sent = {} } = asking
  const body = encodeStoredQuery(query, { returnType })
  const exchange = await caller.say({ path, action: actions.registryStoredQuery, body, claims: asking.claims })
  const { found, ...told } = await queryAnswer(exchange)
  const count = found === undefined ? 0 : returnType === 'LeafClass' ? found.entries.length : found.references.length
  const counted = found === undefined ? {} : { found: { [returnType === 'LeafClass' ? 'documents' : 'ids']: count } }
  return { step: { what, exchange, sent, told, ...counted }, found }
}

/** The current metadata of a document, before it is updated; its last version where several are told. */
export async function metadataOf(
  caller: Caller,
  uniqueId: string,
): Promise<{ readonly step: Step; readonly entry: DocumentEntry | undefined }> {
  const query: StoredQuery = { type: 'GetDocuments', documents: { by: 'unique-id', ids: [uniqueId] }, extra: [] }
  const what = 'look the document up (ITI-18)'
  const sent = { document: uniqueId }
  const { step, found } = await askAs(caller, query, { what, path: nationalPaths.registry, claims, sent })
  const current = (found?.entries ?? []).filter(({ status = 'approved' }) => status === 'approved')
  const [entry] = current.toSorted((one, other) => Number(other.version ?? 1) - Number(one.version ?? 1))
  return { step, entry }
}

/** The entryUUIDs of documents, before they are removed or replaced ("recupero riferimenti", ini.md §7.1). */
export async function referencesTo(caller: Caller, uniqueIds: readonly string[]): Promise<Asked> {
  const query: StoredQuery = { type: 'GetDocuments', documents: { by: 'unique-id', ids: uniqueIds }, extra: [] }
  return await askAs(caller, query, {
    ...{ what: 'look the references up (ITI-18)', path: nationalPaths.references, claims },
    ...{ returnType: 'ObjectRef', sent: { document: uniqueIds } },
  })
}
