import { readSigningRoot } from './certificate.ts'
import type { SignedAssertion } from './check-assertion.ts'
import { readXuaClaims } from './check-xua.ts'
import { contentsOf } from './contents.ts'
import { securityFault } from './faults.ts'
import { fhirFace } from './fhir-face.ts'
import { organization } from './organizations.ts'
import { gatewayChannel, registryFace, registryStoredQuery, trustGateway } from './registry-face.ts'
import { type AnswerPackaging, kept, RetrieveProblem, repositoryFace } from './repository-face.ts'
import { retrieveDocumentSet } from './retrieve.ts'
import type { Seed } from './seed.ts'
import { type Counterpart, type CounterpartOptions, startCounterpart, systemClock } from './server.ts'

export type TuscanRecord = Counterpart<{
  /** ITI-18. */
  readonly registry: string
  /** ITI-43. */
  readonly repository: string
  /** `[base]` of the FHIR R4 face: ITI-67, ITI-78. */
  readonly fhir: string
}>

export interface TuscanRecordOptions extends CounterpartOptions {
  readonly seed: Seed
  /** Takes assertions of IHE XUA made for this audience, instead of INI's form. */
  readonly xua?: { readonly audience: string }
  /** Documents of other sizes than the seed's, in bytes by unique id. */
  readonly sizes?: Readonly<Record<string, number>>
  /** How retrievals are answered. */
  readonly packaging?: AnswerPackaging
}

const registryPath = '/xds/DocumentRegistry_Service'
const repositoryPath = '/repository/DocumentRepository_Service'

/**
 * The Tuscan record: one registry behind an XDS.b and a FHIR face, and its repositories, for the gateway alone. It tells of
 * everything it has and hands it out, obscured documents included: what a user may see is for the gateway to decide.
 */
export async function startTuscanRecord(options: TuscanRecordOptions): Promise<TuscanRecord> {
  const { certificates, seed, xua, sizes, packaging, clock = systemClock } = options
  const root = await readSigningRoot(certificates)
  const contents = contentsOf(seed, sizes)
  const holdings = contents.told(seed.holdings.tuscany)
  const { home } = organization('090')
  const own = holdings.entries.filter(({ keeper }) => keeper === '090')
  /** What is the same whether the gateway asks or retrieves. */
  const gateway = {
    dialect: 'standard',
    addressing: 'complete',
    admits: (name: string) => name === gatewayChannel,
    trust: trustGateway(root, () => clock.now()),
    ...(xua && { claims: (assertion: SignedAssertion) => readXuaClaims(assertion, { ...xua, now: clock.now() }) }),
    refuse: () => securityFault('FailedAuthentication', 'The record does not tell'),
  } as const
  const registry = registryFace({
    ...gateway,
    name: 'xds',
    path: registryPath,
    action: registryStoredQuery,
    reading: 'strict',
    holdings,
  })
  const repository = repositoryFace({
    ...gateway,
    name: 'repository',
    path: repositoryPath,
    action: retrieveDocumentSet,
    contents,
    ...(packaging && { packaging }),
    find(reference) {
      if (reference.home !== undefined && reference.home !== home) {
        throw new RetrieveProblem('XDSUnknownCommunity', 'The repositories of the record are of one community')
      }
      return kept(own, reference)
    },
  })
  return startCounterpart({ ...options, party: 'tuscany' }, (origin) => ({
    faces: [registry, repository, fhirFace({ origin, holdings, root, clock })],
    urls: { registry: origin + registryPath, repository: origin + repositoryPath, fhir: `${origin}/fhir` },
  }))
}
