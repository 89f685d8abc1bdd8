import type { Code } from '../../core/model/code.ts'
import type { DocumentEntry } from '../../core/model/metadata.ts'
import { encodeDocumentReference, entryUuidOf } from './document-reference.ts'
import { writeNewEntryUuid } from './fields.ts'
import { isObject, type Json } from './types.ts'
import { writeConcept } from './values.ts'

/** Elements that say what an entry says, and the narrative, which says it to people. */
const ofTheEntry: ReadonlySet<string> = new Set([
  ...['status', 'type', 'category', 'description', 'securityLabel', 'content', 'context', 'text'],
  ...['contained', 'author', 'authenticator', 'extension'],
])

/**
 * A DocumentReference with what an entry says of the document, known by the entryUUID of the entry from now on, and by those
 * it had. What is its server's stays: ids, patient, what it does to other documents, where it is handed out; `url` is where it
 * has no address. Throws `metadata-invalid`.
 */
export function updatedDocumentReference(former: Json, entry: DocumentEntry, { url }: { readonly url: string }): Json {
  const fresh = encodeDocumentReference(entry, { url: addressIn(former) ?? url })
  const kept = Object.entries(former).filter(([name]) => !ofTheEntry.has(name))
  const before = entryUuidOf(former)
  const identifier =
    before === undefined || before === entry.entryUuid
      ? {}
      : { identifier: writeNewEntryUuid(former.identifier, before, entry.entryUuid) }
  return unversioned({ ...fresh, ...Object.fromEntries(kept), ...identifier })
}

/** A DocumentReference that has been replaced by another. */
export function supersededDocumentReference(former: Json): Json {
  return unversioned({ ...former, status: 'superseded' })
}

/** A DocumentReference with another visibility policy: in the place of whatever it had of those codes. */
export function withVisibility(former: Json, policy: Code, policies: ReadonlySet<string>): Json {
  const context = isObject(former.context) ? former.context : {}
  const events = Array.isArray(context.event) ? context.event : []
  const others = events.flatMap((event: unknown) => withoutCodes(event, policies))
  return unversioned({ ...former, context: { ...context, event: [...others, writeConcept(policy)] } })
}

/** A concept without those codes; nothing when nothing else is left of it. */
function withoutCodes(concept: unknown, codes: ReadonlySet<string>): readonly unknown[] {
  if (!isObject(concept) || !Array.isArray(concept.coding)) return [concept]
  const left = concept.coding.filter((coding: unknown) => {
    return !isObject(coding) || typeof coding.code !== 'string' || !codes.has(coding.code)
  })
  if (left.length === concept.coding.length) return [concept]
  return left.length === 0 ? [] : [{ ...concept, coding: left }]
}

function addressIn({ content }: Json): string | undefined {
  const first: unknown = Array.isArray(content) ? content[0] : undefined
  const attachment = isObject(first) ? first.attachment : undefined
  return isObject(attachment) && typeof attachment.url === 'string' ? attachment.url : undefined
}

/** The server counts versions and instants by itself. */
function unversioned({ meta, ...resource }: Json): Json {
  if (!isObject(meta)) return resource
  const { versionId: _version, lastUpdated: _instant, ...others } = meta
  return Object.keys(others).length === 0 ? resource : { ...resource, meta: others }
}
