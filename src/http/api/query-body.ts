import { GatewayError } from '../../core/errors.ts'
import type { CodeQuery } from '../../core/model/code.ts'
import { homeCommunityId, oid } from '../../core/model/identifiers.ts'
import { patientId } from '../../core/model/patient.ts'
import type { DocumentFilter, FindDocuments, FindDocumentsByReferenceId } from '../../core/model/stored-query.ts'
import { type TimeRange, type Timestamp, timestamp } from '../../core/model/timestamp.ts'

/** A federated question as the body of a request has it. */
export interface AskedQuery {
  readonly query: FindDocuments | FindDocumentsByReferenceId
  readonly explain: boolean
  /** As told; whether it is one of the reasons is not looked at here. */
  readonly emergencyReason?: unknown
}

type Body = Readonly<Record<string, unknown>>

const members = [
  ...['patient', 'types', 'classes', 'formats', 'practiceSettings', 'facilityTypes', 'kinds', 'status'],
  ...['period', 'authors', 'referenceIds', 'community', 'explain', 'emergencyReason'],
]
const most = 64
const longest = 256

/** Reads a question. Throws `parameter-*` with the name of the member, and never its value. */
export function queryIn(body: Body): AskedQuery {
  requireNothingBut(body, members)
  const patient = objectIn(body, 'patient', ['value', 'authority'])
  if (patient === undefined) throw new GatewayError('parameter-missing', 'The member patient is missing')
  const referenceIds = textsIn(body, 'referenceIds')
  const { community, explain = false, emergencyReason } = body
  if (typeof explain !== 'boolean') throw odd('explain')
  const asked = {
    patientId: patientId(textIn(patient, 'value'), oid(textIn(patient, 'authority'))),
    status: wordsIn(body, 'status', ['approved', 'deprecated'] as const) ?? ['approved'],
    filter: filterIn(body),
    ...(community === undefined ? {} : { home: homeCommunityId(textIn(body, 'community')) }),
    extra: [],
  }
  const query: AskedQuery['query'] =
    referenceIds === undefined
      ? { type: 'FindDocuments', ...asked }
      : { type: 'FindDocumentsByReferenceId', ...asked, referenceIds: [referenceIds] }
  return { query, explain, ...(emergencyReason === undefined ? {} : { emergencyReason }) }
}

function filterIn(body: Body): DocumentFilter {
  const filter = {
    typeCodes: codesIn(body, 'types'),
    classCodes: codesIn(body, 'classes'),
    formatCodes: codesIn(body, 'formats'),
    practiceSettingCodes: codesIn(body, 'practiceSettings'),
    healthcareFacilityTypeCodes: codesIn(body, 'facilityTypes'),
    authorPersons: textsIn(body, 'authors'),
    kinds: wordsIn(body, 'kinds', ['stable', 'on-demand'] as const) ?? (['stable', 'on-demand'] as const),
    ...periodIn(body),
  }
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as DocumentFilter
}

/** When documents were made, or what they tell of was done. */
function periodIn(body: Body): Pick<DocumentFilter, 'creationTime' | 'serviceStartTime'> {
  const period = objectIn(body, 'period', ['from', 'to', 'of'])
  if (period === undefined) return {}
  const { from, of = 'creation', to } = period
  if (of !== 'creation' && of !== 'service') throw odd('period.of')
  const range: TimeRange = {
    ...(from === undefined ? {} : { from: instantIn(from, 'period.from') }),
    ...(to === undefined ? {} : { to: instantIn(to, 'period.to') }),
  }
  return of === 'creation' ? { creationTime: range } : { serviceStartTime: range }
}

const date = /^\d{4}-\d{2}-\d{2}$/
const dateTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/

/** A day or an instant (RFC 3339), as metadata have it. */
function instantIn(value: unknown, name: string): Timestamp {
  if (typeof value !== 'string' || !(date.test(value) || dateTime.test(value))) throw odd(name)
  const at = Date.parse(value)
  // A day that no month has is taken for one of the next.
  const day = value.slice(0, 10)
  if (Number.isNaN(at) || !new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)) throw odd(name)
  const utc = new Date(at).toISOString()
  // Before the year 0000 and after 9999 in UTC, where metadata have no words.
  if (!/^\d{4}-/.test(utc)) throw odd(name)
  const digits = utc.replace(/\D/g, '')
  return timestamp(digits.slice(0, date.test(value) ? 8 : 14))
}

function codesIn(body: Body, name: string): readonly CodeQuery[] | undefined {
  return listIn(body, name)?.map((one) => {
    if (!isObject(one)) throw odd(name)
    requireNothingBut(one, ['code', 'scheme'])
    const code = textIn(one, 'code')
    return one.scheme === undefined ? { code } : { code, scheme: textIn(one, 'scheme') }
  })
}

function textsIn(body: Body, name: string): readonly string[] | undefined {
  return listIn(body, name)?.map((one) => textOf(one, name))
}

function wordsIn<Word extends string>(body: Body, name: string, words: readonly Word[]): readonly Word[] | undefined {
  return listIn(body, name)?.map((one) => {
    const word = words.find((known) => known === one)
    if (word === undefined) throw new GatewayError('parameter-invalid', `The member ${name} lists ${words.join(', ')}`)
    return word
  })
}

function listIn(body: Body, name: string): readonly unknown[] | undefined {
  const list = member(body, name)
  if (list === undefined) return undefined
  if (!Array.isArray(list) || list.length === 0) throw odd(name)
  if (list.length > most) throw new GatewayError('parameter-count', `The member ${name} lists at most ${most}`)
  return list
}

function objectIn(body: Body, name: string, names: readonly string[]): Body | undefined {
  const value = member(body, name)
  if (value === undefined) return undefined
  if (!isObject(value)) throw odd(name)
  requireNothingBut(value, names)
  return value
}

function textIn(body: Body, name: string): string {
  const value = member(body, name)
  if (value === undefined) throw new GatewayError('parameter-missing', `The member ${name} is missing`)
  return textOf(value, name)
}

function textOf(value: unknown, name: string): string {
  if (typeof value === 'string' && value !== '' && value.length <= longest && !/\p{Cc}/u.test(value)) return value
  throw odd(name)
}

function member(body: Body, name: string): unknown {
  return Object.hasOwn(body, name) ? body[name] : undefined
}

function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function requireNothingBut(object: Body, names: readonly string[]): void {
  if (Object.keys(object).every((name) => names.includes(name))) return
  throw new GatewayError('parameter-invalid', `Only ${names.join(', ')} may stand there`)
}

function odd(name: string): GatewayError {
  return new GatewayError('parameter-invalid', `The member ${name} is not as the contract has it`)
}
