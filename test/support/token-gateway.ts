import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { auditTrail } from '../../src/audit/trail.ts'
import { loadConfig } from '../../src/config/load.ts'
import { tokens as tokensSchema } from '../../src/config/tokens.ts'
import type { Clock } from '../../src/core/ports.ts'
import { callerRoute } from '../../src/http/api/caller.ts'
import type { ApiRoute } from '../../src/http/api/endpoint.ts'
import { keySets } from '../../src/key-sets.ts'
import { anchorReader, partiesOf } from '../../src/parties.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { AuditRecord } from '../../src/store/store.ts'
import { createEvents } from '../../src/telemetry/events.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { type TokenBearer, tokenPlane } from '../../src/tokens.ts'
import { rememberingCheck } from '../../src/trust/algorithms.ts'
import { identifier } from '../../src/trust/parties.ts'
import { type ApiServer, type ApiSetting, apiServer } from './api-server.ts'
import { certificates, communityInput, gatewayInput } from './gateway-config.ts'
import { pemOf } from './jwt.ts'

/** The consumer `consumer-<party>`: the party whose certificates are its, and what its requests must bring. */
export interface Bearer {
  readonly party: string
  /** As in a configuration; absent, nothing but the certificate. */
  readonly tokens?: unknown
}

export interface TokenGateway extends ApiServer {
  /** What was audited so far, oldest first. */
  records(): Promise<readonly AuditRecord[]>
  /** Reads keys, certificates and lists again. */
  reload(): void
  /** Key sets that could not be had. */
  readonly failures: readonly string[]
  readonly logged: readonly string[]
}

/** Common names of the connections of the parties that are consumers here. */
const names: Readonly<Record<string, string>> = {
  portal: '^A1#090#090PORTALE',
  tuscany: '^A1#090#090REGIONETOSCANA',
  gateway: '^A1#090#090CROCEVIA',
  'region-150': '^A1#150#',
  ini: '^A1#000#',
}

/** The REST doors with guards from a configuration, a store, and mutual TLS. Region 050 is a community there. */
export async function tokenGateway(
  consumers: readonly Bearer[],
  {
    clock,
    faces = [],
    routes = [],
  }: Pick<ApiSetting, 'faces'> & { readonly clock: Clock; readonly routes?: readonly ApiRoute[] },
): Promise<TokenGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'crocevia-tokens-'))
  await using opened = new AsyncDisposableStack()
  opened.defer(() => rm(folder, { recursive: true }))
  const away = 'https://127.0.0.1:1/'
  const communities = [
    communityInput('tuscany', 'tuscany', { registry: away }),
    communityInput('region-050', 'region', { query: away }),
  ]
  const input = gatewayInput(communities, join(folder, 'store.sqlite'))
  const anchors = [join(certificates, 'ca.pem')]
  const signing = [join(certificates, 'signing-ca.pem')]
  const listed = consumers.map(({ party }) => ({
    name: `consumer-${party}`,
    trust: {
      callers: { anchors, names: [names[party] ?? ''] },
      assertions: { issuers: ['090'], anchors: signing, signers: ['^S1#'] },
    },
  }))
  const file = join(folder, 'gateway.json')
  await writeFile(file, JSON.stringify({ ...input, consumers: listed }))
  const config = loadConfig(file)
  const bearers = consumers.flatMap(({ party, tokens }): TokenBearer[] => {
    return tokens === undefined ? [] : [{ name: `consumer-${party}`, tokens: tokensSchema.parse(tokens) }]
  })
  const store = opened.use(await sqliteStore({ path: join(folder, 'store.sqlite'), clock }))
  const failures: string[] = []
  const logged: string[] = []
  const sets = opened.use(keySets(config, { clock, onFailure: (set) => failures.push(set) }))
  const check = rememberingCheck()
  const load = () => {
    const anchorsOf = anchorReader(config)
    const plane = tokenPlane(bearers, { config, clock, check, replay: store, keySets: sets, anchorsOf })
    sets.renew({ cert: pemOf('gateway/tls.crt.pem'), key: pemOf('gateway/tls.key.pem') }, plane.servers)
    return { plane, identify: identifier(partiesOf(config.federation, anchorsOf), () => clock.now()) }
  }
  let loaded = load()
  const destination = { write: (line: string) => void logged.push(line) }
  const server = opened.use(
    await apiServer({
      routes: [callerRoute, ...routes],
      faces,
      identify: (certificate) => loaded.identify(certificate),
      guardOf: ({ name = '' }) => loaded.plane.guards.get(name),
      audit: auditTrail(store, clock),
      events: createEvents(createLog({ level: 'debug', destination }), createMetrics({ process: false })),
      clock,
    }),
  )
  const running = opened.move()
  return {
    ...server,
    failures,
    logged,
    records: async () => (await store.read({ after: 0, limit: 500 })).map(({ record }) => record),
    reload() {
      loaded = load()
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
