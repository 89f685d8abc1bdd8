import type { Use } from '../../core/ports.ts'
import { refused } from '../refusal.ts'
import { optionalText, requiredText, requireIssuer } from './claims.ts'
import { boundKeyOf, requireConfirmation } from './confirmation.ts'
import { type DpopProof, dpopVerifier, type ProvenRequest } from './dpop.ts'
import { authorizedToken, bareToken, type HeaderLines, valuesOf } from './headers.ts'
import type { VoucherFacts } from './modi-tracking.ts'
import { isJsonObject, type JsonObject, member } from './strict-json.ts'
import { type VerifierOptions, verifyJws } from './verify-jws.ts'

/** What a voucher must say to be good for one of our services (sistema-ts.md B.2). Durations in milliseconds. */
export interface PdndOptions extends VerifierOptions {
  /** `iss`, exactly. Undefined is for tools that only look. */
  readonly issuer: string | undefined
  /** Purposes that are accepted; absent, any: PDND vouches for the agreement. */
  readonly purposeIds?: readonly string[]
  readonly producerId?: string
  readonly eserviceId?: string
  readonly descriptorId?: string
}

/** A PDND voucher, verified. */
export interface Voucher extends VoucherFacts {
  readonly clientId: string
  readonly subject: string
  readonly tokenId: string
  readonly consumerId?: string
  readonly producerId?: string
  readonly eserviceId?: string
  readonly descriptorId?: string
  /** Thumbprint of the key whose holder alone may present it. */
  readonly boundTo?: string
  readonly audience: readonly string[]
  readonly issuedAt: number
  readonly expiresAt: number
  readonly signer: string
  /** SHA-256 of the voucher in hexadecimal. */
  readonly digest: string
}

export interface PdndCall {
  readonly voucher: Voucher
  /** Absent for vouchers that are bound to nobody. */
  readonly proof?: DpopProof
  readonly uses: readonly Use[]
}

export interface PdndVerifier {
  /** The voucher alone: whether its presenter may use it is not known yet. */
  voucher(text: string, signal?: AbortSignal): Promise<Voucher>
  /** The voucher of a request together with the proof that its presenter holds the key it is bound to. */
  call(headers: HeaderLines, request: ProvenRequest, signal?: AbortSignal): Promise<PdndCall>
}

/** Verifies vouchers of PDND. Throws Refusal, or GatewayError when PDND's keys cannot be had. */
export function pdndVerifier(options: PdndOptions): PdndVerifier {
  const { clockSkewMs = 5_000, purposeIds } = options
  const profile = {
    form: { algorithms: ['RS256'], types: ['at+jwt'] },
    times: { clockSkewMs, required: ['exp', 'iat', 'nbf'] },
  } as const
  const proofs = dpopVerifier(options)

  async function verified(text: string, signal?: AbortSignal): Promise<{ voucher: Voucher; claims: JsonObject }> {
    const { audience, digest, key, times, token } = await verifyJws(text, options, profile, signal)
    const claims = token.payload
    requireIssuer(claims, options.issuer)
    const purposeId = requiredText(claims, 'purposeId')
    if (purposeIds !== undefined && !purposeIds.includes(purposeId)) throw refused('audience', 'purpose-id-is-another')
    const boundTo = boundKeyOf(claims)
    const voucher: Voucher = {
      clientId: requiredText(claims, 'client_id'),
      subject: requiredText(claims, 'sub'),
      tokenId: requiredText(claims, 'jti'),
      purposeId,
      ...partiesIn(claims, options),
      ...trackingDigestIn(claims),
      ...(boundTo === undefined ? {} : { boundTo }),
      audience,
      issuedAt: times.issuedAt ?? 0,
      expiresAt: times.expiresAt ?? 0,
      signer: key.signer,
      digest,
    }
    return { voucher, claims }
  }

  return {
    voucher: async (text, signal) => (await verified(text, signal)).voucher,
    async call(given, request, signal) {
      const headers = [...given]
      const { scheme, token } = authorizedToken(headers)
      const { claims, voucher } = await verified(token, signal)
      if (voucher.boundTo === undefined) {
        if (scheme === 'dpop' || valuesOf(headers, 'dpop').length > 0) {
          throw refused('header', 'voucher-is-bound-to-nobody')
        }
        requireConfirmation(claims, {})
        return { voucher, uses: [] }
      }
      // Whoever takes a bound voucher for a bearer token lets thieves use it (RFC 9449 §7.1).
      if (scheme !== 'dpop') throw refused('header', 'voucher-is-no-bearer-token')
      const bound = { ...request, accessToken: token, boundTo: voucher.boundTo }
      const proof = await proofs(bareToken(headers, 'dpop'), bound, signal)
      requireConfirmation(claims, { proofKey: proof.thumbprint })
      return { voucher, proof, uses: proof.uses }
    },
  }
}

const parties = ['producerId', 'consumerId', 'eserviceId', 'descriptorId'] as const

/** Who the voucher is for: as it says, and equal to ours where ours is configured. */
function partiesIn(claims: JsonObject, own: PdndOptions): { [Name in (typeof parties)[number]]?: string } {
  const stated: { [Name in (typeof parties)[number]]?: string } = {}
  for (const name of parties) {
    const ours = name === 'consumerId' ? undefined : own[name]
    const value = ours === undefined ? optionalText(claims, name) : requiredText(claims, name)
    if (ours !== undefined && value !== ours) throw refused('audience', `${name.replace('Id', '-id')}-is-another`)
    if (value !== undefined) stated[name] = value
  }
  return stated
}

/** `digest`, `{ alg: 'SHA256', value: <64 hex> }`: that of the tracking evidence (AUDIT_REST_02). */
function trackingDigestIn(claims: JsonObject): { readonly trackingDigest?: string } {
  const digest = member(claims, 'digest')
  if (digest === undefined) return {}
  const value = isJsonObject(digest) && member(digest, 'alg') === 'SHA256' ? member(digest, 'value') : undefined
  if (typeof value !== 'string' || !/^[0-9A-Fa-f]{64}$/.test(value)) throw refused('attributes', 'digest-malformed')
  return { trackingDigest: value.toLowerCase() }
}
