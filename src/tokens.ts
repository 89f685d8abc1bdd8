import type { LoadedConfig } from './config/load.ts'
import type { JwksConfig, TokensConfig } from './config/tokens.ts'
import { homeCommunityId } from './core/model/identifiers.ts'
import type { Clock, ReplayMemory } from './core/ports.ts'
import { fseGuarding } from './guards/fse.ts'
import type { Guarding, GuardParts } from './guards/guarding.ts'
import { modiGuarding, pdndSet } from './guards/modi.ts'
import { portalGuarding } from './guards/portal.ts'
import type { Guard } from './http/api/guard.ts'
import type { KeyServers, KeySets } from './key-sets.ts'
import type { AuthorityFiles } from './parties.ts'
import type { SignatureCheck } from './trust/algorithms.ts'
import { requireNew } from './trust/replay.ts'
import type { TrustAnchors } from './trust/x509/chain.ts'
import type { NamedCertificate } from './trust/x509/expiry.ts'

/** A consumer whose requests bring tokens. */
export interface TokenBearer {
  readonly name: string
  readonly tokens: TokensConfig
}

export interface TokenParts {
  readonly config: LoadedConfig
  readonly clock: Clock
  readonly check: SignatureCheck
  readonly replay: ReplayMemory
  readonly keySets: Pick<KeySets, 'sourceOf'>
  readonly anchorsOf: (files: AuthorityFiles) => TrustAnchors
}

/** The guards of the REST doors, as of one moment. */
export interface TokenPlane {
  /** By the names of the consumers. */
  readonly guards: ReadonlyMap<string, Guard>
  /** For `KeySets.renew`. */
  readonly servers: KeyServers
  /** Certificates whose end somebody must be told of in time. */
  readonly ending: readonly NamedCertificate[]
}

/** The consumers of a configuration that bring tokens. */
export function bearersOf(
  consumers: readonly {
    readonly name: string
    readonly trust: { readonly callers: unknown; readonly tokens?: TokensConfig | undefined }
  }[],
): readonly TokenBearer[] {
  return consumers.flatMap(({ name, trust: { tokens } }) => (tokens === undefined ? [] : [{ name, tokens }]))
}

/** Builds the guards of all consumers that bring tokens. Throws ConfigError for a file that cannot be used. */
export function tokenPlane(bearers: readonly TokenBearer[], parts: TokenParts): TokenPlane {
  const { anchorsOf, check, clock, config, keySets, replay } = parts
  const { clockSkewMs, home } = config.federation.gateway
  const common: GuardParts = {
    ...{ anchorsOf, check, clock, clockSkewMs },
    home: homeCommunityId(home),
    keysOf: keySets.sourceOf,
  }
  const remote = bearers.flatMap(keySetsOf).flatMap(({ name, jwks }) => ('url' in jwks ? [{ name, ...jwks }] : []))
  const servers = remote.map(({ name, policies, ...files }) => {
    return [name, { ...anchorsOf(files), ...(policies === undefined ? {} : { policies }) }] as const
  })
  const authorities = bearers.flatMap(({ name, tokens }) => {
    const files = signersOf(tokens)
    return files === undefined ? [] : [[`${name}/tokens`, anchorsOf(files)] as const]
  })
  return {
    guards: new Map(bearers.map((bearer) => [bearer.name, remembering(guardingOf(bearer, common), replay)])),
    servers: new Map(servers),
    ending: [...authorities, ...servers.map(([name, trust]) => [`${name}/jwks`, trust] as const)].flatMap(named),
  }
}

function named([name, { anchors }]: readonly [string, TrustAnchors]): NamedCertificate[] {
  return anchors.map((certificate, index) => {
    return { name: anchors.length === 1 ? name : `${name}/${index + 1}`, certificate }
  })
}

/** Every file that the tokens of consumers are judged by. */
export function tokenFiles(bearers: readonly TokenBearer[]): readonly string[] {
  const filesOf = ({ anchors, intermediates = [], revocationLists = [] }: AuthorityFiles) => {
    return [...anchors, ...intermediates, ...revocationLists]
  }
  return bearers.flatMap((bearer) => {
    const authority = signersOf(bearer.tokens)
    const sets = keySetsOf(bearer).flatMap(({ jwks }) => ('url' in jwks ? filesOf(jwks) : [jwks.file]))
    return [...(authority === undefined ? [] : filesOf(authority)), ...sets]
  })
}

/** Authorities of the certificates that tokens are signed with. */
function signersOf(tokens: TokensConfig): AuthorityFiles | undefined {
  if (tokens.profile === 'fse') return tokens
  return tokens.profile === 'modi' && tokens.keys !== undefined && 'anchors' in tokens.keys ? tokens.keys : undefined
}

function keySetsOf({ name, tokens }: TokenBearer): readonly { readonly name: string; readonly jwks: JwksConfig }[] {
  if (tokens.profile === 'fse') return []
  if (tokens.profile === 'portal') return [{ name, jwks: tokens.jwks }]
  const { keys, pdnd } = tokens
  return [
    ...(keys !== undefined && 'jwks' in keys ? [{ name, jwks: keys.jwks }] : []),
    ...(pdnd === undefined ? [] : [{ name: pdndSet(name), jwks: pdnd.jwks }]),
  ]
}

/** A guard that lets nothing happen twice that may happen once. */
function remembering({ verify, ...guarding }: Guarding, replay: ReplayMemory): Guard {
  return {
    ...guarding,
    async authenticate(request, signal) {
      const { caller, uses } = await verify(request, signal)
      await requireNew(replay, uses)
      return caller
    },
  }
}

function guardingOf({ name, tokens }: TokenBearer, parts: GuardParts): Guarding {
  switch (tokens.profile) {
    case 'portal':
      return portalGuarding(name, tokens, parts)
    case 'fse':
      return fseGuarding(tokens, parts)
    case 'modi':
      return modiGuarding(name, tokens, parts)
  }
}
