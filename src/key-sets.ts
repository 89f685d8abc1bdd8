import { X509Certificate } from 'node:crypto'
import { type CommunityClient, communityClient, type TlsIdentity } from './client/send.ts'
import { ConfigError, type LoadedConfig } from './config/load.ts'
import type { JwksConfig } from './config/tokens.ts'
import { GatewayError } from './core/errors.ts'
import { homeCommunityId } from './core/model/identifiers.ts'
import type { Clock } from './core/ports.ts'
import { jwksSource } from './trust/jwt/jwks.ts'
import { fixedKeys, readKeySet } from './trust/jwt/key-set.ts'
import type { KeySource } from './trust/jwt/keys.ts'
import { distrust, type TrustAnchors } from './trust/x509/chain.ts'

/** Who vouches for the servers of key sets, by the name of each set. */
export type KeyServers = ReadonlyMap<string, TrustAnchors & { readonly policies?: readonly string[] }>

/**
 * Key sets of issuers, by name. Those that their owners keep are remembered beyond a reload of keys and certificates, so
 * that an issuer that is out of reach meanwhile is not forgotten.
 */
export interface KeySets extends AsyncDisposable {
  /** The keys of a set. Throws ConfigError for a file that cannot be used. */
  sourceOf(name: string, jwks: JwksConfig): KeySource
  /** Fetches over connections of this identity, to servers these authorities vouch for, from now on. */
  renew(identity: Pick<TlsIdentity, 'cert' | 'key'>, servers: KeyServers): void
}

export interface KeySetParts {
  readonly clock: Clock
  /** Told whenever a set cannot be had, also while its old keys will do. Must not throw. */
  readonly onFailure?: (set: string, error: GatewayError) => void
}

/** The largest key set that is read. */
const maxBytes = 262_144

/** Opens no connection before the first `renew`. */
export function keySets(config: LoadedConfig, { clock, onFailure }: KeySetParts): KeySets {
  const { gateway } = config.federation
  const sources = new Map<string, KeySource>()
  const clients = new Map<string, CommunityClient>()
  let servers: KeyServers = new Map()

  async function fetched(name: string, url: string, signal: AbortSignal) {
    const client = clients.get(name)
    if (client === undefined) throw new Error('There is no way to the key set')
    try {
      const headers = { accept: 'application/jwk-set+json, application/json' }
      const build = () => ({ url, method: 'GET', headers, signal, idempotent: true }) as const
      const { status, body } = await client.sendFresh(build)
      if (status === 200) readKeySet(body)
      else throw new Error(`The key set was answered with status ${status}`)
      return { status, body }
    } catch (error) {
      const failure = error instanceof GatewayError ? error : unusable(error)
      onFailure?.(name, failure)
      throw failure
    }
  }

  function remoteSource(name: string, { url, ...jwks }: Extract<JwksConfig, { url: string }>): KeySource {
    const { freshForMs, staleForMs } = jwks
    const fetch = (signal: AbortSignal) => fetched(name, url, signal)
    return jwksSource({ fetch, clock, freshForMs, staleForMs, maxBytes })
  }

  function clientOf(name: string, tls: TlsIdentity): CommunityClient {
    return communityClient({
      name,
      home: homeCommunityId(gateway.home),
      tls,
      judgeServer(certificate, supplied) {
        const { policies, ...trust } = servers.get(name) ?? { anchors: [] }
        const others = supplied.map((one) => new X509Certificate(one))
        const demands = { use: 'server', ...(policies === undefined ? {} : { policies }) } as const
        return distrust(new X509Certificate(certificate), others, trust, demands, clock.now())
      },
      maxResponseBytes: maxBytes,
      connections: 2,
      connectTimeoutMs: 3_000,
    })
  }

  return {
    sourceOf(name, jwks) {
      if ('file' in jwks) return fileSource(jwks.file, config)
      const source = sources.get(name) ?? remoteSource(name, jwks)
      sources.set(name, source)
      return source
    },
    renew(identity, renewed) {
      servers = renewed
      for (const [name, { anchors, intermediates = [] }] of renewed) {
        const tls = { ...identity, ca: [...anchors, ...intermediates].map((one) => one.toString()) }
        const known = clients.get(name)
        if (known === undefined) clients.set(name, clientOf(name, tls))
        else known.renew(tls)
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...clients.values()].map((client) => client[Symbol.asyncDispose]()))
    },
  }
}

function unusable(cause: unknown): GatewayError {
  return new GatewayError('community-misbehaved', 'The key set cannot be used', { cause })
}

function fileSource(file: string, { bytes }: LoadedConfig): KeySource {
  try {
    return fixedKeys(readKeySet(bytes(file)))
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError([{ path: file, message: 'is no set of public keys' }])
  }
}
