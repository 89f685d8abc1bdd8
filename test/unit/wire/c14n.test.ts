import { DOMParser, type Element } from '@xmldom/xmldom'
import { describe, expect, it } from 'vitest'
import { ExclusiveCanonicalization } from 'xml-crypto'
import { canonicalBytes, canonicalize, withCanonicalBytes } from '../../../src/wire/c14n.ts'
import { defaultXmlLimits, NONE, readTree, XmlError, type XmlTree } from '../../../src/wire/xml.ts'
import { randomFrom, XmlGenerator } from '../../security/xml-generator.ts'

function read(text: string): XmlTree {
  return readTree(Buffer.from(text, 'utf8'))
}

function form(text: string): string {
  return canonicalize(read(text), 0)
}

describe('the examples of Exclusive XML Canonicalization 1.0 §2.2', () => {
  const first = `<n0:local xmlns:n0="foo:bar" xmlns:n3="ftp://example.org">
   <n1:elem2 xmlns:n1="http://example.net" xml:lang="en">
       <n3:stuff xmlns:n3="ftp://example.org"/>
   </n1:elem2>
</n0:local>`
  const second = `<n2:pdu xmlns:n1="http://example.com" xmlns:n2="http://foo.example" xmlns:n3="http://baz.example"
    xml:lang="fr" xml:space="retain">
   <n1:elem2 xmlns:n1="http://example.net" xml:lang="en">
       <n3:stuff xmlns:n3="ftp://example.org"/>
   </n1:elem2>
</n2:pdu>`
  const expected = `<n1:elem2 xmlns:n1="http://example.net" xml:lang="en">
       <n3:stuff xmlns:n3="ftp://example.org"></n3:stuff>
   </n1:elem2>`

  it.each([first, second])('give the same form in either context', (text) => {
    const tree = read(text)
    expect(canonicalize(tree, tree.first(tree.root))).toBe(expected)
  })

  it('give back the context of prefixes that are to be inclusive', () => {
    const tree = read(first)
    expect(canonicalize(tree, tree.first(tree.root), { inclusivePrefixes: ['n0', 'n3', '#default'] })).toBe(
      `<n1:elem2 xmlns:n0="foo:bar" xmlns:n1="http://example.net" xmlns:n3="ftp://example.org" xml:lang="en">
       <n3:stuff></n3:stuff>
   </n1:elem2>`,
    )
  })
})

describe('canonicalize', () => {
  it.each([
    ['opens empty elements', '<a><b /></a >', '<a><b></b></a>'],
    ['drops comments and joins what they part', '<a>b<!-- c -->d</a>', '<a>bd</a>'],
    ['turns CDATA into text', '<a><![CDATA[<&>"]]></a>', '<a>&lt;&amp;&gt;"</a>'],
    ['keeps white space in content', '<a>\n <b/>\t</a>', '<a>\n <b></b>\t</a>'],
    ['normalises line ends', '<a>\r\n\r</a>', '<a>\n\n</a>'],
    ['writes a carriage return that was meant as a reference', '<a>&#13;</a>', '<a>&#xD;</a>'],
    ['escapes in text only what must be', `<a>&lt;&gt;&amp;&quot;&apos;</a>`, `<a>&lt;&gt;&amp;"'</a>`],
    [
      'escapes in values only what must be',
      `<a b='&lt;>&amp;"&apos;&#9;&#10;&#13;'/>`,
      `<a b="&lt;>&amp;&quot;'&#x9;&#xA;&#xD;"></a>`,
    ],
    ['normalises values', '<a b="\t\r\n"/>', '<a b="  "></a>'],
    ['writes referenced characters themselves', '<a b="&#xe8;">&#x1F600;</a>', '<a b="è">😀</a>'],
    ['drops white space in tags', '<a  b = "1"\n></a>', '<a b="1"></a>'],
    [
      'sorts attributes without namespace first, then by namespace and local name',
      '<a xmlns:x="urn:b" xmlns:y="urn:a" x:c="" y:d="" y:b="" z="" a=""/>',
      '<a xmlns:x="urn:b" xmlns:y="urn:a" a="" z="" y:b="" y:d="" x:c=""></a>',
    ],
    [
      'sorts xml:lang by its namespace name',
      '<a xmlns:x="urn:a" xml:lang="it" x:b="" c=""/>',
      '<a xmlns:x="urn:a" c="" xml:lang="it" x:b=""></a>',
    ],
    ['sorts by code points, not by UTF-16 units', '<a 𐀀="" \ufa0e=""/>', '<a \ufa0e="" 𐀀=""></a>'],
    [
      'sorts declarations by prefix, the default first',
      '<b:a xmlns:b="urn:b" xmlns:a="urn:a" xmlns="urn:c" a:x=""><c/></b:a>',
      '<b:a xmlns:a="urn:a" xmlns:b="urn:b" a:x=""><c xmlns="urn:c"></c></b:a>',
    ],
    [
      'drops declarations that nothing uses',
      '<a xmlns:x="urn:x" xmlns:xml="http://www.w3.org/XML/1998/namespace"/>',
      '<a></a>',
    ],
    [
      'declares where a prefix is used',
      '<a xmlns:x="urn:x"><x:b/><x:c/></a>',
      '<a><x:b xmlns:x="urn:x"></x:b><x:c xmlns:x="urn:x"></x:c></a>',
    ],
    [
      'does not declare again what an ancestor shows',
      '<x:a xmlns:x="urn:x"><b xmlns:x="urn:x"><x:c/></b></x:a>',
      '<x:a xmlns:x="urn:x"><b><x:c></x:c></b></x:a>',
    ],
    [
      'declares a prefix anew',
      '<x:a xmlns:x="urn:x"><x:b xmlns:x="urn:y"/><x:c/></x:a>',
      '<x:a xmlns:x="urn:x"><x:b xmlns:x="urn:y"></x:b><x:c></x:c></x:a>',
    ],
    [
      'undoes the default namespace only where one is shown',
      '<x:a xmlns="urn:d" xmlns:x="urn:x"><b xmlns=""/><c><d xmlns=""/></c></x:a>',
      '<x:a xmlns:x="urn:x"><b></b><c xmlns="urn:d"><d xmlns=""></d></c></x:a>',
    ],
    ['escapes namespace names', '<a xmlns="http://a?b&amp;c"/>', '<a xmlns="http://a?b&amp;c"></a>'],
    ['leaves out what stands around the root', '<!-- a -->\n<b/>\n', '<b></b>'],
  ])('%s', (_, text, expected) => {
    expect(form(text)).toBe(expected)
  })

  it('gives a form that is its own form', () => {
    for (let seed = 0; seed < 300; seed++) {
      const text = new XmlGenerator(randomFrom(seed)).document()
      if (text.includes('<?')) continue
      const once = form(text)
      expect(form(once)).toBe(once)
    }
  })

  it.each([
    ['another space', ' c:d="', '\tc:d="', undefined],
    ['two spaces', ' c:d="', '  c:d="', undefined],
    ['a space before the equals sign', 'c:d="', 'c:d ="', undefined],
    ['a space after it', 'c:d="', 'c:d= "', undefined],
    ['a space before the tag closes', '"><b>', '" ><b>', undefined],
    ['a space before an end tag closes', '</b>', '</b >', undefined],
    ['an empty element', '<e></e>', '<e/>', undefined],
    ['single quotes', 'e="1"', "e='1'", undefined],
    ['single quotes around double ones', 'e="1"', `e='"'`, 'e="&quot;"'],
    ['single quotes in a declaration', '"urn:c"', "'urn:c'", undefined],
    ['a reference in a value', 'e="1"', 'e="&#49;"', undefined],
    ['a line end in a value', 'e="1"', 'e="\n"', 'e=" "'],
    ['a reference in a namespace', '"urn:c"', '"urn:&#99;"', undefined],
    ['attributes in another order', 'e="1" c:d="2"', 'c:d="2" e="1"', undefined],
    ['an attribute before a declaration', 'xmlns:c="urn:c" e="1"', 'e="1" xmlns:c="urn:c"', undefined],
    ['declarations in another order', 'xmlns="urn:a" xmlns:c="urn:c"', 'xmlns:c="urn:c" xmlns="urn:a"', undefined],
    ['a declaration too many', ' e="1"', ' xmlns:z="urn:z" e="1"', ' e="1"'],
    ['one declared already', '<b>', '<b xmlns:c="urn:c">', '<b>'],
    ['a literal >', 'short', 's>t', 's&gt;t'],
    ['a literal > far on', 'short', `${'x'.repeat(99)}>`, `${'x'.repeat(99)}&gt;`],
    ['a numeric reference', 'short', '&#60;', '&lt;'],
    ['a reference to what needs none', 'short', '&quot;&apos;', `"'`],
    ['a carriage return', 'short', 'a\r\nb', 'a\nb'],
    ['a comment', 'short', 's<!-- -->t', 'st'],
    ['CDATA', 'short', '<![CDATA[<]]>', '&lt;'],
  ])('mends %s in what is in canonical form but for that', (_, original, written, canonical = original) => {
    const text = '<a xmlns="urn:a" xmlns:c="urn:c" e="1" c:d="2"><b>short</b>&amp;&lt;&gt;<e></e><c:f></c:f></a>'
    expect(form(text)).toBe(text)
    expect(form(text.replace(original, written))).toBe(text.replace(original, canonical))
  })

  it('sorts declarations that are as long as each other', () => {
    expect(form('<a:a xmlns:b="urn:b" xmlns:a="urn:a" b:b=""></a:a>')).toBe(
      '<a:a xmlns:a="urn:a" xmlns:b="urn:b" b:b=""></a:a>',
    )
  })

  it('declares what an element out of its context needs, before what the element declares itself', () => {
    const tree = read('<a:a xmlns:a="urn:a"><a:b xmlns:c="urn:c" c:d=""></a:b></a:a>')
    expect(canonicalize(tree, 1)).toBe('<a:b xmlns:a="urn:a" xmlns:c="urn:c" c:d=""></a:b>')
  })

  it('leaves one descendant out, with all that is in it and nothing around it', () => {
    const tree = read('<a ID="1"> <ds:S xmlns:ds="urn:ds"><x/>y</ds:S> <b/></a>')
    const signature = tree.child(tree.root, 'urn:ds', 'S')
    expect(canonicalize(tree, tree.root, { omit: signature })).toBe('<a ID="1">  <b></b></a>')
    expect(canonicalize(tree, tree.root, { omit: NONE })).toContain('<ds:S')
  })

  it('leaves out a last child, an only child and a deep one', () => {
    const tree = read('<a><b/><c><d>e</d></c></a>')
    const [, c] = tree.children(tree.root)
    expect(canonicalize(tree, tree.root, { omit: c! })).toBe('<a><b></b></a>')
    expect(canonicalize(tree, c!, { omit: tree.first(c!) })).toBe('<c></c>')
    expect(canonicalize(tree, tree.root, { omit: tree.first(c!) })).toBe('<a><b></b><c></c></a>')
  })

  it('takes the inclusive prefixes from the nearest declaration', () => {
    const tree = read('<a xmlns:p="urn:1" xmlns="urn:d"><b xmlns:p="urn:2" xmlns=""><c/></b></a>')
    const b = tree.first(tree.root)
    expect(canonicalize(tree, tree.first(b), { inclusivePrefixes: ['p', '#default'] })).toBe('<c xmlns:p="urn:2"></c>')
    expect(canonicalize(tree, tree.root, { inclusivePrefixes: ['p', '#default'] })).toBe(
      '<a xmlns="urn:d" xmlns:p="urn:1"><b xmlns="" xmlns:p="urn:2"><c></c></b></a>',
    )
  })

  it('passes over inclusive prefixes that are unknown, undeclared there, or reserved', () => {
    const tree = read('<a><b xmlns:p="urn:p"/><c/></a>')
    const inclusivePrefixes = ['p', 'unknown', 'xml', 'xmlns', '', '#other']
    expect(canonicalize(tree, tree.next(tree.first(tree.root)), { inclusivePrefixes })).toBe('<c></c>')
  })

  it('is the same as bytes', () => {
    const tree = read('<a b="è">😀</a>')
    expect(canonicalBytes(tree, 0)).toEqual(Buffer.from(canonicalize(tree, 0), 'utf8'))
  })

  it.each([
    '<a xmlns="relative"/>',
    '<a xmlns:p="../b"/>',
    '<a><b xmlns:p="//host/path"/></a>',
    '<a><b xmlns:p="#fragment"/></a>',
    '<a xmlns:p="urn:with space"/>',
  ])('refuses the relative namespace name in %s', (text) => {
    expect(() => form(text)).toThrow(expect.objectContaining({ reason: 'relative-namespace' }))
  })

  it('refuses a relative namespace name that is inherited and used', () => {
    const tree = read('<a xmlns:p="relative"><p:b/><c/></a>')
    const b = tree.first(tree.root)
    expect(() => canonicalize(tree, b)).toThrow(expect.objectContaining({ reason: 'relative-namespace' }))
    expect(canonicalize(tree, tree.next(b))).toBe('<c></c>')
    expect(() => canonicalize(tree, tree.next(b), { inclusivePrefixes: ['p'] })).toThrow(XmlError)
  })

  it('throws rather than give an empty form', () => {
    const tree = read('<a><b/></a>')
    const empty = expect.objectContaining({ reason: 'empty-canonical-form' })
    expect(() => canonicalize(tree, NONE)).toThrow(empty)
    expect(() => canonicalize(tree, 1, { omit: 1 })).toThrow(empty)
  })

  it('refuses a form larger than the message may be', () => {
    const limits = { ...defaultXmlLimits, maxBytes: 20_000 }
    const text = `<a xmlns:p="urn:${'x'.repeat(1000)}">${'<p:b/>'.repeat(100)}</a>`
    const tree = readTree(Buffer.from(text), limits)
    expect(() => canonicalize(tree, tree.root)).toThrow(expect.objectContaining({ reason: 'too-large' }))
    expect(canonicalize(tree, tree.first(tree.root))).toBe(`<p:b xmlns:p="urn:${'x'.repeat(1000)}"></p:b>`)
  })

  it('refuses it as well when only its last part, which is copied as it stands, is too much', () => {
    const text = `<a><b>>>></b>${'x'.repeat(100)}</a>`
    const expected = text.replace('>>>>', '>&gt;&gt;&gt;')
    const roomy = readTree(Buffer.from(text), { ...defaultXmlLimits, maxBytes: expected.length })
    expect(canonicalize(roomy, 0)).toBe(expected)
    const tight = readTree(Buffer.from(text), { ...defaultXmlLimits, maxBytes: expected.length - 1 })
    expect(() => canonicalize(tight, 0)).toThrow(expect.objectContaining({ reason: 'too-large' }))
  })
})

describe('withCanonicalBytes', () => {
  const tree = read('<a><b>è</b><c/></a>')
  const long = read(`<a><b>${'x>'.repeat(50_000)}</b></a>`)

  it('gives the bytes to use and returns what that makes of them', () => {
    expect(withCanonicalBytes(tree, 0, { omit: 2 }, (bytes) => bytes.toString('utf8'))).toBe('<a><b>è</b></a>')
    expect(withCanonicalBytes(long, 0, {}, (bytes) => Buffer.from(bytes))).toEqual(canonicalBytes(long, 0))
  })

  it('may be called while bytes of another are in use', () => {
    const both = withCanonicalBytes(tree, 1, {}, (outer) =>
      withCanonicalBytes(tree, 2, {}, (inner) => `${outer.toString('utf8')} ${inner.toString('utf8')}`),
    )
    expect(both).toBe('<b>è</b> <c></c>')
  })

  it('goes on after a use that throws, and after a form that is refused', () => {
    const thrown = new Error('thrown in use')
    const refused = read('<a xmlns="relative"/>')
    expect(() =>
      withCanonicalBytes(tree, 0, {}, () => {
        throw thrown
      }),
    ).toThrow(thrown)
    expect(() => withCanonicalBytes(refused, 0, {}, String)).toThrow(XmlError)
    expect(withCanonicalBytes(tree, 2, {}, String)).toBe('<c></c>')
  })

  it.each([
    ['short', tree],
    ['long', long],
  ])('leaves %s bytes that canonicalBytes gave as they are', (_, from) => {
    const kept = canonicalBytes(from, 1)
    const copy = Buffer.from(kept)
    canonicalBytes(tree, 2)
    canonicalBytes(long, 0)
    expect(kept).toEqual(copy)
  })
})

describe('canonicalize and xml-crypto', () => {
  /** xml-crypto sorts prefixes as a dictionary would, so the documents have no letters beyond ASCII in them. */
  const documents = Array.from({ length: 1200 }, (_, seed) => {
    const generator = new XmlGenerator(randomFrom(seed + 5000))
    const text = generator.document().replaceAll('è', 'e').replaceAll('é', 'f').replaceAll('𐀀', 'z')
    return { generator, text }
  }).filter(({ text }) => !text.includes('<?'))

  it('make the same form of any element, with inclusive prefixes and with an element left out', () => {
    let omitted = 0
    for (const { generator, text } of documents) {
      const tree = read(text)
      const elements = [...new DOMParser().parseFromString(text, 'text/xml').getElementsByTagName('*')]
      const node = generator.below(elements.length)
      const element = elements[node]!
      const child = generator.pick([NONE, ...tree.children(node)])
      const ancestors = declarationsAbove(element)
      const inclusivePrefixes = ['p', 'q', 'ns2'].filter((prefix) => {
        // Where a prefix is declared twice above, xml-crypto declares either, or both.
        return ancestors.filter((declared) => declared.prefix === prefix).length < 2 && generator.chance(0.5)
      })
      const ours = canonicalize(tree, node, { inclusivePrefixes, omit: child })
      if (child !== NONE) {
        element.removeChild(elements[child]!)
        omitted++
      }
      const theirs = new ExclusiveCanonicalization().process(
        element as unknown as Parameters<ExclusiveCanonicalization['process']>[0],
        {
          inclusiveNamespacesPrefixList: inclusivePrefixes,
          ancestorNamespaces: ancestors,
        },
      )
      expect(ours).toBe(theirs)
    }
    expect(omitted).toBeGreaterThan(100)
  })

  function declarationsAbove(element: Element): { prefix: string; namespaceURI: string }[] {
    const found: { prefix: string; namespaceURI: string }[] = []
    for (let above: Element | null = element; above !== null; above = above.parentElement) {
      for (const { name, value } of above.attributes) {
        if (name.startsWith('xmlns:')) found.push({ prefix: name.slice(6), namespaceURI: value })
      }
    }
    return found
  }
})
