import { generateKeyPair, type KeyObject, randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { calculateJwkThumbprint, exportJWK, type JWK, type JWTPayload, SignJWT } from 'jose'
import {
  type Counterpart,
  type CounterpartOptions,
  type Face,
  type PeerReply,
  startCounterpart,
  systemClock,
} from './server.ts'

/** An application as it was registered: whom it may ask tokens for. */
export interface OpenIdClient {
  readonly id: string
  readonly audiences: readonly string[]
}

/** What a user's application asks for. */
export interface TokenRequest {
  readonly client: string
  readonly audience: string
  /** What is known of the user: nothing that the provider says itself. */
  readonly claims: Readonly<Record<string, unknown>>
  readonly lifetimeSeconds?: number
  /** The public key of the application, when it proved to hold it (RFC 9449 §5). */
  readonly boundTo?: KeyObject
}

/** A provider of OpenID Connect whose users are those of a portal. */
export interface OpenIdProvider extends Counterpart<{ readonly configuration: string; readonly jwks: string }> {
  readonly issuer: string
  /** An access token (RFC 9068). Throws for what a provider would not issue. */
  issue(request: TokenRequest): Promise<string>
  /** Signs with a new key from now on; those before stay published until they are withdrawn. */
  rotate(): Promise<void>
  /** Publishes the present key alone. */
  withdraw(): void
}

export interface OpenIdOptions extends CounterpartOptions {
  readonly clients: readonly OpenIdClient[]
}

const configurationPath = '/.well-known/openid-configuration'
const jwksPath = '/protocol/openid-connect/certs'

/** Claims that are the provider's to make (RFC 9068 §2.2, RFC 7800). */
const own = ['iss', 'aud', 'exp', 'iat', 'nbf', 'jti', 'client_id', 'azp', 'cnf']

/** Clients show a certificate, as everywhere in this network; a real provider asks for none. */
export async function startOpenIdProvider(options: OpenIdOptions): Promise<OpenIdProvider> {
  const { clients, clock = systemClock } = options
  let keys: readonly SigningKey[] = [await signingKey()]
  const face = (issuer: string): Face => ({
    name: 'openid',
    serves: (path) => path === configurationPath || path === jwksPath,
    admits: () => true,
    contentType: 'application/json',
    async respond({ method, url }, behaviour, asked) {
      if (method !== 'GET') return json(405, { error: 'invalid_request' })
      if (behaviour === 'fault' || behaviour === 'refuse') {
        asked.outcome = 'refused'
        return json(behaviour === 'fault' ? 500 : 403, { error: 'server_error' })
      }
      if (url.pathname === jwksPath) return json(200, { keys: keys.map(({ jwk }) => jwk) })
      return json(200, {
        issuer,
        jwks_uri: issuer + jwksPath,
        id_token_signing_alg_values_supported: ['RS256'],
        dpop_signing_alg_values_supported: ['ES256', 'RS256'],
      })
    },
  })
  // No identity of the development PKI is the provider's: this one belongs to no party of the network.
  const counterpart = await startCounterpart({ ...options, party: 'stranger' }, (origin) => ({
    faces: [face(origin)],
    urls: { configuration: origin + configurationPath, jwks: origin + jwksPath },
  }))
  const issuer = new URL(counterpart.urls.jwks).origin
  return {
    ...counterpart,
    name: 'openid-provider',
    issuer,
    async issue({ audience, boundTo, claims, client, lifetimeSeconds = 300 }) {
      const known = clients.find(({ id }) => id === client)
      if (known === undefined) throw new Error('invalid_client')
      if (!known.audiences.includes(audience)) throw new Error('invalid_target')
      if (typeof claims.sub !== 'string') throw new Error('invalid_grant: nobody is logged in')
      if (Object.keys(claims).some((name) => own.includes(name))) throw new Error('invalid_scope')
      const iat = Math.floor(clock.now() / 1000)
      const jkt = boundTo === undefined ? undefined : await calculateJwkThumbprint(await exportJWK(boundTo))
      const payload = {
        ...claims,
        ...{ iss: issuer, aud: audience, client_id: client, jti: randomUUID(), iat, exp: iat + lifetimeSeconds },
        ...(jkt === undefined ? {} : { cnf: { jkt } }),
      }
      return await signed(payload, keys.at(-1))
    },
    async rotate() {
      keys = [...keys, await signingKey()]
    },
    withdraw() {
      keys = keys.slice(-1)
    },
  }
}

interface SigningKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly jwk: JWK
}

async function signingKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  const jwk = await exportJWK(publicKey)
  const kid = await calculateJwkThumbprint(jwk)
  return { kid, privateKey, jwk: { ...jwk, kid, alg: 'RS256', use: 'sig' } }
}

function signed(payload: JWTPayload, key: SigningKey | undefined): Promise<string> {
  if (key === undefined) throw new Error('There is no key to sign tokens with')
  const header = { alg: 'RS256', typ: 'at+jwt', kid: key.kid }
  return new SignJWT(payload).setProtectedHeader(header).sign(key.privateKey)
}

function json(status: number, body: object): PeerReply {
  return {
    status,
    contentType: 'application/json',
    body: JSON.stringify(body),
    headers: { 'cache-control': 'public, max-age=600' },
  }
}
