import type { AdapterTools } from '../../src/config/adapter.ts'
import type { HomeCommunityId } from '../../src/core/model/identifiers.ts'
import type { DocumentRegistry } from '../../src/core/ports.ts'
import { actions } from '../../src/wire/actions.ts'
import { answerOf } from '../../src/wire/ebrim/outcome.ts'
import type { TuscanyOptions } from './options.ts'

/** Asks the regional XDS.b registry (ITI-18). A registry inside our own community names no home. */
export function xdsRegistry(
  home: HomeCommunityId,
  url: string,
  { messageId, codeLists }: TuscanyOptions,
  tools: AdapterTools,
): DocumentRegistry {
  return {
    async query({ home: _home, ...query }, call) {
      const reply = await tools.ask({
        url,
        action: actions.registryStoredQuery,
        query,
        call,
        messageId,
        codeLists,
        homes: { missing: 'stamp', allowed: new Set([home]) },
      })
      return answerOf(reply)
    },
  }
}
