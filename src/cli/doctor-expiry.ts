import type { X509Certificate } from 'node:crypto'
import { type CertificateFacts, factsOf } from '../trust/x509/certificate.ts'
import { expiries } from '../trust/x509/expiry.ts'
import { dayOf, type Finding, fail, ok, warn } from './finding.ts'

/** A certificate, where it is named, and whether it is ours to renew. */
export interface Ending {
  readonly what: string
  readonly certificate: X509Certificate
  readonly own: boolean
}

/** Tells of the end of each certificate, once however often it is named. */
export function expiryFindings(endings: readonly Ending[], now: number): readonly Finding[] {
  const told = new Set<string>()
  return endings.flatMap((ending): Finding[] => {
    const { certificate, what } = ending
    if (told.has(certificate.fingerprint256)) return []
    told.add(certificate.fingerprint256)
    const facts = readableFacts(certificate)
    if (facts !== undefined) return [expiryFinding(ending, facts, now)]
    return [fail(what, 'holds a certificate that cannot be read strictly (RFC 5280)', 'have it issued anew')]
  })
}

function expiryFinding({ what, certificate, own }: Ending, facts: CertificateFacts, now: number): Finding {
  const name = facts.commonName ?? facts.subject
  const renewal = own
    ? 'have it renewed and put the new one there; the gateway takes it up by itself'
    : 'ask its owner for the next one and add it beside this one'
  if (now < facts.notBefore) {
    return fail(what, `${name}: not valid before ${dayOf(facts.notBefore)}`, 'wait, or check the clock of this machine')
  }
  const [expiry] = expiries([{ name, certificate }], now)
  const { daysLeft = 0, threshold } = expiry ?? {}
  const until = `${name}: valid until ${dayOf(facts.notAfter)}`
  if (threshold === undefined) return ok(what, `${until}, ${daysLeft} days`)
  if (threshold === 0) return fail(what, `${name}: expired on ${dayOf(facts.notAfter)}`, renewal)
  return warn(
    what,
    `${until}, ${daysLeft} days left (less than ${threshold})`,
    threshold === 7 ? `now: ${renewal}` : renewal,
  )
}

/** What a certificate says; undefined for one that is not strictly a certificate. */
export function readableFacts(certificate: X509Certificate): CertificateFacts | undefined {
  try {
    return factsOf(certificate)
  } catch {
    return undefined
  }
}
