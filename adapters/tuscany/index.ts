import { defineAdapter } from '../../src/config/adapter.ts'
import { fhirRegistry } from './fhir-registry.ts'
import { tuscanyOptions } from './options.ts'
import { fhirPatients } from './patients.ts'
import { xdsRegistry } from './xds-registry.ts'

/** Our own community: the Tuscan record, by XDS.b or by FHIR R4, and its patient index. */
export default defineAdapter({
  name: 'tuscany',
  options: tuscanyOptions,
  connect({ home, name, options }, tools) {
    const { fhir, registry, protocol, patients, regionSystem } = options
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
      reaches: [],
      registry: answers,
      ...(patients && fhir
        ? { patients: fhirPatients({ baseUrl: fhir, regionSystem, homes: tools.homeOf, tools }) }
        : {}),
      async [Symbol.asyncDispose]() {},
    }
  },
})
