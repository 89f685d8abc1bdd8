import type { X509Certificate } from 'node:crypto'
import { commonNameOf } from './certificate.ts'
import { isIssuedByAnchor } from './issued.ts'

/** Whose certificates are believed. */
export interface TrustAnchors {
  /** Certification authorities, or end-entity certificates themselves. */
  readonly anchors: readonly X509Certificate[]
}

/** What a certificate must be, beyond being issued by one of the anchors. */
export interface CertificateDemands {
  /** What the certificate is presented for. */
  readonly use: 'signature' | 'client' | 'server'
  /** Patterns its common name must match, one at least; absent, any name will do. */
  readonly names?: readonly RegExp[]
  /** Certificate policies it must carry, one at least; absent, any. */
  readonly policies?: readonly string[]
}

/**
 * Why a certificate is not accepted at an instant, one word for the log; undefined when it is. `supplied` are certificates
 * that came along with it: they may complete a chain and vouch for nothing themselves.
 */
export function distrust(
  certificate: X509Certificate,
  supplied: readonly X509Certificate[],
  trust: TrustAnchors,
  demands: CertificateDemands,
  now: number,
): string | undefined {
  if (now < Date.parse(certificate.validFrom)) return 'certificate-not-yet-valid'
  if (now > Date.parse(certificate.validTo)) return 'certificate-expired'
  const pinned = trust.anchors.some((anchor) => !anchor.ca && anchor.raw.equals(certificate.raw))
  if (pinned) return undefined
  if (!isIssuedByAnchor(certificate, trust.anchors)) return 'certificate-not-issued-by-an-anchor-of-the-issuer'
  if (certificate.ca) return 'certificate-of-an-authority'
  const name = commonNameOf(certificate)
  if (demands.names !== undefined && (name === undefined || !demands.names.some((one) => one.test(name)))) {
    return 'certificate-belongs-to-somebody-else'
  }
  return undefined
}
