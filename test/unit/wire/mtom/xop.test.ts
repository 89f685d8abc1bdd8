import { describe, expect, it } from 'vitest'
import { cidUrl, contentIdOfUrl } from '../../../../src/wire/mtom/content-id.ts'
import { MtomError } from '../../../../src/wire/mtom/mtom-error.ts'
import { binaryOf, encodeInclude, includesOf } from '../../../../src/wire/mtom/xop.ts'
import { readTree, type XmlTree } from '../../../../src/wire/xml.ts'

function tree(text: string): XmlTree {
  return readTree(Buffer.from(text))
}

function outcome(text: string): string[] | string {
  try {
    return includesOf(tree(text), 10).map(({ contentId }) => contentId)
  } catch (error) {
    if (error instanceof MtomError) return error.reason
    throw error
  }
}

/** A document with the namespace of XOP under `x`. */
function document(content: string): string {
  return `<r xmlns:x="http://www.w3.org/2004/08/xop/include">${content}</r>`
}

describe('the Includes of a document', () => {
  it('are found wherever they stand, in order', () => {
    const found = document(
      '<h><t><x:Include href="cid:1"/></t></h><d><Include xmlns="http://www.w3.org/2004/08/xop/include" href="cid:2"/></d>',
    )
    expect(outcome(found)).toEqual(['1', '2'])
    expect(outcome(document('<d/>'))).toEqual([])
  })

  it('may be indented, commented, and refer to the same part', () => {
    expect(
      outcome(
        document('<d>\n <!-- here --> <x:Include href=" cid:1 "> </x:Include>\n</d><d><x:Include href="cid:1"/></d>'),
      ),
    ).toEqual(['1', '1'])
  })

  it('are only those of the namespace', () => {
    expect(outcome('<r><d><Include href="http://example.org/"/></d></r>')).toEqual([])
    expect(outcome('<r xmlns="http://www.w3.org/2001/XInclude"><include href="file:///etc/passwd"/></r>')).toEqual([])
  })

  it.each([
    ['<d>text<x:Include href="cid:1"/></d>', 'include-not-alone'],
    ['<d><x:Include href="cid:1"/><![CDATA[x]]></d>', 'include-not-alone'],
    ['<d><x:Include href="cid:1"/><x:Include href="cid:2"/></d>', 'include-not-alone'],
    ['<d><e/><x:Include href="cid:1"/></d>', 'include-not-alone'],
    ['<d><x:Include href="cid:1"/><e/></d>', 'include-not-alone'],
    ['<d><x:Include/></d>', 'include'],
    ['<d><x:Include x:href="cid:1"/></d>', 'include'],
    ['<d><x:Include href="cid:"/></d>', 'include'],
    ['<d><x:Include href="cid:%zz"/></d>', 'include'],
    ['<d><x:Include href="cid:%ff"/></d>', 'include'],
    ['<d><x:Include href="cid:1">text</x:Include></d>', 'include'],
    ['<d><x:Include href="cid:1"><x:Include href="cid:2"/></x:Include></d>', 'include'],
    ['<d><x:Include href=""/></d>', 'include-elsewhere'],
    ['<d><x:Include href="1"/></d>', 'include-elsewhere'],
    ['<d><x:Include href="#1"/></d>', 'include-elsewhere'],
    ['<d><x:Include href="http://example.org/cid:1"/></d>', 'include-elsewhere'],
    ['<d><x:Include href="file:///etc/passwd"/></d>', 'include-elsewhere'],
    ['<d><x:Include href="mid:1/2"/></d>', 'include-elsewhere'],
    ['<d><x:Include href="data:,1"/></d>', 'include-elsewhere'],
  ])('are refused: %s', (content, reason) => {
    expect(outcome(document(content))).toBe(reason)
  })

  it('are refused as the whole document', () => {
    expect(outcome('<Include xmlns="http://www.w3.org/2004/08/xop/include" href="cid:1"/>')).toBe('include-not-alone')
  })

  it('are refused above the limit, and told where', () => {
    const many = document('<d><x:Include href="cid:1"/></d>'.repeat(11))
    expect(outcome(many)).toBe('too-many-includes')
    expect(() => includesOf(tree(many), 10)).toThrow(expect.objectContaining({ offset: many.lastIndexOf('<x:') }))
  })
})

describe('the binary content of an element', () => {
  it('is a reference, or its text decoded', () => {
    const read = tree(document('<d><x:Include href="cid:a%2540b"/></d><e>QUJ\n <!-- - -->D</e><f/>'))
    const [d, e, f] = read.children(read.root).map((node) => binaryOf(read, node))
    expect(d).toEqual({ contentId: 'a%40b' })
    expect(e).toEqual({ bytes: Buffer.from('ABC') })
    expect(f).toEqual({ bytes: Buffer.alloc(0) })
  })

  it.each(['QUI', 'Q U-', '<g/>', 'QUJD<g/>', '<g>QUJD</g>'])('is refused when it is neither: %s', (content) => {
    const read = tree(`<d>${content}</d>`)
    expect(() => binaryOf(read, read.root)).toThrow(expect.objectContaining({ reason: 'base64' }))
  })

  it('is refused when it is both', () => {
    const read = tree(document('<d>QUJD<x:Include href="cid:1"/></d>'))
    expect(() => binaryOf(read, read.first(read.root))).toThrow(MtomError)
  })
})

describe('a cid URL', () => {
  it.each(['a@b', 'uuid:1+id=2', 'http://tempuri.org/0', 'a%40b', `a&b'c"d`, '1.urn:uuid:76A2@apache.org'])(
    'refers to the Content-ID it was made of: %s',
    (id) => {
      expect(contentIdOfUrl(cidUrl(id))).toBe(id)
      const read = tree(`<d>${encodeInclude(id)}</d>`)
      expect(binaryOf(read, read.root)).toEqual({ contentId: id })
    },
  )

  it('spares readers that do not decode what need not be encoded', () => {
    expect(cidUrl('1.urn:uuid:7-A@a.org')).toBe('cid:1.urn:uuid:7-A@a.org')
  })

  it('is decoded once, its scheme in any case', () => {
    expect(contentIdOfUrl('CID:%61%2540')).toBe('a%40')
  })
})
