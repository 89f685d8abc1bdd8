import type { Assertion } from '../../core/model/call.ts'
import { parseCx } from '../../wire/hl7/cx.ts'
import type { ReadAssertion } from '../../wire/saml/assertion-read.ts'
import { iniAttributes, parseDocumentTypes } from '../../wire/saml/ini.ts'
import { authnContextKind, sistemaTsAttributes } from '../../wire/saml/sistema-ts.ts'
import { type HL7Code, xuaAttributes } from '../../wire/saml/xua.ts'
import type { XmlTree } from '../../wire/xml.ts'
import { refused } from '../refusal.ts'
import { type AttributeReader, attributeReader, booleanOf } from './attribute-reader.ts'
import { type Circumstances, requireAudience, requireAuthn, requireConfirmation, timeOf } from './conditions.ts'
import type { TrustedIssuer } from './trusted-issuer.ts'

/** What an assertion claims about who asks; the rest of an `Assertion` is about the signature. */
export type Claimed = Omit<Assertion, 'id' | 'issuer' | 'community' | 'validUntil' | 'signer' | 'evidence'>

/** An end user as a region vouches for them to Sistema TS. */
export interface SistemaTsUser {
  readonly subject: string
  readonly authenticatedAt: string
  readonly organization: string
  readonly locality: string
  readonly level?: string
  readonly mode?: string
}

/**
 * INI's attribute assertion (ini.md §2.2–2.3): no subject confirmation and no audience are asked for; what is there all
 * the same must be met. Throws Refusal.
 */
export function iniClaims(
  tree: XmlTree,
  assertion: ReadAssertion,
  circumstances: Circumstances,
  { mandatory }: TrustedIssuer,
): Claimed {
  requireAudience(assertion, circumstances, false)
  if (assertion.confirmations.length > 0) requireConfirmation(assertion, circumstances)
  const read = attributeReader(tree, assertion)
  const names = iniAttributes
  const organization = read.required(names.organizationId)
  if (organization !== assertion.issuer) throw refused('coherence', 'issuer-and-organization-differ')
  const types = read.one(names.hl7Type)
  const documentTypes = types === undefined ? undefined : parseDocumentTypes(types)
  if (types !== undefined && documentTypes === undefined) throw refused('attributes', 'document-types-are-malformed')
  const subject = read.one(names.subjectId) ?? assertion.subject
  const application = applicationOf(read)
  const stated = { 'document-types': documentTypes, application }
  if (mandatory.some((name) => stated[name] === undefined)) throw refused('attributes', 'missing-mandatory-attribute')
  // Assigned one by one: this is on the path of every request, and spreading costs as much as reading.
  const claimed: Building<Claimed> = {
    subject,
    role: read.required(names.role),
    purposeOfUse: read.required(names.purposeOfUse),
    action: read.required(names.actionId),
    organization,
  }
  const subjectId = parseCx(subject)
  const organizationName = read.one(names.organization)
  const locality = read.one(names.locality)
  const inCare = booleanOf(read.one(names.patientConsent))
  const patientId = read.patient(names.resourceId)
  const indexTransferId = read.one(names.indexTransferId)
  if (subjectId !== undefined) claimed.subjectId = subjectId
  if (organizationName !== undefined) claimed.organizationName = organizationName
  if (locality !== undefined) claimed.locality = locality
  if (inCare !== undefined) claimed.inCare = inCare
  if (patientId !== undefined) claimed.patientId = patientId
  if (documentTypes !== undefined) claimed.documentTypes = documentTypes
  if (application !== undefined) claimed.application = application
  if (indexTransferId !== undefined) claimed.indexTransferId = indexTransferId
  return claimed
}

type Building<T> = { -readonly [Name in keyof T]: T[Name] }

function applicationOf(read: AttributeReader): Assertion['application'] {
  const names = iniAttributes
  const id = read.one(names.applicationId)
  const vendor = read.one(names.applicationVendor)
  const version = read.one(names.applicationVersion)
  if (id === undefined && vendor === undefined && version === undefined) return undefined
  if (id === undefined || vendor === undefined || version === undefined) {
    throw refused('attributes', 'missing-mandatory-attribute')
  }
  return { id, vendor, version }
}

/** IHE XUA (ITI TF-2: 3.40; ihe.md §1.13): confirmed, restricted to us, authenticated once in one way. Throws Refusal. */
export function xuaClaims(
  tree: XmlTree,
  assertion: ReadAssertion,
  circumstances: Circumstances,
  issuer: TrustedIssuer,
): Claimed {
  requireAuthn(assertion, circumstances)
  requireConfirmation(assertion, circumstances)
  requireAudience(assertion, circumstances, true)
  const read = attributeReader(tree, assertion)
  const names = xuaAttributes
  const home = read.one(names.homeCommunityId)
  if (home !== undefined && issuer.issuers !== undefined && home !== issuer.community) {
    throw refused('coherence', 'home-community-is-somebody-else')
  }
  const patientId = read.patient(names.resourceId) ?? read.patient(iniAttributes.resourceId)
  return {
    subject: assertion.subject,
    ...optional('subjectId', parseCx(assertion.subject)),
    role: translated(read.code(names.role), issuer.roles),
    purposeOfUse: translated(read.code(names.purposeOfUse), issuer.purposes),
    organization: read.required(names.organizationId),
    ...optional('organizationName', read.one(names.organization)),
    ...optional('patientId', patientId),
  }
}

/** A code in the affinity domain's words: looked up as `system|code`, then as the code alone, else as it is. */
function translated({ code, system }: HL7Code, words: ReadonlyMap<string, string> | undefined): string {
  return words?.get(`${system ?? ''}|${code}`) ?? words?.get(code) ?? code
}

const localTime = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?$/

/** The assertion Sistema TS wants of a region (sistema-ts.md A.6). Throws Refusal. */
export function sistemaTsClaims(tree: XmlTree, assertion: ReadAssertion, circumstances: Circumstances): SistemaTsUser {
  requireAudience(assertion, circumstances, false)
  if (assertion.confirmations.length > 0) requireConfirmation(assertion, circumstances)
  const statement = requireAuthn(assertion, circumstances)
  const read = attributeReader(tree, assertion)
  const names = sistemaTsAttributes
  const organization = read.required(names.organizationId)
  if (organization !== assertion.issuer) throw refused('coherence', 'issuer-and-organization-differ')
  const subject = read.required(names.subjectId)
  if (subject !== assertion.subject) throw refused('coherence', 'subject-and-subject-id-differ')
  const authenticatedAt = read.required(names.authenticatedAt)
  if (!localTime.test(authenticatedAt)) throw refused('attributes', 'authentication-time-is-malformed')
  const locality = read.required(names.locality)
  if (!locality.startsWith(organization)) throw refused('coherence', 'locality-and-organization-differ')
  timeOf(assertion.issueInstant)
  return { subject, authenticatedAt, organization, locality, ...contextOf(statement) }
}

/** The two official documents differ: the level in ClassRef and the mode in DeclRef, or the mode alone in ClassRef. */
function contextOf({ classRefs, declRefs }: ReturnType<typeof requireAuthn>): { level?: string; mode?: string } {
  const [reference] = classRefs
  const [declared] = declRefs
  if (reference === undefined || classRefs.length > 1 || declRefs.length > 1) {
    throw refused('attributes', 'authn-context-not-allowed')
  }
  const kind = authnContextKind(reference)
  if (kind === 'mode' && declared === undefined) return { mode: reference }
  if (kind !== 'level') throw refused('attributes', 'authn-context-not-allowed')
  if (declared === undefined) return { level: reference }
  if (authnContextKind(declared) !== 'mode') throw refused('attributes', 'authn-context-not-allowed')
  const generic = /:genericLoA([1-4])$/.exec(declared)?.[1]
  if (generic !== undefined && !reference.endsWith(`LoA${generic}`)) {
    throw refused('coherence', 'level-and-mode-of-authentication-differ')
  }
  return { level: reference, mode: declared }
}

function optional<Name extends string, Value>(name: Name, value: Value | undefined): { [N in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [N in Name]?: Value })
}
