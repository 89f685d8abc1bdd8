import { existsSync } from 'node:fs'
import { adapters } from '../../adapters/index.ts'
import { clientOf, connect, toolmaker } from '../communities.ts'
import type { Operations } from '../config/adapter.ts'
import type { CommunityConfig, Federation } from '../config/federation.ts'
import { ConfigError, type LoadedConfig, loadConfig } from '../config/load.ts'
import { type HomeCommunityId, homeCommunityId } from '../core/model/identifiers.ts'
import type { Community } from '../core/ports.ts'
import { modiOf } from '../modi.ts'
import { spool } from '../spool/spool.ts'
import { createEvents } from '../telemetry/events.ts'
import { createLog } from '../telemetry/log.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { loadTrustMaterial } from '../trust-material.ts'
import { CliError } from './exit.ts'
import { federationFile } from './federation.ts'
import { type Recorded, recording } from './recording.ts'

/** Ourselves, as far as it matters to whom we ask. */
export type OwnGateway = Pick<Federation['gateway'], 'organization' | 'application'> & {
  readonly home: HomeCommunityId
}

/** INI as one configuration speaks to it, with everything switched on that has an address. */
export interface IniEndpoint extends AsyncDisposable {
  readonly gateway: OwnGateway
  readonly community: Community
  readonly operations: Operations
  /** Whether it is the one with everybody's true record. */
  readonly isProduction: boolean
  readonly recorded: readonly Recorded[]
  /** How many objects were left out of answers because their metadata cannot be read. */
  readonly dropped: () => number
}

/** What a configuration may leave out and the gateway then never does; an address is all that trying it out takes. */
const everything = { publish: true, consents: true, consentRegister: true, organDonation: true, indexTransfer: true }

/** The host of production (ini.md §1.1). */
const production = 'fseservice.sanita.finanze.it'

/** The configuration that is named, or that of the development federation which runs. Throws CliError. */
export function configPathOf(config: string | undefined, federation: string): string {
  const named = config ?? process.env.FEDERATION_FILE
  if (named !== undefined) return named
  if (!existsSync(federation)) {
    throw new CliError('usage', '--config is needed, or a development federation that runs: npm run federation')
  }
  return federationFile(federation).gateway.config
}

/**
 * Connects one community as the gateway does: its adapter, its options, our keys and its anchors, without guard and cache.
 * Opens no connection yet. Throws CliError for a configuration that cannot be used.
 */
export async function iniEndpoint(path: string, name: string): Promise<IniEndpoint> {
  try {
    return await opened(loadConfig(path), name)
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError('usage', error.message)
    throw error
  }
}

async function opened(config: LoadedConfig, name: string): Promise<IniEndpoint> {
  const index = config.federation.communities.findIndex((one) => one.name === name)
  const entry = config.federation.communities[index]
  const adapter = adapters.find((one) => one.name === 'ini')
  if (entry?.adapter !== adapter?.name || entry === undefined || adapter?.operations === undefined) {
    throw new CliError('usage', `--community: ${name} is no community of the configuration whose adapter is ini`)
  }
  await using opening = new AsyncDisposableStack()
  const ending = new AbortController()
  opening.defer(() => ending.abort())
  const clock = { now: () => Date.now() }
  const alone = onlyOf(config, entry)
  const loaded = await loadTrustMaterial(alone, ending.signal)
  const material = () => loaded
  const { client, recorded } = recording(opening.use(clientOf(entry, alone, material, clock)))
  const modi = modiOf(entry, alone, { clock, material, opened: opening, onFailure: () => undefined })
  let dropped = 0
  const events = {
    ...createEvents(createLog({ level: 'silent' }), createMetrics()),
    entryDropped: ({ entries }: { readonly entries: number }) => {
      dropped += entries
    },
  }
  const parts = { clock, events, signer: () => loaded.signer, spool: opening.use(spool()) }
  const tools = toolmaker(alone, parts)(entry, client, modi)
  const whole = { ...entry, options: { ...(entry.options as object), ...everything } }
  const community = opening.use(connect(whole, tools, index))
  const { gateway } = config.federation
  const running = opening.move()
  return {
    gateway: { ...gateway, home: homeCommunityId(gateway.home) },
    community,
    operations: adapter.operations({ home: community.home, name, options: whole.options }, tools),
    isProduction: JSON.stringify(entry.options).toLowerCase().includes(`//${production}`),
    recorded,
    dropped: () => dropped,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** Files of others, which this community does without, may be missing or broken. */
function onlyOf(config: LoadedConfig, entry: CommunityConfig): LoadedConfig {
  const { workflowStatus: _, ...gateway } = config.federation.gateway
  return { ...config, federation: { ...config.federation, gateway, communities: [entry], consumers: [] } }
}
