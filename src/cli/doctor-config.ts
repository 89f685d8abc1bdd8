import { organizationHome } from '../../contracts/affinity-domain/organizations.ts'
import { connect } from '../communities.ts'
import type { AdapterTools } from '../config/adapter.ts'
import type { CommunityConfig } from '../config/federation.ts'
import { ConfigError, type LoadedConfig, loadConfig } from '../config/load.ts'
import { GatewayError } from '../core/errors.ts'
import { type Finding, fail, ok } from './finding.ts'

/** The configuration, unless its schema forbids to go on. */
export interface Examined {
  readonly findings: readonly Finding[]
  readonly config?: LoadedConfig
}

const mend = 'mend the configuration; docs/operations.md tells every key'

/** Checks a configuration by its schema, and the options of each community by its adapter's. */
export function examineConfig(path: string): Examined {
  let config: LoadedConfig
  try {
    config = loadConfig(path)
  } catch (error) {
    if (error instanceof ConfigError) return { findings: faultsOf(error, path) }
    throw error
  }
  const { communities } = config.federation
  const faults = communities.flatMap((entry, index) => optionFaults(entry, index))
  const found = `${communities.length} communities, ${config.federation.consumers.length} consumers`
  return { config, findings: faults.length === 0 ? [ok(path, `${found}, all as the schema wants`)] : faults }
}

function faultsOf({ faults }: ConfigError, whole: string): readonly Finding[] {
  return faults.map(({ path, message }) => fail(path === '' ? whole : path, message, mend))
}

function optionFaults(entry: CommunityConfig, index: number): readonly Finding[] {
  try {
    connect(entry, toolsOf(entry), index)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return faultsOf(error, `communities[${index}]`)
    throw error
  }
}

function unused(): Promise<never> {
  return Promise.reject(new GatewayError('internal', 'Nobody is asked while a configuration is checked'))
}

/** An adapter also looks at whether it is told how to speak to Sistema TS. */
function toolsOf({ sistemaTs }: CommunityConfig): AdapterTools {
  if (sistemaTs === undefined) return noTools
  const ciphertext = () => ({ ciphertext: '' })
  return { ...noTools, sistemaTs: { as: sistemaTs.as, pinCode: ciphertext, encrypt: ciphertext, post: unused } }
}

/** An adapter looks at its options and asks nobody. */
const noTools: AdapterTools = {
  clock: { now: () => Date.now() },
  send: unused,
  vouch: unused,
  attest: unused,
  ask: unused,
  retrieve: unused,
  submit: unused,
  mostAtOnce: 1,
  homeOf: organizationHome,
}
