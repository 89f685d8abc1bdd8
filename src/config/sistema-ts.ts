import { z } from 'zod'
import { file, keyFiles } from './authority.ts'

const https = z.url({ protocol: /^https$/ })

/** Name and password, each in a file. */
const basic = z.strictObject({ user: file, password: file })

const common = {
  /** Certificates that pincodes and identifiers are enciphered under: around the end of one also the next. */
  certificates: z.array(file).min(1),
  /** The file with the pincode. */
  pinCode: file,
  /** Codes of outcomes by which Sistema TS refuses our credentials: no public source lists them (sistema-ts.md G.3). */
  refusalCodes: z.array(z.string().regex(/^[0-9]{4}$/, 'must be four digits')).default([]),
}

/** A region: mutual TLS, and a signed assertion about the end user in every call (sistema-ts.md A.6). */
const region = z.strictObject({
  as: z.literal('region'),
  ...common,
  basic: basic.optional(),
  /** How the user's authentication is stated, by the document of 2025 or of 2026. */
  authnContext: z.enum(['forte25', 'a2f26']).default('a2f26'),
  /** Level of assurance: the last part of its URN. */
  level: z.string().min(1).default('iso-iec-29115-LoA3'),
  /** Mode of authentication, which nobody tells the gateway of a single user: the last part of its URN. */
  mode: z.string().min(1),
  /** Region and local health authority, for users whose own place is not told. */
  locality: z.string().regex(/^[0-9]{6}$/, 'must be six digits'),
  /** The key Sistema TS issued for signing; absent, the gateway's own. */
  signing: keyFiles.optional(),
})

/** A direct user: name, password, and a session as the second factor. */
const user = z.strictObject({
  as: z.literal('user'),
  ...common,
  basic,
  /** Absent for users whom a card exempts. */
  session: z
    .union([
      /** Delivered to a mailbox, and put into this file by somebody; it is read anew when it changes. */
      z.strictObject({ file }),
      /** Asked for, where the answer tells it: in test environments. */
      z.strictObject({
        create: https,
        /** Codice fiscale of the user. */
        codiceFiscale: file.optional(),
        context: z.string().min(1).max(30).default('RICETTA-DEM'),
        application: z.enum(['PRESCRITTORE', 'EROGATORE']),
        region: z
          .string()
          .regex(/^[0-9]{3}$/)
          .optional(),
        localAuthority: z
          .string()
          .regex(/^[0-9]{3}$/)
          .optional(),
        facility: z.string().max(6).optional(),
        structure: z.string().max(10).optional(),
        /** How long before its end a session is replaced. */
        renewMs: z.int().min(1_000).default(600_000),
        /** Limit of one request for a session. */
        timeoutMs: z.int().min(10).default(5_000),
      }),
    ])
    .optional(),
})

/** How Sistema TS is spoken to. Secrets are in files. */
export const sistemaTs = z.discriminatedUnion('as', [region, user])

export type SistemaTsConfig = z.infer<typeof sistemaTs>
export type SistemaTsSession = NonNullable<z.infer<typeof user>['session']>
