/** Smaller pieces are not worth it, and may lie in memory that others use too. */
const leastBytes = 16_384

/**
 * Frees the memory of a piece of content that nobody looks at any more, at once; afterwards it is empty. Left to the
 * collector, so many bytes outside of its heap make it go through the whole heap every few dozen megabytes. What is only
 * a part of some memory is left as it is.
 */
export function letGo(bytes: Uint8Array): void {
  const { buffer } = bytes
  if (bytes.byteLength < leastBytes || bytes.byteLength !== buffer.byteLength) return
  if (buffer instanceof ArrayBuffer) buffer.transfer(0)
}
