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
  readonly #message: Buffer[] = []
  #messageBytes = 0
  /** The markup under way, from its `<` on. */
  #tag: Buffer[] = []
  #tagBytes = 0
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
        if (found >= 0) this.#state = 'tag'
        at = end
      }
    }
    return events
  }

  end(): InlineEvent[] {
    if (this.#state !== 'text') throw new MtomError('truncated')
    return [{ kind: 'message', bytes: Buffer.concat(this.#message, this.#messageBytes) }]
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#messageBytes += bytes.length
    if (this.#messageBytes > this.#limits.maxMessageBytes) throw new MtomError('root-too-large')
    // A copy: what was pushed is its owner's again.
    this.#message.push(Buffer.from(bytes))
  }

  #passTag(chunk: Buffer, from: number, events: InlineEvent[]): number {
    let at = from
    for (; at < chunk.length; at++) {
      const byte = chunk[at] as number
      if (this.#quote !== 0) {
        if (byte === this.#quote) this.#quote = 0
      } else if (byte === GREATER) {
        this.#hold(chunk.subarray(from, at + 1))
        if (this.#tagEnds()) {
          this.#closeTag(events)
          return at + 1
        }
        return at + 1
      } else if ((byte === QUOTE || byte === APOSTROPHE) && this.#isElement(chunk, from)) this.#quote = byte
    }
    this.#hold(chunk.subarray(from))
    return at
  }

  /** Quotes mean something in the tags of elements only, not in comments, sections and instructions. */
  #isElement(chunk: Buffer, from: number): boolean {
    const second = this.#tagBytes > 1 ? this.#tag[0]?.[1] : this.#tagBytes === 1 ? chunk[from] : chunk[from + 1]
    return second !== 0x21 && second !== 0x3f
  }

  #hold(bytes: Buffer): void {
    this.#tagBytes += bytes.length
    if (this.#tagBytes > maxTag) throw new MtomError('root-xml')
    const [first] = this.#tag
    // The first two characters tell what it is; they are kept together.
    if (this.#tag.length === 1 && first !== undefined && first.length < 2) this.#tag = [Buffer.concat([first, bytes])]
    else this.#tag.push(Buffer.from(bytes))
  }

  /** A comment ends with `-->`, a section with `]]>`, an instruction with `?>`. */
  #tagEnds(): boolean {
    const text = Buffer.concat(this.#tag, this.#tagBytes)
    this.#tag = [text]
    if (text.subarray(0, 4).equals(comment)) return text.length >= 7 && text.subarray(-3).equals(commentEnd)
    if (text.subarray(0, 9).equals(section)) return text.subarray(-3).equals(sectionEnd)
    if (text[1] === 0x3f) return text[text.length - 2] === 0x3f
    return true
  }

  #closeTag(events: InlineEvent[]): void {
    const tag = this.#tag[0] ?? Buffer.alloc(0)
    this.#tag = []
    this.#tagBytes = 0
    this.#state = 'text'
    if (this.#decoder !== undefined) {
      if (tag[1] !== 0x2f || this.#reference !== undefined) throw new MtomError('base64')
      const rest = this.#decoder.end()
      if (rest.length > 0) events.push({ kind: 'data', bytes: rest })
      events.push({ kind: 'end' })
      this.#decoder = undefined
      this.#keep(Buffer.from(encodeInclude(contentIdOf(this.#documents))))
    }
    this.#keep(tag)
    if (opensDocument.test(tag.toString('latin1')) && tag[tag.length - 2] !== 0x2f) this.#state = 'content'
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

function contentIdOf(number: number): string {
  return `inline-${number}@crocevia`
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d)
}
