import type { KeyObject } from 'node:crypto'
import { type SignatureAlgorithm, unfitKey } from '../trust/algorithms.ts'

const curves: Readonly<Record<string, SignatureAlgorithm>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
}

/**
 * What a key, private or public, signs with where nothing else is asked for: `RS256` for RSA of 2048 bits or more, the
 * ECDSA algorithm of P-256, P-384 and P-521; why not, for any other key.
 */
export function usualAlgorithm(
  key: KeyObject,
): { readonly algorithm: SignatureAlgorithm } | { readonly unfit: 'key-of-unsupported-kind' | 'key-too-short' } {
  const { namedCurve = '' } = key.asymmetricKeyDetails ?? {}
  const algorithm = key.asymmetricKeyType === 'rsa' ? 'RS256' : curves[namedCurve]
  if (algorithm === undefined) return { unfit: 'key-of-unsupported-kind' }
  return unfitKey(algorithm, key) === undefined ? { algorithm } : { unfit: 'key-too-short' }
}
