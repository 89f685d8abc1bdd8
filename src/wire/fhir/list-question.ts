import { GatewayError } from '../../core/errors.ts'
import type { Code } from '../../core/model/code.ts'
import type { AvailabilityStatus, Folder, SubmissionSet } from '../../core/model/metadata.ts'
import type { PatientId } from '../../core/model/patient.ts'
import type { FindFolders, FindSubmissionSets } from '../../core/model/stored-query.ts'
import { parseXcn } from '../hl7/cx.ts'
import { listTypeSystem, schemeOf, uriSystem } from './names.ts'
import { type AskedPatient, conditionsIn, named, patientAsked } from './question.ts'
import type { SearchParameter } from './search.ts'
import {
  type Condition,
  dateIn,
  fitsDate,
  fitsText,
  fitsToken,
  type Span,
  spanOf,
  type Token,
  tokenIn,
  unescaped,
} from './search-values.ts'
import { writeUniqueId } from './values.ts'

type ListQuery = FindSubmissionSets | FindFolders

/** An ITI-66 search. */
export interface ListQuestion {
  readonly patient: AskedPatient
  /** What the communities are asked, one after the other. */
  readonly queries: (patient: PatientId) => readonly [ListQuery, ...ListQuery[]]
  readonly matches: (list: SubmissionSet | Folder) => boolean
  readonly hasId?: (id: string) => boolean
  readonly conditions: readonly Condition[]
  readonly hasOthers: boolean
}

const text = ['exact', 'contains']

/** The parameters of ITI-66 (MHD 2:3.66.4.1.2.1) with the modifiers each may have. */
export const listParameters: Readonly<Record<string, readonly string[]>> = {
  patient: ['identifier', 'Patient'],
  'patient.identifier': [],
  code: [],
  status: [],
  date: [],
  'source.given': text,
  'source.family': text,
  designationType: [],
  sourceId: [],
  identifier: [],
  _id: [],
}

const statuses: ReadonlyMap<string, AvailabilityStatus> = new Map([
  ['current', 'approved'],
  ['retired', 'deprecated'],
])
const statusSystem = 'http://hl7.org/fhir/list-status'

/** Reads an ITI-66 search; without `code` both kinds of list are meant. Throws `parameter-*`. */
export function listQuestion(parameters: readonly SearchParameter[]): ListQuestion {
  const { known: conditions, hasOthers } = conditionsIn(parameters, listParameters)
  const patient = patientAsked(conditions)
  const all = [...statuses]
  const asked = all.flatMap(([code, status]) => (fits(named(conditions, 'status'), statusSystem, code) ? [status] : []))
  if (named(conditions, 'status').length === 0) {
    throw new GatewayError('parameter-missing', 'The parameter status is needed: current, retired, or both')
  }
  const kinds = ['submissionset', 'folder'].filter((kind) => fits(named(conditions, 'code'), listTypeSystem, kind))
  const tests = conditions.flatMap(testsOf)
  const ids = named(conditions, '_id')
  return {
    ...{ patient, conditions, hasOthers },
    queries(patientId) {
      // Whoever asks for what no list is is answered with nothing, but by the same way.
      const common = { patientId, status: asked.length === 0 ? (['approved'] as const) : asked, extra: [] }
      const sets: ListQuery = { type: 'FindSubmissionSets', ...common }
      const folders: ListQuery = { type: 'FindFolders', ...common }
      if (kinds.length === 2) return [sets, folders]
      return kinds.includes('folder') ? [folders] : [sets]
    },
    matches(list) {
      const kind = 'intendedRecipients' in list ? 'submissionset' : 'folder'
      // Registries are known to leave the status of these out.
      const fitsStatus = asked.includes(list.status ?? 'approved')
      return fitsStatus && kinds.includes(kind) && tests.every((test) => test(list))
    },
    ...(ids.length === 0 ? {} : { hasId: (id) => ids.every(({ values }) => values.includes(id)) }),
  }
}

function fits(conditions: readonly Condition[], system: string, value: string): boolean {
  return conditions.every(({ values }) => {
    return values.map(tokenIn).some((token) => fitsToken({ system, ...token }, { system, value }))
  })
}

function testsOf({ name, modifier, values }: Condition): readonly ((list: SubmissionSet | Folder) => boolean)[] {
  switch (name) {
    case 'date': {
      const dates = values.map((value) => dateIn(value, name))
      return [(list) => spansOf(list).some((span) => dates.some((date) => fitsDate(date, span)))]
    }
    case 'source.given':
    case 'source.family': {
      const part = name === 'source.given' ? 'given' : 'family'
      const wanted = values.map(unescaped)
      return [(list) => namesOf(list, part).some((one) => wanted.some((text) => fitsText(one, text, modifier)))]
    }
    case 'designationType': {
      const tokens = values.map(tokenIn).map((token) => {
        return token.system === undefined ? token : { ...token, system: schemeOf(token.system) }
      })
      return [(list) => codesOf(list).some(({ code, scheme }) => some(tokens, [{ system: scheme, value: code }]))]
    }
    case 'sourceId': {
      const tokens = values.map(tokenIn)
      return [(list) => 'sourceId' in list && list.sourceId !== undefined && some(tokens, spellings(list.sourceId))]
    }
    case 'identifier': {
      const tokens = values.map(tokenIn)
      return [({ entryUuid, uniqueId }) => some(tokens, [...spellings(entryUuid), ...spellings(uniqueId)])]
    }
    default:
      return []
  }
}

function some(tokens: readonly Token[], of: readonly Token[]): boolean {
  return of.some((one) => tokens.some((token) => fitsToken(token, one)))
}

/** A unique id as FHIR and as XDS spell it. */
function spellings(id: string): readonly Token[] {
  return [writeUniqueId(id), { system: uriSystem, value: id.startsWith('urn:') ? id : `urn:oid:${id}` }, { value: id }]
}

function spansOf(list: SubmissionSet | Folder): readonly Span[] {
  const time = 'intendedRecipients' in list ? list.submissionTime : list.lastUpdateTime
  const span = time === undefined ? undefined : spanOf(time)
  return span === undefined ? [] : [span]
}

function namesOf(list: SubmissionSet | Folder, part: 'given' | 'family'): readonly string[] {
  return 'authors' in list
    ? list.authors.flatMap(({ persons }) => persons.flatMap((xcn) => parseXcn(xcn)[part] ?? []))
    : []
}

function codesOf(list: SubmissionSet | Folder): readonly Code[] {
  if ('codes' in list) return list.codes
  return list.contentTypeCode === undefined ? [] : [list.contentTypeCode]
}
