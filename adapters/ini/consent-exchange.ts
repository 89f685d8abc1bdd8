import type { AdapterTools, WritingAction } from '../../src/config/adapter.ts'
import { asGatewayError, GatewayError } from '../../src/core/errors.ts'
import type { AuthorizedCall } from '../../src/core/model/call.ts'
import type { PatientId } from '../../src/core/model/patient.ts'
import { type OpenedAnswer, requireTaken } from '../../src/wire/ini/notification-exchange.ts'
import { encodeEnvelope11, soap11Type, soapActionOf } from '../../src/wire/soap11.ts'
import type { IniOptions } from './options.ts'

/** One question to the consent services of INI. */
export interface ConsentQuestion<Answer> {
  readonly url: string
  readonly message: { readonly name: string; readonly action: string; readonly maxAnswerBytes?: number }
  /** Spells the body; may throw RangeError. */
  readonly encode: () => string
  readonly call: AuthorizedCall
  /** What the assertion is for, where one goes along: by default reading about the patient of the call's own. */
  readonly does?: WritingAction
  readonly about?: PatientId
  /** Whether the message has addressing, which some of these services do not take and others ask for. */
  readonly isAddressed?: boolean
  /** Of what is thrown; names nobody. */
  readonly failure: string
  readonly read: (opened: OpenedAnswer) => Answer
}

export type ConsentTools = Pick<AdapterTools, 'send' | 'attest'>

/** How the consent services are asked, where no public source settles it. */
export type ConsentManner = Pick<IniOptions, 'consentsAssertion' | 'consentsPurpose'>

/**
 * Asks a consent service of INI: SOAP 1.1, an assertion in its header (#2120, #2791), sent once. What INI's answers mean is
 * told by `requireTaken`; the errors have INI's own words among their issues, and name nobody.
 */
export async function askConsentService<Answer>(
  question: ConsentQuestion<Answer>,
  tools: ConsentTools,
  manner: ConsentManner,
): Promise<Answer> {
  const { url, message, call, isAddressed = false } = question
  try {
    const body = spelt(question.encode)
    const uuid = crypto.randomUUID()
    const addressing = isAddressed ? { action: message.action, messageId: `urn:uuid:${uuid}`, to: url } : undefined
    const assertion = await assertionFor(question, tools, manner)
    const answer = await tools.send({
      url,
      method: 'POST',
      headers: { 'content-type': soap11Type, soapaction: soapActionOf(message.action) },
      body: encodeEnvelope11(addressing, body, assertion),
      signal: call.signal,
    })
    return question.read(requireTaken(answer, message, isAddressed ? uuid : undefined))
  } catch (thrown) {
    throw untold(asGatewayError(thrown), question.failure)
  }
}

async function assertionFor(
  { call, about, does }: ConsentQuestion<unknown>,
  { attest }: ConsentTools,
  { consentsAssertion, consentsPurpose }: ConsentManner,
): Promise<string | undefined> {
  if (consentsAssertion === 'none') return undefined
  return await attest({
    call,
    ...(consentsPurpose === 'caller' ? {} : { purposeOfUse: consentsPurpose }),
    ...(about === undefined ? {} : { patientId: about }),
    ...(does === undefined ? {} : { does }),
  })
}

function spelt(encode: () => string): string {
  try {
    return encode()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new GatewayError('parameter-invalid', 'A text has a character that cannot be sent')
  }
}

/** The services answer alike; the words must say what was asked for. What is our caller's mistake says so itself. */
function untold(error: GatewayError, failure: string): GatewayError {
  if (error.fault !== 'community') return error
  const { code, details, issues, cause } = error
  return new GatewayError(code, failure, { details, issues, ...(cause === undefined ? {} : { cause }) })
}
