import { Buffer } from 'node:buffer'
import { DocumentError } from './document-error.ts'
import { beginsAsXml } from './xml-bytes.ts'
import { isCda, rootOf } from './xml-root.ts'

/** What bytes prove to be; `other` proves nothing, and is what it was declared. */
export type DocumentKind = 'pdf' | 'cda' | 'other'

/** What a document is by its own evidence, beside what its metadata say. The one never corrects the other. */
export interface DocumentNature {
  readonly kind: DocumentKind
  /** The mimeType of its entry, as it was declared. */
  readonly declared: string
  /** Whether the declared type allows for what the bytes prove to be. */
  readonly agrees: boolean
}

/** What each mimeType of the affinity domain allows for; a PDF with an injected CDA is a PDF that says so. */
const claims: ReadonlyMap<string, readonly DocumentKind[]> = new Map([
  ['application/pdf', ['pdf']],
  ['application/pdf+text/x-cda-r2+xml', ['pdf']],
  ['text/x-cda-r2+xml', ['cda']],
  ['text/xml', ['cda', 'other']],
  ['application/xml', ['cda', 'other']],
])

/** Readers take a header anywhere in the first kilobyte (PDF Reference 1.7, Appendix H, note 13). */
const headerWithin = 1024

export function natureOf(bytes: Uint8Array, mimeType: string): DocumentNature {
  const kind = kindOf(bytes)
  const type = mimeType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  return { kind, declared: mimeType, agrees: (claims.get(type) ?? ['other']).includes(kind) }
}

/** By evidence alone: what begins as XML is no PDF, whatever stands inside it. */
export function kindOf(bytes: Uint8Array): DocumentKind {
  if (!beginsAsXml(bytes)) return headerOf(bytes) === undefined ? 'other' : 'pdf'
  try {
    return isCda(rootOf(bytes)) ? 'cda' : 'other'
  } catch (error) {
    if (error instanceof DocumentError) return 'other'
    throw error
  }
}

/** Where the PDF header stands; offsets of a PDF count from there. */
export function headerOf(bytes: Uint8Array): number | undefined {
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, headerWithin)).indexOf('%PDF-')
  return at < 0 ? undefined : at
}
