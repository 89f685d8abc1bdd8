import { describe, expect, it } from 'vitest'
import { canonicalize } from '../../../src/wire/c14n.ts'
import { defaultXmlLimits, XmlError, XmlReader } from '../../../src/wire/xml.ts'

function reader(text: string, limits = defaultXmlLimits): XmlReader {
  return new XmlReader(Buffer.from(text, 'utf8'), limits)
}

/** Every step, until the end or the error. */
function steps(walk: XmlReader): string[] {
  const told: string[] = []
  for (;;) {
    const found = walk.next()
    if (found === 'eof') return told
    told.push(found === 'start' ? `${walk.depth()} ${walk.local()}` : `${walk.depth()} /`)
  }
}

describe('XmlReader', () => {
  it('tells starts and ends with their depth', () => {
    expect(steps(reader('<a><b/><c><d></d></c></a>'))).toEqual(['1 a', '2 b', '2 /', '2 c', '3 d', '3 /', '2 /', '1 /'])
  })

  it('tells the name and the attributes of the element just started', () => {
    const walk = reader('<p:a xmlns:p="urn:p" b="1" p:b="&lt;"/>')
    walk.next()
    expect([walk.local(), walk.namespace(), walk.attribute('b'), walk.attribute('b', 'urn:p')]).toEqual([
      'a',
      'urn:p',
      '1',
      '<',
    ])
    expect(walk.attribute('c')).toBe(undefined)
  })

  it('says whether text stood between two tags', () => {
    const walk = reader('<a> <b>x</b>\n<!-- y --><c/>&amp;<d/></a>')
    const told: boolean[] = []
    while (walk.next() !== 'eof') told.push(walk.hasText())
    expect(told).toEqual([false, false, true, false, false, true, false, false])
  })

  it('forgets the text inside what was skipped or taken', () => {
    const walk = reader('<a><b>x</b><b>x</b></a>')
    walk.next()
    walk.next()
    walk.skip()
    expect([walk.next(), walk.hasText()]).toEqual(['start', false])
    walk.subtree()
    expect([walk.next(), walk.hasText()]).toEqual(['end', false])
  })

  it('gives the element just started as a tree with what it inherits', () => {
    const walk = reader('<a xmlns="urn:a" xmlns:p="urn:p" xmlns:q="urn:q"><p:b c="1" ID="x">t<d/></p:b><e/></a>')
    walk.next()
    walk.next()
    const tree = walk.subtree()
    expect(tree.local(tree.root)).toBe('b')
    expect(tree.namespace(tree.first(tree.root))).toBe('urn:a')
    expect([tree.attribute(tree.root, 'c'), tree.text(tree.root)]).toEqual(['1', 't'])
    expect(tree.idAttributes).toEqual([{ node: 0, value: 'x' }])
    expect(canonicalize(tree, tree.root, { inclusivePrefixes: ['#default', 'q'] })).toBe(
      '<p:b xmlns="urn:a" xmlns:p="urn:p" xmlns:q="urn:q" ID="x" c="1">t<d></d></p:b>',
    )
    expect([walk.next(), walk.local(), walk.depth()]).toEqual(['start', 'e', 2])
  })

  it('keeps a subtree whole until the next one is taken', () => {
    const walk = reader(
      '<a xmlns:p="urn:p"><p:b xmlns:r="urn:r" r:c="1">first</p:b><d xmlns:p="urn:other" xmlns:s="urn:s" e="2"><p:f/></d><g>second</g></a>',
    )
    walk.next()
    walk.next()
    const first = walk.subtree()
    const form = canonicalize(first, 0, { inclusivePrefixes: ['p', 'r'] })
    walk.next()
    walk.next()
    walk.next()
    walk.next()
    expect(canonicalize(first, 0, { inclusivePrefixes: ['p', 'r'] })).toBe(form)
    expect([first.text(0), first.attribute(0, 'c', 'urn:r')]).toEqual(['first', '1'])
    walk.next()
    expect(walk.subtree().text(0)).toBe('second')
  })

  it('takes an empty element, and the root', () => {
    const walk = reader('<a b="1"/>')
    walk.next()
    const tree = walk.subtree()
    expect([tree.attribute(0, 'b'), tree.start(0), tree.end(0)]).toEqual(['1', 0, 10])
    expect([walk.next(), walk.next()]).toEqual(['eof', 'eof'])
  })

  it('skips whatever is inside an element, strictly', () => {
    const walk = reader('<a><b><c d="1"/>text<e/></b><f/></a>')
    walk.next()
    walk.next()
    walk.skip()
    expect([walk.next(), walk.local()]).toEqual(['start', 'f'])
    const damaged = reader('<a><b><c d="1" d="2"/></b></a>')
    damaged.next()
    damaged.next()
    expect(() => damaged.skip()).toThrow(XmlError)
  })

  it('counts the nodes of each subtree, not of the document', () => {
    const limits = { ...defaultXmlLimits, maxNodes: 4 }
    const walk = reader(`<a>${'<b>t<c/></b>'.repeat(100)}</a>`, limits)
    walk.next()
    let taken = 0
    while (walk.next() === 'start') {
      walk.subtree()
      taken++
    }
    expect(taken).toBe(100)
    const large = reader('<a><b>1<c/>2<c/></b></a>', limits)
    large.next()
    large.next()
    expect(() => large.subtree()).toThrow(expect.objectContaining({ reason: 'too-many-nodes' }))
  })

  it('counts depth from the root of the document', () => {
    const limits = { ...defaultXmlLimits, maxDepth: 3 }
    const walk = reader('<a><b><c><d/></c></b></a>', limits)
    walk.next()
    walk.next()
    expect(() => walk.subtree()).toThrow(expect.objectContaining({ reason: 'too-deep' }))
  })

  it('only knows at the end that the document was well-formed', () => {
    const walk = reader('<a><b>t</b></a><c/>')
    walk.next()
    walk.next()
    expect(walk.subtree().text(0)).toBe('t')
    walk.next()
    expect(() => walk.next()).toThrow(expect.objectContaining({ reason: 'malformed' }))
  })

  it('does not go on after an error', () => {
    const walk = reader('<a><b></c></a>')
    expect(() => steps(walk)).toThrow(expect.objectContaining({ reason: 'mismatched-tag' }))
    expect(() => walk.next()).toThrow(XmlError)
    expect(() => walk.next()).toThrow(XmlError)
  })

  it.each([
    ['duplicate-attribute', '<a><b c="1" c="2"/></a>'],
    ['name', '<a><b c="1" :c="2"/></a>'],
    ['namespace', '<a><b xmlns:c=""/></a>'],
    ['too-many-names', '<a><b c="" d="" e="" f="" g=""/></a>'],
    ['entity', '<a><b c="&d;"/></a>'],
  ])('does not take the rest of a refused tag for text (%s)', (reason, text) => {
    const walk = reader(text, { ...defaultXmlLimits, maxNames: 6 })
    walk.next()
    expect(() => walk.next()).toThrow(expect.objectContaining({ reason }))
    expect(() => walk.next()).toThrow(XmlError)
  })

  it.each(['local', 'subtree', 'skip'] as const)('refuses %s when no element has just started', (method) => {
    const walk = reader('<a><b/></a>')
    expect(() => walk[method]()).toThrow(TypeError)
    walk.next()
    walk.next()
    walk.next()
    expect(() => walk[method]()).toThrow(TypeError)
  })

  it('refuses in its constructor what is not a text', () => {
    expect(() => new XmlReader(Buffer.from([0xff, 0xfe]))).toThrow(expect.objectContaining({ reason: 'encoding' }))
  })

  it('tells how far it has read', () => {
    const walk = reader('<a><b/></a>')
    walk.next()
    expect(walk.offset()).toBe(3)
    walk.next()
    expect(walk.offset()).toBe(7)
  })
})
