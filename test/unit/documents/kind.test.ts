import { describe, expect, it } from 'vitest'
import { kindOf, natureOf } from '../../../src/documents/kind.ts'
import { pdfWith } from '../../support/pdf.ts'
import { clinicalDocument, section, structured } from './clinical-document.ts'

const pdf = pdfWith([])
const cda = clinicalDocument(structured(section('testo')))

describe('what a document is', () => {
  it('is told by its bytes', () => {
    expect(kindOf(pdf)).toBe('pdf')
    expect(kindOf(cda)).toBe('cda')
    expect(kindOf(Buffer.from('<ClinicalDocument/>'))).toBe('other')
    expect(kindOf(Buffer.from('<Bundle xmlns="http://hl7.org/fhir"/>'))).toBe('other')
    expect(kindOf(Buffer.from('testo'))).toBe('other')
    expect(kindOf(new Uint8Array())).toBe('other')
  })

  it.each([
    ['a byte order mark', Buffer.concat([Buffer.from('\ufeff'), cda])],
    ['comments first', Buffer.from(`<!-- ${'x'.repeat(5000)} -->\n${cda.toString().slice(38)}`)],
    ['a prefix', Buffer.from('<h:ClinicalDocument xmlns:h="urn:hl7-org:v3"/>')],
    [
      'a stylesheet',
      Buffer.from(cda.toString().replace('?>', '?>\n<?xml-stylesheet type="text/xsl" href="cda.xsl"?>')),
    ],
    ['UTF-16', Buffer.from(`\ufeff${cda.toString().replace('UTF-8', 'UTF-16')}`, 'utf16le')],
    ['Latin-1', Buffer.from(cda.toString().replace('UTF-8', 'ISO-8859-1').replace('Prova', 'Però'), 'latin1')],
  ])('knows a CDA with %s', (_what, bytes) => {
    expect(kindOf(bytes)).toBe('cda')
  })

  it('takes a PDF header within the first kilobyte, and no PDF inside XML for one', () => {
    expect(kindOf(Buffer.concat([Buffer.alloc(1000, ' '), pdf]))).toBe('pdf')
    expect(kindOf(Buffer.concat([Buffer.alloc(1100, ' '), pdf]))).toBe('other')
    expect(kindOf(Buffer.from('<!-- %PDF-1.7 --><ClinicalDocument xmlns="urn:hl7-org:v3"/>'))).toBe('cda')
  })

  it.each([
    ['application/pdf', pdf, true],
    ['application/pdf+text/x-cda-r2+xml', pdf, true],
    ['Application/PDF; version=1.7', pdf, true],
    ['text/x-cda-r2+xml', cda, true],
    ['text/xml', cda, true],
    ['image/jpeg', Buffer.from([0xff, 0xd8, 0xff]), true],
    ['application/pdf', cda, false],
    ['text/x-cda-r2+xml', pdf, false],
    ['text/xml', pdf, false],
    ['image/jpeg', pdf, false],
    ['text/x-cda-r2+xml', Buffer.from('<html/>'), false],
  ])('tells whether %s says the same', (declared, bytes, agrees) => {
    expect(natureOf(bytes, declared)).toEqual({ kind: kindOf(bytes), declared, agrees })
  })
})
