import { Buffer } from 'node:buffer'
import { AMPERSAND, GREATER, HASH_SIGN, RETURN } from './xml-characters.ts'
import { referenceEnd } from './xml-decode.ts'
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

/**
 * Bytes written one after the other, up to a limit; `refuse` throws when there would be more. What is written as it
 * stands in `source`, one piece after the other, is copied in one go.
 */
export class XmlOutput {
  readonly #source: Source
  readonly #limit: number
  readonly #refuse: () => never
  #bytes: Source
  /** Of `#bytes`, how much is written and how much may be. */
  #length = 0
  #capacity: number
  /** The run of the source that comes next and is not copied yet. */
  #from = 0
  #to = 0

  /** Writes into `memory` as long as it is large enough. */
  constructor(source: Source, memory: Source, limit: number, refuse: () => never) {
    this.#source = source
    this.#bytes = memory
    this.#limit = limit
    this.#capacity = Math.min(memory.length, limit)
    this.#refuse = refuse
  }

  /** A view of all that was written. */
  written(): Buffer {
    this.#settle()
    return this.#bytes.subarray(0, this.#length)
  }

  byte(byte: number): void {
    this.#settle()
    if (this.#length === this.#capacity) this.#grow(1)
    this.#bytes[this.#length++] = byte
  }

  /** What stands in the source between two offsets. */
  run(from: number, to: number): void {
    if (from !== this.#to) {
      this.#settle()
      this.#from = from
    }
    this.#to = to
    if (this.#length + to - this.#from > this.#limit) this.#refuse()
  }

  copy(from: Source, start: number, end: number): void {
    this.#settle()
    this.#append(from, start, end)
  }

  escaped(from: Source, start: number, end: number, instead: Escapes): void {
    this.#settle()
    let run = start
    for (let pos = start; pos < end; pos++) {
      const byte = from[pos]!
      if (plain[byte] === 1) continue
      const replacement = instead[byte]
      if (replacement === undefined) continue
      this.#append(from, run, pos)
      this.#append(replacement, 0, replacement.length)
      run = pos + 1
    }
    this.#append(from, run, end)
  }

  #settle(): void {
    if (this.#from === this.#to) return
    this.#append(this.#source, this.#from, this.#to)
    this.#from = this.#to
  }

  #append(from: Source, start: number, end: number): void {
    const size = end - start
    if (this.#length + size > this.#capacity) this.#grow(size)
    const bytes = this.#bytes
    let at = this.#length
    this.#length = at + size
    if (size > worthACall) from.copy(bytes, at, start, end)
    else for (let pos = start; pos < end; pos++) bytes[at++] = from[pos]!
  }

  #grow(size: number): void {
    const needed = this.#length + size
    if (needed > this.#limit) this.#refuse()
    const larger = freshSource(Math.min(needed * 2, this.#limit))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
    this.#capacity = larger.length
  }
}

/**
 * Whether text (no comments, no CDATA sections) stands in the source as a canonical form writes it. `encoded` says that it
 * has references or carriage returns. A no may be wrong, a yes never is.
 */
export function isCanonicalText(source: Source, from: number, to: number, encoded: boolean): boolean {
  // The tag after the text has a `>`: this never looks much further.
  if (!encoded && to - from > worthACall) return source.indexOf(GREATER, from) >= to
  for (let at = from; at < to; at++) {
    const byte = source[at]
    if (byte === GREATER || byte === RETURN) return false
    if (byte !== AMPERSAND) continue
    const semicolon = referenceEnd(source, at, to)
    // Longer than `&amp;` are `&quot;` and `&apos;`, which canonical forms resolve.
    if (source[at + 1] === HASH_SIGN || semicolon - at > '&amp'.length) return false
    at = semicolon
  }
  return true
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
