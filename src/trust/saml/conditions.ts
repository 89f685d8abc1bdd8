import { X509Certificate } from 'node:crypto'
import type { AuthnStatement, Confirmation, ReadAssertion } from '../../wire/saml/assertion-read.ts'
import { samlNames } from '../../wire/saml/names.ts'
import { refused } from '../refusal.ts'
import { presentedCertificate } from '../x509/certificate.ts'

/** When and for whom an assertion is judged. */
export interface Circumstances {
  readonly now: number
  readonly skewMs: number
  /** Names by which we are addressed. Absent, audiences are not judged: for the command line only. */
  readonly audiences?: readonly string[]
  /** The presenter's certificate, DER; absent when nobody presents. */
  readonly presenter?: Uint8Array
}

const instant = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$/

/** An xs:dateTime with a zone, in milliseconds. Throws Refusal. */
export function timeOf(text: string): number {
  const time = instant.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time)) throw refused('malformed', 'an-instant-is-malformed')
  return time
}

/** Throws Refusal outside the assertion's own times. Both ends must be stated. Returns when it ends. */
export function requireValidity(assertion: ReadAssertion, { now, skewMs }: Circumstances, maxAgeMs?: number): number {
  const { notBefore, notOnOrAfter, issueInstant } = assertion
  if (notBefore === undefined || notOnOrAfter === undefined) throw refused('attributes', 'missing-validity')
  const [from, to, made] = [timeOf(notBefore), timeOf(notOnOrAfter), timeOf(issueInstant)]
  if (now + skewMs < from) throw refused('validity', 'not-yet-valid')
  if (now - skewMs >= to) throw refused('validity', 'expired')
  if (made > now + skewMs) throw refused('validity', 'issued-in-the-future')
  if (maxAgeMs !== undefined && now - made > maxAgeMs + skewMs) throw refused('validity', 'too-old')
  return maxAgeMs === undefined ? to : Math.min(to, made + maxAgeMs)
}

/** Throws Refusal when the assertion is restricted to others, or is not restricted where it must be. */
export function requireAudience(
  { audiences: stated }: ReadAssertion,
  { audiences }: Circumstances,
  must: boolean,
): void {
  if (must && stated.length === 0) throw refused('audience', 'no-audience')
  if (audiences === undefined) return
  if (!stated.every((restriction) => restriction.some((one) => audiences.includes(one)))) {
    throw refused('audience', 'audience-is-somebody-else')
  }
}

/** Throws Refusal unless one of the confirmations is met (SAML 2.0 Core §2.4.1.1, Profiles §3). */
export function requireConfirmation({ confirmations }: ReadAssertion, circumstances: Circumstances): void {
  const unmet = confirmations.map((one) => unconfirmed(one, circumstances))
  if (unmet.includes(undefined)) return
  throw refused('audience', unmet[0] ?? 'no-subject-confirmation')
}

function unconfirmed(confirmation: Confirmation, circumstances: Circumstances): string | undefined {
  const { now, skewMs, audiences } = circumstances
  const { method, notBefore, notOnOrAfter, recipient } = confirmation
  if (method !== samlNames.bearer && method !== samlNames.holderOfKey) return 'subject-confirmation-not-supported'
  if (notBefore !== undefined && now + skewMs < timeOf(notBefore)) return 'subject-confirmation-not-yet-valid'
  if (notOnOrAfter !== undefined && now - skewMs >= timeOf(notOnOrAfter)) return 'subject-confirmation-expired'
  if (recipient !== undefined && audiences !== undefined && !audiences.includes(recipient)) {
    return 'recipient-is-somebody-else'
  }
  return method === samlNames.holderOfKey ? notHolder(confirmation, circumstances.presenter) : undefined
}

function notHolder({ certificates }: Confirmation, presenter: Uint8Array | undefined): string | undefined {
  if (certificates.length === 0) return 'holder-of-key-without-certificate'
  if (presenter === undefined) return 'presenter-is-not-known'
  const own = new X509Certificate(presenter)
  const holds = certificates.some((one) => presentedCertificate(one, { folded: true })?.raw.equals(own.raw) === true)
  return holds ? undefined : 'presenter-does-not-hold-the-key'
}

/** Throws Refusal unless there is one statement of authentication with one context, made and still standing. */
export function requireAuthn({ authn }: ReadAssertion, { now, skewMs }: Circumstances): AuthnStatement {
  const [statement, ...others] = authn()
  if (statement === undefined) throw refused('attributes', 'no-authn-statement')
  if (others.length > 0 || statement.contexts !== 1) throw refused('attributes', 'several-authn-contexts')
  if (timeOf(statement.instant) > now + skewMs) throw refused('validity', 'authenticated-in-the-future')
  const { sessionNotOnOrAfter } = statement
  if (sessionNotOnOrAfter !== undefined && now - skewMs >= timeOf(sessionNotOnOrAfter)) {
    throw refused('validity', 'session-is-over')
  }
  const references = [...statement.classRefs, ...statement.declRefs]
  if (references.length === 0 || references.includes('')) throw refused('attributes', 'no-authn-context')
  return statement
}
