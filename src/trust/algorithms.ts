import { constants, hash, type KeyObject, sign, verify } from 'node:crypto'
import { refused } from './refusal.ts'

/** Signature algorithms by their JOSE names (RFC 7518 §3.1); `RS1` is RSA with SHA-1, which JOSE does not have. */
export type SignatureAlgorithm =
  | 'RS1'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'

interface Form {
  readonly key: 'rsa' | 'ec'
  readonly digest: 'sha1' | 'sha256' | 'sha384' | 'sha512'
  /** The one curve of an ECDSA algorithm, as OpenSSL names it. */
  readonly curve?: string
  readonly pss?: true
}

const forms: Readonly<Record<SignatureAlgorithm, Form>> = {
  RS1: { key: 'rsa', digest: 'sha1' },
  RS256: { key: 'rsa', digest: 'sha256' },
  RS384: { key: 'rsa', digest: 'sha384' },
  RS512: { key: 'rsa', digest: 'sha512' },
  PS256: { key: 'rsa', digest: 'sha256', pss: true },
  PS384: { key: 'rsa', digest: 'sha384', pss: true },
  PS512: { key: 'rsa', digest: 'sha512', pss: true },
  ES256: { key: 'ec', digest: 'sha256', curve: 'prime256v1' },
  ES384: { key: 'ec', digest: 'sha384', curve: 'secp384r1' },
  ES512: { key: 'ec', digest: 'sha512', curve: 'secp521r1' },
}

/** Shorter RSA keys prove nothing any more (NIST SP 800-57; BSI TR-02102). */
const shortestRsaKey = 2_048

/** What a key is, asked of it once. */
const details = new WeakMap<KeyObject, KeyDetails>()

interface KeyDetails {
  readonly type: string | undefined
  readonly modulusLength?: number
  readonly namedCurve?: string
}

function detailsOf(key: KeyObject): KeyDetails {
  const known = details.get(key)
  if (known !== undefined) return known
  const read = { type: key.type === 'secret' ? undefined : key.asymmetricKeyType, ...key.asymmetricKeyDetails }
  details.set(key, read)
  return read
}

/** Why the key cannot be used with the algorithm; undefined when it can. An algorithm is bound to one kind of key. */
export function unfitKey(algorithm: SignatureAlgorithm, key: KeyObject): string | undefined {
  const form = forms[algorithm]
  const details = detailsOf(key)
  if (details.type !== form.key) return 'key-and-algorithm-do-not-fit'
  if (form.key === 'rsa' && (details.modulusLength ?? 0) < shortestRsaKey) return 'key-is-too-short'
  if (form.curve !== undefined && details.namedCurve !== form.curve) return 'key-and-algorithm-do-not-fit'
  return undefined
}

/** The options of node:crypto; ECDSA signatures are r and s side by side, as both JOSE and XML signature want. */
function nodeKey(form: Form, key: KeyObject) {
  if (form.key === 'ec') return { key, dsaEncoding: 'ieee-p1363' } as const
  if (form.pss !== true) return key
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } as const
}

/** Signs with a private key of this process. Throws when key and algorithm do not fit. */
export function signWith(algorithm: SignatureAlgorithm, data: Uint8Array, key: KeyObject): Buffer {
  const unfit = unfitKey(algorithm, key)
  if (unfit !== undefined) throw new Error(`The key cannot sign with ${algorithm}: ${unfit}`)
  const form = forms[algorithm]
  return sign(form.digest, data, nodeKey(form, key))
}

/** Whether a signature holds. Throws Refusal when key and algorithm do not fit. */
export type SignatureCheck = (
  algorithm: SignatureAlgorithm,
  data: Uint8Array,
  key: KeyObject,
  signature: Uint8Array,
) => boolean

export const signatureHolds: SignatureCheck = (algorithm, data, key, signature) => {
  const unfit = unfitKey(algorithm, key)
  if (unfit !== undefined) throw refused('signature', unfit)
  const form = forms[algorithm]
  return verify(form.digest, data, nodeKey(form, key), signature)
}

/** How many signatures that held are remembered; then it begins anew. */
const remembered = 8_192

/**
 * The same check with a memory for signatures that held: the same signature over the same bytes by the same key holds again
 * without arithmetic. Nothing else is remembered: validity, audience and replay are judged each time.
 */
export function rememberingCheck(check: SignatureCheck = signatureHolds): SignatureCheck {
  const keys = new WeakMap<KeyObject, string>()
  let held = new Set<string>()
  const fingerprint = (key: KeyObject): string => {
    let known = keys.get(key)
    if (known === undefined) {
      known = hash('sha256', key.export({ type: 'spki', format: 'der' }), 'base64')
      keys.set(key, known)
    }
    return known
  }
  return (algorithm, data, key, signature) => {
    const fact = `${algorithm} ${fingerprint(key)} ${hash('sha256', data, 'base64')} ${hash('sha256', signature, 'base64')}`
    if (held.has(fact)) return true
    const holds = check(algorithm, data, key, signature)
    if (holds) {
      if (held.size >= remembered) held = new Set()
      held.add(fact)
    }
    return holds
  }
}
