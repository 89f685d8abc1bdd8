import type { Federation } from './config/federation.ts'
import type { LoadedConfig } from './config/load.ts'
import type { Clock } from './core/ports.ts'
import type { Store } from './store/store.ts'

type Postgres = Extract<Federation['gateway']['store'], { postgres: unknown }>['postgres']

/** Opens the store the configuration names; the engine that is not used is not loaded. Rejects when it cannot be used. */
export async function openStore({ federation, locate }: LoadedConfig, clock: Clock): Promise<Store> {
  const { store, pushes } = federation.gateway
  const keptMs = pushes.keptDays * 86_400_000
  if ('path' in store) {
    const { sqliteStore } = await import('./store/sqlite.ts')
    return await sqliteStore({ path: locate(store.path), clock, keptMs })
  }
  const { postgresStore } = await import('./store/postgres.ts')
  const { schema, connections, deadlineMs, connectMs, statementMs, lockMs } = store.postgres
  const connection = connectionOf(store.postgres, locate)
  return await postgresStore({
    connection,
    schema,
    connections,
    deadlineMs,
    connectMs,
    statementMs,
    lockMs,
    clock,
    keptMs,
  })
}

function connectionOf({ host, port, database, user, passwordFile, tls }: Postgres, locate: LoadedConfig['locate']) {
  const client = tls?.client && { certificate: locate(tls.client.certificate), key: locate(tls.client.key) }
  return {
    ...{ host, database, user },
    ...(port === undefined ? {} : { port }),
    ...(passwordFile === undefined ? {} : { passwordFile: locate(passwordFile) }),
    ...(tls === undefined ? {} : { tls: { ca: locate(tls.ca), ...(client === undefined ? {} : { client }) } }),
  }
}
