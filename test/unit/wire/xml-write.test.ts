import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readTree } from '../../../src/wire/xml.ts'
import { escapeAttribute, escapeText } from '../../../src/wire/xml-write.ts'

const writable = fc
  .string({ unit: 'binary' })
  .filter((text) => !/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(text) && text.isWellFormed())

describe('escapeText and escapeAttribute', () => {
  it('write what the reader reads back', () => {
    fc.assert(
      fc.property(writable, (text) => {
        const xml = `<a b="${escapeAttribute(text)}" c='${escapeAttribute(text)}'>${escapeText(text)}</a>`
        const tree = readTree(Buffer.from(xml, 'utf8'))
        expect([tree.text(0), tree.attribute(0, 'b'), tree.attribute(0, 'c')]).toEqual([text, text, text])
      }),
    )
  })

  it('leave alone what needs no escape', () => {
    const plain = 'Referto di laboratorio, è 100 % (2.16.840)'
    expect([escapeText(plain), escapeAttribute(plain)]).toEqual([plain, plain])
  })

  it('escape markup, quotes and white space as needed', () => {
    expect(escapeText(`<a b="c">&'\r\n\t]]>`)).toBe(`&lt;a b="c"&gt;&amp;'&#13;\n\t]]&gt;`)
    expect(escapeAttribute(`<a b="c">&'\r\n\t`)).toBe('&lt;a b=&quot;c&quot;&gt;&amp;&#39;&#13;&#10;&#9;')
  })

  it.each([
    ['NUL', '\0'],
    ['a vertical tab', 'a\x0bb'],
    ['a lone high surrogate', 'a\ud83d'],
    ['a lone low surrogate', '\ude00a'],
    ['surrogates in the wrong order', '\ude00\ud83d'],
    ['U+FFFE', '\ufffe'],
    ['U+FFFF', 'a\uffff'],
  ])('refuse %s, which XML cannot carry', (_, text) => {
    expect(() => escapeText(text)).toThrow(RangeError)
    expect(() => escapeAttribute(text)).toThrow(RangeError)
  })

  it('do not quote what they refuse', () => {
    expect(() => escapeText('ROSSI\0')).toThrow(/^(?!.*ROSSI)/)
  })
})
