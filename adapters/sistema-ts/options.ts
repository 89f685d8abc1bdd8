import { z } from 'zod'
import { practiceSettingCodes } from '../../contracts/affinity-domain/settings.ts'

const https = z.url({ protocol: /^https$/ })
const code = z.string().min(1).max(16)

/** How prescriptions and citizens are asked for. Who asks, and with which credentials, is the entry's `sistemaTs`. */
export const sistemaTsOptions = z
  .strictObject({
    /** Which service lists a citizen's prescriptions: the dispensers' own, or a region's reception system (SAR). */
    list: z.enum(['elencoRicette', 'sar']).optional(),
    /** Host of the dispensers' service; its path is the national one. */
    host: https.optional(),
    /** In whose name dispensers' operations are asked: region, local health authority and facility. */
    dispenser: z
      .strictObject({
        region: z.string().regex(/^[0-9]{3}$/),
        localAuthority: z.string().regex(/^[0-9]{3}$/),
        facility: code,
        /** Identifies the operator (`pwd`). */
        operator: code.optional(),
      })
      .optional(),
    /** The SAR's list: its address, and its action and namespace, which are each region's own. */
    sar: z
      .strictObject({
        url: https,
        action: z.string().min(1),
        namespace: z.string().min(1).optional(),
        application: z.string().min(1).optional(),
        /** Who is told to ask (`richiedente`) where the caller is named by no codice fiscale. */
        requester: code.optional(),
      })
      .optional(),
    /** Whether a citizen's code goes enciphered or in clear: no public source says. */
    citizenCode: z.enum(['enciphered', 'clear']).default('enciphered'),
    /** A citizen has several codes: asked once under each, or under the one in force. */
    identifiers: z.enum(['each', 'active']).default('each'),
    /** How many prescriptions of a list are looked at, the first ones. */
    mostPrescriptions: z.int().min(1).max(2_000).default(200),
    /** How many of them at a time. */
    viewsAtOnce: z.int().min(1).max(32).default(4),
    /** Repository of the documents that are made here; absent, `<home>.4.5.1`. */
    repositoryUniqueId: z
      .string()
      .regex(/^[0-2](\.(0|[1-9][0-9]*))+$/, 'must be an OID')
      .optional(),
    /** practiceSettingCode of these documents: no public source tells it. */
    practiceSetting: z.enum(Object.keys(practiceSettingCodes) as [string, ...string[]]).default('AD_PSC999'),
    /** The registry of citizens: "interrogazione in mobilità". */
    citizens: z
      .strictObject({
        url: https,
        /** Three digits of the region that asks. */
        region: z.string().regex(/^[0-9]{3}$/),
        action: z.string().min(1).optional(),
        namespace: z.string().min(1).optional(),
      })
      .optional(),
  })
  .check(({ value, issues }) => {
    const { list, host, dispenser, sar, citizens } = value
    const needs = (path: string) => issues.push({ code: 'custom', input: value, path: [path], message: 'is needed' })
    if (list === 'elencoRicette' && host === undefined) needs('host')
    if (list === 'elencoRicette' && dispenser === undefined) needs('dispenser')
    if (list === 'sar' && sar === undefined) needs('sar')
    if (list === undefined && citizens === undefined) needs('list')
  })

export type SistemaTsOptions = z.infer<typeof sistemaTsOptions>
