import { randomUUID } from 'node:crypto'
import { GatewayError } from '../core/errors.ts'
import type { PatientId } from '../core/model/patient.ts'
import { formatCx } from '../wire/hl7/cx.ts'
import { encodeEnvelope } from '../wire/soap.ts'
import { encodeEnvelope11, soap11Type, soapActionOf } from '../wire/soap11.ts'
import { connectionOf } from './ask.ts'
import { type AssertionWishes, assertionOf, writer } from './assertion.ts'
import { CliError } from './exit.ts'
import { gatewayOrigin } from './federation.ts'
import { type Identity, identityOf, partyOf } from './parties.ts'
import { typedPatient } from './patient.ts'

/** Options of whoever calls the gateway as the national infrastructure does. */
export const callerOptions = {
  as: { type: 'string', default: 'ini' },
  patient: { type: 'string' },
  identities: { type: 'string', default: process.env.CROCEVIA_IDENTITIES ?? 'identities' },
  federation: { type: 'string', default: '.crocevia/federation.json' },
  url: { type: 'string' },
  json: { type: 'boolean', default: false },
  show: { type: 'boolean', default: false },
} as const

/** Options of what is said under an assertion, which is another's and forwarded. */
export const voiceOptions = {
  for: { type: 'string' },
  subject: { type: 'string' },
  role: { type: 'string' },
  purpose: { type: 'string' },
  action: { type: 'string' },
} as const

/** What an assertion claims beside the patient. */
export type Claims = Pick<AssertionWishes, 'role' | 'purpose' | 'action' | 'indexTransferId'>

/** One message and what was answered to it, as they went over the wire. */
export interface Exchange {
  readonly url: string
  readonly action: string
  readonly messageId: string
  /** Under whose assertion, where there was one. */
  readonly claimed?: Claims & Pick<Identity, 'organization' | 'organizationName'>
  readonly request: string
  readonly status: number
  readonly answer: Buffer
  readonly durationMs: number
}

/** A message with an assertion of its own: SOAP 1.2. */
export interface Saying {
  readonly path: string
  readonly action: string
  readonly body: string
  readonly claims: Claims
}

/** Somebody who calls one gateway over mutual TLS, forwarding the assertions of another. */
export interface Caller extends AsyncDisposable {
  readonly patient: PatientId
  /** Who vouches in the assertions. */
  readonly voice: Pick<Identity, 'organization' | 'organizationName'>
  /** CX of the professional that the assertions name, who is the author of what is pushed. */
  readonly subject: string
  /** Throws CliError `unreachable` when nobody answers; so does `tell`. */
  say(saying: Saying): Promise<Exchange>
  /** A message without an assertion: SOAP 1.1, as notifications are (ini.md §7.2). */
  tell(path: string, action: string, body: string): Promise<Exchange>
}

export interface CallerValues {
  readonly as: string
  readonly identities: string
  readonly federation: string
  readonly patient?: string | undefined
  readonly url?: string | undefined
  readonly for?: string | undefined
  readonly subject?: string | undefined
}

const timeoutMs = 60_000
const lifetimeSeconds = 300

/** `forWhom` is the organization's code that vouches unless another is told. Throws CliError. */
export function callerOf(values: CallerValues, forWhom: string): Caller {
  if (values.patient === undefined) throw new CliError('usage', '--patient is needed')
  const patient = typedPatient(values.patient)
  const identity = identityOf(values.as, values.identities)
  const voice = identityOf(partyOf(values.for ?? forWhom), values.identities)
  const subject = values.subject === undefined ? writer : formatCx(typedPatient(values.subject))
  const origin = gatewayOrigin(values.url, values.federation)
  const client = connectionOf(identity)

  async function sent(message: Omit<Exchange, 'status' | 'answer' | 'durationMs'>, headers: Record<string, string>) {
    const started = performance.now()
    try {
      const { status, body: answer } = await client.send({
        url: message.url,
        method: 'POST',
        headers,
        body: message.request,
        signal: AbortSignal.timeout(timeoutMs),
        idempotent: false,
      })
      return { ...message, status, answer, durationMs: performance.now() - started }
    } catch (error) {
      if (error instanceof GatewayError) throw new CliError('unreachable', `${error.message} (${error.code})`)
      throw error
    }
  }

  return {
    ...{ patient, voice, subject },
    async say({ path, action, body, claims }) {
      const url = origin + path
      const messageId = `urn:uuid:${randomUUID()}`
      const assertion = await assertionOf(voice, { ...claims, patient, subject, types: [], lifetimeSeconds })
      const request = encodeEnvelope({ action, messageId, to: url, anonymousReply: true, assertion }, body)
      const { organization, organizationName } = voice
      const claimed = { ...claims, organization, organizationName }
      return await sent(
        { url, action, messageId, claimed, request },
        { 'content-type': 'application/soap+xml; charset=utf-8' },
      )
    },
    async tell(path, action, body) {
      const url = origin + path
      const messageId = `urn:uuid:${randomUUID()}`
      const request = encodeEnvelope11({ action, messageId, to: url }, body)
      return await sent(
        { url, action, messageId, request },
        { 'content-type': soap11Type, soapaction: soapActionOf(action) },
      )
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}
