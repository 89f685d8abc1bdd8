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

/** Fresh memory of `size` bytes that nobody else writes to. */
export function freshSource(size: number): Source {
  return Buffer.allocUnsafe(size) as Source
}

/**
 * Whether a message is long enough to say the same again and again, so that what makes the second time cheaper pays for
 * what it costs the first time.
 */
export function isRepetitive(source: Source): boolean {
  return source.length >= 64 * 1024
}

/**
 * So many numbers, of any value. Small tables are cut from the runtime's pool of buffers: a small message needs half a
 * dozen, and memory of their own for each would cost as much as reading it.
 */
export function unsetNumbers(count: number): Int32Array<ArrayBuffer> {
  const { buffer, byteOffset } = Buffer.allocUnsafe(count * 4)
  return byteOffset % 4 === 0 ? new Int32Array(buffer, byteOffset, count) : new Int32Array(count)
}

/** So many zeros. */
export function zeros(count: number): Int32Array<ArrayBuffer> {
  return unsetNumbers(count).fill(0)
}

/** The same numbers in a table twice as long, zeros after them. */
export function doubled(numbers: Int32Array): Int32Array<ArrayBuffer> {
  const { length } = numbers
  const grown = unsetNumbers(length * 2)
  grown.set(numbers)
  return grown.fill(0, length)
}
