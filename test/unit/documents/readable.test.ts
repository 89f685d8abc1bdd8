import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readCda } from '../../../src/documents/cda.ts'
import { defaultDocumentLimits } from '../../../src/documents/limits.ts'
import { readableHtml } from '../../../src/documents/readable.ts'
import { clinicalDocument, section, structured } from './clinical-document.ts'

const corpus = join(import.meta.dirname, '../../../../shared/corpus/ini/samples/cda')
const present = existsSync(corpus)

function htmlOf(cda: Uint8Array): string {
  return readableHtml(readCda(cda, defaultDocumentLimits))
}

function mainOf(html: string): string {
  return /<main[^>]*>\n([\s\S]*)\n<\/main>/.exec(html)?.[1] ?? ''
}

/** The narrative as it is written, without what is around it. */
function narrative(text: string): string {
  const html = mainOf(htmlOf(clinicalDocument(structured(section(text)))))
  return /<div class="narrative">([\s\S]*)<\/div>\n/.exec(html)?.[1] ?? ''
}

describe('the page of a CDA', () => {
  const html = htmlOf(clinicalDocument(structured(section('<paragraph>Nella norma</paragraph>'))))

  it('is a page in Italian with the title of the document', () => {
    expect(html).toMatch(/^<!doctype html>\n<html lang="it">/)
    expect(html).toContain('<meta charset="utf-8">')
    expect(html).toContain('<title>Referto di prova</title>')
    expect(html).toContain('<h1>Referto di prova</h1>')
  })

  it('says whose document it is, and when and by whom it was made, and no more of the person', () => {
    expect(/<dl>([\s\S]*)<\/dl>/.exec(html)?.[1]?.trim().split('\n')).toEqual([
      '<dt>Paziente</dt><dd>Maria Prova</dd>',
      '<dt>Codice fiscale</dt><dd>PRVMRA80A41X999Z</dd>',
      '<dt>Data di nascita</dt><dd>01/01/1980</dd>',
      '<dt>Data del documento</dt><dd>17/04/2026, ore 09:30</dd>',
      '<dt>Autore</dt><dd>Dott. Anna Neri</dd>',
      '<dt>Conservato da</dt><dd>Azienda Sanitaria Esempio Centro</dd>',
    ])
    expect(html).not.toContain('Via Inesistente')
  })

  it('loads nothing and runs nothing', () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1]
    expect(policy).toMatch(/^default-src &#39;none&#39;; style-src &#39;sha256-[\w+/=]+&#39;; base-uri/)
    expect(html).not.toMatch(/<(?:script|link|img|iframe|object|embed|form|base|svg)\b|\s(?:src|href|style|on\w+)=/i)
  })

  it('takes the name of its kind for a title it does not have', () => {
    expect(htmlOf(clinicalDocument('', ''))).toContain('<h1>Referto di laboratorio</h1>')
    expect(htmlOf(Buffer.from('<ClinicalDocument xmlns="urn:hl7-org:v3"/>'))).toContain('<h1>Documento clinico</h1>')
  })

  it('says in what language a document is that is not in Italian', () => {
    const german = clinicalDocument(structured(section('Befund')))
      .toString()
      .replace('it-IT', 'de-DE')
    const page = htmlOf(Buffer.from(german))
    expect(page).toContain('<main lang="de-DE">')
    expect(page).toContain('<html lang="it">')
    expect(htmlOf(Buffer.from(german.replace('de-DE', '&quot; onload=&quot;a'))).includes('onload')).toBe(false)
  })

  it('shows what is no moment as it stands', () => {
    const cda = clinicalDocument('').toString().replace('20260417093000+0200', 'ieri &lt;b>')
    expect(htmlOf(Buffer.from(cda))).toContain('<dd>ieri &lt;b&gt;</dd>')
  })

  it('puts the headings of sections in order, six levels deep', () => {
    const nested = (depth: number): string =>
      `<section><title>Livello ${depth}</title><text>x</text>${depth < 7 ? `<component>${nested(depth + 1)}</component>` : ''}</section>`
    const levels = [...htmlOf(clinicalDocument(structured(nested(1)))).matchAll(/<h(\d)/g)].map(([, level]) => level)
    expect(levels).toEqual(['1', '2', '3', '4', '5', '6', '6', '6'])
  })

  it('names a section without a title by its code', () => {
    const coded = '<section><code displayName="Anamnesi"/><text>x</text></section>'
    expect(htmlOf(clinicalDocument(structured(coded)))).toContain('<h2>Anamnesi</h2>')
    expect(htmlOf(clinicalDocument(structured('<section/>')))).toContain('<h2>Sezione senza titolo</h2>')
  })
})

describe('the narrative', () => {
  it.each([
    ['text', 'a &lt; b &amp; "c"', 'a &lt; b &amp; "c"'],
    ['CDATA and comments', 'a<![CDATA[<b>]]><!-- c -->d', 'a&lt;b&gt;d'],
    ['content in order', 'a<content>b</content>c<br/>d', 'abc<br>d'],
    ['styles', '<content styleCode="Bold xELRecord Italics">a</content>', '<strong><em>a</em></strong>'],
    ['the same style twice', '<content styleCode="Italics Emphasis">a</content>', '<em>a</em>'],
    [
      'a style of a cell',
      '<table><tr><td styleCode="Bold">a</td></tr></table>',
      '<table><tr><td class="bold">a</td></tr></table>',
    ],
    ['what was struck out', '<content revised="delete">a</content>', '<del>a</del>'],
    ['what was put in', '<content revised="insert" styleCode="Bold">a</content>', '<ins><strong>a</strong></ins>'],
    ['indices', 'CO<sub>2</sub> m<sup>2</sup>', 'CO<sub>2</sub> m<sup>2</sup>'],
    [
      'a list',
      '<list><caption>c</caption><item>a</item><item>b</item></list>',
      '<p class="caption">c</p><ul><li>a</li><li>b</li></ul>',
    ],
    [
      'an ordered list',
      '<list listType="ordered" styleCode="LittleRoman"><item>a</item></list>',
      '<ol type="i"><li>a</li></ol>',
    ],
    ['text beside items', '<list>x<item>a</item>y</list>', 'xy<ul><li>a</li></ul>'],
    ['paragraphs', '<paragraph>a</paragraph><paragraph>b</paragraph>', '<p>a</p><p>b</p>'],
    [
      'a table in a paragraph',
      '<paragraph><table><tr><td>a</td></tr></table></paragraph>',
      '<div><table><tr><td>a</td></tr></table></div>',
    ],
    ['a footnote', 'a<footnote>b</footnote>', 'a<small>[Nota: b]</small>'],
    [
      'media',
      '<renderMultiMedia referencedObject="MM1"><caption>RX</caption></renderMultiMedia>',
      '<small>[Immagine o allegato multimediale non mostrato: RX]</small>',
    ],
    [
      'a link',
      '<linkHtml href="https://esempio.invalid/?a&amp;b">qui</linkHtml>',
      'qui (https://esempio.invalid/?a&amp;b)',
    ],
    ['a link inside', '<linkHtml href="#a">qui</linkHtml>', 'qui'],
    ['an element it does not know', '<widget>a<content>b</content></widget>', 'ab'],
    ['an element of another namespace', '<table xmlns="http://www.w3.org/1999/xhtml">a</table>', 'a'],
    ['an element by a name of JavaScript', '<constructor>a</constructor><toString>b</toString>', 'ab'],
  ])('writes %s', (_what, text, html) => {
    expect(narrative(text)).toBe(html)
  })

  it('tells of header cells what they are the headers of', () => {
    expect(
      narrative(
        '<table><caption>Esami</caption><col/><thead><tr><th>E</th><th colspan="2">V</th></tr></thead>' +
          '<tfoot><tr><td>f</td></tr></tfoot><tbody><tr><th>Na</th><td>140</td><td/></tr>' +
          '<tr><th>A</th><th scope="rowgroup" rowspan="3">B</th></tr></tbody></table>',
      ),
    ).toBe(
      '<table><caption>Esami</caption>' +
        '<thead><tr><th scope="col">E</th><th scope="col" colspan="2">V</th></tr></thead>' +
        '<tfoot><tr><td>f</td></tr></tfoot>' +
        '<tbody><tr><th scope="row">Na</th><td>140</td><td></td></tr>' +
        '<tr><th scope="col">A</th><th scope="rowgroup" rowspan="3">B</th></tr></tbody></table>',
    )
  })

  it('loses no text that stands where it should not', () => {
    const text =
      '<table>a<paragraph>b</paragraph><tbody>c<content>d</content><tr>e<content>f</content><td>g</td></tr></tbody></table>'
    const shown = narrative(text).replaceAll(/<[^>]*>/g, '')
    expect([...shown].sort().join('')).toBe('abcdefg')
  })

  it('keeps line breaks inside a text, and no other white space', () => {
    expect(narrative('\n\t\tUno  due\r\n\t\ttre\n')).toBe(' Uno due\ntre ')
  })
})

describe('a body that is no structured one', () => {
  it('is shown when it is plain text, whatever characters it has', () => {
    const text = Buffer.from('a <b>\n\u0000c').toString('base64')
    const html = htmlOf(
      clinicalDocument(`<nonXMLBody><text mediaType="text/plain" representation="B64">${text}</text></nonXMLBody>`),
    )
    expect(mainOf(html)).toBe('<pre>a &lt;b&gt;\n\ufffdc</pre>')
  })

  it('is mentioned when it is another file', () => {
    const html = htmlOf(
      clinicalDocument(
        '<nonXMLBody><text mediaType="application/pdf" representation="B64">JVBERg==</text></nonXMLBody>',
      ),
    )
    expect(mainOf(html)).toContain('un file di tipo application/pdf (4 byte)')
  })
})

describe.skipIf(!present)(`the corpus's CDAs${present ? '' : ' (skipped: ../shared/corpus is absent)'}`, () => {
  it.each(present ? readdirSync(corpus) : [])('%s keeps every word of its narrative', (name) => {
    const bytes = readFileSync(join(corpus, name))
    const shown = new Set(words(htmlOf(bytes).replaceAll(/<[^>]*>/g, ' ')))
    const source = bytes.toString().replaceAll(/<!--[\s\S]*?-->/g, '')
    const texts = [...source.matchAll(/<section\b[\s\S]*?<text>([\s\S]*?)<\/text>/g)].map(([, text = '']) => text)
    expect(texts.length).toBeGreaterThan(0)
    expect(words(texts.join(' ').replaceAll(/<[^>]*>/g, ' ')).filter((word) => !shown.has(word))).toEqual([])
  })

  /** Both sides escape as they like. */
  function words(text: string): string[] {
    const plain = text.replaceAll('&quot;', '"').replaceAll('&gt;', '>').replaceAll('&#160;', '\u00a0')
    return plain.split(/\s+/).filter((word) => word !== '')
  }
})
