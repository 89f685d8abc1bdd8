import { defaultXmlLimits, XmlError, XmlReader } from '../wire/xml.ts'
import { DocumentError } from './document-error.ts'
import { beginsAsXml, readableXml } from './xml-bytes.ts'

/** The namespace of CDA Release 2. */
export const hl7 = 'urn:hl7-org:v3'

/** Roots stand near the beginning: after a declaration, comments and perhaps the name of a stylesheet. */
const headBytes = 64 * 1024

/** An element's name. */
export interface RootName {
  readonly namespace: string
  readonly local: string
}

/**
 * The root of an XML document, `undefined` of what does not begin as XML. Nothing is known of what follows it. Throws
 * DocumentError `xml-refused` or `encoding-unsupported`.
 */
export function rootOf(bytes: Uint8Array): RootName | undefined {
  if (!beginsAsXml(bytes)) return undefined
  const head = readableXml(bytes.subarray(0, headBytes))
  try {
    const reader = new XmlReader(head.subarray(0, head.lastIndexOf(0x3e) + 1), defaultXmlLimits)
    reader.next()
    return { namespace: reader.namespace(), local: reader.local() }
  } catch (error) {
    throw asDocumentError(error)
  }
}

export function isCda(root: RootName | undefined): boolean {
  return root?.namespace === hl7 && root.local === 'ClinicalDocument'
}

/** An XmlError as the DocumentError it is here. What is neither is thrown. */
export function asDocumentError(error: unknown): DocumentError {
  if (error instanceof DocumentError) return error
  if (error instanceof XmlError) return new DocumentError('xml-refused', error)
  throw error
}
