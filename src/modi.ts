import type { AskRegistryParts } from './client/ask-registry.ts'
import { type CommunityClient, communityClient, type OutboundRequest } from './client/send.ts'
import type { CommunityConfig, Federation } from './config/federation.ts'
import type { LoadedConfig } from './config/load.ts'
import type { GatewayError } from './core/errors.ts'
import type { AuthorizedCall } from './core/model/call.ts'
import { homeCommunityId } from './core/model/identifiers.ts'
import type { Clock } from './core/ports.ts'
import { dpopProver } from './trust/jwt/issue-dpop.ts'
import { type ModiSigner, modiSigner } from './trust/jwt/sign-modi.ts'
import { type VoucherSource, type VoucherSourceOptions, voucherSource } from './trust/jwt/voucher.ts'
import type { Signer } from './trust/signer.ts'
import { signMessage } from './trust/soap/sign-message.ts'
import type { TrustMaterial } from './trust-material.ts'

type ModiConfig = NonNullable<CommunityConfig['modi']>
type Request = Omit<OutboundRequest, 'idempotent'>

/** What a community that follows ModI wants of our requests, beyond mutual TLS and the assertion. */
export interface Modi extends Pick<AskRegistryParts, 'seal'> {
  /** Headers for one request, made for it alone; `call` says for whom it is made. */
  readonly dress?: (request: Request, call?: AuthorizedCall) => Promise<OutboundRequest['headers']>
  /** Opens new connections to PDND with renewed keys and anchors. */
  readonly renew?: (material: TrustMaterial) => void
}

interface Parts {
  readonly clock: Clock
  readonly material: () => TrustMaterial
  readonly opened: AsyncDisposableStack
  /** Told when PDND gives no voucher. */
  readonly onFailure: (error: GatewayError) => void
}

/** Signatures, tokens and vouchers for one community (sistema-ts.md B.6). Opens no connection yet. */
export function modiOf({ modi, name, home }: CommunityConfig, config: LoadedConfig, parts: Parts): Modi {
  if (modi === undefined) return {}
  const { message, pdnd } = modi
  const { clock, material } = parts
  const client = pdnd && pdndClient(pdnd, { ...parts, name, home, config })
  return {
    ...(message === undefined
      ? {}
      : { seal: (outgoing, body) => signMessage(outgoing, body, { ...message, clock, signer: material().signer }) }),
    ...(modi.tokens === undefined && modi.pdnd === undefined
      ? {}
      : { dress: dresser(modi, { ...parts, config, ...(client === undefined ? {} : { client }) }) }),
    ...(client === undefined || pdnd === undefined
      ? {}
      : { renew: (renewed: TrustMaterial) => client.renew({ ...renewed.tls, ca: pdnd.tls.map(config.read) }) }),
  }
}

function dresser(
  modi: ModiConfig,
  parts: Parts & { readonly config: LoadedConfig; readonly client?: CommunityClient },
): NonNullable<Modi['dress']> {
  const { client, clock, material, config } = parts
  let current: VoucherSource | undefined
  let retired: VoucherSource | undefined
  const tokens = forPresentSigner(material, (signer) => tokenSigner(modi.tokens, signer, clock))
  const vouchers = forPresentSigner<VoucherSource | undefined>(material, (signer) => {
    if (modi.pdnd === undefined || client === undefined) return undefined
    // A client assertion is good for one request.
    const send: VoucherSourceOptions['send'] = (request) => client.send({ ...request, idempotent: false })
    const { endpoint, audience, clientId, kid, purposeId, skewMs, dpop } = modi.pdnd
    const source = voucherSource({
      ...{ endpoint, audience, clientId, kid, skewMs, send, signer, clock, onFailure: parts.onFailure },
      ...(purposeId === undefined ? {} : { purposeId }),
      ...(dpop ? { dpop: dpopProver(signer, { clock }) } : {}),
    })
    // Whoever waits on the one before still gets its voucher; by the time of another renewal nobody does.
    retired?.[Symbol.dispose]()
    retired = current
    current = source
    return source
  })
  parts.opened.defer(() => {
    retired?.[Symbol.dispose]()
    current?.[Symbol.dispose]()
  })
  return async ({ method, url, headers, body, signal }, call) => {
    const user = call === undefined ? undefined : trackedUser(modi.tokens, config.federation.gateway, call)
    const request = { method, headers, ...(body === undefined ? {} : { body }) }
    const signed = await tokens()?.sign(request, user)
    // Only the second pattern ties a voucher to the evidence; any other voucher serves many requests.
    const evidence = modi.tokens?.audit === 'AUDIT_REST_02' ? signed?.evidenceDigest : undefined
    const vouched = await vouchers()?.authorize({
      ...{ method, url, signal },
      ...(evidence === undefined ? {} : { evidenceDigest: evidence }),
    })
    return { ...signed?.headers, ...vouched }
  }
}

/** What is made for each signer there is: when keys are renewed, it is made anew. */
function forPresentSigner<T>(material: () => TrustMaterial, make: (signer: Signer) => T): () => T {
  let made: { readonly signer: Signer; readonly value: T } | undefined
  return () => {
    const { signer } = material()
    if (made?.signer !== signer) made = { signer, value: make(signer) }
    return made.value
  }
}

function tokenSigner(tokens: ModiConfig['tokens'], signer: Signer, clock: Clock): ModiSigner | undefined {
  if (tokens === undefined) return undefined
  const { authentication, integrity, audit, issuer, purposeId, ...profile } = tokens
  return modiSigner(
    signer,
    {
      ...{ reference: profile.reference, audience: profile.audience, lifetimeMs: profile.lifetimeMs },
      ...{ signEmptyBody: profile.signEmptyBody, sharedJti: profile.sharedJti, digestLabel: profile.digestLabel },
      ...(authentication === undefined ? {} : { authentication }),
      ...(integrity === undefined ? {} : { integrity }),
      ...(audit === undefined ? {} : { audit }),
      ...(issuer === undefined ? {} : { issuer }),
      ...(purposeId === undefined ? {} : { purposeId }),
    },
    { clock },
  )
}

/** Who the request is made for, as the verified assertion names them. */
function trackedUser(tokens: ModiConfig['tokens'], { organization }: Federation['gateway'], call: AuthorizedCall) {
  const { subject, locality } = call.assertion
  const loa = tokens?.loa
  return {
    userID: subject,
    userLocation: tokens?.userLocation ?? locality ?? organization.code,
    ...(loa === undefined ? {} : { LoA: loa }),
  }
}

/** PDND has anchors of its own. */
function pdndClient(
  { tls }: NonNullable<ModiConfig['pdnd']>,
  { config, material, opened, name, home }: Parts & { name: string; home: string; config: LoadedConfig },
): CommunityClient {
  return opened.use(
    communityClient({
      name: `${name}-pdnd`,
      home: homeCommunityId(home),
      tls: { ...material().tls, ca: tls.map(config.read) },
      maxResponseBytes: 65_536,
      connections: 4,
      connectTimeoutMs: 3_000,
    }),
  )
}
