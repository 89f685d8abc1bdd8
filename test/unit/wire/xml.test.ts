import { describe, expect, it } from 'vitest'
import {
  defaultXmlLimits,
  NONE,
  readTree,
  readTreeInSteps,
  XmlError,
  type XmlReason,
  type XmlTree,
} from '../../../src/wire/xml.ts'
import { xmlReasons } from '../../../src/wire/xml-error.ts'

function read(text: string | Uint8Array) {
  return readTree(typeof text === 'string' ? Buffer.from(text, 'utf8') : text)
}

function reasonFor(text: string | Uint8Array, limits = defaultXmlLimits): XmlReason | 'accepted' {
  try {
    readTree(typeof text === 'string' ? Buffer.from(text, 'utf8') : text, limits)
    return 'accepted'
  } catch (error) {
    if (error instanceof XmlError) return error.reason
    throw error
  }
}

const latin1 = (text: string) => Buffer.from(text, 'latin1')

describe('readTree', () => {
  it.each([
    ['an empty element', '<a/>'],
    ['an element with an end tag that has white space', '<a></a \n\t>'],
    ['a byte order mark', '\ufeff<a/>'],
    ['a byte order mark and a declaration', '\ufeff<?xml version="1.0"?><a/>'],
    ['a declaration with everything', '<?xml version = "1.0"\tencoding=\'UTF-8\' standalone="yes" ?><a/>'],
    ['a declaration with lower case utf-8', '<?xml version="1.0" encoding="utf-8"?><a/>'],
    ['a declaration of US-ASCII over ASCII', '<?xml version="1.0" encoding="US-ASCII"?><a/>'],
    ['white space and comments around the root', '\n<!-- a -->\r\n<a/>\n<!-- b -->\t'],
    ['an empty comment', '<a><!----></a>'],
    ['a comment with markup in it', '<a><!-- <b> & ]]> - --></a>'],
    ['CDATA with markup in it', '<a><![CDATA[<b> & ]] ]>]]></a>'],
    ['an empty CDATA section', '<a><![CDATA[]]></a>'],
    ['the five entities', '<a b="&lt;&gt;&amp;&quot;&apos;">&lt;&gt;&amp;&quot;&apos;</a>'],
    ['character references', '<a b="&#65;&#x41;&#x10FFFF;">&#9;&#xA;&#xd;&#xE000;</a>'],
    ['> and quotes in text, > in values', `<a b=">">>"'</a>`],
    ['the other quote inside a value', `<a b="'" c='"'/>`],
    ['white space around =', '<a b =\n"1" c= "2"/>'],
    ['names beyond ASCII', '<é:ä·‿ xmlns:é="urn:e" 𐀀="1"/>'],
    ['C1 controls and U+FDD0, which XML 1.0 allows', '<a>\u0085\u009f\ufdd0\u007f</a>'],
    ['the xml prefix undeclared', '<a xml:lang="it" xml:id="x"/>'],
    ['the xml prefix declared as what it is', '<a xmlns:xml="http://www.w3.org/XML/1998/namespace" xml:lang="it"/>'],
    ['the default namespace undone', '<a xmlns="urn:a"><b xmlns=""/></a>'],
    ['a prefix declared after its use in the same tag', '<p:a p:b="" xmlns:p="urn:p"/>'],
    ['a prefix declared anew, and its sibling after it', '<p:a xmlns:p="urn:p"><p:b xmlns:p="urn:q"/><p:c/></p:a>'],
    ['one local name in two namespaces', '<a xmlns:p="urn:p" xmlns:q="urn:q" b="" p:b="" q:b=""/>'],
    ['an unprefixed attribute beside one in the default namespace', '<a xmlns="urn:a" xmlns:p="urn:a" b="" p:b=""/>'],
    ['a local name that begins with xml', '<xmla xmlb=""/>'],
    ['an element called xmlns', '<xmlns/>'],
    ['a namespace name that is no URI', '<a xmlns:p="not a uri"/>'],
  ])('accepts %s', (_, text) => {
    expect(reasonFor(text)).toBe('accepted')
  })

  const refused: readonly [string, XmlReason, string | Uint8Array][] = [
    ['nothing', 'truncated', ''],
    ['only white space', 'truncated', ' \n'],
    ['only a declaration', 'truncated', '<?xml version="1.0"?>'],
    ['only a comment', 'truncated', '<!-- a -->'],
    ['text alone', 'malformed', 'a'],
    ['JSON', 'malformed', '{"a":1}'],
    ['an element not closed', 'truncated', '<a><b></b>'],
    ['a start tag not closed', 'truncated', '<a'],
    ['a start tag not closed after others', 'truncated', '<a><b/><c'],
    ['an attribute value not closed', 'truncated', '<a b=">'],
    ['a comment not closed', 'truncated', '<a/><!-- - >'],
    ['a CDATA section not closed', 'truncated', '<a><![CDATA[</a>'],
    ['the wrong end tag', 'mismatched-tag', '<a></b>'],
    ['an end tag with a longer name', 'mismatched-tag', '<a></ab>'],
    ['an end tag with a shorter name', 'mismatched-tag', '<abcdef></abcde>'],
    [
      'an end tag with another prefix of the same namespace',
      'mismatched-tag',
      '<p:a xmlns:p="urn:p" xmlns:q="urn:p"></q:a>',
    ],
    ['an end tag with attributes', 'mismatched-tag', '<a></a b="">'],
    ['an end tag without a start', 'mismatched-tag', '</a>'],
    ['crossed elements', 'mismatched-tag', '<a><b></a></b>'],
    ['two roots', 'malformed', '<a/><b/>'],
    ['text after the root', 'malformed', '<a/>b'],
    ['text after the root, before a comment', 'malformed', '<a/>b<!-- -->'],
    ['text before the root', 'malformed', 'b<a/>'],
    ['CDATA after the root', 'malformed', '<a/><![CDATA[]]>'],
    ['an end tag after the root', 'mismatched-tag', '<a/></a>'],
    ['a second byte order mark', 'malformed', '\ufeff\ufeff<a/>'],
    ['a document type', 'doctype', '<!DOCTYPE a><a/>'],
    ['a document type with entities', 'doctype', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
    ['a document type inside the root', 'doctype', '<a><!DOCTYPE a></a>'],
    ['a document type in lower case', 'malformed', '<!doctype a><a/>'],
    ['a document type after the root', 'doctype', '<a/><!DOCTYPE a>'],
    ['a declaration of an element', 'malformed', '<a><!ELEMENT a ANY></a>'],
    ['a processing instruction before the root', 'processing-instruction', '<?b?><a/>'],
    ['a processing instruction inside the root', 'processing-instruction', '<a><?b c?></a>'],
    ['a processing instruction after the root', 'processing-instruction', '<a/><?b?>'],
    ['a style sheet', 'processing-instruction', '<?xml-stylesheet href="a"?><a/>'],
    ['a declaration that does not stand first', 'processing-instruction', ' <?xml version="1.0"?><a/>'],
    ['a second declaration', 'processing-instruction', '<?xml version="1.0"?><?xml version="1.0"?><a/>'],
    ['XML 1.1', 'declaration', '<?xml version="1.1"?><a/>'],
    ['a declaration without version', 'declaration', '<?xml encoding="UTF-8"?><a/>'],
    ['a declaration in the wrong order', 'declaration', '<?xml version="1.0" standalone="yes" encoding="UTF-8"?><a/>'],
    ['a declaration that says standalone="maybe"', 'declaration', '<?xml version="1.0" standalone="maybe"?><a/>'],
    ['a declaration without an end', 'declaration', '<?xml version="1.0"><a/>'],
    ['a declaration with mixed quotes', 'declaration', `<?xml version="1.0'?><a/>`],
    ['a declaration of a thousand spaces', 'declaration', `<?xml version="1.0"${' '.repeat(1100)}?><a/>`],
    ['Latin-1 by declaration', 'encoding', '<?xml version="1.0" encoding="ISO-8859-1"?><a/>'],
    ['Latin-1 by declaration and bytes', 'encoding', latin1('<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe8</a>')],
    ['Latin-1 without declaration', 'encoding', latin1('<a>\xe8</a>')],
    ['UTF-16 with a byte order mark', 'encoding', Buffer.from('\ufeff<a/>', 'utf16le')],
    ['UTF-16 without one', 'encoding', Buffer.from('<a/>', 'utf16le')],
    ['UTF-16 by declaration only', 'encoding', '<?xml version="1.0" encoding="UTF-16"?><a/>'],
    ['US-ASCII by declaration over other bytes', 'encoding', '<?xml version="1.0" encoding="us-ascii"?><a>è</a>'],
    ['UTF-7', 'encoding', '<?xml version="1.0" encoding="UTF-7"?><a/>'],
    ['an overlong <', 'encoding', latin1('<a>\xc0\xbc</a>')],
    ['an encoded surrogate', 'encoding', latin1('<a>\xed\xa0\x80</a>')],
    ['beyond Unicode', 'encoding', latin1('<a>\xf4\x90\x80\x80</a>')],
    ['a character cut off', 'encoding', latin1('<a>\xe2\x82</a>')],
    ['NUL in text', 'character', '<a>\0</a>'],
    ['a control in text', 'character', '<a>some text \x0b</a>'],
    ['a control in a value', 'character', '<a b="some value \x01"/>'],
    ['a control in a comment', 'character', '<a><!-- \x08 --></a>'],
    ['a control in CDATA', 'character', '<a><![CDATA[\x1f]]></a>'],
    ['U+FFFE in text', 'character', '<a>\ufffe</a>'],
    ['U+FFFF in a value', 'character', '<a b="\uffff"/>'],
    ['U+FFFF in a comment', 'character', '<a><!--\uffff--></a>'],
    ['a reference to NUL', 'character', '<a>&#0;</a>'],
    ['a reference to a control', 'character', '<a>&#x1F;</a>'],
    ['a reference to a surrogate', 'character', '<a>&#xD800;</a>'],
    ['a reference to U+FFFE', 'character', '<a b="&#xFFFE;"/>'],
    ['a reference beyond Unicode', 'character', '<a>&#x110000;</a>'],
    ['a reference that wraps around to A', 'character', '<a>&#4294967361;</a>'],
    ['a reference with an endless number', 'character', `<a>&#${'9'.repeat(400)};</a>`],
    ['an unknown entity', 'entity', '<a>&nbsp;</a>'],
    ['an entity in capitals', 'entity', '<a>&LT;</a>'],
    ['an entity without semicolon', 'entity', '<a>&amp</a>'],
    ['an entity whose semicolon stands in the next element', 'entity', '<a>&lt<b/>;</a>'],
    ['& alone', 'entity', '<a>a & b</a>'],
    ['& alone in a value', 'entity', '<a b="a&b"/>'],
    ['&;', 'entity', '<a>&;</a>'],
    ['&#;', 'entity', '<a>&#;</a>'],
    ['&#x;', 'entity', '<a>&#x;</a>'],
    ['&#X41;', 'entity', '<a>&#X41;</a>'],
    ['hexadecimal digits in a decimal reference', 'entity', '<a>&#4A;</a>'],
    ['a signed reference', 'entity', '<a>&#-1;</a>'],
    [']]> in text', 'malformed', '<a>]]></a>'],
    [']]]> in text', 'malformed', '<a>text ]]]></a>'],
    ['-- in a comment', 'malformed', '<a><!-- a -- b --></a>'],
    ['---> after a comment', 'malformed', '<a><!-- a ---></a>'],
    ['a comment opened and closed by one hyphen pair', 'truncated', '<a><!---></a>'],
    ['< in a value', 'malformed', '<a b="c<d"/>'],
    ['an attribute without value', 'malformed', '<a b/>'],
    ['an attribute without quotes', 'malformed', '<a b=c/>'],
    ['attributes without white space between', 'malformed', '<a b="1"c="2"/>'],
    ['white space inside />', 'malformed', '<a / >'],
    ['an attribute twice', 'duplicate-attribute', '<a b="1" c="" b="1"/>'],
    [
      'an attribute twice by expanded name',
      'duplicate-attribute',
      '<a xmlns:p="urn:p" xmlns:q="urn:p" p:b="" q:b=""/>',
    ],
    ['a declaration twice', 'duplicate-attribute', '<a xmlns:p="urn:p" xmlns:p="urn:p"/>'],
    ['a default declaration twice', 'duplicate-attribute', '<a xmlns="urn:p" xmlns="urn:q"/>'],
    ['an empty name', 'name', '<a>< b/></a>'],
    ['a name that begins with a digit', 'name', '<1a/>'],
    ['a name that begins with a hyphen', 'name', '<a -b=""/>'],
    ['a name that begins with a combining character', 'name', '<\u0301a/>'],
    ['a name with U+00D7', 'name', '<a×/>'],
    ['two colons', 'name', '<p:q:a xmlns:p="urn:p"/>'],
    ['a colon first', 'name', '<:a/>'],
    ['a colon last', 'name', '<a:/>'],
    ['a local part that begins with a digit', 'name', '<p:1 xmlns:p="urn:p"/>'],
    ['an attribute called xmlns:', 'name', '<a xmlns:="urn:p"/>'],
    ['an undeclared element prefix', 'undeclared-prefix', '<p:a/>'],
    ['an undeclared attribute prefix', 'undeclared-prefix', '<a p:b=""/>'],
    ['a prefix declared in a sibling', 'undeclared-prefix', '<a><b xmlns:p="urn:p"/><p:c/></a>'],
    ['a prefix undone', 'namespace', '<p:a xmlns:p="urn:p"><b xmlns:p=""/></p:a>'],
    ['the xml prefix declared as something else', 'namespace', '<a xmlns:xml="urn:p"/>'],
    ['another prefix for the xml namespace', 'namespace', '<a xmlns:p="http://www.w3.org/XML/1998/namespace"/>'],
    ['the xml namespace as default', 'namespace', '<a xmlns="http://www.w3.org/XML/1998/namespace"/>'],
    ['the xmlns prefix declared', 'namespace', '<a xmlns:xmlns="urn:p"/>'],
    ['a prefix for the xmlns namespace', 'namespace', '<a xmlns:p="http://www.w3.org/2000/xmlns/"/>'],
    ['the xmlns namespace as default', 'namespace', '<a xmlns="http://www.w3.org/2000/xmlns/"/>'],
    ['the xmlns namespace, written with references', 'namespace', '<a xmlns="http://www.w3.org/2000/&#120;mlns/"/>'],
    ['a namespace name of 5,000 characters', 'namespace', `<a xmlns="urn:${'a'.repeat(5000)}"/>`],
    ['an element with the xmlns prefix', 'namespace', '<xmlns:a/>'],
  ]

  it.each(refused)('refuses %s (%s)', (_, reason, text) => {
    expect(reasonFor(text)).toBe(reason)
  })

  it('never quotes the document in a message', () => {
    for (const [, , text] of refused) {
      const error = (() => {
        try {
          read(typeof text === 'string' ? text.replaceAll('a', 'ROSSI') : text)
        } catch (caught) {
          return caught
        }
        return undefined
      })()
      if (error instanceof XmlError) expect(error.message).not.toContain('ROSSI')
    }
  })

  it('has a test for every reason', () => {
    const tested = new Set<XmlReason>(refused.map(([, reason]) => reason))
    const elsewhere: readonly XmlReason[] = [
      'relative-namespace',
      'empty-canonical-form',
      'too-large',
      'too-deep',
      'too-many-attributes',
      'too-many-names',
      'too-many-nodes',
      'too-many-namespaces',
    ]
    expect(xmlReasons.filter((reason) => !tested.has(reason)).sort()).toEqual([...elsewhere].sort())
  })

  it('says where it stopped', () => {
    expect(() => read('<a>\n<b></c></a>')).toThrow(expect.objectContaining({ reason: 'mismatched-tag', offset: 7 }))
  })
})

describe('the limits', () => {
  const nested = (depth: number) => '<a>'.repeat(depth) + '</a>'.repeat(depth)

  it('count the root as depth 1', () => {
    expect(defaultXmlLimits.maxDepth).toBe(64)
    expect(reasonFor(nested(64))).toBe('accepted')
    expect(reasonFor(nested(65))).toBe('too-deep')
    expect(reasonFor('<a/>', { ...defaultXmlLimits, maxDepth: 1 })).toBe('accepted')
    expect(reasonFor('<a><b/></a>', { ...defaultXmlLimits, maxDepth: 1 })).toBe('too-deep')
  })

  it.each<[string, keyof typeof defaultXmlLimits, number, XmlReason, string]>([
    ['bytes', 'maxBytes', 9, 'too-large', '<a>123</a>'],
    ['attributes of one element', 'maxAttributes', 2, 'too-many-attributes', '<a b="" c="" d=""/>'],
    [
      'declarations among the attributes',
      'maxAttributes',
      2,
      'too-many-attributes',
      '<a b="" xmlns="" xmlns:c="urn:c"/>',
    ],
    ['distinct names', 'maxNames', 2, 'too-many-names', '<a><b/><c/></a>'],
    ['the parts of names', 'maxNames', 4, 'too-many-names', '<p:a xmlns:p="urn:p"/>'],
    ['elements', 'maxNodes', 2, 'too-many-nodes', '<a><b/><b/></a>'],
    ['pieces of text', 'maxNodes', 3, 'too-many-nodes', '<a>1<b/>2</a>'],
    ['pieces of text between comments', 'maxNodes', 2, 'too-many-nodes', '<a>1<!-- -->2</a>'],
    ['CDATA sections', 'maxNodes', 2, 'too-many-nodes', '<a><![CDATA[]]><![CDATA[]]></a>'],
    ['distinct namespaces', 'maxNamespaces', 1, 'too-many-namespaces', '<a xmlns="urn:a" xmlns:p="urn:p"/>'],
  ])('bound %s', (_, limit, value, reason, text) => {
    expect(reasonFor(text, { ...defaultXmlLimits, [limit]: value })).toBe(reason)
    expect(reasonFor(text, { ...defaultXmlLimits, [limit]: value + 1 })).toBe('accepted')
  })

  it('do not take adjoining tags for pieces of text', () => {
    expect(reasonFor('<a><b></b><b/><b></b></a>', { ...defaultXmlLimits, maxNodes: 4 })).toBe('accepted')
  })

  it('count a namespace declared again and again once', () => {
    const text = `<a>${'<b xmlns="urn:b"/>'.repeat(50)}</a>`
    expect(reasonFor(text, { ...defaultXmlLimits, maxNamespaces: 1 })).toBe('accepted')
  })
})

describe('XmlTree', () => {
  const ns = 'urn:a'
  const tree = read(
    '<p:a xmlns:p="urn:a" b="1" p:b="2"><c/> text <p:d>1<e/>2</p:d><!-- --><d xmlns="urn:a" xmlns:q="urn:q" q:b="3"/></p:a>',
  )

  it('tells names', () => {
    const [c, d, other] = tree.children(tree.root)
    expect([tree.local(tree.root), tree.namespace(tree.root), tree.prefix(tree.root)]).toEqual(['a', ns, 'p'])
    expect([tree.local(c!), tree.namespace(c!), tree.prefix(c!)]).toEqual(['c', '', ''])
    expect([tree.local(other!), tree.namespace(other!), tree.prefix(other!)]).toEqual(['d', ns, ''])
    expect(tree.is(d!, ns, 'd')).toBe(true)
    expect(tree.is(d!, '', 'd')).toBe(false)
    expect(tree.is(NONE, ns, 'd')).toBe(false)
  })

  it('leads from element to element', () => {
    const first = tree.first(tree.root)
    const second = tree.next(first)
    expect(tree.parent(tree.root)).toBe(NONE)
    expect(tree.parent(first)).toBe(tree.root)
    expect(tree.first(first)).toBe(NONE)
    expect(tree.local(tree.first(second))).toBe('e')
    expect(tree.next(tree.next(second))).toBe(NONE)
    expect(tree.child(tree.root, ns, 'd')).toBe(second)
    expect(tree.child(tree.root, ns, 'c')).toBe(NONE)
    expect(tree.children(tree.root, ns).map((node) => tree.prefix(node))).toEqual(['p', ''])
    expect(tree.children(tree.root, ns, 'd')).toHaveLength(2)
    expect(tree.children(tree.root, '', 'd')).toEqual([])
  })

  it('tells attributes by expanded name, in document order, without declarations', () => {
    expect(tree.attribute(tree.root, 'b')).toBe('1')
    expect(tree.attribute(tree.root, 'b', ns)).toBe('2')
    expect(tree.attribute(tree.root, 'p')).toBe(undefined)
    expect(tree.attributes(tree.root)).toEqual([
      { namespace: '', local: 'b', prefix: '', value: '1' },
      { namespace: ns, local: 'b', prefix: 'p', value: '2' },
    ])
    const [, , last] = tree.children(tree.root)
    expect(tree.attributes(last!)).toEqual([{ namespace: 'urn:q', local: 'b', prefix: 'q', value: '3' }])
  })

  it('tells where elements stand', () => {
    const second = tree.child(tree.root, ns, 'd')
    const piece = Buffer.from(tree.bytes).subarray(tree.start(second), tree.end(second))
    expect(piece.toString()).toBe('<p:d>1<e/>2</p:d>')
    expect([tree.start(tree.root), tree.end(tree.root)]).toEqual([0, tree.bytes.length])
  })

  it.each([
    ['<a>plain text</a>', 'plain text'],
    ['<a/>', ''],
    ['<a></a>', ''],
    ['<a> \t </a>', ' \t '],
    ['<a>a<!-- b -->c</a>', 'ac'],
    ['<a>a<![CDATA[<&amp;]]]]>b</a>', 'a<&amp;]]b'],
    ['<a>a<b>x</b>c<b>y</b></a>', 'ac'],
    ['<a>\r\na\rb\n\r</a>', '\na\nb\n\n'],
    ['<a><![CDATA[\r\n\r]]></a>', '\n\n'],
    ['<a>&#13;&#10;</a>', '\r\n'],
    ['<a>&lt;&gt;&amp;&quot;&apos;</a>', `<>&"'`],
    ['<a>&amp;lt;</a>', '&lt;'],
    ['<a>è&#xe8;&#x1F600;😀</a>', 'èè😀😀'],
    ['<a>a]]b]</a>', 'a]]b]'],
  ])('reads the text of %j', (text, expected) => {
    expect(read(text).text(0)).toBe(expected)
  })

  it.each([
    [' \n\t\r', false],
    ['&#32;&#x9;&#10;&#13;', false],
    ['<![CDATA[ \n]]>', false],
    ['<!-- text -->', false],
    ['<b>text</b>', false],
    ['a', true],
    [' è', true],
    ['&#160;', true],
    ['&amp;', true],
    ['<b/>]', true],
    ['<![CDATA[ -]]>', true],
    ['\uf8ff', true],
  ])('sees whether %j has text of its own', (content, expected) => {
    expect(read(`<a>${content}</a>`).hasText(0)).toBe(expected)
  })

  it("tells an element's own text from what stands around it", () => {
    const nested = read('<a>&amp;<b> </b>&amp;<c/></a>')
    expect([0, 1, 2].map((node) => nested.hasText(node))).toEqual([true, false, false])
  })

  it.each([
    ['a b', 'a b'],
    ['\ta\nb\rc\r\nd', ' a b c d'],
    ['&#9;&#10;&#13;', '\t\n\r'],
    ['&lt;&amp;&#x1F600;è', '<&😀è'],
    ["it's > that", "it's > that"],
    ['  kept  ', '  kept  '],
  ])('normalises the value %j', (value, expected) => {
    expect(read(`<a b="${value}"/>`).attribute(0, 'b')).toBe(expected)
  })

  it('collects what may name an element to a signature', () => {
    const named = read(
      '<a ID="1" id="no"><b xmlns:p="urn:p" p:Id="2" iD="no"/><c xml:id="3"><d Id="&#52;" ID="5" xml:ID="6"/></c></a>',
    )
    expect(named.idAttributes).toEqual([
      { node: 0, value: '1' },
      { node: 1, value: '2' },
      { node: 2, value: '3' },
      { node: 3, value: '4' },
      { node: 3, value: '5' },
      { node: 3, value: '6' },
    ])
  })

  it('does not take a declaration of the prefix ID for an identifier', () => {
    expect(read('<a xmlns:ID="urn:a" xmlns:Id="urn:b"/>').idAttributes).toEqual([])
  })

  it('tells the same of a long message as of a short one', () => {
    const text =
      '<a xmlns="urn:a" b="1&amp;2"><p:b xmlns:p="urn:p" p:b="x">x</p:b><p:b xmlns:p="urn:p" b="x">x</p:b>' +
      '<p:b xmlns:p="urn:pp">y</p:b><p:b xmlns:p="urn:&#112;"/><b xmlns="">1&amp;2</b><b xmlns=""/></a>'
    const told = (tree: XmlTree) =>
      Array.from({ length: 7 }, (_, node) => [
        tree.namespace(node),
        tree.local(node),
        tree.attributes(node),
        tree.text(node),
      ])
    const short = told(readTree(Buffer.from(text)))
    expect(short.map(([namespace]) => namespace)).toEqual(['urn:a', 'urn:p', 'urn:p', 'urn:pp', 'urn:p', '', ''])
    const long = text.replace('</a>', `<c>${'padding '.repeat(10_000)}</c></a>`)
    expect(told(readTree(Buffer.from(long)))).toEqual(short)
  })

  it('reads bytes that are no Buffer and do not begin their memory', () => {
    const memory = new Uint8Array(40)
    memory.set(Buffer.from('<a>text</a>'), 7)
    const inside = readTree(memory.subarray(7, 18))
    expect([inside.text(0), inside.start(0), inside.end(0)]).toEqual(['text', 0, 11])
  })
})

describe('readTreeInSteps', () => {
  const long = Buffer.from(`<a>${'<b c="value">text</b>'.repeat(60_000)}</a>`)

  it('pauses about every 256 KiB and reads the same', async () => {
    let pauses = 0
    const tree = await readTreeInSteps(long, defaultXmlLimits, async () => {
      pauses++
    })
    expect(pauses).toBe(Math.floor(long.length / (256 * 1024)))
    expect(tree.records.elements).toEqual(readTree(long).records.elements)
  })

  it('pauses in the middle of long text, comments and CDATA sections', async () => {
    const filler = 'x'.repeat(300_000)
    const bytes = Buffer.from(`<!--${filler}--><a>${filler}<!--${filler}--><![CDATA[${filler}]]></a>`)
    let pauses = 0
    const tree = await readTreeInSteps(bytes, defaultXmlLimits, () => {
      pauses++
      return undefined
    })
    expect(pauses).toBe(4)
    expect(tree.text(0)).toBe(filler + filler)
  })

  it('does not pause for a short message', async () => {
    const fail = () => Promise.reject(new Error('paused'))
    expect((await readTreeInSteps(Buffer.from('<a>b</a>'), defaultXmlLimits, fail)).text(0)).toBe('b')
  })

  it('stops when pausing fails', async () => {
    const stopped = readTreeInSteps(long, defaultXmlLimits, () => Promise.reject(new Error('caller gone')))
    await expect(stopped).rejects.toThrow('caller gone')
  })

  it('refuses what readTree refuses', async () => {
    const bad = Buffer.concat([long, Buffer.from('<c/>')])
    await expect(readTreeInSteps(bad, defaultXmlLimits, () => undefined)).rejects.toThrow(
      expect.objectContaining({ reason: 'malformed', offset: long.length }),
    )
  })
})
