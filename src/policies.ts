import { loinc } from '../contracts/affinity-domain/document-types.ts'
import { regionHome } from '../contracts/affinity-domain/organizations.ts'
import type { LoadedConfig } from './config/load.ts'
import { homeCommunityId } from './core/model/identifiers.ts'
import { accessPolicyOf } from './core/policy/access.ts'
import type { SearchService } from './core/policy/access-table.ts'
import type { Community } from './core/ports.ts'

/** Policies by the services they let through; by default those of ordinary faces. */
export function policiesOf({ gateway }: LoadedConfig['federation'], communities: readonly Community[]) {
  const { access, pushes } = gateway
  const national = new Set(communities.filter(({ relation }) => relation === 'national').map(({ home }) => home))
  const matrix = access.documentTypes.map(({ roles, purposes, types }) => ({
    roles,
    ...(purposes === undefined ? {} : { purposes }),
    types: types.map((code) => ({ code, scheme: loinc })),
  }))
  return (...searches: readonly SearchService[]) =>
    accessPolicyOf({
      ...{ matrix, national, home: homeCommunityId(gateway.home), regionOf: regionHome },
      ...{ care: access.careClaim, references: pushes.referencesTo },
      ...(access.indexPush === undefined ? {} : { indexPush: rightOf(access.indexPush) }),
      ...(searches.length === 0 ? {} : { searches }),
    })
}

function rightOf(told: { readonly roles: string[]; readonly purposes: string[]; readonly actions: string[] }) {
  return { roles: new Set(told.roles), purposes: new Set(told.purposes), actions: new Set(told.actions) }
}
