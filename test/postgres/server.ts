import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import type { PostgresConnection } from '../../src/store/postgres-connections.ts'

/** A PostgreSQL server of our own, in a folder of its own. */
export interface PostgresServer extends AsyncDisposable {
  /** Its superuser over the Unix socket, which needs no password. */
  readonly connection: PostgresConnection
  /** The same over TCP, with a password and, where the server has a certificate, TLS. */
  readonly overTcp: PostgresConnection
  /** Starts it again after `kill` or `stop`, with further settings. */
  start(settings?: Readonly<Record<string, string>>): Promise<void>
  /** Ends all its processes at once, as a power cut would. */
  kill(): Promise<void>
  /** Lets it end its sessions and go. */
  stop(): Promise<void>
}

export interface PostgresServerOptions {
  readonly settings?: Readonly<Record<string, string>>
  /** Certificate and key, PEM; without them the server speaks no TLS. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string }
  /** How TCP sessions prove who they are (pg_hba.conf); default by password, with TLS or without. */
  readonly access?: string
}

const readyMs = 30_000
const password = 'a password of this test'
const run = promisify(execFile)

/** The folder of the newest server that is installed here; undefined when there is none. */
export function installedPostgres(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = foldersIn(debian).sort((a, b) => Number(b) - Number(a))
  const candidates = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ]
  return candidates.find((folder) => isProgram(join(folder, 'initdb')) && isProgram(join(folder, 'postgres')))
}

/** Makes and starts a server. Its files are gone after it was disposed of. */
export async function startPostgres(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const programs = installedPostgres()
  if (programs === undefined) throw new Error('No PostgreSQL server is installed here')
  const directory = await mkdtemp(join(tmpdir(), 'crocevia-pg-'))
  const owner = unprivileged()
  const write = async (name: string, content: string, mode = 0o600) => {
    await writeFile(join(directory, name), content, { mode })
    if (owner !== undefined) await chown(join(directory, name), owner.uid, owner.gid)
  }
  if (owner !== undefined) await chown(directory, owner.uid, owner.gid)
  await write('password', `${password}\n`)
  const data = join(directory, 'data')
  await run(
    join(programs, 'initdb'),
    [
      ...['--pgdata', data, '--username', 'crocevia', '--pwfile', join(directory, 'password')],
      ...['--auth-local', 'trust', '--auth-host', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C', '--no-sync'],
    ],
    { ...owner, cwd: directory },
  )
  if (options.tls !== undefined) {
    await write('server.crt', options.tls.cert)
    await write('server.key', options.tls.key)
    await write('ca.crt', options.tls.ca)
  }
  if (options.access !== undefined) await write('data/pg_hba.conf', `local all all trust\n${options.access}\n`)
  const port = await freePort()
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: directory,
    shared_buffers: '32MB',
    max_connections: '60',
    log_parameter_max_length: '0',
    ...(options.tls === undefined
      ? {}
      : {
          ssl: 'on',
          ssl_cert_file: join(directory, 'server.crt'),
          ssl_key_file: join(directory, 'server.key'),
          ssl_ca_file: join(directory, 'ca.crt'),
        }),
    ...options.settings,
  }
  let server: ChildProcess | undefined

  async function start(more: Readonly<Record<string, string>> = {}): Promise<void> {
    const flags = Object.entries({ ...settings, ...more }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const spawned = spawn(join(programs ?? '', 'postgres'), ['-D', data, ...flags], {
      ...owner,
      cwd: directory,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    server = spawned
    await ready(spawned)
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ending = server
    server = undefined
    if (ending?.pid === undefined || ending.exitCode !== null || ending.signalCode !== null) return
    const gone = once(ending, 'exit')
    const children = signal === 'SIGKILL' ? childrenOf(ending.pid) : []
    ending.kill(signal)
    for (const child of children) killed(child)
    await gone
  }

  await start()
  const database = { port, database: 'postgres', user: 'crocevia' }
  const tls = options.tls === undefined ? {} : { tls: { ca: join(directory, 'ca.crt') } }
  return {
    connection: { host: directory, ...database },
    overTcp: { host: '127.0.0.1', ...database, passwordFile: join(directory, 'password'), ...tls },
    start,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGINT'),
    async [Symbol.asyncDispose]() {
      await end('SIGQUIT')
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** PostgreSQL refuses to run as root: then it runs as the user its package made, or as nobody. */
function unprivileged(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const users = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('There is no unprivileged user to run PostgreSQL')
}

/** Resolves when the server takes connections; what it said is the reason when it does not. */
async function ready(server: ChildProcess): Promise<void> {
  if (server.stderr === null) throw new Error('The server has no output')
  const timer = setTimeout(() => server.kill('SIGKILL'), readyMs)
  const said: string[] = []
  const lines = createInterface({ input: server.stderr })
  for await (const line of lines) {
    said.push(line)
    if (!/database system is ready to accept (?:read-only )?connections/.test(line)) continue
    clearTimeout(timer)
    // What it says from now on is read and dropped, so that it never waits for us.
    server.stderr.resume()
    return
  }
  clearTimeout(timer)
  throw new Error(`PostgreSQL did not start:\n${said.slice(-10).join('\n')}`)
}

function childrenOf(parent: number): number[] {
  return foldersIn('/proc').flatMap((name) => {
    const pid = Number(name)
    if (!Number.isInteger(pid)) return []
    try {
      // `pid (name) state ppid …`, and the name may hold anything.
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const [, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return Number(ppid) === parent ? [pid] : []
    } catch {
      return []
    }
  })
}

function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

function foldersIn(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
