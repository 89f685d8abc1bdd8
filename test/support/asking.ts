import { ask, type Reply } from '../../src/cli/ask.ts'
import { assertionOf } from '../../src/cli/assertion.ts'
import { identityOf } from '../../src/cli/parties.ts'
import { oid } from '../../src/core/model/identifiers.ts'
import type { PatientId } from '../../src/core/model/patient.ts'
import type { StoredQuery } from '../../src/core/model/stored-query.ts'
import { type CitizenKey, citizens } from '../network/citizens.ts'
import type { Network } from '../network/network.ts'

export interface Wishes {
  readonly as?: string
  readonly role?: string
  /** What differs from a search for approved documents, or another query altogether. */
  readonly query?: Partial<StoredQuery> | StoredQuery
  readonly types?: readonly string[]
}

/** The identifier in force of a synthetic citizen. */
export function patientOf(key: CitizenKey): PatientId {
  const [first] = citizens[key].identifiers
  return { value: first.value, authority: oid(first.authority) }
}

/** Asks the gateway of a network about a citizen, over the wire, as a party would. */
export async function question(network: Network, key: CitizenKey, wishes: Wishes = {}): Promise<Reply> {
  const { as = 'portal', role = 'AAS', query = {}, types = [] } = wishes
  const patient = patientOf(key)
  const identity = identityOf(as, network.certificates)
  const assertion = await assertionOf(identity, {
    patient,
    role,
    purpose: role === 'ASS' ? 'PERSONAL' : 'TREATMENT',
    action: 'READ',
    types,
    lifetimeSeconds: 60,
  })
  const find = { type: 'FindDocuments', patientId: patient, status: ['approved'], filter: {}, extra: [] }
  const asked = 'type' in query && query.type !== undefined ? query : { ...find, ...query }
  return await ask(identity, network.gateway, asked as StoredQuery, assertion)
}

export function uniqueIds(reply: Reply): string[] {
  return reply.entries.map(({ uniqueId }) => uniqueId).sort()
}

/** The communities named as having failed. */
export function failing(reply: Reply): (string | undefined)[] {
  return reply.issues.filter(({ severity }) => severity === 'error').map(({ location }) => location)
}
