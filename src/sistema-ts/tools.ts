import type { CommunityClient } from '../client/send.ts'
import type { SistemaTsTools } from '../config/adapter.ts'
import type { CommunityConfig, Federation } from '../config/federation.ts'
import { ConfigError } from '../config/load.ts'
import type { SistemaTsConfig } from '../config/sistema-ts.ts'
import { GatewayError } from '../core/errors.ts'
import type { Clock } from '../core/ports.ts'
import { samlIssuer } from '../trust/saml/issue-saml.ts'
import type { Signer } from '../trust/signer.ts'
import { basicAuthorization, type ChannelParts, type Presented, sistemaTsChannel } from '../trust/sistema-ts/channel.ts'
import { encipherer } from '../trust/sistema-ts/encryption.ts'
import { type CredentialLatch, credentialKey, credentialLatch } from '../trust/sistema-ts/latch.ts'
import { authnContextOf, type RegionAuthn, regionStatement } from '../trust/sistema-ts/region-assertion.ts'
import { deliveredSession, type SessionSource } from '../trust/sistema-ts/session.ts'
import type { SistemaTsMaterial } from './material.ts'
import { sessionCreator } from './sessions.ts'

type RegionConfig = Extract<SistemaTsConfig, { as: 'region' }>
type UserConfig = Extract<SistemaTsConfig, { as: 'user' }>

/** What a channel of one community is made of. */
export interface SistemaTsParts {
  readonly clock: Clock
  readonly client: Pick<CommunityClient, 'send'>
  readonly gateway: Pick<Federation['gateway'], 'organization' | 'assertionLifetimeMs'>
  /** The files of the community's `sistemaTs`, as of now. */
  readonly material: () => SistemaTsMaterial
  /** The gateway's own signer. */
  readonly signer: () => Signer
  /** Told of each credentials that Sistema TS refuses. */
  readonly onRefusal: () => void
}

/** The way to Sistema TS, and what keeps refused credentials from being presented again. */
export interface SistemaTsAccess {
  readonly tools: SistemaTsTools
  readonly latch: CredentialLatch
}

/** Opens nothing. Throws ConfigError for an authentication Sistema TS has no name for. */
export function sistemaTsOf(
  { name, sistemaTs: settings }: Pick<CommunityConfig, 'name' | 'sistemaTs'>,
  parts: SistemaTsParts,
): SistemaTsAccess | undefined {
  if (settings === undefined) return undefined
  const latch = credentialLatch(parts.onRefusal)
  const channelParts: Omit<ChannelParts, 'present'> = {
    latch,
    // Sent once: whoever tries again must know that the credentials were not what failed.
    send: (request) => parts.client.send({ ...request, idempotent: false }),
    encipher: encipherer(() => parts.material().certificates, parts.clock),
    pinCode: () => parts.material().pinCode,
    refusalCodes: new Set(settings.refusalCodes),
  }
  const present =
    settings.as === 'region' ? regionCredentials(name, settings, parts) : userCredentials(settings, parts, channelParts)
  return { latch, tools: { as: settings.as, ...sistemaTsChannel({ ...channelParts, present }) } }
}

/** Mutual TLS is the connection's; each user is vouched for, and latched, alone: a wrong one says nothing of others. */
function regionCredentials(
  community: string,
  settings: RegionConfig,
  { clock, gateway, material, signer }: SistemaTsParts,
): ChannelParts['present'] {
  const { organization, assertionLifetimeMs: lifetimeMs } = gateway
  const authn = authnOf(community, { profile: settings.authnContext, level: settings.level, mode: settings.mode })
  const present = () => material().signer ?? signer()
  const issuer = samlIssuer(present, { issuer: organization.code, lifetimeMs, clock })
  return async ({ assertion }): Promise<Presented> => {
    const statement = regionStatement(assertion, {
      organization: organization.code,
      locality: settings.locality,
      now: clock.now(),
    })
    const { basic, pinCode } = material()
    const { fingerprint256 } = present().certificate
    return {
      key: credentialKey(
        'region',
        statement.subject,
        fingerprint256,
        pinCode,
        basic?.user ?? '',
        basic?.password ?? '',
      ),
      headers: basic === undefined ? {} : { authorization: basicAuthorization(basic.user, basic.password) },
      assertion: await issuer.issueForSistemaTs(statement, authn),
    }
  }
}

function authnOf(community: string, authn: RegionAuthn): ReturnType<typeof authnContextOf> {
  try {
    return authnContextOf(authn)
  } catch (error) {
    const message = error instanceof Error ? error.message : 'cannot be used'
    throw new ConfigError([{ path: `communities.${community}.sistemaTs.mode`, message }])
  }
}

/** Sessions we ask for change by themselves, so they are no part of the credentials that may be tried anew. */
function userCredentials(
  settings: UserConfig,
  parts: SistemaTsParts,
  channelParts: Omit<ChannelParts, 'present'>,
): ChannelParts['present'] {
  const { material } = parts
  const sessions = sessionsOf(settings, parts, channelParts)
  const delivered = settings.session !== undefined && 'file' in settings.session
  return async (): Promise<Presented> => {
    const { key, authorization } = userIdentity(material())
    const token = await sessions?.current()
    if (token === undefined || sessions === undefined) return { key, headers: { authorization } }
    return {
      key: delivered ? credentialKey(key, token) : key,
      headers: { authorization, Authorization2F: `Bearer ${token}` },
      superseded: () => sessions.superseded(token),
    }
  }
}

function sessionsOf(
  { session }: UserConfig,
  parts: SistemaTsParts,
  channelParts: Omit<ChannelParts, 'present'>,
): SessionSource | undefined {
  if (session === undefined) return undefined
  const { material } = parts
  if ('file' in session) return deliveredSession(() => material().session ?? '')
  return sessionCreator(session, { ...parts, channelParts, identity: () => userIdentity(material()) })
}

function userIdentity({ basic, pinCode }: SistemaTsMaterial): { readonly key: string; readonly authorization: string } {
  if (basic === undefined) throw new GatewayError('internal', 'A direct user of Sistema TS has no name and password')
  return {
    key: credentialKey('user', basic.user, basic.password, pinCode),
    authorization: basicAuthorization(basic.user, basic.password),
  }
}
