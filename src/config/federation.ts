import { z } from 'zod'

const home = z
  .string()
  .regex(/^urn:oid:[0-2](\.(0|[1-9][0-9]*))+$/, 'must have the form urn:oid:<oid>')
  .max(72)
const file = z.string().min(1)
const pattern = z.string().refine((text) => {
  try {
    return text !== '' && new RegExp(text, 'u') instanceof RegExp
  } catch {
    return false
  }
}, 'must be a regular expression')

const listen = z.strictObject({ host: z.string().default('127.0.0.1'), port: z.int().min(0).max(65_535) })
const keyPair = z.strictObject({ certificate: file, key: file })

const assertions = z.strictObject({
  /** Issuer values of this party's assertions. */
  issuers: z.array(z.string().min(1)).min(1),
  /** Authorities, or signing certificates themselves. */
  anchors: z.array(file).min(1),
  /** Common names of signing certificates under those authorities. */
  signers: z.array(pattern).min(1),
})

const callers = z.strictObject({
  /** Authorities of this party's client certificates. */
  anchors: z.array(file).min(1),
  /** Common names of this party's client certificates. */
  names: z.array(pattern).min(1),
})

const guard = z
  .strictObject({
    timeoutMs: z.int().min(10).default(8_000),
    concurrency: z.int().min(1).max(1_024).default(16),
    queue: z.int().min(0).max(10_000).default(64),
    openAtErrorPercent: z.int().min(1).max(100).default(50),
    minimumCalls: z.int().min(1).default(10),
    resetMs: z.int().min(100).default(30_000),
  })
  .prefault({})

const community = z.strictObject({
  home,
  name: z.string().regex(/^[a-z0-9-]{1,32}$/, 'must be lower-case letters, digits and hyphens'),
  adapter: z.string(),
  options: z.unknown(),
  trust: z.strictObject({
    /** Authorities of the servers we call. */
    tls: z.array(file).min(1),
    /** Present when the community may call us. */
    callers: callers.optional(),
    assertions: assertions.optional(),
  }),
  guard,
  cache: z.strictObject({ ttlMs: z.int().min(1), entries: z.int().min(1).max(100_000) }).optional(),
  connections: z.int().min(1).max(256).default(16),
  connectTimeoutMs: z.int().min(10).default(3_000),
})

const consumer = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]{1,32}$/),
  trust: z.strictObject({ callers, assertions }),
})

/** The configuration of one gateway. Secrets are paths of files, relative to the configuration's own folder. */
export const federation = z
  .strictObject({
    gateway: z.strictObject({
      home,
      organization: z.strictObject({ code: z.string().regex(/^[0-9]{3}$/), name: z.string().min(1) }),
      listen,
      operator: listen,
      identity: z.strictObject({ tls: keyPair, signing: keyPair }),
      application: z.strictObject({ id: z.string(), vendor: z.string(), version: z.string() }),
      store: z.strictObject({ path: file }),
      deadlineMs: z.int().min(100).default(20_000),
      maxMessageBytes: z
        .int()
        .min(1_024)
        .default(4 * 1024 * 1024),
      maxResponseBytes: z
        .int()
        .min(1_024)
        .default(32 * 1024 * 1024),
      clockSkewMs: z.int().min(0).max(300_000).default(60_000),
      assertionLifetimeMs: z.int().min(1_000).default(300_000),
      maxConcurrentExchanges: z.int().min(1).default(256),
      /** `assisted` follows the region of assistance; `everyone` asks all communities about everybody. */
      routing: z.enum(['assisted', 'everyone']).default('assisted'),
      /** What a doubled addressing header is: refused, or the first one taken. */
      addressing: z.enum(['strict', 'lenient']).default('strict'),
      logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    }),
    communities: z.array(community).min(1),
    /** Members of our own affinity domain: portals, clinical desktops, hospital systems. */
    consumers: z.array(consumer).default([]),
  })
  .superRefine(({ gateway, communities, consumers }, context) => {
    const fault = (message: string, ...path: (string | number)[]) => context.addIssue({ code: 'custom', message, path })
    communities.forEach((one, index) => {
      if (one.guard.timeoutMs >= gateway.deadlineMs) {
        fault('must be shorter than gateway.deadlineMs', 'communities', index, 'guard', 'timeoutMs')
      }
      if (communities.findIndex(({ home }) => home === one.home) !== index)
        fault('is listed twice', 'communities', index, 'home')
    })
    const names = [...communities, ...consumers].map(({ name }) => name)
    for (const name of new Set(names)) {
      if (names.filter((other) => other === name).length > 1) fault(`two parties are called ${name}`, 'communities')
    }
    if (!communities.some(({ home }) => home === gateway.home))
      fault('must list the gateway’s own community', 'communities')
  })

export type Federation = z.infer<typeof federation>
export type CommunityConfig = Federation['communities'][number]
