import type { X509Certificate } from 'node:crypto'
import { refused } from '../refusal.ts'
import { presentedCertificate } from '../x509/certificate.ts'
import { type CertificateDemands, distrust, type TrustAnchors } from '../x509/chain.ts'
import { certificateThumbprint, certifiedKey, type KeySource } from './keys.ts'
import { type JsonObject, member } from './strict-json.ts'

/** How many certificates a token may bring. */
const maxCertificates = 8

/**
 * Keys from the certificate the token brings in `x5c` (RFC 7515 §4.1.6), as far as the anchors vouch for it: the first
 * certificate is the signer's, the others may complete the chain. `kid` is passed over.
 */
export function certificateKeys(trust: TrustAnchors, demands: CertificateDemands): KeySource {
  return {
    keyFor({ header }, now) {
      const [certificate, ...supplied] = certificatesIn(header)
      if (certificate === undefined) throw refused('certificate', 'x5c-is-missing')
      const thumbprint = member(header, 'x5t#S256')
      if (thumbprint !== undefined && thumbprint !== certificateThumbprint(certificate)) {
        throw refused('certificate', 'thumbprint-and-certificate-differ')
      }
      const reason = distrust(certificate, supplied, trust, demands, now)
      if (reason !== undefined) throw refused('certificate', reason)
      return certifiedKey(certificate)
    },
  }
}

function certificatesIn(header: JsonObject): readonly X509Certificate[] {
  const x5c = member(header, 'x5c')
  if (x5c === undefined) return []
  if (!Array.isArray(x5c) || x5c.length === 0) throw refused('certificate', 'x5c-is-malformed')
  if (x5c.length > maxCertificates) throw refused('certificate', 'x5c-is-too-long')
  return x5c.map((one: unknown) => {
    const certificate = typeof one === 'string' ? presentedCertificate(one, { folded: false }) : undefined
    // The reader of certificates also takes PEM, and whatever stands around it.
    if (certificate === undefined || certificate.raw.toString('base64') !== one) {
      throw refused('certificate', faultOf(one))
    }
    return certificate
  })
}

/** Mistakes that integrators make often enough to deserve their own word (ini.md §5.2). */
function faultOf(one: unknown): string {
  if (typeof one !== 'string') return 'x5c-is-malformed'
  if (one.startsWith('LS0tLS1') || one.startsWith('-----')) return 'x5c-holds-pem'
  return /\s/.test(one) ? 'x5c-holds-line-breaks' : 'x5c-is-malformed'
}
