import type { About, AdapterTools, LookUp, RegistryQuestion } from '../../src/config/adapter.ts'
import type { nothingFound, QueryAnswer } from '../../src/core/model/answers.ts'
import type { Slot } from '../../src/core/model/code.ts'
import { addressOf, claimsOf, operations } from './operations.ts'
import type { IniOptions } from './options.ts'
import { lookUpOutcome } from './outcome.ts'

/** The look-ups, of which the one before a removal may be made as others' too. */
export interface IniLookUp extends LookUp {
  /** `authors`, each a CX, are whose document it is asked for as while nobody else is told of it. */
  references(uniqueId: string, about: About, authors?: readonly string[]): Promise<readonly string[] | 'ours'>
}

/** Each look-up on its own endpoint, as the operation has it. Rejects with GatewayError as `lookUpOutcome` throws it. */
export function lookUp(options: IniOptions, tools: Pick<AdapterTools, 'ask'>): IniLookUp {
  async function asked(
    name: 'references' | 'metadata',
    uniqueId: string,
    { call, patientId }: About,
    authors: readonly string[] = [],
  ): Promise<QueryAnswer | 'ours'> {
    const role = options.lookUpRole === 'author' ? {} : { role: options.lookUpRole }
    const question = (extra: readonly Slot[]): RegistryQuestion => ({
      url: addressOf(name, options),
      action: operations[name].action,
      query: { type: 'GetDocuments', documents: { by: 'unique-id', ids: [uniqueId] }, extra },
      call,
      returnType: name === 'references' ? 'ObjectRef' : 'LeafClass',
      messageId: options.messageId,
      homes: { missing: 'stamp', allowed: 'any' },
      ...(patientId === undefined ? {} : { patientId }),
      ...claimsOf(name, call.assertion),
      ...role,
    })
    let found = lookUpOutcome(await tools.ask(question([])))
    // An obscured document is told to its author alone, who is named by a parameter of INI's own (ini.md §1.5, #1651).
    for (const person of options.authorSlot ? new Set([call.assertion.subject, ...authors]) : []) {
      if (found === 'ours' || !isEmpty(found)) break
      const author = { name: '$XDSDocumentEntry.author', values: [`('${person.replaceAll("'", "''")}')`] }
      found = lookUpOutcome(await tools.ask(question([author])))
    }
    return found
  }

  return {
    async references(uniqueId, about, authors) {
      const found = await asked('references', uniqueId, about, authors)
      if (found === 'ours') return found
      // Who answers with whole objects all the same has told their ids too.
      return [...new Set([...found.references.map(({ id }) => id), ...found.entries.map(({ entryUuid }) => entryUuid)])]
    },
    async metadata(uniqueId, about) {
      const found = await asked('metadata', uniqueId, about)
      return found === 'ours' ? found : found.entries.filter((entry) => entry.uniqueId === uniqueId)
    },
  }
}

function isEmpty({ references, entries }: Pick<typeof nothingFound, 'references' | 'entries'>): boolean {
  return references.length + entries.length === 0
}
