import { GatewayError } from '../errors.ts'
import { type HomeCommunityId, homeOid } from '../model/identifiers.ts'
import type { DocumentEntry } from '../model/metadata.ts'
import { namesPatient, type StoredQuery } from '../model/stored-query.ts'
import type { Community, KnownPatient } from '../ports.ts'

/** `assisted` follows the region of assistance; `everyone` asks all communities whatever it is. */
export type RoutingMode = 'assisted' | 'everyone'

/**
 * The communities a query goes to. A query for one home goes there, or to the community that reaches it. A query about
 * a person goes to our own community, to every partner, and to the national infrastructure unless the person is ours:
 * INI has nothing to add for those we assist (architecture §0.1). Throws `community-unknown`, or `community-missing`
 * when a query without patient names no home (ITI TF-2: 3.18.4.1.3 with 3.38.4.1.2.1).
 */
export function route(
  query: StoredQuery,
  known: KnownPatient,
  communities: readonly Community[],
  mode: RoutingMode,
): readonly Community[] {
  const asked = communities.filter(({ registry }) => registry !== undefined)
  if (query.home !== undefined) return [holderOf(query.home, asked)]
  if (!namesPatient(query)) {
    throw new GatewayError('community-missing', 'A query without a patient must name one community')
  }
  if (mode === 'everyone') return asked
  const own = asked.find(({ relation }) => relation === 'own')
  const ours = own !== undefined && known.assistedBy === own.home
  return asked.filter(({ relation }) => relation !== 'national' || !ours)
}

function holderOf(home: HomeCommunityId, communities: readonly Community[]): Community {
  const holder =
    communities.find((community) => community.home === home) ??
    communities.find(({ reaches }) => reaches.includes(home))
  if (holder === undefined) throw new GatewayError('community-unknown', 'The community is not known here')
  return holder
}

/**
 * Whose word counts about a document, most first: the region of assistance, which keeps the person's one index; who
 * speaks for it (INI); who produced the document; then the others. Returns a rank, lower is stronger.
 */
export function authorityOf(community: Community, entry: DocumentEntry, known: KnownPatient): number {
  const { assistedBy } = known
  if (community.home === assistedBy) return 0
  if (community.relation === 'national' && assistedBy !== undefined) return 1
  if (produced(community.home, entry)) return 2
  if (community.relation === 'own') return 3
  return community.relation === 'national' ? 4 : 5
}

/** Repositories and documents carry their region's arc (ini.md §3.4). */
function produced(home: HomeCommunityId, { repositoryUniqueId, uniqueId }: DocumentEntry): boolean {
  return (repositoryUniqueId ?? uniqueId).startsWith(`${homeOid(home)}.`)
}
