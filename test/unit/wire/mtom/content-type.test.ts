import { describe, expect, it } from 'vitest'
import { isBoundary, packageTypeOf, parseMediaType, soapVersionOf } from '../../../../src/wire/mtom/content-type.ts'
import { MtomError } from '../../../../src/wire/mtom/mtom-error.ts'

function reasonOf(read: () => unknown): string {
  try {
    read()
    return 'accepted'
  } catch (error) {
    if (error instanceof MtomError) return error.reason
    throw error
  }
}

describe('a media type', () => {
  it.each<[string, string, Record<string, string>]>([
    ['text/plain', 'text/plain', {}],
    [' Text/PLAIN\t; Charset=UTF-8 ', 'text/plain', { charset: 'UTF-8' }],
    ['a/b;c=d;e="f"', 'a/b', { c: 'd', e: 'f' }],
    ['a/b; c="d;e=\\"f\\"\\\\"', 'a/b', { c: 'd;e="f"\\' }],
    ['a/b; c=""', 'a/b', { c: '' }],
    ['application/xop+xml; type="application/soap+xml";', 'application/xop+xml', { type: 'application/soap+xml' }],
    ['a/b;; c=d; ;', 'a/b', { c: 'd' }],
    ['a/b; name="perch\u00e9"', 'a/b', { name: 'perch\u00e9' }],
    ['a/b; boundary=uuid:1+id=2', 'a/b', { boundary: 'uuid:1+id=2' }],
  ])('is taken apart: %j', (value, type, parameters) => {
    const media = parseMediaType(value)
    expect(media.type).toBe(type)
    expect(Object.fromEntries(media.parameters)).toEqual(parameters)
  })

  it.each([
    '',
    'text',
    'text/',
    '/plain',
    'text/plain x',
    'text/plain, text/html',
    'text/plain; c',
    'text/plain; c=',
    'text/plain; c =d',
    'text/plain; c= d',
    'text/plain; c=d e',
    'text/plain; c="d',
    'text/plain; c="d"e',
    'text/plain; c="d\\"',
    'text/plain; c="d\re"',
    'text/plain; c="d\ne"',
    'text/plain; c="d\0e"',
    'text/plain; c="\u0142"',
    'text/plain; c=(d)',
    'text/plain (comment)',
    'text/plain; c=d; C=d',
    'text/plain\n',
    `text/plain; c="${'d'.repeat(9000)}"`,
  ])('is refused when malformed: %j', (value) => {
    expect(reasonOf(() => parseMediaType(value))).toBe('content-type')
  })
})

describe('a boundary', () => {
  it.each(['a', 'uuid:803a897b-76ce', "'()+_,-./:=?", 'a b', '-'.repeat(70)])('may be %j', (text) => {
    expect(isBoundary(text)).toBe(true)
  })

  it.each(['', ' ', 'a ', 'a'.repeat(71), 'a*', 'a;', 'a"', 'a\r\n', 'è', 'a\t'])('may not be %j', (text) => {
    expect(isBoundary(text)).toBe(false)
  })
})

describe('the type of a package', () => {
  it('is read as CXF writes it', () => {
    const value =
      'multipart/related; type="application/xop+xml"; boundary="uuid:1"; start="<root.message@cxf.apache.org>"; ' +
      'start-info="application/soap+xml";charset=UTF-8; action="urn:a"'
    expect(packageTypeOf(value)).toEqual({
      boundary: 'uuid:1',
      start: 'root.message@cxf.apache.org',
      startInfo: 'application/soap+xml',
      charset: 'UTF-8',
      action: 'urn:a',
    })
  })

  it('is read when values are bare that should be quoted, the start has no brackets and nothing optional is there', () => {
    expect(packageTypeOf('Multipart/Related;boundary=uuid:1=2;type=Application/XOP+xml;start=a@b')).toEqual({
      boundary: 'uuid:1=2',
      start: 'a@b',
    })
    expect(packageTypeOf('multipart/related; type="application/xop+xml"; boundary=b')).toEqual({ boundary: 'b' })
  })

  it('keeps everything that a quoted boundary may have', () => {
    expect(packageTypeOf('multipart/related; type="application/xop+xml"; boundary="a b,(c)\\:d"').boundary).toBe(
      'a b,(c):d',
    )
  })

  it.each([
    ['multipart/form-data; type="application/xop+xml"; boundary=b', 'not-multipart-related'],
    ['application/soap+xml; charset=utf-8', 'not-multipart-related'],
    ['multipart/related; boundary=b', 'not-xop'],
    ['multipart/related; boundary=b; type="text/xml"', 'not-xop'],
    ['multipart/related; type="application/xop+xml"', 'boundary'],
    ['multipart/related; type="application/xop+xml"; boundary=""', 'boundary'],
    ['multipart/related; type="application/xop+xml"; boundary="a "', 'boundary'],
    [`multipart/related; type="application/xop+xml"; boundary=${'a'.repeat(71)}`, 'boundary'],
    ['multipart/related; type="application/xop+xml"; boundary="a\\"b"', 'boundary'],
    ['multipart/related; type="application/xop+xml"; boundary=b; start=""', 'content-id'],
    ['multipart/related; type="application/xop+xml"; boundary=b; start="<a"', 'content-id'],
    ['multipart/related; type="application/xop+xml"; boundary=b; boundary=c', 'content-type'],
    ['multipart/related; type="application/xop+xml"; boundary=b; boundary*=us-ascii\'\'c', 'content-type'],
    ['multipart/related; type="application/xop+xml"; boundary*0=b; boundary*1=c', 'content-type'],
  ])('is refused: %s', (value, reason) => {
    expect(reasonOf(() => packageTypeOf(value))).toBe(reason)
  })

  it('tells SOAP 1.2 from 1.1, whatever parameters a peer puts inside', () => {
    expect(soapVersionOf('application/soap+xml')).toBe('1.2')
    expect(soapVersionOf('Application/SOAP+xml; action="urn:a"')).toBe('1.2')
    expect(soapVersionOf('text/xml')).toBe('1.1')
    expect(reasonOf(() => soapVersionOf('text/plain'))).toBe('soap-type')
  })
})
