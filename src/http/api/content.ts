import { createHash } from 'node:crypto'

/** Nothing runs, nothing is loaded, and what is shown belongs to no origin. */
const strictestPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; sandbox"

/** Content of a document, as far as its header goes. */
export interface DescribedContent {
  /** Of this very content, hexadecimal: SHA-1 of what is registered under it, SHA-256 of what is made here. */
  readonly digest: string
  /** As `contentTypeOf` makes it. */
  readonly contentType: string
  /** What the document is called in the address it was asked for at. */
  readonly handle: string
  /** Whether the document was held against its entry. */
  readonly isVerified: boolean
  readonly contentSecurityPolicy?: string | undefined
}

/**
 * The header of a document's content. Nothing of it is a person's: the file name is made of the handle's digest, which
 * tells one document from another and nothing else.
 */
export function contentHeaders(content: DescribedContent): Readonly<Record<string, string>> {
  const { contentSecurityPolicy = strictestPolicy, contentType, digest, handle, isVerified } = content
  const name = createHash('sha256').update(handle).digest('hex').slice(0, 12)
  return {
    'content-disposition': `inline; filename="document-${name}.${extensionOf(contentType)}"`,
    'content-security-policy': contentSecurityPolicy,
    etag: `"${digest}"`,
    'accept-ranges': 'none',
    'x-content-type-options': 'nosniff',
    'x-document-verified': String(isVerified),
  }
}

/** The type of the affinity domain for a PDF with an injected CDA, which is no media type of HTTP (ini.md §3.1). */
const pdfWithCda = 'application/pdf+text/x-cda-r2+xml'
const token = "[!#$%&'*+.^_`|~0-9a-z-]{1,127}"
const wellFormed = new RegExp(`^(${token}/${token})\\s*(?:;|$)`)
const charset = new RegExp(`;\\s*charset=(?:(${token})|"(${token})")\\s*(?:;|$)`)

/**
 * A media type that somebody else wrote, as it may stand in a header: type and character set, in lower case. Other
 * parameters may hold names of files, and people; what is no media type is `application/octet-stream`.
 */
export function contentTypeOf(mimeType: string): string {
  const text = mimeType.trim().toLowerCase()
  if (text === pdfWithCda) return 'application/pdf'
  const type = wellFormed.exec(text)?.[1]
  if (type === undefined) return 'application/octet-stream'
  const [, bare, quoted] = charset.exec(text) ?? []
  const set = bare ?? quoted
  return set === undefined || !type.startsWith('text/') ? type : `${type}; charset=${set}`
}

const extensions: ReadonlyMap<string, string> = new Map([
  ['application/pdf', 'pdf'],
  ['text/x-cda-r2+xml', 'xml'],
  ['application/xml', 'xml'],
  ['text/xml', 'xml'],
  ['text/html', 'html'],
  ['text/plain', 'txt'],
  ['application/pkcs7-mime', 'p7m'],
  ['application/x-pkcs7-mime', 'p7m'],
  ['application/dicom', 'dcm'],
  ['application/rtf', 'rtf'],
  ['text/rtf', 'rtf'],
  ['image/jpeg', 'jpg'],
  ['image/png', 'png'],
  ['image/tiff', 'tif'],
])

function extensionOf(contentType: string): string {
  return extensions.get(contentType.split(';', 1)[0] ?? '') ?? 'bin'
}
