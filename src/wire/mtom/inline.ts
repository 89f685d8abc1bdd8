import { Buffer } from 'node:buffer'
import { Base64Decoder } from './base64.ts'
import { MtomError } from './mtom-error.ts'
import { encodeInclude } from './xop.ts'

/** What a plain message turns out to hold: documents as they go by, the message at the end. */
export type InlineEvent =
  | { readonly kind: 'document'; readonly contentId: string }
  | { readonly kind: 'data'; readonly bytes: Buffer }
  | { readonly kind: 'end' }
  | { readonly kind: 'message'; readonly bytes: Buffer }

export interface InlineLimits {
  /** Of the message without the documents. */
  readonly maxMessageBytes: number
  readonly maxDocuments: number
}

const LESS = 0x3c
const GREATER = 0x3e
const SLASH = 0x2f
const EXCLAMATION = 0x21
const QUESTION = 0x3f
const QUOTE = 0x22
const APOSTROPHE = 0x27
const AMPERSAND = 0x26
const SEMICOLON = 0x3b

/** The longest tag; anything longer is no message of ours. */
const maxTag = 65_536

/** A tag that opens an element whose local name is Document, and how it names it. */
const opensDocument = /^<(?:[^\s:/>]+:)?Document(?=[\s>])/

/**
 * Takes the documents out of a message that carries them inline, in base64, as it goes by: of a large document nothing is
 * kept. The message is given at its end with an Include in the place of each, so that whoever reads it need not tell the
 * two packagings apart. Nothing is judged here but base64; the message is read by the one reader afterwards. Throws MtomError.
 */
export class InlineSplitter {
  readonly #limits: InlineLimits
  /** The message without its documents; what is used of it is `#messageBytes`. */
  #message: Buffer = Buffer.alloc(0)
  #messageBytes = 0
  /** The markup under way, from its `<` on: where it begins in the message. */
  #tagStart = 0
  #quote = 0
  #state: 'text' | 'tag' | 'content' = 'text'
  /** Set while the content of a document goes by; absent before its first character. */
  #decoder: Base64Decoder | undefined
  #reference: number[] | undefined
  #documents = 0

  constructor(limits: InlineLimits) {
    this.#limits = limits
  }

  push(bytes: Uint8Array): InlineEvent[] {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const events: InlineEvent[] = []
    let at = 0
    while (at < chunk.length) {
      if (this.#state === 'tag') at = this.#passTag(chunk, at, events)
      else {
        const found = chunk.indexOf(LESS, at)
        const end = found < 0 ? chunk.length : found
        if (this.#state === 'text') this.#keep(chunk.subarray(at, end))
        else this.#decode(chunk.subarray(at, end), events)
        if (found >= 0) {
          this.#state = 'tag'
          this.#tagStart = this.#messageBytes
        }
        at = end
      }
    }
    return events
  }

  end(): InlineEvent[] {
    if (this.#state !== 'text') throw new MtomError('truncated')
    return [{ kind: 'message', bytes: this.#message.subarray(0, this.#messageBytes) }]
  }

  /** A copy, in one piece however many there are: what was pushed is its owner's again. */
  #keep(bytes: Buffer): void {
    const needed = this.#messageBytes + bytes.length
    if (needed > this.#limits.maxMessageBytes) throw new MtomError('root-too-large')
    if (needed > this.#message.length) {
      const grown = Buffer.allocUnsafe(
        Math.max(needed, Math.min(2 * this.#message.length, this.#limits.maxMessageBytes)),
      )
      grown.set(this.#message.subarray(0, this.#messageBytes))
      this.#message = grown
    }
    this.#message.set(bytes, this.#messageBytes)
    this.#messageBytes = needed
  }

  #tag(): Buffer {
    return this.#message.subarray(this.#tagStart, this.#messageBytes)
  }

  #hold(bytes: Buffer): void {
    this.#keep(bytes)
    if (this.#messageBytes - this.#tagStart > maxTag) throw new MtomError('root-xml')
  }

  #passTag(chunk: Buffer, from: number, events: InlineEvent[]): number {
    let at = from
    // Its first characters tell what it is, and whether quotes mean something in it: they do in the tags of elements only.
    while (this.#messageBytes - this.#tagStart < 2 && at < chunk.length) {
      this.#hold(chunk.subarray(at, at + 1))
      at++
    }
    const second = this.#tag()[1]
    if (second === GREATER) return this.#closeTag(events, at)
    const quotes = second !== EXCLAMATION && second !== QUESTION
    let held = at
    for (; at < chunk.length; at++) {
      const byte = chunk[at] as number
      if (this.#quote !== 0) {
        if (byte === this.#quote) this.#quote = 0
      } else if (byte === GREATER) {
        this.#hold(chunk.subarray(held, at + 1))
        held = at + 1
        if (isWhole(this.#tag())) return this.#closeTag(events, held)
      } else if (quotes && (byte === QUOTE || byte === APOSTROPHE)) this.#quote = byte
    }
    this.#hold(chunk.subarray(held))
    return at
  }

  /** Takes what the tag that has just ended means. Gives back where the next thing begins. */
  #closeTag(events: InlineEvent[], next: number): number {
    this.#state = 'text'
    if (this.#decoder !== undefined) {
      const closing = Buffer.from(this.#tag())
      if (closing[1] !== SLASH || this.#reference !== undefined) throw new MtomError('base64')
      const rest = this.#decoder.end()
      if (rest.length > 0) events.push({ kind: 'data', bytes: rest })
      events.push({ kind: 'end' })
      this.#decoder = undefined
      this.#messageBytes = this.#tagStart
      this.#keep(Buffer.from(encodeInclude(contentIdOf(this.#documents))))
      this.#keep(closing)
    } else {
      const tag = this.#tag()
      if (tag.at(-2) !== SLASH && opensDocument.test(tag.toString('latin1'))) this.#state = 'content'
    }
    return next
  }

  #decode(bytes: Buffer, events: InlineEvent[]): void {
    if (this.#decoder === undefined) {
      // White space before an Include, or an empty document: there is nothing to take out.
      if (isBlank(bytes)) {
        this.#keep(bytes)
        return
      }
      if (++this.#documents > this.#limits.maxDocuments) throw new MtomError('too-many-parts')
      this.#decoder = new Base64Decoder()
      events.push({ kind: 'document', contentId: contentIdOf(this.#documents) })
    }
    const decoded = this.#decoder.push(this.#withoutReferences(bytes))
    if (decoded.length > 0) events.push({ kind: 'data', bytes: decoded })
  }

  /** Line ends written as references, which some writers leave in base64; any other is no base64. */
  #withoutReferences(bytes: Buffer): Buffer {
    if (this.#reference === undefined && !bytes.includes(AMPERSAND)) return bytes
    const kept: number[] = []
    for (const byte of bytes) {
      if (this.#reference === undefined) {
        if (byte === AMPERSAND) this.#reference = []
        else kept.push(byte)
      } else if (byte !== SEMICOLON) {
        this.#reference.push(byte)
        if (this.#reference.length > 6) throw new MtomError('base64')
      } else {
        if (!/^#(?:0*(?:9|10|13|32)|x0*(?:9|a|d|20))$/i.test(String.fromCharCode(...this.#reference))) {
          throw new MtomError('base64')
        }
        this.#reference = undefined
      }
    }
    return Buffer.from(kept)
  }
}

const comment = Buffer.from('<!--')
const commentEnd = Buffer.from('-->')
const section = Buffer.from('<![CDATA[')
const sectionEnd = Buffer.from(']]>')

/** Whether markup is over at its last `>`: a comment ends with `-->`, a section with `]]>`, an instruction with `?>`. */
function isWhole(tag: Buffer): boolean {
  if (tag[1] === QUESTION) return tag.length >= 4 && tag.at(-2) === QUESTION
  if (tag[1] !== EXCLAMATION) return true
  if (startsWith(tag, comment)) return tag.length >= 7 && endsWith(tag, commentEnd)
  if (startsWith(tag, section)) return endsWith(tag, sectionEnd)
  return true
}

function startsWith(bytes: Buffer, start: Buffer): boolean {
  return bytes.length >= start.length && bytes.compare(start, 0, start.length, 0, start.length) === 0
}

function endsWith(bytes: Buffer, end: Buffer): boolean {
  const from = bytes.length - end.length
  return from >= 0 && bytes.compare(end, 0, end.length, from, bytes.length) === 0
}

function contentIdOf(number: number): string {
  return `inline-${number}@crocevia`
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d)
}
