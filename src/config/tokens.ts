import { z } from 'zod'
import { authority, file, pattern } from './authority.ts'

const words = z.array(z.string().min(1)).min(1)
const https = z.url({ protocol: /^https$/ })

/** The gateway's address as callers know it, before the path: what their DPoP proofs are made for (RFC 9449 `htu`). */
const address = https.refine((text) => {
  const { username, password, search, hash } = new URL(text)
  return username + password + search + hash === ''
}, 'must be an address without user information, query and fragment')

/** The public keys of an issuer: in a file, or where their owner keeps them, by a server these authorities vouch for. */
const jwks = z.union([
  z.strictObject({ file }),
  z.strictObject({
    url: https,
    ...authority,
    /** How long keys are used without asking for them again. */
    freshForMs: z.int().min(1_000).default(600_000),
    /** How long after that they are still used while they cannot be had. */
    staleForMs: z.int().min(0).default(86_400_000),
  }),
])

const algorithm = z.enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'])

/** Claims that have other names than in the national gateway's tokens (ini.md §5.3). */
const claims = z.strictObject({
  subject: z.string().min(1).optional(),
  role: z.string().min(1).optional(),
  purposeOfUse: z.string().min(1).optional(),
  action: z.string().min(1).optional(),
  organization: z.string().min(1).optional(),
  organizationName: z.string().min(1).optional(),
  locality: z.string().min(1).optional(),
  patientId: z.string().min(1).optional(),
  inCare: z.string().min(1).optional(),
  documentTypes: z.string().min(1).optional(),
  applicationId: z.string().min(1).optional(),
  applicationVendor: z.string().min(1).optional(),
  applicationVersion: z.string().min(1).optional(),
})

/** Access tokens of an OpenID provider, with the claims of the FSE. */
const portal = z.strictObject({
  profile: z.literal('portal'),
  issuer: z.string().min(1),
  audience: words,
  jwks,
  algorithms: z.array(algorithm).min(1).default(['RS256', 'PS256', 'ES256']),
  types: words.default(['JWT', 'at+jwt']),
  /** The applications tokens may have been issued to; absent, any. */
  clients: words.optional(),
  claims: claims.default({}),
  /** Whether a token is good for one request only. */
  once: z.boolean().default(false),
  maximumAgeMs: z.int().min(1_000).optional(),
  maximumLifetimeMs: z.int().min(1_000).optional(),
  /** Present where tokens may be bound to a key of their presenter. */
  address: address.optional(),
})

/** Pairs of tokens as the national gateway takes them (ini.md §5). */
const fse = z.strictObject({
  profile: z.literal('fse'),
  audience: z.string().min(1),
  ...authority,
  /** Common names of signing certificates. */
  signers: z.array(pattern).min(1).default(['^S[0-9]+#[A-Za-z0-9]{3}']),
  /** The three characters of a region; absent, any region's signatures are taken. */
  region: z
    .string()
    .regex(/^[A-Za-z0-9]{3}$/, 'must be three letters or digits')
    .optional(),
  signatureHeader: z.string().min(1).default('FSE-JWT-Signature'),
  /** Whether the certificate of the connection must be of the same region as that of the signature. */
  channel: z.enum(['same-region', 'any']).default('same-region'),
  /** Whether claims that are in no table are refused. */
  strictClaims: z.boolean().default(false),
  maximumAgeMs: z.int().min(1_000).default(300_000),
  /** Statuses about which the national gateway's documentation, the default, and its code disagree (ini.md §5.5). */
  missingTokenStatus: z.literal([403, 400]).default(403),
  invalidTokenStatus: z.literal([403, 401]).default(403),
})

const pdnd = z.strictObject({
  issuer: z.string().min(1),
  audience: words,
  jwks,
  /** The clients of this consumer; absent, vouchers of any. */
  clients: z.array(z.uuid()).min(1).optional(),
  purposeIds: z.array(z.uuid()).min(1).optional(),
  producerId: z.string().min(1).optional(),
  eserviceId: z.string().min(1).optional(),
  descriptorId: z.string().min(1).optional(),
  address,
})

/** What an organization agreed to by the patterns of ModI, with or without vouchers of PDND (sistema-ts.md B.1, B.6). */
const modi = z
  .strictObject({
    profile: z.literal('modi'),
    audience: words,
    authentication: z.enum(['ID_AUTH_REST_01', 'ID_AUTH_REST_02']).optional(),
    integrity: z.enum(['INTEGRITY_REST_01', 'INTEGRITY_REST_02']).optional(),
    audit: z.enum(['AUDIT_REST_01', 'AUDIT_REST_02']).optional(),
    /** `iss` of its tokens; absent, whatever the keys vouch for. */
    issuer: z.string().min(1).optional(),
    /** Certificates that come along (`x5c`) or were handed over, or keys that are named (`kid`). */
    keys: z
      .union([z.strictObject({ ...authority, signers: z.array(pattern).min(1).optional() }), z.strictObject({ jwks })])
      .optional(),
    clockSkewMs: z.int().min(0).max(300_000).default(5_000),
    maximumAgeMs: z.int().min(1_000).default(300_000),
    /** Whether messages without a body must be signed too. */
    signEmptyBody: z.boolean().default(false),
    /** Whether `Authorization` and `Agid-JWT-Signature` must have the same `jti`, and which of the two is remembered. */
    sharedJti: z.boolean().default(true),
    replay: z.enum(['authorization', 'integrity']).default('authorization'),
    digestLabels: z.enum(['any-case', 'exact']).default('any-case'),
    /** The voucher in `Authorization`. */
    pdnd: pdnd.optional(),
  })
  .superRefine(({ authentication, integrity, audit, keys, pdnd }, context) => {
    const fault = (message: string, ...path: string[]) => context.addIssue({ code: 'custom', message, path })
    if (authentication === undefined && pdnd === undefined) fault('needs authentication or pdnd')
    if (authentication !== undefined && pdnd !== undefined) fault('is where the voucher stands', 'authentication')
    if (audit === 'AUDIT_REST_02' && pdnd === undefined) fault('needs pdnd', 'audit')
    const signs = authentication !== undefined || integrity !== undefined || audit !== undefined
    if (signs && keys === undefined) fault('is needed to verify what is signed', 'keys')
    if (!signs && keys !== undefined) fault('verifies nothing', 'keys')
  })

/** How the requests of a consumer to the REST doors must be authenticated, beyond the certificate of its connection. */
export const tokens = z.discriminatedUnion('profile', [portal, fse, modi])

export type TokensConfig = z.infer<typeof tokens>
export type PortalTokens = z.infer<typeof portal>
export type FseTokens = z.infer<typeof fse>
export type ModiTokens = z.infer<typeof modi>
export type JwksConfig = z.infer<typeof jwks>
