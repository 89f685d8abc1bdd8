import type { AdapterTools } from '../../src/config/adapter.ts'
import { GatewayError } from '../../src/core/errors.ts'
import type { QueryAnswer } from '../../src/core/model/answers.ts'
import type { AuthorizedCall } from '../../src/core/model/call.ts'
import type { StoredQuery } from '../../src/core/model/stored-query.ts'
import type { IndexTransferSource, TransferOf } from '../../src/core/ports.ts'
import { encodeRemoveObjects } from '../../src/wire/ebrim/submit-objects.ts'
import { addressOf, claimsOf, operations } from './operations.ts'
import type { IniOptions } from './options.ts'
import { changeOutcome, lookUpOutcome, type Outcome } from './outcome.ts'

/**
 * The index of somebody we assist now, at their former region of assistance behind INI, or in INI's own temporary index
 * (ini.md §7.1): each request at the address that is for transfers, in the role and for the purpose of those, with the
 * transfer's id and without a subject. QND1 says that there is nothing; QND2 and R220 are refusals here, since whether there
 * is an index elsewhere they do not say.
 */
export function iniIndexTransfer(
  options: IniOptions,
  tools: Pick<AdapterTools, 'ask' | 'submit'>,
): IndexTransferSource {
  const { messageId, transferChunk } = options

  async function ask(
    query: StoredQuery,
    returnType: 'LeafClass' | 'ObjectRef',
    { transferId, patientId }: TransferOf,
    call: AuthorizedCall,
  ): Promise<QueryAnswer> {
    const { action } = operations.indexTransferSearch
    const found = lookUpOutcome(
      await tools.ask({
        ...{ url: addressOf('indexTransferSearch', options), action, query, returnType, call, patientId, messageId },
        ...{ ...claimsOf('indexTransferSearch', call.assertion), indexTransferId: transferId },
        // An index tells of documents wherever they lie, and not always where.
        homes: { missing: 'stamp', allowed: 'any' },
      }),
    )
    if (found === 'ours') throw ours()
    return found
  }

  /** Of these ids, those that are there. */
  async function idsLeft(ids: readonly string[], transfer: TransferOf, call: AuthorizedCall) {
    const query = { type: 'GetDocuments', documents: { by: 'entry-uuid', ids }, extra: [] } as const
    const left = new Set(idsIn(await ask(query, 'ObjectRef', transfer, call)))
    return ids.filter((id) => left.has(id))
  }

  async function removed(ids: readonly string[], { transferId, patientId }: TransferOf, call: AuthorizedCall) {
    const { action, claims } = operations.indexTransferDelete
    return changeOutcome(
      await tools.submit({
        ...{ url: addressOf('indexTransferDelete', options), action, body: encodeRemoveObjects(ids), call, patientId },
        ...{ does: claims.action, messageId },
        ...{ ...claimsOf('indexTransferDelete', call.assertion), indexTransferId: transferId },
      }),
    )
  }

  return {
    mostAtOnce: transferChunk,
    async list(transfer, call) {
      const query: StoredQuery = {
        ...{ type: 'FindDocuments', patientId: transfer.patientId, status: ['approved', 'deprecated'] },
        ...{ filter: {}, extra: [] },
      }
      return idsIn(await ask(query, 'ObjectRef', transfer, call))
    },
    async read(ids, transfer, call) {
      const query = { type: 'GetDocuments', documents: { by: 'entry-uuid', ids }, extra: [] } as const
      const { entries } = await ask(query, 'LeafClass', transfer, call)
      return entries.filter(({ entryUuid }) => ids.includes(entryUuid))
    },
    async remove(ids, transfer, call) {
      const outcome = await removed(ids, transfer, call)
      if (!isNothingFound(outcome)) return requireMade(outcome)
      // One that is not there makes a registry keep all the others too.
      const left = await idsLeft(ids, transfer, call)
      if (left.length === 0) return
      requireMade(left.length < ids.length ? await removed(left, transfer, call) : outcome)
    },
  }
}

/** Who answers with whole objects all the same has told their ids too. */
function idsIn({ references, entries }: QueryAnswer): readonly string[] {
  return [...new Set([...references.map(({ id }) => id), ...entries.map(({ entryUuid }) => entryUuid)])]
}

function isNothingFound(outcome: Outcome): boolean {
  return typeof outcome !== 'string' && outcome.because === 'nothing-found'
}

function requireMade(outcome: Outcome): void {
  if (outcome === 'ours') throw ours()
  if (outcome !== 'made') throw outcome.error
}

function ours(): GatewayError {
  const message = 'INI takes the index to be ours already, and moves nothing'
  return new GatewayError('community-rejected', message)
}
