import { spawnSync } from 'node:child_process'
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import type { DocumentReason } from '../../src/documents/document-error.ts'
import { DocumentError } from '../../src/documents/document-error.ts'
import { type DocumentForms, documentForms } from '../../src/documents/forms.ts'
import { defaultDocumentLimits } from '../../src/documents/limits.ts'
import { confinement } from '../../src/documents/reader-process.ts'
import { compactPdfOf, deflated, objectsWith, type PdfObject, pdfOf, pdfWith, signed } from '../support/pdf.ts'
import { clinicalDocument, section, structured } from '../unit/documents/clinical-document.ts'

const forms = documentForms()
afterAll(() => forms[Symbol.dispose]())

const cda = clinicalDocument(structured(section('Nella norma')))
const attachment = { name: 'cda.xml', bytes: cda }
const objects = objectsWith([attachment], 'name-tree')
const mebibyte = 1024 * 1024

async function outcome(pdf: Uint8Array, by: DocumentForms = forms): Promise<DocumentReason | 'none' | 'found'> {
  try {
    const made = await by.make('cda', pdf)
    return made === 'none' ? 'none' : 'found'
  } catch (error) {
    if (error instanceof DocumentError) return error.reason
    throw error
  }
}

/** The PDF of `objects` with some of them replaced, numbered from 1, and others appended. */
function pdfBut(replaced: Readonly<Record<number, PdfObject>>, ...further: readonly PdfObject[]): Buffer {
  return pdfOf([...objects.map((object, index) => replaced[index + 1] ?? object), ...further])
}

describe('a PDF that inflates without end', () => {
  const spaces = deflateSync(Buffer.concat([Buffer.from('<'), Buffer.alloc(100 * mebibyte, ' ')]))

  it.each<[string, () => Buffer]>([
    ['in its attachment', () => pdfBut({ 5: { entries: '/Filter /FlateDecode', data: spaces } })],
    [
      'in attachments that are each within bounds',
      () => pdfWith(Array.from({ length: 8 }, () => ({ name: 'a', bytes: Buffer.alloc(10 * mebibyte, '<a> ') }))),
    ],
    [
      'in an object stream',
      () => {
        const pdf = compactPdfOf(objects)
        const entries = '/Type /ObjStm /N 4 /First 20 /Filter /FlateDecode'
        return pointingAt(pdf, 'object-stream', { entries, data: spaces })
      },
    ],
    [
      'in a cross-reference stream',
      () => {
        const entries = '/Type /XRef /Size 9 /W [1 4 2] /Root 1 0 R /Filter /FlateDecode'
        return pointingAt(Buffer.from('%PDF-1.7\n'), 'cross-references', { entries, data: spaces })
      },
    ],
  ])('is refused: %s', async (_what, pdf) => {
    expect(await outcome(pdf())).toBe('inflates-too-much')
  })

  /** The file with this stream put at its end, as its cross-references or as what holds the catalog. */
  function pointingAt(
    pdf: Buffer,
    as: 'object-stream' | 'cross-references',
    stream: { entries: string; data: Buffer },
  ) {
    const parts = [pdf]
    const place = () => parts.reduce((sum, part) => sum + part.length, 0)
    const at = place()
    parts.push(Buffer.from(`20 0 obj\n<< /Length ${stream.data.length} ${stream.entries} >>\nstream\n`))
    parts.push(stream.data, Buffer.from('\nendstream\nendobj\n'))
    if (as === 'cross-references') parts.push(Buffer.from(`startxref\n${at}\n%%EOF\n`))
    else {
      const rows = Buffer.alloc(7 * 21)
      rows.set([2, 0, 0, 0, 20, 0, 0], 7)
      rows.writeUInt8(1, 7 * 20)
      rows.writeUInt32BE(at, 7 * 20 + 1)
      const start = place()
      parts.push(
        Buffer.from(`21 0 obj\n<< /Type /XRef /Size 21 /W [1 4 2] /Root 1 0 R /Length ${rows.length} >>\nstream\n`),
      )
      parts.push(rows, Buffer.from(`\nendstream\nendobj\nstartxref\n${start}\n%%EOF\n`))
    }
    return Buffer.concat(parts)
  }
})

describe('a PDF that goes round in circles', () => {
  it('is read once round', async () => {
    const tree = '<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles 6 0 R >> >>'
    expect(await outcome(pdfBut({ 1: tree }, '<< /Kids [6 0 R 7 0 R 6 0 R] >>', '<< /Kids [6 0 R] >>'))).toBe('none')
    const names = '<< /Kids [6 0 R] /Names [(cda.xml) 4 0 R] >>'
    expect(await outcome(pdfBut({ 1: tree }, names))).toBe('found')
    expect(await outcome(pdfBut({ 2: '<< /Type /Pages /Count 1 /Kids [2 0 R 3 0 R 2 0 R] >>' }))).toBe('found')
    const form = '/AcroForm << /Fields [6 0 R] >> >>'
    expect(await outcome(pdfBut({ 1: `${objects[0]}`.replace(/>>$/, form) }, '<< /Kids [6 0 R 6 0 R] >>'))).toBe(
      'found',
    )
  })

  it('is refused where a circle leaves nothing to read', async () => {
    expect(await outcome(pdfBut({ 4: '4 0 R' }))).toBe('none')
    expect(await outcome(pdfBut({ 5: { entries: '/Length 5 0 R', data: cda } }))).not.toBe('none')
    const text = pdfOf(objects).toString('latin1')
    const start = /startxref\n(\d+)/.exec(text)?.[1]
    const circle = Buffer.from(text.replace('/Root 1 0 R', `/Prev ${start} /Root 1 0 R`), 'latin1')
    expect(await outcome(circle)).toBe('found')
  })
})

describe('a PDF that promises more than it has', () => {
  const crossReferences = (entries: string) =>
    Buffer.from(
      `%PDF-1.7\n1 0 obj\n<< /Type /XRef ${entries} /Root 1 0 R /Length 0 >>\nstream\n\nendstream\nendobj\nstartxref\n9\n%%EOF\n`,
    )

  it.each<[string, Buffer]>([
    [
      'a table of a thousand million objects',
      Buffer.from('%PDF-1.7\nxref\n0 999999999999\ntrailer\n<< >>\nstartxref\n9\n%%EOF\n'),
    ],
    ['a stream of as many', crossReferences('/Size 999999999999 /W [1 4 2]')],
    ['rows wider than numbers', crossReferences('/Size 9 /W [999999999 999999999 999999999]')],
    [
      'brackets that nobody closes',
      Buffer.from(`%PDF-1.7\nxref\n0 0\ntrailer\n${'['.repeat(mebibyte)}\nstartxref\n9\n%%EOF\n`),
    ],
    [
      'no end of its stream',
      Buffer.from(pdfOf(objects).toString('latin1').replaceAll('endstream', 'endstrxxx'), 'latin1'),
    ],
    ['nothing but a header', Buffer.from('%PDF-1.7')],
  ])('is refused: %s', async (_what, pdf) => {
    expect(await outcome(pdf)).toBe('damaged')
  })

  it('is refused when its rows have no width, and would never end', async () => {
    expect(await outcome(crossReferences('/Size 9 /W [0 0 0] /Index [0 999999999999]'))).toBe('damaged')
  })

  it('costs no more than its reader, and the next document gets another', async () => {
    using small = documentForms({ ...defaultDocumentLimits, maxHeapMb: 32, deadlineMs: 20_000 })
    expect(
      await outcome(pdfBut({ 1: `<< /Type /Catalog /Pages 2 0 R /X [${'1 '.repeat(4_000_000)}] >>` }), small),
    ).toBe('too-complex')
    expect(await outcome(pdfOf(objects), small)).toBe('found')
    using hasty = documentForms({ ...defaultDocumentLimits, deadlineMs: 300 })
    await outcome(pdfOf(objects), hasty)
    expect(await outcome(slow(), hasty)).toBe('too-slow')
    expect(await outcome(pdfOf(objects), hasty)).toBe('found')
  })

  it('does not hold up anybody else', async () => {
    using hasty = documentForms({ ...defaultDocumentLimits, deadlineMs: 300 })
    await outcome(pdfOf(objects), hasty)
    let turns = 0
    const turning = setInterval(() => turns++, 1)
    expect(await outcome(slow(), hasty)).toBe('too-slow')
    clearInterval(turning)
    expect(turns).toBeGreaterThan(20)
  })

  /** Thousands of streams of a wrong length, for each of which the library looks through all that follows. */
  function slow(): Buffer {
    const count = 5000
    const files = Array.from({ length: count }, (_, index) => `(a) << /EF << /F ${index + 10} 0 R >> >>`).join(' ')
    const head = `%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Names << /EmbeddedFiles << /Names [${files}] >> >> >>\nendobj\n`
    const stream = (index: number) => `${index + 10} 0 obj\n<< /Length 1 >>\nstream\nx\n`
    let at = head.length
    let table = `xref\n1 1\n0000000009 00000 n \n10 ${count}\n`
    const streams = Array.from({ length: count }, (_, index) => {
      table += `${String(at).padStart(10, '0')} 00000 n \n`
      at += stream(index).length
      return stream(index)
    })
    const body = `${head}${streams.join('')}${'x'.repeat(8 * mebibyte)}\nendstream\nendobj\n`
    return Buffer.from(`${body}${table}trailer\n<< /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF\n`)
  }

  it('is refused when it has more parts than are looked at', async () => {
    const annotations = `<< /Type /Page /Annots [${'<< >> '.repeat(30_000)}] >>`
    expect(await outcome(pdfBut({ 3: annotations }))).toBe('too-complex')
    const names = `<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [${'(a) 4 0 R '.repeat(30_000)}] >> >> >>`
    expect(await outcome(pdfBut({ 1: names }))).toBe('too-complex')
    const kids = Array.from({ length: 30_000 }, () => '3 0 R').join(' ')
    expect(await outcome(pdfBut({ 2: `<< /Type /Pages /Kids [${kids}] >>` }))).toBe('found')
  })
})

describe('a large PDF', () => {
  it('is given as it is only', async () => {
    const large = pdfWith([attachment, { name: 'a', bytes: Buffer.alloc(50 * mebibyte), stored: true }])
    expect(await outcome(large)).toBe('too-large')
    using patient = documentForms({ ...defaultDocumentLimits, maxBytes: 64 * mebibyte })
    expect(await outcome(large, patient)).toBe('found')
  })
})

describe('a PDF in a PDF', () => {
  it('is not looked into, deflated or not', async () => {
    const inner = pdfWith([attachment])
    for (const stored of [false, true])
      expect(await outcome(pdfWith([{ name: 'a.pdf', bytes: inner, stored }]))).toBe('none')
  })
})

describe('a damaged PDF', () => {
  const pdf = signed(pdfOf(objects), String(objects[0]))

  it('never gives another CDA than the one that was put in it, and never fails otherwise than by a reason', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(pdf.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        async (changes) => {
          const changed = Buffer.from(pdf)
          for (const [offset, byte] of changes) changed[offset] = byte
          const made = await forms.make('cda', changed).catch((error: unknown) => error)
          if (made instanceof DocumentError || made === 'none') return
          expect(Buffer.compare((made as { bytes: Uint8Array }).bytes, cda)).toBe(0)
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('a hostile CDA', () => {
  it.each([
    ['a document type', '<!DOCTYPE ClinicalDocument SYSTEM "http://esempio.invalid/a.dtd">'],
    ['an external entity', '<!DOCTYPE ClinicalDocument [<!ENTITY a SYSTEM "file:///etc/passwd">]>'],
    ['entities of entities', '<!DOCTYPE ClinicalDocument [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'],
  ])('is refused, alone and in a PDF: %s', async (_what, type) => {
    const hostile = Buffer.from(cda.toString().replace('?>', `?>${type}`))
    for (const document of [hostile, pdfWith([{ name: 'cda.xml', bytes: hostile }])]) {
      for (const name of ['cda', 'readable', 'body'] as const) {
        await expect(forms.make(name, document)).rejects.toMatchObject({ reason: 'xml-refused', detail: 'doctype' })
      }
    }
  })

  it('puts nothing into its page but text', async () => {
    const script = '<script>alert(1)</script>'
    const escaped = script.replaceAll('<', '&lt;')
    const cdata = `<![CDATA[${script}]]>`
    const narrative = [
      script,
      `<content styleCode='Bold" onclick="alert(1)' revised='delete" onclick="alert(1)' onclick="alert(1)">${cdata}</content>`,
      `<table onclick="alert(1)" style="x"><tr><td colspan='2" onclick="alert(1)' align="x">a</td><th scope='row" onclick="a'>b</th></tr></table>`,
      `<list listType='ordered" onclick="a' styleCode='Arabic" onclick="a'><item>${cdata}</item></list>`,
      '<linkHtml href="javascript:alert(1)">qui</linkHtml>',
      `<renderMultiMedia referencedObject='">&lt;img src=x onerror=alert(1)>'/>`,
      '<img xmlns="http://www.w3.org/1999/xhtml" src="x" onerror="alert(1)"/>',
      '<iframe src="http://esempio.invalid/"/><style>*{}</style>',
    ].join('')
    const code = `<section><code displayName="&lt;img src=x>"/><languageCode code='de" onclick="a'/><text>${narrative}</text></section>`
    const document = clinicalDocument(structured(section(narrative, cdata), code), `<title>${cdata}</title>`)
      .toString()
      .replace('Maria', escaped)
      .replace('PRVMRA80A41X999Z', '&lt;b>')
      .replace('it-IT', `it&quot;>${escaped}`)
    const made = await forms.make('readable', Buffer.from(document))
    const html = made === 'none' ? '' : Buffer.from(made.html).toString()
    const tags = [...html.matchAll(/<[^>]*>/g)].map(([tag]) => tag)
    const ours =
      /^<(?:!doctype html|html lang="it"|meta [^<]*|\/?(?:head|title|style|body|header|main|footer|section|h[1-6]|dl|dt|dd|div|p|table|tr|ul|ol|li|del|strong|small)|div class="narrative"|td|th scope="row"|\/t[dh]|\/html)>$/
    expect(tags.filter((tag) => !ours.test(tag))).toEqual([])
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  })

  it('is refused when it is deeper or larger than is read', async () => {
    const deep = clinicalDocument(structured(section('<content>'.repeat(100) + '</content>'.repeat(100))))
    await expect(forms.make('readable', deep)).rejects.toMatchObject({ reason: 'xml-refused', detail: 'too-deep' })
    const large = clinicalDocument(structured(section('a'.repeat(17 * mebibyte))))
    await expect(forms.make('readable', large)).rejects.toMatchObject({ reason: 'too-large' })
    await expect(forms.make('cda', pdfWith([{ name: 'a', bytes: large }]))).rejects.toMatchObject({
      reason: 'too-large',
    })
  })
})

describe('a stream that has more behind it', () => {
  it('is read to its own end, and one filter deep', async () => {
    const doubled = Buffer.concat([deflateSync(cda), deflateSync(Buffer.alloc(100 * mebibyte))])
    expect(await outcome(pdfBut({ 5: { entries: '/Filter /FlateDecode', data: doubled } }))).toBe('found')
    const { data } = deflated(deflateSync(Buffer.alloc(100 * mebibyte)))
    expect(await outcome(pdfBut({ 5: { entries: '/Filter [/FlateDecode /FlateDecode]', data } }))).toBe(
      'encoding-unsupported',
    )
  })
})

describe('whoever reads documents', () => {
  const attempts: Readonly<Record<string, string>> = {
    'read a file of the project': `require('node:fs').readFileSync('LICENSE')`,
    'write one': `require('node:fs').writeFileSync('x', '')`,
    'start a process': `require('node:child_process').spawnSync('true')`,
    'start a thread': `new (require('node:worker_threads').Worker)('', { eval: true })`,
    'load native code': `process.dlopen({ exports: {} }, 'x.node')`,
  }

  it.each(Object.entries(attempts))('cannot %s', (_what, attempt) => {
    const script = `try { ${attempt}; console.log('done') } catch (error) { console.log(error.code) }`
    const { stdout } = spawnSync(process.execPath, [...confinement(64), '-e', script], { env: {}, encoding: 'utf8' })
    expect(stdout.trim()).toBe(attempt.includes('dlopen') ? 'ERR_DLOPEN_DISABLED' : 'ERR_ACCESS_DENIED')
  })

  it('cannot reach another host', () => {
    const script = `require('node:net').connect(9, '127.0.0.1').on('error', (error) => console.log(error.code))`
    const { stdout, stderr } = spawnSync(process.execPath, [...confinement(64), '-e', script], {
      env: {},
      encoding: 'utf8',
    })
    expect(stdout + stderr).toContain('ERR_ACCESS_DENIED')
  })
})
