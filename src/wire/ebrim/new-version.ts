import type { Extra } from '../../core/model/code.ts'
import type { DocumentEntry } from '../../core/model/metadata.ts'
import { documentEntryTable } from './object-tables.ts'

/** What binds a classification or an identifier to the object it came with. */
const bindings: ReadonlySet<string> = new Set(['id', 'lid', 'classifiedObject', 'registryObject'])

/**
 * An entry under another id, to be submitted as a version of the one it was read from: what came with its codes and
 * identifiers no longer names the former object, nor bears ids that the registry has given away (ini.md §3.3).
 */
export function asNewVersion(entry: DocumentEntry, id: string): DocumentEntry {
  const draft: Record<string, unknown> = { ...entry, entryUuid: id }
  for (const { field, form } of documentEntryTable.classifications.values()) {
    const value = entry[field]
    if (value !== undefined) draft[field] = form === 'code' ? unboundMember(value) : (value as []).map(unboundMember)
  }
  if (entry.extra !== undefined) {
    const { attributes, ...others } = entry.extra
    draft.extra = { ...unbound(others), ...(attributes === undefined ? {} : { attributes }) }
  }
  return draft as unknown as DocumentEntry
}

function unboundMember(member: unknown): unknown {
  const { extra, ...others } = member as { readonly extra?: Extra }
  return extra === undefined ? others : { ...others, extra: unbound(extra) }
}

function unbound({ attributes, classifications, identifiers, of, ...others }: Extra): Extra {
  const kept = Object.entries(attributes ?? {}).filter(([name]) => !bindings.has(name))
  return {
    ...others,
    ...(kept.length === 0 ? {} : { attributes: Object.fromEntries(kept) }),
    ...(classifications && { classifications: classifications.map((one) => ({ ...one, extra: unbound(one.extra) })) }),
    ...(identifiers && { identifiers: identifiers.map((one) => ({ ...one, extra: unbound(one.extra) })) }),
    ...(of && { of: Object.fromEntries(Object.entries(of).map(([name, extra]) => [name, unbound(extra)])) }),
  }
}
