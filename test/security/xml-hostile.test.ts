import { describe, expect, it } from 'vitest'
import { canonicalize } from '../../src/wire/c14n.ts'
import { defaultXmlLimits, readTree, XmlError, type XmlLimits, XmlReader, type XmlReason } from '../../src/wire/xml.ts'

const unlimited: XmlLimits = {
  maxBytes: 0x7fffffff,
  maxDepth: 0x7fffffff,
  maxAttributes: 0x7fffffff,
  maxNames: 0x7ffffff,
  maxNodes: 0x7fffffff,
  maxNamespaces: 0x7fffffff,
}

function reasonFor(text: string, limits: XmlLimits = defaultXmlLimits): XmlReason | 'accepted' {
  try {
    readTree(Buffer.from(text), limits)
    return 'accepted'
  } catch (error) {
    if (error instanceof XmlError) return error.reason
    throw error
  }
}

function numbered(count: number, write: (number: number) => string): string {
  return Array.from({ length: count }, (_, number) => write(number)).join('')
}

describe('the default limits', () => {
  it.each<[string, XmlReason, string]>([
    ['deep nesting', 'too-deep', '<a>'.repeat(40_000)],
    ['many attributes', 'too-many-attributes', `<a${numbered(100_000, (n) => ` b${n}=""`)}/>`],
    ['many declarations', 'too-many-attributes', `<a${numbered(100_000, (n) => ` xmlns:b${n}="urn:${n}"`)}/>`],
    ['many names', 'too-many-names', `<a>${numbered(100_000, (n) => `<b${n}/>`)}</a>`],
    ['many namespaces', 'too-many-namespaces', `<a>${numbered(100_000, (n) => `<b xmlns="urn:${n}"/>`)}</a>`],
    ['many elements', 'too-many-nodes', `<a>${'<b/>'.repeat(1_100_000)}</a>`],
    ['billions of laughs', 'doctype', '<!DOCTYPE a [<!ENTITY b "&c;&c;"><!ENTITY c "&d;&d;">]><a>&b;</a>'],
    ['an external entity', 'doctype', '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'],
    ['an external parameter entity', 'doctype', '<!DOCTYPE a SYSTEM "http://example.org/a.dtd"><a/>'],
  ])('refuse %s', (_, reason, text) => {
    expect(reasonFor(text)).toBe(reason)
  })
})

/** A quadratic reader would do more than 10,000,000,000 steps on each of these, and miss the deadline of a test. */
describe('with the limits lifted, the reader copes with', () => {
  const depth = 300_000
  const count = 150_000

  it('depth, without using the stack', () => {
    const text = '<a xmlns="urn:a" b="">'.repeat(depth) + '</a>'.repeat(depth)
    const tree = readTree(Buffer.from(text), unlimited)
    expect(tree.records.count).toBe(depth)
    expect(canonicalize(tree, 0)).toBe(`<a xmlns="urn:a" b="">${'<a b="">'.repeat(depth - 1)}${'</a>'.repeat(depth)}`)
  })

  it('attributes of one element, with the same local name in as many namespaces', () => {
    const declarations = numbered(count, (n) => ` xmlns:p${n}="urn:${n}"`)
    const attributes = numbered(count, (n) => ` p${n}:a=""`)
    expect(reasonFor(`<a${declarations}${attributes}/>`, unlimited)).toBe('accepted')
    expect(reasonFor(`<a${declarations}${attributes} p0:a=""/>`, unlimited)).toBe('duplicate-attribute')
  })

  it('many prefixes for one namespace', () => {
    const declarations = numbered(count, (n) => ` xmlns:p${n}="urn:a"`)
    const attributes = numbered(count, (n) => ` p${n}:a${n}=""`)
    expect(reasonFor(`<a${declarations}${attributes}/>`, unlimited)).toBe('accepted')
    expect(reasonFor(`<a${declarations}${attributes} p1:a0=""/>`, unlimited)).toBe('duplicate-attribute')
  })

  it('declarations nested and undone', () => {
    const text = numbered(count, (n) => `<p:a xmlns:p="urn:${n % 100}" xmlns:q${n}="urn:q">`) + '</p:a>'.repeat(count)
    const tree = readTree(Buffer.from(text), unlimited)
    expect(tree.namespace(count - 1)).toBe(`urn:${(count - 1) % 100}`)
    expect(canonicalize(tree, 0, { inclusivePrefixes: ['q0', 'q1'] })).toContain(' xmlns:q1="urn:q"')
  })

  it('references, CDATA sections and comments without number', () => {
    const text = '&amp;<!-- --><![CDATA[<]]>&#x1F600;\r'.repeat(count)
    const tree = readTree(Buffer.from(`<a b="${'&lt;&#9;\n'.repeat(count)}">${text}</a>`), unlimited)
    expect(tree.text(0)).toBe('&<😀\n'.repeat(count))
    expect(tree.attribute(0, 'b')).toBe('<\t '.repeat(count))
  })

  it('subtrees without number, each with declarations, under many ancestors with declarations', () => {
    const declarations = numbered(200, (n) => ` xmlns:p${n}="urn:${n}"`)
    const bytes = Buffer.from(`<a${declarations}>${'<b xmlns:q="urn:q" q:c=""/>'.repeat(count)}</a>`)
    const reader = new XmlReader(bytes, unlimited)
    reader.next()
    let taken = 0
    while (reader.next() === 'start') {
      if (reader.subtree().attribute(0, 'c', 'urn:q') === '') taken++
    }
    expect(taken).toBe(count)
  })
})

describe('names that collide', () => {
  /** The table's own hash, as whoever wants to harm it would compute it: FNV-1a, high bits folded in. */
  function hash(name: string): number {
    let value = 0x811c9dc5 | 0
    for (const byte of Buffer.from(name)) value = Math.imul(value ^ byte, 0x01000193)
    return value ^ (value >>> 15)
  }

  const wanted = 300
  const colliding: string[] = []
  for (let number = 0; colliding.length < wanted; number++) {
    const name = `n${number.toString(36)}`
    if ((hash(name) & 0xfff) === 0x123) colliding.push(name)
  }

  it('cost a bounded number of steps each time they are looked up', () => {
    const occurrences = wanted * 20
    const elements = numbered(occurrences, (n) => `<${colliding[(n * 7) % wanted]}/>`)
    const tree = readTree(Buffer.from(`<a>${elements}</a>`))
    expect(tree.records.names.count).toBe(wanted + 2)
    expect(tree.local(tree.first(0))).toBe(colliding[0])
    expect(tree.records.names.collisions).toBeGreaterThan(wanted)
    expect(tree.records.names.collisions).toBeLessThanOrEqual(16 * (occurrences + wanted))
  })

  it('are still told apart', () => {
    const attributes = colliding.map((name, index) => ` ${name}="${index}"`).join('')
    const limits = { ...defaultXmlLimits, maxAttributes: 1000 }
    const tree = readTree(Buffer.from(`<a${attributes}/>`), limits)
    expect(tree.attributes(0).map(({ local }) => local)).toEqual(colliding)
    expect(tree.attribute(0, colliding[wanted - 1]!)).toBe(String(wanted - 1))
    expect(reasonFor(`<a${attributes} ${colliding[200]}=""/>`, limits)).toBe('duplicate-attribute')
  })
})

describe('what might stand for markup', () => {
  it('is never markup: strings that look like it in values, text, comments and CDATA', () => {
    const text = `<a b="&lt;c/>" d='&lt;/a>'>&lt;e/&gt;<!-- <f> </a> --><![CDATA[<g></a>]]></a>`
    const tree = readTree(Buffer.from(text))
    expect(tree.records.count).toBe(1)
    expect([tree.attribute(0, 'b'), tree.attribute(0, 'd'), tree.text(0)]).toEqual(['<c/>', '</a>', '<e/><g></a>'])
  })

  it('is joined across comments, so that nobody reads half of an identifier', () => {
    const tree = readTree(Buffer.from('<NameID>admin@example.org<!-- -->.evil.example</NameID>'))
    expect(tree.text(0)).toBe('admin@example.org.evil.example')
  })

  it('is not resolved twice', () => {
    expect(readTree(Buffer.from('<a>&amp;lt;b/&amp;gt;&#38;lt;</a>')).text(0)).toBe('&lt;b/&gt;&lt;')
  })
})
