import { GatewayError } from '../errors.ts'
import { type HomeCommunityId, homeOid } from '../model/identifiers.ts'
import type { DocumentEntry } from '../model/metadata.ts'
import { namesPatient, type StoredQuery } from '../model/stored-query.ts'
import type { Community, KnownPatient } from '../ports.ts'

/** `assisted` follows the region of assistance; `everyone` asks all communities whatever it is. */
export type RoutingMode = 'assisted' | 'everyone'

/**
 * The communities a query goes to. A query about a person for one home goes there, or to the national infrastructure
 * when that reaches it. A query for objects of a home by their ids goes to everybody who tells of that home's documents:
 * an id is the teller's own, and the same document bears another elsewhere. Any other query about a person goes to our own
 * community, to every partner, and to the national infrastructure unless the person is ours: INI has nothing to add for
 * those we assist (architecture §0.1). It goes to supplements unless the person is somebody else's: others' documents are
 * told by their region, through INI, and nobody is asked about people whose record we do not keep. Throws
 * `community-unknown`, or `community-missing` when a query without patient names no home (ITI TF-2: 3.18.4.1.3 with
 * 3.38.4.1.2.1).
 */
export function route(
  query: StoredQuery,
  known: KnownPatient,
  communities: readonly Community[],
  mode: RoutingMode,
): readonly Community[] {
  const asked = communities.filter(({ registry }) => registry !== undefined)
  const own = asked.find(({ relation }) => relation === 'own')
  const ours = own !== undefined && known.assistedBy === own.home
  const others = known.assistedBy !== undefined && !ours
  const adds = ({ relation }: Community) => !(relation === 'national' && ours) && !(relation === 'supplement' && others)
  const useful = mode === 'everyone' ? asked : asked.filter(adds)
  if (query.home === undefined) {
    if (namesPatient(query)) return useful
    throw new GatewayError('community-missing', 'A query without a patient must name one community')
  }
  const { home } = query
  const holder = asked.filter((community) => community.home === home)
  const tellers = namesPatient(query)
    ? asked
        .filter(({ relation, reaches }) => relation === 'national' && reaches.includes(home))
        .slice(0, 1 - holder.length)
    : useful.filter((community) => community.home !== home && community.reaches.includes(home))
  const targets = [...holder, ...tellers]
  if (targets.length === 0) throw new GatewayError('community-unknown', 'The community is not known here')
  return targets
}

/**
 * Whose word counts about a document, most first: the region of assistance, which keeps the person's one index; who
 * speaks for it (INI); who produced the document; then the others, and last who only adds to an index: what is registered
 * goes before what would be made of the same. Returns a rank, lower is stronger.
 */
export function authorityOf(community: Community, entry: DocumentEntry, known: KnownPatient): number {
  const { assistedBy } = known
  if (community.relation === 'supplement') return 6
  if (community.home === assistedBy) return 0
  if (community.relation === 'national' && assistedBy !== undefined) return 1
  if (produced(community.home, entry)) return 2
  if (community.relation === 'own') return 3
  return community.relation === 'national' ? 4 : 5
}

/** Whether the document comes from that community: repositories and documents carry their region's arc (ini.md §3.4). */
export function produced(home: HomeCommunityId, { repositoryUniqueId, uniqueId }: DocumentEntry): boolean {
  return (repositoryUniqueId ?? uniqueId).startsWith(`${homeOid(home)}.`)
}
