import { MtomError } from '../wire/mtom/mtom-error.ts'
import { XmlError } from '../wire/xml.ts'

const sentences = {
  'too-large': 'The document is larger than derived forms are made of',
  'inflates-too-much': 'What is compressed in the document inflates beyond what is allowed',
  'too-complex': 'The document has more parts than are looked at',
  'too-slow': 'The document was not read in time',
  busy: 'Too many documents wait to be read',
  'reader-failed': 'The process that reads documents ended',
  encrypted: 'The PDF is encrypted',
  damaged: 'The PDF is damaged',
  'encoding-unsupported': 'A part of the document is encoded in a way that is not read',
  ambiguous: 'More than one part of the PDF may be its clinical document',
  'xml-refused': 'The XML of the document is not read',
  'body-malformed': 'The body of the clinical document is not the base64 it should be',
  'body-elsewhere': 'The body of the clinical document is not in it',
} as const

/** The closed list of why a derived form cannot be made. The original is none the worse for it. */
export type DocumentReason = keyof typeof sentences

export const documentReasons = Object.keys(sentences) as readonly DocumentReason[]

/** A derived form that cannot be made. `message` is one of our own sentences: it never quotes the document. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError'
  readonly reason: DocumentReason
  /** The reason of the reader that refused, in a word of its own closed list: `doctype` for XML with one. */
  readonly detail: string | undefined

  constructor(reason: DocumentReason, cause?: unknown, detail = reasonOf(cause)) {
    super(sentences[reason], cause === undefined ? undefined : { cause })
    this.reason = reason
    this.detail = detail
  }
}

function reasonOf(cause: unknown): string | undefined {
  return cause instanceof XmlError || cause instanceof MtomError ? cause.reason : undefined
}
