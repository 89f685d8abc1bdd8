import type { SignedAssertion } from './check-assertion.ts'
import type { Citizen, CitizenKey } from './citizens.ts'
import { documentUniqueId } from './ebrim.ts'
import { securityFault } from './faults.ts'
import { type AskedQuery, RegistryProblem } from './stored-query.ts'

/** What a transfer of an index names itself by (ini.md §2.3). */
export const indexTransferId = 'IndexTransferId'

/** Who has moved where, and what goes wrong when their index follows them. */
export interface IndexTransfers {
  /** Somebody is assisted by another region from now on: codes of the regions. */
  move(citizen: CitizenKey, regions: { readonly from: string; readonly to: string }): void
  /** Documents are listed, and then not told of; without one, none is any more. */
  lose(...uniqueIds: readonly string[]): void
  /** How many documents may be asked for at once. */
  mostAtOnce: number
  /** Where the index of somebody is, for a region that has it transferred. Throws RegistryProblem. */
  formerOf(citizen: Citizen | undefined, issuer: string): Citizen | undefined
  /** Throws RegistryProblem. */
  checkChunk(asked: AskedQuery): void
  /** An answer without what is lost. */
  told(response: string): string
}

export function indexTransfers(): IndexTransfers {
  const moves = new Map<CitizenKey, { readonly from: string; readonly to: string }>()
  let lost = new Set<string>()
  const transfers: IndexTransfers = {
    mostAtOnce: Number.POSITIVE_INFINITY,
    move: (citizen, regions) => void moves.set(citizen, regions),
    lose(...uniqueIds) {
      lost = new Set(uniqueIds)
    },
    formerOf(citizen, issuer) {
      if (citizen === undefined || citizen.assistedBy === 'none') return citizen
      const moved = moves.get(citizen.key)
      if (moved?.to === issuer) return { ...citizen, assistedBy: moved.from }
      // The words are INI's (ini.md §6.1).
      throw new RegistryProblem('XDSRegistryError', 'RPDA non individuata per servizio trasferimento indice')
    },
    checkChunk({ name, parameters }) {
      const ids = [...parameters.values()].flat(2)
      if (name !== 'GetDocuments' || ids.length <= transfers.mostAtOnce) return
      throw new RegistryProblem('XDSTooManyResults', 'More documents are asked for at once than can be told')
    },
    told: (response) =>
      response.replaceAll(/<rim:ExtrinsicObject\b[\s\S]*?<\/rim:ExtrinsicObject>/g, (object) => {
        return uniqueIdsIn(object).some((id) => lost.has(id)) ? '' : object
      }),
  }
  return transfers
}

/** Throws SoapFault for who does not say which transfer a message belongs to. */
export function requireTransfer({ attributes }: SignedAssertion): void {
  const [id, ...more] = attributes.get(indexTransferId) ?? []
  if (id !== undefined && /^urn:uuid:[0-9a-f-]{36}$/i.test(id) && more.length === 0) return
  throw securityFault('InvalidSecurityToken', 'Missing mandatory attributes in the attribute assertion', 'PIT2')
}

/** The documents whose metadata an answer tells. */
export function uniqueIdsIn(response: string): string[] {
  const identifiers = response.matchAll(/<rim:ExternalIdentifier ([^>]*)/g)
  return [...identifiers].flatMap(([, attributes = '']) => {
    const [, value] = / value="([^"]*)"/.exec(attributes) ?? []
    return value !== undefined && attributes.includes(documentUniqueId) ? [value] : []
  })
}
