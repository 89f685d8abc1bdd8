import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { canonicalJson } from '../../src/store/chain.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { AuditStore } from '../../src/store/store.ts'
import { auditRecord } from '../unit/store/child/records.ts'

export interface Measurement {
  readonly bench: string
  readonly unit: string
  readonly value: number
  readonly floor: number
  readonly floorIs: string
  readonly ratio: number
  readonly rssMb: number
}

const rounds = 7

/** Durable audit records per second when 32 exchanges end at the same time, each waiting for its own record. */
export function journalAppend(): Promise<Measurement> {
  return measure('journal-append', 32, 6400)
}

/** The same for one exchange after another: what a record adds to a lone answer. */
export function journalAppendSequential(): Promise<Measurement> {
  return measure('journal-append-sequential', 1, 1500)
}

async function measure(bench: string, callers: number, appends: number): Promise<Measurement> {
  const directory = await mkdtemp(join(tmpdir(), 'crocevia-bench-'))
  const store = await sqliteStore({ path: join(directory, 'store.db') })
  const raw = new DatabaseSync(join(directory, 'raw.db'))
  try {
    raw.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE audit (sequence INTEGER PRIMARY KEY, record TEXT)',
    )
    const values: number[] = []
    const floors: number[] = []
    for (let round = 0; round < rounds; round++) {
      floors.push(rawInserts(raw, 1500))
      values.push(await appendsOf(store, callers, appends))
    }
    const [value, floor] = [median(values), median(floors)]
    return {
      bench,
      unit: 'records/s',
      value: Math.round(value),
      floor: Math.round(floor),
      floorIs:
        'node:sqlite inserting the same record without a chain, one commit each, synchronous=FULL, on the calling thread',
      ratio: value / floor,
      rssMb: Math.round(process.memoryUsage.rss() / 2 ** 20),
    }
  } finally {
    raw.close()
    await store[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  }
}

function rawInserts(db: DatabaseSync, count: number): number {
  const insert = db.prepare('INSERT INTO audit (record) VALUES (?)')
  const start = performance.now()
  for (let index = 0; index < count; index++) insert.run(canonicalJson(auditRecord(`raw-${index}`)))
  return perSecond(count, start)
}

async function appendsOf(store: AuditStore, callers: number, count: number): Promise<number> {
  let appended = 0
  async function caller(): Promise<void> {
    while (appended < count) await store.append(auditRecord(`store-${appended++}`))
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: callers }, caller))
  return perSecond(count, start)
}

function perSecond(count: number, start: number): number {
  return (count * 1000) / (performance.now() - start)
}

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}
