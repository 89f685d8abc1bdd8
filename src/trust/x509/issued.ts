import type { X509Certificate } from 'node:crypto'
import { type CertificateFacts, factsOf } from './certificate.ts'

/** How many certificates are remembered for one authority; then it begins anew. */
const remembered = 1_024

const known = new WeakMap<X509Certificate, Map<string, boolean>>()

/**
 * Whether an authority signed a certificate that names it as issuer. That is a fact about two certificates and never
 * changes, so the signature is worked out once; what the authority may do, validity in time and revocation are for the
 * caller to judge each time. Throws Error when one of the two cannot be read.
 */
export function isIssuedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  const { fingerprint } = factsOf(certificate)
  if (!isNamedBy(factsOf(certificate), factsOf(authority))) return false
  let facts = known.get(authority)
  if (facts === undefined || facts.size >= remembered) {
    facts = new Map()
    known.set(authority, facts)
  }
  let issued = facts.get(fingerprint)
  if (issued === undefined) {
    issued = hasSigned(authority, certificate)
    facts.set(fingerprint, issued)
  }
  return issued
}

/** Whether a certificate names an authority as its issuer: by name, and by key where both say one. Proves nothing. */
export function isNamedBy(certificate: CertificateFacts, authority: CertificateFacts): boolean {
  const { issuerName, authorityKeyId } = certificate
  if (issuerName !== authority.subjectName || issuerName === '') return false
  const { subjectKeyId } = authority
  return authorityKeyId === undefined || subjectKeyId === undefined || authorityKeyId === subjectKeyId
}

function hasSigned(authority: X509Certificate, certificate: X509Certificate): boolean {
  try {
    return certificate.verify(authority.publicKey)
  } catch {
    // A kind of key that cannot verify.
    return false
  }
}
