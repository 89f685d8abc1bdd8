import type { Asked } from './asked.ts'
import {
  type Claimed,
  findAssertions,
  readClaims,
  type SignedAssertion,
  type Trust,
  verifyAssertion,
} from './check-assertion.ts'
import { cx, type Identifier, readCx } from './entry.ts'
import { SoapFault, soap11, wsa, wsse } from './faults.ts'
import { authority } from './organizations.ts'
import type { PeerReply, PeerRequest } from './server.ts'
import { mediaType } from './soap.ts'
import { children, type Element, escapeXml, isNamed, only, parseXml } from './xml.ts'

export const responseType = 'text/xml; charset=utf-8'

/** What is wrong with a message: a SOAP 1.1 fault, with INI's code in its detail where INI has one. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: 'Client' | 'Server' | 'VersionMismatch' | 'MustUnderstand'
  readonly iniCode?: string

  constructor(message: string, code: Refusal['code'] = 'Client', iniCode?: string) {
    super(message)
    this.code = code
    if (iniCode !== undefined) this.iniCode = iniCode
  }
}

/** A service that judged a message: `Failure`, with a code and its text. */
export class Judgement extends Error {
  override readonly name = 'Judgement'
  readonly code: string

  constructor(code: string, text: string) {
    super(text)
    this.code = code
  }
}

/** A message of the consent services, opened. */
export interface ConsentMessage {
  readonly payload: Element
  /** As `SOAPAction` names it. */
  readonly action: string
  readonly vouched?: { readonly assertion: SignedAssertion; readonly claimed: Claimed }
}

/** Who is believed, and that no assertion is taken twice. */
export interface Vouchers {
  readonly trust: Trust
  readonly accept: (assertion: SignedAssertion) => void
}

/** What a service wants of a message. */
export interface ConsentDoor extends Vouchers {
  readonly actions: readonly string[]
  /** Addressing that may be there, must be there with that action, or spoils everything (ini.md §1.4, #1974, #2833). */
  readonly addressing: 'none' | 'any' | 'required'
}

/** Opens a message of SOAP 1.1 and verifies the assertion in it, where there is one. Throws Refusal. */
export function open(
  { body: text, headers }: Pick<PeerRequest, 'body' | 'headers'>,
  { actions, addressing, ...vouchers }: ConsentDoor,
  asked: Asked,
): ConsentMessage {
  const root = parsed(text)
  if (root.localName !== 'Envelope') throw new Refusal('The message is no envelope')
  if (root.namespaceURI !== soap11) throw new Refusal('Only SOAP 1.1 is spoken here', 'VersionMismatch')
  const header = only(root, soap11, 'Header')
  const blocks = header ? children(header) : []
  for (const block of blocks) {
    if (block.namespaceURI === wsa || isNamed(block, wsse, 'Security')) continue
    if (block.getAttributeNS(soap11, 'mustUnderstand') === '1') {
      throw new Refusal('A header that must be understood is not', 'MustUnderstand')
    }
  }
  const addressed = blocks.filter((block) => block.namespaceURI === wsa)
  if (addressing === 'none' && addressed.length > 0) {
    throw new Refusal('There is something wrong with the action of the addressing')
  }
  const action = actions.find((known) => headers.soapaction === `"${known}"`)
  if (action === undefined) throw new Refusal('SOAPAction does not name the service, in quotes')
  if (addressing === 'required') {
    const [told] = addressed.filter(({ localName }) => localName === 'Action')
    if (told?.textContent?.trim() !== action) throw new Refusal('Internal Error')
  }
  const body = only(root, soap11, 'Body')
  const [payload, ...more] = body ? children(body) : []
  if (payload === undefined || more.length > 0) throw new Refusal('The body must hold one message')
  const security = blocks.filter((block) => isNamed(block, wsse, 'Security') && children(block).length > 0)
  return { payload, action, ...(security.length > 0 && { vouched: vouchedIn(security, vouchers, asked) }) }
}

function vouchedIn(security: readonly Element[], { trust, accept }: Vouchers, asked: Asked) {
  try {
    const [element, another] = findAssertions(security)
    if (element === undefined || another !== undefined) throw new SoapFault('Sender', 'One assertion is taken')
    const assertion = verifyAssertion(element, trust)
    const claimed = readClaims(assertion)
    accept(assertion)
    const { role, purpose } = claimed
    Object.assign(asked, { assertionIds: [assertion.id], issuer: assertion.issuer, role, purpose })
    return { assertion, claimed }
  } catch (error) {
    if (!(error instanceof SoapFault)) throw error
    throw new Refusal(error.message, 'Client', error.iniCode)
  }
}

/** Throws Refusal where nobody vouches for who asks, or not for this. */
export function requireVouched(
  { vouched }: ConsentMessage,
  allows: (claimed: Claimed) => boolean,
): NonNullable<ConsentMessage['vouched']> {
  if (vouched === undefined) throw new Refusal('Missing attribute assertion', 'Client', 'PST4')
  if (allows(vouched.claimed)) return vouched
  throw new Refusal('This role has not the rights to access the service', 'Client', 'PFA14')
}

/** The fields of a message by the schema: these elements in this order, each once. Throws Refusal. */
export function fieldsOf(parent: Element, namespace: string, names: readonly string[]): Element[] {
  const elements = children(parent)
  const right =
    elements.length === names.length && elements.every((one, at) => isNamed(one, namespace, names[at] ?? ''))
  if (!right) throw new Refusal(`${parent.localName} must hold ${names.join(', ')}`)
  return elements
}

/** CX, or a bare code; no public source says which of the two. */
export function readPerson(text: string): Identifier | undefined {
  if (/^[A-Z0-9]{11,16}$/.test(text)) return { value: text, authority: authority.codiceFiscale }
  return readCx(text)
}

/** Whether two spellings are of one code. */
export function isSame(one: string, other: string): boolean {
  const [a, b] = [readPerson(one), readPerson(other)]
  return a !== undefined && b !== undefined && cx(a) === cx(b)
}

/** Turns what goes wrong into a fault, or into the service's own failure. */
export async function consentExchange(
  { method, headers }: Pick<PeerRequest, 'method' | 'headers'>,
  asked: Asked,
  fail: (judgement: Judgement) => string,
  respond: () => string | Promise<string>,
): Promise<PeerReply> {
  if (method !== 'POST') return { status: 405, contentType: 'text/plain', body: 'POST', headers: { allow: 'POST' } }
  if (mediaType(headers['content-type']) !== 'text/xml') {
    asked.outcome = 'refused'
    return { status: 415, contentType: 'text/plain', body: 'text/xml is needed' }
  }
  try {
    return { status: 200, contentType: responseType, body: envelope(await respond()) }
  } catch (error) {
    if (error instanceof Judgement) {
      asked.outcome = 'refused'
      return { status: 200, contentType: responseType, body: envelope(fail(error)) }
    }
    if (!(error instanceof Refusal)) throw error
    asked.outcome = error.code === 'Server' ? 'broken' : 'refused'
    return { status: 500, contentType: responseType, body: envelope(fault(error)) }
  }
}

/** As INI was seen to write a failure: without what the schema asks for besides (#1449, #3051). */
export function failureOf(name: string, namespace: string) {
  return ({ code, message }: Judgement): string =>
    `<${name}Response xmlns="${namespace}"><Status>Failure</Status>` +
    `<Error codeContext="${escapeXml(message)}" errorCode="${code}"/></${name}Response>`
}

function parsed(text: string): Element {
  try {
    return parseXml(text)
  } catch {
    throw new Refusal('The message is not well-formed XML')
  }
}

function fault({ code, message, iniCode }: Refusal): string {
  const detail =
    iniCode === undefined
      ? ''
      : '<detail><wsse:InvalidSecurityToken xmlns:wsse="http://docs.oasis-open.org/wsrf/r-2" ' +
        'xmlns:wsrf-bf="http://docs.oasis-open.org/wsrf/bf-2">' +
        `<wsrf-bf:ErrorCode>${iniCode}</wsrf-bf:ErrorCode><wsrf-bf:Description>${escapeXml(message)}` +
        '</wsrf-bf:Description></wsse:InvalidSecurityToken></detail>'
  return (
    `<soapenv:Fault><faultcode>soapenv:${code}</faultcode><faultstring>${escapeXml(message)}</faultstring>` +
    `${detail}</soapenv:Fault>`
  )
}

function envelope(body: string): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="${soap11}"><soapenv:Body>${body}` +
    '</soapenv:Body></soapenv:Envelope>'
  )
}
