import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type HomeCommunityId, homeCommunityId } from '../../../../src/core/model/identifiers.ts'
import type { DocumentReference } from '../../../../src/core/model/retrieval.ts'
import { contentHeaders, contentTypeOf } from '../../../../src/http/api/content.ts'
import { plainHandle, plainHandles } from '../../../../src/http/api/document-handles.ts'
import type { Caller } from '../../../../src/http/api/guard.ts'
import { homes } from '../../../support/builders.ts'

const caller: Caller = { profile: 'portal', validUntil: 0, signer: 'jwk:x', tokens: [] }
const name = fc.string({ minLength: 1, maxLength: 64, unit: 'grapheme-ascii' })

describe('a plain handle', () => {
  it('stands for the document it was made of', () => {
    const home = fc.constantFrom<HomeCommunityId | undefined>(undefined, homes.veneto, homeCommunityId('1.2.3'))
    fc.assert(
      fc.property(home, name, name, (home, repositoryUniqueId, uniqueId) => {
        const reference = { ...(home === undefined ? {} : { home }), repositoryUniqueId, uniqueId }
        const handle = plainHandle(reference)
        expect(handle).toMatch(/^[A-Za-z0-9_-]+$/)
        expect(plainHandles.open(handle, caller)).toEqual(reference)
      }),
    )
  })

  it('is none of whatever else is sent', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.jsonValue().map(encoded)), (text) => {
        expect(plainHandles.open(text, caller)).toBeUndefined()
      }),
    )
  })

  it.each([
    { repository: '1.2' },
    { repository: '1.2', document: '' },
    { repository: '1.2', document: 3 },
    { repository: '1.2', document: 'a\u0000b' },
    { repository: '1.2', document: 'a'.repeat(257) },
    { repository: '1.2', document: '3', home: 'nowhere' },
    { repository: '1.2', document: '3', home: 4 },
    { repository: '1.2', document: '3', patient: 'x' },
    ['1.2', '3'],
    'text',
    null,
  ])('is not %j', (value) => {
    expect(plainHandles.open(encoded(value), caller)).toBeUndefined()
  })

  function encoded(value: unknown): string {
    return Buffer.from(JSON.stringify(value)).toString('base64url')
  }
})

describe('the type of content', () => {
  it.each([
    ['application/pdf', 'application/pdf'],
    [' Text/HTML ; Charset="UTF-8" ', 'text/html; charset=utf-8'],
    ['text/plain;charset=iso-8859-1; format=flowed', 'text/plain; charset=iso-8859-1'],
    ['application/xml; charset=utf-8', 'application/xml'],
    ['application/pdf+text/x-cda-r2+xml', 'application/pdf'],
    ['application/pdf; name="somebody.pdf"', 'application/pdf'],
    ['pdf', 'application/octet-stream'],
    ['application/pdf pdf', 'application/octet-stream'],
    ['*/*\n', '*/*'],
  ])('%j is told as %s', (mimeType, told) => {
    expect(contentTypeOf(mimeType)).toBe(told)
  })

  it('and all that goes with it may stand in a header, whoever wrote it', () => {
    const content = { digest: '00', handle: 'h', isVerified: true }
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (mimeType) => {
        const contentType = contentTypeOf(mimeType)
        const values = [contentType, ...Object.values(contentHeaders({ ...content, contentType }))]
        for (const value of values) expect(value).toMatch(/^[\x20-\x7e]+$/)
      }),
    )
  })

  it('gives documents names of their own, that say nothing of them', () => {
    const reference: DocumentReference = { repositoryUniqueId: '1.2', uniqueId: 'a' }
    const nameOf = (handle: string) =>
      contentHeaders({ digest: '00', contentType: 'application/pdf', handle, isVerified: true })['content-disposition']
    const [one, other] = [reference, { ...reference, uniqueId: 'b' }].map((each) => nameOf(plainHandle(each)))
    expect(one).toMatch(/^inline; filename="document-[0-9a-f]{12}\.pdf"$/)
    expect(other).not.toBe(one)
  })
})
