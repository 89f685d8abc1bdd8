import { type ErrorCode, GatewayError } from '../../core/errors.ts'

/** An answer of the authorization server, whole. Header names are in lower case. */
export interface TokenAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** A voucher as it was answered. It is a secret: whoever holds a bearer voucher may use it. */
export interface AnsweredVoucher {
  readonly token: string
  readonly scheme: 'Bearer' | 'DPoP'
  readonly expiresInMs: number
}

const largestAnswer = 65_536
const longestToken = 16_384
/** A longer life is a mistake: vouchers live for minutes. An old server told the instant of expiry instead. */
const longestLifeSeconds = 86_400

/** States of the world outside that asking again does not change (sistema-ts.md B.2). */
const businessStates: Readonly<Record<string, string>> = {
  '015-0020': 'purpose',
  '015-0021': 'agreement',
  '015-0022': 'e-service',
}

/**
 * Reads the answer to a token request. Throws `community-rejected` for refusals, with `details.businessState` when PDND
 * says what is not active; `community-busy` (perhaps with `details.retryAfterMs`), `community-unavailable` and
 * `community-misbehaved` for what they say. Nothing of the body is quoted but the code of its error.
 */
export function readTokenAnswer(answer: TokenAnswer, scheme: 'Bearer' | 'DPoP'): AnsweredVoucher {
  const { status, headers, body } = answer
  if (body.length > largestAnswer) throw misbehaved('oversize', status)
  const content = membersOf(body)
  if (status !== 200) throw refusalOf(status, headers, content)
  const { access_token: token, token_type: type, expires_in: life } = content ?? {}
  if (typeof token !== 'string' || token.length > longestToken || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) {
    throw misbehaved('access-token', status)
  }
  // A voucher that is bound to no key where a bound one was asked for could be used by whoever reads it.
  if (typeof type !== 'string' || type.toLowerCase() !== scheme.toLowerCase()) throw misbehaved('token-type', status)
  if (typeof life !== 'number' || !Number.isInteger(life) || life < 1 || life > longestLifeSeconds) {
    throw misbehaved('expires-in', status)
  }
  return { token, scheme, expiresInMs: life * 1000 }
}

function membersOf(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function refusalOf(
  status: number,
  headers: TokenAnswer['headers'],
  problem: Readonly<Record<string, unknown>> | undefined,
): GatewayError {
  const codes = codesOf(problem)
  const business = codes.find((code) => businessStates[code] !== undefined)
  const code = business ?? codes[0]
  const told = { status, ...(code === undefined ? {} : { code }) }
  const businessState = business === undefined ? undefined : businessStates[business]
  if (businessState !== undefined) return failed('community-rejected', { ...told, businessState })
  if (status === 429) return failed('community-busy', { ...told, ...pauseOf(headers) })
  if (status >= 500 || status === 408) return failed('community-unavailable', told)
  return status >= 400 ? failed('community-rejected', told) : misbehaved('status', status)
}

const sentences = {
  'community-rejected': 'PDND does not give a voucher for the community',
  'community-busy': 'PDND asks to be asked for vouchers less often',
  'community-unavailable': 'PDND failed to give a voucher for the community',
} as const satisfies Partial<Record<ErrorCode, string>>

function failed(code: keyof typeof sentences, details: Readonly<Record<string, string | number>>): GatewayError {
  return new GatewayError(code, sentences[code], { details })
}

function misbehaved(reason: string, status: number): GatewayError {
  return new GatewayError('community-misbehaved', 'PDND answered something that is not a voucher', {
    details: { reason, status },
  })
}

/** When PDND may be asked again: at the latest when its interval is over. */
function pauseOf(headers: TokenAnswer['headers']): { readonly retryAfterMs?: number } {
  const intervalMs = Number(headers['x-rate-limit-interval'] ?? Number.NaN)
  return Number.isInteger(intervalMs) && intervalMs > 0 ? { retryAfterMs: intervalMs } : {}
}

/** The codes of a problem, those that have the form of one. */
function codesOf(problem: Readonly<Record<string, unknown>> | undefined): string[] {
  const errors: unknown = problem?.errors
  if (!Array.isArray(errors)) return []
  return errors.slice(0, 16).flatMap((error: unknown) => {
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
    return typeof code === 'string' && /^[0-9]{3}-[0-9]{4}$/.test(code) ? [code] : []
  })
}
