import { Buffer } from 'node:buffer'
import { defaultXmlLimits, readTree } from '../wire/xml.ts'
import { DocumentError } from './document-error.ts'
import type { DocumentLimits } from './limits.ts'
import { type OpenPdf, openPdf, readingPdf } from './pdf.ts'
import { type EmbeddedFile, filesIn } from './pdf-files.ts'
import { type SignaturePresence, signatureIn } from './pdf-signature.ts'
import { decoded, headOf } from './pdf-streams.ts'
import { beginsAsXml, readableXml } from './xml-bytes.ts'
import { asDocumentError, hl7, isCda, rootOf } from './xml-root.ts'

/** A CDA as it stands in a PDF, byte for byte. */
export interface EmbeddedCda {
  /** Of the attachment, as its producer wrote it; nothing to make a path of. */
  readonly name: string
  readonly bytes: Uint8Array
}

export interface PdfReading {
  readonly signature: SignaturePresence
  readonly cda: EmbeddedCda | 'none'
}

/**
 * Reads what a PDF holds. The CDA is known by its content: the file whose root is a ClinicalDocument, whatever its name.
 * When several files may be it, none is chosen (`ambiguous`); one that cannot be read may be it as well. Holds up whoever
 * calls it: DocumentForms has it done in another process. Throws DocumentError.
 */
export function readPdf(file: Uint8Array, limits: DocumentLimits): Promise<PdfReading> {
  return readingPdf(async () => {
    const pdf = await openPdf(file, limits)
    return {
      signature: signatureIn(pdf),
      cda: chosen(filesIn(pdf).map((embedded) => candidate(pdf, embedded, limits))),
    }
  })
}

type Candidate = EmbeddedCda | { readonly refused: DocumentError } | undefined

/** Copies of the same CDA are one CDA. */
function chosen(candidates: readonly Candidate[]): EmbeddedCda | 'none' {
  const [first, ...others] = candidates.filter((one) => one !== undefined)
  if (first === undefined) return 'none'
  const isUnique = others.every(
    (one) => 'bytes' in one && 'bytes' in first && Buffer.compare(one.bytes, first.bytes) === 0,
  )
  if (!isUnique) throw new DocumentError('ambiguous')
  if ('refused' in first) throw first.refused
  return first
}

/** The file as the CDA it is, or why that cannot be told; nothing when it is another kind of file. */
function candidate(pdf: OpenPdf, { name, stream }: EmbeddedFile, limits: DocumentLimits): Candidate {
  try {
    if (!beginsAsXml(headOf(stream, pdf.resolve))) return undefined
    const content = decoded(stream, pdf.resolve)
    const root = rootOf(content)
    const isPacket = root?.namespace === packet.namespace && root.local === packet.local
    const bytes = isCda(root) ? content : isPacket ? wrapped(content) : undefined
    if (bytes === undefined) return undefined
    if (bytes.length > limits.maxCdaBytes) throw new DocumentError('too-large')
    return { name, bytes }
  } catch (error) {
    const refused = asDocumentError(error)
    // A bound of the whole document says nothing about this file.
    if (refused.reason === 'inflates-too-much') throw refused
    return { refused }
  }
}

/** The root of an XFA data packet, in which a CDA may stand. */
const packet = { namespace: 'http://www.xfa.org/schema/xfa-data/1.0/', local: 'datasets' }

/** The bytes of the ClinicalDocument in an XFA data packet. It must stand on its own: prefixes are declared in it. */
function wrapped(content: Uint8Array): Uint8Array | undefined {
  const readable = readableXml(content)
  const tree = readTree(readable, defaultXmlLimits)
  const found = Array.from({ length: tree.records.count }, (_, node) => node).filter((node) =>
    tree.is(node, hl7, 'ClinicalDocument'),
  )
  const [node] = found
  if (node === undefined) return undefined
  if (found.length > 1) throw new DocumentError('ambiguous')
  if (readable.length !== content.length) throw new DocumentError('encoding-unsupported')
  const bytes = content.subarray(tree.start(node), tree.end(node))
  readTree(bytes, defaultXmlLimits)
  return bytes
}
