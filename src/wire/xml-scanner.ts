import { isAscii, isUtf8 } from 'node:buffer'
import { attributeBytes, isCharacter, isWhite, nameBytes, PLAIN, rawBytes, textBytes, WHITE } from './xml-characters.ts'
import { referenceCode, referenceEnd } from './xml-decode.ts'
import { XmlError, type XmlReason } from './xml-error.ts'
import type { XmlLimits } from './xml-limits.ts'
import {
  BINDING,
  DECLARATION,
  FIRST_ATTRIBUTE,
  FOLLOWER,
  IDENTIFIER,
  KIND,
  LENGTH,
  LOCAL,
  NAME,
  NO_NAMESPACE,
  OFFSET,
  PREFIX,
  SEEN,
  XML_NAMESPACE,
  XML_PREFIX,
  XmlNames,
} from './xml-names.ts'
import {
  ATTRIBUTE,
  ATTRIBUTE_COUNT,
  ATTRIBUTE_NAME,
  ATTRIBUTE_NAMESPACE,
  ATTRIBUTES,
  CHILDREN,
  CLOSING,
  DECLARATION_SIZE,
  DECLARED_NAMESPACE,
  DECLARED_PREFIX,
  ELEMENT,
  ENCODED,
  END,
  FLAGS,
  HIDDEN,
  MARKUP,
  NAME_OF,
  NAMESPACE_OF,
  NEXT,
  OPENED,
  OUTER,
  PARENT,
  SCOPE,
  START,
  TEXT,
  VALUE_END,
  VALUE_START,
  XmlRecords,
  XmlScopes,
} from './xml-records.ts'
import { type Source, sourceOf } from './xml-source.ts'

/** What `advance` found. PAUSED: `stop` was reached; FINISHED: the document is whole and well-formed. */
export type Finding = 'start' | 'end' | 'paused' | 'finished'

/** An open element's record in the stack: `depth * OPEN + field`. */
const OPEN = 4
const OPEN_NAME = 0
/** The declaration that was innermost outside the element (+ 1). */
const OPEN_SCOPE = 1
const OPEN_NODE = 2
const OPEN_LAST_CHILD = 3

const LESS = 0x3c
const GREATER = 0x3e
const SLASH = 0x2f
const BANG = 0x21
const QUESTION = 0x3f
const HYPHEN = 0x2d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const AMPERSAND = 0x26
const EQUALS = 0x3d
const QUOTE = 0x22
const APOSTROPHE = 0x27
const SPACE = 0x20
const TAB = 0x09
const LINE_FEED = 0x0a
const RETURN = 0x0d

/** Longer XML declarations than this are refused; real ones have 60 bytes. */
const longestDeclaration = 1024
const declaration =
  /^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(["'])1\.0\1(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(["'])([A-Za-z][A-Za-z0-9._-]*)\2)?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(["'])(?:yes|no)\4)?[ \t\r\n]*\?>$/

/**
 * The one scanner of XML bytes: a namespace-aware, non-validating XML 1.0 processor that refuses DOCTYPE and
 * processing instructions. `advance` finds the next tag; `startTag` reads it into records. Every byte is looked at a
 * bounded number of times.
 */
export class Scanner {
  readonly source: Source
  readonly #words: DataView
  readonly names: XmlNames
  readonly scopes = new XmlScopes()
  readonly limits: XmlLimits
  /** After the last `>` of the message, so that a loop that stops at `>` needs no other bound. */
  readonly #end: number
  pos = 0
  depth = 0
  /** Where scanning character data pauses. */
  stop: number
  /** TEXT, ENCODED and MARKUP of what was passed since the last tag. */
  flags = 0
  /** Pieces of text passed so far. */
  pieces = 0
  /** The `<` of the last end tag. */
  closing = 0
  /** The innermost declaration in force (+ 1). */
  scope = 0
  #open = new Int32Array(32 * OPEN)
  #empty = false
  #rooted = false
  #failed = false
  #inside: 'nothing' | 'comment' | 'cdata' = 'nothing'
  #pieceStart = 0
  #last = 0
  #serial = 0
  #codePoint = 0

  constructor(bytes: Uint8Array, limits: XmlLimits) {
    const source = sourceOf(bytes)
    this.source = source
    this.#words = new DataView(source.buffer, source.byteOffset, source.byteLength)
    this.limits = limits
    if (source.length > Math.min(limits.maxBytes, 0x7fffffff)) this.fail('too-large', limits.maxBytes)
    if (!isUtf8(source) || source.subarray(0, 4).includes(0)) this.fail('encoding', 0)
    this.names = new XmlNames(source, limits.maxNames, limits.maxNamespaces)
    this.#end = source.lastIndexOf(GREATER) + 1
    this.stop = this.#end
    if (source[0] === 0xef && source[1] === 0xbb && source[2] === 0xbf) this.pos = 3
    this.#declaration()
  }

  records(): XmlRecords {
    return new XmlRecords(this.source, this.names, this.scopes, this.limits.maxBytes)
  }

  /** Scanning pauses after about so many bytes, at the latest before the tag, value or reference that follows. */
  pauseAfter(bytes: number): void {
    this.stop = Math.min(this.#end, this.pos + bytes)
  }

  /** Reads on into a tree until depth is `floor` again (-1: to the end of the document); false when paused before. */
  grow(records: XmlRecords, floor: number): boolean {
    const maxNodes = this.limits.maxNodes
    for (;;) {
      const found = this.advance()
      if (found === 'start') {
        this.startTag(records, this.depth === 0 ? -1 : this.#open[this.depth * OPEN + OPEN_NODE]!)
      } else if (found === 'end') {
        this.#close(records)
        if (this.depth === floor) return true
      } else return found === 'finished'
      if (records.count + this.pieces > maxNodes) this.fail('too-many-nodes', this.pos)
    }
  }

  /** Notes on the element just ended, read earlier by `startTag`, where it ends. */
  #close(records: XmlRecords): void {
    const at = this.#open[(this.depth + 1) * OPEN + OPEN_NODE]! * ELEMENT
    const elements = records.elements
    elements[at + CLOSING] = this.closing
    elements[at + END] = this.pos
    elements[at + FLAGS]! |= this.flags
    this.flags = 0
  }

  /** Whether character data other than white space was passed since the last tag; asked once. */
  takeText(): boolean {
    const text = (this.flags & TEXT) !== 0
    this.flags = 0
    return text
  }

  /** Passes over character data to the next tag. A start tag is left unread, an end tag is read. */
  advance(): Finding {
    if (this.#failed) this.fail('malformed', this.pos)
    if (this.#empty) {
      this.#empty = false
      this.closing = this.pos
      this.#leave()
      return 'end'
    }
    if (this.depth === 0) return this.#outside()
    const source = this.source
    const stop = this.stop
    const words = this.#words
    let pos = this.#inside === 'nothing' ? this.pos : this.#raw(this.pos)
    let flags = this.flags
    for (;;) {
      if (pos >= stop) {
        this.pos = pos
        this.flags = flags
        if (stop < this.#end) return 'paused'
        this.fail('truncated', pos)
      }
      const byte = source[pos]!
      const kind = textBytes[byte]!
      if (kind === WHITE) {
        do pos++
        while (pos < stop && textBytes[source[pos]!]! === WHITE)
      } else if (kind === PLAIN) {
        flags |= TEXT
        pos++
        while (pos + 4 <= stop) {
          const w = words.getInt32(pos, true)
          if (
            ((w |
              (w - 0x20202020) |
              ((w ^ 0x26262626) - 0x01010101) |
              ((w ^ 0x5d5d5d5d) - 0x01010101) |
              ((w ^ 0x3c3c3c3c) - 0x01010101)) &
              0x80808080) !==
            0
          )
            break
          pos += 4
        }
        while (pos < stop && textBytes[source[pos]!]! <= PLAIN) pos++
      } else if (byte === LESS) {
        if (pos > this.#pieceStart) this.pieces++
        const after = source[pos + 1]!
        if (after === SLASH) {
          this.flags = flags
          this.#endTag(pos)
          return 'end'
        }
        if (after !== BANG) {
          if (after === QUESTION) this.fail('processing-instruction', pos)
          this.flags = flags
          this.pos = pos
          return 'start'
        }
        this.flags = flags | MARKUP
        pos = this.#raw(this.#bang(pos))
        flags = this.flags
      } else {
        this.flags = flags
        pos = this.#special(pos)
        flags = this.flags
      }
    }
  }

  /** Before and after the root: white space and comments. */
  #outside(): Finding {
    const source = this.source
    let pos = this.#inside === 'nothing' ? this.pos : this.#raw(this.pos)
    for (;;) {
      while (pos < this.stop && isWhite(source[pos])) pos++
      this.pos = pos
      if (pos >= this.stop) {
        if (this.stop < this.#end) return 'paused'
        this.#finish()
        return 'finished'
      }
      if (source[pos] !== LESS) this.fail('malformed', pos)
      const after = source[pos + 1]
      if (after === QUESTION) this.fail('processing-instruction', pos)
      if (after !== BANG) {
        if (after === SLASH) this.fail('mismatched-tag', pos)
        if (this.#rooted) this.fail('malformed', pos)
        this.#rooted = true
        return 'start'
      }
      const from = this.#bang(pos)
      if (this.#inside === 'cdata') this.fail('malformed', pos)
      pos = this.#raw(from)
    }
  }

  /** Nothing but white space may follow the last `>`. */
  #finish(): void {
    const source = this.source
    for (let at = this.#end; at < source.length; at++) {
      if (!isWhite(source[at])) this.fail(source[at] === LESS ? 'truncated' : 'malformed', at)
    }
    if (!this.#rooted) this.fail('truncated', source.length)
  }

  /** What `<!` opens: where its content starts. */
  #bang(pos: number): number {
    const source = this.source
    if (source[pos + 2] === HYPHEN && source[pos + 3] === HYPHEN) {
      this.#inside = 'comment'
      return pos + 4
    }
    if (source[pos + 2] === OPEN_BRACKET && source.latin1Slice(pos + 3, pos + 9) === 'CDATA[') {
      this.#inside = 'cdata'
      return pos + 9
    }
    return this.fail(source.latin1Slice(pos + 2, pos + 9) === 'DOCTYPE' ? 'doctype' : 'malformed', pos)
  }

  /** Through a comment or CDATA section to its end, or to where scanning pauses. */
  #raw(from: number): number {
    const source = this.source
    const stop = this.stop
    const text = this.#inside === 'cdata' ? TEXT : 0
    let pos = from
    while (pos < stop) {
      const byte = source[pos]!
      const kind = rawBytes[byte]!
      if (kind === WHITE) pos++
      else if (kind === PLAIN) {
        this.flags |= text
        do pos++
        while (pos < stop && rawBytes[source[pos]!]! <= PLAIN)
      } else if (byte === HYPHEN && text === 0 && source[pos + 1] === HYPHEN) {
        if (source[pos + 2] !== GREATER) this.fail('malformed', pos)
        return this.#pieceStarts(pos + 3)
      } else if (byte === CLOSE_BRACKET && text !== 0 && source[pos + 1] === byte && source[pos + 2] === GREATER) {
        if (pos > this.#pieceStart) this.pieces++
        return this.#pieceStarts(pos + 3)
      } else if (byte === HYPHEN || byte === CLOSE_BRACKET) {
        this.flags |= text
        pos++
      } else if (byte === RETURN) pos++
      else {
        this.flags |= text
        pos = this.#beyondAscii(pos)
      }
    }
    if (stop === this.#end) this.fail('truncated', pos)
    return pos
  }

  #pieceStarts(pos: number): number {
    this.#inside = 'nothing'
    this.#pieceStart = pos
    return pos
  }

  /** One byte of character data that needs a look. */
  #special(pos: number): number {
    const source = this.source
    const byte = source[pos]!
    if (byte === AMPERSAND) {
      const after = this.#reference(pos)
      this.flags |= isWhite(this.#codePoint) ? ENCODED : ENCODED | TEXT
      return after
    }
    if (byte === RETURN) {
      this.flags |= ENCODED
      return pos + 1
    }
    this.flags |= TEXT
    if (byte !== CLOSE_BRACKET) return this.#beyondAscii(pos)
    if (source[pos + 1] === CLOSE_BRACKET && source[pos + 2] === GREATER) this.fail('malformed', pos)
    return pos + 1
  }

  /** A control character is refused, and so are U+FFFE and U+FFFF; the bytes are known to be UTF-8. */
  #beyondAscii(pos: number): number {
    const source = this.source
    if (source[pos] !== 0xef) this.fail('character', pos)
    if (source[pos + 1] === 0xbf && source[pos + 2]! >= 0xbe) this.fail('character', pos)
    return pos + 3
  }

  #reference(pos: number): number {
    const semicolon = referenceEnd(this.source, pos, this.#end)
    const code = semicolon < 0 ? -1 : referenceCode(this.source, pos, semicolon)
    if (code < 0) this.fail('entity', pos)
    if (!isCharacter(code)) this.fail('character', pos)
    this.#codePoint = code
    return semicolon + 1
  }

  #endTag(start: number): void {
    const source = this.source
    const table = this.names.table
    const record = this.#open[this.depth * OPEN + OPEN_NAME]! << NAME
    const length = table[record | LENGTH]!
    const name = table[record | OFFSET]!
    let pos = start + 2
    if (!this.#same(name, pos, length)) this.fail('mismatched-tag', start)
    pos += length
    while (isWhite(source[pos])) pos++
    if (source[pos] !== GREATER) this.fail('mismatched-tag', start)
    this.pos = pos + 1
    this.closing = start
    this.#leave()
  }

  #leave(): void {
    const outer = this.#open[this.depth * OPEN + OPEN_SCOPE]!
    while (this.scope !== outer) {
      const at = (this.scope - 1) * DECLARATION_SIZE
      const prefix = this.scopes.table[at + DECLARED_PREFIX]!
      this.names.table[(prefix << NAME) | BINDING] = this.scopes.table[at + HIDDEN]!
      this.scope = this.scopes.table[at + OUTER]!
    }
    this.depth--
    this.#pieceStart = this.pos
  }

  /** Reads the start tag at `pos` into `records` as a child of `parent` (-1: none) and returns the new node. */
  startTag(records: XmlRecords, parent: number): number {
    const { source, names } = this
    const words = this.#words
    const end = this.#end
    const start = this.pos
    if (this.depth >= this.limits.maxDepth) this.fail('too-deep', start)
    const name = this.#name(start + 1, (this.#last << NAME) | FOLLOWER)
    this.#last = name
    const serial = ++this.#serial
    const node = records.count
    const first = records.attributeCount
    let pos = this.pos
    let guess = (name << NAME) | FIRST_ATTRIBUTE
    let count = 0
    let prefixed = 0
    let scope = this.scope
    const outer = scope
    for (;;) {
      let byte = source[pos]!
      if (byte === GREATER) {
        pos++
        break
      }
      if (byte === SPACE || byte === LINE_FEED || byte === TAB || byte === RETURN) {
        do byte = source[++pos]!
        while (byte === SPACE || byte === LINE_FEED || byte === TAB || byte === RETURN)
        if (byte === GREATER) {
          pos++
          break
        }
        if (byte !== SLASH) {
          const attribute = this.#name(pos, guess)
          guess = (attribute << NAME) | FOLLOWER
          pos = this.pos
          while (isWhite(source[pos])) pos++
          if (source[pos] !== EQUALS) this.fail('malformed', pos)
          pos++
          while (isWhite(source[pos])) pos++
          const quote = source[pos]!
          if (quote !== QUOTE && quote !== APOSTROPHE) this.fail('malformed', pos)
          const from = pos + 1
          let encoded = 0
          for (pos = from; ; ) {
            while (pos + 4 <= end) {
              const w = words.getInt32(pos, true)
              if (
                ((w |
                  (w - 0x20202020) |
                  ((w ^ 0x22222222) - 0x01010101) |
                  (((w | 0x01010101) ^ 0x27272727) - 0x01010101) |
                  ((w ^ 0x3c3c3c3c) - 0x01010101)) &
                  0x80808080) !==
                0
              )
                break
              pos += 4
            }
            while (pos < end && attributeBytes[source[pos]!] === 0) pos++
            if (pos >= end) this.fail('truncated', pos)
            byte = source[pos]!
            if (byte === quote) break
            if (byte === AMPERSAND) {
              encoded = 1
              pos = this.#reference(pos)
            } else if (byte === LINE_FEED || byte === TAB || byte === RETURN) {
              encoded = 1
              pos++
            } else if (byte === QUOTE || byte === APOSTROPHE) pos++
            else if (byte === LESS) this.fail('malformed', pos)
            else pos = this.#beyondAscii(pos)
          }
          if (++count > this.limits.maxAttributes) this.fail('too-many-attributes', from)
          const table = names.table
          const record = attribute << NAME
          if (table[record | SEEN] === serial) this.fail('duplicate-attribute', from)
          table[record | SEEN] = serial
          const kind = table[record | KIND]!
          if (kind & DECLARATION) scope = this.#declare(attribute, from, pos, encoded, scope, records)
          else {
            const attributes = records.reserveAttribute()
            const at = records.attributeCount * ATTRIBUTE
            attributes[at + ATTRIBUTE_NAME] = (attribute << 1) | encoded
            attributes[at + ATTRIBUTE_NAMESPACE] = NO_NAMESPACE
            attributes[at + VALUE_START] = from
            attributes[at + VALUE_END] = pos
            if (table[record | PREFIX] !== 0) prefixed++
            if (kind & IDENTIFIER) records.identifiers.push(node, records.attributeCount)
            records.attributeCount++
          }
          pos++
          continue
        }
      }
      if (byte !== SLASH || source[pos + 1] !== GREATER) this.fail('malformed', pos)
      pos += 2
      this.#empty = true
      break
    }
    this.scope = scope
    this.pos = pos
    if (prefixed > 0) this.#resolveAttributes(records, first, prefixed)
    const elements = records.reserveElement()
    const at = node * ELEMENT
    elements[at + NAME_OF] = name
    elements[at + NAMESPACE_OF] = this.#namespaceOf(name, start)
    elements[at + PARENT] = parent
    elements[at + NEXT] = -1
    elements[at + START] = start
    elements[at + OPENED] = pos
    elements[at + CLOSING] = pos
    elements[at + END] = pos
    elements[at + ATTRIBUTES] = first
    elements[at + ATTRIBUTE_COUNT] = records.attributeCount - first
    elements[at + SCOPE] = scope
    elements[at + FLAGS] = 0
    records.count = node + 1
    if (parent >= 0) {
      const above = this.depth * OPEN
      elements[parent * ELEMENT + FLAGS]! |= this.flags | CHILDREN
      const sibling = this.#open[above + OPEN_LAST_CHILD]!
      if (sibling >= 0) elements[sibling * ELEMENT + NEXT] = node
      this.#open[above + OPEN_LAST_CHILD] = node
    }
    this.flags = 0
    this.#enter(name, outer, node)
    return node
  }

  #enter(name: number, outer: number, node: number): void {
    this.depth++
    const at = this.depth * OPEN
    if (at + OPEN > this.#open.length) {
      const larger = new Int32Array(this.#open.length * 2)
      larger.set(this.#open)
      this.#open = larger
    }
    this.#open[at + OPEN_NAME] = name
    this.#open[at + OPEN_SCOPE] = outer
    this.#open[at + OPEN_NODE] = node
    this.#open[at + OPEN_LAST_CHILD] = -1
    this.#pieceStart = this.pos
  }

  /** Reads the name at `from`; `guess` is where the name that stood there last time is noted. Leaves `pos` after it. */
  #name(from: number, guess: number): number {
    const source = this.source
    const table = this.names.table
    const guessed = table[guess]!
    if (guessed !== 0) {
      const length = table[(guessed << NAME) | LENGTH]!
      const offset = table[(guessed << NAME) | OFFSET]!
      if (this.#same(offset, from, length) && nameBytes[source[from + length]!] === 0) {
        this.pos = from + length
        return guessed
      }
    }
    let to = from
    while (nameBytes[source[to]!] === 1) to++
    this.pos = to
    const name = this.names.at(from, to)
    this.names.table[guess] = name
    return name
  }

  /** Whether the same bytes stand in two places, compared by fours. */
  #same(one: number, other: number, length: number): boolean {
    if (other + length > this.#end) return false
    if (length < 4) {
      const source = this.source
      for (let at = 0; at < length; at++) if (source[one + at] !== source[other + at]) return false
      return true
    }
    const words = this.#words
    const last = length - 4
    for (let at = 0; at < last; at += 4) {
      if (words.getInt32(one + at, true) !== words.getInt32(other + at, true)) return false
    }
    return words.getInt32(one + last, true) === words.getInt32(other + last, true)
  }

  #declare(attribute: number, from: number, to: number, encoded: number, scope: number, records: XmlRecords): number {
    const { names, scopes } = this
    const record = attribute << NAME
    const prefix = names.table[record | PREFIX] === 0 ? 0 : names.table[record | LOCAL]!
    const namespace = names.bind(prefix, records.value(from, to, encoded === 1), from)
    if (namespace === XML_NAMESPACE) return scope
    const bound = (prefix << NAME) | BINDING
    const number = scopes.add(prefix, namespace, names.table[bound]!, scope)
    names.table[bound] = number
    return number
  }

  #resolveAttributes(records: XmlRecords, first: number, prefixed: number): void {
    const { attributes, attributeCount } = records
    const table = this.names.table
    const serial = ++this.#serial
    let doubtful = false
    for (let index = first; index < attributeCount; index++) {
      const at = index * ATTRIBUTE
      const name = attributes[at + ATTRIBUTE_NAME]! >> 1
      if (table[(name << NAME) | PREFIX] === 0) continue
      attributes[at + ATTRIBUTE_NAMESPACE] = this.#namespaceOf(name, attributes[at + VALUE_START]!)
      const seen = (table[(name << NAME) | LOCAL]! << NAME) | SEEN
      if (table[seen] === serial) doubtful = true
      table[seen] = serial
    }
    if (prefixed > 1 && doubtful) this.#refuseSameExpandedName(records, first)
  }

  /** Two prefixes may stand for one namespace (Namespaces in XML 1.0 §6.3). */
  #refuseSameExpandedName(records: XmlRecords, first: number): void {
    const { attributes, attributeCount } = records
    const seen = new Set<string>()
    for (let index = first; index < attributeCount; index++) {
      const at = index * ATTRIBUTE
      const local = this.names.table[((attributes[at + ATTRIBUTE_NAME]! >> 1) << NAME) | LOCAL]!
      const expanded = `${attributes[at + ATTRIBUTE_NAMESPACE]} ${local}`
      if (seen.has(expanded)) this.fail('duplicate-attribute', attributes[at + VALUE_START]!)
      seen.add(expanded)
    }
  }

  #namespaceOf(name: number, offset: number): number {
    const table = this.names.table
    const record = name << NAME
    const prefix = table[record | PREFIX]!
    const declaration = table[(prefix << NAME) | BINDING]!
    if (declaration !== 0) return this.scopes.table[(declaration - 1) * DECLARATION_SIZE + DECLARED_NAMESPACE]!
    if (prefix === 0) return NO_NAMESPACE
    const kind = table[record | KIND]!
    if (kind & XML_PREFIX) return XML_NAMESPACE
    return this.fail(kind & DECLARATION ? 'namespace' : 'undeclared-prefix', offset)
  }

  /** XML 1.0 §2.8, only at the very start (after a byte order mark); whatever it claims must be true. */
  #declaration(): void {
    const source = this.source
    const start = this.pos
    if (source.latin1Slice(start, start + 5) !== '<?xml' || !isWhite(source[start + 5])) return
    const close = source.subarray(0, start + longestDeclaration).indexOf('?>', start)
    const found = close < 0 ? null : declaration.exec(source.latin1Slice(start, close + 2))
    if (found === null) this.fail('declaration', start)
    const encoding = found?.[3]?.toLowerCase()
    const ascii = encoding === 'us-ascii'
    if (encoding !== undefined && encoding !== 'utf-8' && !ascii) this.fail('encoding', start)
    if (ascii && !isAscii(source)) this.fail('encoding', start)
    this.pos = close + 2
  }

  /** Throws; whoever goes on with this scanner afterwards is refused again. */
  fail(reason: XmlReason, offset: number): never {
    this.#failed = true
    throw new XmlError(reason, offset)
  }
}
