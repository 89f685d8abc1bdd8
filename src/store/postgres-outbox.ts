import type { QueryResultRow } from 'pg'
import type { WaitingDelivery } from '../core/ports.ts'
import { doneKeptMs, forgettable, type OutboxTable } from './outbox.ts'
import type { Connections } from './postgres-connections.ts'
import { quoted } from './postgres-schema.ts'

/** A row; a `bigint` as pg tells it, which is text. */
interface Row extends QueryResultRow {
  readonly place: string
  readonly id: string
  readonly kind: string
  readonly key: string
  readonly content: string
  readonly put_at: string
  readonly attempts: number
  readonly next_at: string
  readonly dead: boolean
  readonly reason: string | null
}

const columns = ['place', 'id', 'kind', 'key', 'content', 'put_at', 'attempts', 'next_at', 'dead', 'reason']

/** The outbox of a schema: one connection changes it, others look. */
export function postgresOutbox(schema: string, writer: Connections, readers: Connections): OutboxTable {
  const name = quoted(schema)
  const change = `SELECT ${name}.change_outbox($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
    $7::int[], $8::bigint[], $9, $10, $11) AS changed`
  // What another replica is about to claim is passed over, not waited for.
  const claim = `
    WITH due AS MATERIALIZED (
      SELECT place FROM ${name}.outbox WHERE first AND NOT dead AND next_at <= $1
      ORDER BY next_at, place LIMIT $2 FOR UPDATE SKIP LOCKED)
    UPDATE ${name}.outbox AS held SET claimed = true, attempts = attempts + 1, next_at = $3
      FROM due WHERE held.place = due.place
      RETURNING ${columns.map((column) => `held.${column}`).join(', ')}`
  const placeOf = `SELECT place FROM ${name}.outbox WHERE id = $1 UNION ALL
    SELECT place FROM ${name}.outbox_done WHERE id = $1`
  const page = (condition: string) =>
    `SELECT ${columns.join(', ')} FROM ${name}.outbox WHERE ${condition} place > $1 ORDER BY place LIMIT $2`
  const pages = { both: page(''), waiting: page('NOT dead AND'), dead: page('dead AND') }

  return {
    async change(changes, now) {
      const of = <T>(read: (change: (typeof changes)[number]) => T | undefined) =>
        changes.map((change) => read(change) ?? null)
      const [row] = await writer.run<{ changed: readonly boolean[] }>(change, [
        of(({ verb }) => verb),
        of(({ id }) => id),
        of((change) => ('kind' in change ? change.kind : undefined)),
        of((change) => ('key' in change ? change.key : undefined)),
        of((change) => ('content' in change ? change.content : undefined)),
        of((change) => ('reason' in change ? change.reason : undefined)),
        of((change) => ('attempt' in change ? change.attempt : undefined)),
        of((change) => ('nextAt' in change ? change.nextAt : 'now' in change ? change.now : undefined)),
        now,
        now - doneKeptMs,
        forgettable(changes.length),
      ])
      return row?.changed ?? []
    },
    async claim(now, limit, until) {
      const rows = await writer.run<Row>(claim, [now, limit, until])
      return rows.toSorted((a, b) => Number(a.place) - Number(b.place)).map(delivery)
    },
    async list({ state, after, limit }) {
      let start: string | undefined = '0'
      if (after !== undefined) start = (await readers.run<Pick<Row, 'place'>>(placeOf, [after]))[0]?.place
      if (start === undefined) return undefined
      return (await readers.run<Row>(pages[state ?? 'both'], [start, limit])).map(delivery)
    },
  }
}

function delivery({ id, kind, key, content, put_at, attempts, next_at, dead, reason }: Row): WaitingDelivery {
  return {
    ...{ id, kind, key, content, attempts },
    putAt: Number(put_at),
    nextAt: Number(next_at),
    state: dead ? 'dead' : 'waiting',
    ...(reason === null ? {} : { reason }),
  }
}
