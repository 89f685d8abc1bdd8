import type { ClientBase } from 'pg'
import { Unfit } from './postgres-failure.ts'
import { markTable, migrationsOf } from './postgres-migrations.ts'

/** Whether a text may name the schema: lower case, so that it reads the same with and without quotes. */
export function isSchemaName(name: string): boolean {
  return /^[a-z_][a-z0-9_]{0,62}$/.test(name) && !name.startsWith('pg_')
}

/**
 * Brings the schema to the newest version, making it when absent, and returns the identity of the store in it. Of several
 * that open at once, one does it and the others wait. Throws Unfit when the schema is not ours or was written by a newer
 * version, and what pg throws. A schema that is up to date is only read: its user needs no right to change it.
 */
export async function openSchema(client: ClientBase, schema: string): Promise<string> {
  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
  try {
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`${markTable} ${schema}`])
    const version = await versionOf(client, schema)
    const migrations = migrationsOf(quoted(schema))
    if (version > migrations.length) throw new Unfit('newer-version')
    if (version < migrations.length) await migrate(client, schema, version)
    const identity = await identityOf(client, schema)
    await client.query('COMMIT')
    return identity
  } catch (error) {
    // A connection that is gone has rolled back already.
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  }
}

/** Which store the schema holds: made once with it. Throws Unfit when there is none, and what pg throws. */
export async function identityOf(client: ClientBase, schema: string): Promise<string> {
  const { rows } = await client.query<{ identity: string }>(
    `SELECT identity::text AS identity FROM ${quoted(schema)}.${markTable}`,
  )
  const [row] = rows
  if (row === undefined || rows.length > 1) throw new Unfit('foreign-schema')
  return row.identity
}

async function versionOf(client: ClientBase, schema: string): Promise<number> {
  const { rows } = await client.query<{ marked: boolean; objects: number }>(
    `SELECT to_regclass($1) IS NOT NULL AS marked,
       (SELECT count(*)::int FROM pg_class WHERE relnamespace = to_regnamespace($2)) +
       (SELECT count(*)::int FROM pg_proc WHERE pronamespace = to_regnamespace($2)) +
       (SELECT count(*)::int FROM pg_type WHERE typnamespace = to_regnamespace($2)) AS objects`,
    [`${quoted(schema)}.${markTable}`, quoted(schema)],
  )
  const [found] = rows
  if (found === undefined) throw new Unfit('foreign-schema')
  if (!found.marked) {
    if (found.objects > 0) throw new Unfit('foreign-schema')
    return 0
  }
  const { rows: marks } = await client.query<{ version: number }>(`SELECT version FROM ${quoted(schema)}.${markTable}`)
  const [mark] = marks
  if (mark === undefined || marks.length > 1) throw new Unfit('foreign-schema')
  return mark.version
}

async function migrate(client: ClientBase, schema: string, version: number): Promise<void> {
  const name = quoted(schema)
  const migrations = migrationsOf(name)
  if (version === 0) {
    // Not IF NOT EXISTS: that asks for the right to make schemas even where there is nothing to make.
    const { rows } = await client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema])
    if (rows.length === 0) await client.query(`CREATE SCHEMA ${name}`)
    await client.query(`CREATE TABLE ${name}.${markTable} (version int NOT NULL, identity uuid NOT NULL)`)
    await client.query(`INSERT INTO ${name}.${markTable} VALUES (0, gen_random_uuid())`)
  }
  for (const migration of migrations.slice(version)) await client.query(migration)
  await client.query(`UPDATE ${name}.${markTable} SET version = $1`, [migrations.length])
}

/** A checked name, quoted: it may be a reserved word. */
export function quoted(schema: string): string {
  return `"${schema}"`
}
