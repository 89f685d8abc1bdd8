import type { CommunityConfig, Federation } from './config/federation.ts'
import type { LoadedConfig } from './config/load.ts'
import { type HomeCommunityId, homeCommunityId } from './core/model/identifiers.ts'
import type { Party } from './trust/parties.ts'
import { certificatesOf } from './trust/trust-store.ts'

/** Everybody the configuration lets in, with their anchors read. Throws ConfigError for a file that cannot be read. */
export function partiesOf({ federation, read }: LoadedConfig): readonly Party[] {
  const { gateway, communities, consumers } = federation
  const certificates = (files: readonly string[]) => files.flatMap((file) => certificatesOf(read(file)))
  const patterns = (texts: readonly string[]) => texts.map((text) => new RegExp(text, 'u'))
  const party = (
    name: string,
    home: HomeCommunityId,
    trust: CommunityConfig['trust'] | Federation['consumers'][number]['trust'],
    kind: 'community' | 'national' | 'consumer',
  ): Party[] => {
    const { callers, assertions } = trust
    if (callers === undefined && assertions === undefined) return []
    return [
      {
        name,
        home,
        forwards: kind === 'national',
        consumer: kind === 'consumer',
        callers: callers && { anchors: certificates(callers.anchors), names: patterns(callers.names) },
        assertions: assertions && {
          community: home,
          issuers: assertions.issuers,
          anchors: certificates(assertions.anchors),
          signers: patterns(assertions.signers),
        },
      },
    ]
  }
  return [
    ...communities.flatMap(({ name, home, trust, adapter }) =>
      party(name, homeCommunityId(home), trust, adapter === 'ini' ? 'national' : 'community'),
    ),
    ...consumers.flatMap(({ name, trust }) => party(name, homeCommunityId(gateway.home), trust, 'consumer')),
  ]
}
