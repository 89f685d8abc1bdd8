import type { Use } from '../../core/ports.ts'
import { refused } from '../refusal.ts'
import { optionalText, requiredText, requireIssuer } from './claims.ts'
import { bareToken, bearerToken, onlyValue } from './headers.ts'
import { requireIntegrity, type SignedHeader, type SignedMessage, signedHeadersIn } from './modi-integrity.ts'
import { type Tracking, type TrackingPattern, trackingOf, type VoucherFacts } from './modi-tracking.ts'
import { jwsAlgorithms } from './token.ts'
import { useOf } from './use.ts'
import { type VerifiedToken, type VerifierOptions, verifyJws } from './verify-jws.ts'

/**
 * What one partner agreed to (sistema-ts.md B.1, B.6). `keys` decides whether certificates travel (`x5c`) or are named
 * (`kid`). Durations in milliseconds.
 */
export interface ModiPartner extends VerifierOptions {
  /** Absent where a PDND voucher travels in `Authorization`, which is verified as such. */
  readonly authentication?: 'ID_AUTH_REST_01' | 'ID_AUTH_REST_02'
  readonly integrity?: 'INTEGRITY_REST_01' | 'INTEGRITY_REST_02'
  readonly audit?: TrackingPattern
  /** `iss` of the tokens, exactly; absent, whatever the keys vouch for. */
  readonly issuer?: string
  /** Whether messages without a body must be signed too. Default false: the guideline is ambiguous. */
  readonly signEmptyBody?: boolean
  /** Whether `Authorization` and `Agid-JWT-Signature` must have the same `jti`. Default true. */
  readonly sharedJti?: boolean
  /** Which of the two is remembered against replay when they have one `jti`. Default `authorization`. */
  readonly replay?: 'authorization' | 'integrity'
  /** Whether `SHA-256=` may be written in any case. Default `any-case`. */
  readonly digestLabels?: 'any-case' | 'exact'
  /** How long ago tokens may have been issued. Default 5 minutes. */
  readonly maximumAgeMs?: number
}

/** A token of one of the patterns, verified. */
export interface ModiToken {
  readonly issuer?: string
  readonly subject?: string
  readonly tokenId?: string
  readonly audience: readonly string[]
  readonly issuedAt: number
  readonly expiresAt: number
  readonly signer: string
  /** SHA-256 of the token in hexadecimal. */
  readonly digest: string
  readonly uses: readonly Use[]
}

/** `Agid-JWT-Signature`, verified. */
export interface ModiSignature extends ModiToken {
  readonly signedHeaders: readonly SignedHeader[]
}

/** What a request proved of itself. */
export interface ModiRequest {
  readonly authentication?: ModiToken
  /** Absent where nothing needed to be signed. */
  readonly integrity?: ModiSignature
  readonly tracking?: Tracking
  readonly uses: readonly Use[]
}

export interface ModiVerifier {
  /** A token of ID_AUTH_REST_01 or 02. */
  authentication(text: string, signal?: AbortSignal): Promise<ModiToken>
  /** A token of INTEGRITY_REST_01 or 02; without the message, for tools, the token alone. */
  integrity(text: string, message: SignedMessage | undefined, signal?: AbortSignal): Promise<ModiSignature>
  /** A token of AUDIT_REST_01 or 02; without the voucher it is not compared with one. */
  tracking(text: string, voucher: VoucherFacts | undefined, signal?: AbortSignal): Promise<Tracking>
  /** Everything the partner agreed to, for one message. A voucher in `Authorization` has been verified before. */
  request(message: SignedMessage, voucher?: VoucherFacts, signal?: AbortSignal): Promise<ModiRequest>
}

/** Verifies what one partner's messages carry. Throws Refusal, or GatewayError when keys cannot be had. */
export function modiVerifier(partner: ModiPartner): ModiVerifier {
  const { authentication, integrity, audit, clockSkewMs = 5_000, maximumAgeMs = 300_000 } = partner
  const { digestLabels = 'any-case', replay = 'authorization', sharedJti = true, signEmptyBody = false } = partner
  const profile = {
    form: { algorithms: jwsAlgorithms, types: ['JWT'] },
    times: { clockSkewMs, required: ['exp', 'iat'], maximumAgeMs },
  } as const

  async function verified(text: string, signal?: AbortSignal): Promise<VerifiedToken> {
    const statement = await verifyJws(text, partner, profile, signal)
    if (partner.issuer !== undefined) requireIssuer(statement.token.payload, partner.issuer)
    return statement
  }

  function tokenOf(kind: string, { audience, digest, key, times, token }: VerifiedToken, once: boolean): ModiToken {
    const issuer = optionalText(token.payload, 'iss')
    const subject = optionalText(token.payload, 'sub')
    const tokenId = once ? requiredText(token.payload, 'jti') : optionalText(token.payload, 'jti')
    const expiresAt = times.expiresAt ?? 0
    return {
      ...(issuer === undefined ? {} : { issuer }),
      ...(subject === undefined ? {} : { subject }),
      ...(tokenId === undefined ? {} : { tokenId }),
      audience,
      issuedAt: times.issuedAt ?? 0,
      expiresAt,
      signer: key.signer,
      digest,
      uses: once && tokenId !== undefined ? [useOf(kind, key, tokenId, expiresAt + clockSkewMs)] : [],
    }
  }

  async function verifyAuthentication(text: string, signal?: AbortSignal): Promise<ModiToken> {
    return tokenOf('modi-auth', await verified(text, signal), authentication !== 'ID_AUTH_REST_01')
  }

  async function verifyIntegrity(text: string, message?: SignedMessage, signal?: AbortSignal): Promise<ModiSignature> {
    const statement = await verified(text, signal)
    if (integrity === 'INTEGRITY_REST_02') requireNamedKey(statement)
    const signedHeaders = signedHeadersIn(statement.token.payload)
    if (message !== undefined) {
      const digestNeeded = signEmptyBody || message.body.byteLength > 0
      requireIntegrity(signedHeaders, message, { digestNeeded, digestLabels })
    }
    const once = optionalText(statement.token.payload, 'jti') !== undefined
    return { ...tokenOf('modi-integrity', statement, once), signedHeaders }
  }

  async function verifyTracking(text: string, voucher?: VoucherFacts, signal?: AbortSignal): Promise<Tracking> {
    const statement = await verified(text, signal)
    if (audit === 'AUDIT_REST_02') requireNamedKey(statement)
    return trackingOf(statement, { pattern: audit ?? 'AUDIT_REST_01', voucher, clockSkewMs })
  }

  /** The signature of a message; undefined where there is none and none is needed. */
  async function signatureOf(message: SignedMessage, signal?: AbortSignal): Promise<ModiSignature | undefined> {
    const needed = signEmptyBody || message.body.byteLength > 0
    if (!needed && onlyValue(message.headers, signatureHeader) === undefined) return undefined
    return verifyIntegrity(bareToken(message.headers, signatureHeader), message, signal)
  }

  return {
    authentication: verifyAuthentication,
    integrity: verifyIntegrity,
    tracking: verifyTracking,
    async request({ body, headers: given }, voucher, signal) {
      const headers = [...given]
      const first = authentication === undefined ? undefined : await verifyAuthentication(bearerToken(headers), signal)
      const second = integrity === undefined ? undefined : await signatureOf({ body, headers }, signal)
      const tracking =
        audit === undefined ? undefined : await verifyTracking(bareToken(headers, trackingHeader), voucher, signal)
      return {
        ...(first === undefined ? {} : { authentication: first }),
        ...(second === undefined ? {} : { integrity: second }),
        ...(tracking === undefined ? {} : { tracking }),
        uses: [...usesOfBoth(first, second), ...(tracking?.uses ?? [])],
      }
    },
  }

  /** One of the two uses is enough when both tokens have one `jti`: neither can be repeated without the other. */
  function usesOfBoth(first: ModiToken | undefined, second: ModiToken | undefined): readonly Use[] {
    if (first === undefined || second === undefined) return [...(first?.uses ?? []), ...(second?.uses ?? [])]
    if (first.signer !== second.signer) throw refused('coherence', 'signers-differ')
    if (!sharedJti || first.tokenId === undefined) return [...first.uses, ...second.uses]
    if (first.tokenId !== second.tokenId) throw refused('coherence', 'jti-is-not-shared')
    return replay === 'authorization' && first.uses.length > 0 ? first.uses : second.uses
  }
}

const signatureHeader = 'Agid-JWT-Signature'
const trackingHeader = 'Agid-JWT-TrackingEvidence'

/** Where trust comes from PDND, the key is named and not brought along. */
function requireNamedKey({ token }: VerifiedToken): void {
  if (!Object.hasOwn(token.header, 'kid')) throw refused('header', 'kid-is-missing')
}
