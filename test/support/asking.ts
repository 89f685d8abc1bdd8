import { ask, type Reply } from '../../src/cli/ask.ts'
import { assertionOf } from '../../src/cli/assertion.ts'
import { identityOf } from '../../src/cli/parties.ts'
import { oid } from '../../src/core/model/identifiers.ts'
import type { PatientId } from '../../src/core/model/patient.ts'
import type { StoredQuery } from '../../src/core/model/stored-query.ts'
import { type CitizenKey, citizens } from '../network/citizens.ts'
import { writePackage } from '../network/mtom.ts'
import type { Network } from '../network/network.ts'
import { organization } from '../network/organizations.ts'
import {
  crossGatewayRetrieve,
  type Reference,
  type Retrieval,
  readRetrieval,
  retrieveDocumentSet,
  retrieveRequest,
} from '../network/retrieve.ts'
import { holders, type Seed } from '../network/seed.ts'
import { sendForBytes, soapRequest } from '../network/soap-client.ts'

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
  const { as = 'portal', query = {} } = wishes
  const patient = patientOf(key)
  const identity = identityOf(as, network.certificates)
  const assertion = await vouched(network, key, wishes)
  const find = { type: 'FindDocuments', patientId: patient, status: ['approved'], filter: {}, extra: [] }
  const asked = 'type' in query && query.type !== undefined ? query : { ...find, ...query }
  return await ask(identity, network.gateway, asked as StoredQuery, assertion)
}

/** The assertion that a party brings about a citizen. */
async function vouched(network: Network, key: CitizenKey, wishes: Wishes & { readonly action?: string }) {
  const { as = 'portal', role = 'AAS', types = [], action = 'READ' } = wishes
  return await assertionOf(identityOf(as, network.certificates), {
    patient: patientOf(key),
    role,
    purpose: role === 'ASS' ? 'PERSONAL' : 'TREATMENT',
    action,
    types,
    lifetimeSeconds: 60,
  })
}

export interface RetrievalWishes extends Pick<Wishes, 'as' | 'role' | 'types'> {
  /** How the request is packaged; default as MTOM. */
  readonly packaging?: 'mtom' | 'plain'
  readonly action?: string
  /** Default: ITI-43 for whoever is of our own domain, ITI-39 for others. */
  readonly door?: 'iti43' | 'iti39'
  readonly signal?: AbortSignal
  /** Told of what has arrived so far. */
  readonly onBytes?: (received: number) => void
}

/** Retrieves documents about a citizen from the gateway of a network, over the wire, as a party would. */
export async function retrieval(
  network: Network,
  key: CitizenKey,
  references: readonly Reference[],
  wishes: RetrievalWishes = {},
): Promise<Retrieval> {
  const { as = 'portal', packaging = 'mtom', door = as === 'portal' ? 'iti43' : 'iti39', signal, onBytes } = wishes
  const { authority, tls } = identityOf(as, network.certificates)
  const to = network.gateway[door]
  const action = door === 'iti43' ? retrieveDocumentSet : crossGatewayRetrieve
  const assertions = [await vouched(network, key, wishes)]
  const message = soapRequest({ to, action, assertions, body: retrieveRequest(references) })
  const sent =
    packaging === 'mtom'
      ? writePackage(message, [])
      : { contentType: 'application/soap+xml; charset=utf-8', body: message }
  const channel = { ca: authority, cert: tls.certificate, key: tls.key }
  return readRetrieval(
    await sendForBytes(to, channel, {
      headers: { 'content-type': sent.contentType },
      body: sent.body,
      ...(signal && { signal }),
      ...(onBytes && { onBytes }),
    }),
  )
}

/** Where documents lie, told from the seed: their home, the repository, and their own ids. Throws for one nobody knows. */
export function referencesOf(seed: Seed, ids: readonly string[]): Required<Reference>[] {
  const known = new Map(
    holders.flatMap((holder) => seed.holdings[holder].entries.map((entry) => [entry.uniqueId, entry] as const)),
  )
  return ids.map((uniqueId) => {
    const entry = known.get(uniqueId)
    if (entry === undefined) throw new Error('The seed knows no such document')
    return { home: organization(entry.keeper).home, repositoryUniqueId: entry.repositoryUniqueId, uniqueId }
  })
}

export function uniqueIds(reply: Reply): string[] {
  return reply.entries.map(({ uniqueId }) => uniqueId).sort()
}

/** The communities named as having failed. */
export function failing(reply: Reply): (string | undefined)[] {
  return reply.issues.filter(({ severity }) => severity === 'error').map(({ location }) => location)
}
