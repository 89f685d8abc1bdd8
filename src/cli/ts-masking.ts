import { maskedHeaders, maskedMessage } from './masking.ts'
import type { Recorded } from './recording.ts'

/** A request or an answer for people. */
export interface ShownMessage {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Secrets that only Sistema TS has names for: enciphered identifiers of users, sessions, passwords of operators. */
const secretElement = /(<(?:[\w-]+:)?(valore|token|pwd)(?:\s[^>]*)?>)[^<[][^<]*(?=<)/g
const sessionTold = /(<(?:[\w-]+:)?codice>token<\/(?:[\w-]+:)?codice>\s*<(?:[\w-]+:)?messaggio>)[^<]*(?=<)/g
const sessionHeader = /^authorization2f$/i

/**
 * A message of Sistema TS with everything masked that proves who sends it: pincode, name and password, sessions, signatures.
 * What is known to be secret is masked wherever it stands, also where an answer repeats it.
 */
export function shownTs(
  message: Pick<Recorded, 'headers'> & { readonly body: Buffer },
  known: readonly string[],
): ShownMessage {
  const body = maskedMessage(message.body).replaceAll(secretElement, '$1[masked]').replaceAll(sessionTold, '$1[masked]')
  const headers = Object.entries(maskedHeaders(message.headers)).map(([name, value]) => {
    return [name, sessionHeader.test(name) ? '[masked]' : without(value, known)]
  })
  return { headers: Object.fromEntries(headers), body: without(body, known) }
}

/** Of secrets shorter than that, chance would mask half a message. */
const shortest = 4

function without(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= shortest)
    .reduce((masked, secret) => masked.replaceAll(secret, '[masked]'), text)
}
