import { DatabaseError } from 'pg'
import { GatewayError } from '../core/errors.ts'

/** Refuses a server, a session or a schema that must not be written to; the message is one word for operators. */
export class Unfit extends Error {
  override readonly name = 'Unfit'
  constructor(
    reason:
      | 'foreign-schema'
      | 'newer-version'
      | 'other-store'
      | 'server-too-old'
      | 'server-read-only'
      | 'server-without-fsync'
      | 'commits-not-synchronous'
      | 'encoding-not-utf8'
      | 'tls-missing'
      | 'file-unreadable'
      | 'unfit-options',
    options?: ErrorOptions,
  ) {
    super(reason, options)
  }
}

// SQLSTATE classes and codes (PostgreSQL, appendix A), in a word for operators. Codes go before classes.
const reasons: Readonly<Record<string, string>> = {
  '08': 'connection-lost',
  '23': 'refused-by-schema',
  '25006': 'server-read-only',
  '28': 'not-authenticated',
  '3D': 'no-database',
  '3F': 'no-schema',
  '40': 'conflict',
  '42501': 'not-permitted',
  '42703': 'foreign-schema',
  '42883': 'no-schema',
  '42P01': 'no-schema',
  '53100': 'disk-full',
  '53200': 'out-of-memory',
  '53300': 'too-many-connections',
  '55P03': 'locked',
  '57014': 'too-slow',
  '57P': 'server-stopping',
  '57P03': 'server-starting',
  '58': 'disk-error',
  XX: 'corrupt',
}

// After these the connection is as good as before: refused rows, conflicts, no room, a lock or a statement that took too long.
const harmless = /^(?:23...|40...|53100|55P03|57014|P0001)$/

/**
 * What a call failed with, as it may be told. Of what the server said only the code is kept: its sentences may quote rows.
 */
export function storeFailure(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  if (error instanceof DatabaseError) {
    const sqlstate = error.code ?? 'none'
    return failure({ reason: reasonOf(sqlstate), sqlstate })
  }
  if (error instanceof Unfit) return failure({ reason: error.message }, error.cause)
  const { code } = error as { code?: unknown }
  return failure({ reason: 'no-connection', ...(typeof code === 'string' ? { error: code } : {}) }, error)
}

/** Whether the connection it came from can serve the next call. */
export function isHarmless(error: unknown): boolean {
  return error instanceof DatabaseError && harmless.test(error.code ?? '')
}

function reasonOf(sqlstate: string): string {
  return reasons[sqlstate] ?? reasons[sqlstate.slice(0, 3)] ?? reasons[sqlstate.slice(0, 2)] ?? 'database'
}

function failure(details: Readonly<Record<string, string>>, cause?: unknown): GatewayError {
  return new GatewayError('internal', 'The store failed', { details, cause })
}
