import { randomUUID } from 'node:crypto'
import { attributeAssertion, attributeName, type Claims, identificationAssertion } from './assertion.ts'
import { citizenOf } from './citizens.ts'
import { cx, type Identifier } from './entry.ts'
import { everyType } from './kinds.ts'
import { organization } from './organizations.ts'
import { type RegistryAnswer, readRegistryAnswer } from './push-answer.ts'
import { type HttpAnswer, type Identity, readIdentity, send, soapRequest } from './soap-client.ts'

/** On whose behalf INI calls: organizations that have an identity here. */
export type Voice = '000' | '050' | '090' | '120' | '150'

const folders: Readonly<Record<Voice, string>> = {
  '000': 'ini',
  '050': 'region-050',
  '090': 'tuscany',
  '120': 'region-120',
  '150': 'region-150',
}

/** An organization that can speak here, else INI for it. */
export function voiceOf(organizationCode: string): Voice {
  return Object.hasOwn(folders, organizationCode) ? (organizationCode as Voice) : '000'
}

/** How INI calls, where it is not as usual. */
export interface Wishes {
  /** Whose assertion is forwarded, code of the organization: its `Issuer`. */
  readonly as?: Voice
  /** Who signs it; by default the organization itself. */
  readonly signedBy?: 'itself' | 'ini'
  readonly role?: string
  readonly purpose?: string
  readonly action?: string
  /** What else the assertion claims. */
  readonly claims?: Partial<Claims>
  /** Beside it INI's own word on who the person is (ini.md §2.5). */
  readonly identified?: boolean
  /** Default bare, as the national gateway's (ini.md §1.4). */
  readonly messageId?: 'bare' | 'uuid' | 'urn:uuid'
  /** `minimal`: an action, an id and the assertion, which is all the national gateway sends. */
  readonly headers?: 'complete' | 'minimal'
  readonly contentType?: string
  /** What becomes of the message before it is sent. */
  readonly change?: (message: string) => string
  /** INI does not wait for ever: it hangs up, and sends the same message again. */
  readonly impatient?: { readonly afterMs: number; readonly tries?: number }
  readonly signal?: AbortSignal
}

/** What the gateway answered, and how often INI had to call. */
export interface Exchange {
  /** Absent when nobody answered. */
  readonly http?: HttpAnswer
  /** The connection broke, or INI lost patience every time: it would report CRF1. */
  readonly unanswered: boolean
  readonly tries: number
  /** The message as it was sent. */
  readonly sent: string
}

/** An exchange that can be had again. */
export type PushAnswer = RegistryAnswer &
  Exchange & {
    /** The very same message: id, assertion and all. */
    again(): Promise<PushAnswer>
    /** The same content in a new message under a new assertion. */
    afresh(wishes?: Wishes): Promise<PushAnswer>
  }

/** What is said, and what is claimed in saying it unless wished otherwise. */
export interface Saying {
  readonly path: string
  readonly to?: string
  readonly actionUri: string
  readonly body: string
  readonly about: Identifier
  readonly defaults: Required<Pick<Wishes, 'as' | 'role' | 'purpose' | 'action'>> & {
    readonly claims?: Partial<Claims>
  }
}

/** What INI brings to every call. */
export interface Caller {
  readonly origin: string
  readonly now: () => number
  readonly channel: Identity['channel']
  readonly identities: Readonly<Record<Voice, Identity>>
}

export async function callerOf(certificates: string, origin: string, now: () => number): Promise<Caller> {
  const read = Object.entries(folders).map(
    async ([code, folder]) => [code, await readIdentity(certificates, folder)] as const,
  )
  const identities = Object.fromEntries(await Promise.all(read)) as Record<Voice, Identity>
  return { origin, now, channel: identities['000'].channel, identities }
}

/** The assertions of a call: the organization's, and INI's own where it is wished for. */
export function assertionsFor({ about, defaults }: Saying, wishes: Wishes, { identities, now }: Caller): string[] {
  const { as = defaults.as, signedBy = 'itself', identified = false } = wishes
  const { role = defaults.role, purpose = defaults.purpose, action = defaults.action } = wishes
  const given = { ...defaults.claims, ...wishes.claims }
  // Nobody is named during an index transfer, nor by the national gateway when it reads (ini.md §2.3).
  const unnamed = ['NOR', 'GTW'].includes(role) && given.subject === undefined
  const claims: Claims = {
    patient: cx(about),
    issuer: as,
    role,
    purpose,
    action,
    documentTypes: everyType,
    locality: `Struttura di prova^^^^^&2.16.840.1.113883.2.9.4.1.3&ISO^^^^${as}202`,
    now: now(),
    ...given,
    attributes: {
      ...(unnamed && { [attributeName.subject]: undefined }),
      [attributeName.organization]: organization(as).display,
      ...given.attributes,
    },
  }
  const own = attributeAssertion(claims, identities[signedBy === 'ini' ? '000' : as].signer)
  const citizen = citizenOf(about)
  const known = identified && citizen ? [identificationAssertion(citizen, identities['000'].signer, now())] : []
  return [own, ...known]
}

/** One call of INI's, SOAP 1.2. */
export async function say(saying: Saying, wishes: Wishes, caller: Caller): Promise<PushAnswer> {
  const { messageId = 'bare', headers = 'complete', change = (message) => message } = wishes
  const prefixes = { bare: '', uuid: 'uuid:', 'urn:uuid': 'urn:uuid:' }
  const to = caller.origin + saying.path
  const message = change(
    soapRequest({
      to,
      action: saying.actionUri,
      assertions: assertionsFor(saying, wishes, caller),
      body: saying.body,
      messageId: prefixes[messageId] + randomUUID(),
      ...(headers === 'minimal' && { without: ['To', 'ReplyTo'] }),
    }),
  )
  const contentType = wishes.contentType ?? 'application/soap+xml; charset=utf-8'
  const afresh = (others: Wishes = {}): Promise<PushAnswer> => say(saying, { ...wishes, ...others }, caller)
  const once = async (): Promise<PushAnswer> => {
    const exchange = await exchanged(to, message, { 'content-type': contentType }, wishes, caller)
    const read = exchange.http === undefined ? nothing : readRegistryAnswer(exchange.http)
    return { ...read, ...exchange, again: once, afresh }
  }
  return once()
}

const nothing: RegistryAnswer = { issues: [], documents: [], references: [] }

/** Sends a message, and again when patience is lost; a broken connection is an answer that did not come. */
export async function exchanged(
  to: string,
  sent: string,
  headers: Readonly<Record<string, string>>,
  { impatient, signal }: Pick<Wishes, 'impatient' | 'signal'>,
  { channel }: Caller,
): Promise<Exchange> {
  const most = impatient?.tries ?? (impatient === undefined ? 1 : 3)
  for (let tries = 1; ; tries++) {
    const limits = [
      ...(impatient === undefined ? [] : [AbortSignal.timeout(impatient.afterMs)]),
      ...(signal ? [signal] : []),
    ]
    const limit = limits.length === 0 ? {} : { signal: AbortSignal.any(limits) }
    try {
      const http = await send(to, channel, { headers, body: sent, ...limit })
      return { http, unanswered: false, tries, sent }
    } catch {
      if (tries >= most || signal?.aborted === true) return { unanswered: true, tries, sent }
    }
  }
}
