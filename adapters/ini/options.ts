import { z } from 'zod'

/** Where INI is and how it is spoken to. */
export const iniOptions = z.strictObject({
  /** Scheme, host and port; the paths are INI's own (ini.md §1.2). */
  base: z.url({ protocol: /^https$/ }),
  /** Spelling of the message id: regions write `uuid:…`, the national gateway bare UUIDs; INI takes all (ini.md §1.4). */
  messageId: z.enum(['urn:uuid', 'uuid', 'bare']).default('urn:uuid'),
})

export type IniOptions = z.infer<typeof iniOptions>
