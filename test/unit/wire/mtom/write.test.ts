import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MtomError } from '../../../../src/wire/mtom/mtom-error.ts'
import { readPackage } from '../../../../src/wire/mtom/package.ts'
import { type OutgoingPackage, type WrittenPackage, writePackage } from '../../../../src/wire/mtom/write.ts'
import { encodeInclude } from '../../../../src/wire/mtom/xop.ts'

async function bodyOf(written: WrittenPackage): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of written.body) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function* streamed(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk)
}

const plain: OutgoingPackage = {
  boundary: 'uuid:b',
  rootId: 'root@crocevia',
  soap: '1.2',
  root: Buffer.from(`<r><d>${encodeInclude('1@crocevia')}</d></r>`),
  parts: [{ contentId: '1@crocevia', contentType: 'application/pdf', chunks: Buffer.from('%PDF') }],
}

function reasonFor(changes: Partial<OutgoingPackage>): string {
  try {
    writePackage({ ...plain, ...changes })
    return 'accepted'
  } catch (error) {
    if (error instanceof MtomError) return error.reason
    throw error
  }
}

describe('a package that is written', () => {
  it('has the headers and the bytes the standards ask for', async () => {
    const written = writePackage(plain)
    expect(written.contentType).toBe(
      'multipart/related; type="application/xop+xml"; start="<root@crocevia>"; start-info="application/soap+xml"; ' +
        'boundary="uuid:b"',
    )
    const body = await bodyOf(written)
    expect(body.toString().split('\r\n')).toEqual([
      '--uuid:b',
      'Content-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"',
      'Content-Transfer-Encoding: binary',
      'Content-ID: <root@crocevia>',
      '',
      plain.root.toString(),
      '--uuid:b',
      'Content-Type: application/pdf',
      'Content-Transfer-Encoding: binary',
      'Content-ID: <1@crocevia>',
      '',
      '%PDF',
      '--uuid:b--',
      '',
    ])
    expect(written.contentLength).toBe(body.length)
  })

  it('carries the action, and SOAP 1.1, where they are asked for', async () => {
    const written = writePackage({ ...plain, soap: '1.1', action: 'urn:a"b\\c' })
    expect(written.contentType).toContain('; start-info="text/xml"; ')
    const read = readPackage(written.contentType, await bodyOf(written))
    expect(read.root.soap).toBe('1.1')
    expect(read.type.action).toBe('urn:a"b\\c')
  })

  it('is multipart even when nothing is attached', async () => {
    const written = writePackage({ ...plain, root: Buffer.from('<r/>'), parts: [] })
    const body = await bodyOf(written)
    expect(written.contentLength).toBe(body.length)
    expect(readPackage(written.contentType, body).attachments).toEqual([])
  })

  it('streams attachments, and has a length only when all of theirs are known', async () => {
    const part = { contentId: '1@crocevia', contentType: 'text/plain' }
    const unknown = writePackage({ ...plain, parts: [{ ...part, chunks: streamed('ab', '', 'c') }] })
    expect(unknown.contentLength).toBeUndefined()
    expect(readPackage(unknown.contentType, await bodyOf(unknown)).attachments[0]?.bytes.toString()).toBe('abc')
    const known = writePackage({ ...plain, parts: [{ ...part, length: 3, chunks: streamed('ab', 'c') }] })
    expect(known.contentLength).toBe((await bodyOf(known)).length)
  })

  it('fails rather than be longer or shorter than was said', async () => {
    const part = { contentId: '1@crocevia', contentType: 'text/plain', length: 3 }
    for (const chunks of [streamed('ab'), streamed('ab', 'cd'), Buffer.from('abcd')]) {
      await expect(bodyOf(writePackage({ ...plain, parts: [{ ...part, chunks }] }))).rejects.toThrow(
        expect.objectContaining({ reason: 'length' }),
      )
    }
  })

  it('lets go of an attachment when it is not read to its end', async () => {
    let closed = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.from('more')
      } finally {
        closed = true
      }
    }
    const part = { contentId: '1@crocevia', contentType: 'text/plain', chunks: endless() }
    for await (const piece of writePackage({ ...plain, parts: [part] }).body) if (piece.length === 4) break
    expect(closed).toBe(true)
  })

  it.each<[string, Partial<OutgoingPackage>]>([
    ['boundary', { boundary: '' }],
    ['boundary', { boundary: 'b\r\nX: y' }],
    ['boundary', { boundary: 'b ' }],
    ['content-id', { rootId: '' }],
    ['content-id', { rootId: '<root>' }],
    ['content-id', { rootId: 'root\r\nX: y' }],
    ['duplicate-content-id', { rootId: '1@crocevia' }],
    ['content-type', { action: 'urn:a\r\nX: y' }],
    ['content-type', { parts: [{ contentId: 'a', contentType: 'text/plain\r\nX: y', chunks: Buffer.alloc(0) }] }],
    ['content-type', { parts: [{ contentId: 'a', contentType: '', chunks: Buffer.alloc(0) }] }],
    ['boundary-collision', { boundary: 'crocevia' }],
    ['boundary-collision', { root: Buffer.from('<r>--uuid:b</r>') }],
    ['boundary-collision', { parts: [{ contentId: 'a', contentType: 'a/b', chunks: Buffer.from('--uuid:b') }] }],
  ])('is refused for its %s: %j', (reason, changes) => {
    expect(reasonFor({})).toBe('accepted')
    expect(reasonFor(changes)).toBe(reason)
  })

  it('is read back as it was meant, whatever the attachments', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), async (contents) => {
        const parts = contents.map((chunks, index) => ({ contentId: `${index}@x`, contentType: 'a/b', chunks }))
        const root = Buffer.from(
          `<r>${parts.map(({ contentId }) => `<d>${encodeInclude(contentId)}</d>`).join('')}</r>`,
        )
        const written = writePackage({ ...plain, boundary: '=_b 1', root, parts })
        const body = await bodyOf(written)
        const read = readPackage(written.contentType, body)
        expect(written.contentLength).toBe(body.length)
        expect(read.attachments.map(({ bytes }) => [...bytes])).toEqual(contents.map((bytes) => [...bytes]))
        expect(read.unreferenced).toEqual([])
      }),
    )
  })
})
