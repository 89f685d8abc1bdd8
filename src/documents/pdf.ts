import { PDF, PdfArray, PdfDict, PdfString } from '@libpdf/core'
import { DocumentError } from './document-error.ts'
import { headerOf } from './kind.ts'
import type { DocumentLimits } from './limits.ts'
import { allowInflation, type Resolve } from './pdf-streams.ts'

/** A PDF whose structure could be read as it says itself, not as a repair would guess. */
export interface OpenPdf {
  /** From the header on. */
  readonly bytes: Uint8Array
  readonly catalog: PdfDict
  readonly pages: readonly PdfDict[]
  readonly resolve: Resolve
  /** Counts something that is looked at. Throws DocumentError `too-complex` when there is too much of it. */
  look(): void
}

/**
 * Opens a PDF. Throws DocumentError: `encrypted` (documents of the record are PDF/A, which knows no encryption:
 * ISO 19005-3 §6.1.3), `damaged` for one that only a repair could read, since what a repair finds may be of an older
 * revision or of a PDF inside this one.
 */
export async function openPdf(file: Uint8Array, limits: DocumentLimits): Promise<OpenPdf> {
  allowInflation(limits.maxInflatedBytes)
  const bytes = file.subarray(headerOf(file) ?? 0)
  const pdf = await PDF.load(bytes, { lenient: false })
  if (pdf.isEncrypted) throw new DocumentError('encrypted')
  let looked = pdf.getPageCount()
  function look(): void {
    if (++looked > limits.maxParts) throw new DocumentError('too-complex')
  }
  look()
  return {
    bytes,
    catalog: pdf.getCatalog(),
    pages: pdf.getPages().map((page) => page.dict),
    resolve: (reference) => pdf.getObject(reference),
    look,
  }
}

/** Runs what works on a PDF; whatever its library throws means that the PDF is damaged. */
export async function readingPdf<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof DocumentError) throw error
    throw new DocumentError('damaged', error)
  }
}

/** The dictionaries of an array, or none. */
export function* dictionariesIn(pdf: OpenPdf, dictionary: PdfDict, key: string): Generator<PdfDict> {
  const array = dictionary.get(key, pdf.resolve)
  if (!(array instanceof PdfArray)) return
  for (let index = 0; index < array.length; index++) {
    pdf.look()
    const item = array.at(index, pdf.resolve)
    if (item instanceof PdfDict) yield item
  }
}

/** What a name tree (ISO 32000-1 §7.9.6) holds that is a dictionary or stream. A node that comes again is passed over. */
export function* namesIn(pdf: OpenPdf, tree: PdfDict): Generator<{ readonly name: string; readonly value: PdfDict }> {
  const seen = new Set<PdfDict>()
  const waiting = [tree]
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (seen.has(node)) continue
    seen.add(node)
    waiting.push(...dictionariesIn(pdf, node, 'Kids'))
    const names = node.get('Names', pdf.resolve)
    if (!(names instanceof PdfArray)) continue
    for (let index = 0; index + 1 < names.length; index += 2) {
      pdf.look()
      const value = names.at(index + 1, pdf.resolve)
      if (value instanceof PdfDict) yield { name: textOf(names.at(index, pdf.resolve)) ?? '', value }
    }
  }
}

/** A text string's characters. */
export function textOf(object: unknown): string | undefined {
  return object instanceof PdfString ? object.asString() : undefined
}
