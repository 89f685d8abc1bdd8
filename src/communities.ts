import { adapters } from '../adapters/index.ts'
import { documentTypesEver, loinc } from '../contracts/affinity-domain/document-types.ts'
import { organizationHome } from '../contracts/affinity-domain/organizations.ts'
import { cached } from './cache/cached.ts'
import { registryAsker } from './client/ask-registry.ts'
import { documentRetriever } from './client/retrieve-documents.ts'
import { type CommunityClient, communityClient, type TlsIdentity } from './client/send.ts'
import { metadataSubmitter } from './client/submit-metadata.ts'
import type { AdapterTools, SistemaTsTools, WritingAction } from './config/adapter.ts'
import type { CommunityConfig, Federation } from './config/federation.ts'
import { ConfigError, type LoadedConfig } from './config/load.ts'
import { GatewayError } from './core/errors.ts'
import type { AuthorizedCall } from './core/model/call.ts'
import { type HomeCommunityId, homeCommunityId } from './core/model/identifiers.ts'
import type { PatientId } from './core/model/patient.ts'
import type { StoredQuery } from './core/model/stored-query.ts'
import type { Clock, Community, Spool } from './core/ports.ts'
import { type Modi, modiOf } from './modi.ts'
import { guarded } from './resilience/guarded.ts'
import type { BreakerState, GuardedActor, healthRegistry } from './resilience/health.ts'
import { type SistemaTsAccess, sistemaTsOf } from './sistema-ts/tools.ts'
import type { Events } from './telemetry/events.ts'
import { type FseIssuer, fseIssuer } from './trust/jwt/issue-fse.ts'
import { type IssuingProfile, samlIssuer, type Vouching } from './trust/saml/issue-saml.ts'
import type { Signer } from './trust/signer.ts'
import type { CredentialLatch } from './trust/sistema-ts/latch.ts'
import { serverJudge, type TrustMaterial } from './trust-material.ts'

/** What connecting the communities of a configuration needs. Whatever is opened is left to `opened` to close. */
export interface ConnectParts {
  readonly clock: Clock
  readonly events: Events
  readonly health: ReturnType<typeof healthRegistry>
  readonly opened: AsyncDisposableStack
  /** Keys and anchors as of now. */
  readonly material: () => TrustMaterial
  readonly spool: Spool
}

/** The communities, and how to put renewed keys and anchors to use. */
export interface Connected {
  readonly communities: readonly Community[]
  /** Opens new connections from now on; throws when the material cannot be used. */
  readonly renew: (material: TrustMaterial) => void
  /** What keeps refused credentials from being presented again, by the names of communities; operators reset it. */
  readonly latches: ReadonlyMap<string, CredentialLatch>
}

/** Every community of the configuration: its adapter, guarded, cached where it says so. Throws ConfigError. */
export function connectCommunities(config: LoadedConfig, parts: ConnectParts): Connected {
  const { clock, events, health, opened, material, spool } = parts
  const toolsFor = toolmaker(config, { clock, events, spool, signer: () => material().signer })
  const clients = new Map<string, CommunityClient>()
  const renewals: NonNullable<Modi['renew']>[] = []
  const latches = new Map<string, CredentialLatch>()
  const communities = config.federation.communities.map((entry, index) => {
    const community = { home: homeCommunityId(entry.home), name: entry.name }
    const client = opened.use(clientOf(entry, config, material, clock))
    clients.set(entry.name, client)
    const modi = modiOf(entry, config, {
      clock,
      material,
      opened,
      onFailure: (error) => events.voucherFailed({ community, error }),
    })
    if (modi.renew !== undefined) renewals.push(modi.renew)
    const access = sistemaTsAccess(entry, config, { clock, client, material, events, community })
    if (access !== undefined) latches.set(entry.name, access.latch)
    const connected = connect(entry, toolsFor(entry, client, modi, access?.tools), index)
    const onStateChange = ({ actor, to }: { actor: GuardedActor; to: BreakerState }) =>
      events.breakerChanged({ community, actor, state: to })
    const watched = health.add(
      guarded(connected, { ...entry.guard, retrievalTimeoutMs: entry.retrieval.timeoutMs }, { onStateChange }, clock),
    )
    return opened.use(entry.cache === undefined ? watched : cached(watched, entry.cache, clock))
  })
  return {
    communities,
    renew(renewed) {
      for (const [name, client] of clients) client.renew(tlsFor(name, renewed))
      for (const renew of renewals) renew(renewed)
    },
    latches,
  }
}

function sistemaTsAccess(
  entry: CommunityConfig,
  { federation }: LoadedConfig,
  {
    material,
    events,
    community,
    ...parts
  }: Pick<ConnectParts, 'clock' | 'events' | 'material'> & {
    readonly client: CommunityClient
    readonly community: { readonly home: HomeCommunityId; readonly name: string }
  },
): SistemaTsAccess | undefined {
  return sistemaTsOf(entry, {
    ...parts,
    gateway: federation.gateway,
    signer: () => material().signer,
    material() {
      const read = material().sistemaTs.get(entry.name)
      if (read === undefined) throw new GatewayError('internal', 'The files of a community were not read')
      return read
    },
    onRefusal: () => events.credentialsRefused({ community }),
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

/** Makes the tools of each community. */
export function toolmaker(
  { federation }: LoadedConfig,
  { clock, events, signer, spool }: { clock: Clock; events: Events; signer: () => Signer; spool: Spool },
) {
  const { gateway } = federation
  const lifetime = { lifetimeMs: gateway.assertionLifetimeMs, clock }
  const saml = samlIssuer(signer, { issuer: gateway.organization.code, ...lifetime })
  const tokens = perSigner(signer, (one) => fseIssuer(one, lifetime))
  return (
    entry: CommunityConfig,
    client: CommunityClient,
    modi: Modi = {},
    sistemaTs?: SistemaTsTools,
  ): AdapterTools => {
    const community = { home: homeCommunityId(entry.home), name: entry.name }
    const profile = issuingProfile(entry, gateway)
    return {
      clock,
      async send(request) {
        const headers = modi.dress === undefined ? {} : await modi.dress(request)
        return await client.send({ ...request, headers: { ...request.headers, ...headers }, idempotent: true })
      },
      vouch: async ({ audience, call, ...about }) => await tokens().bearer(vouchingFor(gateway, call, about), audience),
      attest: async ({ call, ...about }) => await saml.issue(vouchingFor(gateway, call, about), profile),
      ask: registryAsker({
        client,
        maxResponseBytes: gateway.maxResponseBytes,
        ...modi,
        vouch: async ({ call, ...about }) => await saml.issue(vouchingFor(gateway, call, about), profile),
        onDropped: ({ correlationId }, entries) =>
          events.entryDropped({ correlationId, community, reason: 'metadata-invalid', entries }),
      }),
      retrieve: documentRetriever({
        client,
        spool,
        maxDocumentBytes: gateway.retrieval.maxDocumentBytes,
        ...modi,
        vouch: async (call) => await saml.issue(vouchingFor(gateway, call), profile),
      }),
      submit: metadataSubmitter({
        client,
        ...modi,
        vouch: async ({ call, ...about }) => await saml.issue(vouchingFor(gateway, call, about), profile),
      }),
      ...(sistemaTs === undefined ? {} : { sistemaTs }),
      mostAtOnce: entry.retrieval.mostAtOnce,
      homeOf: organizationHome,
    }
  }
}

/** What is made once for each signer there is, the present one's. */
function perSigner(signer: () => Signer, make: (signer: Signer) => FseIssuer): () => FseIssuer {
  const made = new WeakMap<Signer, FseIssuer>()
  return () => {
    const present = signer()
    const known = made.get(present) ?? make(present)
    made.set(present, known)
    return known
  }
}

/** How a community wants to be told who asks. */
export function issuingProfile(
  { vouching }: Pick<CommunityConfig, 'vouching'>,
  gateway: Pick<Federation['gateway'], 'home'>,
): IssuingProfile {
  if (vouching.profile === 'ini') return vouching
  const { audience, roleSystem, purposeSystem } = vouching
  return {
    profile: 'xua',
    audience,
    homeCommunityId: gateway.home,
    // XUA wants an OID or a URL here (ihe.md §1.13), and ours is that of our community.
    organizationId: gateway.home,
    ...(roleSystem === undefined ? {} : { roleSystem }),
    ...(purposeSystem === undefined ? {} : { purposeSystem }),
  }
}

/** The connections to one community, trusting its own anchors only. */
export function clientOf(
  entry: CommunityConfig,
  { federation }: LoadedConfig,
  material: () => TrustMaterial,
  clock: Clock,
): CommunityClient {
  return communityClient({
    name: entry.name,
    home: homeCommunityId(entry.home),
    tls: tlsFor(entry.name, material()),
    judgeServer: serverJudge(entry.name, material, clock),
    maxResponseBytes: federation.gateway.maxResponseBytes,
    // Registry and patient index each have their own slots; a queue of ours would look like the peer's slowness.
    connections: Math.max(entry.connections, 2 * entry.guard.concurrency),
    connectTimeoutMs: entry.connectTimeoutMs,
  })
}

function tlsFor(name: string, { tls, servers }: TrustMaterial): TlsIdentity {
  return { ...tls, ca: (servers.get(name)?.anchors ?? []).map((anchor) => anchor.toString()) }
}

/** What we are about to do for our caller. */
interface Intent {
  readonly patientId?: PatientId | undefined
  readonly query?: StoredQuery
  readonly does?: WritingAction | 'READ' | undefined
  /** Where the act has a role or a purpose of its own. */
  readonly role?: string | undefined
  readonly purposeOfUse?: string | undefined
  readonly indexTransferId?: string | undefined
}

/**
 * What we claim about our caller: what our caller claimed and we verified, told by us. The application is ours when the
 * caller named none, and the document types are those asked for, or all there are: INI holds them against the query.
 */
function vouchingFor(
  { organization, application }: Federation['gateway'],
  { assertion }: AuthorizedCall,
  { patientId, query, does = 'READ', ...intent }: Intent = {},
): Vouching {
  const { subject, inCare } = assertion
  // Those whose form of assertion names no place ask from ours.
  const locality = assertion.locality ?? organization.locality
  const patient = patientId ?? assertion.patientId
  if (patient === undefined) throw new GatewayError('access-denied', 'The assertion names no patient')
  return {
    subject,
    role: intent.role ?? assertion.role,
    purposeOfUse: intent.purposeOfUse ?? assertion.purposeOfUse,
    // What we are about to do ourselves; the policy has refused whoever claimed anything else.
    action: does,
    organization: organization.code,
    organizationName: organization.name,
    patientId: patient,
    application: assertion.application ?? application,
    documentTypes: typesAsked(query) ?? assertion.documentTypes ?? documentTypesEver,
    // Who does not say that the patient is in their care is not vouched for as if they did.
    inCare: inCare ?? false,
    ...(intent.indexTransferId === undefined ? {} : { indexTransferId: intent.indexTransferId }),
    ...(locality === undefined ? {} : { locality }),
  }
}

function typesAsked(query: StoredQuery | undefined) {
  if (query === undefined || !('filter' in query) || !('typeCodes' in query.filter)) return undefined
  return query.filter.typeCodes?.map(({ code, scheme }) => ({ code, scheme: scheme ?? loinc }))
}
