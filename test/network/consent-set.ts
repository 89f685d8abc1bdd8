import type { Claimed } from './check-assertion.ts'
import type { Consent, Consents } from './consent-face.ts'
import { type ConsentMessage, fieldsOf, isSame, Judgement, Refusal, requireVouched } from './consent-soap.ts'
import { children, type Element, escapeXml, isNamed } from './xml.ts'

const namespace = 'http://www.fascicolosanitario.gov.it/schema/typeSchemaCommunicationConsent'

/** All consents of somebody, as they were to be set. Persons are spelled as they were. */
export interface ConsentSet {
  readonly operator: string
  readonly role: string
  readonly requestor: string
  readonly patient: string
  readonly consents: readonly SetConsent[]
  readonly disclosure: string
  readonly claimed?: Claimed
}

export interface SetConsent {
  readonly name: string
  readonly value: boolean
  readonly date?: string
  readonly note: string
}

const fields = ['OperatorID', 'OperatorRole', 'Requestor', 'PatientId', 'ConsentList', 'IDDisclosure']

/** Reads a set by its schema (ini.md §7.2). Throws Refusal. */
export function readConsentSet(payload: Element): ConsentSet {
  if (!isNamed(payload, namespace, 'RegisterConsentSetRequest')) {
    throw new Refusal('The body is no RegisterConsentSetRequest')
  }
  const elements = fieldsOf(payload, namespace, fields)
  const [operator = '', role = '', requestor = '', patient = '', , disclosure = ''] = elements.map(
    (element) => element.textContent?.trim() ?? '',
  )
  const [, , , , list] = elements
  const consents = list === undefined ? [] : children(list).map(readConsent)
  if (consents.length < 2) throw new Refusal('A list of consents has two at least')
  if (disclosure === '') throw new Refusal('IDDisclosure names no information notice')
  return { operator, role, requestor, patient, consents, disclosure }
}

function readConsent(element: Element): SetConsent {
  if (!isNamed(element, namespace, 'Consent')) throw new Refusal('A list of consents holds nothing else')
  const [value = '', note = ''] = fieldsOf(element, namespace, ['value', 'note']).map((one) => one.textContent ?? '')
  if (!/^(true|false|1|0)$/.test(value.trim())) throw new Refusal('A consent is given or not')
  const name = element.getAttribute('name') ?? ''
  const date = element.getAttribute('date')
  if (name === '') throw new Refusal('A consent has a name')
  if (date !== null && date !== '' && !isDay(date)) throw new Refusal('The date of a consent is a day')
  return { name, value: /true|1/.test(value), note, ...(date !== null && date !== '' && { date }) }
}

function isDay(text: string): boolean {
  const [day = ''] = /^\d{4}-\d{2}-\d{2}(?=(?:Z|[+-]\d{2}:\d{2})?$)/.exec(text) ?? []
  return day !== '' && !Number.isNaN(Date.parse(day)) && new Date(day).toISOString().startsWith(day)
}

const onBehalf = ['GEN', 'TUT', 'ING']

/** Operator, requestor, patient and who is vouched for must agree, else it is CON5 (#2117, #2120, #2791, #3087). */
export function requireCoherent(set: ConsentSet, message: ConsentMessage): { readonly claimed: Claimed } {
  const { claimed } = requireVouched(message, ({ role, purpose, action }) => {
    const mayConsent = ['OGC', 'ASS', ...onBehalf].includes(role) && purpose === 'CONSENT'
    return action === 'UPDATE' && (mayConsent || (role === 'APR' && ['CONSENT', 'TREATMENT'].includes(purpose)))
  })
  const represents = onBehalf.includes(set.role)
  const ofParent = set.role === 'GEN' || set.role === 'TUT'
  const agree =
    isSame(set.operator, claimed.subject ?? '') &&
    set.role === claimed.role &&
    isSame(claimed.patient, ofParent ? set.requestor : set.patient) &&
    (set.role !== 'ASS' || (isSame(set.operator, set.patient) && isSame(set.requestor, set.patient))) &&
    (!represents || (isSame(set.operator, set.requestor) && !isSame(set.operator, set.patient)))
  if (!agree) throw new Judgement('CON5', 'Operator, requestor and assertion do not agree')
  return { claimed }
}

/** What is in force after the set. Throws Judgement: AU1 for another list than the managed one, CON13 for a missing date. */
export function changed({ consents }: ConsentSet, before: Consents): Consents {
  const names = consents.map(({ name }) => name).sort()
  if (names.join() !== Object.keys(before).sort().join()) {
    throw new Judgement('AU1', 'Numero consensi in lista non coerente')
  }
  const after = consents.map(({ name, value, date, note }): [string, Consent] => {
    const was = before[name] ?? false
    const { value: formerly, date: on = undefined } = typeof was === 'boolean' ? { value: was } : was
    const isNew = formerly !== value || on === 'never'
    if (date === undefined && isNew && /^C[5-8]$/.test(name)) {
      throw new Judgement('CON13', `Modified consent ${name} requires a valid date`)
    }
    const day = date ?? on
    return [name, { value, note, ...(day !== undefined && { date: day }) }]
  })
  return Object.fromEntries(after)
}

/** The answer to a set that was taken; the region is empty where nobody assists the person. */
export function setAnswer(region: string): string {
  return (
    `<RegisterConsentSetResponse xmlns="${namespace}"><Status>Success</Status>` +
    `<RDA>${region === 'none' ? '' : escapeXml(region)}</RDA><Error codeContext="" errorCode=""/></RegisterConsentSetResponse>`
  )
}
