import type { X509Certificate } from 'node:crypto'
import type { Assertion } from '../../core/model/call.ts'
import type { HomeCommunityId } from '../../core/model/identifiers.ts'
import type { Use } from '../../core/ports.ts'
import { refused } from '../refusal.ts'
import { commonNameOf } from '../x509/certificate.ts'
import type { TrustAnchors } from '../x509/chain.ts'
import { assertionFrom, fseClaimNames } from './assertion.ts'
import { requiredText } from './claims.ts'
import {
  type FseClaims,
  type FseMessage,
  readFseClaims,
  requireSubject,
  reservedClaims,
  signatureClaims,
} from './fse-claims.ts'
import { bareToken, bearerToken, type HeaderLines } from './headers.ts'
import type { JsonObject } from './strict-json.ts'
import type { JwsAlgorithm } from './token.ts'
import { useOf } from './use.ts'
import { type VerifiedToken, type VerifierOptions, verifyJws } from './verify-jws.ts'
import { certificateKeys } from './x5c.ts'

/** Whose pairs of tokens are accepted, and what they must be (ini.md §5). Durations in milliseconds. */
export interface FseOptions extends Omit<VerifierOptions, 'keys' | 'audience'> {
  /** The base URL of the service with its version; `aud` of both tokens is exactly this. Undefined is for tools. */
  readonly audience: string | undefined
  readonly trust: TrustAnchors
  /** Organizations of the affinity domain: code and exact name. */
  readonly organizations: Readonly<Record<string, string>>
  /** Common names a signing certificate may have. Default `S<digits>#<3 characters>…` (ini.md §5.4 rule 8). */
  readonly signers?: readonly RegExp[]
  /** Certificate policies of which a signing certificate must have one; absent, none is demanded, as in production. */
  readonly policies?: readonly string[]
  /** The region whose tokens are accepted, by the three characters in the common name; absent, any (rule 8.1). */
  readonly region?: string
  /** Where the second token stands. Default `FSE-JWT-Signature`; the regional archives use `Agid-JWT-Signature`. */
  readonly signatureHeader?: string
  /** Whether claims that are not in the tables are refused. Default false. */
  readonly strictClaims?: boolean
  /** Default 5 minutes. */
  readonly maximumAgeMs?: number
}

/** One token of a pair, verified. */
export interface FseToken {
  readonly issuer: string
  readonly subject: string
  readonly tokenId: string
  readonly issuedAt: number
  readonly expiresAt: number
  readonly certificate: X509Certificate
  readonly commonName: string
  /** SHA-256 of the token in hexadecimal. */
  readonly digest: string
  readonly uses: readonly Use[]
}

/** The token in `FSE-JWT-Signature`, with what it claims. */
export interface FseSignatureToken extends FseToken {
  readonly claims: FseClaims
  /** The same as an assertion of a community's user. */
  assertionFor(community: HomeCommunityId): Assertion
}

export interface FsePair {
  readonly bearer: FseToken
  readonly signature: FseSignatureToken
  /** Both tokens are good for one call (ini.md §5.1). */
  readonly uses: readonly Use[]
}

/** What the connection says of the caller. */
export interface FseChannel {
  /** The common name of the client certificate; absent, nothing is compared with it. */
  readonly commonName?: string
}

export interface FseVerifier {
  /** The first token alone, as the status services take it. */
  bearer(text: string, channel?: FseChannel, signal?: AbortSignal): Promise<FseToken>
  /** The second token alone: half a proof, for tools that only look. */
  signature(text: string, message: FseMessage, signal?: AbortSignal): Promise<FseSignatureToken>
  /** Both tokens of a call, and that they belong together. */
  pair(headers: HeaderLines, message: FseMessage, channel?: FseChannel, signal?: AbortSignal): Promise<FsePair>
}

const algorithms: readonly JwsAlgorithm[] = ['RS256', 'RS384', 'RS512']
const signingName = /^S[0-9]+#([A-Za-z0-9]{3})/
const channelName = /^A[0-9]+#([A-Za-z0-9]{3})/

/** Verifies the pairs of tokens of the FSE 2.0 gateway (ini.md §5.2–5.4). Throws Refusal, one reason for each rule. */
export function fseVerifier(options: FseOptions): FseVerifier {
  const {
    clockSkewMs = 60_000,
    maximumAgeMs = 300_000,
    organizations,
    policies,
    region,
    signers = [signingName],
  } = options
  const { signatureHeader = 'FSE-JWT-Signature', strictClaims = false } = options
  const demands = {
    use: 'signature',
    keyUsage: 'nonRepudiation',
    names: signers,
    ...(policies === undefined ? {} : { policies }),
  } as const
  const audience = options.audience === undefined ? undefined : [options.audience]
  const common: VerifierOptions = { ...options, audience, keys: certificateKeys(options.trust, demands) }
  const profile = {
    form: { algorithms, types: ['JWT'] },
    times: { clockSkewMs, required: ['exp', 'iat'], maximumAgeMs },
  } as const

  async function verified(text: string, kind: 'auth' | 'integrity', signal?: AbortSignal) {
    const statement = await verifyJws(text, common, profile, signal)
    return { statement, token: tokenOf(statement, kind) }
  }

  function tokenOf({ audience, digest, key, times, token }: VerifiedToken, kind: 'auth' | 'integrity'): FseToken {
    const { payload } = token
    const { certificate } = key
    const commonName = certificate === undefined ? undefined : commonNameOf(certificate)
    if (certificate === undefined || commonName === undefined) throw refused('certificate', 'common-name-is-missing')
    // A certificate that was handed over beforehand is believed whatever it is called; here the name is a rule of its own.
    if (!signers.some((one) => one.test(commonName))) throw refused('certificate', 'common-name-is-no-signers')
    if (region !== undefined && signingName.exec(commonName)?.[1] !== region) {
      throw refused('certificate', 'certificate-is-of-another-region')
    }
    const issuer = requiredText(payload, 'iss')
    if (issuer !== `${kind}:${commonName}`) throw refused('coherence', 'iss-and-certificate-differ')
    if (audience.length !== 1) throw refused('audience', 'aud-is-not-one')
    const tokenId = requiredText(payload, 'jti')
    if (strictClaims) requireKnown(payload, kind === 'auth' ? reservedClaims : signatureClaims)
    const expiresAt = times.expiresAt ?? 0
    return {
      issuer,
      subject: requireSubject(payload),
      tokenId,
      issuedAt: times.issuedAt ?? 0,
      expiresAt,
      certificate,
      commonName,
      digest,
      uses: [useOf(`fse-${kind}`, key, tokenId, expiresAt + clockSkewMs)],
    }
  }

  function withClaims(statement: VerifiedToken, token: FseToken, message: FseMessage): FseSignatureToken {
    const { payload } = statement.token
    const { commonName: signer, digest, expiresAt: validUntil, tokenId: id } = token
    const claims = readFseClaims(payload, organizations, message)
    return {
      ...token,
      claims,
      // The asker's domain is named by its code everywhere in the gateway, not by the certificate.
      assertionFor(community) {
        const frame = { id, issuer: claims.organization, community, validUntil, signer, digest }
        return assertionFrom(payload, fseClaimNames, frame)
      },
    }
  }

  return {
    async bearer(text, channel = {}, signal) {
      const { token } = await verified(text, 'auth', signal)
      requireChannel(token, channel)
      return token
    },
    async signature(text, message, signal) {
      const { statement, token } = await verified(text, 'integrity', signal)
      return withClaims(statement, token, message)
    },
    async pair(headers, message, channel = {}, signal) {
      const lines = [...headers]
      const texts = [bearerToken(lines), bareToken(lines, signatureHeader)] as const
      const { statement: first, token: bearer } = await verified(texts[0], 'auth', signal)
      const { statement: second, token } = await verified(texts[1], 'integrity', signal)
      if (!bearer.certificate.raw.equals(token.certificate.raw)) throw refused('coherence', 'certificates-differ')
      if (bearer.subject !== token.subject) throw refused('coherence', 'subjects-differ')
      if (first.audience[0] !== second.audience[0]) throw refused('coherence', 'audiences-differ')
      requireChannel(token, channel)
      const signature = withClaims(second, token, message)
      return { bearer, signature, uses: [...bearer.uses, ...signature.uses] }
    },
  }
}

/** ini.md §5.4 rule 8: the region of the connection and that of the signature are the same. */
function requireChannel(token: FseToken, { commonName }: FseChannel): void {
  if (commonName === undefined) return
  const channel = channelName.exec(commonName)?.[1]
  if (channel === undefined) throw refused('certificate', 'channel-has-no-region')
  if (channel !== signingName.exec(token.commonName)?.[1]) throw refused('coherence', 'channel-is-of-another-region')
}

function requireKnown(claims: JsonObject, known: readonly string[]): void {
  if (Object.keys(claims).some((name) => !known.includes(name))) throw refused('attributes', 'claim-is-not-expected')
}
