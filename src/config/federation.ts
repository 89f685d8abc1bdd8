import { z } from 'zod'
import { authority, file, keyFiles, pattern } from './authority.ts'
import { sistemaTs } from './sistema-ts.ts'
import { tokens } from './tokens.ts'

const home = z
  .string()
  .regex(/^urn:oid:[0-2](\.(0|[1-9][0-9]*))+$/, 'must have the form urn:oid:<oid>')
  .max(72)
const listen = z.strictObject({ host: z.string().default('127.0.0.1'), port: z.int().min(0).max(65_535) })

/** A signing key in a file, or behind a socket in a process that never shows it (HSM, PKCS#11 daemon). */
const signingKey = z.union([keyFiles, z.strictObject({ signer: z.string().min(1) })])

const words = z.record(z.string().min(1), z.string().min(1)).default({})

const assertions = z.strictObject({
  ...authority,
  /** The form of this party's assertions: INI's, or IHE XUA's. */
  profile: z.enum(['ini', 'xua']).default('ini'),
  /** Issuer values of this party's assertions. */
  issuers: z.array(z.string().min(1)).min(1),
  /** Common names of signing certificates under those authorities. */
  signers: z.array(pattern).min(1),
  /** Takes RSA with SHA-1 and SHA-1 digests, which some communities still sign with. */
  sha1: z.boolean().default(false),
  /** An assertion may come in many messages of one presenter, each of them new; or in one message only. */
  replay: z.enum(['message', 'once']).default('message'),
  /** How long after its making an assertion is taken at most. Absent, as long as it says itself. */
  maxAgeMs: z.int().min(1_000).optional(),
  /** What an assertion of profile `ini` must state beyond patient-independent basics. */
  mandatory: z.array(z.enum(['document-types', 'application'])).default(['document-types', 'application']),
  /** Codes of profile `xua` in the affinity domain's words: `code` or `codeSystem|code` to a role or purpose. */
  roles: words,
  purposes: words,
})

/** INI's identification assertions: every identifier of a citizen, vouched for by the national registry. */
const identification = z.strictObject({
  ...authority,
  issuers: z.array(z.string().min(1)).min(1).default(['ANA']),
  signers: z.array(pattern).min(1),
  sha1: z.boolean().default(false),
})

const signaturePattern = z.enum(['ID_AUTH_SOAP_01', 'ID_AUTH_SOAP_02', 'INTEGRITY_SOAP_01'])

/** Messages this party must sign as a ModI pattern asks (sistema-ts.md B.1), on top of the assertion in them. */
const messageSignature = z.strictObject({
  ...authority,
  pattern: signaturePattern,
  /** Of INTEGRITY_SOAP_01: whether the message id must be signed too. */
  messageId: z.boolean().default(true),
  /** Common names of the signing certificates. */
  signers: z.array(pattern).min(1),
  sha1: z.boolean().default(false),
  /** The longest time a message may claim to be good for. */
  maxAgeMs: z.int().min(1_000).default(300_000),
  /** Our own addresses, of which `wsa:To` must be one. Empty, any will do. */
  to: z.array(z.string().min(1)).default([]),
})

/** How our own messages to a community are signed and vouched for beyond the assertion (sistema-ts.md B). */
const modi = z.strictObject({
  /** X.509 signatures in SOAP messages. */
  message: z
    .strictObject({
      pattern: signaturePattern,
      messageId: z.boolean().default(true),
      /** Whether certificates of intermediate authorities go along. */
      path: z.boolean().default(false),
      lifetimeMs: z.int().min(1_000).default(60_000),
    })
    .optional(),
  /** Tokens in headers, of REST and of SOAP requests alike. */
  tokens: z
    .strictObject({
      authentication: z.enum(['ID_AUTH_REST_01', 'ID_AUTH_REST_02']).optional(),
      integrity: z.enum(['INTEGRITY_REST_01', 'INTEGRITY_REST_02']).optional(),
      audit: z.enum(['AUDIT_REST_01', 'AUDIT_REST_02']).optional(),
      /** How the partner finds our key. */
      reference: z.union([z.enum(['x5c', 'x5t#S256']), z.strictObject({ kid: z.string().min(1) })]).default('x5c'),
      audience: z.string().min(1),
      issuer: z.string().min(1).optional(),
      purposeId: z.uuid().optional(),
      lifetimeMs: z.int().min(1_000).default(60_000),
      signEmptyBody: z.boolean().default(false),
      sharedJti: z.boolean().default(true),
      digestLabel: z.enum(['SHA-256', 'sha-256']).default('SHA-256'),
      /** `userLocation` and `LoA` of the tracking evidence. */
      userLocation: z.string().min(1).optional(),
      loa: z.string().min(1).optional(),
    })
    .optional(),
  /** A voucher of PDND with each request. */
  pdnd: z
    .strictObject({
      endpoint: z.url({ protocol: /^https$/ }),
      /** Authorities of PDND's server. */
      tls: z.array(file).min(1),
      audience: z.string().min(1),
      clientId: z.uuid(),
      kid: z.string().min(1),
      purposeId: z.uuid().optional(),
      /** How long before its end a voucher is no longer used. */
      skewMs: z.int().min(0).default(30_000),
      /** Binds vouchers to our key. */
      dpop: z.boolean().default(false),
    })
    .optional(),
})

const callers = z
  .strictObject({
    ...authority,
    /** Common names of this party's client certificates. */
    names: z.array(pattern).default([]),
    /** Alternative names (DNS, URI, e-mail) of this party's client certificates, where the common name does not tell. */
    alternativeNames: z.array(pattern).default([]),
  })
  .refine(({ names, alternativeNames }) => names.length + alternativeNames.length > 0, {
    path: ['names'],
    message: 'must name somebody, here or in alternativeNames',
  })

const milliseconds = (least: number, standard: number) => z.int().min(least).default(standard)

/** PostgreSQL, for gateways with more than one replica. */
const postgres = z
  .strictObject({
    /** A name or address; a folder with the server's socket begins with `/`. */
    host: z.string().min(1),
    port: z.int().min(1).max(65_535).optional(),
    database: z.string().min(1),
    user: z.string().min(1),
    passwordFile: file.optional(),
    tls: z.strictObject({ ca: file, client: z.strictObject({ certificate: file, key: file }).optional() }).optional(),
    schema: z
      .string()
      .regex(/^(?!pg_)[a-z_][a-z0-9_]{0,62}$/, 'must be a plain lower-case name')
      .default('crocevia'),
    connections: z.int().min(3).max(100).default(6),
    deadlineMs: milliseconds(100, 5_000),
    connectMs: milliseconds(100, 2_000),
    statementMs: milliseconds(50, 3_000),
    lockMs: milliseconds(10, 2_000),
  })
  .refine(({ lockMs, statementMs, deadlineMs }) => lockMs < statementMs && statementMs < deadlineMs, {
    path: ['deadlineMs'],
    message: 'must be longer than statementMs, and that longer than lockMs',
  })
  .refine(({ deadlineMs }) => deadlineMs < 60_000, { path: ['deadlineMs'], message: 'must be less than a minute' })
  .refine(({ host, tls }) => tls !== undefined || /^(\/|localhost$|127\.|::1$)/.test(host), {
    path: ['tls'],
    message: 'is needed for another machine',
  })

/** Where the audit trail and the replay memory are kept: in one file of this machine, or in PostgreSQL. */
const store = z.union([z.strictObject({ path: file }), z.strictObject({ postgres })])

const policyFault = z.string().regex(/^P[A-Z]{2}[0-9]+$/, 'must be a code such as PFC3')
const day = 86_400_000

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
    /** Revocation lists of those authorities; without them revocation is not checked. */
    tlsRevocationLists: z.array(file).default([]),
    /** Present when the community may call us. */
    callers: callers.optional(),
    assertions: assertions.optional(),
    identification: identification.optional(),
    message: messageSignature.optional(),
  }),
  modi: modi.optional(),
  /** Present for Sistema TS and for what is spoken to as it is. */
  sistemaTs: sistemaTs.optional(),
  retrieval: z
    .strictObject({
      /** Limit of one request for documents. */
      timeoutMs: z.int().min(10).default(60_000),
      /** How many documents one request may name. */
      mostAtOnce: z.int().min(1).max(256).default(5),
      /** What is done with a document whose entry states neither hash nor size. */
      unverified: z.enum(['deliver', 'refuse']).default('deliver'),
    })
    .prefault({}),
  /** The form of the assertions we send. Of profile `xua`, the audience is the community's own name for itself. */
  vouching: z
    .discriminatedUnion('profile', [
      z.strictObject({ profile: z.literal('ini') }),
      z.strictObject({
        profile: z.literal('xua'),
        audience: z.string().min(1),
        roleSystem: z.string().optional(),
        purposeSystem: z.string().optional(),
      }),
    ])
    .default({ profile: 'ini' }),
  guard,
  cache: z.strictObject({ ttlMs: z.int().min(1), entries: z.int().min(1).max(100_000) }).optional(),
  connections: z.int().min(1).max(256).default(16),
  connectTimeoutMs: z.int().min(10).default(3_000),
})

const consumer = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]{1,32}$/),
  trust: z
    .strictObject({
      callers,
      /** Present when it asks at the SOAP doors. */
      assertions: assertions.optional(),
      /** Present when it asks at the REST doors. */
      tokens: tokens.optional(),
    })
    .refine(({ assertions, tokens }) => assertions !== undefined || tokens !== undefined, 'needs assertions or tokens'),
})

/** The configuration of one gateway. Secrets are paths of files, relative to the configuration's own folder. */
export const federation = z
  .strictObject({
    gateway: z.strictObject({
      home,
      organization: z.strictObject({
        code: z.string().regex(/^[0-9]{3}$/),
        name: z.string().min(1),
        /** XON told as the place of callers whose assertions name none (ini.md §2.3). */
        locality: z
          .string()
          .regex(/^[^^]*\^{5}&[^&]*&ISO\^{4}[^^&]*$/, 'must have the form NAME^^^^^&OID&ISO^^^^CODE')
          .optional(),
      }),
      listen,
      operator: listen,
      identity: z.strictObject({ tls: keyFiles, signing: signingKey }),
      application: z.strictObject({ id: z.string(), vendor: z.string(), version: z.string() }),
      store,
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
      /** Names by which assertions may be addressed to us (AudienceRestriction, Recipient). */
      audiences: z.array(z.string().min(1)).default([]),
      /** How long after its next update a revocation list is still relied on. */
      revocationGraceMs: z
        .int()
        .min(0)
        .max(31 * day)
        .default(day),
      /** How often files of keys, certificates and lists are looked at for changes. */
      reloadEveryMs: z.int().min(100).max(3_600_000).default(10_000),
      /** Codes of INI's access policy faults for refusals whose code no public source tells (ini.md §9 no. 2). */
      policyFaults: z
        .strictObject({
          signature: policyFault.default('PFC3'),
          validity: policyFault.default('PFC3'),
          audience: policyFault.default('PFC3'),
          replay: policyFault.default('PFC3'),
          coherence: policyFault.default('PIT2'),
          action: policyFault.default('PFA14'),
          documentTypes: policyFault.default('PFA14'),
        })
        .prefault({}),
      retrieval: z
        .strictObject({
          /** Within which a retrieval is answered; sending the documents comes after. */
          deadlineMs: z.int().min(100).default(120_000),
          /** An audit record names every one of them, and has its bound. */
          maxDocuments: z.int().min(1).max(64).default(64),
          maxDocumentBytes: z
            .int()
            .min(1_024)
            .default(256 * 1024 * 1024),
          /** Folder of documents under way, of each what is beyond 16 MiB; absent, the system's own. */
          spool: file.optional(),
        })
        .prefault({}),
      /** What portals and clinical desktops ask by REST. */
      api: z
        .strictObject({
          /** How long a document can be asked for by the handle that an index tells. */
          handleLifetimeMs: z
            .int()
            .min(1_000)
            .max(86_400_000)
            .default(15 * 60_000),
          /** File of 32 random bytes that seal handles, the same for every replica; absent, each process makes its own. */
          handleKey: file.optional(),
          /** How often one consumer may ask in a minute; each replica counts what comes to it. */
          requestsPerMinute: z.int().min(1).default(1_200),
          /** Origins whose pages may read what is answered (CORS). */
          origins: z
            .array(
              z
                .string()
                .regex(/^https?:\/\/[a-z0-9.-]+(?::[0-9]{1,5})?$/, 'must be an origin such as https://portal.example'),
            )
            .default([]),
        })
        .prefault({}),
      /** The same by FHIR R4 (MHD, PDQm, PIXm). */
      fhir: z
        .strictObject({
          /** `[base]` as callers know it; absent, as each request addresses it. */
          base: z.url({ protocol: /^https$/, hostname: z.regexes.domain }).optional(),
          /** Whether parameters that name people may stand in addresses, which end up in logs. */
          identifiersInUrls: z.boolean().default(false),
          /** Resources of a page where nobody says how many. */
          pageSize: z.int().min(1).max(200).default(50),
          /** How long the further pages of an answer can be asked for. */
          pagesKeptMs: z.int().min(1_000).max(900_000).default(120_000),
          /** Most documents in answers whose pages are kept, in the memory of each replica. */
          mostKept: z.int().min(1).default(20_000),
        })
        .prefault({}),
      /** What INI pushes into our index. */
      pushes: z
        .strictObject({
          /** Whether a push is taken while our record does not answer; it is kept and delivered later. */
          whenRecordDown: z.enum(['accept', 'refuse']).default('accept'),
          /** Rules about metadata, by code or by name, whose violation is told as a warning and does not block (`R56`). */
          lenient: z.array(z.string().min(1)).default([]),
          /** Code of a wrong display of any code but the document's type: no public source tells it (ini.md §6.1). */
          displayCode: z.string().min(1).default('XDSRegistryMetadataError'),
          /** Within which the same notification, told again without a message id, is the same (ini.md §7.2: none has a correlation). */
          repeatWithinMs: z.int().min(1_000).default(900_000),
          /** How long what was delivered or discarded is kept, and recognised when it comes again. */
          keptDays: z.int().min(1).max(3_650).default(90),
          /** Whether a retrieval of references is answered for the author of the document only (ini.md §2.6). */
          referencesTo: z.enum(['author', 'anybody']).default('author'),
          /** How our record is told who hides a document that INI notified us of. */
          hidingRole: z.string().min(1).default('NOR'),
          /** Its subject, HL7 CX; absent, our organization's code in our own arc. */
          hidingSubject: z.string().min(1).optional(),
        })
        .prefault({}),
      /** Present when the national FSE 2.0 gateway calls back to tell how publications go on (ini.md §7.4). */
      workflowStatus: z.strictObject({ callers }).optional(),
      /** Who may know of documents by their type; a role that stands in no row may know of all (AD 6.4 is not public: ini.md §9 no. 2). */
      access: z
        .strictObject({
          documentTypes: z
            .array(
              z.strictObject({
                roles: z.array(z.string()).min(1),
                purposes: z.array(z.string()).min(1).optional(),
                /** LOINC codes. */
                types: z.array(z.string()),
              }),
            )
            .default([]),
          /** Whether who treats must claim presa in carico: denying it refuses, or not claiming it, or neither (ini.md §2.6). */
          careClaim: z.enum(['not-denied', 'claimed', 'ignored']).default('not-denied'),
          /** Who may push documents in the transfer of an index (ini.md §9 no. 3); absent, whoever plausibly does. */
          indexPush: z
            .strictObject({
              roles: z.array(z.string()).min(1),
              purposes: z.array(z.string()).min(1),
              actions: z.array(z.enum(['CREATE', 'UPDATE'])).min(1),
            })
            .optional(),
        })
        .prefault({}),
      /** Consents are asked for when a community is named here; absent, they are not held against anything. */
      consents: z
        .strictObject({
          /** The community that knows them. */
          source: z.string().min(1),
          /** How long an answer is relied on when nobody told us of a change. */
          maxAgeMs: z.int().min(0).max(86_400_000).default(300_000),
          /** Purposes of use that need no consent to consultation beside the citizen's own (ini.md §4.7, #2505). */
          exempt: z.array(z.string()).default([]),
          /** Purposes of use that need the consents of Affinity Domain 2.6.4; its codes for them are in no public source. */
          purposes: z
            .strictObject({
              C5: z.array(z.string()).default([]),
              C6: z.array(z.string()).default([]),
              C7: z.array(z.string()).default([]),
              C8: z.array(z.string()).default([]),
            })
            .prefault({}),
          /** Documents of before this day need the consent to what is past: YYYYMMDD. Absent, there is no such day. */
          pastBefore: z
            .string()
            .regex(/^[0-9]{8}$/)
            .optional(),
        })
        .optional(),
      /** A registry of citizens that completes our patient index: their identifiers and region of assistance. */
      citizens: z
        .strictObject({
          /** The community that keeps it. */
          source: z.string().min(1),
          /** How long what it told is relied on. */
          maxAgeMs: z.int().min(0).max(86_400_000).default(3_600_000),
        })
        .optional(),
      /** What is told to others later and must arrive: pushes to our record, notices of retrievals. */
      deliveries: z
        .strictObject({
          /** How many are under way at once. */
          concurrency: z.int().min(1).max(64).default(4),
          /** Limit of one attempt. */
          timeoutMs: z.int().min(10).default(30_000),
          /** Wait after the first attempt that failed; each wait is twice the one before. */
          firstRetryMs: z.int().min(10).default(1_000),
          longestRetryMs: z.int().min(10).default(900_000),
          /** After so many attempts somebody has to look at it. */
          mostAttempts: z.int().min(1).default(100),
        })
        .prefault({}),
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
    for (const [list, parties] of Object.entries({ communities, consumers })) {
      for (const [index, { trust }] of parties.entries()) {
        if (trust.assertions?.profile === 'xua' && gateway.audiences.length === 0) {
          fault('needs gateway.audiences', list, index, 'trust', 'assertions', 'profile')
        }
      }
    }
    communities.forEach((one, index) => {
      if (one.retrieval.timeoutMs >= gateway.retrieval.deadlineMs) {
        fault('must be shorter than gateway.retrieval.deadlineMs', 'communities', index, 'retrieval', 'timeoutMs')
      }
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
    const { consents } = gateway
    if (consents !== undefined && !communities.some(({ name }) => name === consents.source))
      fault('must name a community', 'gateway', 'consents', 'source')
    const { citizens } = gateway
    if (citizens !== undefined && !communities.some(({ name }) => name === citizens.source))
      fault('must name a community', 'gateway', 'citizens', 'source')
    if (!communities.some(({ home }) => home === gateway.home))
      fault('must list the gateway’s own community', 'communities')
  })

export type Federation = z.infer<typeof federation>
export type CommunityConfig = Federation['communities'][number]
