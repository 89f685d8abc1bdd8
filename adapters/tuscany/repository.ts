import type { AdapterTools } from '../../src/config/adapter.ts'
import type { DocumentRepository } from '../../src/core/ports.ts'
import { actions } from '../../src/wire/actions.ts'
import { documentsOf } from '../../src/wire/ebrim/retrieval-outcome.ts'
import type { TuscanyOptions } from './options.ts'

/** Retrieves documents from the regional repositories (ITI-43). A repository inside our own community is named no home. */
export function xdsRepository(
  url: string,
  { messageId, packaging }: TuscanyOptions,
  tools: AdapterTools,
): DocumentRepository {
  return {
    mostAtOnce: tools.mostAtOnce,
    async retrieve(references, call) {
      const reply = await tools.retrieve({
        url,
        action: actions.retrieveDocumentSet,
        references: references.map(({ home: _home, ...reference }) => reference),
        call,
        messageId,
        packaging,
      })
      return documentsOf(reply)
    },
  }
}
