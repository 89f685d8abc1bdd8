import { defaultXmlLimits, type XmlLimits } from './xml-limits.ts'
import { Scanner } from './xml-scanner.ts'
import { XmlTree } from './xml-tree.ts'

export { XmlError, type XmlReason } from './xml-error.ts'
export { defaultXmlLimits, type XmlLimits } from './xml-limits.ts'
export { NONE, type Node, type XmlAttribute, XmlTree } from './xml-tree.ts'

/** How much is scanned between two pauses. */
const stepBytes = 256 * 1024

/** Reads a whole document. Throws XmlError; a tree is only given for a well-formed document within the limits. */
export function readTree(bytes: Uint8Array, limits: XmlLimits = defaultXmlLimits): XmlTree {
  const scanner = new Scanner(bytes, limits)
  const records = scanner.records()
  scanner.grow(records, -1)
  return new XmlTree(records)
}

/**
 * As `readTree`, for a message long enough to hold up everybody else: `pause` is called after about every 256 KiB, and
 * what it returns is awaited; to stop reading it throws.
 */
export async function readTreeInSteps(
  bytes: Uint8Array,
  limits: XmlLimits,
  pause: () => Promise<void> | undefined,
): Promise<XmlTree> {
  const scanner = new Scanner(bytes, limits)
  const records = scanner.records()
  scanner.pauseAfter(stepBytes)
  while (!scanner.grow(records, -1)) {
    const paused = pause()
    if (paused !== undefined) await paused
    scanner.pauseAfter(stepBytes)
  }
  return new XmlTree(records)
}

/**
 * Walks a long document element by element, with the strictness of `readTree`. Nothing read so far proves the rest
 * well-formed: that is established when `next` says `eof`.
 */
export class XmlReader {
  readonly #scanner: Scanner
  /** Two stores by turns: one is under the subtree handed out last, the other takes what is read after it. */
  #current: XmlTree
  #handedOut: XmlTree
  /** Declarations that the subtree handed out last refers to. */
  #pinned = 0
  #started = false
  #depth = 0
  #text = false

  /** Throws XmlError when the document is too large, not UTF-8 or wrongly declared. */
  constructor(bytes: Uint8Array, limits: XmlLimits = defaultXmlLimits) {
    this.#scanner = new Scanner(bytes, limits)
    this.#current = new XmlTree(this.#scanner.records())
    this.#handedOut = new XmlTree(this.#scanner.records())
  }

  /** The next tag: an element's start, or the end of one neither skipped nor read by `subtree`. Throws XmlError. */
  next(): 'start' | 'end' | 'eof' {
    const scanner = this.#scanner
    this.#started = false
    const found = scanner.advance()
    this.#text = scanner.takeText()
    if (found === 'start') {
      this.#startTag()
      this.#depth = scanner.depth
      this.#started = true
      return 'start'
    }
    this.#forgetDeclarations()
    if (found === 'end') {
      this.#depth = scanner.depth + 1
      return 'end'
    }
    this.#depth = 0
    return 'eof'
  }

  /** The element just started. */
  local(): string {
    return this.#element().local(0)
  }

  /** Of the element just started; `''` when in none. */
  namespace(): string {
    return this.#element().namespace(0)
  }

  /** Of the element just started; by default in no namespace. */
  attribute(local: string, namespace = ''): string | undefined {
    return this.#element().attribute(0, local, namespace)
  }

  /** Of the element just started or ended; the root has 1. */
  depth(): number {
    return this.#depth
  }

  /** Whether character data other than white space stood between the last two tags. */
  hasText(): boolean {
    return this.#text
  }

  /** How many bytes have been read. */
  offset(): number {
    return this.#scanner.pos
  }

  /**
   * Reads on to the end of the element just started and gives it as a tree. Its storage is used again: the tree holds
   * until the next `subtree`. Throws XmlError.
   */
  subtree(): XmlTree {
    const tree = this.#element()
    const scanner = this.#scanner
    this.#started = false
    scanner.scopes.count = scanner.scope
    scanner.pieces = 0
    scanner.grow(tree.records, scanner.depth - 1)
    this.#pinned = scanner.scopes.count
    this.#current = this.#handedOut
    this.#handedOut = tree
    return new XmlTree(tree.records)
  }

  /** Passes over the element just started, checking it as strictly as what is read. Throws XmlError. */
  skip(): void {
    const scanner = this.#scanner
    const floor = this.#depth - 1
    this.#element()
    this.#started = false
    while (scanner.depth > floor) {
      if (scanner.advance() === 'start') this.#startTag()
      else this.#forgetDeclarations()
    }
    scanner.takeText()
  }

  #startTag(): void {
    const { records } = this.#current
    records.reset(this.#scanner.scope)
    this.#scanner.startTag(records, -1)
  }

  #forgetDeclarations(): void {
    this.#scanner.scopes.count = Math.max(this.#scanner.scope, this.#pinned)
  }

  #element(): XmlTree {
    if (!this.#started) throw new TypeError('No element has just started')
    return this.#current
  }
}
