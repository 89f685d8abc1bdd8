import type { StatementSync } from 'node:sqlite'
import { chained, genesis } from './chain.ts'
import type { StoreFile } from './sqlite-file.ts'
import type { ChainHead } from './store.ts'

export interface JournalRow extends ChainHead {
  readonly record: string
}

/** One page of a chain walk: how far it was intact, and whether it broke behind that. */
export interface WalkedPage {
  readonly head: ChainHead
  readonly broken: boolean
  readonly end: boolean
}

/** The audit journal in the store's file. Every method throws FileError, or what node:sqlite throws. */
export interface Journal {
  /** Chains and commits the records, all or none; on disk when it returns. Returns the first one's sequence. */
  append(records: readonly string[]): number
  rows(after: number, limit: number): readonly JournalRow[]
  latest(): ChainHead
  walk(from: ChainHead, limit: number): WalkedPage
}

/** The journal of a file. Throws what node:sqlite throws. */
export function journalIn(file: StoreFile): Journal {
  const insert = file.db.prepare('INSERT INTO audit (sequence, record, hash) VALUES (?, ?, ?)')
  const last = file.db.prepare('SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1')
  const page = file.db.prepare('SELECT sequence, record, hash FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?')

  return {
    append: (records) =>
      file.write(() => {
        // Read under the write lock: another process may have appended since.
        let head = headOf(last)
        const first = head.sequence + 1
        for (const record of records) {
          head = { sequence: head.sequence + 1, hash: chained(head.hash, record) }
          insert.run(head.sequence, record, head.hash)
        }
        return first
      }),
    rows: (after, limit) => rowsOf(page, after, limit),
    latest: () => headOf(last),
    walk(from, limit) {
      const rows = rowsOf(page, from.sequence, limit)
      let head = from
      for (const row of rows) {
        const hash = chained(head.hash, row.record)
        if (row.sequence !== head.sequence + 1 || row.hash !== hash) return { head, broken: true, end: true }
        head = { sequence: row.sequence, hash }
      }
      return { head, broken: false, end: rows.length < limit }
    },
  }
}

function headOf(last: StatementSync): ChainHead {
  const row = last.get() as unknown as ChainHead | undefined
  return row === undefined ? genesis : { sequence: row.sequence, hash: row.hash }
}

function rowsOf(page: StatementSync, after: number, limit: number): JournalRow[] {
  return page.all(after, limit) as unknown as JournalRow[]
}
