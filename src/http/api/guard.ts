import type { GatewayError } from '../../core/errors.ts'
import type { Assertion, Peer } from '../../core/model/call.ts'

/** How a party's requests are authenticated: by tokens of an OpenID provider, of the FSE, or of the patterns of ModI; or by its connection. */
export type GuardProfile = 'portal' | 'fse' | 'modi' | 'channel'

/** Schemes of `Authorization` (RFC 6750, RFC 9449). */
export type Scheme = 'Bearer' | 'DPoP'

/** What tokens must agree with, where their profile has claims for it; what is absent is not compared. */
export interface Matter {
  readonly operation?: 'validation' | 'create' | 'replace' | 'update' | 'delete' | 'read'
  /** The bytes of the file that was sent. */
  readonly attachment?: Uint8Array
  readonly document?: {
    readonly type: { readonly code: string; readonly scheme: string }
    readonly patients: readonly string[]
  }
}

/** A request as it was received, for whoever verifies what it presents. */
export interface PresentedRequest {
  readonly method: string
  /** Path and query, as sent. */
  readonly target: string
  /** Every line of the header, repeated ones included. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array
  /** The certificate of the connection, DER. */
  readonly certificate: Uint8Array
  readonly matter: Matter
}

/** One token of a request, verified: what it says of itself. Times in milliseconds since the epoch. */
export interface UnderstoodToken {
  readonly kind:
    | 'access-token'
    | 'dpop-proof'
    | 'fse-authentication'
    | 'fse-signature'
    | 'modi-authentication'
    | 'modi-integrity'
    | 'tracking-evidence'
    | 'voucher'
  readonly id?: string | undefined
  readonly issuer?: string | undefined
  readonly subject?: string | undefined
  /** The application it was issued to. */
  readonly client?: string | undefined
  readonly audience?: readonly string[] | undefined
  readonly issuedAt?: number | undefined
  readonly validUntil?: number | undefined
  /** The common name of the signing certificate, or the thumbprint of the key. */
  readonly signer?: string | undefined
  /** SHA-256 of the token in hexadecimal. */
  readonly digest?: string | undefined
  /** Thumbprint of the key whose holder alone may present it, or that the presenter proved to hold. */
  readonly boundTo?: string | undefined
  /** Names of the headers it vouches for. */
  readonly signedHeaders?: readonly string[] | undefined
  readonly purposeId?: string | undefined
  readonly producerId?: string | undefined
  readonly consumerId?: string | undefined
  readonly eserviceId?: string | undefined
  readonly descriptorId?: string | undefined
  readonly userId?: string | undefined
  readonly userLocation?: string | undefined
  readonly levelOfAssurance?: string | undefined
}

/** Whom a request's tokens make its caller. What they do not say is absent. */
export interface Caller {
  readonly profile: GuardProfile
  /** The user behind the calling system, where the tokens vouch for one with everything an assertion needs. */
  readonly assertion?: Assertion
  readonly subject?: string
  /** The first instant at which something of it is no longer valid, in milliseconds since the epoch. */
  readonly validUntil: number
  readonly signer: string
  readonly tokens: readonly UnderstoodToken[]
}

/** A problem in published words, for profiles that have such (RFC 7807). */
export interface PublishedProblem {
  readonly type: string
  readonly title: string
  readonly detail: string
  readonly status: number
  readonly instance?: string
}

/** How the requests of one party are authenticated. */
export interface Guard {
  /** Those that are told to whoever comes without a token. */
  readonly schemes: readonly Scheme[]
  /**
   * Verifies every token of a request and remembers those that are good once: the same request is never authenticated
   * twice. Rejects with `assertion-*`, whose details hold `kind`, `reason` and, when it was a proof of possession, `part`;
   * or with another GatewayError when it cannot tell.
   */
  authenticate(request: PresentedRequest, signal: AbortSignal): Promise<Caller>
  /** The published words for a refusal; undefined where the profile has none. */
  problemOf?(error: GatewayError): PublishedProblem | undefined
}

/** The guard of a party's requests, as of now; undefined for whom these doors are not. */
export type GuardOf = (peer: Peer) => Guard | undefined
