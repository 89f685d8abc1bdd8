/** What making the derived forms of one document may cost. Whatever exceeds a bound is refused with a DocumentError. */
export interface DocumentLimits {
  /** Of the document as it came. Beyond it only the original is given, which needs no memory of its size. */
  readonly maxBytes: number
  /** Of all streams of one PDF together, inflated. */
  readonly maxInflatedBytes: number
  /** Of the CDA that is read or handed out. */
  readonly maxCdaBytes: number
  /** Pages, annotations, form fields, nodes and entries of name trees looked at in one PDF. */
  readonly maxParts: number
  /** For one document, once its reader turns to it. */
  readonly deadlineMs: number
  /** Of the reader's heap; buffers are bounded by the sizes above. */
  readonly maxHeapMb: number
  /** Documents that wait for the reader. */
  readonly maxWaiting: number
}

export const defaultDocumentLimits: DocumentLimits = {
  maxBytes: 32 * 1024 * 1024,
  maxInflatedBytes: 64 * 1024 * 1024,
  maxCdaBytes: 16 * 1024 * 1024,
  maxParts: 20_000,
  deadlineMs: 5_000,
  maxHeapMb: 256,
  maxWaiting: 16,
}
