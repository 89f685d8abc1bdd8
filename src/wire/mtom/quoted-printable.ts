import { Buffer } from 'node:buffer'
import { MtomError } from './mtom-error.ts'

const TAB = 0x09
const LINE_FEED = 0x0a
const RETURN = 0x0d
const SPACE = 0x20
const EQUALS = 0x3d

/** White space that may end a line is held until it is known whether it does. */
const mostBlanks = 1024

/**
 * Decodes quoted-printable that comes in pieces (RFC 2045 §6.7). White space at the end of a line goes, lower-case
 * digits and long lines are taken, line ends stay as they are; whatever the encoding does not allow, bytes beyond
 * ASCII among it, is refused with MtomError `quoted-printable`.
 */
export class QuotedPrintableDecoder {
  /** White space that may turn out to end its line. */
  #blanks: number[] = []
  /** What stands since an `=`: nothing yet, its first digit, or white space (a soft line break under way). */
  #escape: 'none' | 'equals' | 'digit' | 'break' | 'return' = 'none'
  #high = 0

  push(bytes: Uint8Array): Buffer {
    // Held white space may come out with these bytes.
    const out = Buffer.allocUnsafe(bytes.length + this.#blanks.length)
    let written = 0
    const { length } = bytes
    for (let at = 0; at < length; at++) {
      const byte = bytes[at] as number
      if (this.#escape !== 'none') {
        const value = this.#escaped(byte)
        if (value >= 0) out[written++] = value
      } else if (byte === SPACE || byte === TAB) {
        if (this.#blanks.push(byte) > mostBlanks) throw new MtomError('quoted-printable')
      } else {
        const isLineEnd = byte === RETURN || byte === LINE_FEED
        if (!isLineEnd && (byte < SPACE || byte > 0x7e)) throw new MtomError('quoted-printable')
        if (this.#blanks.length > 0) {
          if (!isLineEnd) for (const blank of this.#blanks) out[written++] = blank
          this.#blanks = []
        }
        if (byte === EQUALS) this.#escape = 'equals'
        else out[written++] = byte
      }
    }
    return out.subarray(0, written)
  }

  /** A soft line break may be last: its line end then belongs to the delimiter. */
  end(): Buffer {
    if (this.#escape === 'digit' || this.#escape === 'return') throw new MtomError('quoted-printable')
    return Buffer.alloc(0)
  }

  /** The byte that an escape comes to, or -1. */
  #escaped(byte: number): number {
    if (this.#escape === 'digit') {
      this.#escape = 'none'
      return this.#high * 16 + digit(byte)
    }
    if (byte === LINE_FEED) this.#escape = 'none'
    else if (this.#escape === 'return') throw new MtomError('quoted-printable')
    else if (byte === RETURN) this.#escape = 'return'
    else if (byte === SPACE || byte === TAB) this.#escape = 'break'
    else if (this.#escape === 'break') throw new MtomError('quoted-printable')
    else {
      this.#high = digit(byte)
      this.#escape = 'digit'
    }
    return -1
  }
}

function digit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  if (letter < 0x61 || letter > 0x66) throw new MtomError('quoted-printable')
  return letter - 0x61 + 10
}
