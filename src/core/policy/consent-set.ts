import { type ErrorCode, GatewayError, type Issue } from '../errors.ts'
import type { Consent } from '../model/change.ts'
import type { ConsentSet, ConsentState } from '../model/consents.ts'
import { type PatientId, samePatientId } from '../model/patient.ts'

/** What a set of consents is judged against. */
export interface ConsentSetContext {
  /** What is in force. */
  readonly before: ConsentState
  /** The consents that must be named; by default those in force, whatever their value. */
  readonly managed?: readonly string[] | undefined
}

/** One rule, and the code that INI answers with when it is broken; without one, no public source tells the code. */
export interface ConsentSetRule {
  readonly code?: string
  readonly failure: ErrorCode
  /** What is wrong, each in a sentence that names nobody. */
  readonly faults: (set: ConsentSet, context: ConsentSetContext) => readonly string[]
  readonly source: string
}

/** Roles of those who act for somebody else (ini.md §4.6). */
const representatives: ReadonlySet<string> = new Set(['TUT', 'GEN', 'ING'])

/** Consents whose change bears the day it was made on. */
const dated: ReadonlySet<string> = new Set(['C5', 'C6', 'C7', 'C8'])

/** What is known of a set that INI takes, told before it is asked. */
export const consentSetRules: readonly ConsentSetRule[] = [
  {
    code: 'AU1',
    failure: 'parameter-count',
    faults: ({ consents }, { before, managed = before.consents.map(({ name }) => name) }) => {
      const [told, wanted] = [consents.map(({ name }) => name).sort(), [...new Set(managed)].sort()]
      // Of somebody of whom INI tells nothing it is not known which.
      if (wanted.length === 0 || JSON.stringify(told) === JSON.stringify(wanted)) return []
      return [`The consents must be ${wanted.join(', ')}, each of them once`]
    },
    source: 'ini.md §6.1: the list has as many consents as are managed (#3051)',
  },
  {
    code: 'CON5',
    failure: 'parameter-invalid',
    faults: ({ operator, operatorRole, requestor, patientId }) => {
      const asksFor = (other: PatientId) => samePatientId(requestor, other)
      if (operatorRole === 'ASS' && !(asksFor(operator) && asksFor(patientId))) {
        return ['Those who set their own consents are operator, requestor and patient']
      }
      if (!representatives.has(operatorRole)) return []
      if (!asksFor(operator)) return ['Those who act for somebody are operator and requestor']
      return asksFor(patientId) ? ['Those who act for somebody are not the patient'] : []
    },
    source: 'ini.md §6.1: operator and requestor agree (#2117); by role as in #2120, #2791, #3087',
  },
  {
    code: 'CON13',
    failure: 'parameter-invalid',
    faults: ({ consents }, { before }) =>
      consents
        .filter((consent) => dated.has(consent.name) && !isDay(consent.date ?? '') && isNew(consent, before))
        .map(({ name }) => `Modified consent ${name} requires a valid date`),
    source: 'ini.md §6.1 (#3088): also the first time, though the value is the one it had without being given',
  },
  {
    failure: 'parameter-invalid',
    faults: ({ consents }) =>
      consents
        .filter(({ name, date }) => date !== undefined && !dated.has(name) && !isDay(date))
        .map(({ name }) => `The date of consent ${name} must be a day, YYYY-MM-DD`),
    source: 'schema of CommunicationConsent: xsd:date (ini.md §7.2)',
  },
  {
    failure: 'parameter-count',
    faults: ({ consents }) => (consents.length < 2 ? ['There must be two consents at least'] : []),
    source: 'schema of CommunicationConsent: ConsentList (ini.md §7.2)',
  },
  {
    failure: 'parameter-missing',
    faults: ({ disclosure }) => (disclosure.trim() === '' ? ['The information notice must be named'] : []),
    source: 'schema of CommunicationConsent: IDDisclosure (ini.md §7.2)',
  },
]

/** Throws the failure of the first rule that is broken, with an issue for every fault, under INI's code where it has one. */
export function requireConsentSet(
  set: ConsentSet,
  context: ConsentSetContext,
  rules: readonly ConsentSetRule[] = consentSetRules,
): void {
  const broken = rules.flatMap(({ code, failure, faults }) =>
    faults(set, context).map((text) => ({ failure, issue: issueOf(code ?? failure, text) })),
  )
  const [first] = broken
  if (first === undefined) return
  throw new GatewayError(first.failure, first.issue.text, { issues: broken.map(({ issue }) => issue) })
}

function issueOf(code: string, text: string): Issue {
  return { severity: 'error', code, text }
}

/** Whether what a set says is in force: its values, the days it names, and the notice where one is told. */
export function isInForce({ consents, disclosure }: ConsentSet, state: ConsentState): boolean {
  if (state.disclosure !== undefined && state.disclosure !== disclosure) return false
  return consents.every(({ name, given, date }) => {
    const told = state.consents.filter((consent) => consent.name === name)
    const agrees = (one: Consent) => one.given === given && (date === undefined || dayOf(one.date) === dayOf(date))
    return told.length > 0 && told.every(agrees)
  })
}

/** Whether it is given or withdrawn, or told for the first time. */
function isNew({ name, given }: Consent, { consents }: ConsentState): boolean {
  const told = consents.find((consent) => consent.name === name)
  return told === undefined || told.date === undefined || told.given !== given
}

/** A day of the calendar, with a time zone or without (XML Schema Part 2 §3.2.9). */
function isDay(text: string): boolean {
  const [, year = '', month = '', day = ''] = /^(\d{4})-(\d{2})-(\d{2})(?:Z|[+-]\d{2}:\d{2})?$/.exec(text) ?? []
  if (year === '') return false
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day)
}

function dayOf(date: string | undefined): string | undefined {
  return date?.slice(0, 10)
}
