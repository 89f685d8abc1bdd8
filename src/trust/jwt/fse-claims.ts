import { timingSafeEqual } from 'node:crypto'
import { isCodiceFiscale, isEni, isNumericCodiceFiscale, isStp, type PatientId } from '../../core/model/patient.ts'
import { citizenRoles, professionalRoles, systemRoles } from '../../core/policy/access.ts'
import { refused } from '../refusal.ts'
import { patientIn } from './assertion.ts'
import { inKebab, optionalFlag, optionalText, requiredText, sha256Hex } from './claims.ts'
import type { JsonObject } from './strict-json.ts'

/** What a pair of tokens is presented for. `create` and `replace` include their `validate-and-` forms. */
export type FseOperation = 'validation' | 'create' | 'replace' | 'update' | 'delete' | 'read'

/** What came with the tokens and must agree with them; what is absent is not compared. */
export interface FseMessage {
  /** Undefined is for tools that only look: then nothing that depends on the operation is demanded. */
  readonly operation: FseOperation | undefined
  /** The bytes of the file that was sent. */
  readonly attachment?: Uint8Array
  /** The clinical document in it. */
  readonly document?: {
    readonly type: { readonly code: string; readonly scheme: string }
    /** `patientRole/id/@extension`, all of them. */
    readonly patients: readonly string[]
  }
}

/** The claims of `FSE-JWT-Signature`, exactly as read (ini.md §5.3). */
export interface FseClaims {
  readonly subject: string
  readonly organization: string
  readonly organizationName: string
  readonly locality: string
  readonly role: string
  readonly patientId: PatientId
  readonly inCare: boolean
  readonly purposeOfUse: string
  readonly action: string
  /** As claimed: `('11502-2^^2.16.840.1.113883.6.1')`. */
  readonly documentTypes?: string
  /** SHA-256 of the file in hexadecimal, in lower case. */
  readonly attachmentHash?: string
  readonly application: { readonly id: string; readonly vendor: string; readonly version: string }
  readonly subjectIsAuthor?: boolean
}

interface OperationRules {
  readonly purposes?: readonly string[]
  readonly actions: readonly string[]
  /** Whether the place must be an organization with its code, and not just any text. */
  readonly placed: boolean
  readonly typed: boolean
  readonly hashed: boolean
}

/** ini.md §5.3. Reading is not among the national gateway's operations: there the action alone is given. */
const operations: Readonly<Record<FseOperation, OperationRules>> = {
  validation: { purposes: ['TREATMENT'], actions: ['CREATE', 'UPDATE'], placed: false, typed: true, hashed: false },
  create: { purposes: ['TREATMENT'], actions: ['CREATE'], placed: true, typed: true, hashed: true },
  replace: { purposes: ['TREATMENT', 'UPDATE'], actions: ['UPDATE'], placed: true, typed: true, hashed: true },
  update: { purposes: ['UPDATE', 'ACCESS UPDATE'], actions: ['UPDATE'], placed: true, typed: true, hashed: false },
  delete: { purposes: ['UPDATE'], actions: ['DELETE'], placed: true, typed: false, hashed: false },
  read: { actions: ['READ'], placed: false, typed: false, hashed: false },
}

/** Claims both tokens have, and those of the signature token alone. */
export const reservedClaims: readonly string[] = ['iss', 'iat', 'exp', 'nbf', 'jti', 'aud', 'sub']
export const signatureClaims: readonly string[] = [
  ...reservedClaims,
  'subject_organization_id',
  'subject_organization',
  'locality',
  'subject_role',
  'person_id',
  'patient_consent',
  'purpose_of_use',
  'resource_hl7_type',
  'action_id',
  'attachment_hash',
  'subject_application_id',
  'subject_application_vendor',
  'subject_application_version',
  'use_subject_as_author',
]

/**
 * Reads the claims of a verified signature token by the rules of the national gateway (ini.md §5.3), in the order in which
 * they are listed there. `organizations` are the codes of the affinity domain with their exact names. Throws Refusal.
 */
export function readFseClaims(
  claims: JsonObject,
  organizations: Readonly<Record<string, string>>,
  message: FseMessage,
): FseClaims {
  const rules = message.operation === undefined ? undefined : operations[message.operation]
  const subject = requireSubject(claims)
  const organization = requiredText(claims, 'subject_organization_id')
  const named = Object.hasOwn(organizations, organization) ? organizations[organization] : undefined
  if (named === undefined) throw refused('attributes', 'subject-organization-id-malformed')
  const organizationName = requiredText(claims, 'subject_organization')
  if (organizationName !== named) throw refused('coherence', 'subject-organization-differs')
  const locality = requiredText(claims, 'locality')
  if (rules?.placed === true && !isPlace(locality)) throw refused('attributes', 'locality-malformed')
  const role = requiredText(claims, 'subject_role')
  if (![citizenRoles, professionalRoles, systemRoles].some((roles) => roles.has(role))) {
    throw refused('attributes', 'subject-role-malformed')
  }
  const patientId = requirePatient(claims, message)
  const inCare = optionalFlag(claims, 'patient_consent')
  if (inCare === undefined) throw refused('attributes', 'patient-consent-missing')
  const purposeOfUse = requireOneOf(claims, 'purpose_of_use', rules?.purposes)
  const documentTypes = requireDocumentType(claims, rules, message)
  const action = requireOneOf(claims, 'action_id', rules?.actions)
  const attachmentHash = requireAttachment(claims, rules, message)
  const subjectIsAuthor = optionalFlag(claims, 'use_subject_as_author')
  return {
    subject,
    organization,
    organizationName,
    locality,
    role,
    patientId,
    inCare,
    purposeOfUse,
    action,
    ...(documentTypes === undefined ? {} : { documentTypes }),
    ...(attachmentHash === undefined ? {} : { attachmentHash }),
    application: {
      id: requiredText(claims, 'subject_application_id'),
      vendor: requiredText(claims, 'subject_application_vendor'),
      version: requiredText(claims, 'subject_application_version'),
    },
    ...(subjectIsAuthor === undefined ? {} : { subjectIsAuthor }),
  }
}

/**
 * `sub`, a CX: under the authority of codici fiscali, or under none, it must be one; under any other anything goes
 * (ini.md §5.3). Throws Refusal.
 */
export function requireSubject(claims: JsonObject): string {
  const subject = requiredText(claims, 'sub')
  const [value = '', , , authority = ''] = subject.split('^')
  const isFiscal = authority === '' || authority.split('&')[1] === '2.16.840.1.113883.2.9.4.3.2'
  const isCode = isCodiceFiscale(value) || isNumericCodiceFiscale(value) || isStp(value) || isEni(value)
  if (value === '' || (isFiscal && !isCode)) throw refused('attributes', 'sub-malformed')
  return subject
}

/** XON with an authority and a code (ini.md §2.3). */
function isPlace(text: string): boolean {
  return /^[^^]*\^{5}&[^&]*&ISO\^{4}[^^&]*$/.test(text)
}

function requirePatient(claims: JsonObject, { document }: FseMessage): PatientId {
  const id = patientIn(claims, 'person_id')
  if (id === undefined) throw refused('attributes', 'person-id-missing')
  if (document !== undefined && !document.patients.includes(id.value)) throw refused('coherence', 'person-id-differs')
  return id
}

function requireOneOf(claims: JsonObject, name: string, allowed: readonly string[] | undefined): string {
  const value = requiredText(claims, name)
  if (allowed !== undefined && !allowed.includes(value)) throw refused('coherence', `${inKebab(name)}-does-not-fit`)
  return value
}

const documentType = /^\('[0-9A-Za-z-]+\^\^2\.16\.840\.1\.113883\.6\.1'\)$/
const documentTypeList =
  /^\('[0-9A-Za-z-]+\^\^2\.16\.840\.1\.113883\.6\.1'(, ?'[0-9A-Za-z-]+\^\^2\.16\.840\.1\.113883\.6\.1')*\)$/

function requireDocumentType(
  claims: JsonObject,
  rules: OperationRules | undefined,
  { document, operation }: FseMessage,
): string | undefined {
  const type = optionalText(claims, 'resource_hl7_type')
  if (type === undefined) {
    if (rules?.typed === true) throw refused('attributes', 'resource-hl7-type-missing')
    return undefined
  }
  // A document has one type; who reads may look for several.
  const form = operation === 'read' || operation === undefined ? documentTypeList : documentType
  if (!form.test(type)) throw refused('attributes', 'resource-hl7-type-malformed')
  if (document !== undefined && type !== `('${document.type.code}^^${document.type.scheme}')`) {
    throw refused('coherence', 'resource-hl7-type-differs')
  }
  return type
}

function requireAttachment(
  claims: JsonObject,
  rules: OperationRules | undefined,
  { attachment }: FseMessage,
): string | undefined {
  const claimed = optionalText(claims, 'attachment_hash')
  if (claimed === undefined) {
    if (rules?.hashed === true) throw refused('attributes', 'attachment-hash-missing')
    return undefined
  }
  // SHA-256, not the SHA-1 of the document's metadata in INI (ini.md §5.3).
  const hash = claimed.toLowerCase()
  if (!/^[0-9a-f]{64}$/.test(hash)) throw refused('attributes', 'attachment-hash-malformed')
  if (attachment !== undefined && !sameHex(hash, sha256Hex(attachment))) {
    throw refused('coherence', 'attachment-hash-differs')
  }
  return hash
}

function sameHex(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
}
