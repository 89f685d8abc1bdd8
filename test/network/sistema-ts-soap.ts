import { soap11, wsse } from './faults.ts'
import type { PeerReply, PeerRequest } from './server.ts'
import { children, type Element, escapeXml, isNamed, only, parseXml } from './xml.ts'

export const tsType = 'text/xml; charset=utf-8'

/** What DataPower, which stands in front of Sistema TS, or the service behind it answers instead of an answer. */
export class TsFault extends Error {
  override readonly name = 'TsFault'
  readonly status: number
  readonly code: 'Client' | 'Server'
  /** Whether DataPower says that what is behind it was never reached, and asks for a password. */
  readonly front: 'service' | 'refused' | 'challenge'

  constructor(text: string, how: { status?: number; code?: 'Client' | 'Server'; front?: TsFault['front'] } = {}) {
    super(text)
    this.status = how.status ?? 500
    this.code = how.code ?? 'Client'
    this.front = how.front ?? 'service'
  }
}

/** Wrong password, or no credentials: 401 with a challenge (manual p. 21). */
export function wrongPassword(): TsFault {
  return new TsFault('Rejected by policy. (from client)', { status: 401, front: 'challenge' })
}

/** Anything else about who asks: 500, and so that no status tells. */
export function refusedAtTheDoor(text = 'Errore generico di autenticazione'): TsFault {
  return new TsFault(text, { front: 'refused' })
}

/** What a schema does not allow, as the validating front end words it. */
export function invalid(text: string): TsFault {
  return new TsFault(`cvc-${text}`)
}

/** A message taken apart. */
export interface TsMessage {
  /** As `SOAPAction` names it, without its quotes. */
  readonly action: string
  readonly security: readonly Element[]
  readonly payload: Element
}

/** Opens a message of SOAP 1.1. Throws TsFault. */
export function openTs({ body, headers }: Pick<PeerRequest, 'body' | 'headers'>): TsMessage {
  const root = parsed(body)
  if (!isNamed(root, soap11, 'Envelope')) throw new TsFault('Only SOAP 1.1 is spoken here')
  const action = /^"([^"]*)"$/.exec(headers.soapaction?.toString() ?? '')?.[1]
  if (action === undefined) throw new TsFault('The SOAPAction must be given, in quotes')
  const header = only(root, soap11, 'Header')
  const content = only(root, soap11, 'Body')
  const [payload, ...more] = content === undefined ? [] : children(content)
  if (payload === undefined || more.length > 0) throw new TsFault('The body must hold one message')
  const blocks = header === undefined ? [] : children(header)
  return { action, security: blocks.filter((block) => isNamed(block, wsse, 'Security')), payload }
}

function parsed(text: string): Element {
  try {
    return parseXml(text)
  } catch {
    throw new TsFault('The message is not well-formed XML')
  }
}

export function tsReply(body: string): PeerReply {
  return { status: 200, contentType: tsType, headers: { 'x-backside-transport': 'OK OK' }, body: envelope(body) }
}

/** As DataPower words faults (corpus samples), with its headers. */
export function tsFaultReply({ message, status, code, front }: TsFault): PeerReply {
  const text = `<env:Fault><faultcode>env:${code}</faultcode><faultstring>${escapeXml(message)}</faultstring></env:Fault>`
  const failed = front === 'service' ? 'OK OK' : 'FAIL FAIL'
  return {
    status,
    contentType: 'text/xml',
    headers: {
      'x-backside-transport': failed,
      ...(front === 'challenge' && { 'www-authenticate': 'Basic realm=login' }),
    },
    body: envelope(text),
  }
}

function envelope(body: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<env:Envelope xmlns:env="${soap11}"><env:Body>${body}</env:Body></env:Envelope>`
}
