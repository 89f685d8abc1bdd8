import { readSigningRoot } from './certificate.ts'
import { readXuaClaims } from './check-xua.ts'
import { securityFault } from './faults.ts'
import { fhirFace } from './fhir-face.ts'
import { gatewayChannel, registryFace, registryStoredQuery, trustGateway } from './registry-face.ts'
import type { Seed } from './seed.ts'
import { type Counterpart, type CounterpartOptions, startCounterpart, systemClock } from './server.ts'

export type TuscanRecord = Counterpart<{
  /** ITI-18. */
  readonly registry: string
  /** `[base]` of the FHIR R4 face: ITI-67, ITI-78. */
  readonly fhir: string
}>

export interface TuscanRecordOptions extends CounterpartOptions {
  readonly seed: Seed
  /** Takes assertions of IHE XUA made for this audience, instead of INI's form. */
  readonly xua?: { readonly audience: string }
}

const registryPath = '/xds/DocumentRegistry_Service'

/**
 * The Tuscan record: one registry behind an XDS.b and a FHIR face, for the gateway alone. It tells of everything it has,
 * obscured documents included: what a user may see is for the gateway to decide.
 */
export async function startTuscanRecord(options: TuscanRecordOptions): Promise<TuscanRecord> {
  const { certificates, seed, xua, clock = systemClock } = options
  const root = await readSigningRoot(certificates)
  const holdings = seed.holdings.tuscany
  const registry = registryFace({
    name: 'xds',
    path: registryPath,
    action: registryStoredQuery,
    dialect: 'standard',
    addressing: 'complete',
    reading: 'strict',
    admits: (name) => name === gatewayChannel,
    trust: trustGateway(root, () => clock.now()),
    ...(xua && { claims: (assertion) => readXuaClaims(assertion, { ...xua, now: clock.now() }) }),
    holdings,
    refuse: () => securityFault('FailedAuthentication', 'The record does not tell'),
  })
  return startCounterpart({ ...options, party: 'tuscany' }, (origin) => ({
    faces: [registry, fhirFace({ origin, holdings, root, clock })],
    urls: { registry: origin + registryPath, fhir: `${origin}/fhir` },
  }))
}
