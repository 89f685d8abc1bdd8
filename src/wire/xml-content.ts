import {
  AMPERSAND,
  CLOSE_BRACKET,
  GREATER,
  HYPHEN,
  isPlainText,
  isWhite,
  LESS,
  OPEN_BRACKET,
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
    for (;;) {
      if (pos >= stop) break
      const byte = source[pos]!
      const kind = textBytes[byte]!
      if (kind === WHITE) {
        do pos++
        while (pos < stop && textBytes[source[pos]!]! === WHITE)
      } else if (kind === PLAIN) {
        this.flags |= TEXT
        pos++
        while (pos + 4 <= stop && isPlainText(words.getInt32(pos, true))) pos += 4
        while (pos < stop && textBytes[source[pos]!]! <= PLAIN) pos++
      } else if (byte === LESS) {
        if (pos > this.pieceStart) this.pieces++
        if (source[pos + 1] !== 0x21) break
        this.flags |= MARKUP
        pos = this.markup(pos, true)
      } else pos = this.#special(pos)
    }
    this.pos = pos
  }

  /** Before and after the root: to the `<` of a tag, or to where reading pauses. */
  protected passOutside(): void {
    let pos = this.#resumed()
    for (;;) {
      while (pos < this.stop && isWhite(this.source[pos])) pos++
      if (pos >= this.stop) break
      if (this.source[pos] !== LESS) this.fail('malformed', pos)
      if (this.source[pos + 1] !== 0x21) break
      pos = this.markup(pos, false)
    }
    this.pos = pos
  }
}
