import { z } from 'zod'

/** What a region's XCA Responding Gateway needs to be asked. Quirks are named, and off unless a peer needs them. */
export const regionOptions = z.strictObject({
  /** ITI-38 endpoint. */
  query: z.url({ protocol: /^https$/ }),
  /** ITI-39 endpoint; absent, its documents cannot be retrieved from it directly. */
  retrieve: z.url({ protocol: /^https$/ }).optional(),
  /** The region registers people under each of their identifiers (default), or resolves them itself. */
  identifiers: z.enum(['each', 'active']).default('each'),
  quirks: z
    .strictObject({
      /** Objects without `home`: refuse the answer as the standard says, or take them as the region's own. */
      missingHome: z.enum(['reject', 'stamp']).default('reject'),
      /** Spelling of the message id. */
      messageId: z.enum(['urn:uuid', 'uuid', 'bare']).default('urn:uuid'),
      /** Several codes in one value, for gateways that read only the first value of a slot. */
      codeLists: z.enum(['one-per-value', 'joined']).default('one-per-value'),
      /** A query without a home is what some gateways insist on when a patient is named. */
      sendHome: z.boolean().default(true),
      /** How requests for documents are packaged; answers are taken either way. */
      packaging: z.enum(['mtom', 'plain']).default('mtom'),
      /** Homes of other communities behind the same gateway. */
      fronts: z.array(z.string()).default([]),
    })
    .prefault({}),
})

export type RegionOptions = z.infer<typeof regionOptions>
