import { type AdapterTools, defineAdapter } from '../../src/config/adapter.ts'
import type { HomeCommunityId } from '../../src/core/model/identifiers.ts'
import type { DocumentRegistry } from '../../src/core/ports.ts'
import { consentServices } from './consent-services.ts'
import { iniIndexTransfer } from './index-transfer.ts'
import { retrieveNotifier } from './notify.ts'
import { addressOf, operations } from './operations.ts'
import { type IniOptions, iniOptions } from './options.ts'
import { iniAnswer } from './outcome.ts'
import { iniRecipient } from './recipient.ts'
import { iniRepository } from './repository.ts'
import { recentSearches, type Searches } from './searches.ts'
import { singleOperations } from './single-operations.ts'

/** Organizations whose documents INI tells of (ini.md §4.9). */
const regions = '010 020 030 041 042 050 060 070 080 090 100 110 120 130 140 150 160 170 180 190 200 970 001'.split(' ')

/** INI, the national star: one question reaches the registry of the person's region of assistance. */
export default defineAdapter({
  name: 'ini',
  options: iniOptions,
  connect({ home, name, options }, tools) {
    const reaches = regions.flatMap((code) => tools.homeOf(code) ?? [])
    const searches = recentSearches(tools.clock)
    const registry = iniRegistry(new Set([home, ...reaches]), options, tools, searches)
    const { notifyRetrieve, retrieve } = options
    return {
      home,
      name,
      relation: 'national',
      // INI knows all identifiers of a person from ANA and searches under each (ini.md §2.5).
      identifiers: 'active',
      reaches,
      registry,
      ...(retrieve === undefined
        ? {}
        : { repository: iniRepository(retrieve, options, tools, { registry, searches }) }),
      ...(options.publish ? { recipient: iniRecipient(options, tools) } : {}),
      ...(options.indexTransfer ? { indexTransfer: iniIndexTransfer(options, tools) } : {}),
      ...(notifyRetrieve === undefined ? {} : { notices: { tell: retrieveNotifier(notifyRetrieve, tools, options) } }),
      ...consentServices(options, tools),
      async [Symbol.asyncDispose]() {},
    }
  },
  operations: ({ options }, tools) => singleOperations(options, tools),
})

function iniRegistry(
  allowed: ReadonlySet<HomeCommunityId>,
  options: IniOptions,
  tools: AdapterTools,
  searches: Searches,
): DocumentRegistry {
  const { messageId } = options
  const url = addressOf('search', options)
  return {
    async query({ home: _home, ...query }, call) {
      const reply = await tools.ask({
        url,
        action: operations.search.action,
        query,
        call,
        messageId,
        codeLists: 'joined',
        homes: { missing: 'stamp', allowed },
      })
      const answer = iniAnswer(reply)
      searches.remember(answer, call)
      return answer
    },
  }
}
