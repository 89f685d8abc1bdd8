import { Buffer } from 'node:buffer'
import { COLON, continuesName, startsName } from './xml-characters.ts'
import type { XmlReason } from './xml-error.ts'
import type { XmlLimits } from './xml-limits.ts'
import type { Source } from './xml-source.ts'
import { isAbsoluteUri } from './xml-uri.ts'

/** A name's record in `XmlNames.table`: `(id << NAME) | field`. */
export const NAME = 4
export const OFFSET = 0
export const LENGTH = 1
const HASH = 2
/** The names that are its prefix (0 when none) and its local part. */
export const PREFIX = 3
export const LOCAL = 4
export const KIND = 5
/** The last element that had it as an attribute, so that a second one is noticed at once. */
export const SEEN = 6
/** As a prefix: the declaration in force (its number + 1), 0 when there is none. */
export const BINDING = 7
/** A guess: the name that came after it last time; and, of an element, its first attribute. */
export const FOLLOWER = 8
export const FIRST_ATTRIBUTE = 9

/** Bits of KIND. */
export const XML_PREFIX = 1
export const DECLARATION = 2
export const IDENTIFIER = 4

export const NO_NAMESPACE = 0
export const XML_NAMESPACE = 1
/** Longer namespace names than this are refused; real ones have 60 characters. */
const longestNamespace = 4096
const xmlNamespace = 'http://www.w3.org/XML/1998/namespace'
const xmlnsNamespace = 'http://www.w3.org/2000/xmlns/'

/** How many slots a look-up may pass before it asks the Map, whose hash nobody outside the process can aim at. */
const patience = 16

/**
 * The names and namespaces of one document, each distinct one known by a number. Nothing in it outlives the document:
 * a table shared between messages would let one message change how the next is read.
 */
export class XmlNames {
  table = new Int32Array(128 << NAME)
  count = 1
  /** Slots passed over by all look-ups so far: the measure of hostile collisions. */
  collisions = 0
  readonly #source: Source
  readonly #limits: XmlLimits
  readonly #refuse: (reason: XmlReason, offset: number) => never
  #slots = new Int32Array(256)
  #crowded = new Map<string, number>()
  readonly #strings: (string | undefined)[] = ['']
  readonly #namespaces: string[] = ['', xmlNamespace]
  readonly #sharedNamespaces: (string | undefined)[] = ['', xmlNamespace]
  readonly #absolute: boolean[] = []
  readonly #namespaceIds = new Map<string, number>([
    ['', NO_NAMESPACE],
    [xmlNamespace, XML_NAMESPACE],
  ])

  /** Number 0 is the empty name: the prefix of a name without one. `refuse` throws. */
  constructor(source: Source, limits: XmlLimits, refuse: (reason: XmlReason, offset: number) => never) {
    this.#source = source
    this.#limits = limits
    this.#refuse = refuse
  }

  /** The number of the name that stands at `from` up to `to`; a new one is checked against Namespaces in XML 1.0 §4. */
  at(from: number, to: number): number {
    const hash = hashOf(this.#source, from, to)
    const known = this.#find(this.#source, from, to - from, hash)
    return known >= 0 ? known : this.#add(from, to, hash)
  }

  /** The number of a name given as a string, or -1 when the document does not use it. */
  numberOf(name: string): number {
    if (name === '') return 0
    const bytes = Buffer.from(name, 'utf8') as Source
    return this.#find(bytes, 0, bytes.length, hashOf(bytes, 0, bytes.length))
  }

  /** The name as a string, made once per document. */
  string(id: number): string {
    const made = this.#strings[id]
    if (made !== undefined) return made
    const offset = this.table[(id << NAME) | OFFSET]!
    const fresh = shared(this.#source.utf8Slice(offset, offset + this.table[(id << NAME) | LENGTH]!))
    this.#strings[id] = fresh
    return fresh
  }

  namespace(id: number): string {
    const made = this.#sharedNamespaces[id]
    if (made !== undefined) return made
    const fresh = shared(this.#namespaces[id]!)
    this.#sharedNamespaces[id] = fresh
    return fresh
  }

  /**
   * Whether the namespace may stand in a canonical form (Canonical XML 1.0 §1). Reading is not so strict: INI's faults
   * declare names that are no URIs.
   */
  isAbsolute(id: number): boolean {
    this.#absolute[id] ??= id === NO_NAMESPACE || isAbsoluteUri(this.#namespaces[id]!)
    return this.#absolute[id]
  }

  /**
   * The number of the namespace that an `xmlns` attribute binds to `prefix` (0 for the default). Refuses what
   * Namespaces in XML 1.0 §3 reserves or forbids.
   */
  bind(prefix: number, namespace: string, offset: number): number {
    const name = this.#reserved(prefix)
    const reserved =
      name === 'xmlns' || namespace === xmlnsNamespace || (name === 'xml') !== (namespace === xmlNamespace)
    const unfit = namespace.length > longestNamespace || (namespace === '' && prefix !== 0)
    if (reserved || unfit) this.#refuse('namespace', offset)
    const known = this.#namespaceIds.get(namespace)
    if (known !== undefined) return known
    const id = this.#namespaces.length
    if (id - 2 >= this.#limits.maxNamespaces) this.#refuse('too-many-namespaces', offset)
    this.#namespaces.push(namespace)
    this.#namespaceIds.set(namespace, id)
    return id
  }

  #find(bytes: Source, from: number, length: number, hash: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    const table = this.table
    const source = this.#source
    let slot = hash & mask
    for (let passed = 0; passed < patience; passed++) {
      const id = slots[slot]!
      if (id === 0) return -1
      const record = id << NAME
      if (table[record | HASH] === hash && table[record | LENGTH] === length) {
        const offset = table[record | OFFSET]!
        let same = 0
        while (same < length && source[offset + same] === bytes[from + same]) same++
        if (same === length) return id
      }
      this.collisions++
      slot = (slot + 1) & mask
    }
    return this.#crowded.get(bytes.latin1Slice(from, from + length)) ?? -1
  }

  #add(from: number, to: number, hash: number): number {
    const colon = this.#colonIn(from, to)
    const id = this.#append(from, to, hash)
    const local = colon < 0 ? id : this.#part(colon + 1, to)
    const prefix = colon < 0 ? 0 : this.#part(from, colon)
    const record = id << NAME
    this.table[record | PREFIX] = prefix
    this.table[record | LOCAL] = local
    this.table[record | KIND] = kindOf(this.#reserved(prefix), this.#reserved(local))
    return id
  }

  /** Where the colon stands, -1 when there is none. Refuses unless the bytes are a QName. */
  #colonIn(from: number, to: number): number {
    const source = this.#source
    let colon = -1
    let first = true
    let at = from
    while (at < to) {
      const byte = source[at]!
      if (byte === COLON) {
        if (first || colon >= 0 || at + 1 === to) this.#refuse('name', at)
        colon = at
        first = true
        at++
        continue
      }
      const size = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
      const code = size === 1 ? byte : source.utf8Slice(at, at + size).codePointAt(0)!
      if (!(first ? startsName(code) : continuesName(code))) this.#refuse('name', at)
      first = false
      at += size
    }
    if (from === to) this.#refuse('name', from)
    return colon
  }

  #part(from: number, to: number): number {
    const hash = hashOf(this.#source, from, to)
    const known = this.#find(this.#source, from, to - from, hash)
    if (known >= 0) return known
    const id = this.#append(from, to, hash)
    this.table[(id << NAME) | LOCAL] = id
    this.table[(id << NAME) | KIND] = kindOf('', this.#reserved(id))
    return id
  }

  /** The name when it is as short as those that mean something to XML itself; else something that does not. */
  #reserved(id: number): string {
    if (id === 0) return ''
    const offset = this.table[(id << NAME) | OFFSET]!
    const length = this.table[(id << NAME) | LENGTH]!
    return length <= 'xmlns'.length ? this.#source.utf8Slice(offset, offset + length) : 'longer'
  }

  #append(from: number, to: number, hash: number): number {
    const id = this.count
    if (id > this.#limits.maxNames) this.#refuse('too-many-names', from)
    this.count = id + 1
    if (this.count << NAME > this.table.length) {
      const larger = new Int32Array(this.table.length * 2)
      larger.set(this.table)
      this.table = larger
    }
    const record = id << NAME
    this.table[record | OFFSET] = from
    this.table[record | LENGTH] = to - from
    this.table[record | HASH] = hash
    if (this.count * 2 > this.#slots.length) this.#rehash()
    else this.#place(id)
    return id
  }

  #place(id: number): void {
    const record = id << NAME
    const mask = this.#slots.length - 1
    let slot = this.table[record | HASH]! & mask
    for (let passed = 0; passed < patience; passed++) {
      if (this.#slots[slot] === 0) {
        this.#slots[slot] = id
        return
      }
      slot = (slot + 1) & mask
    }
    const offset = this.table[record | OFFSET]!
    this.#crowded.set(this.#source.latin1Slice(offset, offset + this.table[record | LENGTH]!), id)
  }

  #rehash(): void {
    this.#slots = new Int32Array(this.#slots.length * 2)
    this.#crowded = new Map()
    for (let id = 1; id < this.count; id++) this.#place(id)
  }
}

/** FNV-1a with its high bits folded in. Not secret: `patience` is what bounds the harm of aimed collisions. */
function hashOf(bytes: Source, from: number, to: number): number {
  let hash = 0x811c9dc5 | 0
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193)
  return hash ^ (hash >>> 15)
}

function kindOf(prefix: string, local: string): number {
  if (prefix === '') {
    if (local === 'xmlns') return DECLARATION
    return local === 'ID' || local === 'Id' ? IDENTIFIER : 0
  }
  if (prefix === 'xmlns') return DECLARATION
  const identifies = local === 'ID' || local === 'Id' || (prefix === 'xml' && local === 'id')
  return (prefix === 'xml' ? XML_PREFIX : 0) | (identifies ? IDENTIFIER : 0)
}

/**
 * The runtime's one copy of a string (property keys are such copies, and names are never array indices), so that
 * comparing it with a constant of the program is comparing two addresses.
 */
function shared(text: string): string {
  return Object.keys({ [text]: 0 })[0] ?? text
}
