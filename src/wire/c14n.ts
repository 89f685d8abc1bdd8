import { Buffer } from 'node:buffer'
import { COLON, EQUALS, GREATER, QUOTE, SPACE } from './xml-characters.ts'
import { decode } from './xml-decode.ts'
import { XmlError, type XmlReason } from './xml-error.ts'
import { LENGTH, NAME, OFFSET, PREFIX } from './xml-names.ts'
import { NO_NAMESPACE, XML_NAMESPACE } from './xml-namespaces.ts'
import { compareAttributes, compareNames } from './xml-order.ts'
import { ascii, attributeEscapes, isCanonicalText, textEscapes, XmlOutput } from './xml-output.ts'
import {
  ATTRIBUTE,
  ATTRIBUTE_COUNT,
  ATTRIBUTE_NAME,
  ATTRIBUTE_NAMESPACE,
  ATTRIBUTES,
  CHILDREN,
  CLOSING,
  DECLARATION_SIZE,
  DECLARED_END,
  DECLARED_NAMESPACE,
  DECLARED_PREFIX,
  DECLARED_START,
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
import { freshSource, type Source, zeros } from './xml-source.ts'
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
  return withCanonicalBytes(tree, node, options, (bytes) => bytes.toString('utf8'))
}

/** As `canonicalize`, in UTF-8: what a digest is taken of. */
export function canonicalBytes(tree: XmlTree, node: Node, options: CanonicalOptions = {}): Buffer {
  // Longer forms do not stand in the memory that is used again.
  return withCanonicalBytes(tree, node, options, (bytes) => (bytes.length > spareBytes ? bytes : Buffer.from(bytes)))
}

/**
 * Calls `use` with what `canonicalBytes` gives and returns what it returns. The bytes hold only until then: their memory
 * is used again.
 */
export function withCanonicalBytes<T>(
  tree: XmlTree,
  node: Node,
  options: CanonicalOptions,
  use: (bytes: Buffer) => T,
): T {
  const absent = !(node >= 0 && node < tree.records.count)
  if (absent || node === options.omit) throw new XmlError('empty-canonical-form', absent ? 0 : tree.start(node))
  const expected = roomForDeclarations + tree.end(node) - tree.start(node)
  if (expected > spareBytes) {
    const memory = freshSource(Math.min(expected, tree.records.maxBytes))
    return use(new Canonicalization(tree, node, options, memory).bytes())
  }
  const memory = spare ?? freshSource(spareBytes)
  // While it is in use, a canonicalization that `use` asks for takes other memory.
  spare = undefined
  try {
    return use(new Canonicalization(tree, node, options, memory).bytes())
  } finally {
    spare = memory
  }
}

const roomForDeclarations = 1024
/**
 * Memory of this size is kept from one form to the next: most are wanted for as long as hashing them takes. The last form
 * stays in it until then, as it would in memory that waits for the collector.
 */
const spareBytes = 64 * 1024
let spare: Source | undefined

/** The empty prefix: the default namespace. */
const DEFAULT = 0
const xmlns = ascii(' xmlns')
const closingMarks = ascii('</')
const tagMarks = '</>'.length

class Canonicalization {
  readonly #records: XmlRecords
  readonly #apex: Node
  readonly #omit: Node
  readonly #out: XmlOutput
  /** Per prefix, the namespace (+ 1) that the nearest rendered ancestor declares, 0 when none; and how to go back. */
  readonly #rendered: Int32Array
  readonly #undo: number[] = []
  /** Per prefix, 1 when it is in the inclusive list. */
  readonly #inclusive: Int32Array | undefined

  constructor(tree: XmlTree, apex: Node, options: CanonicalOptions, memory: Source) {
    const records = tree.records
    this.#records = records
    this.#apex = apex
    this.#omit = options.omit ?? NONE
    this.#out = new XmlOutput(records.source, memory, records.maxBytes, () => this.#refuse('too-large'))
    this.#rendered = zeros(records.names.count)
    this.#rendered[DEFAULT] = NO_NAMESPACE + 1
    if (options.inclusivePrefixes !== undefined && options.inclusivePrefixes.length > 0) {
      this.#inclusive = zeros(records.names.count)
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
    const name = elements[at + NAME_OF]! << NAME
    const nameEnd = elements[at + START]! + 1 + names.table[name | LENGTH]!
    this.#out.run(elements[at + START]!, nameEnd)
    const first = elements[at + ATTRIBUTES]!
    const end = first + elements[at + ATTRIBUTE_COUNT]!
    const due: number[] = []
    this.#use(names.table[name | PREFIX]!, elements[at + NAMESPACE_OF]!, due)
    for (let index = first; index < end; index++) {
      const prefix = names.table[((attributes[index * ATTRIBUTE + ATTRIBUTE_NAME]! >> 1) << NAME) | PREFIX]!
      if (prefix !== DEFAULT) this.#use(prefix, attributes[index * ATTRIBUTE + ATTRIBUTE_NAMESPACE]!, due)
    }
    this.#ownDeclarations(node, due)
    if (node === this.#apex && this.#inclusive !== undefined) this.#inherited(node, this.#inclusive, due)
    if (due.length > 1) due.sort((one, other) => compareNames(this.#records, one, other))
    const inOrder = this.#areInOrder(first, end)
    if (inOrder && this.#standsCanonical(node, nameEnd, due)) {
      this.#out.run(nameEnd, elements[at + OPENED]!)
      return
    }
    for (const prefix of due) this.#declaration(prefix)
    if (inOrder) for (let index = first; index < end; index++) this.#attribute(index)
    else for (const index of this.#sorted(first, end)) this.#attribute(index)
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
    const outer = this.#outerScope(node)
    for (let scope = elements[node * ELEMENT + SCOPE]!; scope !== outer; ) {
      const at = (scope - 1) * DECLARATION_SIZE
      const prefix = scopes.table[at + DECLARED_PREFIX]!
      const namespace = scopes.table[at + DECLARED_NAMESPACE]!
      if (!names.namespaces.isAbsolute(namespace)) this.#refuse('relative-namespace')
      if (this.#inclusive?.[prefix] === 1) this.#use(prefix, namespace, due)
      scope = scopes.table[at + OUTER]!
    }
  }

  /** Whether a start tag stands in the source just as it is to be written, from the end of its name on. */
  #standsCanonical(node: Node, nameEnd: number, due: readonly number[]): boolean {
    const { elements, attributes, names, scopes } = this.#records
    const element = node * ELEMENT
    const first = elements[element + ATTRIBUTES]!
    let pos = elements[element + OPENED]! - 1
    for (let index = first + elements[element + ATTRIBUTE_COUNT]! - 1; index >= first; index--) {
      const at = index * ATTRIBUTE
      const name = attributes[at + ATTRIBUTE_NAME]!
      const valueEnd = name & 1 ? -1 : attributes[at + VALUE_END]!
      pos = this.#attributeStart(
        pos,
        names.table[((name >> 1) << NAME) | LENGTH]!,
        attributes[at + VALUE_START]!,
        valueEnd,
      )
    }
    // The declarations due have to be those of the tag itself, all of them.
    const outer = this.#outerScope(node)
    let scope = elements[element + SCOPE]!
    for (let index = due.length - 1; index >= 0; index--) {
      const prefix = due[index]!
      const at = (scope - 1) * DECLARATION_SIZE
      if (scope === outer || scopes.table[at + DECLARED_PREFIX] !== prefix) return false
      const length = prefix === DEFAULT ? xmlns.length - 1 : xmlns.length + names.table[(prefix << NAME) | LENGTH]!
      pos = this.#attributeStart(pos, length, scopes.table[at + DECLARED_START]!, scopes.table[at + DECLARED_END]!)
      scope = scopes.table[at + OUTER]!
    }
    return scope === outer && pos === nameEnd
  }

  /**
   * Where an attribute begins, its space included, that ends at `end`, if it is written with one space, double quotes and
   * nothing else that need not be. When it is not, what this gives is no place where anything ends.
   */
  #attributeStart(end: number, nameLength: number, valueStart: number, valueEnd: number): number {
    const { source } = this.#records
    const start = valueStart - ' ="'.length - nameLength
    return valueEnd + 1 === end && source[valueEnd] === QUOTE && source[start] === SPACE ? start : -1
  }

  #outerScope(node: Node): number {
    const { elements, outerScope } = this.#records
    const parent = elements[node * ELEMENT + PARENT]!
    return parent < 0 ? outerScope : elements[parent * ELEMENT + SCOPE]!
  }

  /** At the apex every prefix of the inclusive list is used, wherever it was declared; the innermost declaration counts. */
  #inherited(node: Node, inclusive: Int32Array, due: number[]): void {
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
    const { namespaces } = this.#records.names
    const namespace = this.#rendered[prefix]! - 1
    if (!namespaces.isAbsolute(namespace)) this.#refuse('relative-namespace')
    this.#out.copy(xmlns, 0, xmlns.length)
    if (prefix !== DEFAULT) {
      this.#out.byte(COLON)
      this.#name(prefix)
    }
    this.#out.byte(EQUALS)
    this.#out.byte(QUOTE)
    const value = Buffer.from(namespaces.string(namespace), 'utf8') as Source
    this.#out.escaped(value, 0, value.length, attributeEscapes)
    this.#out.byte(QUOTE)
  }

  #areInOrder(first: number, end: number): boolean {
    for (let index = first + 1; index < end; index++)
      if (compareAttributes(this.#records, index - 1, index) > 0) return false
    return true
  }

  #sorted(first: number, end: number): number[] {
    const order: number[] = []
    for (let index = first; index < end; index++) order.push(index)
    return order.sort((one, other) => compareAttributes(this.#records, one, other))
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
    } else if (source[to] === QUOTE) this.#out.run(from, to)
    else this.#out.escaped(source, from, to, attributeEscapes)
    this.#out.byte(QUOTE)
  }

  #content(node: Node, from: number, to: number): void {
    if (from === to) return
    const { source, elements } = this.#records
    const flags = elements[node * ELEMENT + FLAGS]!
    if ((flags & MARKUP) === 0 && isCanonicalText(source, from, to, (flags & ENCODED) !== 0)) this.#out.run(from, to)
    else if (flags & (ENCODED | MARKUP)) {
      const into = this.#records.scratch(to - from)
      this.#out.escaped(into, 0, decodeContent(this.#records, from, to, into, 0), textEscapes)
    } else this.#out.escaped(source, from, to, textEscapes)
  }

  #endTag(node: Node): void {
    const { elements, names } = this.#records
    const at = node * ELEMENT
    const closing = elements[at + CLOSING]!
    const end = elements[at + END]!
    const name = elements[at + NAME_OF]!
    if (end - closing === tagMarks + names.table[(name << NAME) | LENGTH]!) this.#out.run(closing, end)
    else {
      this.#out.copy(closingMarks, 0, closingMarks.length)
      this.#name(name)
      this.#out.byte(GREATER)
    }
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
