import type { Code } from '../../core/model/code.ts'
import type { Association, DocumentEntry } from '../../core/model/metadata.ts'
import { encodeDocumentReference } from './document-reference.ts'
import { schemeOf } from './names.ts'
import { isObject, type Json } from './types.ts'
import { writeConcept } from './values.ts'

/** The DocumentReference of a document that its server does not have yet. Throws `metadata-invalid`. */
export function newDocumentReference(
  entry: DocumentEntry,
  { url, associations }: { readonly url: string; readonly associations: readonly Association[] },
): Json {
  return encodeDocumentReference(entry, { url, associations })
}

/**
 * A DocumentReference with what an entry says of the document. What is its server's stays: ids, patient, address, what it
 * does to other documents. Throws `metadata-invalid`.
 */
export function updatedDocumentReference(former: Json, entry: DocumentEntry): Json {
  const fresh = encodeDocumentReference(entry, { url: addressIn(former) ?? '' })
  const kept = ['identifier', 'masterIdentifier', 'subject', 'relatesTo'].filter((name) => former[name] !== undefined)
  return unversioned({ ...fresh, ...Object.fromEntries(kept.map((name) => [name, former[name]])), meta: former.meta })
}

/** A DocumentReference that has been replaced by another. */
export function supersededDocumentReference(former: Json): Json {
  return unversioned({ ...former, status: 'superseded' })
}

/** A DocumentReference with another visibility policy: in the place of whatever it had of those codes. */
export function withVisibility(former: Json, policy: Code, policies: ReadonlySet<string>): Json {
  const context = isObject(former.context) ? former.context : {}
  const events = Array.isArray(context.event) ? context.event : []
  const others = events.flatMap((event: unknown) => withoutCodes(event, policy.scheme, policies))
  return unversioned({ ...former, context: { ...context, event: [...others, writeConcept(policy)] } })
}

/** A concept without those codes; nothing when nothing else is left of it. */
function withoutCodes(concept: unknown, scheme: string, codes: ReadonlySet<string>): readonly unknown[] {
  if (!isObject(concept) || !Array.isArray(concept.coding)) return [concept]
  const left = concept.coding.filter((coding: unknown) => {
    if (!isObject(coding) || typeof coding.code !== 'string' || !codes.has(coding.code)) return true
    return typeof coding.system === 'string' && schemeOf(coding.system) !== scheme
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
