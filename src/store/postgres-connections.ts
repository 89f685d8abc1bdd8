import { readFile } from 'node:fs/promises'
import type { ConnectionOptions } from 'node:tls'
import { Client, type ClientBase, type ClientConfig, Pool, type QueryResultRow } from 'pg'
import { isHarmless, storeFailure, Unfit } from './postgres-failure.ts'

/** How the server is reached. Files are read again for new connections; no secret comes from the environment. */
export interface PostgresConnection {
  /** Name or address; or the folder of the server's Unix socket, which begins with `/`. */
  readonly host: string
  readonly port?: number
  readonly database: string
  readonly user: string
  /** A file whose first line is the password; absent where the server asks for none (peer, client certificate). */
  readonly passwordFile?: string
  /** PEM files. Absent only for a server on this machine: the journal names patients. */
  readonly tls?: {
    /** The only authorities that may vouch for the server, which must be named as `host` says. */
    readonly ca: string
    readonly client?: { readonly certificate: string; readonly key: string }
  }
}

/** Every wait of a call, in milliseconds. */
export interface PostgresDeadlines {
  readonly connectMs: number
  /** How long one statement may run, and how long of it it may wait for a lock: both kept by the server. */
  readonly statementMs: number
  readonly lockMs: number
}

/** A bounded number of connections, opened when they are needed and replaced when they break. */
export interface Connections {
  /**
   * Runs one statement, which commits when it returns. Rejects with `internal` when the server refused it or its answer
   * did not come in time; in the second case it may have been done.
   */
  run<Row extends QueryResultRow>(text: string, values: readonly unknown[]): Promise<readonly Row[]>
  /** Refuses what comes from now on, and resolves when what was under way has ended. */
  close(): Promise<void>
}

// Whatever the database or the user has as defaults.
const sessionSettings = [
  // Each statement must see what was committed before it.
  'default_transaction_isolation=read\\ committed',
  'default_transaction_read_only=off',
  'search_path=pg_catalog',
  // Plans are kept: one made while a table was small would read all of it for a few rows when it is large.
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
]
const oldestServer = 140_000
// The server keeps its own limit; this one is for a server that no longer answers.
const graceMs = 500
const lifetimeSeconds = 3600

/** Connections to the server, each of them judged by `accept` before anything is run on it. */
export function connectionsTo(
  connection: PostgresConnection,
  deadlines: PostgresDeadlines,
  max: number,
  accept: (client: ClientBase) => Promise<void>,
): Connections {
  const config = configOf(connection, deadlines)
  const pool = new Pool({
    ...config,
    max,
    connectionTimeoutMillis: deadlines.connectMs,
    idleTimeoutMillis: 30_000,
    maxLifetimeSeconds: lifetimeSeconds,
    allowExitOnIdle: true,
    onConnect: async (client) => {
      await insistOnServer(client)
      await accept(client)
    },
  })
  // Whoever uses a broken connection is told by the statement; one that breaks while idle is replaced.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))

  async function attempt<Row extends QueryResultRow>(text: string, values: readonly unknown[]): Promise<Row[]> {
    if (pool.idleCount === 0) await renew(config, connection)
    const client = await pool.connect()
    try {
      const { rows } = await client.query<Row>(text, [...values])
      client.release()
      return rows
    } catch (error) {
      client.release(!isHarmless(error))
      throw error
    }
  }

  return {
    async run(text, values) {
      try {
        return await attempt(text, values)
      } catch (error) {
        throw storeFailure(error)
      }
    },
    close: () => pool.end(),
  }
}

/** Does the work on a connection of its own, and closes it. Throws GatewayError. */
export async function onConnection<T>(
  connection: PostgresConnection,
  deadlineMs: number,
  work: (client: ClientBase) => Promise<T>,
): Promise<T> {
  const config = configOf(connection, { connectMs: deadlineMs, statementMs: deadlineMs, lockMs: deadlineMs })
  try {
    await renew(config, connection)
    const client = new Client(config)
    client.on('error', () => undefined)
    try {
      await client.connect()
      await insistOnServer(client)
      return await work(client)
    } finally {
      // Not waited for: a server that fell silent says no goodbye.
      void client.end().catch(() => undefined)
    }
  } catch (error) {
    throw storeFailure(error)
  }
}

function configOf(connection: PostgresConnection, { connectMs, statementMs, lockMs }: PostgresDeadlines): ClientConfig {
  const { host, port = 5432, database, user, passwordFile, tls } = connection
  return {
    host,
    port,
    database,
    user,
    password: () => passwordIn(passwordFile),
    ssl: tls === undefined ? false : { minVersion: 'TLSv1.2' },
    sslnegotiation: 'postgres',
    client_encoding: 'utf8',
    application_name: 'crocevia',
    options: sessionSettings.map((setting) => `-c ${setting}`).join(' '),
    connectionTimeoutMillis: connectMs,
    statement_timeout: statementMs,
    lock_timeout: lockMs,
    idle_in_transaction_session_timeout: statementMs,
    query_timeout: statementMs + graceMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  }
}

async function passwordIn(file: string | undefined): Promise<string> {
  const text = file === undefined ? '' : await contentOf(file)
  return text.split(/\r?\n/, 1)[0] ?? ''
}

/** Reads the TLS files into the options that the next connections are made with. */
async function renew({ ssl }: ClientConfig, { host, tls }: PostgresConnection): Promise<void> {
  if (tls === undefined) {
    if (!isOnThisMachine(host)) throw new Unfit('tls-missing')
    return
  }
  const { ca, client } = tls
  const read: ConnectionOptions = {
    ca: await contentOf(ca),
    ...(client === undefined ? {} : { cert: await contentOf(client.certificate), key: await contentOf(client.key) }),
  }
  if (typeof ssl === 'object') Object.assign(ssl, read)
}

function isOnThisMachine(host: string): boolean {
  return /^(?:\/.*|localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host)
}

async function contentOf(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Unfit('file-unreadable', { cause })
  })
}

interface Session {
  readonly version: number
  readonly syncs: boolean
  readonly standby: boolean
  readonly encoding: string
  readonly commits: string
}

/** Throws Unfit for a server or a session that would acknowledge what it may lose, or chain other bytes than ours. */
async function insistOnServer(client: ClientBase): Promise<void> {
  // A cluster may ask for more than `on`: that its standbys have applied what is acknowledged.
  const { rows } = await client.query<Session>(
    `SELECT current_setting('server_version_num')::int AS version, current_setting('fsync') = 'on' AS syncs,
       pg_is_in_recovery() AS standby, current_setting('server_encoding') AS encoding,
       CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply'
         ELSE set_config('synchronous_commit', 'on', false) END AS commits`,
  )
  const [session] = rows
  if (session === undefined || session.version < oldestServer) throw new Unfit('server-too-old')
  if (session.standby) throw new Unfit('server-read-only')
  if (!session.syncs) throw new Unfit('server-without-fsync')
  if (session.encoding !== 'UTF8') throw new Unfit('encoding-not-utf8')
  if (!['on', 'remote_apply'].includes(session.commits)) throw new Unfit('commits-not-synchronous')
}
