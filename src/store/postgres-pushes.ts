import type { QueryResultRow } from 'pg'
import { GatewayError } from '../core/errors.ts'
import type { PushState } from '../core/ports.ts'
import type { Connections } from './postgres-connections.ts'
import { quoted } from './postgres-schema.ts'
import {
  type Appended,
  digestOf,
  forgettablePushes,
  type HeldPush,
  type HeldPushes,
  mostTold,
  type PushTable,
} from './push-journal.ts'

/** A row; a `bigint` as pg tells it, which is text. */
interface Row extends QueryResultRow {
  readonly sequence: string
  readonly id: string
  readonly state: PushState
  readonly settled_at: string | null
  readonly reason: string | null
  readonly content: string
}

/** `sequence` is null in a row that has no push. */
interface AboutRow extends QueryResultRow {
  readonly generation: string
  readonly latest: string
  readonly large: boolean
}

const columns = 'sequence, id, state, settled_at, reason, content'
// Beyond every sequence.
const end = '9223372036854775807'

/** The pushes of a schema: one connection appends, others look. */
export function postgresPushes(schema: string, writer: Connections, readers: Connections): PushTable {
  const name = quoted(schema)
  const append = `SELECT ${name}.append_pushes($1::text[], $2::text[], $3::text[], $4::bytea[], $5::int[], $6::bytea[],
    $7::int[], $8::bytea[], $9::int[], $10::bytea[], $11::int[], $12, $13, $14) AS places`
  const about = `SELECT * FROM ${name}.pushes_about($1::bytea[], $2, $3)`
  const touching = `
    SELECT sequence, id, state, settled_at, reason, CASE WHEN total <= $2 THEN content END AS content, total > $2 AS large
    FROM (
      SELECT ${columns}, sum(octet_length(content)) OVER () AS total FROM ${name}.push
      WHERE sequence IN (SELECT sequence FROM ${name}.push_object WHERE object = ANY ($1::bytea[]))
    ) AS touched ORDER BY sequence`
  const one = (condition: string) => `SELECT ${columns} FROM ${name}.push WHERE ${condition}`
  const page = (condition: string) => `
    SELECT ${columns}
    FROM (
      SELECT ${columns}, sum(octet_length(content)) OVER (ORDER BY sequence DESC) AS total
      FROM (SELECT * FROM ${name}.push WHERE ${condition} ORDER BY sequence DESC LIMIT $2) AS listed
    ) AS weighed WHERE total <= $3 ORDER BY sequence DESC`
  const pages = { all: page('sequence < $1'), some: page('sequence < $1 AND state = $4') }
  const placeOf = `SELECT sequence FROM ${name}.push WHERE id = $1`

  async function first(text: string, value: unknown): Promise<HeldPush | undefined> {
    const [row] = await readers.run<Row>(text, [value])
    return row && heldOf(row)
  }

  return {
    async append(rows, now, forgetBefore) {
      const [row] = await writer.run<{ places: readonly string[] }>(append, [
        rows.map(({ id }) => id),
        rows.map(({ kind }) => kind ?? null),
        rows.map(({ content }) => content),
        ...digestsOf(rows.map(({ identities }) => identities)),
        ...digestsOf(rows.map(({ frees }) => frees)),
        ...digestsOf(rows.map(({ patients }) => patients)),
        ...digestsOf(rows.map(({ objects }) => objects)),
        now,
        forgetBefore,
        forgettablePushes(rows.length),
      ])
      return (row?.places ?? []).map(appendedOf)
    },
    async about(patients, since) {
      const rows = await readers.run<AboutRow & Row>(about, [patients.map(digestOf), since ?? end, mostTold])
      const [head] = rows
      if (head === undefined) throw new GatewayError('internal', 'The store did not answer')
      const pushes = head.large ? undefined : rows.filter(({ sequence }) => sequence !== null).map(heldOf)
      return { generation: Number(head.generation), sequence: Number(head.latest), pushes }
    },
    async touching(objects): Promise<HeldPushes> {
      const rows = await readers.run<Row & { large: boolean }>(touching, [objects.map(digestOf), mostTold])
      return rows[0]?.large ? undefined : rows.map(heldOf)
    },
    repeated: (identities) => first(one(`sequence = ${name}.push_with($1::bytea[])`), identities.map(digestOf)),
    find: (which) => ('id' in which ? first(one('id = $1'), which.id) : first(one('sequence = $1'), which.sequence)),
    async list({ state, before, limit }) {
      let start: string | undefined = end
      if (before !== undefined) start = (await readers.run<Pick<Row, 'sequence'>>(placeOf, [before]))[0]?.sequence
      if (start === undefined) return undefined
      const asked = [start, limit, mostTold]
      const rows = await (state === undefined
        ? readers.run<Row>(pages.all, asked)
        : readers.run<Row>(pages.some, [...asked, state]))
      return rows.map(heldOf)
    },
  }
}

/** All digests in one list, and where those of each row end. */
function digestsOf(lists: readonly (readonly string[])[]): readonly [Buffer[], number[]] {
  let last = 0
  const ends = lists.map(({ length }) => {
    last += length
    return last
  })
  return [lists.flat().map(digestOf), ends]
}

function appendedOf(place: string): Appended {
  const sequence = Number(place)
  if (sequence === 0) return { outcome: 'refused' }
  return sequence > 0 ? { outcome: 'appended', sequence } : { outcome: 'repeats', sequence: -sequence }
}

function heldOf({ sequence, id, state, settled_at, reason, content }: Row): HeldPush {
  const settledAt = settled_at === null ? null : Number(settled_at)
  return { sequence: Number(sequence), id, state, settledAt, reason, content }
}
