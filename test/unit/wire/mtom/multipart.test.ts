import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MtomError } from '../../../../src/wire/mtom/mtom-error.ts'
import {
  defaultMultipartLimits,
  type MultipartEvent,
  type MultipartLimits,
  MultipartSplitter,
} from '../../../../src/wire/mtom/multipart.ts'

interface Part {
  readonly headers: Record<string, string>
  readonly body: string
}

function assemble(events: readonly MultipartEvent[]): Part[] {
  const parts: { headers: Record<string, string>; body: string; open: boolean }[] = []
  for (const event of events) {
    const current = parts.at(-1)
    if (event.kind === 'part') {
      expect(current?.open ?? false).toBe(false)
      parts.push({ headers: Object.fromEntries(event.headers.all), body: '', open: true })
    } else if (current?.open !== true) throw new Error('content outside a part')
    else if (event.kind === 'end') current.open = false
    else {
      expect(event.bytes.length).toBeGreaterThan(0)
      current.body += event.bytes.toString('latin1')
    }
  }
  expect(parts.every(({ open }) => !open)).toBe(true)
  return parts.map(({ headers, body }) => ({ headers, body }))
}

function split(boundary: string, pieces: readonly Buffer[], limits?: MultipartLimits): Part[] {
  const splitter = new MultipartSplitter(boundary, limits)
  return assemble([...pieces.flatMap((piece) => splitter.push(piece)), ...splitter.end()])
}

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...cuts.filter((cut) => cut <= bytes.length), bytes.length].sort((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}

function outcome(boundary: string, pieces: readonly Buffer[], limits?: MultipartLimits): Part[] | string {
  try {
    return split(boundary, pieces, limits)
  } catch (error) {
    if (error instanceof MtomError) return error.reason
    throw error
  }
}

/** The outcome of a message, which must be the same whole, in single bytes, and cut once anywhere. */
function read(message: string, limits?: MultipartLimits, boundary = 'b'): Part[] | string {
  const bytes = Buffer.from(message, 'latin1')
  const whole = outcome(boundary, [bytes], limits)
  expect(
    outcome(
      boundary,
      [...bytes].map((byte) => Buffer.from([byte])),
      limits,
    ),
  ).toEqual(whole)
  for (let cut = 0; cut <= bytes.length; cut++) {
    expect(outcome(boundary, cutAt(bytes, [cut]), limits)).toEqual(whole)
  }
  return whole
}

const limits = defaultMultipartLimits

describe('a multipart message', () => {
  it('is split into parts', () => {
    expect(
      read('--b\r\nContent-ID: <a>\r\nX: y\r\n\r\none\r\n--b\r\n\r\n\r\n--b\r\n\r\nthree\r\n\r\n--b--\r\n'),
    ).toEqual([
      { headers: { 'content-id': '<a>', x: 'y' }, body: 'one' },
      { headers: {}, body: '' },
      { headers: {}, body: 'three\r\n' },
    ])
  })

  it('may have a preamble, an epilogue, and white space behind its boundaries', () => {
    const parts = [{ headers: {}, body: 'one' }]
    expect(read('\r\n--b\r\n\r\none\r\n--b--')).toEqual(parts)
    expect(read('for old\r\n--bread\r\nreaders\r\n--b \t\r\n\r\none\r\n--b-- \t')).toEqual(parts)
    expect(read('--b\r\n\r\none\r\n--b-- \r\nepilogue\r\n--b\r\nstill\r\n--b--')).toEqual(parts)
  })

  it('may have LF for line ends, as some peers have', () => {
    expect(read('\n--b\nContent-ID: <a>\n\none\n--b\n\ntwo\r\n--b--\n')).toEqual([
      { headers: { 'content-id': '<a>' }, body: 'one' },
      { headers: {}, body: 'two\r' },
    ])
  })

  it('keeps to the line ends it began with', () => {
    expect(read('--b\r\n\r\none\n--b\ntwo\r\n--b--')).toEqual([{ headers: {}, body: 'one\n--b\ntwo' }])
    expect(read('--b\r\n\r\none\n--b--\n')).toBe('truncated')
    expect(read('--b\r\n\r\none\r\n--b--\n')).toBe('line-ends')
    expect(read('--b\n\none\n--b--\r\n')).toBe('line-ends')
    expect(read('--b\r\nX: y\n\r\none\r\n--b--')).toBe('line-ends')
    expect(read('--b\nX: y\r\n\none\n--b--')).toBe('line-ends')
  })

  it('takes for content what only begins like a delimiter', () => {
    const body = '\r\n--\r\n--B\r\n--ba\r\n--b-\r\n--b-a\r\n--b--a\r\n--b \ta\r\n-\r\n\r\r\n --b\r\n---b'
    expect(read(`--b\r\n\r\n${body}\r\n--b--\r\n`)).toEqual([{ headers: {}, body }])
    expect(read('--b\r\n\r\n--b-\r\n--b--\r\n')).toEqual([{ headers: {}, body: '--b-' }])
  })

  it('may have parts without a body, the line after whose headers is the delimiter', () => {
    expect(read('--b\r\nX: y\r\n\r\n--b\r\n\r\n--b--')).toEqual([
      { headers: { x: 'y' }, body: '' },
      { headers: {}, body: '' },
    ])
  })

  it('may have parts that are multipart, even with a boundary that begins with its own', () => {
    const inner = '--bb\r\n\r\none\r\n--bb--\r\n'
    expect(read(`--b\r\nContent-Type: multipart/mixed; boundary=bb\r\n\r\n${inner}\r\n--b--`)).toEqual([
      { headers: { 'content-type': 'multipart/mixed; boundary=bb' }, body: inner },
    ])
  })

  it('may have any byte in its content', () => {
    const body = Buffer.from(Uint8Array.from({ length: 512 }, (_, index) => index)).toString('latin1')
    expect(read(`--b\r\n\r\n${body}\r\n--b--`)).toEqual([{ headers: {}, body }])
  })

  it('may have a boundary of 70 hyphens', () => {
    const boundary = '-'.repeat(70)
    const body = `${'-'.repeat(300)}\r\n${'-'.repeat(71)}`
    expect(read(`--${boundary}\r\n\r\n${body}\r\n--${boundary}--\r\n`, limits, boundary)).toEqual([
      { headers: {}, body },
    ])
  })

  it.each([
    ['', 'no-delimiter'],
    ['<soap/>', 'no-delimiter'],
    ['x--b\r\n\r\none\r\n', 'no-delimiter'],
    ['--b--\r\n', 'no-parts'],
    ['--b', 'truncated'],
    ['--b\r\n', 'truncated'],
    ['--b\r\nX: y\r\n', 'truncated'],
    ['--b\r\n\r\none', 'truncated'],
    ['--b\r\n\r\none\r\n', 'truncated'],
    ['--b\r\n\r\none\r\n--', 'truncated'],
    ['--b\r\n\r\none\r\n--b', 'truncated'],
    ['--b\r\n\r\none\r\n--b-', 'truncated'],
    ['--b\r\n\r\none\r\n--b--x', 'truncated'],
    ['--b\r\n\r\none--b--', 'truncated'],
    ['--b\r\n\r\none\r\n--b\r', 'truncated'],
    ['--b\r\n\r\none\r\n--b\rx', 'delimiter'],
    [`--b\r\n\r\none\r\n--b${' '.repeat(100)}\r\n`, 'delimiter'],
  ])('is refused when it is not whole: %j', (message, reason) => {
    expect(read(message)).toBe(reason)
  })

  it('is whole when it ends within the line end of its closing delimiter', () => {
    expect(read('--b\r\n\r\none\r\n--b--\r')).toEqual([{ headers: {}, body: 'one' }])
  })

  it('says where it was found wanting', () => {
    const splitter = new MultipartSplitter('b')
    splitter.push(Buffer.from('--b\r\n'))
    expect(() => splitter.push(Buffer.from('X: y\r\nZ\r\n'))).toThrow(
      expect.objectContaining({ reason: 'header', offset: 11 }),
    )
  })
})

describe('the headers of a part', () => {
  it('may be folded, in any case, and without the Content- ones', () => {
    expect(read('--b\r\nCONTENT-id:a\r\nX:  y\r\n\tz \r\n \r\n  w\r\n\r\n\r\n--b--')).toEqual([
      { headers: { 'content-id': 'a', x: 'y z w' }, body: '' },
    ])
  })

  it('are told in words of their own', () => {
    const splitter = new MultipartSplitter('b')
    const events = splitter.push(
      Buffer.from(
        '--b\r\nContent-Transfer-Encoding: 8BIT\r\nContent-ID: <a@b>\r\nContent-Type: a/b\r\n\r\n--b\r\n\r\n--b--',
      ),
    )
    const told = [...events, ...splitter.end()].flatMap((event) => (event.kind === 'part' ? [event.headers] : []))
    expect(told).toMatchObject([
      { contentId: 'a@b', contentType: 'a/b', transferEncoding: '8bit' },
      { contentType: 'text/plain', transferEncoding: 'binary' },
    ])
    expect(told[1]).not.toHaveProperty('contentId')
  })

  it.each([
    ['X', 'header'],
    [': y', 'header'],
    ['X : y', 'header'],
    ['X(: y', 'header'],
    [' folded: onto nothing', 'header'],
    ['X: y\0', 'header'],
    ['X: y\rz', 'header'],
    ['X: y\r\n z\x7f', 'header'],
    ['--b', 'header'],
    ['X: y\r\nx: y', 'duplicate-header'],
    ['Content-ID: <a>\r\ncontent-id: <b>', 'duplicate-header'],
    ['Content-ID: ', 'content-id'],
    ['Content-ID: <>', 'content-id'],
    ['Content-ID: <a', 'content-id'],
    ['Content-ID: <a><b>', 'content-id'],
    ['Content-ID: a b', 'content-id'],
    ['Content-Transfer-Encoding: gzip', 'transfer-encoding'],
    ['Content-Transfer-Encoding: ', 'transfer-encoding'],
    ['Content-Transfer-Encoding: base64, binary', 'transfer-encoding'],
  ])('are refused when malformed: %j', (header, reason) => {
    expect(read(`--b\r\n${header}\r\n\r\none\r\n--b--`)).toBe(reason)
  })
})

describe('the transfer encodings', () => {
  it.each([
    ['7bit', '=41 QUJD\0\xff', '=41 QUJD\0\xff'],
    ['8bit', '\xff\r', '\xff\r'],
    ['Binary', '\0', '\0'],
    ['base64', 'QUJD\r\nREVG\r\nRw==\r\n', 'ABCDEFG'],
    ['BASE64', '', ''],
    ['quoted-printable', '=41=\r\nB  \r\nC=', 'AB\r\nC'],
  ])('%s gives the content that was meant', (encoding, body, decoded) => {
    const message = `--b\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}\r\n--b\r\n\r\nnext\r\n--b--`
    expect(read(message)).toEqual([
      { headers: { 'content-transfer-encoding': encoding }, body: decoded },
      { headers: {}, body: 'next' },
    ])
  })

  it('are refused where the content is not in them', () => {
    expect(read('--b\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJ\r\n--b--')).toBe('base64')
    expect(read('--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=4\r\n--b--')).toBe('quoted-printable')
  })
})

describe('the limits', () => {
  const twoParts = '--b\r\nX: y\r\n\r\none\r\n--b\r\nX: y\r\n\r\ntwo\r\n--b--'
  const { length } = twoParts

  it.each<[keyof MultipartLimits, number, string]>([
    ['maxParts', 2, 'too-many-parts'],
    ['maxHeaders', 1, 'too-many-headers'],
    ['maxHeaderBytes', 8, 'headers-too-large'],
    ['maxBytes', length, 'too-large'],
  ])('%s is exact', (limit, value, reason) => {
    expect(read(twoParts, { ...limits, [limit]: value })).toHaveLength(2)
    expect(read(twoParts, { ...limits, [limit]: value - 1 })).toBe(reason)
  })

  it('maxOutsideBytes holds before the parts and after them', () => {
    const outside = { ...limits, maxOutsideBytes: 20 }
    expect(read(`${'x'.repeat(19)}\n--b\n\n\n--b--\n${'x'.repeat(20)}`, outside)).toHaveLength(1)
    expect(read(`${'x'.repeat(25)}\n--b\n\n\n--b--\n`, outside)).toBe('too-much-outside')
    expect(read(`--b\n\n\n--b--\n${'x'.repeat(21)}`, outside)).toBe('too-much-outside')
  })

  it('count folded headers by their bytes', () => {
    const folded = `--b\r\nX: y\r\n${' z\r\n'.repeat(3000)}\r\n\r\n--b--`
    expect(outcome('b', [Buffer.from(folded)])).toBe('headers-too-large')
  })
})

describe('any content in any chunks', () => {
  // Pieces of delimiters are put together at random, so that true delimiters are nearly made all the time.
  const boundary = 'b-1'
  const crumbs = ['\r', '\n', '-', '--', 'b', 'b-1', '\r\n', '\r\n--', '\r\n--b-', '\r\n--b-1', '--b-1', ' ', '\0', 'x']
  const body = fc
    .array(fc.constantFrom(...crumbs), { maxLength: 40 })
    .map((pieces) => pieces.join(''))
    .filter((text) => !/(?:^|\r\n)--b-1(?:--)?[ ]*[\r\n]/.test(`${text}\r\n--`))

  it('comes out as it went in', () => {
    fc.assert(
      fc.property(fc.array(body, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(400)), (bodies, cuts) => {
        const message = bodies.map((text) => `--${boundary}\r\nX: y\r\n\r\n${text}\r\n`).join('')
        const bytes = Buffer.from(`${message}--${boundary}--\r\n`, 'latin1')
        expect(split(boundary, cutAt(bytes, cuts))).toEqual(bodies.map((text) => ({ headers: { x: 'y' }, body: text })))
      }),
      { numRuns: 500 },
    )
  })

  it('has one outcome, however it is cut', () => {
    const message = fc.array(
      fc.constantFrom(...crumbs, '--b-1\n', '--b-1\r\n', '--b-1\r\n\r\n', '\r\n--b-1--', 'X: y\r\n'),
      {
        maxLength: 40,
      },
    )
    fc.assert(
      fc.property(message, fc.array(fc.nat(200)), (pieces, cuts) => {
        const bytes = Buffer.from(pieces.join(''), 'latin1')
        expect(outcome(boundary, cutAt(bytes, cuts))).toEqual(outcome(boundary, [bytes]))
      }),
      { numRuns: 1000 },
    )
  })

  it('is given without being copied', () => {
    const bytes = Buffer.from('--b\r\n\r\none\r\n--bread\r\n--b--')
    const events = new MultipartSplitter('b').push(bytes)
    const content = events.flatMap((event) => (event.kind === 'data' ? [event.bytes] : []))
    expect(content.map((piece) => [piece.buffer === bytes.buffer, piece.toString()])).toEqual([
      [true, 'one\r\n--bread'],
    ])
  })
})
