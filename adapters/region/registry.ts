import type { AdapterTools } from '../../src/config/adapter.ts'
import { type HomeCommunityId, homeCommunityId } from '../../src/core/model/identifiers.ts'
import type { DocumentRegistry } from '../../src/core/ports.ts'
import { actions } from '../../src/wire/actions.ts'
import { answerOf } from '../../src/wire/ebrim/outcome.ts'
import type { RegionOptions } from './options.ts'

/** Asks a Responding Gateway (ITI-38). The home asked is named, so that a gateway for many regions knows which. */
export function respondingGateway(
  home: HomeCommunityId,
  { query: url, quirks }: RegionOptions,
  tools: AdapterTools,
): DocumentRegistry {
  const homes = { missing: quirks.missingHome, allowed: new Set([home, ...quirks.fronts.map(homeCommunityId)]) }
  return {
    async query(query, call) {
      const { home: asked, ...unaddressed } = query
      const named = quirks.sendHome || !('patientId' in query)
      const reply = await tools.ask({
        url,
        action: actions.crossGatewayQuery,
        query: named ? { ...query, home: asked ?? home } : unaddressed,
        call,
        messageId: quirks.messageId,
        codeLists: quirks.codeLists,
        homes,
      })
      return answerOf(reply)
    },
  }
}
