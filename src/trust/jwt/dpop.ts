import { createHash } from 'node:crypto'
import type { Clock, Use } from '../../core/ports.ts'
import type { SignatureCheck } from '../algorithms.ts'
import { refused } from '../refusal.ts'
import { requiredText, requireTimes } from './claims.ts'
import { readJwk, tellsSecrets, thumbprintOf } from './jwk.ts'
import { bareKey, type KeyHint, type KeySource } from './keys.ts'
import { isJsonObject, type JsonObject, member } from './strict-json.ts'
import { type JwsAlgorithm, readToken } from './token.ts'
import { useOf } from './use.ts'
import { verifySignature } from './verify-jws.ts'

/** How proofs are judged. Durations in milliseconds. */
export interface DpopOptions {
  readonly clock: Clock
  readonly check?: SignatureCheck
  readonly clockSkewMs?: number
  /** How long ago a proof may have been made. Default 1 minute. */
  readonly proofMaximumAgeMs?: number
  readonly maxLength?: number
}

/** The request a proof must be for. */
export interface ProvenRequest {
  readonly method: string
  /** The address as the caller knows it; query and fragment are passed over. */
  readonly url: string
}

/** What a proof is held against; what is undefined is not, for tools that only look. */
export interface DpopExpectations {
  readonly method?: string
  readonly url?: string
  /** The access token it came with; then it must state its digest. */
  readonly accessToken?: string
  /** The thumbprint the access token is bound to. */
  readonly boundTo?: string
}

/** That the presenter holds a key: a DPoP proof, verified. */
export interface DpopProof {
  readonly thumbprint: string
  readonly tokenId: string
  readonly method: string
  readonly url: string
  readonly issuedAt: number
  /** A proof is good for one request: this use must be remembered. */
  readonly uses: readonly Use[]
}

const algorithms: readonly JwsAlgorithm[] = ['RS256', 'ES256']

/** Verifies DPoP proofs (RFC 9449 §4.3; sistema-ts.md B.4). Throws Refusal. */
export function dpopVerifier(options: DpopOptions) {
  const { check, clock, clockSkewMs = 5_000, maxLength, proofMaximumAgeMs: maximumAgeMs = 60_000 } = options
  const times = { clockSkewMs, required: ['iat'], maximumAgeMs } as const
  return async (text: string, expected: DpopExpectations, signal?: AbortSignal): Promise<DpopProof> => {
    const form = { algorithms, types: ['dpop+jwt'], embeddedKey: true }
    const token = readToken(text, { ...form, ...(maxLength === undefined ? {} : { maxLength }) })
    const key = await verifySignature(token, ownKey, { clock, check, signal })
    const claims = token.payload
    const { issuedAt = 0 } = requireTimes(claims, times, clock.now())
    const tokenId = requiredText(claims, 'jti')
    const method = requiredText(claims, 'htm')
    if (expected.method !== undefined && method !== expected.method) throw refused('audience', 'htm-is-another')
    const url = requiredText(claims, 'htu')
    requireAddress(url, expected.url)
    requireAccessToken(claims, expected.accessToken)
    const thumbprint = thumbprintOf(key.key)
    if (expected.boundTo !== undefined && thumbprint !== expected.boundTo) {
      throw refused('audience', 'token-is-bound-to-another')
    }
    const use = useOf('dpop', key, tokenId, issuedAt + maximumAgeMs + clockSkewMs)
    return { thumbprint, tokenId, method, url, issuedAt, uses: [use] }
  }
}

/** The key in the header. It vouches for nothing but that the presenter holds it. */
const ownKey: KeySource = {
  keyFor({ algorithm, header }: KeyHint) {
    const jwk = member(header, 'jwk')
    if (!isJsonObject(jwk)) throw refused('header', 'jwk-is-missing')
    if (tellsSecrets(jwk)) throw refused('header', 'jwk-tells-secrets')
    const read = readJwk(jwk)
    if (read === undefined) throw refused('header', 'jwk-is-not-usable')
    if (!read.algorithms.includes(algorithm)) throw refused('signature', 'key-and-algorithm-do-not-fit')
    return bareKey(read.key)
  },
}

function requireAddress(claimed: string, expected: string | undefined): void {
  const address = normalAddress(claimed)
  if (address === undefined) throw refused('attributes', 'htu-malformed')
  if (expected !== undefined && address !== normalAddress(expected)) throw refused('audience', 'htu-is-another')
}

/**
 * An address without query and fragment, normalised by syntax and scheme (RFC 3986 §6.2.2–6.2.3): letters of scheme and
 * host, default ports, dot segments, percent-encoding.
 */
function normalAddress(text: string): string | undefined {
  // The parser below forgives white space and backslashes.
  if (!/^https?:\/\/[^\s\\]+$/i.test(text) || !URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') return undefined
  const path = url.pathname.replace(/%([0-9A-Fa-f]{2})/g, (encoded, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16))
    return /[A-Za-z0-9._~-]/.test(character) ? character : encoded.toUpperCase()
  })
  return `${url.protocol}//${url.host}${path}`
}

function requireAccessToken(claims: JsonObject, accessToken: string | undefined): void {
  if (accessToken === undefined) return
  const stated = requiredText(claims, 'ath')
  const digest = createHash('sha256').update(accessToken, 'latin1').digest('base64url')
  if (stated !== digest) throw refused('audience', 'proof-is-for-another-token')
}
