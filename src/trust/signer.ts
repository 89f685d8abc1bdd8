import type { X509Certificate } from 'node:crypto'
import type { SignatureAlgorithm } from './algorithms.ts'

/**
 * A private key that signs and never shows itself: a file, or a device or process behind the same interface. Everything
 * the gateway signs goes through one.
 */
export interface Signer {
  /** The certificate of the key. */
  readonly certificate: X509Certificate
  /** Certificates between ours and the authority's own, ours not among them, nearest first. */
  readonly intermediates: readonly X509Certificate[]
  /** What the key is used with where nothing else is asked for: `RS256` or an ECDSA algorithm of its curve. */
  readonly algorithm: SignatureAlgorithm
  /**
   * The signature over the data: PKCS#1 v1.5, or r and s side by side for ECDSA. May answer at once or later. Throws or
   * rejects when the key is out of reach, and within the signer's own deadline.
   */
  sign(data: Uint8Array, algorithm?: SignatureAlgorithm): Uint8Array | Promise<Uint8Array>
}
