import { GatewayError } from '../../core/errors.ts'
import type { AuthorizedCall } from '../../core/model/call.ts'
import { encodeTsEnvelope, type TsChannel } from '../../wire/sistema-ts/ask.ts'
import { faultError, openResponse } from '../../wire/sistema-ts/fault.ts'
import { membersOf, readTold } from '../../wire/sistema-ts/fields.ts'
import { mayBeSent } from '../../wire/sistema-ts/read-only.ts'
import { soap11Type, soapActionOf } from '../../wire/soap11.ts'
import type { Encipher } from './encryption.ts'
import type { CredentialLatch, Tried } from './latch.ts'

/** What came back over HTTP. */
export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** What proves who we are and who asks, made for one message. */
export interface Presented {
  /** Of the credentials, for the latch. */
  readonly key: string
  readonly headers: Readonly<Record<string, string>>
  /** Serialised and signed. */
  readonly assertion?: string
  /** Whether a refusal is told of something that was replaced meanwhile, and says nothing of the credentials. */
  readonly superseded?: () => boolean
}

export interface ChannelParts {
  /** Sends once. */
  readonly send: (request: {
    readonly url: string
    readonly method: 'POST'
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
    readonly signal: AbortSignal
  }) => Promise<Answered>
  readonly encipher: Encipher
  readonly pinCode: () => string
  readonly latch: CredentialLatch
  readonly present: (call: Pick<AuthorizedCall, 'assertion'>) => Promise<Presented>
  /** Codes of outcomes that mean that our credentials were refused: no public table of them exists. */
  readonly refusalCodes?: ReadonlySet<string>
}

/** A way to Sistema TS whose answers are bytes. */
export interface SistemaTsChannel extends TsChannel<Pick<AuthorizedCall, 'assertion' | 'signal'>> {
  post(request: Parameters<TsChannel<Pick<AuthorizedCall, 'assertion' | 'signal'>>['post']>[0]): Promise<Answered>
}

/**
 * Speaks to Sistema TS with credentials that are presented at once (pre-emptively: it refuses calls that wait to be asked,
 * sistema-ts.md A.5) and, once refused, never again. Sends nothing but what reads: rejects with `internal` otherwise.
 */
export function sistemaTsChannel({
  latch,
  present,
  send,
  encipher,
  pinCode,
  ...parts
}: ChannelParts): SistemaTsChannel {
  return {
    pinCode: () => encipher(pinCode()),
    encrypt: encipher,
    async post({ url, action, body, call }) {
      if (!mayBeSent({ action, body })) {
        throw new GatewayError('internal', 'An operation of Sistema TS that is not for us was to be sent')
      }
      const { key, headers, assertion, superseded } = await present(call)
      return await latch.run(key, call.signal, async () => {
        const value = await send({
          url,
          method: 'POST',
          headers: { 'content-type': soap11Type, soapaction: soapActionOf(action), ...headers },
          body: encodeTsEnvelope(body, assertion),
          signal: call.signal,
        })
        const tried = triedWith(value, parts.refusalCodes)
        if (tried.outcome === 'refused' && superseded?.() === true) {
          throw new GatewayError('community-unavailable', 'A session of Sistema TS was replaced while it was in use')
        }
        return tried
      })
    },
  }
}

/** Only an answer proves that the credentials were accepted: faults come from in front of the door as well. */
function triedWith(value: Answered, refusalCodes: ReadonlySet<string> | undefined): Tried<Answered> {
  const opened = openResponse(value)
  if ('kind' in opened) {
    if (opened.kind === 'authentication') return { outcome: 'refused', error: faultError(opened) }
    return { outcome: 'unknown', value }
  }
  if (refusalCodes === undefined || refusalCodes.size === 0) return { outcome: 'accepted', value }
  const { tree, body } = opened
  const codes = membersOf(tree, body, 'ElencoErroriRicette', 'ErroreRicetta').map(
    (node) => readTold(tree, node, new Set(['codEsito'] as const)).codEsito ?? '',
  )
  return codes.some((code) => refusalCodes.has(code)) ? { outcome: 'refused' } : { outcome: 'accepted', value }
}

/** The header of basic authentication (RFC 7617). */
export function basicAuthorization(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`
}
