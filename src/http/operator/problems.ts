import { randomUUID } from 'node:crypto'
import { GatewayError } from '../../core/errors.ts'
import { correlationId } from '../../core/model/identifiers.ts'
import { type Problem, problem, problemOf } from '../api/problem.ts'

const kinds = {
  malformed: { status: 400, word: 'request-malformed', title: 'The request is malformed' },
  unknown: { status: 404, word: 'delivery-unknown', title: 'Nothing is known under this id' },
  conflict: { status: 409, word: 'delivery-not-in-state', title: 'It is in no state for that' },
  large: { status: 413, word: 'request-too-large', title: 'The request is too large' },
  media: { status: 415, word: 'media-type-unsupported', title: 'The media type is not supported' },
  misdirected: { status: 421, word: 'name-unknown', title: 'The operator port has no such name' },
} as const

/** A request of an operator that is not done, and why. */
export class OperatorRefusal extends Error {
  override readonly name = 'OperatorRefusal'
  readonly kind: keyof typeof kinds

  constructor(kind: keyof typeof kinds, detail: string) {
    super(detail)
    this.kind = kind
  }
}

/** The problem (RFC 7807) of whatever was thrown. */
export function operatorProblem(thrown: unknown): Problem {
  const id = correlationId(randomUUID())
  if (thrown instanceof OperatorRefusal) return problem(kinds[thrown.kind], id, thrown.message)
  const error =
    thrown instanceof GatewayError ? thrown : new GatewayError('internal', 'The gateway failed', { cause: thrown })
  return problemOf(error, id).problem
}
