import type { CommunityConfig, Federation } from './config/federation.ts'
import { ConfigError, type LoadedConfig } from './config/load.ts'
import { type HomeCommunityId, homeCommunityId } from './core/model/identifiers.ts'
import type { Party, TrustedCallers } from './trust/parties.ts'
import type { TrustedIssuer } from './trust/saml/trusted-issuer.ts'
import { certificatesOf } from './trust/x509/certificate.ts'
import type { TrustAnchors } from './trust/x509/chain.ts'
import { readRevocationList } from './trust/x509/revocation.ts'

type Trust = CommunityConfig['trust'] | Federation['consumers'][number]['trust']

/** Files that vouch for certificates, as the configuration names them. */
export interface AuthorityFiles {
  readonly anchors: readonly string[]
  readonly intermediates?: readonly string[]
  readonly revocationLists?: readonly string[]
}

/** Reads anchors and lists; each file once. Throws ConfigError for one that cannot be read. */
export function anchorReader({ federation, read, bytes }: LoadedConfig) {
  const { revocationGraceMs } = federation.gateway
  const certificates = once((file) => reading(file, () => certificatesOf(read(file))))
  const list = once((file) => reading(file, () => readRevocationList(listBytes(bytes(file)))))
  return ({ anchors, intermediates = [], revocationLists = [] }: AuthorityFiles): TrustAnchors => ({
    anchors: anchors.flatMap(certificates),
    intermediates: intermediates.flatMap(certificates),
    ...(revocationLists.length === 0
      ? {}
      : { revocation: { lists: revocationLists.map(list), graceMs: revocationGraceMs } }),
  })
}

/** PEM is text and says so; anything else is DER. */
function listBytes(content: Buffer): Uint8Array | string {
  return content.includes('-----BEGIN') ? content.toString('latin1') : content
}

function once<T>(make: (file: string) => T): (file: string) => T {
  const made = new Map<string, T>()
  return (file) => {
    const known = made.get(file)
    if (known !== undefined) return known
    const value = make(file)
    made.set(file, value)
    return value
  }
}

function reading<T>(file: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError([{ path: file, message: error instanceof Error ? error.message : 'cannot be used' }])
  }
}

/** Everybody the configuration lets in, with their anchors read. Throws ConfigError for a file that cannot be read. */
export function partiesOf(
  { gateway, communities, consumers }: Federation,
  anchorsOf: (files: AuthorityFiles) => TrustAnchors,
): readonly Party[] {
  const party = (name: string, home: HomeCommunityId, trust: Trust, kind: 'community' | 'national' | 'consumer') => {
    const { callers, assertions } = trust
    const identification = 'identification' in trust ? trust.identification : undefined
    if (callers === undefined && assertions === undefined) return []
    return [
      {
        name,
        home,
        forwards: kind === 'national',
        consumer: kind === 'consumer',
        callers: callers && callersOf(callers, anchorsOf),
        assertions: assertions && issuerOf(home, assertions, anchorsOf(assertions)),
        ...messageDemands(trust, anchorsOf),
        ...(identification === undefined
          ? {}
          : { identification: identifierOf(home, identification, anchorsOf(identification)) }),
      } satisfies Party,
    ]
  }
  return [
    ...communities.flatMap(({ name, home, trust, adapter }) =>
      party(name, homeCommunityId(home), trust, adapter === 'ini' ? 'national' : 'community'),
    ),
    ...consumers.flatMap(({ name, trust }) => party(name, homeCommunityId(gateway.home), trust, 'consumer')),
  ]
}

/** Who calls back without being a community or a consumer. Throws ConfigError for a file that cannot be read. */
export function callbackPartiesOf(
  { gateway: { workflowStatus } }: Federation,
  anchorsOf: (files: AuthorityFiles) => TrustAnchors,
): readonly Party[] {
  if (workflowStatus === undefined) return []
  const callers = callersOf(workflowStatus.callers, anchorsOf)
  return [{ name: 'fse-gateway', forwards: false, consumer: false, callers, assertions: undefined }]
}

function callersOf(callers: Callers, anchorsOf: (files: AuthorityFiles) => TrustAnchors): TrustedCallers {
  return {
    trust: anchorsOf(callers),
    names: patterns(callers.names),
    alternativeNames: patterns(callers.alternativeNames),
    ...given('policies', callers.policies),
  }
}

type Callers = NonNullable<Trust['callers']>
type Assertions = NonNullable<Trust['assertions']>
type Identification = NonNullable<CommunityConfig['trust']['identification']>

function issuerOf(community: HomeCommunityId, config: Assertions, trust: TrustAnchors): TrustedIssuer {
  const { profile, issuers, signers, sha1, replay, mandatory, roles, purposes } = config
  return {
    community,
    profile,
    issuers,
    trust,
    signers: patterns(signers),
    sha1,
    replay,
    mandatory,
    roles: new Map(Object.entries(roles)),
    purposes: new Map(Object.entries(purposes)),
    ...given('policies', config.policies),
    ...given('maxAgeMs', config.maxAgeMs),
  }
}

function identifierOf(community: HomeCommunityId, config: Identification, trust: TrustAnchors): TrustedIssuer {
  const { issuers, signers, sha1 } = config
  const form = { profile: 'ini', replay: 'message', mandatory: [] } as const
  return { community, ...form, issuers, trust, signers: patterns(signers), sha1, ...given('policies', config.policies) }
}

function messageDemands(trust: Trust, anchorsOf: (files: AuthorityFiles) => TrustAnchors): Pick<Party, 'message'> {
  const message = 'message' in trust ? trust.message : undefined
  if (message === undefined) return {}
  const { pattern, messageId, signers, sha1, maxAgeMs, to, policies } = message
  return {
    message: {
      pattern,
      messageId,
      trust: anchorsOf(message),
      demands: { names: patterns(signers), ...given('policies', policies) },
      sha1,
      maxAgeMs,
      ...(to.length === 0 ? {} : { to }),
    },
  }
}

function patterns(texts: readonly string[]): readonly RegExp[] {
  return texts.map((text) => new RegExp(text, 'u'))
}

function given<Name extends string, Value>(name: Name, value: Value | undefined): { [N in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [N in Name]?: Value })
}
