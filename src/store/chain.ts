import { hash } from 'node:crypto'
import type { ChainHead } from './store.ts'

/** What the first record is chained to: the journal before anything was written. */
export const genesis: ChainHead = { sequence: 0, hash: '0'.repeat(64) }

/**
 * The hash of a record: SHA-256, in lower-case hex, over the UTF-8 bytes of the previous record's hash (64 hex digits, for
 * the first record 64 zeros) followed at once by the record's canonical JSON. Any sha256sum can check it.
 */
export function chained(previousHash: string, canonical: string): string {
  return hash('sha256', previousHash + canonical)
}

/**
 * JSON in the one form that is hashed and stored (RFC 8785): members sorted by name, no white space; members that are
 * `undefined` are left out. Throws TypeError on what JSON cannot say: numbers that are not finite, functions.
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value)
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError('JSON has no number that is not finite')
      return JSON.stringify(value)
    case 'object':
      break
    default:
      throw new TypeError(`JSON has no ${typeof value}`)
  }
  if (value === null) return 'null'
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`
}
