import { loinc } from '../../contracts/affinity-domain/document-types.ts'
import type { PatientId } from '../core/model/patient.ts'
import { samlIssuer } from '../trust/issue-saml.ts'
import { formatCx } from '../wire/hl7/cx.ts'
import type { Identity } from './parties.ts'

export interface AssertionWishes {
  readonly patient: PatientId
  readonly role: string
  readonly purpose: string
  readonly action: string
  readonly types: readonly string[]
  readonly lifetimeSeconds: number
}

/** Roles that see a record as the person it is about. */
const self = new Set(['ASS'])

/** A synthetic professional: nobody has this codice fiscale. */
const professional = 'VRDMRC67T20I257E^^^&2.16.840.1.113883.2.9.4.3.2&ISO'

/** A signed attribute assertion as the party would send it (ini.md §2). */
export function assertionOf(identity: Identity, wishes: AssertionWishes): string {
  const { patient, role, purpose, action, types, lifetimeSeconds } = wishes
  const issuer = samlIssuer(identity.signing, {
    issuer: identity.organization,
    lifetimeMs: lifetimeSeconds * 1_000,
    clock: { now: () => Date.now() },
  })
  return issuer.issue({
    subject: self.has(role) ? formatCx(patient) : professional,
    role,
    purposeOfUse: purpose,
    action,
    organization: identity.organization,
    organizationName: identity.organizationName,
    locality: `Ambulatorio di prova^^^^^&2.16.840.1.113883.2.9.4.1.3&ISO^^^^${identity.organization}202`,
    inCare: true,
    patientId: patient,
    application: { id: 'CROCEVIA-CLI', vendor: 'Crocevia', version: '1.0' },
    ...(types.length === 0 ? {} : { documentTypes: types.map((code) => ({ code, scheme: loinc })) }),
  })
}
