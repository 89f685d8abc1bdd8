import { hash } from 'node:crypto'
import type { Use } from '../../../../src/core/ports.ts'

/** An instant after every test. */
export const never = Date.UTC(2100, 0, 1)

/** A use of something of that name, once unless a presenter is given. */
export function use(name: string, changes: Partial<Use> = {}): Use {
  return { key: hash('sha256', name), until: never, ...changes }
}
