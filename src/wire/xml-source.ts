import { Buffer } from 'node:buffer'

/** Node's own slicers, the fastest way from bytes to a string that is a copy; absent from the published types. */
export interface Source extends Buffer {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
}

/** The same memory as one kind of object, so that the scanner's loops are compiled for one kind only. */
export function sourceOf(bytes: Uint8Array): Source {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) as Source
}

/** Fresh memory of at least `size` bytes that is shared with nothing. */
export function freshSource(size: number): Source {
  return Buffer.allocUnsafeSlow(size) as Source
}
