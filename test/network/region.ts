import { readSigningRoot } from './certificate.ts'
import type { SignedAssertion } from './check-assertion.ts'
import { type MessageDemands, modiGuard, type TokenDemands } from './check-modi.ts'
import { readXuaClaims } from './check-xua.ts'
import { contentsOf } from './contents.ts'
import { type Holdings, type Identifier, isObscured } from './entry.ts'
import { securityFault } from './faults.ts'
import { authority, findOrganization, organization } from './organizations.ts'
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

/** The regions of the development federation, by their code. */
export type RegionCode = '050' | '120' | '150'

export type Region = Counterpart<{
  /** ITI-38, for the gateway: what the region itself keeps. */
  readonly crossGatewayQuery: string
  /** ITI-39, at the same address. */
  readonly crossGatewayRetrieve: string
  /** ITI-18, for INI: the whole index of those whom the region assists. */
  readonly registry: string
}> & { readonly home: string }

const xca = '/xca/RespondingGateway_Service'
const rda = '/rda/DocumentRegistry_Service'
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
  const index = contents.told(seed.holdings[party])
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

  const registry = registryFace({
    name: 'rda',
    path: rda,
    action: registryStoredQuery,
    dialect: 'ini',
    addressing: 'minimal',
    reading: 'tolerant',
    admits: (name) => codeOf(name) === '000' && name.startsWith('A1#'),
    trust: {
      root,
      now,
      maySign: (signer, issuer) =>
        issuer === 'ANA'
          ? codeOf(signer) === '000'
          : codeOf(signer) === issuer && findOrganization(issuer) !== undefined,
    },
    identification: identifiersIn,
    holdings: index,
    withhold: (entry, { role, subject, purpose }) =>
      isObscured(entry) &&
      !mayLookBehind.has(role) &&
      !(role === 'INI' && purpose === 'SYSADMIN') &&
      !(subject?.startsWith(`${entry.author.person.value}^`) ?? false),
    refuse: () => securityFault('FailedAuthentication', 'Missing Consultation Consent', 'PFA11'),
  })

  const counterpart = await startCounterpart({ ...options, party }, (origin) => ({
    faces: [respondingRepository, respondingGateway, registry],
    urls: { crossGatewayQuery: origin + xca, crossGatewayRetrieve: origin + xca, registry: origin + rda },
  }))
  return { ...counterpart, home }
}

/** The second assertion of a forwarded message is INI's word on the person (ini.md §2.5). */
function identifiersIn({ issuer, attributes }: SignedAssertion): readonly Identifier[] {
  const codes = attributes.get('CF_List') ?? []
  if (issuer !== 'ANA' || codes.length === 0) {
    throw securityFault('InvalidSecurity', 'The second assertion is not one of identification', 'PST5')
  }
  return codes.map((value) => ({ value, authority: authority.codiceFiscale }))
}

/** What the region's own repositories keep, of the region's whole index. */
function keptBy(index: Holdings, region: RegionCode): Holdings {
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
