import { GatewayError } from '../core/errors.ts'

/**
 * What about a signed statement was not accepted. Each face spells a kind in its caller's dialect; the reason, one word in
 * kebab-case, is for the log and for `crocevia verify`.
 */
export type RefusalKind =
  /** There is no statement where one is needed. */
  | 'missing'
  /** What carries the statement is not as it must be: header elements, number of statements. */
  | 'header'
  /** The statement cannot be read as what it claims to be. */
  | 'malformed'
  /** Something that must be stated is not, or not in the form it must have. */
  | 'attributes'
  /** The certificate of the signer: authority, owner, use, validity, revocation. */
  | 'certificate'
  /** The signature, its algorithms or what it covers. */
  | 'signature'
  /** Not valid yet, or no longer. */
  | 'validity'
  /** Made for somebody else, or presented by somebody else than it was made for. */
  | 'audience'
  /** Used already, or by another presenter. */
  | 'replay'
  /** Parts that were signed contradict each other or the message. */
  | 'coherence'

/** A signed statement that is not accepted: `assertion-missing` for the kind `missing`, else `assertion-invalid`. */
export class Refusal extends GatewayError {
  readonly kind: RefusalKind
  readonly reason: string

  constructor(kind: RefusalKind, reason: string, cause?: unknown) {
    super(
      kind === 'missing' ? 'assertion-missing' : 'assertion-invalid',
      kind === 'missing' ? 'The message carries no assertion' : 'The assertion is not accepted',
      { details: { kind, reason }, cause },
    )
    this.kind = kind
    this.reason = reason
  }
}

/** The refusal to throw. */
export function refused(kind: RefusalKind, reason: string, cause?: unknown): Refusal {
  return new Refusal(kind, reason, cause)
}
