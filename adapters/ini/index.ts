import { type AdapterTools, defineAdapter } from '../../src/config/adapter.ts'
import type { HomeCommunityId } from '../../src/core/model/identifiers.ts'
import type { DocumentRegistry } from '../../src/core/ports.ts'
import { iniConsents } from './consents.ts'
import { retrieveNotifier } from './notify.ts'
import { search } from './operations.ts'
import { type IniOptions, iniOptions } from './options.ts'
import { iniAnswer } from './outcome.ts'
import { iniRepository } from './repository.ts'
import { recentSearches, type Searches } from './searches.ts'

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
    const { base, consents, consentsPath, consentsPatient, notifyRetrieve, retrieve } = options
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
      ...(notifyRetrieve === undefined ? {} : { notices: { tell: retrieveNotifier(notifyRetrieve, tools, options) } }),
      ...(consents ? { consents: iniConsents(new URL(consentsPath, base).href, consentsPatient, tools) } : {}),
      async [Symbol.asyncDispose]() {},
    }
  },
})

function iniRegistry(
  allowed: ReadonlySet<HomeCommunityId>,
  { base, messageId }: IniOptions,
  tools: AdapterTools,
  searches: Searches,
): DocumentRegistry {
  const url = new URL(search.path, base).href
  return {
    async query({ home: _home, ...query }, call) {
      const reply = await tools.ask({
        url,
        action: search.action,
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
