import { Buffer } from 'node:buffer'
import { constants, inflateSync } from 'node:zlib'
import { PdfArray, PdfDict, PdfName, PdfNumber, type PdfObject, type PdfRef, PdfStream } from '@libpdf/core'
import { DocumentError } from './document-error.ts'

export type Resolve = (reference: PdfRef) => PdfObject | null

/** So much of a stream is inflated to see how its content begins; deflate makes at most a thousand times as much of it. */
const headBytes = 4096

/** What may still be inflated of the document at hand. A process reads one document at a time. */
let left = 0

/**
 * From now on so many bytes are inflated, also for the library's own needs: it inflates object and cross-reference
 * streams without bound, and passes over damage. Its decoding is taken over in the process that calls this.
 */
export function allowInflation(bytes: number): void {
  left = bytes
  PdfStream.prototype.getDecodedData = function (this: PdfStream): Uint8Array {
    const content = decoded(this, direct)
    if (this.getName('Type')?.value === 'XRef') countRows(this, content)
    return content
  }
}

/** What the library needs while it does not yet know where objects are stands where it is used. */
function direct(): null {
  return null
}

/** More cross-references than any document has. */
const mostRows = 1_000_000

/** A cross-reference stream whose rows have no width has as many of them as it likes (ISO 32000-1 §7.5.8.2). */
function countRows(stream: PdfStream, content: Uint8Array): void {
  const widths = stream.getArray('W')?.toArray() ?? []
  const width = widths.reduce((sum, one) => sum + (one instanceof PdfNumber ? one.value : 0), 0)
  if (!(width >= 1)) throw new DocumentError('damaged')
  if (content.length / width > mostRows) throw new DocumentError('too-complex')
}

/**
 * The content of a stream, exactly: an incomplete or damaged one is refused (`damaged`), never cut short. Of the filters
 * of ISO 32000-1 §7.4 only deflate is known, which is what producers use for files and structure.
 */
export function decoded(stream: PdfStream, resolve: Resolve): Uint8Array {
  if (!isDeflated(stream, resolve)) return stored(stream, resolve)
  const inflated = inflate(stream.data)
  const parameters = parametersOf(stream, resolve)
  return parameters === undefined ? inflated : unpredicted(inflated, parameters, resolve)
}

/** How the content of a stream begins: at least its first bytes, unless it is shorter. */
export function headOf(stream: PdfStream, resolve: Resolve): Uint8Array {
  const head = stream.data.subarray(0, headBytes)
  if (!isDeflated(stream, resolve)) return head
  try {
    return inflateSync(head, { finishFlush: constants.Z_SYNC_FLUSH })
  } catch (cause) {
    throw new DocumentError('damaged', cause)
  }
}

function isDeflated(stream: PdfStream, resolve: Resolve): boolean {
  // A stream with a file specification has its content in another file.
  if (stream.has('F')) throw new DocumentError('encoding-unsupported')
  const filter = only(stream.get('Filter', resolve), resolve)
  if (filter === undefined) return false
  if (filter instanceof PdfName && (filter.value === 'FlateDecode' || filter.value === 'Fl')) return true
  throw new DocumentError('encoding-unsupported')
}

/** The library looks for the end of a stream whose length is wrong, and cannot tell a line end from content there. */
function stored(stream: PdfStream, resolve: Resolve): Uint8Array {
  const length = stream.get('Length', resolve)
  if (length instanceof PdfNumber && length.value !== stream.data.length) throw new DocumentError('damaged')
  return stream.data
}

function inflate(data: Uint8Array): Uint8Array {
  try {
    const inflated = inflateSync(data, { maxOutputLength: Math.max(1, left) })
    left -= inflated.length
    return inflated
  } catch (cause) {
    const isBomb = cause instanceof RangeError
    throw new DocumentError(isBomb ? 'inflates-too-much' : 'damaged', cause)
  }
}

function parametersOf(stream: PdfStream, resolve: Resolve): PdfDict | undefined {
  const parameters = only(stream.get('DecodeParms', resolve), resolve)
  return parameters instanceof PdfDict && numberIn(parameters, 'Predictor', 1, resolve) > 1 ? parameters : undefined
}

/** The object itself, or the only one of an array; several filters one upon the other are not known. */
function only(object: PdfObject | undefined, resolve: Resolve): PdfObject | undefined {
  if (!(object instanceof PdfArray)) return object
  if (object.length > 1) throw new DocumentError('encoding-unsupported')
  return object.at(0, resolve)
}

function numberIn(dictionary: PdfDict, key: string, otherwise: number, resolve: Resolve): number {
  const value = dictionary.get(key, resolve)
  return value instanceof PdfNumber ? value.value : otherwise
}

/** Undoes the PNG predictors (ISO 32000-1 §7.4.4.4, RFC 2083 §6), each row of which names its own. */
function unpredicted(data: Uint8Array, parameters: PdfDict, resolve: Resolve): Uint8Array {
  const bits = numberIn(parameters, 'Colors', 1, resolve) * numberIn(parameters, 'BitsPerComponent', 8, resolve)
  const width = Math.ceil((bits * numberIn(parameters, 'Columns', 1, resolve)) / 8)
  if (numberIn(parameters, 'Predictor', 1, resolve) < 10) throw new DocumentError('encoding-unsupported')
  if (!(width >= 1 && bits >= 1) || data.length % (width + 1) !== 0) throw new DocumentError('damaged')
  const step = Math.max(1, bits >> 3)
  const rows = data.length / (width + 1)
  const out = Buffer.alloc(rows * width)
  for (let row = 0; row < rows; row++) {
    const kind = data[row * (width + 1)] as number
    for (let column = 0; column < width; column++) {
      const at = row * width + column
      const before = column >= step ? (out[at - step] as number) : 0
      const above = row > 0 ? (out[at - width] as number) : 0
      const corner = row > 0 && column >= step ? (out[at - width - step] as number) : 0
      out[at] = (data[row * (width + 1) + 1 + column] as number) + predicted(kind, before, above, corner)
    }
  }
  return out
}

function predicted(kind: number, before: number, above: number, corner: number): number {
  switch (kind) {
    case 0:
      return 0
    case 1:
      return before
    case 2:
      return above
    case 3:
      return (before + above) >> 1
    case 4:
      return nearest(before, above, corner)
    default:
      throw new DocumentError('damaged')
  }
}

/** Paeth's choice. */
function nearest(before: number, above: number, corner: number): number {
  const estimate = before + above - corner
  const toBefore = Math.abs(estimate - before)
  const toAbove = Math.abs(estimate - above)
  const toCorner = Math.abs(estimate - corner)
  if (toBefore <= toAbove && toBefore <= toCorner) return before
  return toAbove <= toCorner ? above : corner
}
