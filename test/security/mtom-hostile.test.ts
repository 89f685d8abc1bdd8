import { describe, expect, it } from 'vitest'
import { MtomError, type MtomReason, mtomReasons } from '../../src/wire/mtom/mtom-error.ts'
import { defaultPackageLimits, PackageReader, readPackage } from '../../src/wire/mtom/package.ts'
import { writePackage } from '../../src/wire/mtom/write.ts'

const xop = 'http://www.w3.org/2004/08/xop/include'
const contentType =
  'multipart/related; type="application/xop+xml"; start="<root>"; start-info="application/soap+xml"; boundary="b"'
const rootHead =
  '--b\r\nContent-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"\r\nContent-ID: <root>\r\n\r\n'

function root(content: string): string {
  return `${rootHead}<r xmlns:x="${xop}">${content}</r>\r\n`
}

function include(href: string): string {
  return `<d><x:Include href="${href}"/></d>`
}

function part(id: string, body: string, headers = ''): string {
  return `--b\r\nContent-ID: <${id}>\r\n${headers}\r\n${body}\r\n`
}

function outcome(message: string | Buffer, type = contentType): string {
  try {
    readPackage(type, Buffer.isBuffer(message) ? message : Buffer.from(message, 'latin1'))
    return 'accepted'
  } catch (error) {
    if (error instanceof MtomError) return error.reason
    throw error
  }
}

function numbered(count: number, write: (number: number) => string): string {
  return Array.from({ length: count }, (_, number) => write(number)).join('')
}

/** The message every attack below is made from. */
const honest = `${root(include('cid:1%40x'))}${part('1@x', 'content')}--b--\r\n`

const attacks: readonly [string, MtomReason, string, string?][] = [
  ['a Content-Type with its boundary twice', 'content-type', honest, `${contentType}; boundary=c`],
  ['a Content-Type that hides a boundary from old readers', 'content-type', honest, `${contentType}; boundary*=''c`],
  ['two Content-Types in one', 'content-type', honest, `${contentType}, text/plain`],
  ['a line break in a Content-Type', 'content-type', honest, contentType.replace('"b"', '"b\r\nX: y"')],
  ['form data', 'not-multipart-related', honest, contentType.replace('related', 'form-data')],
  ['SOAP with attachments', 'not-xop', honest, contentType.replace('application/xop+xml', 'text/xml')],
  ['a boundary that is too long', 'boundary', honest, contentType.replace('"b"', `"${'b'.repeat(71)}"`)],
  ['a boundary with a quote in it', 'boundary', honest, contentType.replace('"b"', '"b\\""')],
  ['a start that says nothing', 'content-id', honest, contentType.replace('<root>', '')],
  ['another SOAP outside than inside', 'soap-type', honest, contentType.replace('application/soap+xml', 'text/xml')],
  ['a root in UTF-16', 'charset', honest.replace('UTF-8', 'UTF-16LE')],
  ['another boundary than was said', 'no-delimiter', honest, contentType.replace('"b"', '"B"')],
  ['a flood before the first part', 'too-much-outside', `${'flood\r\n'.repeat(10_000)}${honest}`],
  ['a flood after the last part', 'too-much-outside', `${honest}${'flood\r\n'.repeat(10_000)}`],
  ['a flood of white space behind a boundary', 'delimiter', honest.replace('--b--', `--b${' '.repeat(100_000)}--`)],
  ['a bare carriage return behind a boundary', 'delimiter', honest.replace('--b--\r\n', '--b--\rx')],
  ['a closing delimiter with another line end', 'line-ends', honest.replace('--b--\r\n', '--b--\n')],
  ['a header with another line end', 'line-ends', honest.replace('<1@x>\r\n', '<1@x>\n')],
  ['no closing delimiter', 'truncated', honest.replace('--b--\r\n', '')],
  ['a closing delimiter in the epilogue of a part', 'truncated', honest.replace('\r\n--b--', '--b--')],
  ['nothing between its delimiters', 'no-parts', '--b--\r\n'],
  ['a flood of parts', 'too-many-parts', `${root('')}${numbered(100_000, (n) => part(`${n}`, ''))}--b--`],
  ['a flood of empty parts', 'too-many-parts', `${root('')}${'--b\r\n\r\n'.repeat(100_000)}--b--`],
  [
    'a flood of headers',
    'too-many-headers',
    `${root('')}${part(
      '1',
      '',
      numbered(1000, (n) => `X${n}: y\r\n`),
    )}--b--`,
  ],
  ['a header without end', 'headers-too-large', `${root('')}--b\r\nX: ${'y'.repeat(1_000_000)}`],
  ['a header folded without end', 'headers-too-large', `${root('')}--b\r\nX: y${'\r\n z'.repeat(1_000_000)}`],
  ['a NUL in a header', 'header', honest.replace('<1@x>', '<1@x>\0')],
  ['a header that is a delimiter', 'header', honest.replace('\r\n\r\ncontent', '\r\n--b\r\n\r\ncontent')],
  ['a space before a colon', 'header', honest.replace('Content-ID: <1', 'Content-ID : <1')],
  ['a Content-ID twice in a part', 'duplicate-header', honest.replace('<1@x>', '<1@x>\r\ncontent-id: <2@x>')],
  [
    'a type of content twice in the root',
    'duplicate-header',
    honest.replace(rootHead, `${rootHead.slice(0, -2)}content-type: text/plain\r\n\r\n`),
  ],
  ['a NUL in a Content-ID', 'header', honest.replace('<1@x>', '<1@x\0>')],
  ['a Content-ID within a Content-ID', 'content-id', honest.replace('<1@x>', '<<1@x>>')],
  [
    'an unknown transfer encoding',
    'transfer-encoding',
    honest.replace('<1@x>', '<1@x>\r\nContent-Transfer-Encoding: x-uuencode'),
  ],
  [
    'two transfer encodings',
    'transfer-encoding',
    honest.replace('<1@x>', '<1@x>\r\nContent-Transfer-Encoding: base64,binary'),
  ],
  [
    'base64 with something hidden behind its end',
    'base64',
    `${root('')}${part('1', 'QQ==QUJD', 'Content-Transfer-Encoding: base64\r\n')}--b--`,
  ],
  [
    'quoted-printable with raw bytes',
    'quoted-printable',
    `${root('')}${part('1', 'a\xff', 'Content-Transfer-Encoding: quoted-printable\r\n')}--b--`,
  ],
  ['two parts of one Content-ID', 'duplicate-content-id', honest.replace('--b--', `${part('1@x', 'other')}--b--`)],
  ['two roots', 'duplicate-content-id', honest.replace('--b--', `${root('')}--b--`)],
  ['a start that points nowhere', 'no-root', honest, contentType.replace('<root>', '<1>')],
  ['a start that is percent-encoded', 'no-root', honest, contentType.replace('<root>', '<%72oot>')],
  ['a start that points at a document', 'root-type', honest, contentType.replace('<root>', '<1@x>')],
  [
    'a root that is a multipart itself',
    'root-type',
    honest.replace('application/xop+xml; charset', 'multipart/related; charset'),
  ],
  ['a root larger than memory should hold', 'root-too-large', root('x'.repeat(defaultPackageLimits.maxRootBytes))],
  ['a root with an external entity', 'root-xml', honest.replace('<r ', '<!DOCTYPE r SYSTEM "file:///etc/passwd"><r ')],
  ['a root with a NUL', 'root-xml', honest.replace('<d>', '<d>\0')],
  ['an Include without an href', 'include', honest.replace('href=', 'ref=')],
  ['an Include that is badly encoded', 'include', honest.replace('%40', '%c0%80%')],
  [
    'an Include within an Include',
    'include',
    honest.replace(
      '<d><x:Include href="cid:1%40x"/></d>',
      '<d><x:Include href="cid:1%40x"><x:Include href="cid:1%40x"/></x:Include></d>',
    ),
  ],
  ['an Include beside text', 'include-not-alone', honest.replace('<d>', '<d>QUJD')],
  ['an Include of a page', 'include-elsewhere', honest.replace('cid:1%40x', 'http://169.254.169.254/latest')],
  ['an Include of a file', 'include-elsewhere', honest.replace('cid:1%40x', 'file:///etc/passwd')],
  ['an Include of something beside it', 'include-elsewhere', honest.replace('cid:1%40x', '1%40x')],
  ['an Include that is encoded twice', 'include-unresolved', honest.replace('cid:1%40x', 'cid:1%2540x')],
  ['an Include in other letters', 'include-unresolved', honest.replace('cid:1%40x', 'cid:1%40X')],
  ['an Include with a NUL behind', 'include-unresolved', honest.replace('cid:1%40x', 'cid:1%40x%00')],
  ['an Include with its angle brackets', 'include-unresolved', honest.replace('cid:1%40x', 'cid:%3C1%40x%3E')],
  ['an Include of the root', 'include-unresolved', honest.replace('cid:1%40x', 'cid:root')],
  ['a flood of Includes', 'too-many-includes', `${root(include('cid:1').repeat(100_000))}${part('1', '')}--b--`],
]

describe('a package is refused for', () => {
  it.each(attacks)('%s', (_, reason, message, type) => {
    expect(outcome(honest)).toBe('accepted')
    expect(outcome(message, type)).toBe(reason)
    expect(outcome(honest)).toBe('accepted')
  })

  it('every reason there is, here or by a limit or in writing', () => {
    const seen = new Set<string>(attacks.map(([, reason]) => reason))
    expect(mtomReasons.filter((reason) => !seen.has(reason))).toEqual(['too-large', 'boundary-collision', 'length'])
  })

  it('being cut anywhere', () => {
    // Without its last line end it is still whole.
    for (let length = 0; length < honest.length - 2; length++) {
      expect(['no-delimiter', 'truncated']).toContain(outcome(honest.slice(0, length)))
    }
    expect(outcome(honest.slice(0, -2))).toBe('accepted')
  })

  it('nothing that it says itself: failures do not quote it', () => {
    for (const [, , message, type] of attacks) {
      try {
        readPackage(type ?? contentType, Buffer.from(message, 'latin1'))
      } catch (error) {
        expect(String(error)).toMatch(/^MtomError: [A-Z][A-Za-z0-9 +/,-]+(?: \(at byte \d+\))?$/)
      }
    }
  })
})

describe('a document cannot', () => {
  it('end the part it is in by looking like a delimiter of another message, or of this one nearly', () => {
    for (const body of [
      '\r\n--c--\r\n',
      '\n--b--\n',
      '\r\n--bb\r\n',
      '\r\n--b--b\r\n',
      '\r--b\r\n',
      '\r\n --b--\r\n',
      '\r\n--B--\r\n',
    ]) {
      const read = readPackage(contentType, Buffer.from(honest.replace('content', body)))
      expect(read.attachments.map(({ bytes }) => bytes.toString())).toEqual([body])
    }
  })

  it('be written where the boundary is in it', () => {
    const parts = [{ contentId: '1@x', contentType: 'a/b', chunks: Buffer.from('\r\n--b--\r\n') }]
    expect(() =>
      writePackage({ boundary: 'b', rootId: 'root', soap: '1.2', root: Buffer.from('<r/>'), parts }),
    ).toThrow(expect.objectContaining({ reason: 'boundary-collision' }))
  })
})

describe('a package of 10 MB', () => {
  // A quadratic reader would take 100,000,000,000,000 steps on each of these, and miss the deadline of a test.
  const size = 10 * 1024 * 1024
  const long = 'b'.repeat(70)
  const ofLong = contentType.replace('"b"', `"${long}"`)
  const fillings: readonly [string, string][] = [
    ['carriage returns', '\r'],
    ['line ends', '\r\n'],
    ['beginnings of delimiters', `\r\n--${long.slice(1)}`],
    ['delimiters that go on', `\r\n--${long}b`],
    ['letters of the boundary', 'b'],
    ['hyphens', '-'],
    ['NULs', '\0'],
  ]

  it.each(fillings)('filled with %s is read, whole and in small chunks', (_, filling) => {
    const body = filling.repeat(size / filling.length)
    const text = `${root(include('cid:1'))}${part('1', body)}--b--\r\n`.replaceAll(
      /^--b(?=\r\n[A-Z]|--)/gm,
      `--${long}`,
    )
    const message = Buffer.from(text, 'latin1')
    expect(readPackage(ofLong, message).attachments[0]?.bytes.length).toBe(body.length)
    const reader = new PackageReader(ofLong)
    let length = 0
    for (let at = 0; at < message.length; at += 777) {
      for (const event of reader.push(message.subarray(at, at + 777)))
        if (event.kind === 'data') length += event.bytes.length
    }
    reader.end()
    expect(length).toBe(body.length)
  })

  it.each([
    ['base64', 'QUJD\r\n'],
    ['base64', '\r\n'],
    ['quoted-printable', '=\r\n'],
    ['quoted-printable', '=41'],
  ])('in %s, %j over and over, is decoded', (encoding, filling) => {
    const body = filling.repeat(size / filling.length)
    const headers = `Content-Transfer-Encoding: ${encoding}\r\n`
    expect(outcome(`${root(include('cid:1'))}${part('1', body, headers)}--b--\r\n`)).toBe('accepted')
  })
})

describe('a reader holds on to', () => {
  it('nothing of the chunks it has passed, so that their memory can be used again', () => {
    const reader = new PackageReader(contentType)
    const chunk = Buffer.alloc(16)
    const message = Buffer.from(`${root(include('cid:1'))}${part('1', '\r\n--x'.repeat(100))}--b--`)
    let attachment = ''
    let seen = ''
    for (let at = 0; at < message.length; at += chunk.length) {
      const length = message.copy(chunk, 0, at, at + chunk.length)
      for (const event of reader.push(chunk.subarray(0, length))) {
        if (event.kind === 'root') seen = event.root.bytes.toString()
        if (event.kind === 'data') attachment += event.bytes.toString()
      }
    }
    reader.end()
    expect(`${rootHead}${seen}\r\n`).toBe(root(include('cid:1')))
    expect(attachment).toBe('\r\n--x'.repeat(100))
  })
})
