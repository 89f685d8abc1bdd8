import { randomUUID } from 'node:crypto'
import { type Citizen, citizenOf } from './citizens.ts'
import { readCx } from './entry.ts'
import { soap11, wsa, wsse } from './faults.ts'
import { findOrganization } from './organizations.ts'
import type { Face } from './server.ts'
import { mediaType } from './soap.ts'
import { children, type Element, escapeXml, isNamed, only, parseXml } from './xml.ts'

export const notifyRetrieveAction = 'urn:fse:NotifyRetrieve'
export const notifyRetrieveNamespace = 'http://www.fascicolosanitario.gov.it/schema/typeSchemaNotifyRetrieve'
/** A sandbox's convention: no public source tells where regions send their notices. */
export const notifyRetrievePath = '/FSEININotificheWeb/NotifyRetrieve_Service'

/** One retrieval that was told of, in the message's own words. */
export interface ToldRetrieval {
  readonly home?: string
  readonly repository: string
  readonly document: string
  readonly type: string
  readonly requestor: string
  readonly role: string
  readonly purpose: string
  readonly locality: string
  readonly patient: string
  /** Code of the region of assistance that hears of it; absent for whom nobody knows, or nobody assists. */
  readonly region?: string
  /** How often the same was told: INI and the regions repeat themselves (ini.md §6.2 no. 5). */
  readonly times: number
}

export interface NotifyFace extends Face {
  /** In the order in which it was first told. */
  readonly told: readonly ToldRetrieval[]
}

export interface NotifyFaceParts {
  readonly admits: (commonName: string) => boolean
  readonly path?: string
}

const responseType = 'text/xml; charset=utf-8'

/** What is wrong with a message: a SOAP 1.1 fault. */
class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: 'Client' | 'Server' | 'VersionMismatch' | 'MustUnderstand'

  constructor(message: string, code: Refusal['code'] = 'Client') {
    super(message)
    this.code = code
  }
}

/**
 * Where INI is told that a document was retrieved (ini.md §7.2): SOAP 1.1 without an assertion, one answer per message,
 * the same answer for what it knows already. `refuse` denies the caller the right, `partial` cannot reach the region of
 * assistance, `fault` is broken inside.
 */
export function notifyFace({ admits, path = notifyRetrievePath }: NotifyFaceParts): NotifyFace {
  const told = new Map<string, ToldRetrieval>()
  const remember = (notice: Omit<ToldRetrieval, 'times' | 'region'>): void => {
    const key = JSON.stringify(Object.entries(notice))
    const region = regionOf(notice.patient)
    told.set(key, { ...notice, ...(region !== undefined && { region }), times: (told.get(key)?.times ?? 0) + 1 })
  }
  return {
    name: 'notify',
    contentType: responseType,
    get told() {
      return [...told.values()]
    },
    serves: (served) => served === path,
    admits,
    async respond({ method, headers, body }, behaviour, asked) {
      if (method !== 'POST') return { status: 405, contentType: 'text/plain', body: 'POST', headers: { allow: 'POST' } }
      if (mediaType(headers['content-type']) !== 'text/xml') {
        asked.outcome = 'refused'
        return { status: 415, contentType: 'text/plain', body: 'text/xml is needed' }
      }
      try {
        if (behaviour === 'fault') throw new Refusal('Internal Server Error', 'Server')
        const { payload, messageId } = open(body, path, headers.soapaction)
        Object.assign(asked, { action: notifyRetrieveAction, messageId, query: 'NotifyRetrieve' })
        const notice = readNotice(payload)
        Object.assign(asked, { role: notice.role, purpose: notice.purpose })
        if (behaviour === 'refuse' || behaviour === 'partial') {
          asked.outcome = 'refused'
          return { status: 200, contentType: responseType, body: answer(messageId, refusals[behaviour]) }
        }
        remember(notice)
        return { status: 200, contentType: responseType, body: answer(messageId) }
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        asked.outcome = error.code === 'Server' ? 'broken' : 'refused'
        return { status: 500, contentType: responseType, body: fault(error) }
      }
    },
  }
}

function regionOf(patient: string): Citizen['assistedBy'] | undefined {
  const id = readCx(patient)
  const region = id && citizenOf(id)?.assistedBy
  return region === 'none' ? undefined : region
}

const headerNames = new Set(['To', 'Action', 'MessageID', 'ReplyTo', 'FaultTo', 'From'])
const next = 'http://schemas.xmlsoap.org/soap/actor/next'

/** Opens a SOAP 1.1 message and checks its addressing (SOAP 1.1 §4, §6.1.1; WS-Addressing SOAP Binding §4). */
function open(text: string, path: string, soapAction: string | string[] | undefined) {
  const root = parsed(text)
  if (root.localName !== 'Envelope') throw new Refusal('The message is no envelope')
  if (root.namespaceURI !== soap11) throw new Refusal('Only SOAP 1.1 is spoken here', 'VersionMismatch')
  const body = only(root, soap11, 'Body')
  const [payload, ...more] = body ? children(body) : []
  if (payload === undefined || more.length > 0) throw new Refusal('The body must hold one message')
  const header = only(root, soap11, 'Header')
  const blocks = header ? children(header) : []
  for (const block of blocks) {
    // An assertion is nobody's business here (ini.md §7.2).
    if (isNamed(block, wsse, 'Security')) throw new Refusal('A notification carries no security header')
    if (block.getAttributeNS(soap11, 'mustUnderstand') !== '1') continue
    if (!['', next].includes(block.getAttributeNS(soap11, 'actor') ?? '')) continue
    if (block.namespaceURI !== wsa || !headerNames.has(block.localName ?? '')) {
      throw new Refusal('A header that must be understood is not', 'MustUnderstand')
    }
  }
  const told = (name: string): string => {
    const [one, another] = blocks.filter((block) => isNamed(block, wsa, name))
    if (one === undefined || another !== undefined) throw new Refusal(`${name} must stand once`)
    return one.textContent?.trim() ?? ''
  }
  if (soapAction !== `"${notifyRetrieveAction}"`) throw new Refusal('SOAPAction does not name the service, in quotes')
  if (told('Action') !== notifyRetrieveAction) throw new Refusal('Action and SOAPAction differ')
  const to = told('To')
  if (!URL.canParse(to) || new URL(to).pathname !== path) throw new Refusal('To names another endpoint')
  const messageId = told('MessageID')
  if (!/^(urn:uuid:|uuid:)?[0-9a-f-]{36}$/i.test(messageId)) throw new Refusal('MessageID is no UUID')
  return { payload, messageId }
}

function parsed(text: string): Element {
  try {
    return parseXml(text)
  } catch {
    throw new Refusal('The message is not well-formed XML')
  }
}

const oid = /^[0-2](\.(0|[1-9]\d*))+$/
const uniqueId = /^[0-2](\.(0|[1-9]\d*))+(\^[^^\s]+)?$/

/** The fields in the order of the schema, and what each must look like. Roles are three letters (ini.md §2.4). */
const fields: readonly (readonly [string, (text: string) => boolean])[] = [
  ['RepositoryUniqueId', (text) => oid.test(text)],
  ['DocumentUniqueId', (text) => uniqueId.test(text)],
  ['TypeCode', (text) => text === '' || /^[^^'()\s]+\^\^[0-9.]+$/.test(text)],
  ['RequestorId', (text) => readCx(text) !== undefined],
  ['RequestorRole', (text) => /^[A-Z]{3}$/.test(text)],
  ['Pou', (text) => ['TREATMENT', 'EMERGENCY', 'PUBEMERGENCY', 'PERSONAL'].includes(text)],
  ['RequestorLocality', (text) => text !== ''],
  ['PatientId', (text) => readCx(text) !== undefined],
]

function readNotice(payload: Element): Omit<ToldRetrieval, 'times' | 'region'> {
  if (!isNamed(payload, notifyRetrieveNamespace, 'NotifyRetrieveRequest')) {
    throw new Refusal('The body is no NotifyRetrieveRequest')
  }
  const elements = children(payload)
  if (elements.some(({ namespaceURI }) => namespaceURI !== notifyRetrieveNamespace)) {
    throw new Refusal('A field is in another namespace')
  }
  const home = elements[0]?.localName === 'HomeCommunityId' ? elements.shift() : undefined
  const homeText = home?.textContent ?? undefined
  if (homeText !== undefined && !isHome(homeText)) throw new Refusal('HomeCommunityId names nobody')
  const values = fields.map(([name, fits]) => {
    const element = elements.shift()
    if (element?.localName !== name) throw new Refusal(`${name} is expected`)
    const text = element.textContent ?? ''
    if (children(element).length > 0 || !fits(text)) throw new Refusal(`${name} is not of the form it should have`)
    return text
  })
  if (elements.some((element) => element.localName !== 'Slot' || !element.getAttribute('name'))) {
    throw new Refusal('After the fields only named slots may stand')
  }
  const [
    repository = '',
    document = '',
    type = '',
    requestor = '',
    role = '',
    purpose = '',
    locality = '',
    patient = '',
  ] = values
  const notice = { repository, document, type, requestor, role, purpose, locality, patient }
  return { ...(homeText !== undefined && { home: homeText }), ...notice }
}

/** `urn:oid:` and the arc of an organization of the Affinity Domain. */
function isHome(text: string): boolean {
  const number = /^urn:oid:2\.16\.840\.1\.113883\.2\.9\.2\.(\d{1,3})$/.exec(text)?.[1]
  return number !== undefined && findOrganization(number.padStart(3, '0'))?.home === text
}

const refusals = {
  refuse: { code: 'PFA14', context: 'This role has not the rights to access the service' },
  partial: { code: 'CRF1', context: 'It is not possible to communicate with the RDA.' },
} as const

/** The schema requires an error in every answer; where there is none its attributes are empty. */
function answer(messageId: string, error?: { readonly code: string; readonly context: string }): string {
  return envelope(
    `<wsa:MessageID>urn:uuid:${randomUUID()}</wsa:MessageID><wsa:RelatesTo>${escapeXml(messageId)}</wsa:RelatesTo>`,
    `<NotifyRetrieveResponse xmlns="${notifyRetrieveNamespace}">` +
      `<Status>${error === undefined ? 'Success' : 'Failure'}</Status>` +
      `<Error codeContext="${error?.context ?? ''}" errorCode="${error?.code ?? ''}"/></NotifyRetrieveResponse>`,
  )
}

function fault({ code, message }: Refusal): string {
  return envelope(
    '',
    `<soapenv:Fault><faultcode>soapenv:${code}</faultcode><faultstring>${escapeXml(message)}</faultstring></soapenv:Fault>`,
  )
}

function envelope(header: string, body: string): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="${soap11}" xmlns:wsa="${wsa}">` +
    `<soapenv:Header>${header}</soapenv:Header><soapenv:Body>${body}</soapenv:Body></soapenv:Envelope>`
  )
}
