import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest'
import { type PostgresStoreOptions, postgresStore } from '../../src/store/postgres.ts'
import type { PostgresConnection } from '../../src/store/postgres-connections.ts'
import { migrationsOf } from '../../src/store/postgres-migrations.ts'
import { type Authority, certificateAuthority } from '../support/tls.ts'
import { delivery } from '../unit/store/child/deliveries.ts'
import { draft, person } from '../unit/store/child/drafts.ts'
import { auditRecord } from '../unit/store/child/records.ts'
import { use } from '../unit/store/child/uses.ts'
import { patient, schemaName } from './engine.ts'
import { opened, sql } from './opened.ts'
import { type PostgresServer, startPostgres } from './server.ts'

const connection = inject('postgres')
const installed = connection !== undefined
const shared = connection ?? { host: '', database: '', user: '' }

/** Writes files of a test, and returns where they are. */
async function files<Name extends string>(contents: Readonly<Record<Name, string>>): Promise<Record<Name, string>> {
  const directory = await mkdtemp(join(tmpdir(), 'crocevia-pg-files-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const paths: Partial<Record<Name, string>> = {}
  for (const [name, content] of Object.entries(contents) as [Name, string][]) {
    paths[name] = join(directory, name)
    await writeFile(join(directory, name), content)
  }
  return paths as Record<Name, string>
}

/** What opening fails with; the store is closed if it opened against expectation. */
async function refusal(options: Omit<PostgresStoreOptions, 'connection'> & { connection: PostgresConnection }) {
  return await postgresStore(options).then(
    async (store) => {
      await store[Symbol.asyncDispose]()
      throw new Error('The store was opened')
    },
    (error: unknown) => error,
  )
}

describe.skipIf(!installed)('opening a PostgreSQL store', () => {
  it.each([
    ['a schema with somebody’s table', 'CREATE TABLE patients (name text)'],
    ['a schema with a table of the journal’s name', 'CREATE TABLE audit (sequence bigint, record text, hash text)'],
    ['a schema with somebody’s function', 'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$'],
    [
      'a schema that is marked twice',
      'CREATE TABLE crocevia_store (version int, identity uuid); INSERT INTO crocevia_store VALUES (1, gen_random_uuid()), (2, gen_random_uuid())',
    ],
    ['a schema whose mark is empty', 'CREATE TABLE crocevia_store (version int, identity uuid)'],
    ['a schema with another mark', 'CREATE TABLE crocevia_store (name text)'],
  ])('refuses %s, and leaves it as it is', async (_what, statements) => {
    const schema = schemaName()
    await sql(shared, schema, `CREATE SCHEMA ${schema}; ${statements}`)
    const before = await tablesOf(schema)
    expect(await refusal({ connection: shared, schema })).toMatchObject({
      code: 'internal',
      details: { reason: 'foreign-schema' },
    })
    expect(await tablesOf(schema)).toEqual(before)
  })

  it('makes its tables in an empty schema, and opens what it made', async () => {
    const schema = schemaName()
    await sql(shared, schema, `CREATE SCHEMA ${schema}`)
    const store = await opened({ connection: shared, schema })
    expect(await store.append(auditRecord('a'))).toEqual({ sequence: 1 })
    expect(await tablesOf(schema)).toEqual([
      'audit',
      'crocevia_store',
      'outbox',
      'outbox_done',
      'push',
      'push_identity',
      'push_object',
      'push_patient',
      'replay',
    ])
  })

  it.each([1, 2])('brings a schema of version %i up to date, and keeps its journal', async (version) => {
    const schema = schemaName()
    const migrations = migrationsOf(`"${schema}"`)
    await sql(
      shared,
      'public',
      `CREATE SCHEMA ${schema};
       CREATE TABLE ${schema}.crocevia_store (version int NOT NULL, identity uuid NOT NULL);
       INSERT INTO ${schema}.crocevia_store VALUES (${version}, gen_random_uuid());
       ${migrations.slice(0, version).join(';')};
       SELECT ${schema}.append_records(ARRAY['{}'])`,
    )
    const store = await opened({ connection: shared, schema })
    expect(await store.append(auditRecord('a'))).toEqual({ sequence: 2 })
    expect(await store.verify()).toEqual({ ok: true, records: 2 })
    expect(await store.remember([use('a')])).toBeUndefined()
    await store.outbox.put(delivery('a'))
    expect(await store.outbox.list({ limit: 1 })).toMatchObject([{ id: 'a' }])
    expect(await sql(shared, schema, 'SELECT version FROM crocevia_store')).toEqual([{ version: migrations.length }])
  })

  it('refuses a schema of a newer version', async () => {
    const schema = schemaName()
    await opened({ connection: shared, schema })
    await sql(shared, schema, 'UPDATE crocevia_store SET version = version + 1')
    expect(await refusal({ connection: shared, schema })).toMatchObject({ details: { reason: 'newer-version' } })
  })

  it.each([
    ['a schema name that would need quotes', { schema: 'Audit"; DROP' }],
    ['a schema of the system', { schema: 'pg_catalog' }],
    ['too few connections', { connections: 2 }],
    ['a lock that may be waited for longer than a statement may run', { lockMs: 3000, statementMs: 3000 }],
    ['a statement that may run longer than a call', { statementMs: 5000, deadlineMs: 5000 }],
    ['calls that outlive what is remembered', { deadlineMs: 60_000 }],
  ])('refuses %s', async (_what, unfit) => {
    expect(await refusal({ connection: shared, ...unfit })).toMatchObject({ details: { reason: 'unfit-options' } })
  })

  it('refuses a database whose texts are not UTF-8', async () => {
    const database = schemaName()
    await sql(shared, 'public', `CREATE DATABASE ${database} ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'`)
    expect(await refusal({ connection: { ...shared, database } })).toMatchObject({
      details: { reason: 'encoding-not-utf8' },
    })
  })

  it('says what is wrong when there is no server, no database, or no file', async () => {
    const nowhere = { ...shared, host: tmpdir(), port: 1 }
    expect(await refusal({ connection: nowhere })).toMatchObject({
      details: { reason: 'no-connection', error: 'ENOENT' },
    })
    expect(await refusal({ connection: { ...shared, database: 'absent' } })).toMatchObject({
      details: { reason: 'no-database', sqlstate: '3D000' },
    })
    const tls = { ca: join(tmpdir(), 'absent.pem') }
    expect(await refusal({ connection: { ...shared, tls } })).toMatchObject({ details: { reason: 'file-unreadable' } })
  })

  it('commits to disk and sees the newest rows, whatever the database has as defaults', async () => {
    const database = schemaName()
    await sql(shared, 'public', `CREATE DATABASE ${database}`)
    await sql(
      shared,
      'public',
      `ALTER DATABASE ${database} SET synchronous_commit = off;
       ALTER DATABASE ${database} SET default_transaction_isolation = 'serializable';
       ALTER DATABASE ${database} SET default_transaction_read_only = on`,
    )
    const schema = schemaName()
    const store = await opened({ connection: { ...shared, database }, schema })
    await sql(
      { ...shared, database },
      schema,
      `CREATE TABLE seen (setting text);
       CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         INSERT INTO ${schema}.seen
           VALUES (current_setting('synchronous_commit') || ', ' || current_setting('transaction_isolation'));
         RETURN NULL;
       END $$;
       CREATE TRIGGER see AFTER INSERT ON audit FOR EACH ROW EXECUTE FUNCTION see();
       CREATE TRIGGER see AFTER INSERT ON replay FOR EACH ROW EXECUTE FUNCTION see()`,
    )
    await store.append(auditRecord('a'))
    await store.remember([use('a')])
    const both = { setting: 'on, read committed' }
    expect(await sql({ ...shared, database }, schema, 'SELECT setting FROM seen')).toEqual([both, both])
  })

  it('serves a user that owns nothing and may not rewrite the journal', async () => {
    const schema = schemaName()
    await opened({ connection: shared, schema })
    await sql(
      shared,
      schema,
      `CREATE ROLE ${schema} LOGIN;
       GRANT USAGE ON SCHEMA ${schema} TO ${schema};
       GRANT SELECT ON crocevia_store TO ${schema};
       GRANT SELECT, INSERT ON audit TO ${schema};
       GRANT SELECT, INSERT, UPDATE, DELETE ON replay, outbox, outbox_done TO ${schema};
       GRANT SELECT, INSERT, DELETE ON push, push_identity, push_patient, push_object TO ${schema};
       GRANT USAGE ON push_step TO ${schema}`,
    )
    const limited = { ...shared, user: schema }
    const store = await opened({ connection: limited, schema })
    expect(await store.append(auditRecord('a'))).toEqual({ sequence: 1 })
    expect(await store.remember([use('a')])).toBeUndefined()
    expect(await store.verify()).toEqual({ ok: true, records: 1 })
    for (const id of ['told', 'dropped']) await store.outbox.put(delivery(id))
    expect(await store.outbox.claim({ now: Date.now(), limit: 1, leaseMs: 1000 })).toMatchObject([{ id: 'told' }])
    await store.outbox.delivered('told')
    expect(await store.outbox.discard('dropped', 'no need')).toBe(true)
    for (const id of ['pushed', 'given up']) await store.journal.append(draft(id, { objects: ['o'] }))
    await store.outbox.delivered('pushed')
    expect(await store.journal.discard('given up', 'no need')).toBe(true)
    expect((await store.journal.list({ limit: 2 })).map(({ state }) => state)).toEqual(['discarded', 'delivered'])
    expect(await store.journal.about([person('person of pushed')])).toMatchObject({ sequence: 1, pushes: [] })
    for (const statement of [
      'ALTER TABLE audit DISABLE TRIGGER ALL',
      'DROP TRIGGER audit_is_never_deleted ON audit',
      'DELETE FROM audit',
      'TRUNCATE audit',
      'UPDATE crocevia_store SET version = 1',
    ]) {
      await expect(sql(limited, schema, statement)).rejects.toMatchObject({ code: '42501' })
    }
    const elsewhere = schemaName()
    expect(await refusal({ connection: limited, schema: elsewhere })).toMatchObject({
      details: { reason: 'not-permitted', sqlstate: '42501' },
    })
  })

  it.each(['TRUNCATE audit', 'SET session_replication_role = replica; DELETE FROM audit'])(
    'keeps the journal from its owner: %s',
    async (statement) => {
      const schema = schemaName()
      const store = await opened({ connection: shared, schema })
      await store.append(auditRecord('kept'))
      await expect(sql(shared, schema, statement)).rejects.toThrow(/append-only/)
      expect(await store.verify()).toEqual({ ok: true, records: 1 })
    },
  )

  it('tells nothing of what it was given when the server refuses it', async () => {
    const schema = schemaName()
    const store = await opened({ connection: shared, schema })
    await sql(
      shared,
      schema,
      `CREATE FUNCTION quote() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN RAISE EXCEPTION 'refused %', NEW USING DETAIL = NEW::text, HINT = NEW::text; END $$;
       CREATE TRIGGER quote AFTER INSERT ON audit FOR EACH ROW EXECUTE FUNCTION quote()`,
    )
    const error = await store.append(auditRecord('a')).catch((refused: unknown) => refused)
    expect(error).toMatchObject({ code: 'internal', details: { reason: 'database', sqlstate: 'P0001' } })
    expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/PROVAX|FindDocuments|A1#/)
  })

  it('tells nothing of a record that was changed to what is no JSON', async () => {
    const schema = schemaName()
    const store = await opened({ connection: shared, schema })
    await store.append(auditRecord('a'))
    await sql(
      shared,
      schema,
      'DROP TRIGGER audit_is_never_changed ON audit; UPDATE audit SET record = substr(record, 2)',
    )
    const error = await store.read({ limit: 1 }).catch((refused: unknown) => refused)
    expect(error).toMatchObject({ name: 'GatewayError', code: 'internal' })
    expect(inspect(error, { depth: 10 })).not.toMatch(/PROVAX|FindDocuments|A1#/)
    expect(await store.verify()).toEqual({ ok: false, brokenAt: 1 })
  })
})

describe.skipIf(!installed)('a PostgreSQL server that must not be relied on', () => {
  it('is one that does not sync what it commits, also after a restart', async () => {
    await using own = await startPostgres()
    await using store = await postgresStore({ connection: own.connection, ...patient })
    await store.append(auditRecord('a'))
    await own.stop()
    await own.start({ fsync: 'off' })
    const unsafe = { details: { reason: 'server-without-fsync' } }
    await expect(pastCuts(() => store.append(auditRecord('b')))).rejects.toMatchObject(unsafe)
    expect(await refusal({ connection: own.connection })).toMatchObject(unsafe)
    await own.stop()
    await own.start()
    expect(await pastCuts(() => store.append(auditRecord('c')))).toEqual({ sequence: 2 })
  })

  it('is a standby, until it has taken over', async () => {
    await using own = await startPostgres()
    await using store = await postgresStore({ connection: own.connection, ...patient })
    await store.append(auditRecord('a'))
    await own.stop()
    await writeFile(join(own.connection.host, 'data', 'standby.signal'), '')
    await own.start({ restore_command: 'false' })
    const standby = { details: { reason: 'server-read-only' } }
    await expect(pastCuts(() => store.append(auditRecord('b')))).rejects.toMatchObject(standby)
    expect(await refusal({ connection: own.connection })).toMatchObject(standby)
    await sql(own.connection, 'public', 'SELECT pg_promote()')
    expect(await pastCuts(() => store.append(auditRecord('c')))).toEqual({ sequence: 2 })
    expect(await store.verify()).toEqual({ ok: true, records: 2 })
  })
})

describe.skipIf(!installed)('reaching a PostgreSQL server over TCP', () => {
  let authority: Authority
  let server: PostgresServer

  beforeAll(async () => {
    if (!installed) return
    authority = await certificateAuthority('Database authority')
    const { cert, key } = await authority.issue({ cn: 'database', names: [{ type: 'ip', value: '127.0.0.1' }] })
    server = await startPostgres({
      tls: { cert, key, ca: authority.ca },
      access: `hostssl all crocevia 127.0.0.1/32 scram-sha-256
hostssl all certified 127.0.0.1/32 cert
host all plain 127.0.0.1/32 scram-sha-256`,
    })
    await sql(
      server.connection,
      'public',
      "CREATE ROLE certified LOGIN SUPERUSER; CREATE ROLE plain LOGIN PASSWORD 'x'",
    )
  })
  afterAll(() => server?.[Symbol.asyncDispose]())

  it('takes a server its authority vouches for, over TLS, with a password from a file', async () => {
    const schema = schemaName()
    const store = await opened({ connection: server.overTcp, schema, ...patient })
    expect(await store.append(auditRecord('a'))).toEqual({ sequence: 1 })
    expect(
      await sql(
        server.connection,
        schema,
        "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'crocevia'",
      ),
    ).toEqual([{ ssl: true }])
  })

  it('refuses a server that another authority vouches for', async () => {
    const other = await certificateAuthority('Database authority')
    const { ca } = await files({ ca: other.ca })
    expect(await refusal({ connection: { ...server.overTcp, tls: { ca } } })).toMatchObject({
      code: 'internal',
      details: { reason: 'no-connection', error: expect.stringMatching(/CERT|SIGNATURE|VERIFY/) },
    })
  })

  it('refuses a server whose certificate is for another name', async () => {
    expect(await refusal({ connection: { ...server.overTcp, host: 'localhost' } })).toMatchObject({
      details: { reason: 'no-connection', error: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    })
  })

  it('refuses a server that speaks no TLS when TLS is asked for', async () => {
    const { ca } = await files({ ca: authority.ca })
    await using plain = await startPostgres()
    expect(await refusal({ connection: { ...plain.overTcp, tls: { ca } } })).toMatchObject({
      details: { reason: 'no-connection' },
    })
  })

  it('does not even connect to another machine without TLS', async () => {
    for (const host of ['database.example', '10.0.0.1', 'localhost.example', '127.0.0.1.example']) {
      const { tls: _, ...open } = server.overTcp
      expect(await refusal({ connection: { ...open, host } })).toMatchObject({ details: { reason: 'tls-missing' } })
    }
  })

  it('shows a client certificate where the server asks for one, and takes a new one without being opened again', async () => {
    const identity = await authority.issue({ cn: 'certified' })
    const paths = await files({ certificate: identity.cert, key: identity.key })
    const { passwordFile: _, ...open } = server.overTcp
    const tls = { ca: server.overTcp.tls?.ca ?? '', client: paths }
    const schema = schemaName()
    const store = await opened({ connection: { ...open, user: 'certified', tls }, schema, ...patient })
    expect(await store.append(auditRecord('a'))).toEqual({ sequence: 1 })

    const stranger = await authority.issue({ cn: 'somebody' })
    await writeFile(paths.certificate, stranger.cert)
    await writeFile(paths.key, stranger.key)
    await sql(
      server.connection,
      schema,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'certified'",
    )
    await expect(pastCuts(() => store.append(auditRecord('b')))).rejects.toMatchObject({
      details: { reason: 'not-authenticated', sqlstate: '28000' },
    })
    await writeFile(paths.certificate, identity.cert)
    await writeFile(paths.key, identity.key)
    expect(await store.append(auditRecord('c'))).toEqual({ sequence: 2 })
  })

  it('does not get in with a wrong password or without one, and tells neither', async () => {
    const { passwordFile } = await files({ passwordFile: 'not the password\n' })
    const { passwordFile: _, ...without } = server.overTcp
    for (const wrong of [{ ...without, passwordFile }, without]) {
      const error = await refusal({ connection: wrong })
      expect(error).toMatchObject({ code: 'internal' })
      expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/not the password/)
    }
  })

  it('takes no password from its environment', async () => {
    const before = process.env.PGPASSWORD
    onTestFinished(() => {
      if (before === undefined) delete process.env.PGPASSWORD
      else process.env.PGPASSWORD = before
    })
    process.env.PGPASSWORD = 'a password of this test'
    const { passwordFile: _, ...without } = server.overTcp
    expect(await refusal({ connection: without })).toMatchObject({ code: 'internal' })
  })
})

async function tablesOf(schema: string): Promise<string[]> {
  const rows = await sql<{ name: string }>(
    shared,
    schema,
    `SELECT relname AS name FROM pg_class WHERE relnamespace = '${schema}'::regnamespace AND relkind = 'r' ORDER BY 1`,
  )
  return rows.map(({ name }) => name)
}

/** Tries until it gets past the connections that were cut: each of them may still be handed out once. */
async function pastCuts<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = 20; ; left--) {
    try {
      return await attempt()
    } catch (error) {
      const { reason } = (error as { details?: { reason?: unknown } }).details ?? {}
      if (left === 0 || (reason !== 'no-connection' && reason !== 'server-stopping')) throw error
    }
  }
}
