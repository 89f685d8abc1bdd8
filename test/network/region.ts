import { readSigningRoot } from './certificate.ts'
import type { SignedAssertion } from './check-assertion.ts'
import { type MessageDemands, modiGuard, type TokenDemands } from './check-modi.ts'
import { readXuaClaims } from './check-xua.ts'
import { contentsOf } from './contents.ts'
import { type Holdings, type Identifier, isObscured } from './entry.ts'
import { securityFault } from './faults.ts'
import { authority, findOrganization, organization } from './organizations.ts'
import type { RegisteredLog } from './registered.ts'
import {
  codeOf,
  crossGatewayQuery,
  gatewayChannel,
  registryFace,
  registryStoredQuery,
  trustGateway,
} from './registry-face.ts'
import { type AnswerPackaging, kept, RetrieveProblem, repositoryFace, unknownDocument } from './repository-face.ts'
import { crossGatewayRetrieve } from './retrieve.ts'
import type { Seed } from './seed.ts'
import { type Counterpart, type CounterpartOptions, startCounterpart, systemClock } from './server.ts'
import { patientAsked, RegistryProblem } from './stored-query.ts'
import { submissionFace } from './submission-face.ts'
import { writableRegistry } from './writable-registry.ts'

/** The regions of the development federation, by their code. */
export type RegionCode = '050' | '120' | '150'

export type Region = Counterpart<{
  /** ITI-38, for the gateway: what the region itself keeps. */
  readonly crossGatewayQuery: string
  /** ITI-39, at the same address. */
  readonly crossGatewayRetrieve: string
  /** ITI-18, for INI: the whole index of those whom the region assists. */
  readonly registry: string
  /** ITI-42, ITI-57 and ITI-62, for INI too. */
  readonly register: string
  readonly update: string
  readonly delete: string
}> & {
  readonly home: string
  /** What INI had it take in and let go, in order of arrival. */
  readonly registered: RegisteredLog
  /** The whole index as it is now. */
  readonly holdings: Holdings
}

const xca = '/xca/RespondingGateway_Service'
const rda = '/rda/DocumentRegistry_Service'
const rdaChanges = {
  register: '/rda/Register/DocumentRegistry_Service',
  update: '/rda/MetadataUpdate/DocumentRegistry_Service',
  delete: '/rda/Delete/XDSDeletetWSService',
} as const
/** For whom an obscured document is not obscured (ini.md §4.5, P99). */
const mayLookBehind = new Set(['ASS', 'TUT', 'GEN', 'ING'])

export interface RegionOptions extends CounterpartOptions {
  readonly region: RegionCode
  readonly seed: Seed
  /** Takes assertions of IHE XUA made for this audience, instead of INI's form. */
  readonly xua?: { readonly audience: string }
  /** Wants messages signed as ModI asks, and tokens with them. */
  readonly modi?: { readonly message?: MessageDemands; readonly tokens?: TokenDemands }
  /** Documents of other sizes than the seed's, in bytes by unique id. */
  readonly sizes?: Readonly<Record<string, number>>
  /** How retrievals are answered. */
  readonly packaging?: AnswerPackaging
}

/** A region: a Responding Gateway by the book, and the registry that INI forwards to. */
export async function startRegion(options: RegionOptions): Promise<Region> {
  const { certificates, region, seed, xua, modi, sizes, packaging, clock = systemClock } = options
  const party = `region-${region}` as const
  const { home } = organization(region)
  const root = await readSigningRoot(certificates)
  const now = (): number => clock.now()
  const contents = contentsOf(seed, sizes)
  const writable = writableRegistry(contents.told(seed.holdings[party]), { clock, errorNames: 'national' })
  const index = writable.holdings
  const own = keptBy(index, region)
  /** For the gateway: what is the same whether it asks or retrieves. */
  const gateway = {
    path: xca,
    dialect: 'standard',
    addressing: 'complete',
    admits: (name: string) => name === gatewayChannel,
    trust: trustGateway(root, now),
    ...(xua && { claims: (assertion: SignedAssertion) => readXuaClaims(assertion, { ...xua, now: now() }) }),
    ...(modi && { requireMore: modiGuard(modi, { root, now, path: xca }) }),
    refuse: () => new RegistryProblem('XDSRegistryError', 'Access is denied by the policy of the region'),
  } as const

  const respondingGateway = registryFace({
    ...gateway,
    name: 'xca',
    action: crossGatewayQuery,
    reading: 'strict',
    holdings: own,
    home,
    check(asked) {
      if (asked.home !== undefined && asked.home !== home) {
        throw new RegistryProblem('XDSUnknownCommunity', 'This gateway speaks for another community')
      }
      if (asked.home === undefined && patientAsked(asked) === undefined) {
        throw new RegistryProblem('XDSMissingHomeCommunityId', 'A query without a patient needs a community')
      }
    },
    // An obscured document is none of another region's business, and this face knows no citizen.
    withhold: isObscured,
  })

  const respondingRepository = repositoryFace({
    ...gateway,
    name: 'xcr',
    action: crossGatewayRetrieve,
    contents,
    ...(packaging && { packaging }),
    find(reference) {
      if (reference.home === undefined) {
        throw new RetrieveProblem('XDSMissingHomeCommunityId', 'A document across communities needs its community')
      }
      if (reference.home !== home) {
        throw new RetrieveProblem('XDSUnknownCommunity', 'This gateway speaks for another community')
      }
      const entry = kept(own.entries, reference)
      if (isObscured(entry)) throw unknownDocument()
      return entry
    },
    home,
  })

  /** For INI: what is the same whether it asks or tells. */
  const forIni = {
    dialect: 'ini',
    addressing: 'minimal',
    admits: (name: string) => codeOf(name) === '000' && name.startsWith('A1#'),
    trust: {
      root,
      now,
      maySign: (signer: string, issuer: string) =>
        issuer === 'ANA'
          ? codeOf(signer) === '000'
          : codeOf(signer) === issuer && findOrganization(issuer) !== undefined,
    },
    identification: identifiersIn,
  } as const
  const changes = (['register', 'update', 'delete'] as const).map((change) =>
    submissionFace({ ...forIni, change, path: rdaChanges[change], registry: writable }),
  )
  const registry = registryFace({
    ...forIni,
    name: 'rda',
    path: rda,
    action: registryStoredQuery,
    reading: 'tolerant',
    holdings: index,
    withhold: (entry, { role, subject, purpose }) =>
      isObscured(entry) &&
      !mayLookBehind.has(role) &&
      !((role === 'INI' || role === 'NOR') && purpose === 'SYSADMIN') &&
      !(subject?.startsWith(`${entry.author.person.value}^`) ?? false),
    refuse: () => securityFault('FailedAuthentication', 'Missing Consultation Consent', 'PFA11'),
  })

  const counterpart = await startCounterpart({ ...options, party }, (origin) => ({
    faces: [respondingRepository, respondingGateway, registry, ...changes],
    urls: {
      crossGatewayQuery: origin + xca,
      crossGatewayRetrieve: origin + xca,
      registry: origin + rda,
      register: origin + rdaChanges.register,
      update: origin + rdaChanges.update,
      delete: origin + rdaChanges.delete,
    },
  }))
  return Object.assign(counterpart, { home, registered: writable.registered, holdings: index })
}

/** The second assertion of a forwarded message is INI's word on the person (ini.md §2.5). */
function identifiersIn({ issuer, attributes }: SignedAssertion): readonly Identifier[] {
  const codes = attributes.get('CF_List') ?? []
  if (issuer !== 'ANA' || codes.length === 0) {
    throw securityFault('InvalidSecurity', 'The second assertion is not one of identification', 'PST5')
  }
  return codes.map((value) => ({ value, authority: authority.codiceFiscale }))
}

/** What the region's own repositories keep, of the region's whole index as it is when it is looked at. */
function keptBy(index: Holdings, region: RegionCode): Holdings {
  let [entries, kept]: [Holdings['entries'] | undefined, Holdings] = [undefined, index]
  const now = (): Holdings => {
    if (entries !== index.entries) [entries, kept] = [index.entries, partOf(index, region)]
    return kept
  }
  return {
    get entries() {
      return now().entries
    },
    get submissionSets() {
      return now().submissionSets
    },
    get folders() {
      return now().folders
    },
    get associations() {
      return now().associations
    },
  }
}

function partOf(index: Holdings, region: RegionCode): Holdings {
  const entries = index.entries.filter(({ keeper }) => keeper === region)
  const kept = new Set(entries.map(({ entryUuid }) => entryUuid))
  const others = new Set(index.entries.map(({ entryUuid }) => entryUuid).filter((id) => !kept.has(id)))
  const associations = index.associations.filter(({ source, target }) => !others.has(source) && !others.has(target))
  const sources = new Set(associations.map(({ source }) => source))
  return {
    entries,
    submissionSets: index.submissionSets.filter(({ entryUuid }) => sources.has(entryUuid)),
    folders: index.folders.filter(({ entryUuid }) => sources.has(entryUuid)),
    associations,
  }
}
