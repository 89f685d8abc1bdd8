import type { Assertion } from '../../core/model/call.ts'
import type { HomeCommunityId } from '../../core/model/identifiers.ts'
import type { Use } from '../../core/ports.ts'
import { refused } from '../refusal.ts'
import { assertionFrom, type ClaimNames, fseClaimNames } from './assertion.ts'
import { optionalText, requiredText, requireIssuer } from './claims.ts'
import { type Presenter, requireConfirmation } from './confirmation.ts'
import type { JwsAlgorithm } from './token.ts'
import { useOf } from './use.ts'
import { type VerifierOptions, verifyJws } from './verify-jws.ts'

/** Whose tokens a portal's users bring, and what they must be. Durations in milliseconds. */
export interface PortalOptions extends VerifierOptions {
  /** `iss`, exactly. Undefined is for tools that only look. */
  readonly issuer: string | undefined
  /** The community whose users they are. */
  readonly community: HomeCommunityId
  /** Default `JWT` and `at+jwt` (RFC 9068). */
  readonly types?: readonly string[]
  /** Whether `typ` may be left out, as some providers do in ID tokens. Default false. */
  readonly untyped?: boolean
  /** The applications tokens may have been issued to (`azp`, else `client_id`); absent, any. */
  readonly clients?: readonly string[]
  /** Claim names that differ from those of the national gateway's tokens. */
  readonly claims?: Partial<ClaimNames>
  readonly maximumAgeMs?: number
  readonly maximumLifetimeMs?: number
  /** Whether a token is good for one request only; then it must have a `jti`. Default false. */
  readonly once?: boolean
}

/** A portal's token, verified. */
export interface PortalToken {
  readonly assertion: Assertion
  readonly audience: readonly string[]
  /** The application it was issued to, when it says so. */
  readonly client?: string
  readonly issuedAt?: number
  /** What must not have been used before. */
  readonly uses: readonly Use[]
}

const algorithms: readonly JwsAlgorithm[] = ['RS256', 'PS256', 'ES256']

/**
 * Verifies the access or ID tokens of an OpenID provider (OpenID Connect Core §3.1.3.7, RFC 9068) and reads the claims of
 * the FSE in them. A token bound to a key or certificate (`cnf`) is accepted from its owner only. Throws Refusal, or
 * GatewayError when the provider's keys cannot be had.
 */
export function portalVerifier(options: PortalOptions) {
  const { clockSkewMs = 60_000, clients, maximumAgeMs, maximumLifetimeMs, once = false } = options
  const names: ClaimNames = { ...fseClaimNames, ...options.claims }
  const form = { algorithms, types: options.types ?? ['JWT', 'at+jwt'], untyped: options.untyped ?? false }
  const times = { clockSkewMs, required: ['exp', 'iat'], maximumAgeMs, maximumLifetimeMs } as const
  return async (text: string, presenter: Presenter = {}, signal?: AbortSignal): Promise<PortalToken> => {
    const { audience, digest, key, times: stated, token } = await verifyJws(text, options, { form, times }, signal)
    const claims = token.payload
    const issuer = requireIssuer(claims, options.issuer)
    const client = optionalText(claims, 'azp') ?? optionalText(claims, 'client_id')
    if (clients !== undefined && (client === undefined || !clients.includes(client))) {
      throw refused('audience', 'token-was-issued-to-another-client')
    }
    requireConfirmation(claims, presenter)
    const jti = once ? requiredText(claims, 'jti') : optionalText(claims, 'jti')
    const validUntil = stated.expiresAt ?? 0
    // A token without a name of its own is named by its digest in the audit trail.
    const frame = { id: jti ?? digest, issuer, community: options.community, validUntil, signer: key.signer, digest }
    return {
      assertion: assertionFrom(claims, names, frame),
      audience,
      ...(client === undefined ? {} : { client }),
      ...(stated.issuedAt === undefined ? {} : { issuedAt: stated.issuedAt }),
      uses: once && jti !== undefined ? [useOf('portal', key, jti, validUntil + clockSkewMs)] : [],
    }
  }
}
