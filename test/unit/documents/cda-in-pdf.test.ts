import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readPdf } from '../../../src/documents/cda-in-pdf.ts'
import { DocumentError, type DocumentReason } from '../../../src/documents/document-error.ts'
import { defaultDocumentLimits } from '../../../src/documents/limits.ts'
import {
  type Attachment,
  deflated,
  objectsWith,
  type PdfObject,
  type PdfOptions,
  pdfOf,
  pdfWith,
  signed,
  updated,
} from '../../support/pdf.ts'
import { clinicalDocument, section, structured } from './clinical-document.ts'

const cda = clinicalDocument(structured(section('Glicemia nella norma')))
const attachment: Attachment = { name: 'cda.xml', bytes: cda }
const others: Attachment[] = [
  { name: 'a.txt', bytes: Buffer.from('testo') },
  { name: 'b.xml', bytes: Buffer.from('<fattura/>') },
  { name: 'c.pdf', bytes: pdfWith([{ name: 'cda.xml', bytes: clinicalDocument(structured(section('altro'))) }]) },
  { name: 'd.bin', bytes: Buffer.alloc(0) },
]

async function read(pdf: Uint8Array) {
  return readPdf(pdf, defaultDocumentLimits)
}

async function reasonFor(pdf: Uint8Array): Promise<DocumentReason | 'none' | 'found'> {
  try {
    return (await read(pdf)).cda === 'none' ? 'none' : 'found'
  } catch (error) {
    if (error instanceof DocumentError) return error.reason
    throw error
  }
}

const places: NonNullable<PdfOptions['in']>[] = [
  'name-tree',
  'nested-name-tree',
  'associated-files',
  'annotations',
  'xfa-resources',
]

describe('the CDA of a PDF', () => {
  it.each(places.flatMap((place) => [false, true].map((compact) => ({ in: place, compact }))))(
    'comes out byte for byte of $in, compact: $compact',
    async (options) => {
      const { cda: found } = await read(pdfWith([...others, attachment], options))
      expect(found).not.toBe('none')
      if (found === 'none') return
      expect(Buffer.compare(found.bytes, cda)).toBe(0)
      expect(found.name).toBe(options.in === 'xfa-resources' ? 'datasets' : 'cda.xml')
    },
  )

  it.each([
    ['with a byte order mark and carriage returns', Buffer.from(`\ufeff${cda.toString().replaceAll('\n', '\r\n')}`)],
    ['in Latin-1', Buffer.from(cda.toString().replace('UTF-8', 'ISO-8859-1').replace('norma', 'età'), 'latin1')],
    ['with a stylesheet', Buffer.from(cda.toString().replace('?>', '?><?xml-stylesheet href="a.xsl"?>'))],
    ['with line ends at its end', Buffer.concat([cda, Buffer.from('\r\n\n')])],
  ])('comes out as it is, %s, deflated or not', async (_what, bytes) => {
    for (const stored of [false, true]) {
      const { cda: found } = await read(pdfWith([{ name: 'x', bytes, stored }]))
      expect(found !== 'none' && Buffer.compare(found.bytes, bytes)).toBe(0)
    }
  })

  it('is known by its content, whatever its name', async () => {
    const { cda: found } = await read(
      pdfWith([
        { name: 'cda.xml', bytes: Buffer.from('<fattura/>') },
        { name: 'allegato', bytes: cda },
      ]),
    )
    expect(found).toMatchObject({ name: 'allegato' })
  })

  it('is none when there is none', async () => {
    expect(await reasonFor(pdfWith([]))).toBe('none')
    expect(await reasonFor(pdfWith(others))).toBe('none')
  })

  it('is not chosen among several, unless they are the same', async () => {
    const another = clinicalDocument(structured(section('Glicemia elevata')))
    expect(await reasonFor(pdfWith([attachment, { name: 'b', bytes: another }]))).toBe('ambiguous')
    expect(await reasonFor(pdfWith([attachment, { name: 'b', bytes: cda }]))).toBe('found')
  })

  it('is not chosen beside a file that cannot be read but may be it', async () => {
    const refused = { name: 'b', bytes: Buffer.from('<!DOCTYPE x><ClinicalDocument xmlns="urn:hl7-org:v3"/>') }
    expect(await reasonFor(pdfWith([attachment, refused]))).toBe('ambiguous')
    expect(await reasonFor(pdfWith([refused]))).toBe('xml-refused')
  })

  it('counts once when a file is found in several places', async () => {
    const objects = objectsWith([attachment], 'name-tree')
    const catalog = String(objects[0]).replace('/Pages', '/AF [4 0 R] /Pages')
    expect(await reasonFor(pdfOf([catalog, ...objects.slice(1)]))).toBe('found')
  })

  it('is taken out of an XFA data packet when it stands on its own there', async () => {
    const inner = cda.toString().slice(cda.indexOf('<ClinicalDocument')).trimEnd()
    const packet = (content: string) =>
      Buffer.from(
        `<xfa:datasets xmlns:xfa="http://www.xfa.org/schema/xfa-data/1.0/" xmlns:q="urn:q"><xfa:data>${content}</xfa:data></xfa:datasets>`,
      )
    const options = { in: 'xfa-resources' } as const
    const { cda: found } = await read(pdfWith([{ name: 'datasets', bytes: packet(inner) }], options))
    expect(found !== 'none' && Buffer.from(found.bytes).toString()).toBe(inner)
    const leaning = inner.replace('<title>', '<title q:a="">')
    expect(await reasonFor(pdfWith([{ name: 'datasets', bytes: packet(leaning) }], options))).toBe('xml-refused')
    expect(await reasonFor(pdfWith([{ name: 'datasets', bytes: packet(inner + inner) }], options))).toBe('ambiguous')
    expect(await reasonFor(pdfWith([{ name: 'datasets', bytes: packet('') }], options))).toBe('none')
  })

  it('is that of the last revision', async () => {
    const newer = clinicalDocument(structured(section('Rettifica')))
    const pdf = pdfWith([attachment])
    const { cda: found } = await read(updated(pdf, new Map([[5, deflated(newer, '/Type /EmbeddedFile')]])))
    expect(found !== 'none' && Buffer.compare(found.bytes, newer)).toBe(0)
    expect(await reasonFor(updated(pdf, new Map([[1, '<< /Type /Catalog /Pages 2 0 R >>']])))).toBe('none')
  })

  it('is found behind a line before the header', async () => {
    expect(await reasonFor(Buffer.concat([Buffer.from('\r\n'), pdfWith([attachment])]))).toBe('found')
  })
})

describe('a PDF that is not read', () => {
  it('is a damaged one', async () => {
    const pdf = pdfWith([attachment])
    const moved = Buffer.concat([pdf.subarray(0, 200), Buffer.from('   '), pdf.subarray(200)])
    expect(await reasonFor(moved)).toBe('damaged')
    expect(await reasonFor(pdf.subarray(0, pdf.length - 200))).toBe('damaged')
    expect(await reasonFor(Buffer.from('%PDF-1.7\n'))).toBe('damaged')
  })

  it('is one whose attachment is cut short or altered', async () => {
    const data = deflateSync(cda)
    const altered = Buffer.from(data)
    altered.writeUInt8(altered.readUInt8(altered.length - 1) ^ 1, altered.length - 1)
    for (const bytes of [data.subarray(0, data.length - 5), altered]) {
      expect(await reasonFor(withFile({ entries: '/Type /EmbeddedFile /Filter /FlateDecode', data: bytes }))).toBe(
        'damaged',
      )
    }
    expect(await reasonFor(withFile({ entries: '/Length 50 /Type /EmbeddedFile', data: cda }))).toBe('damaged')
  })

  it('is one whose attachment is encoded otherwise than deflated, or stands in another file', async () => {
    const data = deflateSync(deflateSync(cda))
    for (const entries of ['/Filter [/FlateDecode /FlateDecode]', '/Filter /LZWDecode', '/F (cda.xml)']) {
      expect(await reasonFor(withFile({ entries, data }))).toBe('encoding-unsupported')
    }
  })

  it('is an encrypted one', async () => {
    const key = '0'.repeat(64)
    const trailer = `/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <${key}> /U <${key}> >> /ID [<00> <00>]`
    expect(await reasonFor(pdfWith([attachment], { trailer }))).toBe('encrypted')
  })

  function withFile(file: PdfObject): Buffer {
    return pdfOf(objectsWith([attachment], 'name-tree').toSpliced(4, 1, file))
  }
})

describe('the signature of a PDF', () => {
  const objects = objectsWith([attachment], 'name-tree')
  const whole = signed(pdfOf(objects), String(objects[0]))

  it('is told when its byte range is the file', async () => {
    expect(await read(whole)).toMatchObject({ signature: 'whole', cda: { name: 'cda.xml' } })
    expect((await read(pdfOf(objects))).signature).toBe('none')
  })

  it('is told apart when something follows it', async () => {
    expect((await read(updated(whole, new Map([[950, '<< >>']])))).signature).toBe('part')
  })

  it('is none without a byte range, or in a field that is no signature field, or as a time stamp', async () => {
    for (const [from, to] of [
      ['/ByteRange', '/ByteRangX'],
      ['/FT /Sig', '/FT /Txt'],
      ['/Type /Sig /Filter /Adobe.PPKLite', '/Type /DocTimeStamp /Filter/Adobe'],
    ] as const) {
      expect(to.length).toBe(from.length)
      const other = Buffer.from(whole.toString('latin1').replace(from, to), 'latin1')
      expect((await read(other)).signature).toBe('none')
    }
  })

  it('is part when its byte range leaves out more than its value', async () => {
    const text = whole.toString('latin1')
    const gap = text.replace(
      /\/ByteRange \[0 (\d{10}) /,
      (_, length: string) => `/ByteRange [0 ${String(Number(length) - 1).padStart(10, '0')} `,
    )
    expect((await read(Buffer.from(gap, 'latin1'))).signature).toBe('part')
  })
})
