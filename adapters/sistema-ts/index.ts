import { defineAdapter } from '../../src/config/adapter.ts'
import { homeOid } from '../../src/core/model/identifiers.ts'
import { documentOf } from './cda.ts'
import { citizenRegistry } from './citizens.ts'
import { sistemaTsOptions } from './options.ts'
import { prescriptionRegistry } from './registry.ts'
import { prescriptionRepository } from './repository.ts'
import { prescriptionSource, requireSistemaTs } from './source.ts'

/** Sistema TS: prescriptions and dispensings of those we assist, and the registry of citizens. It only reads. */
export default defineAdapter({
  name: 'sistema-ts',
  options: sistemaTsOptions,
  connect({ home, name, options }, tools) {
    const sistemaTs = requireSistemaTs(tools, name)
    const { identifiers, practiceSetting, repositoryUniqueId = `${homeOid(home)}.4.5.1` } = options
    const citizens = options.citizens && citizenRegistry(options.citizens, options, sistemaTs, tools.homeOf)
    const source = prescriptionSource(options, sistemaTs)
    const parts = source && {
      source,
      entries: { home, repositoryUniqueId, practiceSetting },
      make: documentOf,
      ...(citizens === undefined ? {} : { citizens }),
    }
    return {
      home,
      name,
      // INI tells of others' prescriptions, and hides what they hide.
      relation: 'supplement',
      identifiers,
      reaches: [],
      ...(parts === undefined
        ? {}
        : {
            registry: prescriptionRegistry(parts),
            repository: prescriptionRepository({ ...parts, mostAtOnce: tools.mostAtOnce }),
          }),
      ...(citizens === undefined ? {} : { citizens }),
      async [Symbol.asyncDispose]() {},
    }
  },
})
