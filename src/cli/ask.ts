import { randomUUID } from 'node:crypto'
import { type CommunityClient, communityClient } from '../client/send.ts'
import { GatewayError, type Issue } from '../core/errors.ts'
import type { DocumentEntry } from '../core/model/metadata.ts'
import type { StoredQuery } from '../core/model/stored-query.ts'
import { actions } from '../wire/actions.ts'
import { decodeQueryResponse } from '../wire/ebrim/query-response.ts'
import { encodeStoredQuery } from '../wire/ebrim/stored-query.ts'
import { encodeEnvelope } from '../wire/soap.ts'
import { CliError, type Exit } from './exit.ts'
import type { Identity } from './parties.ts'

/** Where questions go: the door for our own consumers and the door for other communities. */
export interface Doors {
  readonly iti18: string
  readonly iti38: string
}

/** What came back over the wire. */
export interface Reply {
  readonly outcome: Extract<Exit, 'success' | 'partial-success' | 'failure'>
  readonly entries: readonly DocumentEntry[]
  readonly issues: readonly Issue[]
  /** Who was asked, as far as the gateway said (Server-Timing). */
  readonly asked: readonly { readonly name: string; readonly ms: number; readonly outcome: string }[]
  readonly durationMs: number
}

const ownHome = 'urn:oid:2.16.840.1.113883.2.9.2.90'
const timeoutMs = 60_000

/** A connection to the gateway as a party has one: mutual TLS, kept open between questions. */
export function connectionOf(identity: Identity): CommunityClient {
  return communityClient({
    name: 'gateway',
    home: identity.home,
    tls: { ca: [identity.authority], cert: identity.tls.certificate, key: identity.tls.key },
    maxResponseBytes: 64 * 1024 * 1024,
    connections: 1,
    connectTimeoutMs: 5_000,
  })
}

/** The message a party sends to ask a stored query: where, and what. */
export function questionOf(identity: Identity, doors: Doors, query: StoredQuery, assertion: string) {
  const inside = identity.home === ownHome
  const url = inside ? doors.iti18 : doors.iti38
  const action = inside ? actions.registryStoredQuery : actions.crossGatewayQuery
  return {
    url,
    method: 'POST' as const,
    headers: { 'content-type': 'application/soap+xml; charset=utf-8' },
    body: encodeEnvelope(
      { action, messageId: `urn:uuid:${randomUUID()}`, to: url, anonymousReply: true, assertion },
      encodeStoredQuery(query),
    ),
    signal: AbortSignal.timeout(timeoutMs),
    idempotent: true,
  }
}

/** Asks the gateway over mutual TLS as a party would. Throws CliError when there is no answer to the question. */
export async function ask(identity: Identity, doors: Doors, query: StoredQuery, assertion: string): Promise<Reply> {
  await using client = connectionOf(identity)
  const started = performance.now()
  try {
    const response = await client.send(questionOf(identity, doors, query, assertion))
    const decoded = await decodeQueryResponse(response.body)
    if (decoded.fault !== undefined) {
      const { code, subcode, reason } = decoded.fault
      throw new CliError('refused', `refused: ${code}${subcode === undefined ? '' : `/${subcode}`}: ${reason}`)
    }
    return {
      outcome: decoded.status,
      entries: decoded.answer.entries,
      issues: decoded.answer.issues,
      asked: timings(response.headers['server-timing'] ?? ''),
      durationMs: performance.now() - started,
    }
  } catch (error) {
    if (error instanceof GatewayError) throw new CliError('unreachable', `${error.message} (${error.code})`)
    throw error
  }
}

function timings(header: string): Reply['asked'] {
  return [...header.matchAll(/([a-z0-9-]+);dur=([0-9]+);desc="([a-z]+)"/g)].map(
    ([, name = '', ms = '', outcome = '']) => {
      return { name, ms: Number(ms), outcome }
    },
  )
}
