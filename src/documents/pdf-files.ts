import { PdfDict, PdfName, PdfStream } from '@libpdf/core'
import { dictionariesIn, namesIn, type OpenPdf, textOf } from './pdf.ts'

/** A stream that a PDF holds as a file. */
export interface EmbeddedFile {
  /** As the producer wrote it: to be shown, nothing to make a path of. */
  readonly name: string
  readonly stream: PdfStream
}

/** Names are told, not kept: longer ones are cut. */
const longestName = 255

/**
 * Every file in a PDF, once: in the catalog's name tree (where the national gateway looks first, and PDF/A-3 puts them),
 * among its associated files, in annotations of its pages as older producers did, and as XFA resources, which is the
 * national gateway's injection mode RESOURCE.
 */
export function filesIn(pdf: OpenPdf): EmbeddedFile[] {
  const found = new Map<PdfStream, string>()
  function add(stream: PdfStream | undefined, name: string): void {
    if (stream !== undefined && !found.has(stream)) found.set(stream, name.slice(0, longestName))
  }
  function addFile(specification: PdfDict, name?: string): void {
    add(streamOf(pdf, specification), nameOf(pdf, specification) ?? name ?? '')
  }
  const names = pdf.catalog.getDict('Names', pdf.resolve)
  const files = names?.getDict('EmbeddedFiles', pdf.resolve)
  if (files !== undefined) for (const { name, value } of namesIn(pdf, files)) addFile(value, name)
  for (const specification of dictionariesIn(pdf, pdf.catalog, 'AF')) addFile(specification)
  const resources = names?.getDict('XFAResources', pdf.resolve)
  if (resources !== undefined) {
    for (const { name, value } of namesIn(pdf, resources)) if (value instanceof PdfStream) add(value, name)
  }
  for (const page of pdf.pages) {
    for (const annotation of dictionariesIn(pdf, page, 'Annots')) {
      if (annotation.getName('Subtype', pdf.resolve)?.value !== 'FileAttachment') continue
      const specification = annotation.get('FS', pdf.resolve)
      if (specification instanceof PdfDict) addFile(specification)
    }
  }
  return [...found].map(([stream, name]) => ({ name, stream }))
}

/** ISO 32000-1 §7.11.3: the Unicode entries come before the older ones. */
function streamOf(pdf: OpenPdf, specification: PdfDict): PdfStream | undefined {
  const embedded = specification.get('EF', pdf.resolve)
  if (!(embedded instanceof PdfDict)) return undefined
  for (const key of ['UF', 'F', 'Unix', 'DOS', 'Mac']) {
    const stream = embedded.get(PdfName.of(key), pdf.resolve)
    if (stream instanceof PdfStream) return stream
  }
  return undefined
}

function nameOf(pdf: OpenPdf, specification: PdfDict): string | undefined {
  return textOf(specification.get('UF', pdf.resolve)) ?? textOf(specification.get('F', pdf.resolve))
}
