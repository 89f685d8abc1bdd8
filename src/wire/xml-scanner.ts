import {
  AMPERSAND,
  APOSTROPHE,
  EQUALS,
  GREATER,
  isPlainValue,
  isWhite,
  LESS,
  LINE_FEED,
  nameBytes,
  PLAIN,
  QUESTION,
  QUOTE,
  RETURN,
  SLASH,
  TAB,
  valueBytes,
} from './xml-characters.ts'
import { XmlContent } from './xml-content.ts'
import type { XmlLimits } from './xml-limits.ts'
import {
  BINDING,
  BOUND,
  BOUND_LENGTH,
  BOUND_OFFSET,
  DECLARATION,
  FIRST_ATTRIBUTE,
  FOLLOWER,
  IDENTIFIER,
  KIND,
  LENGTH,
  LOCAL,
  NAME,
  OFFSET,
  PREFIX,
  SEEN,
  XML_PREFIX,
  XmlNames,
} from './xml-names.ts'
import { NO_NAMESPACE, XML_NAMESPACE } from './xml-namespaces.ts'
import {
  ATTRIBUTE,
  ATTRIBUTE_NAME,
  ATTRIBUTE_NAMESPACE,
  CHILDREN,
  DECLARATION_SIZE,
  DECLARED_NAMESPACE,
  DECLARED_PREFIX,
  ELEMENT,
  FLAGS,
  HIDDEN,
  NEXT,
  OUTER,
  VALUE_START,
  XmlRecords,
  XmlScopes,
} from './xml-records.ts'
import { doubled, unsetNumbers } from './xml-source.ts'

/** What `advance` found: a start tag, still to be read; an end tag, read; the place to pause; a whole document. */
export type Finding = 'start' | 'end' | 'paused' | 'finished'

/** An open element's record: `depth * OPEN + field`. */
const OPEN = 4
const OPEN_NAME = 0
/** The declaration that was innermost outside the element (+ 1). */
const OPEN_SCOPE = 1
const OPEN_NODE = 2
const OPEN_LAST_CHILD = 3

/**
 * The one scanner of XML: a namespace-aware, non-validating XML 1.0 processor that refuses document type declarations
 * and processing instructions. It looks at every byte a bounded number of times, whatever the message.
 */
export class Scanner extends XmlContent {
  readonly names: XmlNames
  readonly scopes = new XmlScopes()
  depth = 0
  /** The innermost declaration in force (+ 1). */
  scope = 0
  readonly #limits: XmlLimits
  #open = unsetNumbers(32 * OPEN)
  #rooted = false
  /** The tag read last was an empty element's, whose end is still to be told. */
  #empty = false
  /** The `<` of the last end tag. */
  #closing = 0
  /** The name of the last start tag. */
  #last = 0
  /** Numbers the start tags, so that an attribute met twice in one is known without a table per tag. */
  #serial = 0
  /** Whether the last value needs decoding. */
  #encoded = 0

  constructor(bytes: Uint8Array, limits: XmlLimits) {
    super(bytes, limits)
    this.#limits = limits
    this.names = new XmlNames(this.source, limits, (reason, offset) => this.fail(reason, offset))
  }

  /** Where a tree of this document can be kept. */
  records(): XmlRecords {
    return new XmlRecords(this.source, this.names, this.scopes, this.#limits.maxBytes)
  }

  /** Reads on into a tree until depth is `floor` again (-1: to the end of the document). False: paused before. */
  grow(records: XmlRecords, floor: number): boolean {
    const { maxNodes } = this.#limits
    for (;;) {
      const found = this.advance()
      if (found === 'start') {
        this.startTag(records, this.depth === 0 ? -1 : this.#open[this.depth * OPEN + OPEN_NODE]!)
      } else if (found === 'end') {
        records.closeElement(this.#open[(this.depth + 1) * OPEN + OPEN_NODE]!, this.#closing, this.pos, this.flags)
        this.flags = 0
        if (this.depth === floor) return true
      } else return found === 'finished'
      if (records.count + this.pieces > maxNodes) this.fail('too-many-nodes', this.pos)
    }
  }

  /** To the next tag. */
  advance(): Finding {
    this.refuseAfterFailure()
    if (this.#empty) {
      this.#empty = false
      this.#closing = this.pos
      this.#leave()
      return 'end'
    }
    if (this.depth === 0) return this.#advanceOutside()
    this.passContent()
    const { pos } = this
    if (pos >= this.stop) {
      if (this.stop === this.end) this.fail('truncated', pos)
      return 'paused'
    }
    const byte = this.source[pos + 1]
    if (byte === SLASH) {
      this.#endTag(pos)
      return 'end'
    }
    if (byte === QUESTION) this.fail('processing-instruction', pos)
    return 'start'
  }

  #advanceOutside(): Finding {
    this.passOutside()
    const { pos } = this
    if (pos >= this.stop) {
      if (this.stop < this.end) return 'paused'
      this.checkTail()
      if (!this.#rooted) this.fail('truncated', pos)
      return 'finished'
    }
    const byte = this.source[pos + 1]
    if (byte === QUESTION) this.fail('processing-instruction', pos)
    if (byte === SLASH) this.fail('mismatched-tag', pos)
    if (this.#rooted) this.fail('malformed', pos)
    this.#rooted = true
    return 'start'
  }

  #endTag(start: number): void {
    const { table } = this.names
    const name = this.#open[this.depth * OPEN + OPEN_NAME]! << NAME
    const length = table[name | LENGTH]!
    if (!this.same(table[name | OFFSET]!, start + 2, length)) this.fail('mismatched-tag', start)
    let pos = start + 2 + length
    if (this.source[pos] !== GREATER) pos = this.afterWhite(pos)
    if (this.source[pos] !== GREATER) this.fail('mismatched-tag', start)
    this.pos = pos + 1
    this.#closing = start
    this.#leave()
  }

  #leave(): void {
    const outer = this.#open[this.depth * OPEN + OPEN_SCOPE]!
    while (this.scope !== outer) {
      const { table } = this.scopes
      const at = (this.scope - 1) * DECLARATION_SIZE
      this.names.table[(table[at + DECLARED_PREFIX]! << NAME) | BINDING] = table[at + HIDDEN]!
      this.scope = table[at + OUTER]!
    }
    this.depth--
    this.pieceStart = this.pos
  }

  /** Reads the start tag at `pos` into `records`, as the next child of `parent` (-1: of none). */
  startTag(records: XmlRecords, parent: number): void {
    const start = this.pos
    if (this.depth >= this.#limits.maxDepth) this.fail('too-deep', start)
    const outer = this.scope
    const firstAttribute = records.attributeCount
    const name = this.#name(start + 1, (this.#last << NAME) | FOLLOWER)
    this.#last = name
    if (this.#attributes(records, (name << NAME) | FIRST_ATTRIBUTE)) this.#resolve(records, firstAttribute)
    const namespace = this.#namespaceOf(name, start)
    const node = records.addElement(name, namespace, parent, start, this.pos, firstAttribute, this.scope)
    if (parent >= 0) this.#link(records, parent, node)
    this.flags = 0
    this.#enter(name, outer, node)
  }

  #link(records: XmlRecords, parent: number, node: number): void {
    const { elements } = records
    elements[parent * ELEMENT + FLAGS]! |= this.flags | CHILDREN
    const at = this.depth * OPEN + OPEN_LAST_CHILD
    const sibling = this.#open[at]!
    if (sibling >= 0) elements[sibling * ELEMENT + NEXT] = node
    this.#open[at] = node
  }

  #enter(name: number, outer: number, node: number): void {
    this.depth++
    const at = this.depth * OPEN
    if (at === this.#open.length) this.#open = doubled(this.#open)
    this.#open[at + OPEN_NAME] = name
    this.#open[at + OPEN_SCOPE] = outer
    this.#open[at + OPEN_NODE] = node
    this.#open[at + OPEN_LAST_CHILD] = -1
    this.pieceStart = this.pos
  }

  /** Reads the rest of a start tag. Whether any attribute, not being a namespace declaration, has a prefix. */
  #attributes(records: XmlRecords, firstGuess: number): boolean {
    const { source, names } = this
    const { maxAttributes } = this.#limits
    const serial = ++this.#serial
    let guess = firstGuess
    let prefixed = false
    let pos = this.pos
    for (let count = 1; ; count++) {
      const byte = source[pos]
      if (byte === GREATER) {
        this.pos = pos + 1
        return prefixed
      }
      const spaced = isWhite(byte)
      if (spaced) pos = this.afterWhite(pos + 1)
      if (source[pos] === GREATER) continue
      if (source[pos] === SLASH) {
        if (source[pos + 1] !== GREATER) this.fail('malformed', pos)
        this.pos = pos + 2
        this.#empty = true
        return prefixed
      }
      if (!spaced) this.fail('malformed', pos)
      if (count > maxAttributes) this.fail('too-many-attributes', pos)
      const name = this.#name(pos, guess)
      guess = (name << NAME) | FOLLOWER
      const from = this.#valueStart(this.pos)
      const to = this.#valueEnd(from)
      pos = to + 1
      const { table } = names
      const record = name << NAME
      if (table[record | SEEN] === serial) this.fail('duplicate-attribute', from)
      table[record | SEEN] = serial
      const kind = table[record | KIND]!
      if (kind & DECLARATION) this.#declare(records, record, from, to)
      else {
        if (kind & IDENTIFIER) records.identifiers.push(records.count, records.attributeCount)
        if (table[record | PREFIX] !== 0) prefixed = true
        records.addAttribute(name, this.#encoded, from, to)
      }
    }
  }

  /**
   * Reads the name at `from`. At `guess` stands the name that was read in this place last time: messages repeat
   * themselves, and comparing is faster than looking up. Leaves `pos` after the name.
   */
  #name(from: number, guess: number): number {
    const { source, names } = this
    const guessed = names.table[guess]!
    if (guessed !== 0) {
      const length = names.table[(guessed << NAME) | LENGTH]!
      const known = this.same(names.table[(guessed << NAME) | OFFSET]!, from, length)
      if (known && nameBytes[source[from + length]!] === 0) {
        this.pos = from + length
        return guessed
      }
    }
    const name = names.at(from)
    this.pos = names.end
    names.table[guess] = name
    return name
  }

  /** Past `="`. */
  #valueStart(from: number): number {
    const { source } = this
    let pos = from
    if (source[pos] !== EQUALS) pos = this.afterWhite(pos)
    if (source[pos] !== EQUALS) this.fail('malformed', pos)
    pos++
    if (source[pos] !== QUOTE) pos = this.afterWhite(pos)
    if (source[pos] !== QUOTE && source[pos] !== APOSTROPHE) this.fail('malformed', pos)
    return pos + 1
  }

  /** To the quote that ends the value at `from`. */
  #valueEnd(from: number): number {
    const { source, words, end } = this
    const quote = source[from - 1]
    let encoded = 0
    let pos = from
    for (;;) {
      while (pos + 4 <= end && isPlainValue(words.getInt32(pos, true))) pos += 4
      while (pos < end && valueBytes[source[pos]!] === PLAIN) pos++
      if (pos >= end) this.fail('truncated', pos)
      const byte = source[pos]
      if (byte === quote) break
      if (byte === AMPERSAND) {
        encoded = 1
        pos = this.reference(pos)
      } else if (byte === LINE_FEED || byte === TAB || byte === RETURN) {
        encoded = 1
        pos++
      } else if (byte === QUOTE || byte === APOSTROPHE) pos++
      else if (byte === LESS) this.fail('malformed', pos)
      else pos = this.unusual(pos)
    }
    this.#encoded = encoded
    return pos
  }

  /** Brings into force the declaration that the attribute with that record makes. */
  #declare(records: XmlRecords, record: number, from: number, to: number): void {
    const { names, scopes } = this
    const prefix = names.table[record | PREFIX] === 0 ? 0 : names.table[record | LOCAL]!
    const number = this.#bound(records, prefix, from, to)
    const binding = (prefix << NAME) | BINDING
    this.scope = scopes.add(prefix, number, names.table[binding]!, this.scope, from, this.#encoded === 0 ? to : -1)
    names.table[binding] = this.scope
  }

  /** The namespace that a declaration binds its prefix to: as a rule the one that it was bound to last. */
  #bound(records: XmlRecords, prefix: number, from: number, to: number): number {
    const { table, namespaces } = this.names
    const record = prefix << NAME
    const length = table[record | BOUND_LENGTH]!
    if (length !== 0 && length === to - from && this.same(table[record | BOUND_OFFSET]!, from, length)) {
      return table[record | BOUND]!
    }
    const number = namespaces.bind(this.names.meaning(prefix), records.value(from, to, this.#encoded), from)
    table[record | BOUND] = number
    table[record | BOUND_OFFSET] = from
    table[record | BOUND_LENGTH] = to - from
    return number
  }

  /** Finds the namespaces of a tag's prefixed attributes, once all its declarations are known. */
  #resolve(records: XmlRecords, first: number): void {
    const { attributes, attributeCount } = records
    const { table } = this.names
    const serial = ++this.#serial
    let sameLocal = false
    for (let index = first; index < attributeCount; index++) {
      const at = index * ATTRIBUTE
      const name = (attributes[at + ATTRIBUTE_NAME]! >> 1) << NAME
      if (table[name | PREFIX] === 0) continue
      attributes[at + ATTRIBUTE_NAMESPACE] = this.#namespaceOf(name >> NAME, attributes[at + VALUE_START]!)
      const seen = (table[name | LOCAL]! << NAME) | SEEN
      sameLocal ||= table[seen] === serial
      table[seen] = serial
    }
    if (sameLocal) this.#refuseSameExpandedName(records, first)
  }

  /** Two prefixes may stand for one namespace (Namespaces in XML 1.0 §6.3). */
  #refuseSameExpandedName(records: XmlRecords, first: number): void {
    const { attributes, attributeCount } = records
    const met = new Set<string>()
    for (let index = first; index < attributeCount; index++) {
      const at = index * ATTRIBUTE
      const local = this.names.table[((attributes[at + ATTRIBUTE_NAME]! >> 1) << NAME) | LOCAL]!
      const expanded = `${attributes[at + ATTRIBUTE_NAMESPACE]} ${local}`
      if (met.has(expanded)) this.fail('duplicate-attribute', attributes[at + VALUE_START]!)
      met.add(expanded)
    }
  }

  #namespaceOf(name: number, offset: number): number {
    const { table } = this.names
    const prefix = table[(name << NAME) | PREFIX]!
    const declaration = table[(prefix << NAME) | BINDING]!
    if (declaration !== 0) return this.scopes.table[(declaration - 1) * DECLARATION_SIZE + DECLARED_NAMESPACE]!
    if (prefix === 0) return NO_NAMESPACE
    const kind = table[(name << NAME) | KIND]!
    if (kind & XML_PREFIX) return XML_NAMESPACE
    return this.fail(kind & DECLARATION ? 'namespace' : 'undeclared-prefix', offset)
  }
}
