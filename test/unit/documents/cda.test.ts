import { describe, expect, it } from 'vitest'
import { nonXmlBodyOf, readCda } from '../../../src/documents/cda.ts'
import { defaultDocumentLimits } from '../../../src/documents/limits.ts'
import { pdfWith } from '../../support/pdf.ts'
import { clinicalDocument, section, structured } from './clinical-document.ts'

const limits = defaultDocumentLimits

function bodyOf(text: string) {
  return nonXmlBodyOf(readCda(clinicalDocument(`<nonXMLBody>${text}</nonXMLBody>`), limits))
}

describe('reading a CDA', () => {
  it.each([
    ['a document type', '<!DOCTYPE a><ClinicalDocument xmlns="urn:hl7-org:v3"/>', 'xml-refused', 'doctype'],
    [
      'an instruction inside',
      '<ClinicalDocument xmlns="urn:hl7-org:v3"><?php?></ClinicalDocument>',
      'xml-refused',
      'processing-instruction',
    ],
    ['another root', '<Bundle/>', 'xml-refused', undefined],
    ['an end too early', '<ClinicalDocument xmlns="urn:hl7-org:v3">', 'xml-refused', 'truncated'],
    [
      'an encoding nobody uses',
      '<?xml version="1.0" encoding="UTF-7"?><ClinicalDocument xmlns="urn:hl7-org:v3"/>',
      'encoding-unsupported',
      undefined,
    ],
  ])('refuses %s', (_what, text, reason, detail) => {
    expect(() => readCda(Buffer.from(text), limits)).toThrow(expect.objectContaining({ reason, detail }))
  })

  it('refuses one that is too large', () => {
    const read = () => readCda(clinicalDocument(''), { ...limits, maxCdaBytes: 100 })
    expect(read).toThrow(expect.objectContaining({ reason: 'too-large' }))
  })

  it('refuses bytes that are not in the encoding they claim', () => {
    const text = '<?xml version="1.0" encoding="UTF-16"?><ClinicalDocument xmlns="urn:hl7-org:v3"/>'
    const bytes = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le'), Buffer.from([0x41])])
    expect(() => readCda(bytes, limits)).toThrow(expect.objectContaining({ reason: 'encoding-unsupported' }))
  })
})

describe('the body of a CDA', () => {
  const pdf = pdfWith([])
  const encoded = pdf.toString('base64').replaceAll(/(.{76})/g, '$1\r\n')

  it('is the file that stands in it', () => {
    for (const attributes of ['mediaType="application/pdf" representation="B64"', 'mediaType="application/pdf"']) {
      const body = bodyOf(`<text ${attributes}>\n${encoded}\n</text>`)
      expect(body !== 'none' && body.mediaType).toBe('application/pdf')
      expect(body !== 'none' && Buffer.compare(body.bytes, pdf)).toBe(0)
    }
  })

  it('is text when it says nothing else', () => {
    const body = bodyOf('<text>perché &lt;no&gt;</text>')
    expect(body !== 'none' && [body.mediaType, Buffer.from(body.bytes).toString()]).toEqual([
      'text/plain',
      'perché <no>',
    ])
  })

  it('is none when it is structured, or absent', () => {
    expect(nonXmlBodyOf(readCda(clinicalDocument(structured(section('a'))), limits))).toBe('none')
    expect(nonXmlBodyOf(readCda(clinicalDocument(''), limits))).toBe('none')
  })

  it.each([
    ['body-malformed', '<text mediaType="application/pdf" representation="B64">JVBERi0x*</text>'],
    ['body-malformed', '<text mediaType="application/pdf" representation="B64">JVBERi0</text>'],
    ['body-elsewhere', '<text mediaType="application/pdf"><reference value="http://esempio.invalid/a.pdf"/></text>'],
    ['encoding-unsupported', '<text mediaType="application/pdf" representation="B64" compression="DF">AAAA</text>'],
  ])('is refused: %s', (reason, text) => {
    expect(() => bodyOf(text)).toThrow(expect.objectContaining({ reason }))
  })
})
