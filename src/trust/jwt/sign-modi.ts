import { createHash, randomInt, randomUUID } from 'node:crypto'
import { GatewayError } from '../../core/errors.ts'
import type { Clock } from '../../core/ports.ts'
import { formatDigestHeader } from '../../wire/digest-header.ts'
import type { Signer } from '../signer.ts'
import { certificateThumbprint } from './keys.ts'
import { compactSigner, type JoseAlgorithm, type Members, validity, x5cOf } from './sign-compact.ts'

/**
 * What one partner agreed to (ModI, sistema-ts.md B.1, B.6). Without `authentication` the `Authorization` header is not
 * ours to make: a PDND voucher travels there.
 */
export interface ModiProfile {
  readonly authentication?: 'ID_AUTH_REST_01' | 'ID_AUTH_REST_02'
  readonly integrity?: 'INTEGRITY_REST_01' | 'INTEGRITY_REST_02'
  readonly audit?: 'AUDIT_REST_01' | 'AUDIT_REST_02'
  /** How the partner finds our key: in the token, by the certificate's digest, or at PDND. */
  readonly reference: 'x5c' | 'x5t#S256' | { readonly kid: string }
  readonly audience: string
  /** Our name, `iss` and `sub`; for PDND our client id. `audit` needs it. */
  readonly issuer?: string
  /** `audit` needs it. */
  readonly purposeId?: string
  readonly lifetimeMs: number
  /** Default: the signer's own. */
  readonly algorithm?: JoseAlgorithm
  /** Whether a request without a body is signed all the same; default no. The guidelines leave it open. */
  readonly signEmptyBody?: boolean
  /** Whether `Authorization` and `Agid-JWT-Signature` of one request have one `jti`; default yes. */
  readonly sharedJti?: boolean
  /** Default `SHA-256`. */
  readonly digestLabel?: 'SHA-256' | 'sha-256'
}

/** A request about to be sent, as it will be sent. */
export interface ModiRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** Who, inside our domain, a request is made for. */
export interface TrackedUser {
  readonly userID: string
  readonly userLocation: string
  readonly LoA?: string
}

export interface ModiHeaders {
  /** To be added to the request, whose signed headers must not change any more. */
  readonly headers: Readonly<Record<string, string>>
  /** SHA-256 of the tracking evidence in hexadecimal: `digest` of the client assertion (AUDIT_REST_02). */
  readonly evidenceDigest?: string
}

/** Signs requests for one partner. Tokens with a `jti` are never the same twice: a request repeated is signed again. */
export interface ModiSigner {
  /**
   * Rejects with `internal` for what cannot be signed: a partial body (PATCH, Range), a header given twice or made here,
   * nobody to track where the partner tracks.
   */
  sign(request: ModiRequest, user?: TrackedUser): Promise<ModiHeaders>
}

/** Throws when the parts of the profile contradict each other or the key does not fit. */
export function modiSigner(signer: Signer, profile: ModiProfile, { clock }: { readonly clock: Clock }): ModiSigner {
  const fault = faultOf(profile)
  if (fault !== undefined) throw new Error(fault)
  const { audience: aud, issuer: iss, lifetimeMs, sharedJti = true } = profile
  const compact = compactSigner(signer, profile.algorithm)
  const header = { typ: 'JWT', ...referenceOf(signer, profile.reference) }
  const reserved = (jti: string | undefined): Members => {
    return { aud, ...validity(clock.now(), lifetimeMs), jti, iss, sub: iss }
  }

  async function authenticate(jti: string): Promise<Record<string, string>> {
    if (profile.authentication === undefined) return {}
    // The first pattern has no replay filter and no jti: two tokens of one second are the same.
    const token = await compact(header, reserved(profile.authentication === 'ID_AUTH_REST_02' ? jti : undefined))
    return { Authorization: `Bearer ${token}` }
  }

  async function seal({ headers, body = '' }: ModiRequest, jti: string): Promise<Record<string, string>> {
    if (profile.integrity === undefined || (body.length === 0 && profile.signEmptyBody !== true)) return {}
    const digest = formatDigestHeader(createHash('sha256').update(body).digest(), profile.digestLabel)
    const signed = [{ digest }, ...signedAlways.flatMap((name) => headerNamed(name, headers))]
    const token = await compact(header, { ...reserved(jti), signed_headers: signed })
    return { Digest: digest, 'Agid-JWT-Signature': token }
  }

  async function track(user: TrackedUser | undefined): Promise<string | undefined> {
    if (profile.audit === undefined) return undefined
    if (user === undefined) throw unsignable('nobody-to-track')
    const { userID, userLocation, LoA } = user
    return await compact(header, {
      aud,
      iss,
      ...validity(clock.now(), lifetimeMs),
      jti: randomUUID(),
      purposeId: profile.purposeId,
      // Thirteen digits, the first of which is not zero: it is a number.
      dnonce: profile.audit === 'AUDIT_REST_02' ? randomInt(1e12, 1e13) : undefined,
      userID,
      userLocation,
      LoA,
    })
  }

  return {
    async sign(request, user) {
      requireSignable(request, profile)
      const jti = randomUUID()
      const [authorization, integrity, evidence] = await Promise.all([
        authenticate(jti),
        seal(request, sharedJti ? jti : randomUUID()),
        track(user),
      ])
      const headers = { ...authorization, ...integrity }
      if (evidence === undefined) return { headers }
      return {
        headers: { ...headers, 'Agid-JWT-TrackingEvidence': evidence },
        evidenceDigest: createHash('sha256').update(evidence, 'ascii').digest('hex'),
      }
    },
  }
}

/** Signed whenever the request has them (ModI, INTEGRITY_REST_01). */
const signedAlways = ['content-type', 'content-encoding'] as const

const madeHere = new Set(['digest', 'agid-jwt-signature', 'agid-jwt-trackingevidence'])

function faultOf({ authentication, integrity, audit, reference, issuer, purposeId }: ModiProfile): string | undefined {
  const byKid = typeof reference === 'object'
  if (byKid && authentication !== undefined) return `${authentication} needs a certificate, not a kid`
  if (byKid && integrity === 'INTEGRITY_REST_01') return 'INTEGRITY_REST_01 needs a certificate, not a kid'
  if (!byKid && integrity === 'INTEGRITY_REST_02') return 'INTEGRITY_REST_02 needs a kid'
  if (!byKid && audit === 'AUDIT_REST_02') return 'AUDIT_REST_02 needs a kid'
  if (audit !== undefined && (issuer === undefined || purposeId === undefined)) {
    return `${audit} needs an issuer and a purposeId`
  }
  return undefined
}

function referenceOf(signer: Signer, reference: ModiProfile['reference']): Members {
  if (typeof reference === 'object') return { kid: reference.kid }
  if (reference === 'x5t#S256') return { 'x5t#S256': certificateThumbprint(signer.certificate) }
  return { x5c: [signer.certificate, ...signer.intermediates].map(x5cOf) }
}

/** The value as it arrives: what surrounds it is not part of it (RFC 9110 §5.5). */
function headerNamed(name: string, headers: Readonly<Record<string, string>>): Members[] {
  return Object.entries(headers)
    .filter(([given]) => given.toLowerCase() === name)
    .map(([, value]) => ({ [name]: value.replace(/^[ \t]+|[ \t]+$/g, '') }))
}

function requireSignable({ method, headers }: ModiRequest, { authentication, integrity }: ModiProfile): void {
  const names = Object.keys(headers).map((name) => name.toLowerCase())
  // The digest is the body's, which here is not the representation (ModI, INTEGRITY_REST_01).
  const partial = method === 'PATCH' || names.includes('range') || names.includes('content-range')
  if (integrity !== undefined && partial) throw unsignable('partial-body')
  if (new Set(names).size < names.length) throw unsignable('header-given-twice')
  const ours = (name: string) => madeHere.has(name) || (authentication !== undefined && name === 'authorization')
  if (names.some(ours)) throw unsignable('header-made-here')
}

function unsignable(reason: string): GatewayError {
  return new GatewayError('internal', 'The gateway cannot sign the request', { details: { reason } })
}
