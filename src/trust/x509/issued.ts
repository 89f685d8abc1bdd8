import type { X509Certificate } from 'node:crypto'

/** How many certificates are remembered for one set of anchors; then it begins anew. */
const remembered = 1_024

const known = new WeakMap<readonly X509Certificate[], Map<string, boolean>>()

/**
 * Whether one of the authorities among the anchors issued the certificate. That is a fact about two certificates and never
 * changes, so it is worked out once; validity in time is for the caller to judge each time.
 */
export function isIssuedByAnchor(certificate: X509Certificate, anchors: readonly X509Certificate[]): boolean {
  let facts = known.get(anchors)
  if (facts === undefined || facts.size >= remembered) {
    facts = new Map()
    known.set(anchors, facts)
  }
  const { fingerprint512 } = certificate
  const fact = facts.get(fingerprint512)
  if (fact !== undefined) return fact
  const issued = anchors.some((anchor) => {
    return anchor.ca && certificate.checkIssued(anchor) && certificate.verify(anchor.publicKey)
  })
  facts.set(fingerprint512, issued)
  return issued
}
