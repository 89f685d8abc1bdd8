import { GatewayError } from '../../core/errors.ts'
import type { CodeQuery } from '../../core/model/code.ts'
import { matchesFilter, matchesReferenceIds } from '../../core/model/document-filter.ts'
import { isOid } from '../../core/model/identifiers.ts'
import type { AvailabilityStatus, DocumentEntry } from '../../core/model/metadata.ts'
import type { PatientId } from '../../core/model/patient.ts'
import type {
  AllOfAnyOf,
  AnyOf,
  DocumentFilter,
  FindDocuments,
  FindDocumentsByReferenceId,
  GetDocuments,
} from '../../core/model/stored-query.ts'
import { startOf, type TimeRange, type Timestamp, timestamp } from '../../core/model/timestamp.ts'
import { systemsOf, uriSystem } from './names.ts'
import { isEncounterId, referenceIdParts, writeTime, writeUniqueId } from './values.ts'

/** A parameter of a search, to be sent in the body of `POST [base]/<resource>/_search`. */
export type SearchParameter = readonly [name: string, value: string]

/** A search that finds at least what was asked for, and what tells which of it was. */
export interface DocumentSearch {
  readonly form: readonly SearchParameter[]
  /** Everything the server cannot be trusted to have looked at (see `encodeDocumentSearch`). */
  readonly matches: (entry: DocumentEntry) => boolean
}

/**
 * The ITI-67 search for a stored query. FHIR looks at documents with other eyes than XDS: it excludes a document without
 * a service period where XDS does not, knows no LIKE, no kinds, and compares coarse times as periods. So the search is
 * wide and `matches` narrows it. Of GetDocuments the patient is not known here: `subject` names them where the caller
 * knows, because MHD asks for it. Throws `parameter-missing` when no status is left that FHIR knows, `query-unsupported`
 * for logical ids.
 */
export function encodeDocumentSearch(
  query: FindDocuments | FindDocumentsByReferenceId | GetDocuments,
  subject?: PatientId,
): DocumentSearch {
  if (query.type === 'GetDocuments') return searchByKey(query, subject)
  const groups = query.type === 'FindDocumentsByReferenceId' ? query.referenceIds : []
  return {
    form: [
      ['patient.identifier', patientToken(query.patientId)],
      ['status', statusTokens(query.status)],
      ...filterParameters(query.filter),
      ...groups.flatMap(relatedParameter),
    ],
    matches: (entry) =>
      entry.status !== undefined &&
      query.status.includes(entry.status) &&
      matchesFilter(entry, query.filter) &&
      matchesReferenceIds(entry, groups),
  }
}

/** The ITI-78 search for everybody known under an identifier. */
export function encodePatientSearch(id: PatientId): readonly SearchParameter[] {
  return [['identifier', patientToken(id)]]
}

/** The body of a search. */
export function encodeForm(form: readonly SearchParameter[]): string {
  return new URLSearchParams(form.map(([name, value]) => [name, value])).toString()
}

/**
 * The search for a document by its uniqueId as this gateway writes it, as a query string: the condition of a conditional
 * create (FHIR R4: 3.1.0.9).
 */
export function uniqueIdCondition(uniqueId: string): string {
  const { system, value = '' } = writeUniqueId(uniqueId)
  return encodeForm([['identifier', system === undefined ? escaped(value) : token(system, value)]])
}

function searchByKey({ documents }: GetDocuments, subject: PatientId | undefined): DocumentSearch {
  const { by, ids } = documents
  if (by === 'logical-id') throw new GatewayError('query-unsupported', 'FHIR document sharing knows no logical ids')
  const tokens = by === 'entry-uuid' ? ids.map((id) => token(uriSystem, id)) : ids.flatMap(uniqueIdTokens)
  return {
    form: [
      ...(subject === undefined ? [] : [['patient.identifier', patientToken(subject)] as const]),
      ['status', 'current,superseded'],
      ['identifier', tokens.join(',')],
    ],
    matches: ({ entryUuid, uniqueId }) => ids.includes(by === 'entry-uuid' ? entryUuid : uniqueId),
  }
}

/** `root^extension` is a system and a value in FHIR; gateways to XDS also write the whole as one URI [MobileAccessGateway]. */
function uniqueIdTokens(id: string): readonly string[] {
  const caret = id.indexOf('^')
  const root = id.slice(0, Math.max(0, caret))
  const whole = token(uriSystem, id.startsWith('urn:') ? id : `urn:oid:${id}`)
  return isOid(root) ? [token(`urn:oid:${root}`, id.slice(caret + 1)), whole] : [whole]
}

function filterParameters(filter: DocumentFilter): readonly SearchParameter[] {
  // A search by time would exclude on-demand documents, which have none.
  const timed = filter.kinds?.includes('on-demand') !== true
  return [
    ...codes('category', filter.classCodes),
    ...codes('type', filter.typeCodes),
    ...codes('setting', filter.practiceSettingCodes),
    ...codes('facility', filter.healthcareFacilityTypeCodes),
    ...codes('format', filter.formatCodes),
    ...codeGroups('event', filter.eventCodes),
    ...codeGroups('security-label', filter.confidentialityCodes),
    ...(timed && filter.creationTime !== undefined ? creation(filter.creationTime) : []),
  ]
}

function codes(name: string, wanted: AnyOf<CodeQuery> | undefined): readonly SearchParameter[] {
  return wanted === undefined ? [] : [[name, wanted.flatMap(codeTokens).join(',')]]
}

/** Values of one parameter are alternatives; the parameter said again is one more condition. */
function codeGroups(name: string, groups: AllOfAnyOf<CodeQuery> | undefined): readonly SearchParameter[] {
  return (groups ?? []).flatMap((group) => codes(name, group))
}

function codeTokens({ code, scheme }: CodeQuery): readonly string[] {
  if (scheme === undefined) return [escaped(code)]
  return systemsOf(scheme).map((system) => token(system, code))
}

/** FHIR finds coarse times that overlap the range: more than XDS does, never less. */
function creation({ from, to }: TimeRange): readonly SearchParameter[] {
  const moment = (time: Timestamp) => writeTime(timestamp(startOf(time)))
  return [
    ...(from === undefined ? [] : [['creation', `ge${moment(from)}`] as const]),
    ...(to === undefined ? [] : [['creation', `lt${moment(to)}`] as const]),
  ]
}

/** Identifiers of encounters, and spellings FHIR has no place for, are not under `related`: a group with one is left out. */
function relatedParameter(group: AnyOf<string>): readonly SearchParameter[] {
  const tokens = group.map((id) => (isEncounterId(id) ? undefined : relatedToken(id)))
  return tokens.every((one) => one !== undefined) ? [['related:identifier', tokens.join(',')]] : []
}

/** Without an authority the system may be spelled in several ways; the value alone finds all of them. */
function relatedToken(cxi: string): string | undefined {
  const parts = referenceIdParts(cxi)
  if (parts === undefined || (parts.assigned === undefined && isOid(parts.value))) return undefined
  const { value, assigned } = parts
  return assigned === undefined ? escaped(value) : token(`urn:oid:${assigned.authority}`, value)
}

const statuses: ReadonlyMap<AvailabilityStatus, string> = new Map([
  ['approved', 'current'],
  ['deprecated', 'superseded'],
])

function statusTokens(wanted: AnyOf<AvailabilityStatus>): string {
  const known = wanted.flatMap((status) => statuses.get(status) ?? [])
  if (known.length === 0) throw new GatewayError('parameter-missing', 'No availability status is asked for that exists')
  return known.join(',')
}

function patientToken(id: PatientId): string {
  return token(`urn:oid:${id.authority}`, id.value)
}

function token(system: string, value: string): string {
  return `${escaped(system)}|${escaped(value)}`
}

/** FHIR R4: 3.1.1.3, escaping search parameters. */
function escaped(text: string): string {
  return text.replace(/[\\,|$]/g, '\\$&')
}
