import type { MergedEntry } from '../../core/model/answers.ts'
import type { HomeCommunityId } from '../../core/model/identifiers.ts'
import type { Association } from '../../core/model/metadata.ts'
import { encodeDocumentReference } from './document-reference.ts'
import { mhdProfiles, ownExtensions, uriSystem } from './names.ts'
import { isObject, type Json } from './types.ts'

/** What this server knows of a document beside its entry. */
export interface ServedDocument {
  readonly id: string
  /** Where it is retrieved (ITI-68); absent where it lies nowhere. */
  readonly url?: string
  /** Those of the answer it is told in. */
  readonly associations: readonly Association[]
  /** The entryUUID of what has replaced it. */
  readonly replacedBy?: string
  /** Since when what the community told may have changed, in milliseconds since the epoch. */
  readonly asOf: (home: HomeCommunityId) => number
  readonly nameOf: (home: HomeCommunityId) => string | undefined
}

/**
 * The DocumentReference of a document of the merged index, with the profile of MHD that it keeps, everybody who told of
 * it, how fresh their word is, and what has replaced it. Throws `metadata-invalid`.
 */
export function encodeServedDocument(entry: MergedEntry, served: ServedDocument): Json {
  const { id, url, associations } = served
  const resource = encodeDocumentReference(entry, { url: url ?? '', associations })
  const content = url === undefined ? withoutUrl(resource.content) : resource.content
  const known = Array.isArray(resource.extension) ? resource.extension : []
  const { resourceType, ...elements } = resource
  const profile = profileOf({ ...resource, content })
  return {
    resourceType,
    id,
    ...(profile === undefined ? {} : { meta: { profile: [profile] } }),
    ...elements,
    content,
    extension: [...known, ...provenance(entry, served)],
  }
}

/** An attachment without an address says that the document cannot be had; an empty one says nothing. */
function withoutUrl(content: unknown): unknown {
  if (!Array.isArray(content)) return content
  return content.map((one: unknown) => {
    if (!isObject(one) || !isObject(one.attachment)) return one
    const { url: _none, ...attachment } = one.attachment
    return { ...one, attachment }
  })
}

function provenance({ sources }: MergedEntry, { asOf, nameOf, replacedBy }: ServedDocument): readonly Json[] {
  const oldest = Math.min(...sources.map(({ home }) => asOf(home)))
  return [
    ...sources.map((source) => {
      const name = nameOf(source.home)
      return {
        url: ownExtensions.source,
        extension: [
          { url: 'home', valueOid: source.home },
          ...(name === undefined ? [] : [{ url: 'name', valueString: name }]),
          { url: 'entryUUID', valueUri: source.entryUuid },
          ...(source.version === undefined ? [] : [{ url: 'version', valueString: source.version }]),
        ],
      }
    }),
    ...(Number.isFinite(oldest) ? [{ url: ownExtensions.asOf, valueInstant: new Date(oldest).toISOString() }] : []),
    ...(replacedBy === undefined ? [] : [{ url: ownExtensions.replacedBy, valueReference: documentBy(replacedBy) }]),
  ]
}

function documentBy(entryUuid: string): Json {
  return { type: 'DocumentReference', identifier: { system: uriSystem, value: entryUuid } }
}

/** The strictest profile of MHD 4.2 whose cardinalities the resource keeps; undefined when it keeps none. */
function profileOf(resource: Json): string | undefined {
  const { content, context, masterIdentifier, subject } = resource
  const [first]: readonly unknown[] = Array.isArray(content) && content.length === 1 ? content : []
  const { attachment, format } = isObject(first) ? first : {}
  if (masterIdentifier === undefined || !isObject(attachment)) return undefined
  if (attachment.contentType === undefined || attachment.url === undefined) return undefined
  const { facilityType, practiceSetting } = isObject(context) ? context : {}
  const needed = [
    ...[resource.type, resource.category, subject, resource.securityLabel, format, facilityType, practiceSetting],
    ...[attachment.language, attachment.creation, attachment.size, attachment.hash],
  ]
  return needed.includes(undefined) ? mhdProfiles.minimalDocument : mhdProfiles.comprehensiveDocument
}
