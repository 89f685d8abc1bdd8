/** Numbers from 0 up to 1 that depend on the seed only (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x100000000
  }
}

const locals = ['a', 'b', 'Body', 'Id', 'x-1', 'é', '_.', 'xml1', 'longer-name-than-four', '𐀀z']
const prefixes = ['', 'p', 'q', 'ns2', 'è']
const namespaces = ['urn:one', 'urn:two', 'http://example.org/?a=1;b', 'urn:three', 'urn:o&#110;e']
const texts = [
  't',
  'some plain text, quite long',
  'urn:oid:2.16.840',
  ' ',
  '\n\t',
  '\r\n',
  '\r',
  'é€',
  '𝄞',
  '&lt;',
  '&amp;',
  '&#13;',
  '&#x1F600;',
  '&#9;',
  '&quot;',
  ']',
  '>',
  '--',
  ']]&gt;',
  '﷐',
  '\u{10ffff}',
]
const rawTexts = ['c', 'plain text, quite long', '-', ']', '<x>', '&amp;', '\r\n', 'ü', ']]', '>', ' ']
const spaces = [' ', '\n', '\t', '  ', '\r\n']

/** Makes documents, and damages them. */
export class XmlGenerator {
  readonly #random: () => number
  #left = 0
  /** Processing instructions are refused, so only some documents have them. */
  #instructions = false

  constructor(random: () => number) {
    this.#random = random
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)]!
  }

  chance(probability: number): boolean {
    return this.#random() < probability
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  /**
   * A well-formed document with comments, CDATA, namespaces declared again and undone, references, odd white space, and
   * now and then a processing instruction.
   */
  document(): string {
    this.#left = 1 + this.below(24)
    this.#instructions = this.chance(0.08)
    const declaration = this.chance(0.3)
      ? `<?xml version="1.0"${this.pick(['', ' encoding="UTF-8"', " encoding='utf-8' standalone='yes'"])} ?>`
      : ''
    return `${declaration}${this.#misc()}${this.#element(0, new Map())}${this.#misc()}`
  }

  #misc(): string {
    let misc = ''
    while (this.chance(0.25)) misc += this.pick(['\n', this.#comment(), this.#instruction()])
    return misc
  }

  #comment(): string {
    let text = ''
    while (this.chance(0.5)) text += this.pick(rawTexts)
    return `<!--${text.replace(/--+|-$/g, '')}-->`
  }

  #instruction(): string {
    return this.#instructions ? this.pick(['<?x?>', '<?target with data?>']) : ''
  }

  #element(depth: number, outer: ReadonlyMap<string, string>): string {
    this.#left--
    const scope = new Map(outer)
    const attributes: string[] = []
    for (const prefix of prefixes) {
      if (!this.chance(depth === 0 ? 0.5 : 0.15)) continue
      const namespace = prefix === '' && this.chance(0.3) ? '' : this.pick(namespaces)
      scope.set(prefix, namespace)
      attributes.push(`xmlns${prefix === '' ? '' : `:${prefix}`}${this.#equals()}${this.#quoted(namespace)}`)
    }
    const usable = ['', '', ...[...scope.keys()].filter((prefix) => prefix !== '')]
    const used = new Set<string>()
    while (this.chance(0.45)) {
      const prefix = this.chance(0.05) ? 'xml' : this.pick(usable)
      const local = prefix === 'xml' ? this.pick(['lang', 'id', 'space']) : this.pick(locals)
      const key = `${prefix === '' ? '' : (scope.get(prefix) ?? prefix).replace('&#110;', 'n')} ${local}`
      if (used.has(key)) continue
      used.add(key)
      attributes.push(`${qname(prefix, local)}${this.#equals()}${this.#quoted(this.#value())}`)
    }
    const name = qname(this.pick(usable), this.pick(locals))
    let tag = `<${name}`
    while (attributes.length > 0) tag += this.pick(spaces) + attributes.splice(this.below(attributes.length), 1)[0]
    if (this.chance(0.2)) tag += this.pick(spaces)
    if (this.chance(0.2)) return `${tag}/>`
    return `${tag}>${this.#content(depth, scope)}</${name}${this.chance(0.1) ? this.pick(spaces) : ''}>`
  }

  #content(depth: number, scope: ReadonlyMap<string, string>): string {
    let content = ''
    while (this.chance(0.75)) {
      const kind = this.below(10)
      if (kind < 4 && this.#left > 0 && depth < 12) content += this.#element(depth + 1, scope)
      else if (kind < 7) content += this.#text(content)
      else if (kind === 7) content += this.#comment()
      else if (kind === 8) content += this.#cdata()
      else content += this.#instruction()
    }
    return content
  }

  #text(before: string): string {
    const text = this.pick(texts)
    return text === '>' && before.endsWith(']]') ? '&gt;' : text
  }

  #cdata(): string {
    let text = ''
    while (this.chance(0.5)) text += this.pick(rawTexts)
    return `<![CDATA[${text.replaceAll(']]>', '')}]]>`
  }

  #equals(): string {
    return this.chance(0.9) ? '=' : `${this.pick(spaces)}=${this.pick(spaces)}`
  }

  #quoted(value: string): string {
    return this.chance(0.5) ? `"${value}"` : `'${value}'`
  }

  #value(): string {
    let value = ''
    while (this.chance(0.6)) value += this.pick([...texts, '&apos;'])
    return value
  }

  /** One to three faults, or none that matters: bytes, tokens, or whole pieces of markup moved, lost or doubled. */
  damage(document: Buffer): Buffer {
    let damaged = document
    for (let faults = 1 + this.below(3); faults > 0; faults--) damaged = this.#damageOnce(damaged)
    return damaged
  }

  #damageOnce(document: Buffer): Buffer {
    const at = this.below(document.length + 1)
    const [from, to] = this.chance(0.5) ? this.#piece(document) : [at, Math.min(document.length, at + this.below(12))]
    const before = document.subarray(0, from)
    const after = document.subarray(to)
    const piece = document.subarray(from, to)
    switch (this.below(7)) {
      case 0:
        return Buffer.concat([before, after])
      case 1:
        return Buffer.concat([before, piece, piece, after])
      case 2: {
        const rest = Buffer.concat([before, after])
        const target = this.below(rest.length + 1)
        return Buffer.concat([rest.subarray(0, target), piece, rest.subarray(target)])
      }
      case 3: {
        const flipped = Buffer.from(document)
        if (flipped.length > 0) flipped[Math.min(at, flipped.length - 1)]! ^= 1 << this.below(8)
        return flipped
      }
      default:
        return Buffer.concat([
          document.subarray(0, at),
          Buffer.from(this.pick(tokens), 'latin1'),
          document.subarray(at),
        ])
    }
  }

  /** From one `<`, `>`, quote or space to another soon after it. */
  #piece(document: Buffer): [number, number] {
    const edges: number[] = []
    for (let at = 0; at < document.length; at++)
      if ('<> "\'='.includes(String.fromCharCode(document[at]!))) edges.push(at)
    if (edges.length < 2) return [0, document.length]
    const first = this.below(edges.length - 1)
    const last = Math.min(edges.length - 1, first + 1 + this.below(4))
    return [edges[first]!, edges[last]!]
  }
}

/** Written as Latin-1, so that bytes can be told one by one. */
const tokens = [
  '<',
  '>',
  '/',
  '"',
  "'",
  '=',
  '&',
  ';',
  ' ',
  ':',
  '-',
  '!',
  '?',
  ']',
  '[',
  '\0',
  '\x01',
  '\x0b',
  '\x7f',
  '\x80',
  '\xc3',
  '\xc2\x85',
  '\xef\xbf\xbe',
  '\xef\xbf\xbf',
  '\xef\xbb\xbf',
  '\xed\xa0\x80',
  '\xf4\x90\x80\x80',
  '\xc0\xaf',
  '\xcc\x81',
  '\xc2\xb7',
  '\xe2\x80\xa8',
  '<!--',
  '-->',
  '--->',
  '<![CDATA[',
  ']]>',
  '<!DOCTYPE a>',
  '<!DOCTYPE a [<!ENTITY e "v">]>',
  '<?x?>',
  '<?xml version="1.0"?>',
  '&lt;',
  '&e;',
  '&#0;',
  '&#xD800;',
  '&#xFFFE;',
  '&#x110000;',
  '&#x41;',
  '&#;',
  '&#x;',
  '&#X41;',
  '&amp',
  '&#4294967361;',
  ' a="1"',
  ' a="1" a="2"',
  ' p:a="1" q:a="2"',
  ' xmlns=""',
  ' xmlns:p=""',
  ' xmlns:p="urn:one"',
  ' xmlns:q="urn:one"',
  ' xmlns:xml="http://www.w3.org/XML/1998/namespace"',
  ' xmlns:xml="urn:x"',
  ' xmlns:y="http://www.w3.org/XML/1998/namespace"',
  ' xmlns:xmlns="urn:x"',
  ' xmlns="http://www.w3.org/2000/xmlns/"',
  ' xmlns="relative"',
  ' xmlns:r="a b"',
  ' xml:id="1"',
  ' xml:lang="it"',
  '<a/>',
  '</a>',
  '<a>',
  '<p:a/>',
  '<p:q:a/>',
  '<:a/>',
  '<a:/>',
  '<1a/>',
  '<-/>',
  '<xmlns:a/>',
  '<xml:a/>',
  '<a b/>',
  '<a b=c/>',
  '<a b="<"/>',
]

function qname(prefix: string, local: string): string {
  return prefix === '' ? local : `${prefix}:${local}`
}
