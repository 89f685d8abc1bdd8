import { errors } from 'undici'
import { type ErrorCode, GatewayError } from '../core/errors.ts'

/** How far a request had come when it failed. Only `answer` means that a byte of the answer had arrived. */
export type Phase = 'dns' | 'connect' | 'tls' | 'request' | 'answer'

/** What is known of a request while it is under way: connected, the answer's first byte, the answer's headers. */
export interface Progress {
  stage: 'connecting' | 'connected' | 'answering' | 'body'
}

/** Whom a failure is about, for operators: a community, and scheme, host and port; never a path or a query. */
export interface Target {
  readonly community: string
  readonly home: string
  readonly origin: string
}

const sentences = {
  'community-unavailable': 'The community could not be reached',
  'community-timeout': 'The community did not answer in time',
  'community-misbehaved': 'The community answered something that is not a valid response',
  'caller-gone': 'The caller left before the community answered',
  overloaded: 'The gateway is stopping and sends nothing more',
  internal: 'The gateway failed to send a request',
} as const satisfies Partial<Record<ErrorCode, string>>

type FailureCode = keyof typeof sentences

const codes: Readonly<Record<string, FailureCode>> = {
  UND_ERR_HEADERS_TIMEOUT: 'community-timeout',
  UND_ERR_BODY_TIMEOUT: 'community-timeout',
  UND_ERR_HEADERS_OVERFLOW: 'community-misbehaved',
  UND_ERR_DESTROYED: 'overloaded',
  UND_ERR_CLOSED: 'overloaded',
  UND_ERR_INVALID_ARG: 'internal',
}

/**
 * Why a signal ended the wait: `community-timeout` when its reason is a `TimeoutError` (what `AbortSignal.timeout` and
 * the guard give), `caller-gone` for any other reason.
 */
export function interrupted(signal: AbortSignal, target: Target): GatewayError {
  const { reason } = signal
  const timedOut = reason instanceof DOMException && reason.name === 'TimeoutError'
  const code = timedOut ? 'community-timeout' : 'caller-gone'
  return new GatewayError(code, sentences[code], { details: { ...target } })
}

/** The failure of one request in the gateway's words. A GatewayError stays as it is; an ended signal explains all else. */
export function failure(error: unknown, progress: Progress, signal: AbortSignal, target: Target): GatewayError {
  if (error instanceof GatewayError) return error
  if (signal.aborted) return interrupted(signal, target)
  const reason = codeOf(error)
  const code = kindOf(error, reason, progress)
  return new GatewayError(code, sentences[code], {
    cause: told(error, reason),
    details: { ...target, phase: phaseOf(error, reason, progress), ...(reason === undefined ? {} : { reason }) },
  })
}

/** Whether the connection failed before any byte of an answer, so that asking anew may help. */
export function failedBeforeAnswer(error: unknown): boolean {
  if (!(error instanceof GatewayError) || error.code !== 'community-unavailable') return false
  return error.details.phase === 'connect' || error.details.phase === 'request'
}

function codeOf(error: unknown): string | undefined {
  // undici 8 means to give these llhttp's code, and gives none.
  if (error instanceof errors.HTTPParserError) return 'HTTP_PARSER'
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

function kindOf(error: unknown, reason: string | undefined, { stage }: Progress): FailureCode {
  if (!(error instanceof Error) || reason === undefined) return 'internal'
  const known = codes[reason]
  if (known !== undefined) return known
  if (error instanceof errors.HTTPParserError) {
    // The connection ended inside an answer: cut off, which says nothing about what the peer meant to send.
    return error.message.includes('Invalid EOF state') ? 'community-unavailable' : 'community-misbehaved'
  }
  // Any error of an answer with a length that did not come; before the headers end, the headers are at fault.
  if (error instanceof errors.ResponseContentLengthMismatchError && stage !== 'body') return 'community-misbehaved'
  // Protocol violations (a 100 Continue or an upgrade nobody asked for) come with the code of a closed socket.
  return /^bad (response|upgrade)$/.test(error.message) ? 'community-misbehaved' : 'community-unavailable'
}

function phaseOf(error: unknown, reason: string | undefined, { stage }: Progress): Phase {
  if (stage === 'answering' || stage === 'body') return 'answer'
  // A peer that refuses our certificate says so after TLS 1.3 considers the handshake done.
  if (reason?.startsWith('ERR_SSL_')) return 'tls'
  if (stage === 'connected') return 'request'
  const syscall = error instanceof Error && 'syscall' in error ? error.syscall : undefined
  if (syscall === 'getaddrinfo') return 'dns'
  const connecting = syscall === 'connect' || reason === 'UND_ERR_CONNECT_TIMEOUT' || error instanceof AggregateError
  return connecting ? 'connect' : 'tls'
}

/** The error without what libraries hang on it: the peer's bytes (`HTTPParserError.data`), certificates, sockets. */
function told(error: unknown, code: string | undefined): Error {
  if (!(error instanceof Error)) return new Error('Something that is no error was thrown')
  const { name, message, stack } = error
  return Object.assign(new Error(message), { name, stack, ...(code === undefined ? {} : { code }) })
}

/** What an answer that is no SOAP message means, by its status alone. */
export function notSoap(status: number): GatewayError {
  const details = { status }
  if (status === 401 || status === 403)
    return new GatewayError('community-rejected', 'The community refused us', { details })
  if (status === 429 || status === 503) return new GatewayError('community-busy', 'The community is busy', { details })
  if (status >= 500) return new GatewayError('community-unavailable', 'The community failed', { details })
  return new GatewayError('community-misbehaved', 'The community answered with something other than SOAP', { details })
}
