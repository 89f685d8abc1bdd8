import type { Assertion } from '../../core/model/call.ts'
import type { ApiCall, ApiRoute } from './endpoint.ts'
import type { UnderstoodToken } from './guard.ts'

/**
 * `GET /api/v1/caller`: tells callers whom the gateway takes them for, so that a token can be tried before anything is
 * asked with it. Exactly what was understood: what the tokens do not say is absent.
 */
export const callerRoute: ApiRoute = {
  method: 'GET',
  path: '/api/v1/caller',
  transaction: 'caller',
  handle: (call) => ({ body: described(call) }),
}

function described({ caller, peer }: ApiCall): Readonly<Record<string, unknown>> {
  const { assertion, profile, signer, subject, tokens, validUntil } = caller
  return {
    party: peer.name,
    profile,
    certificate: { subject: peer.subject, fingerprint: peer.fingerprint },
    subject: assertion?.subject ?? subject,
    ...(assertion === undefined ? {} : claimed(assertion)),
    validUntil: instant(validUntil),
    signer,
    tokens: tokens.map(token),
  }
}

function claimed(assertion: Assertion): Readonly<Record<string, unknown>> {
  const { action, application, documentTypes, inCare, locality, organization, organizationName } = assertion
  const { patientId: patient, purposeOfUse, role } = assertion
  return {
    ...{ role, purposeOfUse, action, organization, organizationName, locality, inCare },
    ...{ patient, documentTypes, application },
  }
}

function token({ issuedAt, validUntil, ...said }: UnderstoodToken): Readonly<Record<string, unknown>> {
  return { ...said, issuedAt: instant(issuedAt), validUntil: instant(validUntil) }
}

/** RFC 3339, UTC. */
function instant(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds).toISOString()
}
