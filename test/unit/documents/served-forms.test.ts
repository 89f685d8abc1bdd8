import { afterAll, describe, expect, it } from 'vitest'
import { documentForms } from '../../../src/documents/forms.ts'
import { defaultDocumentLimits } from '../../../src/documents/limits.ts'
import { contentSecurityPolicy } from '../../../src/documents/page.ts'
import { servedForms } from '../../../src/documents/served-forms.ts'
import type { MakeForm } from '../../../src/http/api/document-forms.ts'
import { pdfWith } from '../../support/pdf.ts'
import { clinicalDocument, section, structured } from './clinical-document.ts'

const forms = documentForms()
afterAll(() => forms[Symbol.dispose]())

const cda = clinicalDocument(structured(section('Nella norma')))
const injected = pdfWith([{ name: 'cda.xml', bytes: cda }])
const { signal } = new AbortController()
// What fronts take is what these make.
const make: MakeForm = servedForms(forms)

/** A document that is read in pieces of so many bytes. */
function source(bytes: Uint8Array, piece = 100) {
  return {
    size: bytes.length,
    async *read() {
      for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece)
    },
  }
}

describe('a form that is served', () => {
  it('is made of a document that is read in pieces', async () => {
    const made = await make('cda', source(injected), signal)
    expect(made).toMatchObject({ mediaType: 'application/xml' })
    expect(typeof made === 'object' && 'bytes' in made && Buffer.compare(made.bytes, cda)).toBe(0)
  })

  it('has a policy of its own when it is a page', async () => {
    const made = await make('readable', source(injected), signal)
    expect(made).toMatchObject({ mediaType: 'text/html; charset=utf-8', contentSecurityPolicy })
  })

  it('is the file in a CDA, of the type its author says', async () => {
    const text = `<text mediaType="application/pdf" representation="B64">${pdfWith([]).toString('base64')}</text>`
    const made = await make('body', source(clinicalDocument(`<nonXMLBody>${text}</nonXMLBody>`)), signal)
    expect(made).toEqual({ mediaType: 'application/pdf', bytes: expect.any(Uint8Array) })
  })

  it('is none where the document has none', async () => {
    expect(await make('cda', source(pdfWith([])), signal)).toBe('none')
  })

  it('is refused by a word', async () => {
    expect(await make('readable', source(Buffer.from('<!DOCTYPE a><a/>')), signal)).toEqual({ refused: 'xml-refused' })
    const tooLarge = { ...source(injected), size: defaultDocumentLimits.maxBytes + 1 }
    expect(await make('cda', tooLarge, signal)).toEqual({ refused: 'too-large' })
  })

  it('is not made of a source that breaks off, while others get theirs', async () => {
    const broken = {
      size: injected.length,
      async *read() {
        yield injected.subarray(0, 100)
        throw new Error('the disk is gone')
      },
    }
    const [first, second] = await Promise.allSettled([
      make('cda', broken, signal),
      make('cda', source(injected), signal),
    ])
    expect(first).toMatchObject({ status: 'rejected', reason: { message: 'the disk is gone' } })
    expect(second).toMatchObject({ status: 'fulfilled', value: { mediaType: 'application/xml' } })
  })

  it('is made of a document larger than the pipe to its reader', async () => {
    const large = Buffer.concat([cda, Buffer.alloc(8 * 1024 * 1024, ' ')])
    expect(await make('cda', source(large, 65_536), signal)).toMatchObject({ mediaType: 'application/xml' })
  })

  it('is not waited for by who is gone', async () => {
    const gone = new AbortController()
    const begun = Promise.withResolvers<void>()
    const endless = {
      size: 1_000,
      async *read() {
        begun.resolve()
        yield Buffer.alloc(1)
        await new Promise(() => undefined)
      },
    }
    const made = make('cda', endless, gone.signal)
    await begun.promise
    gone.abort(new Error('gone'))
    await expect(made).rejects.toThrow('gone')
    expect(await make('cda', source(injected), signal)).toMatchObject({ mediaType: 'application/xml' })
  })
})
