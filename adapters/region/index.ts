import { defineAdapter } from '../../src/config/adapter.ts'
import { homeCommunityId } from '../../src/core/model/identifiers.ts'
import { regionOptions } from './options.ts'
import { respondingGateway } from './registry.ts'
import { respondingRepository } from './repository.ts'

/** Any other region or partner: an XCA Responding Gateway, asked by ITI-38. */
export default defineAdapter({
  name: 'region',
  options: regionOptions,
  connect: ({ home, name, options }, tools) => ({
    home,
    name,
    relation: 'partner',
    identifiers: options.identifiers,
    reaches: options.quirks.fronts.map(homeCommunityId),
    registry: respondingGateway(home, options, tools),
    ...(options.retrieve === undefined
      ? {}
      : { repository: respondingRepository(options.retrieve, home, options, tools) }),
    async [Symbol.asyncDispose]() {},
  }),
})
