import { afterAll, describe, expect, it } from 'vitest'
import { documentForms } from '../../../src/documents/forms.ts'
import { defaultDocumentLimits } from '../../../src/documents/limits.ts'
import { objectsWith, pdfOf, pdfWith, signed } from '../../support/pdf.ts'
import { clinicalDocument, section, structured } from './clinical-document.ts'

const forms = documentForms()
afterAll(() => forms[Symbol.dispose]())

const cda = clinicalDocument(structured(section('Nella norma')))
const objects = objectsWith([{ name: 'cda.xml', bytes: cda }], 'name-tree')
const injected = signed(pdfOf(objects), String(objects[0]))
const plain = pdfWith([])

describe('the forms of a document', () => {
  it('are told: a signed PDF with a CDA', async () => {
    expect(await forms.make('parts', injected)).toEqual({ kind: 'pdf', signature: 'whole', cda: true })
    const made = await forms.make('cda', injected)
    expect(made !== 'none' && [made.name, Buffer.compare(made.bytes, cda)]).toEqual(['cda.xml', 0])
    const page = await forms.make('readable', injected)
    expect(page !== 'none' && Buffer.from(page.html).toString()).toContain('Nella norma')
    expect(await forms.make('body', injected)).toBe('none')
  })

  it('are told: a CDA', async () => {
    expect(await forms.make('parts', cda)).toEqual({ kind: 'cda', cda: true })
    const made = await forms.make('cda', cda)
    expect(made !== 'none' && [made.name, Buffer.compare(made.bytes, cda)]).toEqual([undefined, 0])
  })

  it('are told: a CDA whose body is a PDF', async () => {
    const text = `<text mediaType="application/pdf" representation="B64">${plain.toString('base64')}</text>`
    const body = await forms.make('body', clinicalDocument(`<nonXMLBody>${text}</nonXMLBody>`))
    expect(body !== 'none' && Buffer.compare(body.bytes, plain)).toBe(0)
  })

  it('are none of a plain PDF, nor of what is neither', async () => {
    expect(await forms.make('parts', plain)).toEqual({ kind: 'pdf', signature: 'none', cda: false })
    for (const document of [plain, Buffer.from('testo'), Buffer.from('<Bundle/>')]) {
      for (const name of ['cda', 'readable', 'body'] as const) expect(await forms.make(name, document)).toBe('none')
    }
  })

  it('leave the document as it is, also where it is a view of something larger', async () => {
    const larger = Buffer.concat([Buffer.alloc(10), injected, Buffer.alloc(10)])
    const copy = Buffer.from(larger)
    const made = await forms.make('cda', larger.subarray(10, 10 + injected.length))
    expect(made !== 'none' && Buffer.compare(made.bytes, cda)).toBe(0)
    expect(Buffer.compare(larger, copy)).toBe(0)
  })

  it('are made one after the other, each to whom it belongs', async () => {
    const documents = Array.from({ length: 10 }, (_, number) =>
      clinicalDocument(structured(section(`numero ${number}`))),
    )
    const made = await Promise.all(
      documents.map((document) => forms.make('cda', pdfWith([{ name: 'a', bytes: document }]))),
    )
    made.forEach((form, number) => {
      expect(form !== 'none' && Buffer.from(form.bytes).toString()).toContain(`numero ${number}<`)
    })
  })

  it('are refused by a reason that came from the reader', async () => {
    await expect(forms.make('readable', Buffer.from('<!DOCTYPE a><a/>'))).rejects.toMatchObject({
      name: 'DocumentError',
      reason: 'xml-refused',
      detail: 'doctype',
    })
  })

  it('are not made of a document that is too large', async () => {
    using few = documentForms({ ...defaultDocumentLimits, maxBytes: 100 })
    await expect(few.make('parts', injected)).rejects.toMatchObject({ reason: 'too-large' })
  })

  it('are not made when too many wait', async () => {
    using few = documentForms({ ...defaultDocumentLimits, maxWaiting: 1 })
    const [first, second, third] = [1, 2, 3].map(() => few.make('parts', plain))
    await expect(third).rejects.toMatchObject({ reason: 'busy' })
    expect(await Promise.all([first, second])).toHaveLength(2)
  })

  it('are not made for somebody who is gone, while others get theirs', async () => {
    using some = documentForms()
    const gone = new AbortController()
    const refusals = [1, 2].map(() => some.make('parts', plain, gone.signal).catch((error: unknown) => error))
    const other = some.make('parts', plain)
    gone.abort('gone')
    expect(await Promise.all(refusals)).toEqual(['gone', 'gone'])
    expect(await other).toMatchObject({ kind: 'pdf' })
    await expect(some.make('parts', plain, gone.signal)).rejects.toBe('gone')
  })

  it('are not made any more once nobody needs them', async () => {
    const closing = documentForms()
    const waiting = [1, 2].map(() => closing.make('parts', plain).catch((error: { reason: string }) => error.reason))
    closing[Symbol.dispose]()
    expect(await Promise.all(waiting)).toEqual(['reader-failed', 'reader-failed'])
    await expect(closing.make('parts', plain)).rejects.toMatchObject({ reason: 'reader-failed' })
  })
})
