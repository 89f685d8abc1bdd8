import { citizenOf, citizens } from './citizens.ts'
import { cx, type Identifier, readCx } from './entry.ts'
import { soap11, wsa, wsse } from './faults.ts'
import { authority } from './organizations.ts'
import type { Face, PeerReply } from './server.ts'
import { mediaType } from './soap.ts'
import { children, type Element, escapeXml, isNamed, only, parseXml } from './xml.ts'

export const consentPath = '/FSEConsensiWeb/CommunicationConsent_Service'
export const consentQueryAction = 'urn:fse:ConsentQuery'
export const consentNamespace = 'http://www.fascicolosanitario.gov.it/schema/typeSchemaCommunicationConsent'

/** One consent, or its value alone. */
export type Consent =
  | boolean
  | {
      readonly value: boolean
      /** `YYYY-MM-DD`. */
      readonly date?: string
      readonly note?: string
    }

/** By name: `C1` feeding, `C2` consultation, `C3` what was before … (ini.md §4.10). */
export type Consents = Readonly<Record<string, Consent>>

/** Given by whom nothing else is said of. */
const usual: Consents = { C1: true, C2: true, C3: true }

export interface ConsentFace extends Face {
  /** What somebody has consented to since; two at least, as the schema has it. */
  give(patient: Identifier, consents: Consents): void
  /** Back to what everybody has given. */
  reset(): void
}

export interface ConsentFaceParts {
  readonly admits: (commonName: string) => boolean
}

const responseType = 'text/xml; charset=utf-8'

class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: 'Client' | 'Server' | 'VersionMismatch' | 'MustUnderstand'

  constructor(message: string, code: Refusal['code'] = 'Client') {
    super(message)
    this.code = code
  }
}

/**
 * INI's state of consents (ini.md §1.2 row 9, §7.2): SOAP 1.1, a security header that may be there and no addressing, which
 * INI was seen to stumble over (§1.4). `refuse` is its internal error, `empty` knows nobody, `fault` is broken inside.
 */
export function consentFace({ admits }: ConsentFaceParts): ConsentFace {
  const given = new Map<string, Consents>()
  return {
    name: 'consents',
    contentType: responseType,
    give(patient, consents) {
      if (Object.keys(consents).length < 2) throw new Error('A list of consents has two at least')
      given.set(personOf(patient), consents)
    },
    reset: () => given.clear(),
    serves: (served) => served === consentPath,
    admits,
    async respond({ method, headers, body }, behaviour, asked): Promise<PeerReply> {
      if (method !== 'POST') return { status: 405, contentType: 'text/plain', body: 'POST', headers: { allow: 'POST' } }
      if (mediaType(headers['content-type']) !== 'text/xml') {
        asked.outcome = 'refused'
        return { status: 415, contentType: 'text/plain', body: 'text/xml is needed' }
      }
      try {
        Object.assign(asked, { action: consentQueryAction, query: 'ConsentQuery' })
        if (behaviour === 'fault') throw new Refusal('Internal Server Error', 'Server')
        const told = patientIn(open(body, headers.soapaction))
        const patient = readPatient(told)
        const known = behaviour === 'empty' || patient === undefined ? undefined : citizenOf(patient)
        if (behaviour === 'refuse' || known === undefined) {
          asked.outcome = 'refused'
          return ok(
            failure('ConsentError', behaviour === 'refuse' ? 'Internal Error init service' : 'Patient not found'),
          )
        }
        const about = behaviour === 'wrong-patient' ? cx(citizens.empty.identifiers[0]) : told
        return ok(answer(about, given.get(known.key) ?? usual))
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        asked.outcome = error.code === 'Server' ? 'broken' : 'refused'
        return { status: 500, contentType: responseType, body: fault(error) }
      }
    },
  }
}

/** Consents are a person's, under whichever code they are asked for. */
function personOf(patient: Identifier): string {
  return citizenOf(patient)?.key ?? cx(patient)
}

/** CX, or a bare code; no public source says which of the two. */
function readPatient(text: string): Identifier | undefined {
  if (/^[A-Z0-9]{11,16}$/.test(text)) return { value: text, authority: authority.codiceFiscale }
  return readCx(text)
}

/** Opens the message. Throws Refusal. */
function open(text: string, soapAction: string | string[] | undefined): Element {
  let root: Element
  try {
    root = parseXml(text)
  } catch {
    throw new Refusal('The message is not well-formed XML')
  }
  if (root.localName !== 'Envelope') throw new Refusal('The message is no envelope')
  if (root.namespaceURI !== soap11) throw new Refusal('Only SOAP 1.1 is spoken here', 'VersionMismatch')
  const header = only(root, soap11, 'Header')
  for (const block of header ? children(header) : []) {
    if (block.namespaceURI === wsa) throw new Refusal('There is something wrong with the action of the addressing')
    if (isNamed(block, wsse, 'Security')) continue
    if (block.getAttributeNS(soap11, 'mustUnderstand') === '1') {
      throw new Refusal('A header that must be understood is not', 'MustUnderstand')
    }
  }
  if (soapAction !== `"${consentQueryAction}"`) throw new Refusal('SOAPAction does not name the service, in quotes')
  const body = only(root, soap11, 'Body')
  const [payload, ...more] = body ? children(body) : []
  if (payload === undefined || more.length > 0) throw new Refusal('The body must hold one message')
  return payload
}

function patientIn(payload: Element): string {
  const [patient, ...more] = children(payload)
  const right =
    isNamed(payload, consentNamespace, 'ConsentQueryRequest') &&
    patient !== undefined &&
    more.length === 0 &&
    isNamed(patient, consentNamespace, 'PatientId')
  const text = patient?.textContent?.trim() ?? ''
  if (!right || text === '') throw new Refusal('The body is no ConsentQueryRequest')
  return text
}

/** Everything the schema asks for; where there is no error its attributes are empty. */
function answer(patient: string, consents: Consents): string {
  const list = Object.entries(consents).map(([name, given]) => {
    const { value, date = '2026-01-01', note = '' } = typeof given === 'boolean' ? { value: given } : given
    return `<Consent date="${date}" name="${escapeXml(name)}"><value>${value}</value><note>${escapeXml(note)}</note></Consent>`
  })
  return (
    `<ConsentQueryResponse xmlns="${consentNamespace}"><Status>Success</Status><PatientId>${escapeXml(patient)}</PatientId>` +
    `<ConsentList>${list.join('')}</ConsentList><DisclosuresIdPast></DisclosuresIdPast>` +
    '<DisclosuresIdCurrent>1</DisclosuresIdCurrent><Error codeContext="" errorCode=""/></ConsentQueryResponse>'
  )
}

/** As INI was seen to write it, without what the schema asks for besides (#1449). */
function failure(code: string, context: string): string {
  return (
    `<ConsentQueryResponse xmlns="${consentNamespace}"><Status>Failure</Status>` +
    `<Error codeContext="${escapeXml(context)}" errorCode="${code}"/></ConsentQueryResponse>`
  )
}

function ok(body: string): PeerReply {
  return { status: 200, contentType: responseType, body: envelope(body) }
}

function fault({ code, message }: Refusal): string {
  return envelope(
    `<soapenv:Fault><faultcode>soapenv:${code}</faultcode><faultstring>${escapeXml(message)}</faultstring></soapenv:Fault>`,
  )
}

function envelope(body: string): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="${soap11}"><soapenv:Body>${body}` +
    '</soapenv:Body></soapenv:Envelope>'
  )
}
