import { PdfArray, PdfDict, PdfNumber } from '@libpdf/core'
import { dictionariesIn, type OpenPdf } from './pdf.ts'

/**
 * Whether a PDF holds a signature: `whole` when its byte range is the file but for the signature itself, `part` when
 * something follows it (data for validation, a time stamp, or anything else). Told, not verified: nothing is known of
 * whose signature it is, nor whether it holds.
 */
export type SignaturePresence = 'none' | 'part' | 'whole'

export function signatureIn(pdf: OpenPdf): SignaturePresence {
  const form = pdf.catalog.get('AcroForm', pdf.resolve)
  let presence: SignaturePresence = 'none'
  if (!(form instanceof PdfDict)) return presence
  for (const value of signaturesIn(pdf, form)) {
    if (isWhole(pdf, value)) return 'whole'
    presence = 'part'
  }
  return presence
}

/** Values of signature fields that are signatures with a byte range; the type of a field may be its parent's. */
function* signaturesIn(pdf: OpenPdf, form: PdfDict): Generator<PdfDict> {
  const seen = new Set<PdfDict>()
  const waiting = [...dictionariesIn(pdf, form, 'Fields')].map((field) => ({ field, type: '' }))
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { field } = next
    if (seen.has(field)) continue
    seen.add(field)
    const type = field.getName('FT', pdf.resolve)?.value ?? next.type
    for (const kid of dictionariesIn(pdf, field, 'Kids')) waiting.push({ field: kid, type })
    const value = field.get('V', pdf.resolve)
    if (type !== 'Sig' || !(value instanceof PdfDict) || !value.has('ByteRange')) continue
    // A document time stamp (ISO 32000-2 §12.8.5) is nobody's signature.
    if (value.getName('Type', pdf.resolve)?.value !== 'DocTimeStamp') yield value
  }
}

/** ISO 32000-1 §12.8.1: two ranges, and between them nothing but the signature's value. */
function isWhole(pdf: OpenPdf, signature: PdfDict): boolean {
  const range = signature.get('ByteRange', pdf.resolve)
  if (!(range instanceof PdfArray) || range.length !== 4) return false
  const [start, before, after, rest] = [0, 1, 2, 3].map((index) => {
    const number = range.at(index, pdf.resolve)
    return number instanceof PdfNumber ? number.value : Number.NaN
  }) as [number, number, number, number]
  const { bytes } = pdf
  return start === 0 && after + rest === bytes.length && bytes[before] === 0x3c && bytes[after - 1] === 0x3e
}
