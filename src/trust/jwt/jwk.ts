import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { type SignatureAlgorithm, unfitKey } from '../algorithms.ts'
import { type JsonObject, member } from './strict-json.ts'
import { type JwsAlgorithm, jwsAlgorithms } from './token.ts'

/** A public key that verifies signatures, and what its owner says of it. */
export interface PublicJwk {
  readonly key: KeyObject
  /** The algorithms it may be used with: the one it names, or all that fit. */
  readonly algorithms: readonly JwsAlgorithm[]
  readonly kid?: string
}

/** Members of private and of symmetric keys (RFC 7518 §6.2.2, §6.3.2, §6.4). */
const secrets: readonly string[] = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** Whether somebody published, or handed over, more than a public key. */
export function tellsSecrets(jwk: JsonObject): boolean {
  return secrets.some((name) => Object.hasOwn(jwk, name))
}

/** The longest number of a key: RSA of 8192 bits. Verifying with larger ones is a burden nobody needs to bear. */
const longestNumber = 1_366

/**
 * Reads a public RSA or EC key for signatures (RFC 7517). Undefined for everything else: other types and uses, private
 * members, keys too short to prove anything or too long to be meant well.
 */
export function readJwk(jwk: JsonObject): PublicJwk | undefined {
  const kty = member(jwk, 'kty')
  const names = kty === 'RSA' ? ['n', 'e'] : kty === 'EC' ? ['crv', 'x', 'y'] : undefined
  if (names === undefined || tellsSecrets(jwk) || !isForSignatures(jwk)) return undefined
  const kid = member(jwk, 'kid')
  if (kid !== undefined && typeof kid !== 'string') return undefined
  const material: Record<string, string> = { kty: kty as string }
  for (const name of names) {
    const value = member(jwk, name)
    if (typeof value !== 'string' || value.length > longestNumber) return undefined
    material[name] = value
  }
  const key = imported(material)
  if (key === undefined) return undefined
  const named = member(jwk, 'alg')
  const algorithms = jwsAlgorithms.filter((one) => {
    return (named === undefined || named === one) && unfitKey(one satisfies SignatureAlgorithm, key) === undefined
  })
  if (algorithms.length === 0) return undefined
  return { key, algorithms, ...(kid === undefined ? {} : { kid }) }
}

function isForSignatures(jwk: JsonObject): boolean {
  const use = member(jwk, 'use')
  const operations = member(jwk, 'key_ops')
  if (use !== undefined && use !== 'sig') return false
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'))
}

function imported(material: Record<string, string>): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: material, format: 'jwk' })
    const exponent = key.asymmetricKeyDetails?.publicExponent
    // With the exponent 1 every text is its own signature.
    if (exponent !== undefined && (exponent < 3n || exponent % 2n === 0n)) return undefined
    return key
  } catch {
    return undefined
  }
}

/** The thumbprint of a public key (RFC 7638, SHA-256), from the key itself and not from how somebody spelt it. */
export function thumbprintOf(key: KeyObject): string {
  const known = thumbprints.get(key)
  if (known !== undefined) return known
  const { crv, e, kty, n, x, y } = key.export({ format: 'jwk' })
  const members = kty === 'RSA' ? { e, kty, n } : { crv, kty, x, y }
  const thumbprint = createHash('sha256').update(JSON.stringify(members)).digest('base64url')
  thumbprints.set(key, thumbprint)
  return thumbprint
}

const thumbprints = new WeakMap<KeyObject, string>()
