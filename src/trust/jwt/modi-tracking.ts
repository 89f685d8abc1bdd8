import type { Use } from '../../core/ports.ts'
import { refused } from '../refusal.ts'
import { optionalText, requiredText } from './claims.ts'
import { type JsonObject, member } from './strict-json.ts'
import { useOf } from './use.ts'
import type { VerifiedToken } from './verify-jws.ts'

export type TrackingPattern = 'AUDIT_REST_01' | 'AUDIT_REST_02'

/** What a tracking evidence is compared with in the voucher it came with. */
export interface VoucherFacts {
  readonly purposeId: string
  /** SHA-256 in hexadecimal that the voucher states of the evidence. */
  readonly trackingDigest?: string
}

/** Who, inside the caller's domain, stands behind a request: `Agid-JWT-TrackingEvidence`, verified. */
export interface Tracking {
  readonly issuer: string
  readonly tokenId: string
  readonly purposeId: string
  readonly userId: string
  readonly userLocation: string
  readonly levelOfAssurance?: string
  readonly nonce?: string
  readonly issuedAt: number
  readonly expiresAt: number
  readonly signer: string
  readonly digest: string
  readonly uses: readonly Use[]
}

/** Reads a verified evidence and holds it against the voucher. Throws Refusal. */
export function trackingOf(
  { digest, key, times, token }: VerifiedToken,
  rules: {
    readonly pattern: TrackingPattern
    readonly voucher: VoucherFacts | undefined
    readonly clockSkewMs: number
  },
): Tracking {
  const { payload } = token
  const tied = rules.pattern === 'AUDIT_REST_02'
  const issuer = requiredText(payload, 'iss')
  const tokenId = requiredText(payload, 'jti')
  const purposeId = requiredText(payload, 'purposeId')
  const userId = requiredText(payload, 'userID')
  const userLocation = requiredText(payload, 'userLocation')
  const levelOfAssurance = optionalText(payload, 'LoA')
  const nonce = nonceIn(payload, tied)
  if (rules.voucher !== undefined) requireVoucher(rules.voucher, { digest, purposeId, tied })
  const expiresAt = times.expiresAt ?? 0
  return {
    issuer,
    tokenId,
    purposeId,
    userId,
    userLocation,
    ...(levelOfAssurance === undefined ? {} : { levelOfAssurance }),
    ...(nonce === undefined ? {} : { nonce }),
    issuedAt: times.issuedAt ?? 0,
    expiresAt,
    signer: key.signer,
    digest,
    uses: [useOf('modi-audit', key, tokenId, expiresAt + rules.clockSkewMs)],
  }
}

function requireVoucher(
  { purposeId, trackingDigest }: VoucherFacts,
  evidence: { readonly digest: string; readonly purposeId: string; readonly tied: boolean },
): void {
  if (evidence.purposeId !== purposeId) throw refused('coherence', 'purpose-id-differs')
  if (trackingDigest === undefined) {
    if (evidence.tied) throw refused('coherence', 'voucher-states-no-digest')
    return
  }
  if (trackingDigest.toLowerCase() !== evidence.digest) throw refused('coherence', 'voucher-states-another-digest')
}

/** `dnonce`: thirteen digits, as a number or as a text. */
function nonceIn(claims: JsonObject, needed: boolean): string | undefined {
  const value = member(claims, 'dnonce')
  if (value === undefined && !needed) return undefined
  if (value === undefined) throw refused('attributes', 'dnonce-missing')
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text !== 'string' || !/^[0-9]{13}$/.test(text)) throw refused('attributes', 'dnonce-malformed')
  return text
}
