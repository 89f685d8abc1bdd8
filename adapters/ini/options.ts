import { z } from 'zod'

/** Where INI is and how it is spoken to. */
export const iniOptions = z.strictObject({
  /** Scheme, host and port; the paths are INI's own (ini.md §1.2). */
  base: z.url({ protocol: /^https$/ }),
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
  /** Spelling of the message id: regions write `uuid:…`, the national gateway bare UUIDs; INI takes all (ini.md §1.4). */
  messageId: z.enum(['urn:uuid', 'uuid', 'bare']).default('urn:uuid'),
})

export type IniOptions = z.infer<typeof iniOptions>
