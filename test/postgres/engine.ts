import { randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type PostgresStoreOptions, postgresStore } from '../../src/store/postgres.ts'
import type { Store } from '../../src/store/store.ts'

/** What the tests' stores have in common: machines may be slow, and nothing here is about deadlines. */
export const patient = { deadlineMs: 30_000, statementMs: 25_000, lockMs: 20_000, connectMs: 20_000 } as const

/** A name no other test has. */
export function schemaName(): string {
  return `test_${randomUUID().replaceAll('-', '')}`
}

/** Writes down what a process of its own needs to open the same store. */
export async function noteFor(directory: string, options: PostgresStoreOptions): Promise<void> {
  await writeFile(join(directory, 'store.json'), JSON.stringify(options))
}

/** How a process of its own opens the store under test. */
export async function openStore(directory: string): Promise<Store> {
  const options = JSON.parse(await readFile(join(directory, 'store.json'), 'utf8')) as PostgresStoreOptions
  return await postgresStore(options)
}
