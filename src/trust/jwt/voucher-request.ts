import { randomUUID } from 'node:crypto'
import type { Clock } from '../../core/ports.ts'
import type { Signer } from '../signer.ts'
import { compactSigner, validity } from './sign-compact.ts'

/** Who asks PDND for vouchers, and what for (sistema-ts.md B.2). */
export interface VoucherClient {
  /** UUID of the client. */
  readonly clientId: string
  /** PDND's name of our public key: its thumbprint, 43 characters. */
  readonly kid: string
  /** UUID of the purpose; absent for a client of PDND's own services. */
  readonly purposeId?: string
  /** Of the client assertion, such as `auth.interop.pagopa.it/client-assertion`. */
  readonly audience: string
}

/** How long a client assertion holds; it is used once, at once, and allows for clocks that differ. */
const assertionLifetimeMs = 120_000

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/**
 * Makes bodies of token requests, form fields around a new client assertion each. `evidenceDigest` is the SHA-256 of the
 * tracking evidence in hexadecimal (AUDIT_REST_02). Throws at once for ids PDND would refuse and keys that are not RSA.
 */
export function tokenRequests(
  signer: Signer,
  { clientId, kid, purposeId, audience }: VoucherClient,
  clock: Clock,
): (evidenceDigest?: string) => Promise<string> {
  if (!uuid.test(clientId)) throw new Error('The client id of PDND must be a UUID')
  if (purposeId !== undefined && !uuid.test(purposeId)) throw new Error('The purpose id of PDND must be a UUID')
  if (!/^[a-zA-Z0-9_-]{43}$/.test(kid)) throw new Error('The kid of PDND must be a thumbprint of 43 characters')
  const sign = compactSigner(signer, 'RS256')
  return async (evidenceDigest) => {
    const { iat, exp } = validity(clock.now(), assertionLifetimeMs)
    // PDND may refuse any claim it does not know.
    const assertion = await sign(
      { kid, typ: 'JWT' },
      {
        iss: clientId,
        sub: clientId,
        aud: audience,
        purposeId,
        jti: randomUUID(),
        iat,
        exp,
        digest: evidenceDigest === undefined ? undefined : { alg: 'SHA256', value: evidenceDigest },
      },
    )
    return new URLSearchParams({
      client_id: clientId,
      client_assertion: assertion,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      grant_type: 'client_credentials',
    }).toString()
  }
}
