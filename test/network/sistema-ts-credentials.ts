import { constants, type KeyObject, privateDecrypt } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Asked } from './asked.ts'
import { saml } from './assertion.ts'
import { findAssertions, type SignedAssertion, type Trust, verifyAssertion } from './check-assertion.ts'
import { SoapFault } from './faults.ts'
import type { TsSessions } from './sistema-ts-sessions.ts'
import { refusedAtTheDoor, TsFault, type TsMessage, wrongPassword } from './sistema-ts-soap.ts'
import { only } from './xml.ts'

/** Somebody who may ask: a region's system, or a direct user. */
export interface TsAccount {
  readonly user: string
  readonly password: string
  readonly pinCode: string
  readonly fiscalCode: string
}

export interface TsDoor {
  readonly as: 'region' | 'user'
  readonly account: TsAccount
  /** The private half of SanitelCF. */
  readonly key: KeyObject
  readonly trust: Trust
  /** Code of the region that may ask. */
  readonly region: string
  /** Which of the two official documents the authentication must follow (sistema-ts.md A.6). */
  readonly authnContext: 'a2f26' | 'forte25'
  /** After so many bad logins the account is locked. */
  readonly lockAfter: number
  readonly sessions: TsSessions
}

/** Who is let in, and how often somebody was not. */
export interface TsCredentials {
  /** Bad logins, of wrong passwords and whatever else was refused at the door. */
  readonly refusals: number
  readonly locked: boolean
  /** The key has changed: everybody may try again. */
  unlock(): void
  /** Throws TsFault, and counts it. */
  admit(message: TsMessage, headers: IncomingHttpHeaders, asked: Asked): void
  /** Basic authentication alone, which the second factor's own service asks for. */
  login(headers: IncomingHttpHeaders): void
  /** Whether what was enciphered is the account's pincode. Throws TsFault for what cannot be read. */
  isPinCode(ciphertext: string): boolean
  /** What was enciphered, or stands in clear. */
  deciphered(text: string): string
}

const attribute = {
  subject: 'urn:oasis:names:tc:xacml:1.0:subject:subject-id',
  time: 'urn:oasis:names:tc:xspa:1.0:resource:org:hoursofoperation:start',
  organization: 'urn:oasis:names:tc:xspa:1.0:subject:organization-id',
  locality: 'urn:oasis:names:tc:xspa:1.0:environment:locality',
} as const
const classes = 'urn:oasis:names:tc:SAML:2.0:ac:classes:'
const level = /^iso-iec-29115-LoA[34]$/
const mode = /^(?:SpidL[23]|Smartcard|CNS|CIEL[23]|FirmaQualificataL4|genericLoA[23])$/
const formerMode = /^(?:SpidL[23]|Smartcard|CNS|CIEL[23]|genericL[23]|FirmaQualificataL3)$/

/** The door of Sistema TS: basic authentication, pincode, second factor, and a region's signed assertion about its user. */
export function tsCredentials(door: TsDoor): TsCredentials {
  let refusals = 0
  const locked = () => refusals >= door.lockAfter
  const counted = <T>(check: () => T): T => {
    if (locked()) throw refusedAtTheDoor()
    try {
      return check()
    } catch (error) {
      if (error instanceof TsFault && error.front !== 'service') refusals++
      throw error
    }
  }

  function requireLogin({ authorization = '' }: IncomingHttpHeaders): void {
    const [, base64 = ''] = /^Basic ([A-Za-z0-9+/=]+)$/.exec(authorization) ?? []
    const [user, ...rest] = Buffer.from(base64, 'base64').toString('utf8').split(':')
    if (base64 === '') throw wrongPassword()
    if (user !== door.account.user) throw refusedAtTheDoor()
    if (rest.join(':') !== door.account.password) throw wrongPassword()
  }

  return {
    get refusals() {
      return refusals
    },
    get locked() {
      return locked()
    },
    unlock() {
      refusals = 0
    },
    login: (headers) => counted(() => requireLogin(headers)),
    admit: (message, headers, asked) =>
      counted(() => {
        if (door.as === 'region') {
          requireAssertion(message, door, asked)
          return
        }
        requireLogin(headers)
        const [, token] = /^Bearer (\S+)$/.exec(String(headers.authorization2f ?? '')) ?? []
        if (!door.sessions.use(token)) throw refusedAtTheDoor('ID-SESSIONE non valido: errore di autenticazione')
      }),
    isPinCode: (ciphertext) => deciphered(ciphertext, door.key) === door.account.pinCode,
    deciphered: (text) => (/^[A-Z0-9]{11,20}$/.test(text) ? text : deciphered(text, door.key)),
  }
}

/** Node takes no PKCS#1 v1.5 padding off any more (CVE-2023-46809), so that is done here: `00 02`, random, `00`, the text. */
function deciphered(base64: string, key: KeyObject): string {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length === 0 || bytes.toString('base64') !== base64) throw new TsFault('The cipher text is not in base64')
  let padded: Buffer
  try {
    padded = privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, bytes)
  } catch {
    throw new TsFault('The cipher text is of another key')
  }
  const end = padded.indexOf(0, 2)
  if (padded[0] !== 0 || padded[1] !== 2 || end < 10) throw new TsFault('The cipher text is not in PKCS#1 v1.5')
  return padded.subarray(end + 1).toString('ascii')
}

/** What a region must say of its end user (sistema-ts.md A.6). Throws TsFault. */
function requireAssertion({ security }: TsMessage, { trust, region, authnContext }: TsDoor, asked: Asked): void {
  const assertion = verified(security, trust)
  const subject = valueIn(assertion, attribute.subject)
  const name = only(only(assertion.signed, saml, 'Subject'), saml, 'NameID')?.textContent?.trim()
  const context = only(only(assertion.signed, saml, 'AuthnStatement'), saml, 'AuthnContext')
  const classRef = reference(only(context, saml, 'AuthnContextClassRef')?.textContent)
  const declRef = reference(only(context, saml, 'AuthnContextDeclRef')?.textContent)
  const authenticated =
    authnContext === 'a2f26'
      ? level.test(classRef ?? '') && mode.test(declRef ?? '')
      : formerMode.test(classRef ?? '') && declRef === undefined
  const right =
    assertion.issuer === region &&
    subject !== undefined &&
    name === subject &&
    valueIn(assertion, attribute.organization) === region &&
    new RegExp(`^${region}[0-9]{3}$`).test(valueIn(assertion, attribute.locality) ?? '') &&
    /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$/.test(valueIn(assertion, attribute.time) ?? '') &&
    authenticated
  Object.assign(asked, { assertionIds: [assertion.id], issuer: assertion.issuer })
  if (!right) throw refusedAtTheDoor('Rejected by policy. (from client)')
}

function verified(security: TsMessage['security'], trust: Trust): SignedAssertion {
  try {
    const [element, another] = findAssertions([...security])
    if (element === undefined || another !== undefined) throw refusedAtTheDoor('Rejected by policy. (from client)')
    return verifyAssertion(element, trust)
  } catch (error) {
    if (error instanceof SoapFault) throw refusedAtTheDoor('Rejected by policy. (from client)')
    throw error
  }
}

function valueIn({ attributes }: SignedAssertion, name: string): string | undefined {
  const values = attributes.get(name) ?? []
  return values.length === 1 ? values[0] : undefined
}

/** Without the prefix that every reference has; one without it stays and matches nothing. */
function reference(text: string | null | undefined): string | undefined {
  return text?.trim().startsWith(classes) ? text.trim().slice(classes.length) : (text?.trim() ?? undefined)
}
