import { X509Certificate } from 'node:crypto'
import type { HomeCommunityId } from '../../core/model/identifiers.ts'
import { type DpopExpectations, dpopVerifier } from './dpop.ts'
import { fseVerifier } from './fse.ts'
import type { FseOperation } from './fse-claims.ts'
import { fixedKeys, type KeySet, unitedKeySets } from './key-set.ts'
import { byPresentation, pinnedCertificates } from './keys.ts'
import { modiVerifier } from './modi.ts'
import type { SignedMessage } from './modi-integrity.ts'
import { pdndVerifier } from './pdnd.ts'
import { portalVerifier } from './portal.ts'
import { jwsAlgorithms, readToken } from './token.ts'
import { type VerifierOptions, verifyJws } from './verify-jws.ts'
import { certificateKeys } from './x5c.ts'

/** What a token is judged as; `jwt` is any signed token. */
export const tokenProfiles = [
  'jwt',
  'portal',
  'fse-auth',
  'fse-signature',
  'modi-auth',
  'modi-integrity',
  'modi-audit',
  'pdnd-voucher',
  'dpop',
] as const

export type TokenProfile = (typeof tokenProfiles)[number]

/** How a token is looked at by itself. What is not given is not compared. */
export interface TokenQuestion {
  readonly profile: TokenProfile
  readonly trust: {
    /** Authorities and signing certificates. */
    readonly certificates: readonly X509Certificate[]
    readonly jwks: readonly KeySet[]
  }
  readonly audience?: string
  readonly issuer?: string
  /** The instant it is judged at, in milliseconds since the epoch. */
  readonly at: number
  readonly clockSkewMs?: number
  /** Organizations of the affinity domain, for `fse-signature`. */
  readonly organizations: Readonly<Record<string, string>>
  readonly operation?: FseOperation
  /** The message of `modi-integrity`. */
  readonly message?: SignedMessage
  /** The request of `dpop`. */
  readonly request?: DpopExpectations
  /** The community of `portal`. */
  readonly community: HomeCommunityId
}

/** What was understood of an accepted token. Certificates are named by subject, issuer and fingerprint. */
export interface ReadToken {
  readonly read: Readonly<Record<string, unknown>>
}

/** Longer than any header: what stands in a file may be anything. */
const maxLength = 16_777_216

/**
 * Judges one token by exactly what the gateway runs, remembering nothing. A token that brings certificates is held against
 * the trusted ones; any other against the key sets, or else the trusted signing certificates. One line break at the end is
 * passed over. Throws Refusal.
 */
export async function verifyToken(text: string, question: TokenQuestion): Promise<ReadToken> {
  const token = text.replace(/\r?\n$/, '')
  const result = await judged(token, question)
  const { header } = readToken(token, {
    algorithms: jwsAlgorithms,
    types: undefined,
    embeddedKey: question.profile === 'dpop',
    maxLength,
  })
  const { alg, kid, typ } = header
  return { read: printable({ alg, typ, kid, ...result }) as ReadToken['read'] }
}

function judged(text: string, question: TokenQuestion): Promise<object> {
  const { at, audience, community, issuer, message, operation, organizations, profile, request = {}, trust } = question
  const options: VerifierOptions = {
    keys: keysOf(trust),
    clock: { now: () => at },
    audience: audience === undefined ? undefined : [audience],
    maxLength,
    ...(question.clockSkewMs === undefined ? {} : { clockSkewMs: question.clockSkewMs }),
  }
  const fse = () => fseVerifier({ ...options, audience, trust: { anchors: trust.certificates }, organizations })
  const modi = () =>
    modiVerifier({ ...options, authentication: 'ID_AUTH_REST_01', ...(issuer === undefined ? {} : { issuer }) })
  switch (profile) {
    case 'jwt':
      return anyToken(text, options)
    case 'portal':
      return portalVerifier({ ...options, issuer, community, untyped: true })(text)
    case 'fse-auth':
      return fse().bearer(text)
    case 'fse-signature':
      return fse().signature(text, { operation })
    case 'modi-auth':
      return modi().authentication(text)
    case 'modi-integrity':
      return modi().integrity(text, message)
    case 'modi-audit':
      return modi().tracking(text, undefined)
    case 'pdnd-voucher':
      return pdndVerifier({ ...options, issuer }).voucher(text)
    case 'dpop':
      return dpopVerifier(options)(text, request)
  }
}

function keysOf({ certificates, jwks }: TokenQuestion['trust']) {
  const demands = { use: 'signature' } as const
  return byPresentation({
    certified: certificates.length === 0 ? undefined : certificateKeys({ anchors: certificates }, demands),
    others: jwks.length > 0 ? fixedKeys(unitedKeySets(jwks)) : pinnedCertificates(certificates, demands),
  })
}

async function anyToken(text: string, options: VerifierOptions): Promise<object> {
  const { clockSkewMs = 60_000 } = options
  const form = { algorithms: jwsAlgorithms, types: undefined }
  const times = { clockSkewMs, required: [] }
  const { digest, key, token } = await verifyJws(text, options, { form, times })
  const { certificate, signer } = key
  return { claims: token.payload, signer, digest, ...(certificate === undefined ? {} : { certificate }) }
}

/** Plain values only: functions go, certificates become what names them. */
function printable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(printable)
  if (value instanceof X509Certificate) {
    const { fingerprint256, issuer, subject } = value
    return { subject, issuer, fingerprint256 }
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== undefined && typeof one !== 'function')
      .map(([name, one]) => [name, printable(one)]),
  )
}
