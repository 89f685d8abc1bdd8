import { randomUUID } from 'node:crypto'
import { GatewayError } from '../../core/errors.ts'
import type { PatientId } from '../../core/model/patient.ts'
import type { Clock } from '../../core/ports.ts'
import { formatCx } from '../../wire/hl7/cx.ts'
import { type DocumentType, formatDocumentTypes } from '../../wire/saml/ini.ts'
import type { Signer } from '../signer.ts'
import { commonNameOf } from '../x509/certificate.ts'
import { compactSigner, type Members, validity, x5cOf } from './sign-compact.ts'

/** What a token says about the asker; the rest is ours. */
export interface Vouching {
  readonly subject: string
  readonly role: string
  readonly purposeOfUse: string
  readonly action: string
  readonly organization: string
  readonly organizationName?: string
  readonly locality?: string
  readonly inCare?: boolean
  readonly patientId?: PatientId
  readonly documentTypes?: readonly DocumentType[]
  readonly application?: { readonly id: string; readonly vendor: string; readonly version: string }
}

/** What is asked of the national gateway; decides which claims there must be and what they may say (ini.md §5.3). */
export type FseOperation = 'validation' | 'create' | 'replace' | 'update' | 'delete'

export interface FseCall {
  readonly operation: FseOperation
  readonly vouching: Vouching
  /** The base URL of the service, version included. */
  readonly audience: string
  /** SHA-256 of the file sent, in hexadecimal; `create` and `replace` need it. INI's `hash` is another one, SHA-1. */
  readonly attachmentHash?: string
  /** Whether the national gateway also names the subject as author when it looks documents up. */
  readonly subjectAsAuthor?: boolean
}

/** The two tokens of one call, as headers. */
export interface FseHeaders {
  readonly Authorization: string
  readonly 'FSE-JWT-Signature': string
}

/** Issues tokens of the FSE 2.0 gateway (ini.md §5). Nothing it issues is the same twice: a call repeated is signed again. */
export interface FseIssuer {
  /**
   * Both tokens for one call. Rejects with `access-denied` when the vouching lacks a claim the operation needs, or
   * contradicts the operation, since the national gateway would refuse it; with `internal` for a hash that is none.
   */
  pair(call: FseCall): Promise<FseHeaders>
  /** The bearer token alone, reserved claims only: what the status services want. */
  identity(subject: string, audience: string): Promise<string>
  /** One bearer token with all claims, for FHIR services that take the signature token's claims so. */
  bearer(vouching: Vouching, audience: string): Promise<string>
}

/** Throws when the signing certificate has no single common name, or its key is not RSA. */
export function fseIssuer(
  signer: Signer,
  { lifetimeMs, clock }: { readonly lifetimeMs: number; readonly clock: Clock },
): FseIssuer {
  const name = commonNameOf(signer.certificate)
  if (name === undefined) throw new Error('The signing certificate must have one common name')
  const sign = compactSigner(signer, 'RS256')
  const header = { typ: 'JWT', x5c: [x5cOf(signer.certificate)] }
  const reserved = (kind: 'auth' | 'integrity', aud: string, sub: string, now = clock.now()) => {
    return { iss: `${kind}:${name}`, ...validity(now, lifetimeMs), jti: randomUUID(), aud, sub }
  }
  return {
    identity: (subject, audience) => sign(header, reserved('auth', audience, subject)),
    async pair(call) {
      const { audience, vouching } = call
      const now = clock.now()
      const claims = claimsOf(call)
      const [bearer, signature] = await Promise.all([
        sign(header, reserved('auth', audience, vouching.subject, now)),
        sign(header, { ...reserved('integrity', audience, vouching.subject, now), ...claims }),
      ])
      return { Authorization: `Bearer ${bearer}`, 'FSE-JWT-Signature': signature }
    },
    bearer(vouching, audience) {
      const { iss, iat, exp, jti, aud, sub } = reserved('auth', audience, vouching.subject)
      return sign(header, { ...vouchedClaims(vouching), iss, sub, aud, iat, exp, jti })
    },
  }
}

interface Rule {
  readonly actions: readonly string[]
  readonly purposes: readonly string[]
  /** Whether the claims tell the file's digest and the document's type. */
  readonly hash: boolean
  readonly type: boolean
  /** Whether `locality` must have the form of an XON. */
  readonly xon: boolean
}

/** The table of claims of ini.md §5.3, by operation. */
const rules: Readonly<Record<FseOperation, Rule>> = {
  validation: { actions: ['CREATE', 'UPDATE'], purposes: ['TREATMENT'], hash: false, type: true, xon: false },
  create: { actions: ['CREATE'], purposes: ['TREATMENT'], hash: true, type: true, xon: true },
  replace: { actions: ['UPDATE'], purposes: ['TREATMENT', 'UPDATE'], hash: true, type: true, xon: true },
  update: { actions: ['UPDATE'], purposes: ['UPDATE', 'ACCESS UPDATE'], hash: false, type: true, xon: true },
  delete: { actions: ['DELETE'], purposes: ['UPDATE'], hash: false, type: false, xon: true },
}

/** Name, authority and code of a structure, nothing else (ini.md §2.3). */
const xon = /^[^^]*\^{5}&[^&]*&ISO\^{4}[^^&]*$/

function claimsOf({ operation, vouching, attachmentHash, subjectAsAuthor }: FseCall): Members {
  const rule = rules[operation]
  const { application, documentTypes, inCare, locality, patientId } = vouching
  if (!rule.actions.includes(vouching.action)) throw unfit('action_id', 'claim-does-not-fit-the-operation')
  if (!rule.purposes.includes(vouching.purposeOfUse)) throw unfit('purpose_of_use', 'claim-does-not-fit-the-operation')
  const place = needed('locality', locality)
  if (rule.xon && !xon.test(place)) throw unfit('locality', 'claim-is-malformed')
  const types = rule.type ? needed('resource_hl7_type', documentTypes) : undefined
  if (types?.length === 0) throw unfit('resource_hl7_type', 'claim-is-missing')
  const hash = rule.hash ? (attachmentHash ?? '') : undefined
  if (hash !== undefined && !/^[0-9a-fA-F]{64}$/.test(hash)) {
    throw new GatewayError('internal', 'The SHA-256 of the file to send is missing or malformed')
  }
  const { id, vendor, version } = needed('subject_application_id', application)
  return {
    subject_organization_id: vouching.organization,
    subject_organization: needed('subject_organization', vouching.organizationName),
    locality: place,
    subject_role: vouching.role,
    person_id: formatCx(needed('person_id', patientId)),
    patient_consent: needed('patient_consent', inCare),
    purpose_of_use: vouching.purposeOfUse,
    resource_hl7_type: types === undefined ? undefined : formatDocumentTypes(types),
    action_id: vouching.action,
    attachment_hash: hash,
    subject_application_id: id,
    subject_application_vendor: vendor,
    subject_application_version: version,
    use_subject_as_author: subjectAsAuthor,
  }
}

/** What was not claimed is not made up. */
function needed<T>(claim: string, value: T | undefined): T {
  if (value === undefined || value === '') throw unfit(claim, 'claim-is-missing')
  return value
}

function unfit(claim: string, reason: string): GatewayError {
  return new GatewayError('access-denied', 'The assertion does not say what the national gateway asks for', {
    details: { claim, reason },
  })
}

function vouchedClaims(vouching: Vouching): Members {
  const { application, documentTypes, patientId } = vouching
  return {
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
}
