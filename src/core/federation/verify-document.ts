import { GatewayError } from '../errors.ts'
import type { DocumentEntry } from '../model/metadata.ts'
import type { RetrievedDocument } from '../model/retrieval.ts'

/** What is done with a document whose entry states neither hash nor size. */
export type Unverified = 'deliver' | 'refuse'

/**
 * Holds a document against its entry. Returns whether there was something to compare: an on-demand document is made when
 * it is retrieved, and some entries state nothing (architecture §0.7). Throws `document-altered`.
 */
export function verifyDocument({ content }: RetrievedDocument, entry: DocumentEntry, unverified: Unverified): boolean {
  const { hash, size } = entry
  if (entry.kind === 'on-demand') return false
  if (hash !== undefined && hash.toLowerCase() !== content.sha1) throw altered('hash-differs')
  if (size !== undefined && size !== content.size) throw altered('size-differs')
  if (hash !== undefined) return true
  if (unverified === 'refuse') {
    throw new GatewayError('document-altered', 'The document cannot be verified: its entry states no hash', {
      details: { reason: 'hash-missing' },
    })
  }
  return false
}

function altered(reason: string): GatewayError {
  return new GatewayError('document-altered', 'The document is not the one that was registered', {
    details: { reason },
  })
}
