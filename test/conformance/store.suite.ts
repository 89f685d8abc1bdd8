import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { canonicalJson, chained, genesis } from '../../src/store/chain.ts'
import type { AuditStore, StoredAuditRecord } from '../../src/store/store.ts'
import { auditRecord } from '../unit/store/child/records.ts'

/** A store under test, and what only its engine can do to it. */
export interface StartedStore {
  readonly store: AuditStore
  /** The same journal, opened anew. */
  readonly reopen: () => Promise<AuditStore>
  readonly directory: string
  /** A module whose `openStore(directory)` opens the same journal in another process. */
  readonly engine: URL
  /** Runs SQL as somebody with direct access to the journal; rejects with what the engine throws. */
  readonly sql: (statements: string) => Promise<void>
  /** Statements that switch the schema's own protection off. */
  readonly unprotect: string
  /** A journal for which only as many appends as given may wait. */
  readonly narrow: (capacity: number) => Promise<AuditStore>
  /** A journal whose disk is all but full. */
  readonly full: () => Promise<AuditStore>
}

const appender = fileURLToPath(new URL('../unit/store/child/appender.ts', import.meta.url))

/** What every audit store must do, whatever engine keeps it. */
export function auditStoreBehaves(name: string, start: () => Promise<StartedStore>): void {
  describe(`${name} as an audit store`, () => {
    it('reads back what was appended, in order', async () => {
      const { store } = await start()
      const records = ['a', 'b', 'c'].map((id) => auditRecord(id))
      const sequences = await Promise.all(records.map((record) => store.append(record)))
      expect(sequences.map(({ sequence }) => sequence)).toEqual([1, 2, 3])
      const stored = await store.read({ limit: 10 })
      expect(stored.map(({ record }) => record)).toEqual(records)
      expect(stored.map(({ sequence }) => sequence)).toEqual([1, 2, 3])
    })

    it('keeps text of every kind exactly', async () => {
      const { store } = await start()
      const record = auditRecord('text', { request: 'à "quoted" \\ \u0000 \u2028 \u{1F600} <&>' })
      await store.append(record)
      expect(await store.read({ limit: 1 })).toMatchObject([{ record }])
      expect(await store.verify()).toEqual({ ok: true, records: 1 })
    })

    it('chains each record to the one before it, as anybody can recompute', async () => {
      const { store } = await start()
      for (const id of ['a', 'b', 'c']) await store.append(auditRecord(id))
      let hash = genesis.hash
      for (const stored of await store.read({ limit: 10 })) {
        hash = chained(hash, canonicalJson(stored.record))
        expect(stored.hash).toBe(hash)
      }
      expect(await store.latest()).toEqual({ sequence: 3, hash })
    })

    it('reads in pages, and never without a bound', async () => {
      const { store } = await start()
      await Promise.all(numbers(7).map((id) => store.append(auditRecord(String(id)))))
      const pages: number[][] = []
      for (let after = 0; ; ) {
        const page = await store.read({ after, limit: 3 })
        const last = page.at(-1)
        if (last === undefined) break
        pages.push(page.map(({ sequence }) => sequence))
        after = last.sequence
      }
      expect(pages).toEqual([[1, 2, 3], [4, 5, 6], [7]])
      expect(await store.read({ limit: -1 })).toEqual([])
      expect(await store.read({ limit: 0 })).toEqual([])
    })

    it('is empty and whole before anything was written', async () => {
      const { store } = await start()
      expect(await store.read({ limit: 1 })).toEqual([])
      expect(await store.latest()).toEqual(genesis)
      expect(await store.verify()).toEqual({ ok: true, records: 0 })
    })

    it('goes on with the chain after it was closed and opened again', async () => {
      const { store, reopen } = await start()
      await store.append(auditRecord('before'))
      await store[Symbol.asyncDispose]()
      const again = await reopen()
      expect(await again.append(auditRecord('after'))).toEqual({ sequence: 2 })
      expect(await again.verify()).toEqual({ ok: true, records: 2 })
    })

    it('drains on closing: what was accepted is kept, what comes later is refused', async () => {
      const { store, reopen } = await start()
      const accepted = numbers(50).map((id) => store.append(auditRecord(String(id))))
      const closed = store[Symbol.asyncDispose]()
      await expect(store.append(auditRecord('late'))).rejects.toMatchObject({ code: 'internal' })
      await closed
      await store[Symbol.asyncDispose]()
      expect(await Promise.all(accepted)).toHaveLength(50)
      await expect(store.read({ limit: 1 })).rejects.toMatchObject({ code: 'internal' })
      const again = await reopen()
      expect(await again.verify()).toEqual({ ok: true, records: 50 })
    })

    it('holds every acknowledged record when its process is killed at once after the acknowledgement', async () => {
      const started = await start()
      const child = append(started, 'killed', 0)
      const acknowledged: number[] = []
      for await (const line of lines(child)) {
        if (line !== 'open') acknowledged.push(Number(line))
        if (acknowledged.length === 100) child.kill('SIGKILL')
      }
      expect(acknowledged.length).toBeGreaterThanOrEqual(100)
      const again = await started.reopen()
      const kept = new Set((await all(again)).map(({ sequence }) => sequence))
      expect(acknowledged.filter((sequence) => !kept.has(sequence))).toEqual([])
      expect(await again.verify()).toEqual({ ok: true, records: kept.size })
    })

    it('keeps one valid chain when two processes append to it at the same time', async () => {
      const started = await start()
      await started.store[Symbol.asyncDispose]()
      const children = ['left', 'right'].map((side) => append(started, side, 60, 'dispose'))
      const acknowledged = await Promise.all(
        children.map(async (child) => {
          const printed: string[] = []
          for await (const line of lines(child)) printed.push(line)
          return printed.filter((line) => line !== 'open').map(Number)
        }),
      )
      const again = await started.reopen()
      expect(acknowledged.flat().sort((a, b) => a - b)).toEqual(numbers(120))
      expect(await again.verify()).toEqual({ ok: true, records: 120 })
      const ids = (await all(again)).map(({ record }) => record.correlationId)
      expect(new Set(ids).size).toBe(120)
    })

    it('lets a process end that never closed it, with every record kept', async () => {
      const started = await start()
      const child = append(started, 'left-open', 8)
      const [code] = await once(child, 'exit')
      expect(code).toBe(0)
      expect(await started.store.verify()).toEqual({ ok: true, records: 8 })
    })

    const attacks = [
      [
        'a changed record',
        "UPDATE audit SET record = replace(record, 'FindDocuments', 'GetDocuments') WHERE sequence = 3",
        3,
      ],
      ['a changed record whose hash was left', "UPDATE audit SET record = record || ' ' WHERE sequence = 5", 5],
      ['a removed record', 'DELETE FROM audit WHERE sequence = 2', 2],
      ['a record that was given another number', 'UPDATE audit SET sequence = 9 WHERE sequence = 5', 5],
      ['a removed beginning', 'DELETE FROM audit WHERE sequence = 1', 1],
      ['a changed hash', "UPDATE audit SET hash = replace(hash, substr(hash, 1, 1), 'x') WHERE sequence = 4", 4],
      [
        'two records that changed places',
        `UPDATE audit SET sequence = -1 WHERE sequence = 2; UPDATE audit SET sequence = 2 WHERE sequence = 3;
         UPDATE audit SET sequence = 3 WHERE sequence = -1`,
        2,
      ],
    ] as const
    it.each(attacks)('detects %s', async (_, statements, brokenAt) => {
      const { store, sql, unprotect } = await start()
      await Promise.all(numbers(5).map((id) => store.append(auditRecord(String(id)))))
      expect(await store.verify()).toEqual({ ok: true, records: 5 })
      await sql(`${unprotect}; ${statements}`)
      expect(await store.verify()).toEqual({ ok: false, brokenAt })
    })

    it('detects a journal that was cut short or written anew, when it is held against an anchor', async () => {
      const { store, sql, unprotect } = await start()
      for (const id of numbers(5)) await store.append(auditRecord(String(id)))
      const anchor = await store.latest()
      await store.append(auditRecord('6'))
      expect(await store.verify({ anchor })).toEqual({ ok: true, records: 6 })
      await sql(`${unprotect}; DELETE FROM audit WHERE sequence >= 4`)
      expect(await store.verify()).toEqual({ ok: true, records: 3 })
      expect(await store.verify({ anchor })).toEqual({ ok: false, brokenAt: 4 })
      for (const id of numbers(3)) await store.append(auditRecord(`forged-${id}`))
      expect(await store.verify()).toEqual({ ok: true, records: 6 })
      expect(await store.verify({ anchor })).toEqual({ ok: false, brokenAt: 5 })
    })

    const rewritings = [
      "UPDATE audit SET record = '{}' WHERE sequence = 1",
      'UPDATE audit SET hash = hash',
      'DELETE FROM audit',
      "INSERT OR REPLACE INTO audit (sequence, record, hash) VALUES (1, '{}', '')",
      "INSERT INTO audit (sequence, record, hash) VALUES (9, '{}', '')",
    ]
    it.each(rewritings)('refuses %s', async (statement) => {
      const { store, sql } = await start()
      await store.append(auditRecord('kept'))
      await expect(sql(statement)).rejects.toThrow(/append-only/)
      expect(await store.verify()).toEqual({ ok: true, records: 1 })
    })

    it('refuses at once what exceeds its queue, and serves again when the queue has emptied', async () => {
      const { narrow } = await start()
      const store = await narrow(3)
      const settled = await Promise.allSettled(numbers(5).map((id) => store.append(auditRecord(String(id)))))
      expect(settled.map(({ status }) => status)).toEqual([
        'fulfilled',
        'fulfilled',
        'fulfilled',
        'rejected',
        'rejected',
      ])
      expect(settled[4]).toMatchObject({ reason: { code: 'overloaded' } })
      expect(await store.append(auditRecord('again'))).toEqual({ sequence: 4 })
    })

    it('refuses a record without measure, and nothing else with it', async () => {
      const { store } = await start()
      const [huge, good] = await Promise.allSettled([
        store.append(auditRecord('huge', { request: 'x'.repeat(100_000) })),
        store.append(auditRecord('good')),
      ])
      expect(huge).toMatchObject({ status: 'rejected', reason: { code: 'internal' } })
      expect(good).toMatchObject({ status: 'fulfilled', value: { sequence: 1 } })
    })

    it('rejects every record of a batch the disk has no room for, and works again for one that fits', async () => {
      const { full } = await start()
      const store = await full()
      const large = numbers(4).map((id) => store.append(auditRecord(`large-${id}`, { request: 'x'.repeat(60_000) })))
      for (const outcome of await Promise.allSettled(large)) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'internal' } })
      }
      expect(await store.append(auditRecord('small'))).toEqual({ sequence: 1 })
      expect(await store.verify()).toEqual({ ok: true, records: 1 })
    })

    it('verifies while records are appended, and can be told to stop', async () => {
      const { store } = await start()
      await Promise.all(numbers(1000).map((id) => store.append(auditRecord(String(id)))))
      const appending = Promise.all(numbers(1000).map((id) => store.append(auditRecord(`more-${id}`))))
      const report = await store.verify()
      expect(report).toMatchObject({ ok: true })
      await appending
      expect(await store.verify()).toEqual({ ok: true, records: 2000 })
      await expect(store.verify({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'caller-gone' })
    })
  })
}

function append({ engine, directory }: StartedStore, id: string, count: number, ending = 'leave'): ChildProcess {
  const child = spawn(process.execPath, [appender, engine.href, directory, id, String(count), ending], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

function lines(child: ChildProcess): AsyncIterable<string> {
  if (child.stdout === null) throw new Error('The child has no output')
  return createInterface({ input: child.stdout })
}

async function all(store: AuditStore): Promise<StoredAuditRecord[]> {
  const records: StoredAuditRecord[] = []
  for (;;) {
    const page = await store.read({ after: records.length, limit: 1000 })
    if (page.length === 0) return records
    records.push(...page)
  }
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1)
}
