import type { Clock } from '../../core/ports.ts'
import { type SignatureCheck, signatureHolds } from '../algorithms.ts'
import { refused } from '../refusal.ts'
import { requireAudience, requireTimes, sha256Hex, type TimeRules, type Times } from './claims.ts'
import type { KeySource, VerificationKey } from './keys.ts'
import { type JwsAlgorithm, readToken, type Token, type TokenForm } from './token.ts'

/** What every profile is told. Durations in milliseconds. */
export interface VerifierOptions {
  readonly keys: KeySource
  readonly clock: Clock
  /** Whom tokens must be made for, one of these exactly. Undefined is for tools that only look. */
  readonly audience: readonly string[] | undefined
  /** How signatures are checked; the gateway passes one that remembers. */
  readonly check?: SignatureCheck
  readonly algorithms?: readonly JwsAlgorithm[]
  readonly clockSkewMs?: number
  /** The longest token, in characters. */
  readonly maxLength?: number
}

/** A token whose signature holds, whose time has come and that was made for us. What it claims may be read. */
export interface VerifiedToken {
  readonly token: Token
  readonly key: VerificationKey
  readonly times: Times
  readonly audience: readonly string[]
  /** SHA-256 of the token's text in hexadecimal, for the audit trail. */
  readonly digest: string
  /** When it was judged. */
  readonly now: number
}

/** Throws Refusal unless a trusted key made the signature. */
export async function verifySignature(
  token: Token,
  keys: KeySource,
  options: {
    readonly clock: Clock
    readonly check?: SignatureCheck | undefined
    readonly signal?: AbortSignal | undefined
  },
): Promise<VerificationKey> {
  const { check = signatureHolds, clock, signal } = options
  const key = await keys.keyFor(token, clock.now(), signal)
  if (!check(token.algorithm, token.signed, key.key, token.signature)) {
    throw refused('signature', 'signature-does-not-hold')
  }
  return key
}

/** Reads, then verifies: form, signature, times, audience, in this order. Throws Refusal. */
export async function verifyJws(
  text: string,
  options: VerifierOptions,
  profile: {
    readonly form: Omit<TokenForm, 'algorithms' | 'maxLength'> & { readonly algorithms: readonly JwsAlgorithm[] }
    readonly times: TimeRules
  },
  signal?: AbortSignal,
): Promise<VerifiedToken> {
  const { algorithms = profile.form.algorithms, check, clock, keys, maxLength } = options
  const token = readToken(text, { ...profile.form, algorithms, ...(maxLength === undefined ? {} : { maxLength }) })
  const key = await verifySignature(token, keys, { clock, check, signal })
  const now = clock.now()
  return {
    token,
    key,
    times: requireTimes(token.payload, profile.times, now),
    audience: requireAudience(token.payload, options.audience),
    digest: sha256Hex(text),
    now,
  }
}
