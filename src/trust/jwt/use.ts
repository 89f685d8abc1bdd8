import { sha256Hex } from './claims.ts'
import { thumbprintOf } from './jwk.ts'
import type { VerificationKey } from './keys.ts'

/** A use that must be the only one: the key to remember it by, and until when it could be repeated at all. */
export interface TokenUse {
  readonly key: string
  /** Milliseconds since the epoch. */
  readonly until: number
}

/**
 * The use of a token's `jti`, which is unique per signer and kind of token (RFC 7519 §4.1.7). The key tells nothing of
 * them. Remembering is for the caller.
 */
export function useOf(kind: string, signer: VerificationKey, jti: string, until: number): TokenUse {
  return { key: sha256Hex(JSON.stringify(['jwt', kind, thumbprintOf(signer.key), jti])), until }
}
