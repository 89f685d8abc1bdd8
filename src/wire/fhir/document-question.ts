import { GatewayError } from '../../core/errors.ts'
import type { Code, CodeQuery } from '../../core/model/code.ts'
import type { AvailabilityStatus, DocumentEntry } from '../../core/model/metadata.ts'
import type { PatientId } from '../../core/model/patient.ts'
import type { AllOfAnyOf, AnyOf, DocumentFilter, FindDocuments } from '../../core/model/stored-query.ts'
import type { TimeRange } from '../../core/model/timestamp.ts'
import { parseXcn } from '../hl7/cx.ts'
import { schemeOf, uriSystem, withoutOidUrn } from './names.ts'
import { type AskedPatient, conditionsIn, named, patientAsked } from './question.ts'
import type { SearchParameter } from './search.ts'
import {
  type Condition,
  type DateQuery,
  dateIn,
  fitsDate,
  fitsText,
  fitsToken,
  type Span,
  spanOf,
  type Token,
  timestampAt,
  tokenIn,
  unescaped,
  yearOf,
} from './search-values.ts'
import { readReferenceId, referenceIdParts, writeReferenceId, writeUniqueId } from './values.ts'

/** An ITI-67 search. */
export interface DocumentQuestion {
  readonly patient: AskedPatient
  /** What the communities are asked: never less than what is searched for. */
  readonly query: (patient: PatientId) => FindDocuments
  /** Whether what they told of was searched for. */
  readonly matches: (entry: DocumentEntry) => boolean
  /** Whether a document has one of the ids that were asked for; undefined when none were. */
  readonly hasId?: (id: string) => boolean
  readonly conditions: readonly Condition[]
  /** There were parameters that mean nothing here. */
  readonly hasOthers: boolean
}

const text = ['exact', 'contains']

/** The parameters of ITI-67 (MHD 2:3.67.4.1.2.1) with the modifiers each may have. */
export const documentParameters: Readonly<Record<string, readonly string[]>> = {
  patient: ['identifier', 'Patient'],
  'patient.identifier': [],
  status: [],
  date: [],
  creation: [],
  'author.given': text,
  'author.family': text,
  category: [],
  type: [],
  setting: [],
  period: [],
  facility: [],
  event: [],
  'security-label': [],
  format: [],
  related: ['identifier'],
  'related.identifier': [],
  identifier: [],
  _id: [],
}

type Test = (entry: DocumentEntry) => boolean

/**
 * Reads an ITI-67 search. Registries are asked by the codes and times that XDS has words for; everything is looked at again
 * here with the eyes of FHIR: coarse times are periods, what has no value matches nothing, names compare by their beginning.
 * `date` and `creation` are both the time the document was made: an index has no other. On-demand documents are found like
 * others. Throws `parameter-*`; without a status `parameter-missing` (MHD demands one).
 */
export function documentQuestion(parameters: readonly SearchParameter[]): DocumentQuestion {
  const { known: conditions, hasOthers } = conditionsIn(parameters, documentParameters)
  const patient = patientAsked(conditions)
  const status = statusesIn(named(conditions, 'status'))
  const tests = conditions.flatMap((condition) => testsOf(condition))
  const filter = filterOf(conditions)
  const ids = named(conditions, '_id')
  return {
    ...{ patient, conditions, hasOthers },
    query: (patientId) => ({
      ...{ type: 'FindDocuments', patientId, filter, extra: [] },
      // Whoever asks for what no document is is answered with nothing, but by the same way.
      status: status.length === 0 ? ['approved'] : status,
    }),
    matches: (entry) =>
      entry.status !== undefined && status.includes(entry.status) && tests.every((test) => test(entry)),
    ...(ids.length === 0 ? {} : { hasId: (id) => ids.every(({ values }) => values.includes(id)) }),
  }
}

const statusBySystem = 'http://hl7.org/fhir/document-reference-status'
const statusByCode: ReadonlyMap<string | undefined, AvailabilityStatus> = new Map([
  ['current', 'approved'],
  ['superseded', 'deprecated'],
])

/** Every one of several conditions must hold; of statuses no document has, none is found. */
function statusesIn(conditions: readonly Condition[]): readonly AvailabilityStatus[] {
  if (conditions.length === 0) {
    throw new GatewayError('parameter-missing', 'The parameter status is needed: current, superseded, or both')
  }
  return [...statusByCode].flatMap(([code, status]) => {
    const fits = conditions.every(({ values }) => values.some((value) => fitsStatus(tokenIn(value), code)))
    return fits ? [status] : []
  })
}

function fitsStatus(token: Token, code: string | undefined): boolean {
  const { system = statusBySystem } = token
  return fitsToken({ ...token, system }, { system: statusBySystem, ...(code === undefined ? {} : { value: code }) })
}

/** The codes an entry has under each parameter. */
const coded: Readonly<Record<string, (entry: DocumentEntry) => readonly (Code | undefined)[]>> = {
  category: ({ classCode }) => [classCode],
  type: ({ typeCode }) => [typeCode],
  setting: ({ practiceSettingCode }) => [practiceSettingCode],
  facility: ({ healthcareFacilityTypeCode }) => [healthcareFacilityTypeCode],
  format: ({ formatCode }) => [formatCode],
  event: ({ eventCodes }) => eventCodes,
  'security-label': ({ confidentialityCodes }) => confidentialityCodes,
}

function testsOf(condition: Condition): readonly Test[] {
  const { name, modifier, values } = condition
  const codesOf = coded[name]
  if (codesOf !== undefined) {
    const tokens = values.map(codeToken)
    return [(entry) => codesOf(entry).some((code) => code !== undefined && tokens.some((one) => fitsCode(one, code)))]
  }
  switch (name) {
    case 'creation':
    case 'date':
      return [dated(condition, ({ creationTime }) => (creationTime === undefined ? undefined : spanOf(creationTime)))]
    case 'period':
      return [dated(condition, servicePeriod)]
    case 'author.given':
    case 'author.family': {
      const part = name === 'author.given' ? 'given' : 'family'
      const wanted = values.map(unescaped)
      return [(entry) => namesOf(entry, part).some((one) => wanted.some((text) => fitsText(one, text, modifier)))]
    }
    case 'identifier': {
      const tokens = values.map(tokenIn)
      return [(entry) => identifiersOf(entry).some((id) => tokens.some((token) => fitsToken(token, id)))]
    }
    case 'related':
    case 'related.identifier': {
      const tokens = values.map(tokenIn)
      return [({ referenceIds }) => referenceIds.some((id) => tokens.some((token) => fitsReference(token, id)))]
    }
    default:
      return []
  }
}

/** A token whose system is a coding scheme of XDS. */
function codeToken(value: string): Token {
  const token = tokenIn(value)
  return token.system === undefined ? token : { ...token, system: schemeOf(token.system) }
}

function fitsCode(token: Token, { code, scheme }: Code): boolean {
  return fitsToken(token, { system: scheme, value: code })
}

function dated({ name, values }: Condition, spanIn: (entry: DocumentEntry) => Span | undefined): Test {
  const dates = values.map((value) => dateIn(value, name))
  return (entry) => {
    const span = spanIn(entry)
    return span !== undefined && dates.some((date) => fitsDate(date, span))
  }
}

const always: Span = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }

/** Undefined where nothing is told of it, or a time that there is not. */
function servicePeriod({ serviceStartTime, serviceStopTime }: DocumentEntry): Span | undefined {
  if (serviceStartTime === undefined && serviceStopTime === undefined) return undefined
  const start = serviceStartTime === undefined ? always : spanOf(serviceStartTime)
  const stop = serviceStopTime === undefined ? always : spanOf(serviceStopTime)
  return start === undefined || stop === undefined ? undefined : { low: start.low, high: stop.high }
}

function namesOf({ authors }: DocumentEntry, part: 'given' | 'family'): readonly string[] {
  return authors.flatMap(({ persons }) => persons.flatMap((xcn) => parseXcn(xcn)[part] ?? []))
}

/** Those of a DocumentReference, and the unique id as XDS spells it. */
function identifiersOf({ entryUuid, uniqueId }: DocumentEntry): readonly Token[] {
  const urn = uniqueId.startsWith('urn:') ? uniqueId : `urn:oid:${uniqueId}`
  return [
    { system: uriSystem, value: entryUuid },
    writeUniqueId(uniqueId),
    { system: uriSystem, value: urn },
    { value: uniqueId },
  ]
}

/** By value and authority, whatever kind of id the index says it is; a text with carets is one as XDS spells it. */
function fitsReference(token: Token, referenceId: string): boolean {
  const { identifier = {} } = writeReferenceId(referenceId)
  if (fitsToken(token, identifier) || token.value === referenceId) return true
  const asked = readReferenceId({ identifier: { ...token } })
  const parts = referenceIdParts(referenceId)
  return asked !== undefined && parts !== undefined && parts.assigned === undefined && asked === parts.value
}

/** What registries are asked: alternatives of one condition whose schemes are known, and plain ranges of time. */
function filterOf(conditions: readonly Condition[]): DocumentFilter {
  const groups = (name: string): AllOfAnyOf<CodeQuery> => {
    return named(conditions, name).flatMap(({ values }) => {
      const codes = codeQueries(values)
      return codes === undefined ? [] : [codes]
    })
  }
  const one = <Name extends keyof DocumentFilter>(name: Name, codes: AnyOf<CodeQuery> | undefined) =>
    codes === undefined ? {} : { [name]: codes }
  const all = <Name extends keyof DocumentFilter>(name: Name, codes: AllOfAnyOf<CodeQuery>) =>
    codes.length === 0 ? {} : { [name]: codes }
  const creationTime = rangeOf(named(conditions, 'creation', 'date'))
  return {
    kinds: ['stable', 'on-demand'],
    ...one('classCodes', groups('category')[0]),
    ...one('typeCodes', groups('type')[0]),
    ...one('practiceSettingCodes', groups('setting')[0]),
    ...one('healthcareFacilityTypeCodes', groups('facility')[0]),
    ...one('formatCodes', groups('format')[0]),
    ...all('eventCodes', groups('event')),
    ...all('confidentialityCodes', groups('security-label')),
    ...(creationTime === undefined ? {} : { creationTime }),
  }
}

/** XDS asks for a code together with its scheme; undefined when one of them is not told so. */
function codeQueries(values: readonly string[]): AnyOf<CodeQuery> | undefined {
  const queries = values.map(codeToken).flatMap(({ system = '', value }) => {
    return system === '' || value === undefined ? [] : [{ code: value, scheme: withoutOidUrn(system) }]
  })
  return queries.length === values.length ? queries : undefined
}

/** The range in which everything lies that is asked for, as far as one condition tells it. */
function rangeOf(conditions: readonly Condition[]): TimeRange | undefined {
  let range: TimeRange = {}
  for (const { name, values } of conditions) {
    const [value] = values
    if (values.length === 1 && value !== undefined) range = { ...boundsOf(dateIn(value, name)), ...range }
  }
  return range.from === undefined && range.to === undefined ? undefined : range
}

/**
 * Registries compare times by their beginning, and the beginning of what is told as a year alone lies before much that it
 * overlaps: what ends later is asked for from the beginning of the year.
 */
function boundsOf({ prefix, span: { low, high } }: DateQuery): TimeRange {
  switch (prefix) {
    case 'ge':
    case 'gt':
      return bounds(yearOf(low))
    case 'sa':
      return bounds(yearOf(high))
    case 'lt':
    case 'eb':
      return bounds(undefined, low)
    case 'le':
      return bounds(undefined, high)
    case 'eq':
      return bounds(low, high)
    default:
      return {}
  }
}

/** Without the bounds that no time of an index can have. */
function bounds(low: number | undefined, high?: number): TimeRange {
  const from = low === undefined ? undefined : timestampAt(low)
  const to = high === undefined ? undefined : timestampAt(high)
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
}
