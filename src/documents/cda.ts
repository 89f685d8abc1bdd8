import { Buffer } from 'node:buffer'
import { decodeBase64 } from '../wire/mtom/base64.ts'
import { MtomError } from '../wire/mtom/mtom-error.ts'
import { defaultXmlLimits, NONE, type Node, readTree, type XmlTree } from '../wire/xml.ts'
import { DocumentError } from './document-error.ts'
import type { DocumentLimits } from './limits.ts'
import { readableXml } from './xml-bytes.ts'
import { asDocumentError, hl7 } from './xml-root.ts'

/** The body of a CDA that is no structured one. */
export interface NonXmlBody {
  /** The author's word for it: what is handed out as this type should be known by its own evidence first. */
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/** Reads a whole CDA. Throws DocumentError `too-large`, `xml-refused` or `encoding-unsupported`. */
export function readCda(bytes: Uint8Array, limits: DocumentLimits): XmlTree {
  if (bytes.length > limits.maxCdaBytes) throw new DocumentError('too-large')
  try {
    const tree = readTree(readableXml(bytes), { ...defaultXmlLimits, maxBytes: limits.maxCdaBytes * 2 })
    if (!tree.is(tree.root, hl7, 'ClinicalDocument')) throw new DocumentError('xml-refused')
    return tree
  } catch (error) {
    throw asDocumentError(error)
  }
}

/** The element at the end of a path of first children. */
export function at(tree: XmlTree, node: Node, ...path: readonly string[]): Node {
  return path.reduce((parent, local) => (parent === NONE ? NONE : tree.child(parent, hl7, local)), node)
}

/**
 * The body of a CDA whose body is a file (nonXMLBody), `none` when it is structured. Throws DocumentError:
 * `body-malformed`, `body-elsewhere` for one that is only referred to, `encoding-unsupported` for a compressed one.
 */
export function nonXmlBodyOf(cda: XmlTree): NonXmlBody | 'none' {
  const text = at(cda, cda.root, 'component', 'nonXMLBody', 'text')
  if (text === NONE) return 'none'
  if (cda.attribute(text, 'compression') !== undefined) throw new DocumentError('encoding-unsupported')
  // HL7 V3 data types R1, ED: a reference may stand beside the content, which is then what it refers to.
  if (!cda.hasText(text) && cda.child(text, hl7, 'reference') !== NONE) throw new DocumentError('body-elsewhere')
  const mediaType = cda.attribute(text, 'mediaType') ?? 'text/plain'
  const content = cda.text(text)
  // Some producers leave the representation out; a type that is no text cannot stand in XML otherwise.
  const isText = cda.attribute(text, 'representation') !== 'B64' && mediaType.startsWith('text/')
  if (isText) return { mediaType, bytes: Buffer.from(content) }
  try {
    return { mediaType, bytes: decodeBase64(content) }
  } catch (error) {
    if (error instanceof MtomError) throw new DocumentError('body-malformed', error)
    throw error
  }
}
