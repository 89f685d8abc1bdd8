import type { QueryResultRow } from 'pg'
import { GatewayError } from '../core/errors.ts'
import { genesis } from './chain.ts'
import type { Connections } from './postgres-connections.ts'
import { quoted } from './postgres-schema.ts'
import type { ChainHead } from './store.ts'

export interface PostgresRow extends ChainHead {
  readonly record: string
}

/** The audit journal in a schema of the server. Every method rejects with GatewayError. */
export interface PostgresJournal {
  /** Chains and commits the records, all or none; on disk when it resolves. Resolves to the first one's sequence. */
  append(records: readonly string[]): Promise<number>
  rows(after: number, limit: number): Promise<readonly PostgresRow[]>
  latest(): Promise<ChainHead>
}

interface Row extends QueryResultRow {
  readonly sequence: string
  readonly record: string
  readonly hash: string
}

/** The journal of a schema: one connection writes, others read. */
export function postgresJournal(schema: string, writer: Connections, readers: Connections): PostgresJournal {
  const name = quoted(schema)
  return {
    async append(records) {
      const [row] = await writer.run<{ first: string }>(`SELECT ${name}.append_records($1::text[]) AS first`, [records])
      return numberOf(row?.first)
    },
    async rows(after, limit) {
      const rows = await readers.run<Row>(
        `SELECT sequence, record, hash FROM ${name}.audit WHERE sequence > $1 ORDER BY sequence LIMIT $2`,
        [Math.trunc(after), limit],
      )
      return rows.map(({ sequence, record, hash }) => ({ sequence: numberOf(sequence), record, hash }))
    },
    async latest() {
      const [row] = await readers.run<Omit<Row, 'record'>>(
        `SELECT sequence, hash FROM ${name}.audit ORDER BY sequence DESC LIMIT 1`,
        [],
      )
      return row === undefined ? genesis : { sequence: numberOf(row.sequence), hash: row.hash }
    },
  }
}

/** A `bigint` as pg tells it, which is text. */
function numberOf(text: string | undefined): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number)) throw new GatewayError('internal', 'The store answered what is no sequence')
  return number
}
