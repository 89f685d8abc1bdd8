import { Buffer } from 'node:buffer'
import { MtomError } from './mtom-error.ts'

const BLANK = 64
const PADDING = 65
const FOREIGN = 66

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
/** What each byte means: its six bits, white space, `=`, or nothing. */
const meanings = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte)
  if (character === '=') return PADDING
  if (' \t\r\n'.includes(character)) return BLANK
  const value = alphabet.indexOf(character)
  return value < 0 ? FOREIGN : value
})

/**
 * Decodes base64 that comes in pieces, strictly (RFC 4648 §3.3, §3.5; XML Schema Part 2 §3.2.16): white space is passed
 * over; any other foreign character, missing or early padding and bits left over are refused with MtomError `base64`.
 */
export class Base64Decoder {
  /** Bits of the group under way, and how many characters and how much padding it has had. */
  #bits = 0
  #characters = 0
  #padding = 0

  push(bytes: Uint8Array): Buffer {
    const out = Buffer.allocUnsafe(Math.ceil((bytes.length * 3) / 4) + 3)
    const { length } = bytes
    let written = 0
    let at = 0
    while (at < length) {
      if (this.#characters === 0 && this.#padding === 0) {
        // Whole groups without white space, which is nearly everything.
        while (at + 4 <= length) {
          const a = meanings[bytes[at] as number] as number
          const b = meanings[bytes[at + 1] as number] as number
          const c = meanings[bytes[at + 2] as number] as number
          const d = meanings[bytes[at + 3] as number] as number
          if ((a | b | c | d) >= BLANK) break
          const group = (a << 18) | (b << 12) | (c << 6) | d
          out[written++] = group >> 16
          out[written++] = group >> 8
          out[written++] = group
          at += 4
        }
        if (at === length) break
      }
      const meaning = meanings[bytes[at++] as number] as number
      if (meaning === BLANK) continue
      if (meaning === FOREIGN) throw new MtomError('base64')
      if (meaning === PADDING) {
        this.#padding++
        if (this.#characters < 2 || this.#characters + this.#padding > 4) throw new MtomError('base64')
        continue
      }
      if (this.#padding > 0) throw new MtomError('base64')
      this.#bits = (this.#bits << 6) | meaning
      if (++this.#characters === 4) {
        out[written++] = this.#bits >> 16
        out[written++] = this.#bits >> 8
        out[written++] = this.#bits
        this.#bits = this.#characters = 0
      }
    }
    return out.subarray(0, written)
  }

  /** The last bytes, which padding stands behind. */
  end(): Buffer {
    if (this.#characters === 0) return Buffer.alloc(0)
    if (this.#characters + this.#padding !== 4) throw new MtomError('base64')
    const surplus = this.#padding * 2
    if ((this.#bits & ((1 << surplus) - 1)) !== 0) throw new MtomError('base64')
    const rest = this.#bits >> surplus
    return this.#padding === 1 ? Buffer.from([rest >> 8, rest & 0xff]) : Buffer.from([rest])
  }
}

/** Decodes base64 text as `Base64Decoder` does; what an element has inline. Throws MtomError `base64`. */
export function decodeBase64(text: string): Buffer {
  // Beyond Latin-1 a character would lose its upper half on the way to bytes, and might pass for another.
  if (/[^\x00-\x7f]/.test(text)) throw new MtomError('base64')
  const decoder = new Base64Decoder()
  const bytes = decoder.push(Buffer.from(text, 'latin1'))
  const rest = decoder.end()
  return rest.length === 0 ? bytes : Buffer.concat([bytes, rest])
}
