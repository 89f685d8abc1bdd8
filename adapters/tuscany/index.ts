import { organizations as names } from '../../contracts/affinity-domain/organizations.ts'
import { defineAdapter } from '../../src/config/adapter.ts'
import { fhirRecipient } from './fhir-recipient.ts'
import { fhirRegistry } from './fhir-registry.ts'
import { notificationForwarder } from './notifications.ts'
import { changesByXds, tuscanyOptions } from './options.ts'
import { fhirPatients } from './patients.ts'
import { xdsRecipient } from './recipient.ts'
import { xdsRepository } from './repository.ts'
import { xdsRegistry } from './xds-registry.ts'

const organizations = Object.keys(names)

/** Our own community: the Tuscan record, by XDS.b or by FHIR R4, and its patient index. */
export default defineAdapter({
  name: 'tuscany',
  options: tuscanyOptions,
  connect({ home, name, options }, tools) {
    const { fhir, registry, repository, protocol, patients, regionSystem } = options
    const answers =
      protocol === 'xds'
        ? registry && xdsRegistry(registry, options, tools)
        : fhir && fhirRegistry({ baseUrl: fhir, tools })
    if (!answers) throw new Error(`Community ${name}: no endpoint for protocol ${protocol}`)
    return {
      home,
      name,
      relation: 'own',
      identifiers: 'each',
      // The index of those we assist tells of their documents wherever these lie.
      reaches: organizations.flatMap((code) => tools.homeOf(code) ?? []).filter((other) => other !== home),
      registry: answers,
      ...(repository === undefined ? {} : { repository: xdsRepository(repository, options, tools) }),
      ...(changesByXds(options) ? { recipient: xdsRecipient({ home, registry: answers, options, tools }) } : {}),
      ...(options.transactions && fhir
        ? { recipient: fhirRecipient({ baseUrl: fhir, binaries: options.binaries ?? `${fhir}/Binary`, tools }) }
        : {}),
      ...(patients && fhir
        ? { patients: fhirPatients({ baseUrl: fhir, regionSystem, homes: tools.homeOf, tools }) }
        : {}),
      ...(options.notifications === undefined
        ? {}
        : { notifications: notificationForwarder(options.notifications, tools) }),
      async [Symbol.asyncDispose]() {},
    }
  },
})
