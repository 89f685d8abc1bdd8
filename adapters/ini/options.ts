import { z } from 'zod'
import { consentNames } from '../../src/core/model/consents.ts'
import { operationNames } from './operations.ts'

/** Where INI is and how it is spoken to. */
export const iniOptions = z.strictObject({
  /** Scheme, host and port; the paths are INI's own (ini.md §1.2). */
  base: z.url({ protocol: /^https$/ }),
  /** Paths that are others than INI's own in this environment, by the name of the operation. */
  paths: z.partialRecord(z.enum(operationNames), z.string().startsWith('/')).default({}),
  /** Whether INI is told of what our producers publish about those whom others assist. */
  publish: z.boolean().default(false),
  /** How metadata are updated: by ITI-57, or the old way, by a document that replaces itself (#761 in ini.md §3.3). */
  updateBy: z.enum(['iti-57', 'iti-42']).default('iti-57'),
  /** In which role documents are looked up before a change: its author's (ini.md §2.6), or the national gateway's (§2.4). */
  lookUpRole: z.enum(['author', 'GTW']).default('author'),
  /** Whether a document that is not found is asked for again as its author's, who is told of obscured ones (ini.md §1.5). */
  authorSlot: z.boolean().default(true),
  /** Whether indexes of those whom we assist now may be moved to us. */
  indexTransfer: z.boolean().default(false),
  /** How many documents of an index are read, or removed, by one request: INI's own limit is in no public source. */
  transferChunk: z.int().min(1).max(500).default(50),
  /** Address of ITI-43: no public source tells its path on INI (ini.md §9 no. 1). Absent, nothing is retrieved through INI. */
  retrieve: z.url({ protocol: /^https$/ }).optional(),
  /** How requests for documents are packaged; answers are taken either way. */
  packaging: z.enum(['mtom', 'plain']).default('mtom'),
  /** Address that takes notices of retrievals: no public source tells it (ini.md §9). Absent, nobody is told. */
  notifyRetrieve: z.url({ protocol: /^https$/ }).optional(),
  /** Whose home such a notice names: by its schema the region of assistance's; INI's own notices name none (ini.md §7.2). */
  notifyHome: z.enum(['absent', 'document', 'assistance']).default('absent'),
  /** Whether INI is asked for the consents of those we assist; then nobody's record is told without. */
  consents: z.boolean().default(false),
  /** Path of INI's consent service on `base` (ini.md §1.2, row 9). */
  consentsPath: z.string().startsWith('/').default('/FSEConsensiWeb/CommunicationConsent_Service'),
  /** How the patient is spelt to it, which no public source shows: `ID^^^&OID&ISO` or the bare value (ini.md §7.2). */
  consentsPatient: z.enum(['cx', 'value']).default('cx'),
  /** Whether an assertion goes with a question of the consent services: regions send one (#2120, #2791, #2810). */
  consentsAssertion: z.enum(['attribute', 'none']).default('attribute'),
  /** The purpose of use it claims: that of consents (ini.md §2.4), or our caller's. */
  consentsPurpose: z.enum(['CONSENT', 'caller']).default('CONSENT'),
  /** Whom the assertion of a parent or guardian is about: themselves (Framework, table 33), or the patient (#3087). */
  consentsResource: z.enum(['requestor', 'patient']).default('requestor'),
  /** Whether consents may be set at INI. */
  consentRegister: z.boolean().default(false),
  /** Which consents a set must name (AU1); absent, those INI tells of the patient. */
  consentsManaged: z.array(z.enum(consentNames)).min(2).optional(),
  /** Address of the Disclosure manager: no public source tells it (ini.md §1.2, row 12). Absent, there are no notices. */
  disclosures: z.url({ protocol: /^https$/ }).optional(),
  /** Whether INI is asked what somebody declared about giving organs. */
  organDonation: z.boolean().default(false),
  /** How the patient is spelt to that service: bare as in its specification's example (#2833), or `ID^^^&OID&ISO` (#2879). */
  organDonationPatient: z.enum(['cx', 'value']).default('value'),
  /** Spelling of the message id: regions write `uuid:…`, the national gateway bare UUIDs; INI takes all (ini.md §1.4). */
  messageId: z.enum(['urn:uuid', 'uuid', 'bare']).default('urn:uuid'),
})

export type IniOptions = z.infer<typeof iniOptions>
