import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DocumentReference } from '../../../../src/core/model/retrieval.ts'
import { contentHeaders, contentTypeOf } from '../../../../src/http/api/content.ts'
import { handleOf } from '../../../support/handles.ts'

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
    const [one, other] = [reference, { ...reference, uniqueId: 'b' }].map((each) => nameOf(handleOf(each)))
    expect(one).toMatch(/^inline; filename="document-[0-9a-f]{12}\.pdf"$/)
    expect(other).not.toBe(one)
  })
})
