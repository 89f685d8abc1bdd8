import type { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer as createPlainServer, type Server } from 'node:http'
import { createServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { adapters } from '../adapters/index.ts'
import { documentTypes } from '../contracts/affinity-domain/document-types.ts'
import { organizationHome } from '../contracts/affinity-domain/organizations.ts'
import { auditTrail } from './audit/trail.ts'
import { cached } from './cache/cached.ts'
import { registryAsker } from './client/ask-registry.ts'
import { communityClient } from './client/send.ts'
import type { AdapterTools } from './config/adapter.ts'
import type { CommunityConfig, Federation } from './config/federation.ts'
import { ConfigError, type LoadedConfig } from './config/load.ts'
import { GatewayError } from './core/errors.ts'
import { wrongPatient } from './core/federation/ask.ts'
import { initiatingGateway } from './core/federation/initiating-gateway.ts'
import type { FederationParts } from './core/federation/query.ts'
import { respondingGateway } from './core/federation/responding-gateway.ts'
import type { AuthorizedCall } from './core/model/call.ts'
import { type HomeCommunityId, homeCommunityId } from './core/model/identifiers.ts'
import type { PatientId } from './core/model/patient.ts'
import type { StoredQuery } from './core/model/stored-query.ts'
import { accessPolicy } from './core/policy/access.ts'
import type { Clock, Community } from './core/ports.ts'
import { opsApp } from './http/ops.ts'
import { type Door, soapApp } from './http/soap/app.ts'
import { type SoapParts, soapEndpoint } from './http/soap/endpoint.ts'
import { iti18, iti38 } from './http/soap/stored-query.ts'
import { guarded } from './resilience/guarded.ts'
import { healthRegistry } from './resilience/health.ts'
import { sqliteStore } from './store/sqlite.ts'
import { createEvents, type Events } from './telemetry/events.ts'
import { createLog } from './telemetry/log.ts'
import { createMetrics } from './telemetry/metrics.ts'
import { authenticator } from './trust/authenticate.ts'
import { jwtIssuer } from './trust/issue-jwt.ts'
import { samlIssuer, type Vouching } from './trust/issue-saml.ts'
import { identifier, type Party } from './trust/parties.ts'
import { certificatesOf } from './trust/trust-store.ts'
import { isAuthor } from './wire/hl7/author.ts'

/** A running gateway. */
export interface Gateway extends AsyncDisposable {
  readonly ports: { readonly soap: number; readonly operator: number }
}

export interface GatewayOptions {
  readonly clock?: Clock
  /** Node's own metrics; at most one gateway of a process. */
  readonly processMetrics?: boolean
}

/** Where the SOAP services stand. */
export const paths = {
  iti18: '/xds/DocumentRegistry_Service',
  iti38: '/xca/RespondingGateway_Service',
} as const

/**
 * Builds the gateway a configuration describes and opens its ports; resolves when it answers. The only place that knows
 * everyone. Throws ConfigError for what only shows when files are read, and whatever keeps a port or the store from
 * opening. Disposal stops taking exchanges, lets those under way end, and closes the store last.
 */
export async function startGateway(config: LoadedConfig, options: GatewayOptions = {}): Promise<Gateway> {
  const clock = options.clock ?? { now: () => Date.now() }
  const { federation } = config
  const { gateway } = federation
  const metrics = createMetrics({ process: options.processMetrics ?? false })
  const events = createEvents(createLog({ level: gateway.logLevel }), metrics)
  await using opened = new AsyncDisposableStack()

  const store = opened.use(await sqliteStore({ path: config.locate(gateway.store.path) }))
  const health = healthRegistry()
  const communities = connectAll(config, clock, events, health, opened)
  const own = communities.find(({ home }) => home === gateway.home)
  if (own?.relation !== 'own') {
    throw new ConfigError([{ path: 'gateway.home', message: 'must be the home of our own community' }])
  }
  const parties = partiesOf(config)
  const soap: SoapParts = {
    identify: identifier(parties),
    authenticate: authenticator(parties, { clock, clockSkewMs: gateway.clockSkewMs }),
    audit: auditTrail(store, clock),
    events,
    clock,
    addressing: gateway.addressing,
    maxMessageBytes: gateway.maxMessageBytes,
    deadlineMs: gateway.deadlineMs,
  }
  const rules = federationParts(own, clock, events)
  const home = homeCommunityId(gateway.home)
  const doors: Door[] = [
    door(paths.iti18, 'DocumentRegistry', {
      serve: soapEndpoint(
        {
          transactions: [iti18(initiatingGateway({ ...rules, communities, mode: gateway.routing }), home)],
          admits: (peer) => peer.home === home,
        },
        soap,
      ),
    }),
    door(paths.iti38, 'RespondingGateway', {
      serve: soapEndpoint(
        {
          transactions: [iti38(respondingGateway({ ...rules, own }), home)],
          admits: (peer) => peer.home !== undefined && peer.home !== home,
        },
        soap,
      ),
    }),
  ]
  const server = soapServer(config, parties, doors, events)
  const operator = createPlainServer(
    getRequestListener(
      opsApp({
        ready: async () => {
          // Rejects when the store does not answer.
          await store.latest()
          return server.listening
        },
        status: () => ({
          gateway: { home: gateway.home, organization: gateway.organization.name, routing: gateway.routing },
          communities: health.health(),
        }),
        metrics: async () => ({ text: await metrics.text(), contentType: metrics.contentType }),
      }).fetch,
    ),
  )
  const ports = {
    soap: await listening(server, gateway.listen),
    operator: await listening(operator, gateway.operator),
  }
  events.gatewayListening({ face: 'soap', port: ports.soap })
  events.gatewayListening({ face: 'operator', port: ports.operator })
  opened.defer(() => closed(operator))
  opened.defer(() => closed(server))
  const running = opened.move()
  return { ports, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

function federationParts(own: Community, clock: Clock, events: Events): FederationParts {
  return {
    policy: accessPolicy,
    isAuthor,
    clock,
    ...(own.patients === undefined ? {} : { patients: own.patients }),
    onLeg({ correlationId }, { outcome, durationMs }, community, error) {
      events.legFinished({ correlationId, community, outcome, durationMs, ...(error === undefined ? {} : { error }) })
      if (error?.details.reason === wrongPatient) events.wrongPatientRefused({ correlationId, community })
    },
    onDisagreement({ correlationId }, { homes, what }) {
      events.sourcesDisagree({ correlationId, homes, what })
    },
  }
}

function connectAll(
  config: LoadedConfig,
  clock: Clock,
  events: Events,
  health: ReturnType<typeof healthRegistry>,
  opened: AsyncDisposableStack,
): readonly Community[] {
  const { gateway, communities } = config.federation
  const signing = {
    certificate: config.read(gateway.identity.signing.certificate),
    key: config.read(gateway.identity.signing.key),
  }
  const lifetime = { lifetimeMs: gateway.assertionLifetimeMs, clock }
  const saml = samlIssuer(signing, { issuer: gateway.organization.code, ...lifetime })
  const jwt = jwtIssuer(signing, lifetime)
  return communities.map((entry, index) => {
    const adapter = adapters.find(({ name }) => name === entry.adapter)
    if (adapter === undefined) {
      const known = adapters.map(({ name }) => name).join(', ')
      throw new ConfigError([{ path: `communities[${index}].adapter`, message: `must be one of ${known}` }])
    }
    const community = { home: homeCommunityId(entry.home), name: entry.name }
    const client = opened.use(clientOf(entry, config))
    const vouching = (call: AuthorizedCall, patientId?: PatientId, query?: StoredQuery) =>
      vouchingFor(gateway, call, patientId, query)
    const tools: AdapterTools = {
      clock,
      send: ({ ...request }) => client.send({ ...request, idempotent: true }),
      vouch: ({ audience, call, patientId }) => jwt.issue(vouching(call, patientId), audience),
      ask: registryAsker({
        client,
        maxResponseBytes: gateway.maxResponseBytes,
        vouch: ({ call, patientId, query }) => saml.issue(vouching(call, patientId, query)),
        onDropped: ({ correlationId }, entries) =>
          events.entryDropped({ correlationId, community, reason: 'metadata-invalid', entries }),
      }),
      homeOf: organizationHome,
    }
    const connected = connectedBy(() => adapter.connect({ ...community, options: entry.options }, tools), index)
    const watched = health.add(
      guarded(
        connected,
        entry.guard,
        {
          onStateChange: ({ actor, to }) => events.breakerChanged({ community, actor, state: to }),
        },
        clock,
      ),
    )
    return opened.use(entry.cache === undefined ? watched : cached(watched, entry.cache, clock))
  })
}

function connectedBy(connect: () => Community, index: number): Community {
  try {
    return connect()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const issues =
      'issues' in error && Array.isArray(error.issues) ? error.issues : [{ path: [], message: error.message }]
    throw new ConfigError(
      issues.map(({ path, message }: { path: (string | number)[]; message: string }) => ({
        path: ['communities', index, 'options', ...path].join('.'),
        message,
      })),
    )
  }
}

function clientOf(entry: CommunityConfig, config: LoadedConfig) {
  const { gateway } = config.federation
  return communityClient({
    name: entry.name,
    home: homeCommunityId(entry.home),
    tls: {
      ca: entry.trust.tls.map(config.read),
      cert: config.read(gateway.identity.tls.certificate),
      key: config.read(gateway.identity.tls.key),
    },
    maxResponseBytes: gateway.maxResponseBytes,
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
  patientId: PatientId | undefined,
  query: StoredQuery | undefined,
): Vouching {
  const { subject, role, purposeOfUse, action, inCare, locality } = assertion
  const patient = patientId ?? assertion.patientId
  if (patient === undefined) throw new GatewayError('access-denied', 'The assertion names no patient')
  const asked =
    query !== undefined && 'filter' in query && 'typeCodes' in query.filter ? query.filter.typeCodes : undefined
  const types = asked?.map(({ code, scheme }) => ({ code, scheme: scheme ?? documentTypes[0]?.scheme ?? '' }))
  return {
    subject,
    role,
    purposeOfUse,
    action,
    organization: organization.code,
    organizationName: organization.name,
    patientId: patient,
    application: assertion.application ?? application,
    documentTypes: types ?? assertion.documentTypes ?? documentTypes,
    ...(inCare === undefined ? {} : { inCare }),
    ...(locality === undefined ? {} : { locality }),
  }
}

function partiesOf({ federation, read }: LoadedConfig): readonly Party[] {
  const { gateway, communities, consumers } = federation
  const certificates = (files: readonly string[]) => files.flatMap((file) => certificatesOf(read(file)))
  const patterns = (texts: readonly string[]) => texts.map((text) => new RegExp(text, 'u'))
  const party = (
    name: string,
    home: HomeCommunityId,
    trust: CommunityConfig['trust'] | Federation['consumers'][number]['trust'],
    forwards: boolean,
  ): Party[] => {
    const { callers, assertions } = trust
    if (callers === undefined && assertions === undefined) return []
    return [
      {
        name,
        home,
        forwards,
        callers: callers && { anchors: certificates(callers.anchors), names: patterns(callers.names) },
        assertions: assertions && {
          community: home,
          issuers: assertions.issuers,
          anchors: certificates(assertions.anchors),
          signers: patterns(assertions.signers),
        },
      },
    ]
  }
  return [
    ...communities.flatMap(({ name, home, trust, adapter }) =>
      party(name, homeCommunityId(home), trust, adapter === 'ini'),
    ),
    ...consumers.flatMap(({ name, trust }) => party(name, homeCommunityId(gateway.home), trust, false)),
  ]
}

function door(path: string, wsdl: string, { serve }: Pick<Door, 'serve'>): Door {
  const folder = new URL('../contracts/ihe/', import.meta.url)
  const text = (name: string) => readFileSync(new URL(name, folder), 'utf8')
  const schemas = ['rim.xsd', 'rs.xsd', 'query.xsd', 'xml.xsd'].map((name) => [name, text(`xsd/${name}`)] as const)
  return { path, serve, wsdl: text(`wsdl/${wsdl}.wsdl`), schemas: new Map(schemas) }
}

function soapServer(
  config: LoadedConfig,
  parties: readonly Party[],
  doors: readonly Door[],
  events: Events,
): TlsServer {
  const { gateway } = config.federation
  const anchors = parties.flatMap(({ callers }) => callers?.anchors ?? [])
  const app = soapApp(doors, gateway.maxConcurrentExchanges)
  const server = createServer(
    {
      cert: config.read(gateway.identity.tls.certificate),
      key: config.read(gateway.identity.tls.key),
      ca: anchors.map((anchor: X509Certificate) => anchor.toString()),
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      headersTimeout: gateway.deadlineMs,
      requestTimeout: gateway.deadlineMs,
      keepAliveTimeout: 65_000,
      maxHeaderSize: 16_384,
    },
    getRequestListener(app.fetch),
  )
  server.on('tlsClientError', (error) => events.handshakeFailed({ error }))
  return server
}

function listening(server: Server | TlsServer, { host, port }: { host: string; port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
}

/** Stops listening, lets exchanges under way end, then ends idle connections. */
async function closed(server: Server | TlsServer): Promise<void> {
  const done = new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  server.closeIdleConnections()
  await done
}
