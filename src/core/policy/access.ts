import type { Assertion, AuthenticatedCall, AuthorizedCall, Permit } from '../model/call.ts'
import type { MetadataChange } from '../model/change.ts'
import type { HomeCommunityId } from '../model/identifiers.ts'
import { type PatientId, samePatientId } from '../model/patient.ts'
import { type DocumentFilter, namesPatient, type StoredQuery } from '../model/stored-query.ts'
import type { AccessPolicy } from '../ports.ts'
import { accessTable, type IndexPushRight, type SearchService, type Service } from './access-table.ts'
import { serviceOfChange } from './change-service.ts'
import { denied } from './denied.ts'
import { type CareRule, grantedService } from './rights.ts'

export { citizenRoles, professionalRoles, systemRoles } from './roles.ts'

interface DocumentType {
  readonly code: string
  readonly scheme: string
}

/** What roles may know of documents by their type: a role that stands in no row may know of all. */
export interface DocumentTypeRow {
  readonly roles: readonly string[]
  /** Absent means all. */
  readonly purposes?: readonly string[] | undefined
  readonly types: readonly DocumentType[]
}

/** What differs between faces, and what no public source tells. */
export interface AccessOptions {
  /** Which services a stored query may be of; default an ordinary search. */
  readonly searches?: readonly SearchService[]
  /** The matrix of roles and document types (AD 6.4; ini.md §9 no. 2); default none. */
  readonly matrix?: readonly DocumentTypeRow[]
  /** Who may push documents in an index transfer (ini.md §9 no. 3); default `defaultIndexPush`. */
  readonly indexPush?: IndexPushRight
  /**
   * Whether those who treat must claim that the patient is in their care: `not-denied` also takes claims that do not say
   * (default), `claimed` does not, `ignored` takes any. No public source tells the rule (ini.md §2.6, §9 no. 2).
   */
  readonly care?: CareRule
  /** Whose references are told before a change: the author's own (default; ini.md §2.6), or anybody's. */
  readonly references?: 'author' | 'anybody'
  /**
   * The region of an organization's code, undefined for what is no region. With it, a region's citizens are held to be
   * its own where a registry vouches for their region of assistance (#1804).
   */
  readonly regionOf?: (organization: string) => HomeCommunityId | undefined
  /** Our own home: whom our own domain lets ask for a citizen is its own affair. */
  readonly home?: HomeCommunityId
  /** Homes of the national infrastructure: with it, the roles of its systems are believed from nobody else. */
  readonly national?: ReadonlySet<HomeCommunityId>
}

/**
 * Who may do what, by `accessTable`. The claim's role, purpose and action must be those of a row of the service; its
 * patient must be the one the message is about, and the document types in the message must be among those it names. The
 * policy's methods throw `access-denied` otherwise.
 */
export function accessPolicyOf(options: AccessOptions = {}): AccessPolicy {
  const { searches = ['search'], indexPush, regionOf, care = 'not-denied' } = options
  const table = accessTable.map((row) => (row.service === 'index-push' ? { ...row, ...indexPush } : row))
  const granted = <S extends Service>(services: readonly S[], call: AuthenticatedCall): S => {
    requireSystem(call, options)
    return grantedService(services, call.assertion, table, care)
  }
  const requirePatient = (asked: readonly PatientId[], { assertion }: AuthenticatedCall) => {
    requireSamePatient(asked, assertion)
    requireOwnCitizen(assertion, regionOf)
  }
  const permitted = (call: AuthenticatedCall, service: Service): AuthorizedCall => {
    return { ...call, permit: permitOf(call.assertion, service, options) }
  }
  return {
    authorize(query, call) {
      const service = granted(searches, call)
      requirePatient(namesPatient(query) ? [query.patientId] : [], call)
      const authorized = permitted(call, service)
      const unnamed = 'The query asks for document types the assertion does not name'
      requireTypesAsked(query, call.assertion.documentTypes, unnamed)
      requireTypesAsked(query, authorized.permit.documentTypes, 'The role has no right to documents of these types')
      return authorized
    },
    authorizeRetrieval(call) {
      const service = granted(['retrieve'], call)
      requirePatient([], call)
      return permitted(call, service)
    },
    authorizeChange(change, call, asked = serviceOfChange(change)) {
      const service = granted([asked], call)
      requirePatient(patientsOf(change), call)
      requireTypesTold(change, call.assertion)
      return permitted(call, service)
    },
    authorizeService(service, call, patients) {
      const authorized = permitted(call, granted([service], call))
      if (patients !== undefined) requirePatient(patients, call)
      return authorized
    },
    admit({ assertion }, { assistedBy }) {
      if (assistedBy === undefined || assistedBy === 'none' || assertion.community === options.home) return
      requireAssisted(assertion, assistedBy, regionOf)
    },
  }
}

/** With what no public source tells as it is by default. */
export const accessPolicy: AccessPolicy = accessPolicyOf()

/** INI speaks as itself through its own connection, and the national gateway through INI's (ini.md §2.1, §2.4). */
function requireSystem({ assertion, peer }: AuthenticatedCall, { national }: AccessOptions): void {
  const { role, community } = assertion
  if (national === undefined || (role !== 'INI' && role !== spokesman)) return
  const isBrought = peer.home !== undefined && national.has(peer.home)
  if (isBrought && (role !== 'INI' || national.has(community))) return
  throw denied('role', 'This role is the national infrastructure’s own')
}

/** `asked` are the patients a message names; whoever it names must be the one the claim is about. */
function requireSamePatient(asked: readonly PatientId[], assertion: Assertion): void {
  const { patientId, patientKnownAs, subjectId, role } = assertion
  if (patientId === undefined) throw denied('patient', 'The assertion names no patient')
  // Whose identifiers they are is the registry's word; without it the two must be the same.
  const identifiers = [patientId, ...(patientKnownAs?.identifiers ?? [])]
  const isPatient = (id: PatientId) => identifiers.some((one) => samePatientId(id, one))
  if (!asked.every(isPatient)) throw denied('patient', 'The assertion is about another patient than the message')
  // Citizens look at their own record; those who represent somebody are claimed to by their role.
  if (role === 'ASS' && (subjectId === undefined || !isPatient(subjectId))) {
    throw denied('patient', 'The assertion is about another patient than its subject')
  }
}

/** A region may vouch for citizens that it assists and for no others (ini.md §2.4, #1804), where that can be told. */
function requireOwnCitizen(assertion: Assertion, regionOf: AccessOptions['regionOf']): void {
  const assistedBy = assertion.patientKnownAs?.assistedBy
  if (assistedBy !== undefined) requireAssisted(assertion, assistedBy, regionOf)
}

function requireAssisted(
  { role, organization }: Assertion,
  assistedBy: HomeCommunityId,
  regionOf: AccessOptions['regionOf'] = () => undefined,
): void {
  const region = role === 'ASS' ? regionOf(organization) : undefined
  if (region === undefined || region === assistedBy) return
  throw denied('role', 'A region vouches for citizens whom it assists, and for no others')
}

function requireTypesAsked(query: StoredQuery, named: readonly DocumentType[] | undefined, message: string): void {
  if (named === undefined) return
  const asked = 'filter' in query ? ((query.filter as DocumentFilter).typeCodes ?? []) : []
  const covered = asked.every(({ code, scheme }) => {
    return named.some((type) => type.code === code && (scheme === undefined || scheme === type.scheme))
  })
  if (!covered) throw denied('document-types', message)
}

/** A message that removes documents names no types, and its claim need not (ini.md §5.3). */
function requireTypesTold(change: MetadataChange, { documentTypes }: Assertion): void {
  if (documentTypes === undefined || !('submission' in change)) return
  const covered = change.submission.entries.every(({ typeCode }) => includesType(documentTypes, typeCode))
  if (!covered) throw denied('document-types', 'The message tells of document types the assertion does not name')
}

function includesType(types: readonly DocumentType[], type: DocumentType | undefined): boolean {
  return type !== undefined && types.some(({ code, scheme }) => code === type.code && scheme === type.scheme)
}

function patientsOf(change: MetadataChange): readonly PatientId[] {
  if (change.type === 'hide') return [change.patientId]
  if (change.type === 'remove') return change.entries.map(({ patientId }) => patientId)
  const { submissionSet, entries, folders } = change.submission
  return [submissionSet, ...entries, ...folders].map(({ patientId }) => patientId)
}

/** Undefined when the matrix says nothing of the role for the purpose. */
function typesOf(
  { role, purposeOfUse }: Assertion,
  matrix: readonly DocumentTypeRow[],
): readonly DocumentType[] | undefined {
  const rows = matrix.filter(({ roles, purposes }) => {
    return roles.includes(role) && (purposes === undefined || purposes.includes(purposeOfUse))
  })
  return rows.length === 0 ? undefined : rows.flatMap(({ types }) => types)
}

/** The national gateway reads for the author, whom it need not name (ini.md §2.3). */
const spokesman = 'GTW'

/** Who is about to change documents finds what they made (ini.md §2.6; §4.7: UPDATE, by its maker). */
function isMakersOwn(
  service: Service,
  { role, purposeOfUse }: Assertion,
  references: AccessOptions['references'],
): boolean {
  if (role === spokesman) return false
  return service === 'reference-retrieval'
    ? references !== 'anybody'
    : service === 'search' && purposeOfUse === 'UPDATE'
}

function permitOf(assertion: Assertion, service: Service, { matrix = [], references }: AccessOptions): Permit {
  const { community, role, purposeOfUse, subject, organization, inCare, documentTypes, locality, application } =
    assertion
  const allowed = typesOf(assertion, matrix)
  const shown =
    allowed === undefined ? documentTypes : (documentTypes?.filter((type) => includesType(allowed, type)) ?? allowed)
  // Everything a community may decide by: two callers share an answer only when no community could tell them apart.
  const partition = JSON.stringify([
    community,
    organization,
    role,
    purposeOfUse,
    subject,
    inCare ?? null,
    locality ?? null,
    application ?? null,
    documentTypes?.map(({ code, scheme }) => `${code}^^${scheme}`).sort() ?? null,
    assertion.indexTransferId ?? null,
  ])
  return {
    partition,
    viewer: { role, purposeOfUse, subject },
    ...(shown === undefined ? {} : { documentTypes: shown }),
    ...(isMakersOwn(service, assertion, references) ? { authoredOnly: true } : {}),
  }
}
