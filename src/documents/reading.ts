import { Buffer } from 'node:buffer'
import { type NonXmlBody, nonXmlBodyOf, readCda } from './cda.ts'
import { readPdf } from './cda-in-pdf.ts'
import { type DocumentKind, kindOf } from './kind.ts'
import type { DocumentLimits } from './limits.ts'
import type { SignaturePresence } from './pdf-signature.ts'
import { readableHtml } from './readable.ts'
import { beginsAsXml } from './xml-bytes.ts'
import { rootOf } from './xml-root.ts'

/** What a document holds, as far as its forms go. */
export interface Parts {
  readonly kind: DocumentKind
  /** Of a PDF. Told, not verified. */
  readonly signature?: SignaturePresence
  /** Whether the clinical document can be had. */
  readonly cda: boolean
}

/** The clinical document itself: what stands in the PDF, byte for byte, or the document when it is a CDA already. */
export interface CdaForm {
  readonly bytes: Uint8Array
  /** Of the attachment, as its producer wrote it; nothing to make a path of. Absent when the document is the CDA. */
  readonly name?: string
}

/** A page of HTML in UTF-8. */
export interface ReadableForm {
  readonly html: Uint8Array
}

/** What can be made of a document, each by the name under which it is asked for. */
export interface DerivedForms {
  readonly parts: Parts
  readonly cda: CdaForm
  readonly readable: ReadableForm
  readonly body: NonXmlBody
}

export type FormName = keyof DerivedForms

/**
 * Makes one derived form; `none` when the document has none of that kind: a plain PDF no CDA, a structured CDA no body
 * file. Holds up whoever calls it: DocumentForms has it done in another process. Throws DocumentError.
 */
export async function read(
  name: FormName,
  document: Uint8Array,
  limits: DocumentLimits,
): Promise<DerivedForms[FormName] | 'none'> {
  const { signature, kind, cda } = await held(document, limits)
  if (name === 'parts') return { kind, cda: cda !== 'none', ...(signature !== undefined && { signature }) }
  if (cda === 'none' || name === 'cda') return cda
  const tree = readCda(cda.bytes, limits)
  return name === 'body' ? nonXmlBodyOf(tree) : { html: Buffer.from(readableHtml(tree)) }
}

interface Held {
  readonly kind: DocumentKind
  readonly cda: CdaForm | 'none'
  readonly signature?: SignaturePresence
}

async function held(document: Uint8Array, limits: DocumentLimits): Promise<Held> {
  const kind = kindOf(document)
  switch (kind) {
    case 'cda':
      return { kind, cda: { bytes: document } }
    case 'pdf':
      return { kind, ...(await readPdf(document, limits)) }
    case 'other':
      // XML whose root cannot be read might be a CDA: that is no 'none'.
      if (beginsAsXml(document)) rootOf(document)
      return { kind, cda: 'none' }
  }
}
