/** Tags of DER elements that are asked for by name (X.690 §8). */
export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** Decoders of the character strings that names are made of, by tag. */
const characters: Readonly<Record<number, (bytes: Buffer) => string>> = {
  12: (bytes) => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
  18: (bytes) => bytes.toString('latin1'),
  19: (bytes) => bytes.toString('latin1'),
  20: (bytes) => bytes.toString('latin1'),
  22: (bytes) => bytes.toString('latin1'),
  26: (bytes) => bytes.toString('latin1'),
  30: (bytes) => Buffer.from(bytes).swap16().toString('utf16le'),
}

/**
 * Reads DER (X.690) element by element and strictly: one-byte tags, definite and shortest lengths, nothing outside its
 * element. Every method throws Error on anything else; nothing recurses, so depth is the caller's.
 */
export class DerReader {
  readonly #bytes: Buffer
  readonly #end: number
  #at: number

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  /** The tag of the next element; undefined when there is none. */
  get tag(): number | undefined {
    return this.#at < this.#end ? this.#bytes[this.#at] : undefined
  }

  /** The content of the next element, which must have the tag when one is given. */
  read(tag?: number): DerReader {
    const own = this.tag
    if (own === undefined || (own & 0x1f) === 0x1f || (tag !== undefined && own !== tag)) throw malformed()
    const bytes = this.#bytes
    let start = this.#at + 2
    let length = bytes[this.#at + 1] ?? 0x80
    if (length > 0x7f) {
      const size = length & 0x7f
      if (size === 0 || size > 4 || start + size > this.#end) throw malformed()
      length = bytes.readUIntBE(start, size)
      if (length < (size === 1 ? 0x80 : 2 ** (8 * (size - 1)))) throw malformed()
      start += size
    }
    if (start + length > this.#end) throw malformed()
    this.#at = start + length
    return new DerReader(bytes, start, start + length)
  }

  /** The content of the next element when it has the tag; else undefined, and the reader stays where it is. */
  optional(tag: number): DerReader | undefined {
    return this.tag === tag ? this.read() : undefined
  }

  /** The next element with its tag and length, as a view. */
  whole(): Buffer {
    const start = this.#at
    this.read()
    return this.#bytes.subarray(start, this.#at)
  }

  /** All that is left, as a view. */
  rest(): Buffer {
    return this.#bytes.subarray(this.#at, this.#end)
  }

  /** All that is left, in lower-case hexadecimal. */
  hex(): string {
    return this.#bytes.toString('hex', this.#at, this.#end)
  }

  /** Throws unless everything was read. */
  finish(): void {
    if (this.#at < this.#end) throw malformed()
  }

  boolean(): boolean {
    const hex = this.read(tags.boolean).hex()
    if (hex !== '00' && hex !== 'ff') throw malformed()
    return hex === 'ff'
  }

  /** An INTEGER in lower-case hexadecimal, without the octet that only carries the sign. */
  integer(): string {
    const content = this.read(tags.integer)
    const first = content.tag
    if (first === undefined) throw malformed()
    if ((first !== 0 && first !== 0xff) || content.#end - content.#at === 1) return content.hex()
    const isNextNegative = (content.#bytes[content.#at + 1] ?? 0) > 0x7f
    if (isNextNegative === (first === 0xff)) throw malformed()
    if (first === 0) content.#at++
    return content.hex()
  }

  objectIdentifier(): string {
    return dotted(this.read(tags.objectIdentifier).rest())
  }

  /**
   * A character string of whichever kind, in which control characters are refused. What is no string is told in
   * hexadecimal after a `#` (RFC 4514 §2.4).
   */
  text(): string {
    const decode = characters[this.tag ?? 0]
    if (decode === undefined) return `#${this.whole().toString('hex')}`
    const text = decode(this.read().rest())
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index)
      if (code < 0x20 || code === 0x7f) throw malformed()
    }
    return text
  }

  /** A UTCTime or GeneralizedTime as RFC 5280 §4.1.2.5 has them: seconds, and UTC. In milliseconds of the epoch. */
  time(): number {
    const short = this.tag === tags.utcTime
    const digits = this.read(short ? tags.utcTime : tags.generalizedTime)
      .rest()
      .toString('latin1')
    const text = short ? `${digits < '50' ? '20' : '19'}${digits}` : digits
    const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text)
    const instant = parts === null ? Number.NaN : Date.parse(text.replace(...isoForm))
    if (Number.isNaN(instant) || new Date(instant).getUTCDate() !== Number(parts?.[3])) throw malformed()
    return instant
  }
}

const isoForm = [/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'] as const

function malformed(): Error {
  return new Error('Not in the form that DER prescribes')
}

function dotted(bytes: Buffer): string {
  const arcs: bigint[] = []
  let arc = 0n
  let whole = true
  for (const byte of bytes) {
    if (whole && byte === 0x80) throw malformed()
    arc = arc * 128n + BigInt(byte & 0x7f)
    whole = byte < 0x80
    if (!whole) continue
    arcs.push(arc)
    arc = 0n
  }
  const [first, ...others] = arcs
  if (first === undefined || !whole) throw malformed()
  const root = first < 80n ? first / 40n : 2n
  return [root, first - root * 40n, ...others].join('.')
}
