import { readSigningRoot } from './certificate.ts'
import type { SignedAssertion } from './check-assertion.ts'
import { readXuaClaims } from './check-xua.ts'
import { contentsOf } from './contents.ts'
import type { Holdings } from './entry.ts'
import { securityFault } from './faults.ts'
import { fhirFace } from './fhir-face.ts'
import { fhirWrites } from './fhir-writes.ts'
import { organization } from './organizations.ts'
import type { RegisteredLog } from './registered.ts'
import type { ErrorNames } from './registry-checks.ts'
import { gatewayChannel, registryFace, registryStoredQuery, trustGateway } from './registry-face.ts'
import { type AnswerPackaging, kept, RetrieveProblem, repositoryFace } from './repository-face.ts'
import { retrieveDocumentSet } from './retrieve.ts'
import type { Seed } from './seed.ts'
import { type Counterpart, type CounterpartOptions, startCounterpart, systemClock } from './server.ts'
import { type Change, submissionFace } from './submission-face.ts'
import { writableRegistry } from './writable-registry.ts'

export type TuscanRecord = Counterpart<{
  /** ITI-18. */
  readonly registry: string
  /** ITI-42. */
  readonly register: string
  /** ITI-57. */
  readonly update: string
  /** ITI-62. */
  readonly delete: string
  /** ITI-43. */
  readonly repository: string
  /** `[base]` of the FHIR R4 face: ITI-67, ITI-78, and changes of DocumentReferences. */
  readonly fhir: string
}> & {
  /** What it took in and let go, whichever face it came by, in order of arrival. */
  readonly registered: RegisteredLog
  /** What it knows now. */
  readonly holdings: Holdings
}

export interface TuscanRecordOptions extends CounterpartOptions {
  readonly seed: Seed
  /** Takes assertions of IHE XUA made for this audience, instead of INI's form. */
  readonly xua?: { readonly audience: string }
  /** Documents of other sizes than the seed's, in bytes by unique id. */
  readonly sizes?: Readonly<Record<string, number>>
  /** How retrievals are answered. */
  readonly packaging?: AnswerPackaging
  /** How it names what is wrong with a change; default IHE's way. */
  readonly errorNames?: ErrorNames
}

const registryPath = '/xds/DocumentRegistry_Service'
const changePaths: Readonly<Record<Change, string>> = {
  register: '/xds/Register/DocumentRegistry_Service',
  update: '/xds/MetadataUpdate/DocumentRegistry_Service',
  delete: '/xds/Delete/XDSDeletetWSService',
}
const said: Readonly<Record<Change, string>> = { register: 'CREATE', update: 'UPDATE', delete: 'DELETE' }
const repositoryPath = '/repository/DocumentRepository_Service'

/**
 * The Tuscan record: one registry behind an XDS.b and a FHIR face, both of which take changes, and its repositories, for the
 * gateway alone. It tells of everything it has and hands it out, obscured documents included: what a user may see is for the
 * gateway to decide.
 */
export async function startTuscanRecord(options: TuscanRecordOptions): Promise<TuscanRecord> {
  const { certificates, seed, xua, sizes, packaging, errorNames, clock = systemClock } = options
  const root = await readSigningRoot(certificates)
  const contents = contentsOf(seed, sizes)
  const index = writableRegistry(contents.told(seed.holdings.tuscany), { clock, ...(errorNames && { errorNames }) })
  const { holdings, registered } = index
  const { home } = organization('090')
  const readXua = (assertion: SignedAssertion) =>
    readXuaClaims(assertion, { audience: xua?.audience ?? '', now: clock.now() })
  /** What is the same whether the gateway asks or retrieves. */
  const gateway = {
    dialect: 'standard',
    addressing: 'complete',
    admits: (name: string) => name === gatewayChannel,
    trust: trustGateway(root, () => clock.now()),
    ...(xua && { claims: readXua }),
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
      return kept(
        holdings.entries.filter(({ keeper }) => keeper === '090'),
        reference,
      )
    },
  })
  const changes = (['register', 'update', 'delete'] as const).map((change) =>
    submissionFace({
      ...gateway,
      // The profile has no place for what is meant to be done: it is taken to be what is done.
      ...(xua && { claims: (assertion: SignedAssertion) => ({ ...readXua(assertion), action: said[change] }) }),
      change,
      path: changePaths[change],
      registry: index,
    }),
  )
  const counterpart = await startCounterpart({ ...options, party: 'tuscany' }, (origin) => ({
    faces: [
      registry,
      ...changes,
      repository,
      fhirFace({ origin, holdings, root, clock }),
      fhirWrites({ origin, registry: index, root, clock }),
    ],
    urls: {
      registry: origin + registryPath,
      register: origin + changePaths.register,
      update: origin + changePaths.update,
      delete: origin + changePaths.delete,
      repository: origin + repositoryPath,
      fhir: `${origin}/fhir`,
    },
  }))
  return Object.assign(counterpart, { registered, holdings })
}
