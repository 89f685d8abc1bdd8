import { Buffer } from 'node:buffer'
import { freshSource, type Source } from './xml-source.ts'

/** What is written in place of a byte, by its value. */
export type Escapes = readonly (Source | undefined)[]

/** Canonical XML 1.0 §2.3: what stands for a character in text, and in an attribute value. */
export const textEscapes = escapes({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#xD;' })
export const attributeEscapes = escapes({
  '&': '&amp;',
  '<': '&lt;',
  '"': '&quot;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
})

/** 1 for the bytes that are never escaped. */
const plain = Uint8Array.from({ length: 256 }, (_, byte) =>
  textEscapes[byte] === undefined && attributeEscapes[byte] === undefined ? 1 : 0,
)

/** Below so many bytes a loop is faster than a call into the runtime. */
const worthACall = 48

/** Bytes written one after the other, up to a limit; `refuse` throws when there would be more. */
export class XmlOutput {
  readonly #limit: number
  readonly #refuse: () => never
  #bytes: Source
  #length = 0

  constructor(expected: number, limit: number, refuse: () => never) {
    this.#bytes = freshSource(Math.min(expected, limit))
    this.#limit = limit
    this.#refuse = refuse
  }

  written(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  byte(byte: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1)
    this.#bytes[this.#length++] = byte
  }

  copy(from: Source, start: number, end: number): void {
    const size = end - start
    if (this.#length + size > this.#bytes.length) this.#grow(size)
    const bytes = this.#bytes
    let at = this.#length
    this.#length = at + size
    if (size > worthACall) from.copy(bytes, at, start, end)
    else for (let pos = start; pos < end; pos++) bytes[at++] = from[pos]!
  }

  escaped(from: Source, start: number, end: number, instead: Escapes): void {
    let run = start
    for (let pos = start; pos < end; pos++) {
      const byte = from[pos]!
      if (plain[byte] === 1) continue
      const replacement = instead[byte]
      if (replacement === undefined) continue
      this.copy(from, run, pos)
      this.copy(replacement, 0, replacement.length)
      run = pos + 1
    }
    this.copy(from, run, end)
  }

  #grow(size: number): void {
    const needed = this.#length + size
    if (needed > this.#limit) this.#refuse()
    const larger = freshSource(Math.min(needed * 2, this.#limit))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}

export function ascii(text: string): Source {
  return Buffer.from(text, 'latin1') as Source
}

function escapes(table: Readonly<Record<string, string>>): Escapes {
  return Array.from({ length: 256 }, (_, byte) => {
    const instead = table[String.fromCharCode(byte)]
    return instead === undefined ? undefined : ascii(instead)
  })
}
