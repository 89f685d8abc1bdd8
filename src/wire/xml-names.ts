import { Buffer } from 'node:buffer'
import { COLON, continuesName, nameBytes, startsName } from './xml-characters.ts'
import type { XmlReason } from './xml-error.ts'
import type { XmlLimits } from './xml-limits.ts'
import { type PrefixMeaning, shared, XmlNamespaces } from './xml-namespaces.ts'
import { doubled, isRepetitive, type Source, zeros } from './xml-source.ts'

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
/** As a prefix: the namespace it was bound to last, and where that stands as written (length 0 when nowhere). */
export const BOUND = 10
export const BOUND_OFFSET = 11
export const BOUND_LENGTH = 12

/** Bits of KIND. */
export const XML_PREFIX = 1
export const DECLARATION = 2
export const IDENTIFIER = 4
/** What the name itself spells: `xml`, `xmlns`, `id`. */
const XML = 8
const XMLNS = 16
const LOWER_ID = 32

/** How many slots a look-up may pass before it asks the Map, whose hash nobody outside the process can aim at. */
const patience = 16

/**
 * The names and namespaces of one document, each distinct one known by a number. Nothing in it outlives the document:
 * a table shared between messages would let one message change how the next is read.
 */
export class XmlNames {
  readonly namespaces: XmlNamespaces
  table: Int32Array
  count = 1
  /** Slots passed over by all look-ups so far: the measure of hostile collisions. */
  collisions = 0
  /** Where the name ends that was read last. */
  end = 0
  readonly #source: Source
  readonly #limits: XmlLimits
  readonly #repetitive: boolean
  readonly #refuse: (reason: XmlReason, offset: number) => never
  #slots: Int32Array
  #crowded: Map<string, number> | undefined
  readonly #strings: (string | undefined)[] = ['']

  /** Number 0 is the empty name: the prefix of a name without one. `refuse` throws. */
  constructor(source: Source, limits: XmlLimits, refuse: (reason: XmlReason, offset: number) => never) {
    this.#source = source
    this.#limits = limits
    this.#refuse = refuse
    this.#repetitive = isRepetitive(source)
    this.namespaces = new XmlNamespaces(limits, this.#repetitive, refuse)
    const expected = source.length < 4096 ? 32 : 128
    this.table = zeros(expected << NAME)
    this.#slots = zeros(expected * 2)
  }

  /** The number of the name that begins at `from`; a new one is checked against Namespaces in XML 1.0 §4. */
  at(from: number): number {
    const source = this.#source
    let colon = -1
    let prefixHash = 0
    let hash = seed
    let bits = 0
    let to = from
    for (;;) {
      const byte = source[to]!
      if (nameBytes[byte] === 0) break
      bits |= byte
      if (byte !== COLON) hash = Math.imul(hash ^ byte, prime)
      else if (colon < 0) {
        colon = to
        prefixHash = hash
        hash = seed
      } else bits = unusual
      to++
    }
    this.end = to
    const whole = joined(prefixHash, hash)
    const known = this.#find(source, from, to - from, whole)
    if (known >= 0) return known
    // Of ASCII, `nameBytes` only lets pass what may continue a name.
    const usual = bits < unusual && startsName(source[from]!) && (colon < 0 || startsName(source[colon + 1]!))
    if (!usual) this.#check(from, to)
    return this.#add(from, colon, to, whole, prefixHash, hash)
  }

  /** The number of a name given as a string, or -1 when the document does not use it. */
  numberOf(name: string): number {
    if (name === '') return 0
    const bytes = Buffer.from(name, 'utf8') as Source
    const colon = bytes.indexOf(COLON)
    const prefixHash = colon < 0 ? 0 : hashOf(bytes, 0, colon)
    return this.#find(bytes, 0, bytes.length, joined(prefixHash, hashOf(bytes, colon + 1, bytes.length)))
  }

  /** The name as a string, made once per document. */
  string(id: number): string {
    const made = this.#strings[id]
    if (made !== undefined) return made
    const offset = this.table[(id << NAME) | OFFSET]!
    const text = this.#source.utf8Slice(offset, offset + this.table[(id << NAME) | LENGTH]!)
    const fresh = this.#repetitive ? shared(text) : text
    this.#strings[id] = fresh
    return fresh
  }

  /** What the name is as a prefix. */
  meaning(prefix: number): PrefixMeaning {
    if (prefix === 0) return 'none'
    const kind = this.table[(prefix << NAME) | KIND]!
    return kind & XML ? 'xml' : kind & XMLNS ? 'xmlns' : 'other'
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
    return this.#crowded?.get(bytes.latin1Slice(from, from + length)) ?? -1
  }

  #add(from: number, colon: number, to: number, whole: number, prefixHash: number, localHash: number): number {
    const id = this.#append(from, to, whole)
    const record = id << NAME
    if (colon < 0) {
      this.table[record | LOCAL] = id
      this.table[record | KIND] = this.#spelt(from, to - from)
      return id
    }
    const local = this.#part(colon + 1, to, localHash)
    const prefix = this.#part(from, colon, prefixHash)
    const { table } = this
    table[record | PREFIX] = prefix
    table[record | LOCAL] = local
    table[record | KIND] = prefixedKind(table[(prefix << NAME) | KIND]!, table[(local << NAME) | KIND]!)
    return id
  }

  /** Refuses unless the bytes are a QName. */
  #check(from: number, to: number): void {
    const source = this.#source
    let prefixed = false
    let first = true
    let at = from
    while (at < to) {
      const byte = source[at]!
      if (byte === COLON) {
        if (first || prefixed || at + 1 === to) this.#refuse('name', at)
        prefixed = true
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
  }

  /** The number of a prefix or local part. */
  #part(from: number, to: number, hash: number): number {
    const whole = joined(0, hash)
    const known = this.#find(this.#source, from, to - from, whole)
    if (known >= 0) return known
    const id = this.#append(from, to, whole)
    this.table[(id << NAME) | LOCAL] = id
    this.table[(id << NAME) | KIND] = this.#spelt(from, to - from)
    return id
  }

  /** The KIND of a name without a prefix. */
  #spelt(from: number, length: number): number {
    const initial = this.#source[from]
    if (length > 'xmlns'.length || (initial !== LOWER_X && initial !== LOWER_I && initial !== UPPER_I)) return 0
    switch (this.#source.latin1Slice(from, from + length)) {
      case 'ID':
      case 'Id':
        return IDENTIFIER
      case 'id':
        return LOWER_ID
      case 'xml':
        return XML
      case 'xmlns':
        return XMLNS | DECLARATION
      default:
        return 0
    }
  }

  #append(from: number, to: number, hash: number): number {
    const id = this.count
    if (id > this.#limits.maxNames) this.#refuse('too-many-names', from)
    this.count = id + 1
    if (this.count << NAME > this.table.length) this.table = doubled(this.table)
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
    this.#crowded ??= new Map()
    this.#crowded.set(this.#source.latin1Slice(offset, offset + this.table[record | LENGTH]!), id)
  }

  #rehash(): void {
    this.#slots = zeros(this.#slots.length * 2)
    this.#crowded = undefined
    for (let id = 1; id < this.count; id++) this.#place(id)
  }
}

/** Names of bytes below this are ASCII; a name with two colons is treated as if it were not. */
const unusual = 0x80
const LOWER_X = 0x78
const LOWER_I = 0x69
const UPPER_I = 0x49

const seed = 0x811c9dc5 | 0
const prime = 0x01000193

/** FNV-1a. Not secret: `patience` is what bounds the harm of aimed collisions. */
function hashOf(bytes: Source, from: number, to: number): number {
  let hash = seed
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at]!, prime)
  return hash
}

/** A name's hash, of those of its prefix (0 when it has none) and its local part; high bits are folded in. */
function joined(prefix: number, local: number): number {
  const hash = Math.imul(prefix, prime) ^ local
  return hash ^ (hash >>> 15)
}

/** The KIND of a name, of those of its prefix and its local part. */
function prefixedKind(prefix: number, local: number): number {
  if (prefix & XMLNS) return DECLARATION
  const identifies = (local & IDENTIFIER) !== 0 || (prefix & XML && local & LOWER_ID)
  return (prefix & XML ? XML_PREFIX : 0) | (identifies ? IDENTIFIER : 0)
}
