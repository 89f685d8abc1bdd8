import { AMPERSAND, HASH_SIGN, LINE_FEED, RETURN, SEMICOLON, SPACE } from './xml-characters.ts'
import type { Source } from './xml-source.ts'

/** How source becomes characters: references are resolved in all but CDATA, literal white space is kept in all but attributes. */
export type Decoding = 'text' | 'attribute' | 'cdata'

/** Where the reference that starts at `at` (its `&`) has its semicolon, -1 when it has none before `limit`. */
export function referenceEnd(source: Source, at: number, limit: number): number {
  let pos = at + 1
  while (pos < limit && source[pos] !== SEMICOLON) pos++
  return pos < limit ? pos : -1
}

/**
 * The code point named between `&` at `at` and its semicolon, -1 when malformed or no predefined entity. Whether XML
 * allows the character is for the caller to judge; whatever lies beyond Unicode reads as 0x1fffff.
 */
export function referenceCode(source: Source, at: number, semicolon: number): number {
  const first = source[at + 1]
  if (first === HASH_SIGN) return numeric(source, at + 2, semicolon)
  const second = source[at + 2]
  const third = source[at + 3]
  switch (semicolon - at) {
    case 3:
      if (second !== 0x74) return -1
      return first === 0x6c ? 0x3c : first === 0x67 ? 0x3e : -1
    case 4:
      return first === 0x61 && second === 0x6d && third === 0x70 ? AMPERSAND : -1
    case 5:
      if (first === 0x61 && second === 0x70 && third === 0x6f && source[at + 4] === 0x73) return 0x27
      return first === 0x71 && second === 0x75 && third === 0x6f && source[at + 4] === 0x74 ? 0x22 : -1
    default:
      return -1
  }
}

function numeric(source: Source, from: number, semicolon: number): number {
  const hexadecimal = source[from] === 0x78
  const base = hexadecimal ? 16 : 10
  let pos = hexadecimal ? from + 1 : from
  if (pos === semicolon) return -1
  let code = 0
  for (; pos < semicolon; pos++) {
    const digit = digitOf(source[pos]!)
    if (digit >= base) return -1
    code = Math.min(code * base + digit, 0x1fffff)
  }
  return code
}

function digitOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : 16
}

/**
 * Writes the characters that source already found well-formed stands for: references resolved, line ends normalised
 * (XML 1.0 §2.11), attribute values normalised (§3.3.3). Never longer than the source. Returns where it stopped writing.
 */
export function decode(source: Source, from: number, to: number, as: Decoding, into: Source, at: number): number {
  let out = at
  let pos = from
  while (pos < to) {
    const byte = source[pos]!
    if (byte === AMPERSAND && as !== 'cdata') {
      const semicolon = referenceEnd(source, pos, to)
      out = writeCode(referenceCode(source, pos, semicolon), into, out)
      pos = semicolon + 1
      continue
    }
    pos++
    if (byte >= SPACE) into[out++] = byte
    else {
      if (byte === RETURN && pos < to && source[pos] === LINE_FEED) pos++
      into[out++] = as === 'attribute' ? SPACE : byte === RETURN ? LINE_FEED : byte
    }
  }
  return out
}

function writeCode(code: number, into: Source, at: number): number {
  if (code < 0x80) {
    into[at] = code
    return at + 1
  }
  if (code < 0x800) {
    into[at] = 0xc0 | (code >> 6)
    into[at + 1] = 0x80 | (code & 0x3f)
    return at + 2
  }
  if (code < 0x10000) {
    into[at] = 0xe0 | (code >> 12)
    into[at + 1] = 0x80 | ((code >> 6) & 0x3f)
    into[at + 2] = 0x80 | (code & 0x3f)
    return at + 3
  }
  into[at] = 0xf0 | (code >> 18)
  into[at + 1] = 0x80 | ((code >> 12) & 0x3f)
  into[at + 2] = 0x80 | ((code >> 6) & 0x3f)
  into[at + 3] = 0x80 | (code & 0x3f)
  return at + 4
}
