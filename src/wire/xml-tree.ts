import { decode } from './xml-decode.ts'
import { LOCAL, NAME, PREFIX } from './xml-names.ts'
import {
  ATTRIBUTE,
  ATTRIBUTE_COUNT,
  ATTRIBUTE_NAME,
  ATTRIBUTE_NAMESPACE,
  ATTRIBUTES,
  CHILDREN,
  CLOSING,
  ELEMENT,
  ENCODED,
  END,
  FLAGS,
  MARKUP,
  NAME_OF,
  NAMESPACE_OF,
  NEXT,
  OPENED,
  PARENT,
  START,
  TEXT,
  VALUE_END,
  VALUE_START,
  type XmlRecords,
} from './xml-records.ts'

/** An element of the tree it came from. */
export type Node = number

/** No element. */
export const NONE = -1

export interface XmlAttribute {
  readonly namespace: string
  readonly local: string
  readonly prefix: string
  readonly value: string
}

/**
 * A document or subtree: elements in document order over the bytes they were read from. Strings are made when asked
 * for and are copies: none of them keeps the message in memory. Nodes of another tree give nonsense.
 */
export class XmlTree {
  /** What the tree is made of, for canonicalisation. */
  readonly records: XmlRecords
  readonly root: Node = 0
  #identified: readonly { readonly node: Node; readonly value: string }[] | undefined

  constructor(records: XmlRecords) {
    this.records = records
  }

  /** The whole message; offsets count from its start. */
  get bytes(): Uint8Array {
    return this.records.source
  }

  local(node: Node): string {
    const { elements, names } = this.records
    return names.string(names.table[(elements[node * ELEMENT + NAME_OF]! << NAME) | LOCAL]!)
  }

  /** `''` when in no namespace. */
  namespace(node: Node): string {
    return this.records.names.namespaces.string(this.records.elements[node * ELEMENT + NAMESPACE_OF]!)
  }

  /** `''` when written without one. */
  prefix(node: Node): string {
    const { elements, names } = this.records
    return names.string(names.table[(elements[node * ELEMENT + NAME_OF]! << NAME) | PREFIX]!)
  }

  is(node: Node, namespace: string, local: string): boolean {
    return node >= 0 && this.local(node) === local && this.namespace(node) === namespace
  }

  parent(node: Node): Node {
    return this.records.elements[node * ELEMENT + PARENT]!
  }

  /** The first child element. */
  first(node: Node): Node {
    return this.records.elements[node * ELEMENT + FLAGS]! & CHILDREN ? node + 1 : NONE
  }

  /** The next sibling element. */
  next(node: Node): Node {
    return this.records.elements[node * ELEMENT + NEXT]!
  }

  /** The first child element of that name. */
  child(node: Node, namespace: string, local: string): Node {
    for (let child = this.first(node); child !== NONE; child = this.next(child)) {
      if (this.is(child, namespace, local)) return child
    }
    return NONE
  }

  /** The child elements, in order; all, those of a namespace, or those of a name. */
  children(node: Node, namespace?: string, local?: string): Node[] {
    const found: Node[] = []
    for (let child = this.first(node); child !== NONE; child = this.next(child)) {
      if (namespace !== undefined && this.namespace(child) !== namespace) continue
      if (local !== undefined && this.local(child) !== local) continue
      found.push(child)
    }
    return found
  }

  /**
   * The element's own character data, text and CDATA joined across comments and child elements, entities decoded, line
   * ends normalised. A copy.
   */
  text(node: Node): string {
    const { elements } = this.records
    const at = node * ELEMENT
    const flags = elements[at + FLAGS]!
    const from = elements[at + OPENED]!
    const to = elements[at + CLOSING]!
    if ((flags & (ENCODED | MARKUP | CHILDREN)) === 0) return this.records.string(from, to)
    const into = this.records.scratch(to - from)
    let out = 0
    let start = from
    for (let child = this.first(node); child !== NONE; child = this.next(child)) {
      out = decodeContent(this.records, start, elements[child * ELEMENT + START]!, into, out)
      start = elements[child * ELEMENT + END]!
    }
    return into.utf8Slice(0, decodeContent(this.records, start, to, into, out))
  }

  /** Whether the element's own character data has more than white space. */
  hasText(node: Node): boolean {
    return (this.records.elements[node * ELEMENT + FLAGS]! & TEXT) !== 0
  }

  /** Whether the content is text and nothing else: no element, no comment, no CDATA section. */
  isPlain(node: Node): boolean {
    return (this.records.elements[node * ELEMENT + FLAGS]! & (MARKUP | CHILDREN)) === 0
  }

  /** The value of the attribute of that name, by default in no namespace. A copy. */
  attribute(node: Node, local: string, namespace = ''): string | undefined {
    const { elements, attributes, names } = this.records
    const start = elements[node * ELEMENT + ATTRIBUTES]! * ATTRIBUTE
    const end = start + elements[node * ELEMENT + ATTRIBUTE_COUNT]! * ATTRIBUTE
    for (let at = start; at < end; at += ATTRIBUTE) {
      const name = attributes[at + ATTRIBUTE_NAME]! >> 1
      if (names.string(names.table[(name << NAME) | LOCAL]!) !== local) continue
      if (names.namespaces.string(attributes[at + ATTRIBUTE_NAMESPACE]!) === namespace) return this.#value(at)
    }
    return undefined
  }

  /** All attributes in document order, without namespace declarations. */
  attributes(node: Node): XmlAttribute[] {
    const { elements, attributes, names } = this.records
    const start = elements[node * ELEMENT + ATTRIBUTES]! * ATTRIBUTE
    const end = start + elements[node * ELEMENT + ATTRIBUTE_COUNT]! * ATTRIBUTE
    const found: XmlAttribute[] = []
    for (let at = start; at < end; at += ATTRIBUTE) {
      const name = (attributes[at + ATTRIBUTE_NAME]! >> 1) << NAME
      found.push({
        namespace: names.namespaces.string(attributes[at + ATTRIBUTE_NAMESPACE]!),
        local: names.string(names.table[name | LOCAL]!),
        prefix: names.string(names.table[name | PREFIX]!),
        value: this.#value(at),
      })
    }
    return found
  }

  /** The offset of the element's `<`. */
  start(node: Node): number {
    return this.records.elements[node * ELEMENT + START]!
  }

  /** The offset after the element's last `>`. */
  end(node: Node): number {
    return this.records.elements[node * ELEMENT + END]!
  }

  /**
   * Every attribute that may name an element to a signature: local name `ID` or `Id` in any namespace, and `xml:id`;
   * collected while reading, so that looking for a duplicate does not cost a walk.
   */
  get idAttributes(): readonly { readonly node: Node; readonly value: string }[] {
    if (this.#identified === undefined) {
      const { identifiers } = this.records
      const identified: { node: Node; value: string }[] = []
      for (let at = 0; at < identifiers.length; at += 2) {
        identified.push({ node: identifiers[at]!, value: this.#value(identifiers[at + 1]! * ATTRIBUTE) })
      }
      this.#identified = identified
    }
    return this.#identified
  }

  #value(at: number): string {
    const { attributes } = this.records
    const encoded = attributes[at + ATTRIBUTE_NAME]! & 1
    return this.records.value(attributes[at + VALUE_START]!, attributes[at + VALUE_END]!, encoded)
  }
}

const LESS = 0x3c
const CDATA_OPENING = '<![CDATA['.length
const CLOSING_LENGTH = ']]>'.length

/** Character data between tags, comments left out. Returns where it stopped writing. */
export function decodeContent(
  records: XmlRecords,
  from: number,
  to: number,
  into: XmlRecords['source'],
  at: number,
): number {
  const { source } = records
  let out = at
  let start = from
  while (start < to) {
    let less = source.indexOf(LESS, start)
    if (less < 0 || less > to) less = to
    out = decode(source, start, less, 'text', into, out)
    if (less === to) break
    if (source[less + 2] === 0x2d) start = source.indexOf('-->', less + 4) + CLOSING_LENGTH
    else {
      const close = source.indexOf(']]>', less + CDATA_OPENING)
      out = decode(source, less + CDATA_OPENING, close, 'cdata', into, out)
      start = close + CLOSING_LENGTH
    }
  }
  return out
}
