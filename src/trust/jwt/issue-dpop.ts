import { createHash, type KeyObject, randomUUID } from 'node:crypto'
import type { Clock } from '../../core/ports.ts'
import type { Signer } from '../signer.ts'
import { thumbprintOf } from './jwk.ts'
import { compactSigner, type Members } from './sign-compact.ts'

/** The request a proof is made for. */
export interface ProvenRequest {
  readonly method: string
  readonly url: string
  /** The voucher that travels with the request; absent where one is asked for. */
  readonly accessToken?: string
}

/** Proves that we hold a key (RFC 9449), for the one request named; no proof is the same twice. */
export interface DpopProver {
  /** Thumbprint of the public key (RFC 7638): `cnf.jkt` of vouchers bound to it. */
  readonly thumbprint: string
  prove(request: ProvenRequest): Promise<string>
}

/** Throws when the key is not one that PDND takes: RSA for RS256, P-256 for ES256 (sistema-ts.md B.4). */
export function dpopProver(signer: Signer, { clock }: { readonly clock: Clock }): DpopProver {
  const { publicKey } = signer.certificate
  const algorithm = publicKey.asymmetricKeyType === 'ec' ? 'ES256' : 'RS256'
  const sign = compactSigner(signer, algorithm)
  const jwk = publicJwk(publicKey)
  const header = { typ: 'dpop+jwt', jwk }
  return {
    thumbprint: thumbprintOf(publicKey),
    async prove({ method, url, accessToken }) {
      const { origin, pathname } = new URL(url)
      return await sign(header, {
        jti: randomUUID(),
        htm: method,
        // Query and fragment are not part of it (RFC 9449 §4.2).
        htu: origin + pathname,
        iat: Math.floor(clock.now() / 1000),
        ath:
          accessToken === undefined ? undefined : createHash('sha256').update(accessToken, 'ascii').digest('base64url'),
      })
    },
  }
}

/** The required members alone (RFC 7638 §3.2): PDND refuses a key with any other member. */
function publicJwk(key: KeyObject): Members {
  const { crv, e, kty, n, x, y } = key.export({ format: 'jwk' })
  return kty === 'RSA' ? { e, kty, n } : { crv, kty, x, y }
}
