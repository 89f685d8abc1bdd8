import { Buffer } from 'node:buffer'
import { COLON, EQUALS, GREATER, LESS, QUOTE, SLASH, SPACE } from './xml-characters.ts'
import { decode } from './xml-decode.ts'
import { XmlError, type XmlReason } from './xml-error.ts'
import { LENGTH, LOCAL, NAME, NO_NAMESPACE, OFFSET, PREFIX, XML_NAMESPACE } from './xml-names.ts'
import { ascii, attributeEscapes, textEscapes, XmlOutput } from './xml-output.ts'
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
  MARKUP,
  NAME_OF,
  NAMESPACE_OF,
  NEXT,
  OPENED,
  OUTER,
  PARENT,
  SCOPE,
  START,
  VALUE_END,
  VALUE_START,
  type XmlRecords,
} from './xml-records.ts'
import type { Source } from './xml-source.ts'
import { decodeContent, NONE, type Node, type XmlTree } from './xml-tree.ts'

export interface CanonicalOptions {
  /** InclusiveNamespaces PrefixList; `#default` is the default namespace. */
  readonly inclusivePrefixes?: readonly string[]
  /** One descendant element left out with all it contains: the enveloped Signature. */
  readonly omit?: Node
}

/**
 * Exclusive XML Canonicalization 1.0 without comments of an element. Throws XmlError on a relative namespace name, on
 * a form larger than the tree's `maxBytes`, and rather than give an empty one.
 */
export function canonicalize(tree: XmlTree, node: Node, options: CanonicalOptions = {}): string {
  return canonicalBytes(tree, node, options).toString('utf8')
}

/** As `canonicalize`, in UTF-8: what a digest is taken of. */
export function canonicalBytes(tree: XmlTree, node: Node, options: CanonicalOptions = {}): Buffer {
  const absent = !(node >= 0 && node < tree.records.count)
  if (absent || node === options.omit) throw new XmlError('empty-canonical-form', absent ? 0 : tree.start(node))
  return new Canonicalization(tree, node, options).bytes()
}

/** The empty prefix: the default namespace. */
const DEFAULT = 0
const xmlns = ascii(' xmlns')

class Canonicalization {
  readonly #records: XmlRecords
  readonly #apex: Node
  readonly #omit: Node
  readonly #out: XmlOutput
  /** Per prefix, the namespace (+ 1) that the nearest rendered ancestor declares, 0 when none; and how to go back. */
  readonly #rendered: Int32Array
  readonly #undo: number[] = []
  readonly #inclusive: Uint8Array | undefined
  readonly #namespaces = new Map<number, Source>()

  constructor(tree: XmlTree, apex: Node, options: CanonicalOptions) {
    const records = tree.records
    this.#records = records
    this.#apex = apex
    this.#omit = options.omit ?? NONE
    this.#out = new XmlOutput(1024 + tree.end(apex) - tree.start(apex), records.maxBytes, () =>
      this.#refuse('too-large'),
    )
    this.#rendered = new Int32Array(records.names.count)
    this.#rendered[DEFAULT] = NO_NAMESPACE + 1
    if (options.inclusivePrefixes !== undefined && options.inclusivePrefixes.length > 0) {
      this.#inclusive = new Uint8Array(records.names.count)
      for (const prefix of options.inclusivePrefixes) {
        const number = prefix === '#default' ? DEFAULT : prefix === '' ? -1 : records.names.numberOf(prefix)
        if (number >= 0) this.#inclusive[number] = 1
      }
    }
  }

  bytes(): Buffer {
    const { elements } = this.#records
    let node = this.#apex
    const marks: number[] = []
    for (;;) {
      marks.push(this.#undo.length)
      this.#startTag(node)
      let from = elements[node * ELEMENT + OPENED]!
      let next = elements[node * ELEMENT + FLAGS]! & CHILDREN ? node + 1 : NONE
      for (;;) {
        if (next !== NONE && next === this.#omit) {
          this.#content(node, from, elements[next * ELEMENT + START]!)
          from = elements[next * ELEMENT + END]!
          next = elements[next * ELEMENT + NEXT]!
        }
        if (next !== NONE) {
          this.#content(node, from, elements[next * ELEMENT + START]!)
          node = next
          break
        }
        this.#content(node, from, elements[node * ELEMENT + CLOSING]!)
        this.#endTag(node)
        this.#restore(marks.pop() ?? 0)
        if (node === this.#apex) return this.#out.written()
        from = elements[node * ELEMENT + END]!
        next = elements[node * ELEMENT + NEXT]!
        node = elements[node * ELEMENT + PARENT]!
      }
    }
  }

  #startTag(node: Node): void {
    const { elements, attributes, names } = this.#records
    const at = node * ELEMENT
    const name = elements[at + NAME_OF]!
    this.#out.byte(LESS)
    this.#name(name)
    const first = elements[at + ATTRIBUTES]!
    const count = elements[at + ATTRIBUTE_COUNT]!
    const due: number[] = []
    this.#use(names.table[(name << NAME) | PREFIX]!, elements[at + NAMESPACE_OF]!, due)
    for (let index = first; index < first + count; index++) {
      const prefix = names.table[((attributes[index * ATTRIBUTE + ATTRIBUTE_NAME]! >> 1) << NAME) | PREFIX]!
      if (prefix !== DEFAULT) this.#use(prefix, attributes[index * ATTRIBUTE + ATTRIBUTE_NAMESPACE]!, due)
    }
    this.#ownDeclarations(node, due)
    if (node === this.#apex && this.#inclusive !== undefined) this.#inherited(node, this.#inclusive, due)
    if (due.length > 1) due.sort((a, b) => byCodePoint(names.string(a), names.string(b)))
    for (const prefix of due) this.#declaration(prefix)
    if (count === 1) this.#attribute(first)
    else if (count > 1) for (const index of this.#sorted(first, count)) this.#attribute(index)
    this.#out.byte(GREATER)
  }

  /** A prefix visibly used, or to be treated so: due to be declared unless a rendered ancestor does so already. */
  #use(prefix: number, namespace: number, due: number[]): void {
    const before = this.#rendered[prefix]!
    if (before === namespace + 1 || namespace === XML_NAMESPACE) return
    this.#undo.push(prefix, before)
    this.#rendered[prefix] = namespace + 1
    due.push(prefix)
  }

  #ownDeclarations(node: Node, due: number[]): void {
    const { elements, names, scopes } = this.#records
    const parent = elements[node * ELEMENT + PARENT]!
    const outer = parent < 0 ? this.#records.outerScope : elements[parent * ELEMENT + SCOPE]!
    for (let scope = elements[node * ELEMENT + SCOPE]!; scope !== outer; ) {
      const at = (scope - 1) * DECLARATION_SIZE
      const prefix = scopes.table[at + DECLARED_PREFIX]!
      const namespace = scopes.table[at + DECLARED_NAMESPACE]!
      if (!names.isAbsolute(namespace)) this.#refuse('relative-namespace')
      if (this.#inclusive?.[prefix] === 1) this.#use(prefix, namespace, due)
      scope = scopes.table[at + OUTER]!
    }
  }

  /** At the apex every prefix of the inclusive list is used, wherever it was declared; the innermost declaration counts. */
  #inherited(node: Node, inclusive: Uint8Array, due: number[]): void {
    const { elements, scopes } = this.#records
    const met = new Set<number>()
    for (let scope = elements[node * ELEMENT + SCOPE]!; scope !== 0; ) {
      const at = (scope - 1) * DECLARATION_SIZE
      const prefix = scopes.table[at + DECLARED_PREFIX]!
      if (inclusive[prefix] === 1 && !met.has(prefix)) {
        met.add(prefix)
        this.#use(prefix, scopes.table[at + DECLARED_NAMESPACE]!, due)
      }
      scope = scopes.table[at + OUTER]!
    }
  }

  #declaration(prefix: number): void {
    const namespace = this.#rendered[prefix]! - 1
    let value = this.#namespaces.get(namespace)
    if (value === undefined) {
      if (!this.#records.names.isAbsolute(namespace)) this.#refuse('relative-namespace')
      value = Buffer.from(this.#records.names.namespace(namespace), 'utf8') as Source
      this.#namespaces.set(namespace, value)
    }
    this.#out.copy(xmlns, 0, xmlns.length)
    if (prefix !== DEFAULT) {
      this.#out.byte(COLON)
      this.#name(prefix)
    }
    this.#out.byte(EQUALS)
    this.#out.byte(QUOTE)
    this.#out.escaped(value, 0, value.length, attributeEscapes)
    this.#out.byte(QUOTE)
  }

  /** By namespace name, then by local name. */
  #sorted(first: number, count: number): number[] {
    const order: number[] = []
    for (let index = first; index < first + count; index++) order.push(index)
    return order.sort((one, other) => this.#compare(one, other))
  }

  #compare(one: number, other: number): number {
    const { attributes, names } = this.#records
    const namespace = attributes[one * ATTRIBUTE + ATTRIBUTE_NAMESPACE]!
    const otherNamespace = attributes[other * ATTRIBUTE + ATTRIBUTE_NAMESPACE]!
    if (namespace !== otherNamespace) return byCodePoint(names.namespace(namespace), names.namespace(otherNamespace))
    const name = (attributes[one * ATTRIBUTE + ATTRIBUTE_NAME]! >> 1) << NAME
    const otherName = (attributes[other * ATTRIBUTE + ATTRIBUTE_NAME]! >> 1) << NAME
    return byCodePoint(names.string(names.table[name | LOCAL]!), names.string(names.table[otherName | LOCAL]!))
  }

  #attribute(index: number): void {
    const { source, attributes } = this.#records
    const at = index * ATTRIBUTE
    const name = attributes[at + ATTRIBUTE_NAME]!
    const from = attributes[at + VALUE_START]!
    const to = attributes[at + VALUE_END]!
    this.#out.byte(SPACE)
    this.#name(name >> 1)
    this.#out.byte(EQUALS)
    this.#out.byte(QUOTE)
    if (name & 1) {
      const into = this.#records.scratch(to - from)
      this.#out.escaped(into, 0, decode(source, from, to, 'attribute', into, 0), attributeEscapes)
    } else this.#out.escaped(source, from, to, attributeEscapes)
    this.#out.byte(QUOTE)
  }

  #content(node: Node, from: number, to: number): void {
    if (from === to) return
    if (this.#records.elements[node * ELEMENT + FLAGS]! & (ENCODED | MARKUP)) {
      const into = this.#records.scratch(to - from)
      this.#out.escaped(into, 0, decodeContent(this.#records, from, to, into, 0), textEscapes)
    } else this.#out.escaped(this.#records.source, from, to, textEscapes)
  }

  #endTag(node: Node): void {
    this.#out.byte(LESS)
    this.#out.byte(SLASH)
    this.#name(this.#records.elements[node * ELEMENT + NAME_OF]!)
    this.#out.byte(GREATER)
  }

  #restore(mark: number): void {
    const undo = this.#undo
    while (undo.length > mark) {
      const before = undo.pop() ?? 0
      this.#rendered[undo.pop() ?? 0] = before
    }
  }

  #refuse(reason: XmlReason): never {
    throw new XmlError(reason, this.#records.elements[this.#apex * ELEMENT + START]!)
  }

  #name(name: number): void {
    const { source, names } = this.#records
    const from = names.table[(name << NAME) | OFFSET]!
    this.#out.copy(source, from, from + names.table[(name << NAME) | LENGTH]!)
  }
}

/** The order of code points, which is that of UTF-8 bytes but not of UTF-16 units. */
function byCodePoint(one: string, other: string): number {
  const length = Math.min(one.length, other.length)
  for (let at = 0; at < length; at++) {
    const a = one.charCodeAt(at)
    const b = other.charCodeAt(at)
    if (a !== b) return rank(a) - rank(b)
  }
  return one.length - other.length
}

function rank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}
