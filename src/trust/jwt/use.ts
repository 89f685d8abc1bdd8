import type { Use } from '../../core/ports.ts'
import { useKey } from '../replay.ts'
import { thumbprintOf } from './jwk.ts'
import type { VerificationKey } from './keys.ts'

/**
 * The use of a token's `jti`, which is unique per signer and kind of token (RFC 7519 §4.1.7). `until` is when the token
 * cannot be repeated any more, in milliseconds since the epoch. Remembering is for the caller.
 */
export function useOf(kind: string, signer: VerificationKey, jti: string, until: number): Use {
  return { key: useKey('token', `${kind} ${thumbprintOf(signer.key)}`, jti), until }
}
