import { adapters } from '../adapters/index.ts'
import { documentTypes, formerDocumentTypes, loinc } from '../contracts/affinity-domain/document-types.ts'
import { organizationHome } from '../contracts/affinity-domain/organizations.ts'
import { cached } from './cache/cached.ts'
import { registryAsker } from './client/ask-registry.ts'
import { type CommunityClient, communityClient } from './client/send.ts'
import type { AdapterTools } from './config/adapter.ts'
import type { CommunityConfig, Federation } from './config/federation.ts'
import { ConfigError, type LoadedConfig } from './config/load.ts'
import { GatewayError } from './core/errors.ts'
import type { AuthorizedCall } from './core/model/call.ts'
import { homeCommunityId } from './core/model/identifiers.ts'
import type { PatientId } from './core/model/patient.ts'
import type { StoredQuery } from './core/model/stored-query.ts'
import type { Clock, Community } from './core/ports.ts'
import { guarded } from './resilience/guarded.ts'
import type { healthRegistry } from './resilience/health.ts'
import type { Events } from './telemetry/events.ts'
import { jwtIssuer } from './trust/issue-jwt.ts'
import { samlIssuer, type Vouching } from './trust/issue-saml.ts'

/** Documents of former types are in the indexes still. */
const allTypes = [...documentTypes, ...Object.keys(formerDocumentTypes).map((code) => ({ code, scheme: loinc }))]

/** What connecting the communities of a configuration needs. Whatever is opened is left to `opened` to close. */
export interface ConnectParts {
  readonly clock: Clock
  readonly events: Events
  readonly health: ReturnType<typeof healthRegistry>
  readonly opened: AsyncDisposableStack
}

/** Every community of the configuration: its adapter, guarded, cached where it says so. Throws ConfigError. */
export function connectCommunities(config: LoadedConfig, parts: ConnectParts): readonly Community[] {
  const { clock, events, health, opened } = parts
  const toolsFor = toolmaker(config, clock, events)
  return config.federation.communities.map((entry, index) => {
    const community = { home: homeCommunityId(entry.home), name: entry.name }
    const client = opened.use(clientOf(entry, config))
    const connected = connect(entry, toolsFor(entry, client), index)
    const onStateChange = ({ actor, to }: { actor: 'registry' | 'patients'; to: 'closed' | 'half-open' | 'open' }) =>
      events.breakerChanged({ community, actor, state: to })
    const watched = health.add(guarded(connected, entry.guard, { onStateChange }, clock))
    return opened.use(entry.cache === undefined ? watched : cached(watched, entry.cache, clock))
  })
}

/** One community as its adapter makes it, without guard and cache. Throws ConfigError. */
export function connect(entry: CommunityConfig, tools: AdapterTools, index: number): Community {
  const adapter = adapters.find(({ name }) => name === entry.adapter)
  if (adapter === undefined) {
    const known = adapters.map(({ name }) => name).join(', ')
    throw new ConfigError([{ path: `communities[${index}].adapter`, message: `must be one of ${known}` }])
  }
  try {
    return adapter.connect({ home: homeCommunityId(entry.home), name: entry.name, options: entry.options }, tools)
  } catch (error) {
    throw new ConfigError(optionFaults(error, index))
  }
}

function optionFaults(error: unknown, index: number) {
  if (!(error instanceof Error)) throw error
  const under = `communities[${index}].options`
  if (!('issues' in error) || !Array.isArray(error.issues)) return [{ path: under, message: error.message }]
  return error.issues.map(({ path, message }: { path: (string | number)[]; message: string }) => {
    return { path: [under, ...path].join('.'), message }
  })
}

/** Makes the tools of each community: our keys are read once. */
export function toolmaker({ federation, read }: LoadedConfig, clock: Clock, events: Events) {
  const { gateway } = federation
  const { signing: pair } = gateway.identity
  const signing = { certificate: read(pair.certificate), key: read(pair.key) }
  const lifetime = { lifetimeMs: gateway.assertionLifetimeMs, clock }
  const saml = samlIssuer(signing, { issuer: gateway.organization.code, ...lifetime })
  const jwt = jwtIssuer(signing, lifetime)
  return (entry: CommunityConfig, client: CommunityClient): AdapterTools => {
    const community = { home: homeCommunityId(entry.home), name: entry.name }
    return {
      clock,
      send: (request) => client.send({ ...request, idempotent: true }),
      vouch: ({ audience, call, patientId }) => jwt.issue(vouchingFor(gateway, call, patientId), audience),
      ask: registryAsker({
        client,
        maxResponseBytes: gateway.maxResponseBytes,
        vouch: ({ call, patientId, query }) => saml.issue(vouchingFor(gateway, call, patientId, query)),
        onDropped: ({ correlationId }, entries) =>
          events.entryDropped({ correlationId, community, reason: 'metadata-invalid', entries }),
      }),
      homeOf: organizationHome,
    }
  }
}

/** The connections to one community, trusting its own anchors only. */
export function clientOf(entry: CommunityConfig, { federation, read }: LoadedConfig): CommunityClient {
  const { identity, maxResponseBytes } = federation.gateway
  return communityClient({
    name: entry.name,
    home: homeCommunityId(entry.home),
    tls: {
      ca: entry.trust.tls.map(read),
      cert: read(identity.tls.certificate),
      key: read(identity.tls.key),
    },
    maxResponseBytes,
    // Registry and patient index each have their own slots; a queue of ours would look like the peer's slowness.
    connections: Math.max(entry.connections, 2 * entry.guard.concurrency),
    connectTimeoutMs: entry.connectTimeoutMs,
  })
}

/**
 * What we claim about our caller: what our caller claimed and we verified, told by us. The application is ours when the
 * caller named none, and the document types are those asked for, or all there are: INI holds them against the query.
 */
function vouchingFor(
  { organization, application }: Federation['gateway'],
  { assertion }: AuthorizedCall,
  patientId?: PatientId,
  query?: StoredQuery,
): Vouching {
  const { subject, role, purposeOfUse, action, inCare, locality } = assertion
  const patient = patientId ?? assertion.patientId
  if (patient === undefined) throw new GatewayError('access-denied', 'The assertion names no patient')
  return {
    subject,
    role,
    purposeOfUse,
    action,
    organization: organization.code,
    organizationName: organization.name,
    patientId: patient,
    application: assertion.application ?? application,
    documentTypes: typesAsked(query) ?? assertion.documentTypes ?? allTypes,
    ...(inCare === undefined ? {} : { inCare }),
    ...(locality === undefined ? {} : { locality }),
  }
}

function typesAsked(query: StoredQuery | undefined) {
  if (query === undefined || !('filter' in query) || !('typeCodes' in query.filter)) return undefined
  return query.filter.typeCodes?.map(({ code, scheme }) => ({ code, scheme: scheme ?? loinc }))
}
