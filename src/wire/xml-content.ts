import {
  AMPERSAND,
  BANG,
  CLOSE_BRACKET,
  GREATER,
  HYPHEN,
  isPlainText,
  isWhite,
  LESS,
  PLAIN,
  RETURN,
  rawBytes,
  textBytes,
  WHITE,
} from './xml-characters.ts'
import { XmlInput } from './xml-input.ts'
import type { XmlLimits } from './xml-limits.ts'
import { ENCODED, MARKUP, TEXT } from './xml-records.ts'

/** Reads what stands between tags: text, references, comments and CDATA sections; it can pause anywhere in them. */
export class XmlContent extends XmlInput {
  /** TEXT, ENCODED and MARKUP of what was passed since the last tag. */
  flags = 0
  /** Pieces of text passed so far. */
  pieces = 0
  /** Where reading pauses. */
  protected stop: number
  /** Where the piece of text at hand began. */
  protected pieceStart = 0
  #inside: 'nothing' | 'comment' | 'cdata' = 'nothing'

  constructor(bytes: Uint8Array, limits: XmlLimits) {
    super(bytes, limits)
    this.stop = this.end
  }

  /** Reading pauses after so many bytes, or after the tag that stands there. */
  pauseAfter(bytes: number): void {
    this.stop = Math.min(this.end, this.pos + bytes)
  }

  /** Whether character data other than white space was passed since the last tag; told once. */
  takeText(): boolean {
    const text = (this.flags & TEXT) !== 0
    this.flags = 0
    return text
  }

  /** To the `<` of the next tag, or to where reading pauses. */
  protected passContent(): void {
    const { source, words, stop } = this
    let pos = this.#resumed()
    let flags = 0
    while (pos < stop) {
      const byte = source[pos]!
      const kind = textBytes[byte]!
      if (kind === WHITE) {
        do pos++
        while (pos < stop && textBytes[source[pos]!]! === WHITE)
      } else if (kind === PLAIN) {
        flags |= TEXT
        pos++
        while (pos + 4 <= stop && isPlainText(words.getInt32(pos, true))) pos += 4
        while (pos < stop && textBytes[source[pos]!]! <= PLAIN) pos++
      } else if (byte === LESS) {
        if (pos > this.pieceStart) this.pieces++
        if (source[pos + 1] !== BANG) break
        flags |= MARKUP
        pos = this.#markup(pos, true)
      } else pos = this.#special(pos)
    }
    this.flags |= flags
    this.pos = pos
  }

  /** Before and after the root: to the `<` of a tag, or to where reading pauses. */
  protected passOutside(): void {
    const { source, stop } = this
    let pos = this.#resumed()
    while (pos < stop) {
      if (isWhite(source[pos])) pos++
      else if (source[pos] !== LESS) this.fail('malformed', pos)
      else if (source[pos + 1] !== BANG) break
      else pos = this.#markup(pos, false)
    }
    this.pos = pos
  }

  /** Where to go on, after what a pause interrupted. */
  #resumed(): number {
    return this.#inside === 'nothing' ? this.pos : this.#raw(this.pos)
  }

  /** A byte of character data that needs a look, and what belongs to it. */
  #special(pos: number): number {
    const { source } = this
    const byte = source[pos]
    if (byte === AMPERSAND) {
      const after = this.reference(pos)
      this.flags |= isWhite(this.referred) ? ENCODED : ENCODED | TEXT
      return after
    }
    if (byte === RETURN) {
      this.flags |= ENCODED
      return pos + 1
    }
    this.flags |= TEXT
    if (byte !== CLOSE_BRACKET) return this.unusual(pos)
    if (source[pos + 1] === CLOSE_BRACKET && source[pos + 2] === GREATER) this.fail('malformed', pos)
    return pos + 1
  }

  /** What begins with `<!`. */
  #markup(pos: number, content: boolean): number {
    const { source } = this
    const opening = source.latin1Slice(pos + 2, Math.min(pos + 9, this.end))
    if (opening.startsWith('--')) {
      this.#inside = 'comment'
      return this.#raw(pos + 4)
    }
    if (opening === '[CDATA[' && content) {
      this.#inside = 'cdata'
      return this.#raw(pos + 9)
    }
    return this.fail(opening === 'DOCTYPE' ? 'doctype' : 'malformed', pos)
  }

  /** Through a comment or CDATA section to its end, or to where reading pauses. */
  #raw(from: number): number {
    const { source, stop } = this
    const text = this.#inside === 'cdata' ? TEXT : 0
    let pos = from
    while (pos < stop) {
      const byte = source[pos]!
      const kind = rawBytes[byte]!
      if (kind === WHITE || byte === RETURN) {
        pos++
        continue
      }
      if (kind === PLAIN) {
        do pos++
        while (pos < stop && rawBytes[source[pos]!]! <= PLAIN)
      } else if (byte === (text === 0 ? HYPHEN : CLOSE_BRACKET) && source[pos + 1] === byte) {
        if (source[pos + 2] === GREATER) return this.#leftRaw(pos + 3)
        if (text === 0) this.fail('malformed', pos)
        pos++
      } else if (byte === HYPHEN || byte === CLOSE_BRACKET) pos++
      else pos = this.unusual(pos)
      this.flags |= text
    }
    if (stop === this.end) this.fail('truncated', pos)
    return pos
  }

  #leftRaw(pos: number): number {
    if (this.#inside === 'cdata') this.pieces++
    this.#inside = 'nothing'
    this.pieceStart = pos
    return pos
  }
}
