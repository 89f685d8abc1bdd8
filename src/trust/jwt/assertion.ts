import type { Assertion } from '../../core/model/call.ts'
import type { HomeCommunityId } from '../../core/model/identifiers.ts'
import { type PatientId, patientId } from '../../core/model/patient.ts'
import { parseCx } from '../../wire/hl7/cx.ts'
import { parseDocumentTypes } from '../../wire/saml/ini.ts'
import { refused } from '../refusal.ts'
import { inKebab, optionalFlag, optionalText, requiredText } from './claims.ts'
import type { JsonObject } from './strict-json.ts'

/** Which claim says what of an assertion. */
export interface ClaimNames {
  readonly subject: string
  readonly role: string
  readonly purposeOfUse: string
  readonly action: string
  readonly organization: string
  readonly organizationName: string
  readonly locality: string
  readonly patientId: string
  readonly inCare: string
  readonly documentTypes: string
  readonly applicationId: string
  readonly applicationVendor: string
  readonly applicationVersion: string
}

/** The claims of the national gateway's `FSE-JWT-Signature` (ini.md §5.3). */
export const fseClaimNames: ClaimNames = {
  subject: 'sub',
  role: 'subject_role',
  purposeOfUse: 'purpose_of_use',
  action: 'action_id',
  organization: 'subject_organization_id',
  organizationName: 'subject_organization',
  locality: 'locality',
  patientId: 'person_id',
  inCare: 'patient_consent',
  documentTypes: 'resource_hl7_type',
  applicationId: 'subject_application_id',
  applicationVendor: 'subject_application_vendor',
  applicationVersion: 'subject_application_version',
}

/** What of an assertion is not read from its claims of the domain. */
export interface AssertionFrame {
  readonly id: string
  readonly issuer: string
  readonly community: HomeCommunityId
  /** Milliseconds since the epoch. */
  readonly validUntil: number
  readonly signer: string
  readonly digest: string
}

/** Reads verified claims as an assertion. Nothing is filled in: what is not claimed is absent, or refused where it must be. */
export function assertionFrom(claims: JsonObject, names: ClaimNames, frame: AssertionFrame): Assertion {
  const { digest, ...certain } = frame
  const subject = requiredText(claims, names.subject)
  const subjectId = parseCx(subject)
  const organizationName = optionalText(claims, names.organizationName)
  const locality = optionalText(claims, names.locality)
  const inCare = optionalFlag(claims, names.inCare)
  const patient = patientIn(claims, names.patientId)
  const documentTypes = documentTypesIn(claims, names.documentTypes)
  const id = optionalText(claims, names.applicationId)
  const vendor = optionalText(claims, names.applicationVendor)
  const version = optionalText(claims, names.applicationVersion)
  return {
    ...certain,
    subject,
    ...(subjectId === undefined ? {} : { subjectId }),
    role: requiredText(claims, names.role),
    purposeOfUse: requiredText(claims, names.purposeOfUse),
    action: requiredText(claims, names.action),
    organization: requiredText(claims, names.organization),
    ...(organizationName === undefined ? {} : { organizationName }),
    ...(locality === undefined ? {} : { locality }),
    ...(inCare === undefined ? {} : { inCare }),
    ...(patient === undefined ? {} : { patientId: patient }),
    ...(documentTypes === undefined ? {} : { documentTypes }),
    ...(id === undefined || vendor === undefined || version === undefined
      ? {}
      : { application: { id, vendor, version } }),
    evidence: { kind: 'jwt', digest },
  }
}

/** A patient's identifier in CX form; undefined when it is not claimed. Throws Refusal `<name>-malformed`. */
export function patientIn(claims: JsonObject, name: string): PatientId | undefined {
  const text = optionalText(claims, name)
  if (text === undefined) return undefined
  const id = parseCx(text)
  if (id === undefined) throw refused('attributes', `${inKebab(name)}-malformed`)
  try {
    return patientId(id.value, id.authority)
  } catch (error) {
    throw refused('attributes', `${inKebab(name)}-malformed`, error)
  }
}

function documentTypesIn(claims: JsonObject, name: string): Assertion['documentTypes'] {
  const text = optionalText(claims, name)
  if (text === undefined) return undefined
  const types = parseDocumentTypes(text)
  if (types === undefined) throw refused('attributes', `${inKebab(name)}-malformed`)
  return types
}
