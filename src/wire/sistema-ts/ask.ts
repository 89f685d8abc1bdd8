import { GatewayError } from '../../core/errors.ts'
import { soapNames } from '../soap.ts'
import { escapeText } from '../xml-write.ts'
import { faultError, openResponse, type TsResponse } from './fault.ts'
import type { Ciphertext } from './fields.ts'
import type { Operation } from './operation.ts'
import { misread } from './outcome.ts'

/** A way to Sistema TS, or to a region's own system that follows it: it holds the credentials and shows none. */
export interface TsChannel<Call> {
  /** Our pincode, enciphered anew. */
  pinCode(): Ciphertext
  /** An identifier, enciphered: never the same twice, so no key for anything. */
  encrypt(text: string): Ciphertext
  /** Sends one message, once. Rejects with GatewayError, also for a refusal of our credentials. */
  post(request: {
    readonly url: string
    readonly action: string
    readonly body: string
    readonly call: Call
  }): Promise<TsResponse>
}

/** Where an operation is asked for; action and namespace where they are not the national ones. */
export interface TsPlace<Call> {
  readonly url: string
  readonly action?: string
  readonly namespace?: string
  readonly call: Call
}

/**
 * Asks one question. The pincode is the channel's. Answers also when the request was refused (`outcome`); rejects with
 * GatewayError for every fault, for an answer to something else, and with `internal` when no action is known.
 */
export async function askSistemaTs<Request extends { readonly pinCode: Ciphertext }, Answer, Call>(
  channel: TsChannel<Call>,
  operation: Operation<Request, Answer>,
  request: Omit<Request, 'pinCode'>,
  { url, call, action = operation.action, namespace }: TsPlace<Call>,
): Promise<Answer> {
  if (action === undefined) {
    throw new GatewayError('internal', 'The action of an operation of Sistema TS must be configured', {
      details: { operation: operation.name },
    })
  }
  const filled = { ...request, pinCode: channel.pinCode() } as unknown as Request
  const response = await channel.post({ url, action, body: operation.encode(filled, namespace), call })
  return answerOf(operation, response)
}

/** The answer to an operation. Throws GatewayError for every fault and for an answer to something else. */
export function answerOf<Answer>(
  operation: Pick<Operation<never, Answer>, 'answer' | 'decode'>,
  response: TsResponse,
): Answer {
  const opened = openResponse(response)
  if ('kind' in opened) throw faultError(opened)
  if (opened.tree.local(opened.body) !== operation.answer) throw misread('answer-to-something-else')
  return operation.decode(opened.tree, opened.body)
}

/** A SOAP 1.1 message around a body, with a signed assertion in its security header where there is one (A.6). */
export function encodeTsEnvelope(body: string, assertion?: string): string {
  const header =
    assertion === undefined
      ? ''
      : `<env:Header><wsse:Security xmlns:wsse="${soapNames.wsse}">${assertion}</wsse:Security></env:Header>`
  return (
    `<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="${soapNames.soap11}">${header}` +
    `<env:Body>${body}</env:Body></env:Envelope>`
  )
}

/** A text as an element of its own, for what is no plain sequence of fields. */
export function element(name: string, text: string): string {
  return `<${name}>${escapeText(text)}</${name}>`
}
