import type { X509Certificate } from 'node:crypto'
import { factsOf } from './certificate.ts'

/** A certificate under the name that logs and metrics have for it: `tls`, `signing:ini`, `anchor:region-050` … */
export interface NamedCertificate {
  readonly name: string
  readonly certificate: X509Certificate
}

/** Days before its end at which a certificate calls for attention, first call first. */
export const expiryThresholds = [60, 30, 7, 0] as const

export type ExpiryThreshold = (typeof expiryThresholds)[number]

/** How near the end of a certificate is. */
export interface Expiry {
  readonly name: string
  /** Milliseconds of the epoch. */
  readonly notAfter: number
  /** Whole days that are left; negative from the instant it is over. */
  readonly daysLeft: number
  /** The last threshold that is crossed; undefined when none is, 0 when the certificate is over. */
  readonly threshold: ExpiryThreshold | undefined
}

const dayMs = 86_400_000

/** How near the end of each certificate is at an instant, the nearest first. Throws Error when one cannot be read. */
export function expiries(certificates: readonly NamedCertificate[], now: number): Expiry[] {
  return certificates
    .map(({ name, certificate }) => {
      const { notAfter } = factsOf(certificate)
      const left = notAfter - now
      // At its very end a certificate is still valid.
      const threshold = expiryThresholds.findLast((days) => (days === 0 ? left < 0 : left <= days * dayMs))
      return { name, notAfter, daysLeft: Math.floor(left / dayMs), threshold }
    })
    .sort((one, other) => one.notAfter - other.notAfter)
}
