import type { AdapterTools } from '../../src/config/adapter.ts'
import type { DocumentRegistry } from '../../src/core/ports.ts'
import { actions } from '../../src/wire/actions.ts'
import { answerOf } from '../../src/wire/ebrim/outcome.ts'
import type { TuscanyOptions } from './options.ts'

/** Asks the regional XDS.b registry (ITI-18). A registry inside our own community names no home. */
export function xdsRegistry(
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
        // The index of those we assist tells of their documents wherever these lie (ini.md §7.1, RDA).
        homes: { missing: 'stamp', allowed: 'any' },
      })
      return answerOf(reply)
    },
  }
}
