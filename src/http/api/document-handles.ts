import { Buffer } from 'node:buffer'
import { type HomeCommunityId, homeCommunityId } from '../../core/model/identifiers.ts'
import type { DocumentReference } from '../../core/model/retrieval.ts'
import type { Caller } from './guard.ts'

/** What stands for a document in an address. Whoever uses the face takes it as it is and reads nothing from it. */
export interface DocumentHandles {
  /** The document a caller means; undefined for what is no handle, or none of this caller's. It grants nothing. */
  open(text: string, caller: Caller): DocumentReference | undefined
}

/**
 * Provisional handles: they say where the document lies, base64url of JSON `{home?, repository, document}`, and are
 * bound to nobody; what they name is authorised anew each time. No identifier of a person is in them.
 */
export const plainHandles: DocumentHandles = {
  open(text) {
    if (text.length > longest || !/^[A-Za-z0-9_-]+$/.test(text)) return undefined
    const { home, repository, document, ...more } = fieldsOf(Buffer.from(text, 'base64url').toString('utf8'))
    if (!isName(repository) || !isName(document) || Object.keys(more).length > 0) return undefined
    const reference = { repositoryUniqueId: repository, uniqueId: document }
    if (home === undefined) return reference
    const community = typeof home === 'string' ? communityOf(home) : undefined
    return community === undefined ? undefined : { home: community, ...reference }
  },
}

/** The provisional handle of a document. */
export function plainHandle({ home, repositoryUniqueId, uniqueId }: DocumentReference): string {
  const fields = { ...(home === undefined ? {} : { home }), repository: repositoryUniqueId, document: uniqueId }
  return Buffer.from(JSON.stringify(fields)).toString('base64url')
}

/** Characters; three identifiers of XDS are less. */
const longest = 1024

function fieldsOf(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[^\p{C}]{1,256}$/u.test(value)
}

function communityOf(text: string): HomeCommunityId | undefined {
  try {
    return homeCommunityId(text)
  } catch {
    return undefined
  }
}
