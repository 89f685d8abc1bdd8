import { readdirSync, readFileSync } from 'node:fs'
import { createServer as createPlainServer, type Server } from 'node:http'
import { createServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { organizationHome } from '../contracts/affinity-domain/organizations.ts'
import { auditTrail } from './audit/trail.ts'
import { connectCommunities } from './communities.ts'
import { ConfigError, type LoadedConfig } from './config/load.ts'
import { consentApi, consentsOf } from './consents.ts'
import { wrongPatient } from './core/federation/ask.ts'
import { combinedLocator } from './core/federation/citizens.ts'
import { initiatingGateway } from './core/federation/initiating-gateway.ts'
import { discoverPatient } from './core/federation/patient-discovery.ts'
import type { FederationParts } from './core/federation/query.ts'
import { respondingGateway } from './core/federation/responding-gateway.ts'
import { retrieveGateway } from './core/federation/retrieve.ts'
import type { Unverified } from './core/federation/verify-document.ts'
import type { Peer } from './core/model/call.ts'
import { type HomeCommunityId, homeCommunityId } from './core/model/identifiers.ts'
import type { AccessPolicy, Clock, Community, ReplayMemory } from './core/ports.ts'
import { deliveries } from './deliveries.ts'
import { documentForms } from './documents/forms.ts'
import { servedForms } from './documents/served-forms.ts'
import { admission } from './http/admission.ts'
import { apiApp } from './http/api/app.ts'
import { callerRoute } from './http/api/caller.ts'
import { documentRoutes } from './http/api/documents.ts'
import type { ApiParts } from './http/api/endpoint.ts'
import { operatorApp } from './http/operator/app.ts'
import { opsApp } from './http/ops.ts'
import { type Door, soapApp } from './http/soap/app.ts'
import { type SoapParts, soapEndpoint } from './http/soap/endpoint.ts'
import { type Discover, iti55 } from './http/soap/patient-discovery.ts'
import { type RefusalDialect, refusals } from './http/soap/refusals.ts'
import { iti39, iti43 } from './http/soap/retrieve.ts'
import { iti18, iti38 } from './http/soap/stored-query.ts'
import { countedJournal } from './journal/counted.ts'
import { type KeySets, keySets } from './key-sets.ts'
import { reloadable } from './keys/reloadable.ts'
import { nationalDoors } from './national.ts'
import { openStore } from './open-store.ts'
import { anchorReader } from './parties.ts'
import { policiesOf } from './policies.ts'
import { portalApi } from './portal-api.ts'
import { portalFhir } from './portal-fhir.ts'
import { producerTransactions } from './producers.ts'
import { healthRegistry } from './resilience/health.ts'
import { spool } from './spool/spool.ts'
import { writableStore } from './store/writable.ts'
import { createEvents, type Events } from './telemetry/events.ts'
import { createLog } from './telemetry/log.ts'
import { createMetrics } from './telemetry/metrics.ts'
import { measureOutbox } from './telemetry/outbox-age.ts'
import { bearersOf, tokenPlane } from './tokens.ts'
import { indexTransfers } from './transfers.ts'
import { rememberingCheck } from './trust/algorithms.ts'
import { authenticator } from './trust/authenticate.ts'
import { identifier } from './trust/parties.ts'
import { loadTrustMaterial, type TrustMaterial, trustFiles } from './trust-material.ts'
import { watchCertificates } from './watch-certificates.ts'
import { prepareEntries } from './wire/ebrim/query-response.ts'
import { isAuthor } from './wire/hl7/author.ts'
import { workflowStatusApp } from './workflow-status.ts'

/** A running gateway. */
export interface Gateway extends AsyncDisposable {
  /** Says why, then disposes. */
  stop(because: 'SIGTERM' | 'SIGINT'): Promise<void>
  /** Reads keys, certificates and lists again; resolves to whether they are in use. */
  reload(): Promise<boolean>
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
  iti43: '/xds/DocumentRepository_Service',
  iti55: '/xcpd/RespondingGateway_Service',
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

  const store = opened.use(
    await openStore(config, clock).catch((error: unknown) => {
      events.storeFailed({ operation: 'open', error })
      throw error
    }),
  )
  const health = healthRegistry()
  const ending = new AbortController()
  opened.defer(() => ending.abort())
  const sets = opened.use(keySets(config, { clock, onFailure: (set, error) => events.keySetFailed({ set, error }) }))
  let renew: (plane: TrustPlane) => void = () => {}
  const trust = await reloadable(
    async () => await trustPlane(config, { clock, events, store, sets, signal: ending.signal }),
    {
      onReloaded(plane) {
        renew(plane)
        events.trustReloaded({ parties: plane.material.parties.length })
      },
      onFailed(error) {
        const paths = error instanceof ConfigError ? error.faults.map(({ path }) => path) : []
        events.trustReloadFailed({ paths, ...(error instanceof ConfigError ? {} : { error }) })
      },
      watch: { paths: trustFiles(config), everyMs: gateway.reloadEveryMs, signal: ending.signal },
    },
  )
  const material = () => trust.current().material
  const { retrieval } = gateway
  const documents = opened.use(
    spool(retrieval.spool === undefined ? {} : { directory: config.locate(retrieval.spool) }),
  )
  sets.renew(material().tls, trust.current().tokens.servers)
  const connected = connectCommunities(config, { clock, events, health, opened, material, spool: documents })
  const { communities } = connected
  const found = communities.find(({ home }) => home === gateway.home)
  if (found?.relation !== 'own') {
    throw new ConfigError([{ path: 'gateway.home', message: 'must be the home of our own community' }])
  }
  const own = withCitizens(found, federation, communities, clock)
  const soap: SoapParts = {
    identify: (certificate) => trust.current().identify(certificate),
    authenticate: (...message) => trust.current().authenticate(...message),
    refusals: refusals(({ name }) => dialectOf(config, name), { codes: gateway.policyFaults, clock }),
    audit: auditTrail(store, clock),
    events,
    clock,
    addressing: gateway.addressing,
    maxMessageBytes: gateway.maxMessageBytes,
    deadlineMs: gateway.deadlineMs,
    admission: admission(gateway.maxConcurrentExchanges),
  }
  const policyFor = policiesOf(federation, communities)
  const consents = consentsOf(federation, communities, clock)
  const rules = federationParts(own, {
    ...{ policy: policyFor(), pushes: store.journal, communities, clock, events },
    ...(consents === undefined ? {} : { consents }),
  })
  const home = homeCommunityId(gateway.home)
  const initiating = initiatingGateway({ ...rules, communities, mode: gateway.routing })
  const responding = respondingGateway({ ...rules, own })
  const retrieving = {
    ...{ policy: rules.policy, clock, home, mostDocuments: retrieval.maxDocuments, pushes: store.journal },
    unverified: ({ name }: Community) => unverifiedOf(config, name),
    ...(rules.onLeg === undefined ? {} : { onLeg: rules.onLeg }),
  }
  const transfers = indexTransfers(config, {
    ...{ own, communities, outbox: store.outbox, journal: store.journal, clock },
  })
  const told = opened.use(
    deliveries(config, {
      ...{ communities, own, outbox: store.outbox, journal: store.journal, clock, events },
      ...(transfers === undefined ? {} : { further: transfers.deliverers }),
    }),
  )
  const forms = opened.use(documentForms())
  const retrievals = retrieveGateway({ ...retrieving, communities, index: initiating })
  const ownRetrievals = retrieveGateway({
    ...{ ...retrieving, communities: [own], index: responding },
    onDelivered: (...delivered) => told.retrieved(...delivered),
  })
  const { deadlineMs } = retrieval
  const forConsumers = (peer: Peer) => peer.home === home
  const forCommunities = (peer: Peer) => peer.home !== undefined && peer.home !== home
  const journal = countedJournal(store.journal, (push) => events.pushTaken(push))
  const producing = producerTransactions(config, {
    ...{ own, communities, journal, deliveries: told, policy: rules.policy, clock },
  })
  const registryWsdl = producing.length === 0 ? 'DocumentRegistry' : 'DocumentRegistry_Producers'
  const doors: Door[] = [
    door(paths.iti18, `ihe/wsdl/${registryWsdl}`, {
      serve: soapEndpoint({ transactions: [iti18(initiating, home), ...producing], admits: forConsumers }, soap),
    }),
    door(paths.iti43, 'ihe/wsdl/DocumentRepository', {
      serve: soapEndpoint({ transactions: [{ ...iti43(retrievals, home), deadlineMs }], admits: forConsumers }, soap),
    }),
    door(paths.iti38, 'ihe/wsdl/RespondingGateway', {
      serve: soapEndpoint(
        {
          transactions: [iti38(responding, home), { ...iti39(ownRetrievals, home), deadlineMs }],
          admits: forCommunities,
        },
        soap,
      ),
    }),
    ...discoveryDoor(own, { home, admits: forCommunities, policy: rules.policy, soap, clock }),
    ...nationalDoors(config, {
      ...{ own, communities, rules, policyFor, soap, clock, door, journal },
      deliveries: told,
      retrievals: ownRetrievals,
    }),
  ]
  const isWritable = writableStore(store, clock)
  const ready = async () => {
    // Rejects when the store does not answer.
    await store.latest()
    return server.listening && (await isWritable())
  }
  const portal = portalApi(config, { index: initiating, communities, clock, ready })
  const documentParts = {
    ...{ gateway: retrievals, handles: portal.handles, clock, deadlineMs },
    makeForm: servedForms(forms),
  }
  const documentsApi = documentRoutes(documentParts)
  const consentsApi = consentApi({ own, communities, journal, deliveries: told, policy: rules.policy, clock })
  const portalParts: ApiParts = {
    ...{ ...soap, ...portal.bounds },
    guardOf: ({ name = '' }) => trust.current().tokens.guards.get(name),
  }
  const api = apiApp([callerRoute, ...portal.routes, ...documentsApi, ...consentsApi], portalParts)
  const fhir = portalFhir(config, {
    ...{ index: initiating, own, policy: rules.policy, communities, clock, journal: store.journal },
    ...{ key: portal.key, documents: documentParts, api: portalParts },
  })
  const callbacks =
    gateway.workflowStatus === undefined
      ? []
      : [
          workflowStatusApp({
            api: { ...soap, identify: (certificate) => trust.current().identifyCallback(certificate) },
            ...{ journal, clock, events },
          }),
        ]
  const server = soapServer(config, material(), { doors, apis: [api, fhir, portal.reference, ...callbacks] }, events)
  const lookAtEnds = watchCertificates(() => [...material().ending, ...trust.current().tokens.ending], {
    clock,
    events,
    metrics,
    signal: ending.signal,
  })
  renew = ({ material, tokens }) => {
    server.setSecureContext(secureContextOf(material))
    connected.renew(material)
    sets.renew(material.tls, tokens.servers)
    lookAtEnds()
  }
  const operator = createPlainServer(
    getRequestListener(
      opsApp({
        ready,
        status: () => ({
          gateway: { home: gateway.home, organization: gateway.organization.name, routing: gateway.routing },
          communities: health.health(),
        }),
        metrics: async () => {
          await measureOutbox(store.outbox, metrics, clock)
          return { text: await metrics.text(), contentType: metrics.contentType }
        },
        operating: operatorApp({
          ...{ journal: store.journal, outbox: store.outbox, audit: soap.audit, events, clock },
          wake: told.wake,
          names: [gateway.operator.host],
          credentials: new Map([...connected.latches].map(([name, latch]) => [name, () => latch.reset()])),
          ...(transfers === undefined ? {} : { startTransfer: transfers.start }),
        }),
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
  return {
    ports,
    reload: () => trust.reload(),
    async stop(because) {
      events.gatewayStopping({ because })
      await running.disposeAsync()
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** Our own community, whose patient index is completed by the registry of citizens that the configuration names. */
function withCitizens(
  own: Community,
  { gateway: { citizens } }: LoadedConfig['federation'],
  communities: readonly Community[],
  clock: Clock,
): Community {
  if (citizens === undefined) return own
  const registry = communities.find(({ name }) => name === citizens.source)?.citizens
  if (registry === undefined) {
    throw new ConfigError([{ path: 'gateway.citizens.source', message: 'names a community that knows no citizens' }])
  }
  return { ...own, patients: combinedLocator(own.patients, registry, { clock, maxAgeMs: citizens.maxAgeMs }) }
}

/** Other communities ask whether we know a person, where we have an index of persons to look into. */
function discoveryDoor(
  { patients }: Community,
  parts: {
    readonly home: HomeCommunityId
    readonly admits: (peer: Peer) => boolean
    readonly policy: AccessPolicy
    readonly soap: SoapParts
    readonly clock: Clock
  },
): Door[] {
  if (patients === undefined) return []
  const { home, admits, policy, soap, clock } = parts
  const discover: Discover = (sought, call) => discoverPatient(sought, call, { policy, clock, patients })
  return [
    door(paths.iti55, 'ihe/wsdl/RespondingGateway_PatientDiscovery', {
      serve: soapEndpoint({ transactions: [iti55(discover, { home, clock })], admits }, soap),
    }),
  ]
}

function federationParts(
  own: Community,
  {
    events,
    ...parts
  }: Pick<FederationParts, 'policy' | 'pushes' | 'clock' | 'communities' | 'consents'> & { readonly events: Events },
): FederationParts {
  return {
    ...parts,
    isAuthor,
    ...(own.patients === undefined ? {} : { patients: own.patients }),
    onLeg({ correlationId }, { outcome, durationMs }, community, error) {
      events.legFinished({ correlationId, community, outcome, durationMs, ...(error === undefined ? {} : { error }) })
      if (error?.details.reason === wrongPatient) events.wrongPatientRefused({ correlationId, community })
    },
    onEarlyAnswer: ({ entries }) => prepareEntries(entries, setImmediate),
    onOrdersUnknown({ correlationId }, { home, name }, error) {
      events.ordersUnknown({ correlationId, community: { home, name }, error })
    },
    onDisagreement({ correlationId }, { homes, what }) {
      events.sourcesDisagree({ correlationId, homes, what })
    },
  }
}

/** A service and its contract: the WSDL by its path under `contracts`, without the ending, and every schema. */
function door(path: string, wsdl: string, { serve }: Pick<Door, 'serve'>): Door {
  const contracts = new URL('../contracts/', import.meta.url)
  const schemas = ['ihe/xsd/', 'ini/xsd/'].flatMap((name) => {
    const folder = new URL(name, contracts)
    return readdirSync(folder).map((file) => [file, readFileSync(new URL(file, folder), 'utf8')] as const)
  })
  return { path, serve, wsdl: readFileSync(new URL(`${wsdl}.wsdl`, contracts), 'utf8'), schemas: new Map(schemas) }
}

/** Everything that follows from keys, certificates and lists, as of one moment. */
async function trustPlane(
  config: LoadedConfig,
  parts: { clock: Clock; events: Events; store: ReplayMemory; sets: KeySets; signal: AbortSignal },
) {
  const { clock, events, store, sets, signal } = parts
  const { clockSkewMs, audiences } = config.federation.gateway
  const material = await loadTrustMaterial(config, signal)
  const { callbacks, parties } = material
  const now = () => clock.now()
  const distrusted = (party: string, reason: string) => events.certificateDistrusted({ party, reason })
  const check = rememberingCheck()
  return {
    material,
    identify: identifier(parties, now, distrusted),
    identifyCallback: identifier(callbacks, now, distrusted),
    authenticate: authenticator(parties, {
      clock,
      clockSkewMs,
      audiences,
      check,
      replay: store,
      homeOf: organizationHome,
    }),
    tokens: tokenPlane(bearersOf(config.federation.consumers), {
      ...{ config, clock, check, replay: store },
      keySets: sets,
      anchorsOf: anchorReader(config),
    }),
  }
}

type TrustPlane = Awaited<ReturnType<typeof trustPlane>>

/** INI is refused in its own words, and who brings assertions of IHE XUA in those of XUA. */
function dialectOf({ federation }: LoadedConfig, name: string | undefined): RefusalDialect {
  const community = federation.communities.find((one) => one.name === name)
  if (community?.adapter === 'ini') return 'ini'
  const party = community ?? federation.consumers.find((one) => one.name === name)
  return party?.trust.assertions?.profile === 'xua' ? 'xua' : 'wss'
}

/** What the configuration says of a community's documents that cannot be verified. */
function unverifiedOf({ federation }: LoadedConfig, name: string): Unverified {
  return federation.communities.find((one) => one.name === name)?.retrieval.unverified ?? 'refuse'
}

function secureContextOf({ tls, parties, callbacks }: TrustMaterial) {
  const authorities = [...parties, ...callbacks].flatMap(({ callers }) => {
    return callers === undefined ? [] : [...callers.trust.anchors, ...(callers.trust.intermediates ?? [])]
  })
  return {
    ...tls,
    ca: authorities.map((authority) => authority.toString()),
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
  } as const
}

function soapServer(
  { federation: { gateway } }: LoadedConfig,
  material: TrustMaterial,
  { doors, apis }: { doors: readonly Door[]; apis: readonly ReturnType<typeof apiApp>[] },
  events: Events,
): TlsServer {
  const app = soapApp(doors)
  for (const api of apis) app.route('/', api)
  const server = createServer(
    {
      ...secureContextOf(material),
      requestCert: true,
      rejectUnauthorized: true,
      headersTimeout: gateway.deadlineMs,
      requestTimeout: gateway.deadlineMs,
      keepAliveTimeout: 65_000,
      // How often Node looks for requests that are too slow; by default every 30 seconds.
      connectionsCheckingInterval: 1_000,
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

/** Stops listening, lets exchanges under way end, and ends each connection as it falls idle. */
async function closed(server: Server | TlsServer): Promise<void> {
  const sweep = setInterval(() => server.closeIdleConnections(), 50)
  const done = new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  server.closeIdleConnections()
  await done
  clearInterval(sweep)
}
