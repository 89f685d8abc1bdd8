import { entryUuidsOf, instant, oidUrn, resourceIdOf, uniqueIdentifier, uriSystem } from './document-reference.ts'
import type { Code, Entry, Identifier } from './entry.ts'

/** Why a search cannot be answered, in FHIR's words. */
export class FhirProblem extends Error {
  override readonly name = 'FhirProblem'
  readonly status: number
  /** An IssueType. */
  readonly code: string
  constructor(status: number, code: string, text: string) {
    super(text)
    this.status = status
    this.code = code
  }
}

/** One alternative of a token parameter. */
export interface Token {
  /** Absent: any system. */
  readonly system?: string
  readonly value: string
}

/** The parameters of a search: every occurrence is one more condition, its alternatives any of which will do. */
export type Parameters = readonly { readonly name: string; readonly values: readonly string[] }[]

const control = new Set(['_count', '_format', '_page'])

/** Reads a form or a query string. Escaped commas belong to their value (FHIR R4 §3.1.1.3.1). */
export function readParameters(form: URLSearchParams): Parameters {
  return [...form].map(([name, text]) => ({ name, values: text.match(/(?:\\.|[^\\,])+/g) ?? [''] }))
}

export function token(text: string): Token {
  const parts = text.split(/(?<!\\)\|/).map((part) => part.replaceAll(/\\(.)/g, '$1'))
  const [first = '', second] = parts
  if (parts.length > 2) throw new FhirProblem(400, 'value', 'A token has at most one bar')
  return second === undefined ? { value: first } : { system: first, value: second }
}

/** The values of one parameter that may stand once; `undefined` when it does not. */
export function once(parameters: Parameters, name: string): readonly string[] | undefined {
  const [first, second] = parameters.filter((parameter) => parameter.name === name)
  if (second !== undefined) throw new FhirProblem(400, 'value', `${name} stands twice`)
  return first?.values
}

/** A patient token must name its authority by an OID. */
export function patientToken(text: string): Identifier {
  const { system, value } = token(text)
  if (system === undefined || !system.startsWith('urn:oid:') || value === '') {
    throw new FhirProblem(400, 'value', 'A patient is named by urn:oid:<authority>|<value>')
  }
  return { authority: system.slice('urn:oid:'.length), value }
}

type Condition = (entry: Entry, values: readonly string[]) => boolean

const coded =
  (codes: (entry: Entry) => readonly Code[]): Condition =>
  (entry, values) =>
    values
      .map(token)
      .some((wanted) => codes(entry).some(({ code, scheme }) => isSame(wanted, schemeNames(scheme), code)))

const named: Condition = (entry, values) =>
  values.map(token).some((wanted) => {
    const unique = uniqueIdentifier(entry.uniqueId)
    return (
      entryUuidsOf(entry).some((id) => isSame(wanted, [uriSystem], id)) ||
      isSame(wanted, [unique.system], unique.value) ||
      isSame(wanted, [uriSystem], oidUrn(entry.uniqueId))
    )
  })

const related: Condition = (entry, values) =>
  values.map(token).some((wanted) =>
    entry.references.some((reference) => {
      const [value = '', , , authority = ''] = reference.split('^')
      return isSame(wanted, [oidUrn(authority.replaceAll(/^&|&ISO$/g, ''))], value)
    }),
  )

const authored =
  (part: 'family' | 'given'): Condition =>
  ({ author: { name } }, values) =>
    values.some((wanted) => name?.[part].toLowerCase().startsWith(wanted.toLowerCase()) ?? false)

/** Parameters of ITI-67 (MHD 4.2.4: 2:3.67.4.1.2.1), each looking at the document as FHIR does. */
const conditions: Readonly<Record<string, Condition>> = {
  status: ({ status }, values) => values.includes(status === 'Approved' ? 'current' : 'superseded'),
  type: coded((entry) => [entry.typeCode]),
  category: coded((entry) => [entry.classCode]),
  setting: coded((entry) => [entry.practiceSetting]),
  facility: coded((entry) => [entry.facilityType]),
  format: coded((entry) => [entry.formatCode]),
  'security-label': coded((entry) => [entry.confidentiality]),
  event: coded((entry) => entry.events),
  identifier: named,
  related,
  'related:identifier': related,
  'related.identifier': related,
  'author.family': authored('family'),
  'author.given': authored('given'),
  creation: (entry, values) => values.some((text) => overlaps(text, entry.creationTime, entry.creationTime)),
  period: (entry, values) => values.some((text) => overlaps(text, entry.serviceStartTime, entry.serviceStopTime)),
  _id: (entry, values) => values.includes(resourceIdOf(entry)),
}

/** Throws FhirProblem for a parameter nobody here knows: a strict server does not guess. */
export function checkNames(parameters: Parameters, others: readonly string[]): void {
  for (const { name } of parameters) {
    if (!control.has(name) && !others.includes(name) && !Object.hasOwn(conditions, name)) {
      throw new FhirProblem(400, 'not-supported', `The parameter ${name} is not supported`)
    }
  }
}

export function matches(entry: Entry, parameters: Parameters): boolean {
  return parameters.every(({ name, values }) => conditions[name]?.(entry, values) ?? true)
}

function isSame(wanted: Token, systems: readonly string[], value: string): boolean {
  return wanted.value === value && (wanted.system === undefined || systems.includes(wanted.system))
}

/** Addresses under which FHIR knows coding schemes, by OID. */
export const addresses: Readonly<Record<string, string>> = {
  '2.16.840.1.113883.6.1': 'http://loinc.org',
  '2.16.840.1.113883.5.25': 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality',
}

function schemeNames(scheme: string): readonly string[] {
  return [oidUrn(scheme), ...(addresses[scheme] === undefined ? [] : [addresses[scheme]])]
}

const comparison =
  /^(eq|ge|le|gt|lt)?(\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?)?)?)$/

/** Whether a period meets `ge2024-03-05` and the like, the boundary itself being a period (FHIR R4 §3.1.1.4.7). */
function overlaps(text: string, start: string, end: string): boolean {
  const [, prefix = 'eq', boundary = ''] = comparison.exec(text) ?? []
  if (boundary === '') throw new FhirProblem(400, 'value', 'A date is malformed')
  const [from, to] = periodOf(boundary)
  const [begins, ends] = [Date.parse(instant(start)), Date.parse(instant(end))]
  switch (prefix) {
    case 'ge':
      return ends >= from
    case 'gt':
      return ends >= to
    case 'le':
      return begins < to
    case 'lt':
      return begins < from
    default:
      return begins >= from && ends < to
  }
}

/** First millisecond, and the one after the last. */
function periodOf(boundary: string): readonly [number, number] {
  const from = Date.parse(boundary.length === 4 ? `${boundary}-01-01` : boundary)
  const date = new Date(from)
  if (boundary.length === 4) date.setUTCFullYear(date.getUTCFullYear() + 1)
  else if (boundary.length === 7) date.setUTCMonth(date.getUTCMonth() + 1)
  else if (boundary.length === 10) date.setUTCDate(date.getUTCDate() + 1)
  else date.setTime(from + 1000)
  return [from, date.getTime()]
}
