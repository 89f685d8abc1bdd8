import { join } from 'node:path'
import { sqliteStore } from '../../../../src/store/sqlite.ts'
import type { Store } from '../../../../src/store/store.ts'

export function fileIn(directory: string): string {
  return join(directory, 'audit.db')
}

/** How a process of its own opens the store under test. */
export function openStore(directory: string): Promise<Store> {
  return sqliteStore({ path: fileIn(directory), deadlineMs: 20_000, busyTimeoutMs: 10_000 })
}
