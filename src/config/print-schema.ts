import { writeFileSync } from 'node:fs'
import { z } from 'zod'
import { federation } from './federation.ts'

/** The JSON schema of the configuration, for editors. */
export function configSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(federation, { io: 'input' }), undefined, 2)}\n`
}

if (import.meta.main) {
  writeFileSync(new URL('../../contracts/config/federation.schema.json', import.meta.url), configSchema())
}
