import { decode } from './xml-decode.ts'
import type { XmlNames } from './xml-names.ts'
import { NO_NAMESPACE } from './xml-namespaces.ts'
import { RecentStrings } from './xml-recent.ts'
import { doubled, freshSource, isRepetitive, type Source, unsetNumbers } from './xml-source.ts'

/** An element's record in `XmlRecords.elements`: `node * ELEMENT + field`. Nodes are numbered in document order. */
export const ELEMENT = 12
export const NAME_OF = 0
export const NAMESPACE_OF = 1
export const PARENT = 2
/** The next sibling element; -1 when none. */
export const NEXT = 3
/** Its source: `<` of the start tag, after that tag, `<` of the end tag, after that tag. */
export const START = 4
export const OPENED = 5
export const CLOSING = 6
export const END = 7
export const ATTRIBUTES = 8
export const ATTRIBUTE_COUNT = 9
/** The innermost namespace declaration in force (its number + 1), 0 when none. */
export const SCOPE = 10
export const FLAGS = 11

/** Bits of FLAGS: what stands directly inside the element. */
export const TEXT = 1
/** References or carriage returns: the bytes are not yet the characters. */
export const ENCODED = 2
/** Comments or CDATA sections. */
export const MARKUP = 4
export const CHILDREN = 8

/** An attribute's record in `XmlRecords.attributes`: `number * ATTRIBUTE + field`. */
export const ATTRIBUTE = 4
/** `name << 1`, plus 1 when the value is not yet what its bytes say. */
export const ATTRIBUTE_NAME = 0
export const ATTRIBUTE_NAMESPACE = 1
export const VALUE_START = 2
export const VALUE_END = 3

/** A namespace declaration's record in `XmlScopes.table`: `number * DECLARATION_SIZE + field`. */
export const DECLARATION_SIZE = 6
export const DECLARED_PREFIX = 0
export const DECLARED_NAMESPACE = 1
/** The declaration of the same prefix that it hides (+ 1), and the one that came into force before it (+ 1). */
export const HIDDEN = 2
export const OUTER = 3
/** Where its value stands; the end is -1 when the bytes are not yet the characters. */
export const DECLARED_START = 4
export const DECLARED_END = 5

/** Namespace declarations as chains from inner to outer. */
export class XmlScopes {
  table = unsetNumbers(32 * DECLARATION_SIZE)
  count = 0

  add(prefix: number, namespace: number, hidden: number, outer: number, from: number, to: number): number {
    const at = this.count * DECLARATION_SIZE
    if (at === this.table.length) this.table = doubled(this.table)
    this.table[at + DECLARED_PREFIX] = prefix
    this.table[at + DECLARED_NAMESPACE] = namespace
    this.table[at + HIDDEN] = hidden
    this.table[at + OUTER] = outer
    this.table[at + DECLARED_START] = from
    this.table[at + DECLARED_END] = to
    this.count++
    return this.count
  }
}

/** One tree's elements and attributes as numbers; the characters stay in the source until they are asked for. */
export class XmlRecords {
  readonly source: Source
  readonly names: XmlNames
  readonly scopes: XmlScopes
  /** The largest canonical form that will be made of it, in bytes. */
  readonly maxBytes: number
  elements: Int32Array
  count = 0
  attributes: Int32Array
  attributeCount = 0
  /** What the root inherits: the innermost declaration outside it (+ 1). */
  outerScope = 0
  /** `node`, `attribute` pairs of the attributes that identify an element. */
  identifiers: number[] = []
  #scratch: Source | undefined
  readonly #recent: RecentStrings | undefined

  constructor(source: Source, names: XmlNames, scopes: XmlScopes, maxBytes: number) {
    this.source = source
    this.names = names
    this.scopes = scopes
    this.maxBytes = maxBytes
    this.#recent = isRepetitive(source) ? new RecentStrings(source) : undefined
    const expected = Math.max(8, Math.min(128, source.length >> 7))
    this.elements = unsetNumbers(expected * ELEMENT)
    this.attributes = unsetNumbers(expected * ATTRIBUTE)
  }

  reset(outerScope: number): void {
    this.count = 0
    this.attributeCount = 0
    this.outerScope = outerScope
    this.identifiers = []
  }

  /** Adds an element whose end is not known yet. Its attributes are those added since the `firstAttribute`th. */
  addElement(
    name: number,
    namespace: number,
    parent: number,
    start: number,
    opened: number,
    firstAttribute: number,
    scope: number,
  ): number {
    const node = this.count
    const at = node * ELEMENT
    if (at + ELEMENT > this.elements.length) this.elements = doubled(this.elements)
    const { elements } = this
    elements[at + NAME_OF] = name
    elements[at + NAMESPACE_OF] = namespace
    elements[at + PARENT] = parent
    elements[at + NEXT] = -1
    elements[at + START] = start
    elements[at + OPENED] = opened
    elements[at + CLOSING] = opened
    elements[at + END] = opened
    elements[at + ATTRIBUTES] = firstAttribute
    elements[at + ATTRIBUTE_COUNT] = this.attributeCount - firstAttribute
    elements[at + SCOPE] = scope
    elements[at + FLAGS] = 0
    this.count = node + 1
    return node
  }

  /** Adds an attribute, in no namespace for the time being. */
  addAttribute(name: number, encoded: number, from: number, to: number): void {
    const at = this.attributeCount * ATTRIBUTE
    if (at === this.attributes.length) this.attributes = doubled(this.attributes)
    const { attributes } = this
    attributes[at + ATTRIBUTE_NAME] = (name << 1) | encoded
    attributes[at + ATTRIBUTE_NAMESPACE] = NO_NAMESPACE
    attributes[at + VALUE_START] = from
    attributes[at + VALUE_END] = to
    this.attributeCount++
  }

  /** Notes where an element ends, and what stood directly inside it since its last child. */
  closeElement(node: number, closing: number, end: number, flags: number): void {
    const at = node * ELEMENT
    const { elements } = this
    elements[at + CLOSING] = closing
    elements[at + END] = end
    elements[at + FLAGS]! |= flags
  }

  /** The attribute value between two offsets; a copy. */
  value(from: number, to: number, encoded: number): string {
    if (encoded === 0) return this.string(from, to)
    const into = this.scratch(to - from)
    return into.utf8Slice(0, decode(this.source, from, to, 'attribute', into, 0))
  }

  /** The characters of plain bytes; a copy. */
  string(from: number, to: number): string {
    return this.#recent === undefined ? this.source.utf8Slice(from, to) : this.#recent.string(from, to)
  }

  /** Working memory of this document for turning source into characters. */
  scratch(size: number): Source {
    if (this.#scratch === undefined || this.#scratch.length < size) this.#scratch = freshSource(Math.max(256, size * 2))
    return this.#scratch
  }
}
