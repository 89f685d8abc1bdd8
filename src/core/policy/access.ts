import { GatewayError } from '../errors.ts'
import type { Assertion, AuthorizedCall, Permit } from '../model/call.ts'
import { type PatientId, samePatientId } from '../model/patient.ts'
import { type DocumentFilter, namesPatient, type StoredQuery } from '../model/stored-query.ts'
import type { AccessPolicy } from '../ports.ts'

/** Roles that look at a person's record from the person's own side (ini.md §2.4, §4.6). */
export const citizenRoles: ReadonlySet<string> = new Set(['ASS', 'TUT', 'GEN', 'ING'])

/** Roles of systems, for index transfer, the hiding chain and gateway look-ups (ini.md §2.4). */
export const systemRoles: ReadonlySet<string> = new Set(['NOR', 'INI', 'GTW'])

/** Every other role of the affinity domain (ini.md §4.6). */
export const professionalRoles: ReadonlySet<string> = new Set(
  'AAS APR PSS INF FAR DSA DAM OAM DRS RSA MRP OGC OPI MDS DAP'.split(' '),
)

/** Which purposes of use let whom search for documents (ini.md §2.4, §4.7). Anything else is refused. */
const purposes: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['TREATMENT', professionalRoles],
  ['EMERGENCY', professionalRoles],
  ['PUBEMERGENCY', professionalRoles],
  ['PERSONAL', citizenRoles],
  ['UPDATE', new Set([...professionalRoles, 'GTW'])],
  ['SYSADMIN', new Set(['NOR', 'INI'])],
])

/**
 * Who may search: the claim must be for reading, its role must fit its purpose, its patient must be the one asked about,
 * and the document types asked for must be among those it names. Throws `access-denied`.
 */
export const accessPolicy: AccessPolicy = {
  authorize(query, call) {
    const { assertion } = call
    requireRole(assertion)
    requirePatient(namesPatient(query) ? query.patientId : undefined, assertion)
    requireTypes(query, assertion)
    return { ...call, permit: permitOf(assertion) } satisfies AuthorizedCall
  },
  authorizeRetrieval(call) {
    const { assertion } = call
    requireRole(assertion)
    requirePatient(undefined, assertion)
    return { ...call, permit: permitOf(assertion) } satisfies AuthorizedCall
  },
}

function requireRole({ action, purposeOfUse, role }: Assertion): void {
  if (action !== undefined && action !== 'READ') throw denied('action', 'The assertion is not for reading')
  if (purposes.get(purposeOfUse)?.has(role) !== true) {
    throw denied('role', 'The role has no right to search for this purpose of use')
  }
}

/** What of a claim does not agree with what is asked. */
export type Disagreeing = 'action' | 'role' | 'patient' | 'document-types'

/** The refusal; `about` says to faces with codes of their own what to tell. */
function denied(about: Disagreeing, message: string): GatewayError {
  return new GatewayError('access-denied', message, { details: { about } })
}

/** `asked` is the patient a message names, where it names one. */
function requirePatient(asked: PatientId | undefined, assertion: Assertion): void {
  const { patientId, patientKnownAs } = assertion
  if (patientId === undefined) throw denied('patient', 'The assertion names no patient')
  // Whose identifiers they are is the registry's word; without it the two must be the same.
  const identifiers = [patientId, ...(patientKnownAs?.identifiers ?? [])]
  if (asked !== undefined && !identifiers.some((one) => samePatientId(asked, one))) {
    throw denied('patient', 'The assertion is about another patient than the query')
  }
  // Citizens look at their own record; those who represent somebody are claimed to by their role.
  const { subjectId } = assertion
  if (assertion.role === 'ASS' && (subjectId === undefined || !samePatientId(subjectId, patientId))) {
    throw denied('patient', 'The assertion is about another patient than its subject')
  }
}

function requireTypes(query: StoredQuery, { documentTypes }: Assertion): void {
  if (documentTypes === undefined) return
  const asked = 'filter' in query ? ((query.filter as DocumentFilter).typeCodes ?? []) : []
  const covered = asked.every(({ code, scheme }) => {
    return documentTypes.some((type) => type.code === code && (scheme === undefined || scheme === type.scheme))
  })
  if (!covered) throw denied('document-types', 'The query asks for document types the assertion does not name')
}

function permitOf(assertion: Assertion): Permit {
  const { community, role, purposeOfUse, subject, organization, inCare, documentTypes, locality, application } =
    assertion
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
  ])
  return {
    partition,
    viewer: { role, purposeOfUse, subject },
    ...(documentTypes === undefined ? {} : { documentTypes }),
  }
}
