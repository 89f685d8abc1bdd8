/** Whose doing a failure is. Decides log level, retry and whether a breaker counts it. */
export type Fault = 'caller' | 'trust' | 'community' | 'gateway'

const faults = {
  'request-malformed': 'caller',
  'media-type-unsupported': 'caller',
  'request-too-large': 'caller',
  'parameter-missing': 'caller',
  'parameter-count': 'caller',
  'parameter-invalid': 'caller',
  'query-unsupported': 'caller',
  'metadata-invalid': 'caller',
  'document-duplicate': 'caller',
  'document-unknown': 'caller',
  'repository-unknown': 'caller',
  'patient-unknown': 'caller',
  'patient-mismatch': 'caller',
  'community-unknown': 'caller',
  'community-missing': 'caller',
  'too-many-results': 'caller',
  'caller-gone': 'caller',
  'assertion-missing': 'trust',
  'assertion-invalid': 'trust',
  'access-denied': 'trust',
  'community-unavailable': 'community',
  'community-timeout': 'community',
  'community-busy': 'community',
  'community-rejected': 'community',
  'community-misbehaved': 'community',
  'document-altered': 'community',
  overloaded: 'gateway',
  internal: 'gateway',
} as const satisfies Record<string, Fault>

/** The closed list of what can go wrong. Every front owns an exhaustive table over it. */
export type ErrorCode = keyof typeof faults

export const errorCodes = Object.keys(faults) as readonly ErrorCode[]

/**
 * Something a community said about its own answer, in its own words: an error or a warning. The code is opaque here
 * and told on unchanged (`R220`, `XDSTooManyResults`, a code nobody has seen yet).
 */
export interface Issue {
  readonly severity: 'error' | 'warning'
  readonly code: string
  readonly text: string
  readonly location?: string
}

/**
 * Every failure the gateway knows. `message` may reach the caller and therefore names no person and quotes no message;
 * `cause` and `details` reach the log only.
 */
export class GatewayError extends Error {
  override readonly name = 'GatewayError'
  readonly code: ErrorCode
  readonly fault: Fault
  /** For operators. Typed values without personal data. */
  readonly details: Readonly<Record<string, string | number | boolean>>
  /** What the community itself reported, when it did. */
  readonly issues: readonly Issue[]

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      cause?: unknown
      details?: Readonly<Record<string, string | number | boolean>>
      issues?: readonly Issue[]
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.fault = faults[code]
    this.details = options.details ?? {}
    this.issues = options.issues ?? []
  }
}

/** A GatewayError as it is; anything else becomes `internal` with a sentence that tells nothing. */
export function asGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  return new GatewayError('internal', 'The gateway failed to process the request', { cause: error })
}
