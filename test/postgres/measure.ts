import { Pool } from 'pg'
import type { Use } from '../../src/core/ports.ts'
import { canonicalJson } from '../../src/store/chain.ts'
import { postgresStore } from '../../src/store/postgres.ts'
import { interleaved } from '../bench/measurement.ts'
import { auditRecord } from '../unit/store/child/records.ts'
import { use } from '../unit/store/child/uses.ts'
import { startPostgres } from './server.ts'

// node test/postgres/measure.ts: durable appends and remembered uses per second through the store, beside inserts of the
// same rows by as many connections of pg, one commit each; a line of JSON for each pair. The server is one of our own.
const rounds = 5
await using server = await startPostgres()
const { host, port, database, user } = server.connection
const pool = new Pool({ host, port, database, user, max: 32 })
await pool.query(`
  CREATE TABLE raw_audit (sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, record text NOT NULL);
  CREATE TABLE raw_replay (key bytea PRIMARY KEY, until bigint NOT NULL)`)
const [one, two] = [await postgresStore(server), await postgresStore(server)]
let made = 0

function record() {
  return auditRecord(`measured-${made++}`)
}

function newUse(): Use {
  return use(`measured-${made++}`)
}

/** How often per second so many callers get an answer, each asking again when it has one. */
async function rate(callers: number, count: number, ask: (caller: number) => Promise<unknown>): Promise<number> {
  let begun = 0
  const start = performance.now()
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      while (begun++ < count) await ask(caller)
    }),
  )
  return (count * 1000) / (performance.now() - start)
}

const rawRecord = () => pool.query('INSERT INTO raw_audit (record) VALUES ($1)', [canonicalJson(record())])
const rawUse = () => {
  const { key, until } = newUse()
  return pool.query('INSERT INTO raw_replay (key, until) VALUES ($1, $2)', [Buffer.from(key, 'hex'), until])
}

for (const [name, callers, count, ask, raw] of [
  ['append', 32, 6400, () => one.append(record()), rawRecord],
  ['append-two-replicas', 32, 6400, (caller: number) => (caller % 2 === 0 ? one : two).append(record()), rawRecord],
  ['append-sequential', 1, 500, () => one.append(record()), rawRecord],
  ['remember', 32, 6400, () => one.remember([newUse()]), rawUse],
  ['remember-two-replicas', 32, 6400, (caller: number) => (caller % 2 === 0 ? one : two).remember([newUse()]), rawUse],
  ['remember-sequential', 1, 500, () => one.remember([newUse()]), rawUse],
] as const) {
  const { value, floor } = await interleaved(
    rounds,
    () => rate(callers, count, ask),
    () => rate(callers, count, raw),
  )
  console.log(
    JSON.stringify({
      name,
      callers,
      perSecond: Math.round(value),
      rawPerSecond: Math.round(floor),
      ratio: value / floor,
    }),
  )
}

await Promise.all([one[Symbol.asyncDispose](), two[Symbol.asyncDispose](), pool.end()])
