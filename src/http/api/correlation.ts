import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type CorrelationId, correlationId } from '../../core/model/identifiers.ts'

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * The name of an exchange: the caller's in `X-Correlation-ID` when it is a UUID, in lower case, else a new one. Nothing else
 * is taken from outside into logs and audit records.
 */
export function correlationOf({ headers }: IncomingMessage): CorrelationId {
  const given = headers['x-correlation-id']
  return correlationId(typeof given === 'string' && uuid.test(given) ? given.toLowerCase() : randomUUID())
}

/** What every answer has in its header. */
export function exchangeHeaders(id: CorrelationId): Readonly<Record<string, string>> {
  return { 'x-correlation-id': id, 'cache-control': 'no-store' }
}
