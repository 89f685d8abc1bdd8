import type { X509Certificate } from 'node:crypto'

/** A certificate that its own key signed. */
function isRoot(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate)
}

/**
 * The intermediates above a certificate, nearest first, out of certificates that came along in any order; roots and
 * strangers are left out. Undefined when others came along and none of them issued it.
 */
export function intermediatesAbove(
  certificate: X509Certificate,
  others: readonly X509Certificate[],
): readonly X509Certificate[] | undefined {
  const left = new Set(others.filter((other) => !other.raw.equals(certificate.raw)))
  if (left.size === 0 || isRoot(certificate)) return []
  const path: X509Certificate[] = []
  let below = certificate
  for (;;) {
    const above = [...left].find((one) => below.checkIssued(one) && below.verify(one.publicKey))
    if (above === undefined) return path.length === 0 ? undefined : path
    if (isRoot(above)) return path
    left.delete(above)
    path.push(above)
    below = above
  }
}
