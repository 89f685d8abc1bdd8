import { X509Certificate } from 'node:crypto'
import type { JwksConfig } from '../config/tokens.ts'
import { GatewayError } from '../core/errors.ts'
import type { HomeCommunityId } from '../core/model/identifiers.ts'
import type { Clock, Use } from '../core/ports.ts'
import type { Caller, Guard, PresentedRequest, UnderstoodToken } from '../http/api/guard.ts'
import type { SignatureCheck } from '../trust/algorithms.ts'
import type { DpopProof } from '../trust/jwt/dpop.ts'
import type { KeySource } from '../trust/jwt/keys.ts'
import { Refusal } from '../trust/refusal.ts'
import type { TrustAnchors } from '../trust/x509/chain.ts'

/** What the guards of every profile are made of. */
export interface GuardParts {
  readonly clock: Clock
  readonly clockSkewMs: number
  readonly check: SignatureCheck
  /** Our own community: those who bring tokens are its members. */
  readonly home: HomeCommunityId
  /** The keys of a set, by the name under which it is kept. Throws for a file that cannot be used. */
  readonly keysOf: (set: string, jwks: JwksConfig) => KeySource
  /** Throws for a file that cannot be used. */
  readonly anchorsOf: (files: {
    readonly anchors: readonly string[]
    readonly intermediates?: readonly string[]
    readonly revocationLists?: readonly string[]
  }) => TrustAnchors
}

/** A request's caller, and what must be new about the request. */
export interface Verified {
  readonly caller: Caller
  readonly uses: readonly Use[]
}

/** A guard that remembers nothing yet. */
export interface Guarding extends Pick<Guard, 'schemes' | 'problemOf'> {
  readonly verify: (request: PresentedRequest, signal: AbortSignal) => Promise<Verified>
}

/** A proof of possession, as what it says of itself. */
export function proofToken(proof: DpopProof | undefined): UnderstoodToken[] {
  if (proof === undefined) return []
  return [{ kind: 'dpop-proof', id: proof.tokenId, issuedAt: proof.issuedAt, boundTo: proof.thumbprint }]
}

/** What is wrong with a proof of possession, told from what is wrong with the token. */
export async function ofProof<T>(verify: () => Promise<T>): Promise<T> {
  try {
    return await verify()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new GatewayError(error.code, error.message, { details: { ...error.details, part: 'proof' }, cause: error })
  }
}

/** The address of a request as its sender knows it. */
export function urlOf(address: string, { target }: PresentedRequest): string {
  return `${address.replace(/\/$/, '')}${target}`
}

const read = new WeakMap<Uint8Array, X509Certificate>()

/** Read once per connection: its bytes are handed on with every request. */
export function certificateOf({ certificate }: PresentedRequest): X509Certificate {
  const known = read.get(certificate) ?? new X509Certificate(certificate)
  read.set(certificate, known)
  return known
}

/** Patterns of names, as the configuration spells them. */
export function patterns(texts: readonly string[]): readonly RegExp[] {
  return texts.map((text) => new RegExp(text, 'u'))
}

/** A member, unless its value is undefined. */
export function given<Name extends string, Value>(name: Name, value: Value | undefined): { [N in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [N in Name]?: Value })
}
