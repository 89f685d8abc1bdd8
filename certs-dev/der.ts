/** Writes DER (X.690): what @peculiar/x509 does not make, and lists too long for it. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content])
  const size = length < 0x100 ? 1 : length < 0x1_0000 ? 2 : length < 0x100_0000 ? 3 : 4
  const header = Buffer.alloc(2 + size)
  header[0] = tag
  header[1] = 0x80 | size
  header.writeUIntBE(length, 2, size)
  return Buffer.concat([header, content])
}

export const sequence = (...items: readonly Uint8Array[]): Buffer => element(0x30, ...items)
export const set = (...items: readonly Uint8Array[]): Buffer => element(0x31, ...items)
export const octets = (bytes: Uint8Array): Buffer => element(0x04, bytes)
export const nothing = element(0x05)

/** A constructed element with a context tag, as EXPLICIT makes it. */
export const context = (number: number, ...items: readonly Uint8Array[]): Buffer => element(0xa0 + number, ...items)

/** A number that is not negative. */
export function integer(value: number): Buffer {
  const hex = value.toString(16)
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  return element(0x02, (bytes[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.of(0), bytes]) : bytes)
}

/** An object identifier in its dotted form; arcs below 2^28. */
export function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...others] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second, ...others].flatMap((arc) => {
    const septets = [arc & 0x7f]
    for (let rest = arc >> 7; rest > 0; rest >>= 7) septets.unshift(0x80 | (rest & 0x7f))
    return septets
  })
  return element(0x06, Buffer.from(bytes))
}
