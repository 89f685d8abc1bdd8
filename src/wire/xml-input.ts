import { isAscii, isUtf8 } from 'node:buffer'
import { GREATER, isCharacter, isWhite, LESS, NONCHARACTER_LEAD, QUESTION } from './xml-characters.ts'
import { referenceCode, referenceEnd } from './xml-decode.ts'
import { XmlError, type XmlReason } from './xml-error.ts'
import type { XmlLimits } from './xml-limits.ts'
import { type Source, sourceOf } from './xml-source.ts'

/** Offsets are 32-bit numbers. */
const largest = 0x7fffffff

/** Longer XML declarations than this are refused; real ones have 60 bytes. */
const longestDeclaration = 1024

/** What nearly every message begins with: known to be well-formed and true. */
const usual = '<?xml version="1.0" encoding="UTF-8"?>'

const S = '[ \\t\\r\\n]'
const declaration = new RegExp(
  `^<\\?xml${S}+version${S}*=${S}*(["'])1\\.0\\1` +
    `(?:${S}+encoding${S}*=${S}*(["'])(?<encoding>[A-Za-z][A-Za-z0-9._-]*)\\2)?` +
    `(?:${S}+standalone${S}*=${S}*(["'])(?:yes|no)\\4)?${S}*\\?>$`,
)

/** The bytes of one message, known to be UTF-8, and where reading stands. */
export class XmlInput {
  readonly source: Source
  /** The same bytes, to be read four at a time. */
  protected readonly words: DataView
  /** After the last `>`: a loop that stops at `>` needs no other bound. */
  protected readonly end: number
  pos = 0
  /** What the last reference stands for. */
  protected referred = 0
  #failed = false

  constructor(bytes: Uint8Array, limits: XmlLimits) {
    const source = sourceOf(bytes)
    this.source = source
    this.words = new DataView(source.buffer, source.byteOffset, source.byteLength)
    this.end = source.lastIndexOf(GREATER) + 1
    const maxBytes = Math.min(limits.maxBytes, largest)
    if (source.length > maxBytes) this.fail('too-large', maxBytes)
    if (!isUtf8(source) || source[0] === 0 || source[1] === 0) this.fail('encoding', 0)
    if (source[0] === 0xef && source[1] === 0xbb && source[2] === 0xbf) this.pos = 3
    this.#readDeclaration()
  }

  /** Throws; whoever goes on reading afterwards is refused again. */
  fail(reason: XmlReason, offset: number): never {
    this.#failed = true
    throw new XmlError(reason, offset)
  }

  protected refuseAfterFailure(): void {
    if (this.#failed) this.fail('malformed', this.pos)
  }

  /** Nothing but white space may follow the last `>`. */
  protected checkTail(): void {
    const { source } = this
    for (let at = this.end; at < source.length; at++) {
      if (!isWhite(source[at])) this.fail(source[at] === LESS ? 'truncated' : 'malformed', at)
    }
  }

  /** XML 1.0 §2.8: only at the very start (after a byte order mark), and what it claims must be true. */
  #readDeclaration(): void {
    const { source, pos } = this
    if (source[pos + 1] !== QUESTION) return
    if (source.latin1Slice(pos, Math.min(pos + usual.length, source.length)) === usual) {
      this.pos = pos + usual.length
      return
    }
    const head = source.latin1Slice(pos, Math.min(pos + longestDeclaration, source.length))
    if (!/^<\?xml[ \t\r\n]/.test(head)) return
    const after = head.indexOf('?>') + 2
    const found = declaration.exec(head.slice(0, after))
    if (found === null) this.fail('declaration', pos)
    const encoding = found.groups?.encoding?.toLowerCase() ?? 'utf-8'
    if (encoding !== 'utf-8' && !(encoding === 'us-ascii' && isAscii(source))) this.fail('encoding', pos)
    this.pos = pos + after
  }

  protected afterWhite(from: number): number {
    let pos = from
    while (isWhite(this.source[pos])) pos++
    return pos
  }

  /** Checks the reference at `pos` and returns where it ends. */
  protected reference(pos: number): number {
    const semicolon = referenceEnd(this.source, pos, this.end)
    const code = semicolon < 0 ? -1 : referenceCode(this.source, pos, semicolon)
    if (code < 0) this.fail('entity', pos)
    if (!isCharacter(code)) this.fail('character', pos)
    this.referred = code
    return semicolon + 1
  }

  /** Past a character that begins with an unusual byte; refuses controls, U+FFFE and U+FFFF. */
  protected unusual(pos: number): number {
    const { source } = this
    if (source[pos] !== NONCHARACTER_LEAD) this.fail('character', pos)
    if (source[pos + 1] === 0xbf && source[pos + 2]! >= 0xbe) this.fail('character', pos)
    return pos + 3
  }

  /** Whether the same bytes stand in two places. */
  protected same(one: number, other: number, length: number): boolean {
    if (other + length > this.end) return false
    if (length < 4) {
      const { source } = this
      for (let at = 0; at < length; at++) if (source[one + at] !== source[other + at]) return false
      return true
    }
    const { words } = this
    const last = length - 4
    for (let at = 0; at < last; at += 4) {
      if (words.getInt32(one + at, true) !== words.getInt32(other + at, true)) return false
    }
    return words.getInt32(one + last, true) === words.getInt32(other + last, true)
  }
}
