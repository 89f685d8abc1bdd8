import type { AdapterTools } from '../../src/config/adapter.ts'
import type { HomeCommunityId } from '../../src/core/model/identifiers.ts'
import type { DocumentRepository } from '../../src/core/ports.ts'
import { actions } from '../../src/wire/actions.ts'
import { documentsOf } from '../../src/wire/ebrim/retrieval-outcome.ts'
import type { RegionOptions } from './options.ts'

/** Retrieves documents from a Responding Gateway (ITI-39), which must be told whose documents they are. */
export function respondingRepository(
  url: string,
  home: HomeCommunityId,
  { quirks }: RegionOptions,
  tools: AdapterTools,
): DocumentRepository {
  return {
    mostAtOnce: tools.mostAtOnce,
    async retrieve(references, call) {
      const reply = await tools.retrieve({
        url,
        action: actions.crossGatewayRetrieve,
        references: references.map((reference) => ({ ...reference, home: reference.home ?? home })),
        call,
        messageId: quirks.messageId,
        packaging: quirks.packaging,
      })
      return documentsOf(reply)
    },
  }
}
