import { Client } from 'pg'
import { onTestFinished } from 'vitest'
import { type PostgresStoreOptions, postgresStore } from '../../src/store/postgres.ts'
import type { PostgresConnection } from '../../src/store/postgres-connections.ts'
import type { Store } from '../../src/store/store.ts'

/** Opens a store that is closed when the test ends. */
export async function opened(options: PostgresStoreOptions): Promise<Store> {
  const store = await postgresStore(options)
  onTestFinished(() => store[Symbol.asyncDispose]())
  return store
}

/** A session of somebody with direct access, in the schema; it ends with the test. */
export async function session({ host, port, database, user }: PostgresConnection, schema: string): Promise<Client> {
  const client = new Client({ host, port, database, user, options: `-c search_path=${schema}` })
  // A test may end the server under it.
  client.on('error', () => undefined)
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

/** Runs statements in a session of their own, and returns the rows of a single one. */
export async function sql<Row>(connection: PostgresConnection, schema: string, statements: string): Promise<Row[]> {
  const { host, port, database, user } = connection
  const options = `-c search_path=${schema} -c default_transaction_read_only=off`
  const client = new Client({ host, port, database, user, options })
  await client.connect()
  try {
    const { rows } = await client.query(statements)
    return rows as Row[]
  } finally {
    await client.end()
  }
}
