import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, connect as dial, type Socket } from 'node:net'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import type { PostgresStoreOptions } from '../../src/store/postgres.ts'
import type { Store } from '../../src/store/store.ts'
import { auditRecord } from '../unit/store/child/records.ts'
import { use } from '../unit/store/child/uses.ts'
import { patient, schemaName } from './engine.ts'
import { opened, session, sql } from './opened.ts'
import { type PostgresServer, startPostgres } from './server.ts'

const connection = inject('postgres')
const installed = connection !== undefined
const shared = connection ?? { host: '', database: '', user: '' }

async function ownServer(): Promise<PostgresServer> {
  const server = await startPostgres()
  onTestFinished(() => server[Symbol.asyncDispose]())
  return server
}

async function inSchema(changes: Partial<PostgresStoreOptions> = {}): Promise<{ store: Store; schema: string }> {
  const schema = schemaName()
  return { store: await opened({ connection: shared, schema, ...patient, ...changes }), schema }
}

const short = { lockMs: 100, statementMs: 400, deadlineMs: 5000 }
const hasty = { lockMs: 100, statementMs: 200, deadlineMs: 400 }

describe.skipIf(!installed)('a PostgreSQL store whose server fails', () => {
  it('has every acknowledged record and a whole chain after all its processes were killed', async () => {
    const server = await ownServer()
    const store = await opened({ connection: server.connection, ...patient })
    const acknowledged: string[] = []
    const failures: unknown[] = []
    let down = false
    let killing: Promise<void> | undefined

    async function appendOn(caller: number): Promise<void> {
      for (let number = 0; !down; number++) {
        const id = `${caller}-${number}`
        try {
          await store.append(auditRecord(id))
          acknowledged.push(id)
        } catch (error) {
          failures.push(error)
          down = true
        }
        if (acknowledged.length >= 300) killing ??= server.kill()
      }
    }
    await Promise.all(Array.from({ length: 8 }, (_, caller) => appendOn(caller)))
    await killing
    expect(failures.length).toBeGreaterThan(0)
    for (const failure of failures) expect(failure).toMatchObject({ code: 'internal' })
    await expect(store.append(auditRecord('meanwhile'))).rejects.toMatchObject({
      details: { reason: 'no-connection', error: expect.stringMatching(/ENOENT|ECONNREFUSED/) },
    })
    await expect(store.latest()).rejects.toMatchObject({ code: 'internal' })

    await server.start()
    await store.append(auditRecord('after'))
    const kept = await all(store)
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([])
    expect(kept.has('meanwhile')).toBe(false)
    expect(await store.verify()).toEqual({ ok: true, records: kept.size })
  })

  it('grants nothing again that it granted before all its processes were killed', async () => {
    const server = await ownServer()
    const store = await opened({ connection: server.connection, ...patient })
    const granted: string[] = []
    let down = false
    let killing: Promise<void> | undefined

    async function rememberOn(caller: number): Promise<void> {
      for (let number = 0; !down; number++) {
        const name = `${caller}-${number}`
        await store.remember([use(name)]).then(
          (taken) => taken === undefined && granted.push(name),
          () => {
            down = true
          },
        )
        if (granted.length >= 300) killing ??= server.kill()
      }
    }
    await Promise.all(Array.from({ length: 8 }, (_, caller) => rememberOn(caller)))
    await killing
    const first = granted[0] ?? ''
    await expect(store.remember([use(first)])).rejects.toMatchObject({ code: 'internal' })

    await server.start()
    const again = await Promise.all(granted.map((name) => store.remember([use(name)])))
    expect(granted.length).toBeGreaterThanOrEqual(300)
    expect(again.filter((taken) => taken === undefined)).toEqual([])
  })

  it('rejects what was under way when its connections are cut, and goes on with new ones', async () => {
    const { store, schema } = await inSchema()
    const other = await session(shared, schema)
    const acknowledged: string[] = []
    let cuts = 0
    for (let round = 0; round < 5; round++) {
      const ids = Array.from({ length: 60 }, (_, number) => `${round}-${number}`)
      const appended = Promise.allSettled(
        ids.map(async (id) => {
          await store.append(auditRecord(id))
          acknowledged.push(id)
        }),
      )
      const { rows } = await other.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'crocevia' AND query LIKE $1",
        [`%${schema}%`],
      )
      cuts += rows.length
      for (const outcome of await appended) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'internal' })
      }
    }
    expect(cuts).toBeGreaterThan(0)
    await retried(() => store.append(auditRecord('after')))
    const kept = await all(store)
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([])
    expect(await store.verify()).toEqual({ ok: true, records: kept.size })
  })

  it('rejects in time while the server is silent, and works again when it answers', async () => {
    const server = await ownServer()
    const wire = await proxyTo(server.overTcp.port ?? 0)
    const store = await opened({
      connection: { ...server.overTcp, port: wire.port },
      ...{ connectMs: 300, lockMs: 200, statementMs: 300, deadlineMs: 1500 },
    })
    expect(await store.append(auditRecord('before'))).toEqual({ sequence: 1 })
    expect(await store.remember([use('before')])).toBeUndefined()
    wire.silence(true)
    const [append, remember, latest] = await Promise.allSettled([
      store.append(auditRecord('lost')),
      store.remember([use('lost')]),
      store.latest(),
    ])
    for (const outcome of [append, remember, latest]) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'internal' } })
    }
    await expect(store.append(auditRecord('lost too'))).rejects.toMatchObject({ code: 'internal' })
    wire.silence(false)
    await retried(() => store.append(auditRecord('after')))
    expect(await store.remember([use('before')])).toEqual(use('before'))
    expect(await store.verify()).toMatchObject({ ok: true })
  })

  it('rejects while another session holds the chain, and has nothing of it afterwards', async () => {
    const { store, schema } = await inSchema(short)
    await store.append(auditRecord('before'))
    const other = await session(shared, schema)
    await other.query('BEGIN')
    await other.query("SELECT append_records(ARRAY['{}'])")
    for (const outcome of await Promise.allSettled([store.append(auditRecord('a')), store.append(auditRecord('b'))])) {
      expect(outcome).toMatchObject({ reason: { details: { reason: 'locked', sqlstate: '55P03' } } })
    }
    await other.query('ROLLBACK')
    expect(await store.append(auditRecord('after'))).toEqual({ sequence: 2 })
    expect(await store.verify()).toEqual({ ok: true, records: 2 })
  })

  it('grants no key that another session holds, and keeps nothing of the call', async () => {
    const { store, schema } = await inSchema(short)
    await store.remember([use('before')])
    const other = await session(shared, schema)
    await other.query('BEGIN')
    await other.query('INSERT INTO replay (key, until) VALUES ($1, 0)', [Buffer.from(use('held').key, 'hex')])
    await expect(store.remember([use('beside'), use('held')])).rejects.toMatchObject({
      details: { reason: 'locked', sqlstate: '55P03' },
    })
    await other.query('ROLLBACK')
    expect(await store.remember([use('beside'), use('held')])).toBeUndefined()
    expect(await store.remember([use('before')])).toEqual(use('before'))
  })

  it('gives up a statement that takes too long, on the server too', async () => {
    const { store, schema } = await inSchema(short)
    await sql(
      shared,
      schema,
      `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$;
       CREATE TRIGGER slow AFTER INSERT ON audit FOR EACH STATEMENT EXECUTE FUNCTION slow();
       CREATE TRIGGER slow AFTER INSERT ON replay FOR EACH STATEMENT EXECUTE FUNCTION slow()`,
    )
    const late = { details: { reason: 'too-slow', sqlstate: '57014' } }
    await expect(store.append(auditRecord('slow'))).rejects.toMatchObject(late)
    await expect(store.remember([use('slow')])).rejects.toMatchObject(late)
    await sql(shared, schema, 'DROP TRIGGER slow ON audit; DROP TRIGGER slow ON replay')
    expect(await store.append(auditRecord('after'))).toEqual({ sequence: 1 })
    expect(await store.remember([use('slow')])).toBeUndefined()
  })

  it('acknowledges nothing before the commit, which may still fail', async () => {
    const { store, schema } = await inSchema()
    await sql(
      shared,
      schema,
      `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'at the commit'; END $$;
       CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON audit DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION fail();
       CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON replay DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION fail()`,
    )
    await expect(store.append(auditRecord('a'))).rejects.toMatchObject({ details: { sqlstate: 'P0001' } })
    await expect(store.remember([use('a')])).rejects.toMatchObject({ details: { sqlstate: 'P0001' } })
    await sql(shared, schema, 'DROP TRIGGER fail ON audit; DROP TRIGGER fail ON replay')
    expect(await store.append(auditRecord('b'))).toEqual({ sequence: 1 })
    expect(await store.remember([use('a')])).toBeUndefined()
  })

  it('closes within its deadline when a commit hangs', async () => {
    const { store, schema } = await inSchema(hasty)
    const other = await session(shared, schema)
    await other.query("BEGIN; SELECT append_records(ARRAY['{}'])")
    const stuck = store.append(auditRecord('stuck')).catch((error: unknown) => error)
    await store[Symbol.asyncDispose]()
    expect(await stuck).toMatchObject({ code: 'internal' })
    await expect(store.append(auditRecord('late'))).rejects.toMatchObject({ code: 'internal' })
    await expect(store.latest()).rejects.toMatchObject({ code: 'internal' })
  })

  it('refuses readers beyond its bound', async () => {
    const { store, schema } = await inSchema({ connections: 3 })
    const other = await session(shared, schema)
    await other.query('BEGIN; LOCK TABLE audit IN ACCESS EXCLUSIVE MODE')
    const reading = Array.from({ length: 70 }, () => store.latest())
    const outcomes = Promise.allSettled(reading)
    await expect(reading[69]).rejects.toMatchObject({ code: 'overloaded' })
    await other.query('COMMIT')
    expect((await outcomes).filter(({ status }) => status === 'fulfilled')).toHaveLength(64)
    expect(await store.latest()).toMatchObject({ sequence: 0 })
  })

  it('rejects when its tables are gone, and makes no others', async () => {
    const { store, schema } = await inSchema()
    await store.remember([use('a')])
    await sql(shared, schema, 'DROP TABLE replay')
    for (const _ of [1, 2]) {
      await expect(store.remember([use('b')])).rejects.toMatchObject({ details: { reason: 'no-schema' } })
    }
    await sql(shared, schema, `DROP SCHEMA ${schema} CASCADE`)
    for (const _ of [1, 2]) {
      await expect(store.append(auditRecord('b'))).rejects.toMatchObject({ details: { reason: 'no-schema' } })
    }
  })

  it('rejects when another store stands at its place: it begins no memory anew', async () => {
    const schema = schemaName()
    const store = await opened({ connection: shared, schema, ...patient })
    await store.remember([use('a')])
    await sql(shared, schema, `DROP SCHEMA ${schema} CASCADE`)
    await opened({ connection: shared, schema, ...patient })
    await cut(schema)
    await expect(retried(() => store.remember([use('a')]), 5)).rejects.toMatchObject({
      details: { reason: 'other-store' },
    })
  })

  it('rejects when it has no clock to judge by', async () => {
    const clock = {
      now() {
        throw new Error('no time')
      },
    }
    const { store } = await inSchema({ clock })
    await expect(store.remember([use('a')])).rejects.toMatchObject({ code: 'internal' })
    const { store: other } = await inSchema({ clock: { now: () => Number.NaN } })
    await expect(other.remember([use('a')])).rejects.toMatchObject({ code: 'internal' })
  })
})

/** Ends the sessions of stores in that schema. */
async function cut(schema: string): Promise<void> {
  await sql(
    shared,
    schema,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE application_name = 'crocevia' AND query LIKE '%${schema}%' AND pid <> pg_backend_pid()`,
  )
}

/** A wire to the server that can be made to carry nothing, without closing anything. */
async function proxyTo(port: number): Promise<{ readonly port: number; readonly silence: (silent: boolean) => void }> {
  const sockets = new Set<Socket>()
  let silent = false
  const proxy = createServer((near) => {
    const far = dial(port, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', (bytes) => silent || to.write(bytes))
      from.on('error', () => to.destroy())
      from.on('close', () => to.destroy())
    }
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })
  return {
    port: (proxy.address() as AddressInfo).port,
    silence(now) {
      silent = now
    },
  }
}

async function all(store: Store): Promise<Set<string>> {
  const kept = new Set<string>()
  for (;;) {
    const page = await store.read({ after: kept.size, limit: 1000 })
    if (page.length === 0) return kept
    for (const { record } of page) kept.add(record.correlationId)
  }
}

async function retried<T>(attempt: () => Promise<T>, attempts = 50): Promise<T> {
  for (let left = attempts; ; left--) {
    try {
      return await attempt()
    } catch (error) {
      if (left === 0) throw error
    }
  }
}
