import type { Association, AssociationType, DocumentEntry } from '../../core/model/metadata.ts'
import { uriSystem } from './names.ts'
import { type Json, type Reference, shapes, told } from './types.ts'

/** What a document does to others. */
export interface Relations {
  readonly associations: readonly Association[]
  /** How many relations point to something that cannot be named, or in a way XDS does not know. */
  readonly dangling: number
}

/** `relatesTo.code` by kind of association (MHD 4.2.4: AssociationType vs RelatesTo). */
const codes: ReadonlyMap<AssociationType, string> = new Map([
  ['replaces', 'replaces'],
  ['transforms', 'transforms'],
  ['appends', 'appends'],
  ['signs', 'signs'],
  ['transforms-and-replaces', 'replaces'],
  ['is-snapshot-of', 'transforms'],
])

/** Reads `relatesTo`; an association gets an id made from its source's. Throws `metadata-invalid`. */
export function readRelations(
  element: unknown,
  { entryUuid: source, home }: DocumentEntry,
  entryUuidOf: (document: Reference) => string | undefined,
): Relations {
  if (element === undefined) return { associations: [], dangling: 0 }
  const relations = told(shapes.relations, element, 'relatesTo')
  const associations = relations.flatMap(({ code: type, target: reference }, index): readonly Association[] => {
    const target = reference && targetOf(reference, entryUuidOf)
    if (target === undefined || type === undefined || !codes.has(type)) return []
    return [
      { entryUuid: `${source}.relatesTo-${index}`, type, source, target, ...(home === undefined ? {} : { home }) },
    ]
  })
  return { associations, dangling: relations.length - associations.length }
}

function targetOf(target: Reference, entryUuidOf: (document: Reference) => string | undefined): string | undefined {
  const { system, value } = target.identifier ?? {}
  const named = [system === uriSystem ? value : undefined, target.reference]
  return entryUuidOf(target) ?? named.find((name) => name?.startsWith('urn:uuid:'))
}

/** The associations of which the document is the source; membership and what MHD has no code for are left out. */
export function writeRelations(associations: readonly Association[], entryUuid: string): readonly Json[] {
  return associations.flatMap(({ source, target, type }) => {
    const code = codes.get(type)
    if (source !== entryUuid || code === undefined) return []
    return [{ code, target: { type: 'DocumentReference', identifier: { system: uriSystem, value: target } } }]
  })
}
