import type { GatewayError } from '../../core/errors.ts'
import type { CorrelationId } from '../../core/model/identifiers.ts'
import type { PublishedProblem } from './guard.ts'
import { methodNotAllowed, pathUnknown, problem, problemOf } from './problem.ts'
import type { WholeReply } from './reply.ts'

/** A failure as a face tells it; `retryAfter` in seconds. */
export type ToldFailure = Omit<WholeReply, 'headers'> & { readonly retryAfter?: number }

/** How a REST face tells failures. */
export interface FailureDialect {
  readonly failed: (error: GatewayError, correlationId: CorrelationId, published?: PublishedProblem) => ToldFailure
  /** Of addresses and methods that are not served. */
  readonly unserved: (what: 'path-unknown' | 'method-not-allowed', correlationId: CorrelationId) => ToldFailure
}

/** As problems (RFC 7807). */
export const problems: FailureDialect = {
  failed(error, correlationId, published) {
    const { problem, ...told } = problemOf(error, correlationId, published)
    return { status: problem.status, contentType, body: problem, ...told }
  },
  unserved(what, correlationId) {
    const told = what === 'path-unknown' ? pathUnknown : methodNotAllowed
    return { status: told.status, contentType, body: problem(told, correlationId) }
  },
}

const contentType = 'application/problem+json'
