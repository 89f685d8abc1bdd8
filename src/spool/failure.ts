import { GatewayError } from '../core/errors.ts'

/** Room, descriptors or memory that ran out: others may have some again soon. */
const exhausted = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'ENOMEM'])

/** `overloaded`: the gateway has no room for another document, or for the rest of one. `reason` is for operators. */
export function noRoom(reason: string, cause?: unknown): GatewayError {
  return new GatewayError('overloaded', 'The gateway has no room for the document', { details: { reason }, cause })
}

/** `internal`: a document could not be kept, or not be given back as it came. `reason` is for operators. */
export function notHeld(reason: string, cause?: unknown): GatewayError {
  return new GatewayError('internal', 'The gateway failed to hold a document', { details: { reason }, cause })
}

/** What the file system failed with, as it may be told: `overloaded` for a full disk and its like, else `internal`. */
export function spoolFailure(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  const code = errorCode(error) ?? 'unknown'
  return exhausted.has(code) ? noRoom(code, error) : notHeld(code, error)
}

/** The operating system's word for an error (`ENOENT`), where it has one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/**
 * Why a signal ended the receipt of a document: its reason where that is a GatewayError, `community-timeout` for a
 * `TimeoutError`, else `caller-gone`.
 */
export function interrupted(signal: AbortSignal): GatewayError {
  const { reason } = signal
  if (reason instanceof GatewayError) return reason
  return reason instanceof DOMException && reason.name === 'TimeoutError'
    ? new GatewayError('community-timeout', 'The document did not arrive in time')
    : new GatewayError('caller-gone', 'The caller left before the document arrived')
}
