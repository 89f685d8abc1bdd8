import { asGatewayError, GatewayError } from '../core/errors.ts'
import type { Use } from '../core/ports.ts'
import { canonicalJson } from './chain.ts'
import type { AuditRecord } from './store.ts'

const maxRecordBytes = 65_536
const maxUses = 16
const maxPresenter = 1024
const rowsPerPage = 1000

/** The record's canonical JSON. Throws GatewayError when JSON cannot say it, or when it is longer than 64 KiB. */
export function encoded(record: AuditRecord): string {
  const canonical = canonicalOf(record)
  const bytes = Buffer.byteLength(canonical)
  if (bytes > maxRecordBytes) {
    throw new GatewayError('internal', 'An audit record is too large', { details: { bytes, maxRecordBytes } })
  }
  return canonical
}

function canonicalOf(record: AuditRecord): string {
  try {
    return canonicalJson(record)
  } catch (error) {
    throw asGatewayError(error)
  }
}

/** The record of a row. Throws GatewayError when it was changed to what is no JSON. */
export function decoded(text: string): AuditRecord {
  try {
    return JSON.parse(text) as AuditRecord
  } catch {
    // The reason would quote the record.
    throw new GatewayError('internal', 'A record of the journal cannot be read')
  }
}

/** Throws GatewayError: what could be mistaken for something else, or be kept for ever, is not remembered at all. */
export function insistOnUses(uses: readonly Use[]): void {
  const fit =
    uses.length <= maxUses &&
    uses.every(
      ({ key, presenter, until }) =>
        /^[0-9a-f]{64}$/.test(key) &&
        (presenter === undefined || (presenter !== '' && presenter.length <= maxPresenter)) &&
        Number.isSafeInteger(Math.ceil(until)),
    )
  if (!fit) throw new GatewayError('internal', 'A use cannot be remembered', { details: { uses: uses.length } })
}

/** How many rows a page of that limit may have. */
export function pageSize(limit: number): number {
  return Math.max(0, Math.min(Math.trunc(limit), rowsPerPage))
}
