import { createPrivateKey, X509Certificate } from 'node:crypto'
import { documentTypesEver, loinc } from '../../contracts/affinity-domain/document-types.ts'
import type { PatientId } from '../core/model/patient.ts'
import { fileSigner } from '../keys/file-signer.ts'
import { samlIssuer } from '../trust/saml/issue-saml.ts'
import type { Signer } from '../trust/signer.ts'
import { formatCx } from '../wire/hl7/cx.ts'
import type { IniStatement } from '../wire/saml/ini.ts'
import type { Identity } from './parties.ts'

export interface AssertionWishes {
  readonly patient: PatientId
  readonly role: string
  readonly purpose: string
  readonly action: string
  readonly types: readonly string[]
  readonly lifetimeSeconds: number
  /** CX of who asks; by default the patient for roles that look at their own record, else a synthetic professional. */
  readonly subject?: string
  /** `urn:uuid:…`, on the messages of an index transfer. */
  readonly indexTransferId?: string
}

/** Roles that see a record as the person it is about. */
const self = new Set(['ASS'])

/** A synthetic professional, as a CX: nobody has this codice fiscale. */
export const professional = 'VRDMRC67T20I257E^^^&2.16.840.1.113883.2.9.4.3.2&ISO'

/**
 * Another, who writes what is pushed: whoever asks is not the author, who is shown their own documents whatever is hidden.
 * No municipality has a code that begins with X.
 */
export const writer = 'NRELCU70A41X612S^^^&2.16.840.1.113883.2.9.4.3.2&ISO'

/** A synthetic place of an organization. */
export function placeOf(organization: string): string {
  return `Ambulatorio di prova^^^^^&2.16.840.1.113883.2.9.4.1.3&ISO^^^^${organization}202`
}

/** A signer over a party's signing key. */
export function signerOf({ signing: { certificate, key } }: Pick<Identity, 'signing'>): Signer {
  return fileSigner({
    certificate: new X509Certificate(certificate),
    intermediates: [],
    key: createPrivateKey(key),
  })
}

/** A signed attribute assertion as the party would send it (ini.md §2). No type named means all there are. */
export async function assertionOf(identity: Identity, wishes: AssertionWishes): Promise<string> {
  const { patient, role, purpose, action, types, lifetimeSeconds, indexTransferId } = wishes
  const signer = signerOf(identity)
  const issuer = samlIssuer(() => signer, {
    issuer: identity.organization,
    lifetimeMs: lifetimeSeconds * 1_000,
    clock: { now: () => Date.now() },
  })
  const statement: IniStatement = {
    subject: wishes.subject ?? (self.has(role) ? formatCx(patient) : professional),
    role,
    purposeOfUse: purpose,
    action,
    organization: identity.organization,
    organizationName: identity.organizationName,
    locality: placeOf(identity.organization),
    inCare: true,
    patientId: patient,
    application: { id: 'CROCEVIA-CLI', vendor: 'Crocevia', version: '1.0' },
    documentTypes: types.length === 0 ? documentTypesEver : types.map((code) => ({ code, scheme: loinc })),
    ...(indexTransferId === undefined ? {} : { indexTransferId }),
  }
  return await issuer.issue(statement)
}
