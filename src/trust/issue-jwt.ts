import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto'
import { SignJWT } from 'jose'
import type { Clock } from '../core/ports.ts'
import { formatCx } from '../wire/hl7/cx.ts'
import { formatDocumentTypes } from '../wire/saml.ts'
import type { SigningIdentity, Vouching } from './issue-saml.ts'
import { commonNameOf } from './trust-store.ts'

export interface JwtIssuer {
  /** A new signed token for one audience, never the same twice. */
  issue(vouching: Vouching, audience: string): Promise<string>
}

/** Issues tokens in the shape of the national gateway's (`x5c`, `auth:<CN>`, claims of ini.md §5.3). Loads the key once. */
export function jwtIssuer(identity: SigningIdentity, options: { lifetimeMs: number; clock: Clock }): JwtIssuer {
  const key = createPrivateKey(identity.key)
  const certificate = new X509Certificate(identity.certificate)
  const name = commonNameOf(certificate)
  if (name === undefined) throw new Error('The signing certificate must have one common name')
  const x5c = [certificate.raw.toString('base64')]
  return {
    async issue(vouching, audience) {
      const now = Math.floor(options.clock.now() / 1000)
      const { application, documentTypes, patientId } = vouching
      const claims: Record<string, unknown> = {
        subject_role: vouching.role,
        purpose_of_use: vouching.purposeOfUse,
        action_id: vouching.action,
        subject_organization_id: vouching.organization,
        subject_organization: vouching.organizationName,
        locality: vouching.locality,
        person_id: patientId === undefined ? undefined : formatCx(patientId),
        patient_consent: vouching.inCare,
        resource_hl7_type: documentTypes === undefined ? undefined : formatDocumentTypes(documentTypes),
        subject_application_id: application?.id,
        subject_application_vendor: application?.vendor,
        subject_application_version: application?.version,
      }
      return await new SignJWT(Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined)))
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', x5c })
        .setIssuer(`auth:${name}`)
        .setSubject(vouching.subject)
        .setAudience(audience)
        .setIssuedAt(now)
        .setExpirationTime(now + Math.ceil(options.lifetimeMs / 1000))
        .setJti(randomUUID())
        .sign(key)
    },
  }
}
