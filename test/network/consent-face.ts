import { type Citizen, citizenOf, citizens } from './citizens.ts'
import { type ConsentSet, changed, readConsentSet, requireCoherent, setAnswer } from './consent-set.ts'
import {
  type ConsentMessage,
  consentExchange,
  failureOf,
  fieldsOf,
  isSame,
  Judgement,
  open,
  Refusal,
  readPerson,
  responseType,
  type Vouchers,
} from './consent-soap.ts'
import { cx, type Identifier } from './entry.ts'
import type { Face } from './server.ts'
import { escapeXml, isNamed } from './xml.ts'

export const consentPath = '/FSEConsensiWeb/CommunicationConsent_Service'
export const consentQueryAction = 'urn:fse:ConsentQuery'
export const consentSetAction = 'urn:fse:RegisterConsentSet'
export const consentNamespace = 'http://www.fascicolosanitario.gov.it/schema/typeSchemaCommunicationConsent'

/** One consent, or its value alone. */
export type Consent =
  | boolean
  | {
      readonly value: boolean
      /** `YYYY-MM-DD`; `never` of one that nobody has expressed yet. */
      readonly date?: string
      readonly note?: string
    }

/** By name: `C1` feeding, `C2` consultation, `C3` what was before … (ini.md §4.10). */
export type Consents = Readonly<Record<string, Consent>>

/** Given by whom nothing else is said of. */
const usual: Consents = { C1: true, C2: true, C3: true }

/** The question for consents; beside it, at the same address, the face that sets them. */
export interface ConsentFace extends Face {
  readonly setting: Face
  /** What somebody has consented to since; two at least, as the schema has it. These are the ones that are managed. */
  give(patient: Identifier, consents: Consents): void
  /** Back to what everybody has given, with nobody told and nothing set. */
  reset(): void
  /** What was set, in its order. */
  readonly sets: readonly ConsentSet[]
  /** Is called with every set that was taken; INI tells the region of assistance of it. */
  afterSet(tell: ((set: ConsentSet) => unknown) | undefined): void
}

export interface ConsentFaceParts extends Vouchers {
  readonly admits: (commonName: string) => boolean
}

interface Kept {
  readonly consents: Consents
  /** The notice they were given on. */
  readonly disclosure: string
}

/**
 * INI's state of consents and their communication (ini.md §1.2 rows 9 and 10, §7.2): SOAP 1.1, an assertion that may be there
 * of a question and must be there of a set, and no addressing, which INI was seen to stumble over (§1.4). `refuse` is its
 * internal error, `empty` knows nobody, `fault` is broken inside, `forgetful` says that it has set what it has not.
 */
export function consentFace({ admits, ...vouchers }: ConsentFaceParts): ConsentFace {
  const given = new Map<string, Kept>()
  let sets: ConsentSet[] = []
  let told: ((set: ConsentSet) => unknown) | undefined
  const keptOf = ({ key }: Pick<Citizen, 'key'>): Kept => given.get(key) ?? { consents: usual, disclosure: '' }

  function query({ payload, vouched }: ConsentMessage, behaviour: string): string {
    const patient = patientIn(payload)
    if (vouched !== undefined) {
      const { claimed } = vouched
      const isOwn = claimed.role !== 'GEN' && claimed.role !== 'TUT'
      if (isOwn && !isSame(claimed.patient, patient)) {
        throw new Judgement('CON5', 'The assertion is about another patient than the body')
      }
    }
    const citizen = known(patient, behaviour)
    const about = behaviour === 'wrong-patient' ? cx(citizens.empty.identifiers[0]) : patient
    return answer(about, keptOf(citizen))
  }

  function set(message: ConsentMessage, behaviour: string): string {
    const wanted = readConsentSet(message.payload)
    const { claimed } = requireCoherent(wanted, message)
    const citizen = known(wanted.patient, behaviour)
    const before = keptOf(citizen)
    const consents = changed(wanted, before.consents)
    if (behaviour !== 'forgetful') {
      given.set(citizen.key, { consents, disclosure: wanted.disclosure })
      sets = [...sets, { ...wanted, claimed }]
      // Nobody waits for what the region is told.
      void Promise.resolve(told?.({ ...wanted, claimed })).catch(() => undefined)
    }
    return setAnswer(citizen.assistedBy)
  }

  const face = (
    name: string,
    message: 'ConsentQuery' | 'RegisterConsentSet',
    respond: (message: ConsentMessage, behaviour: string) => string,
  ): Face => ({
    name,
    contentType: responseType,
    serves: (served, { headers }) => {
      const isSet = headers.soapaction === `"${consentSetAction}"`
      return served === consentPath && isSet === (message === 'RegisterConsentSet')
    },
    admits,
    respond(request, behaviour, asked) {
      return consentExchange(request, asked, failureOf(message, consentNamespace), () => {
        const action = `urn:fse:${message}`
        Object.assign(asked, { action, query: message })
        // As it was seen: the name of a class, and nothing else (#2768).
        if (behaviour === 'fault') throw new Refusal('it.sogei.services.interfaces.InputBuilder', 'Server')
        return respond(open(request, { actions: [action], addressing: 'none', ...vouchers }, asked), behaviour)
      })
    },
  })

  return {
    ...face('consents', 'ConsentQuery', query),
    setting: face('consent-sets', 'RegisterConsentSet', set),
    get sets() {
      return sets
    },
    give(patient, consents) {
      if (Object.keys(consents).length < 2) throw new Error('A list of consents has two at least')
      given.set(personOf(patient), { consents, disclosure: '' })
    },
    reset() {
      given.clear()
      sets = []
      told = undefined
    },
    afterSet(tell) {
      told = tell
    },
  }
}

function known(patient: string, behaviour: string): Citizen {
  if (behaviour === 'refuse') throw new Judgement('ConsentError', 'Internal Error init service')
  const id = behaviour === 'empty' ? undefined : readPerson(patient)
  const citizen = id && citizenOf(id)
  if (citizen === undefined) throw new Judgement('ConsentError', 'Patient not found')
  return citizen
}

/** Consents are a person's, under whichever code they are asked for. */
function personOf(patient: Identifier): string {
  return citizenOf(patient)?.key ?? cx(patient)
}

function patientIn(payload: Parameters<typeof fieldsOf>[0]): string {
  if (!isNamed(payload, consentNamespace, 'ConsentQueryRequest'))
    throw new Refusal('The body is no ConsentQueryRequest')
  const [patient] = fieldsOf(payload, consentNamespace, ['PatientId'])
  const text = patient?.textContent?.trim() ?? ''
  if (text === '') throw new Refusal('The body is no ConsentQueryRequest')
  return text
}

/** Everything the schema asks for; where there is no error its attributes are empty. */
function answer(patient: string, { consents, disclosure }: Kept): string {
  const list = Object.entries(consents).map(([name, given]) => {
    const { value, date = '2026-01-01', note = '' } = typeof given === 'boolean' ? { value: given } : given
    const dated = date === 'never' ? '' : ` date="${date}"`
    return `<Consent${dated} name="${escapeXml(name)}"><value>${value}</value><note>${escapeXml(note)}</note></Consent>`
  })
  return (
    `<ConsentQueryResponse xmlns="${consentNamespace}"><Status>Success</Status><PatientId>${escapeXml(patient)}</PatientId>` +
    `<ConsentList>${list.join('')}</ConsentList><DisclosuresIdPast>${escapeXml(disclosure)}</DisclosuresIdPast>` +
    '<DisclosuresIdCurrent>1</DisclosuresIdCurrent><Error codeContext="" errorCode=""/></ConsentQueryResponse>'
  )
}
