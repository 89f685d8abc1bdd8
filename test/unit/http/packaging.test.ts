import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { enveloped } from '../../../src/http/soap/packaging.ts'
import type { BodyWithDocuments, CarriedDocument } from '../../../src/http/soap/transaction.ts'
import { MtomError } from '../../../src/wire/mtom/mtom-error.ts'
import { readPackage } from '../../../src/wire/mtom/package.ts'
import { encodeInclude } from '../../../src/wire/mtom/xop.ts'

const envelope = (body: string) => `<Envelope>è${body}</Envelope>`

/** A document that is read in pieces of the given lengths, over and over. */
function carried(bytes: Uint8Array, pieces: readonly number[] = [7], mimeType = 'application/pdf'): CarriedDocument {
  return {
    mimeType,
    content: {
      size: bytes.length,
      sha1: '',
      async *read() {
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const length = Math.max(1, pieces[turn % pieces.length] ?? 1)
          yield bytes.subarray(at, at + length)
          at += length
        }
      },
      async [Symbol.asyncDispose]() {},
    },
  }
}

function bodyOf(documents: readonly CarriedDocument[]): BodyWithDocuments {
  return {
    documents,
    xml: (place) =>
      documents
        .map((document) => {
          const content = place(document)
          return `<Document>${'base64' in content ? content.base64 : encodeInclude(content.contentId)}</Document>`
        })
        .join(' '),
  }
}

async function sent(body: ReturnType<typeof enveloped>['body']): Promise<Buffer> {
  if (typeof body === 'string') return Buffer.from(body)
  const chunks: Uint8Array[] = []
  for await (const chunk of body.chunks) chunks.push(Uint8Array.from(chunk))
  const bytes = Buffer.concat(chunks)
  // What is announced is what comes: a wrong length would be a broken message.
  expect(body.length).toBe(bytes.length)
  return bytes
}

const documents = fc.array(
  fc.record({
    bytes: fc.uint8Array({ maxLength: 100 }),
    pieces: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
  }),
  { maxLength: 4 },
)

describe('an answer to a plain request', () => {
  it('without documents is the envelope', async () => {
    for (const body of ['<a/>', bodyOf([])]) {
      const { contentType, body: answer } = enveloped(envelope, body, false)
      expect(contentType).toBe('application/soap+xml; charset=utf-8')
      expect(answer).toBe(envelope(typeof body === 'string' ? body : ''))
    }
  })

  it('has its documents inside, in base64, whatever they are and however they are read', async () => {
    await fc.assert(
      fc.asyncProperty(documents, async (all) => {
        const { contentType, body } = enveloped(
          envelope,
          bodyOf(all.map(({ bytes, pieces }) => carried(bytes, pieces))),
          false,
        )
        expect(contentType).toBe('application/soap+xml; charset=utf-8')
        const inside = all.map(({ bytes }) => `<Document>${Buffer.from(bytes).toString('base64')}</Document>`)
        expect((await sent(body)).toString('utf8')).toBe(envelope(inside.join(' ')))
      }),
    )
  })

  it('has a document in each place where it stands', async () => {
    const one = carried(Buffer.from('ABC'))
    const { body } = enveloped(envelope, bodyOf([one, { ...one }]), false)
    expect((await sent(body)).toString()).toBe(envelope('<Document>QUJD</Document> <Document>QUJD</Document>'))
  })
})

describe('an answer to a package', () => {
  it('is a package, with or without documents', async () => {
    await fc.assert(
      fc.asyncProperty(documents, async (all) => {
        const { contentType, body } = enveloped(
          envelope,
          bodyOf(all.map(({ bytes, pieces }) => carried(bytes, pieces))),
          true,
        )
        const { root, attachments, includes, unreferenced } = readPackage(contentType, await sent(body))
        expect(root.soap).toBe('1.2')
        expect(root.bytes.toString('utf8')).toMatch(/^<Envelope>è/)
        expect(attachments.map(({ bytes }) => Buffer.from(bytes))).toEqual(all.map(({ bytes }) => Buffer.from(bytes)))
        expect(attachments.map(({ headers }) => headers.contentType)).toEqual(all.map(() => 'application/pdf'))
        expect(includes.map(({ contentId }) => contentId)).toEqual(attachments.map(({ headers }) => headers.contentId))
        expect(unreferenced).toEqual([])
      }),
      { numRuns: 50 },
    )
    const { contentType, body } = enveloped(envelope, '<a/>', true)
    expect(readPackage(contentType, await sent(body)).root.bytes.toString()).toBe(envelope('<a/>'))
  })

  it.each(['pdf', '', 'text/plain\r\nX-Evil: 1', 'text/x-cda-r2+xml; charset', 'testo/è', '文/書'])(
    'is not kept back for what its holder calls a document: %j',
    async (mimeType) => {
      const { contentType, body } = enveloped(envelope, bodyOf([carried(Buffer.from('ABC'), [2], mimeType)]), true)
      const { attachments } = readPackage(contentType, await sent(body))
      expect(attachments).toMatchObject([{ headers: { contentType: 'application/octet-stream' } }])
      expect(attachments[0]?.headers.all.size).toBe(3)
    },
  )

  it('keeps the parameters of a type', async () => {
    const mimeType = 'text/x-cda-r2+xml; charset="utf-8"'
    const { contentType, body } = enveloped(envelope, bodyOf([carried(Buffer.from('ABC'), [2], mimeType)]), true)
    expect(readPackage(contentType, await sent(body)).attachments[0]?.headers.contentType).toBe(mimeType)
  })

  it.each([
    ['longer', 2],
    ['shorter', 4],
  ])('breaks off when a document turns out %s than it is said to be', async (_what, size) => {
    const one = carried(Buffer.from('ABC'))
    const { body } = enveloped(envelope, bodyOf([{ ...one, content: { ...one.content, size } }]), true)
    await expect(sent(body)).rejects.toThrow(MtomError)
  })

  it('breaks off with the document that cannot be read whole, packaged or not', async () => {
    const one = carried(Buffer.from('ABC'))
    const failing: CarriedDocument = {
      ...one,
      content: {
        ...one.content,
        async *read() {
          yield Buffer.from('A')
          throw new Error('the file is gone')
        },
      },
    }
    for (const packaged of [true, false]) {
      await expect(sent(enveloped(envelope, bodyOf([failing]), packaged).body)).rejects.toThrow('the file is gone')
    }
  })
})
