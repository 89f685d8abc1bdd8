import { organizationOf, organizations } from '../contracts/affinity-domain/organizations.ts'
import type { LoadedConfig } from './config/load.ts'
import { discoverPatient } from './core/federation/patient-discovery.ts'
import type { QueryGateway } from './core/federation/query.ts'
import type { AccessPolicy, Clock, Community, PushJournal } from './core/ports.ts'
import type { DocumentRouteParts } from './http/api/documents.ts'
import type { ApiParts } from './http/api/endpoint.ts'
import { fhirApp } from './http/fhir/app.ts'
import { pages } from './http/fhir/pages.ts'

export interface PortalFhirParts {
  readonly index: QueryGateway
  readonly own: Community
  readonly policy: AccessPolicy
  readonly communities: readonly Community[]
  readonly clock: Clock
  readonly journal: Pick<PushJournal, 'about'>
  /** Makes the ids of resources. */
  readonly key: Uint8Array
  readonly documents: DocumentRouteParts
  readonly api: ApiParts
}

/** What the configuration makes of the FHIR face for portals and clinical desktops. */
export function portalFhir({ federation }: LoadedConfig, parts: PortalFhirParts): ReturnType<typeof fhirApp> {
  const { api, clock, communities, documents, index, journal, key, own, policy } = parts
  const { application, fhir } = federation.gateway
  const { base, identifiersInUrls, mostKept, pageSize, pagesKeptMs: keptMs } = fhir
  const { patients } = own
  const ages = new Map(federation.communities.map(({ cache, home }) => [home, cache?.ttlMs ?? 0]))
  const names = new Map(communities.map(({ home, name }) => [home, organizations[organizationOf(home) ?? ''] ?? name]))
  return fhirApp(
    {
      ...{ gateway: index, handles: documents.handles, key, clock, pageSize, identifiersInUrls },
      ...(base === undefined ? {} : { base }),
      pages: pages({ clock, keptMs, mostKept }),
      isOvertaken: async ({ generation, identifiers }) => (await journal.about(identifiers)).generation !== generation,
      maxAgeMs: (home) => ages.get(home) ?? 0,
      nameOf: (home) => names.get(home),
      ...(patients === undefined
        ? {}
        : { discover: (sought, call) => discoverPatient(sought, call, { policy, clock, patients }) }),
      software: { name: application.id, version: application.version },
    },
    documents,
    api,
  )
}
