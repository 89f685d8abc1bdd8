import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBase64 } from '../../../../src/wire/mtom/base64.ts'
import { type InlineLimits, InlineSplitter } from '../../../../src/wire/mtom/inline.ts'
import { MtomError } from '../../../../src/wire/mtom/mtom-error.ts'
import { encodeInclude } from '../../../../src/wire/mtom/xop.ts'

const limits: InlineLimits = { maxMessageBytes: 1_000_000, maxDocuments: 8 }

interface Taken {
  readonly documents: ReadonlyMap<string, Buffer>
  readonly message: string
}

/** What comes of a message that is pushed in pieces which are overwritten as soon as they were pushed. */
function split(pieces: Iterable<Uint8Array>, bounds: InlineLimits = limits): Taken {
  const splitter = new InlineSplitter(bounds)
  const documents = new Map<string, Buffer>()
  let under: { readonly id: string; readonly pieces: Buffer[] } | undefined
  let message: string | undefined
  const take = (events: ReturnType<InlineSplitter['push']>) => {
    for (const event of events) {
      if (event.kind === 'document') under = { id: event.contentId, pieces: [] }
      else if (event.kind === 'data') under?.pieces.push(Buffer.from(event.bytes))
      else if (event.kind === 'message') message = event.bytes.toString('utf8')
      else if (under !== undefined) {
        documents.set(under.id, Buffer.concat(under.pieces))
        under = undefined
      }
    }
  }
  for (const piece of pieces) {
    const own = Uint8Array.from(piece)
    take(splitter.push(own))
    own.fill(0x3c)
  }
  take(splitter.end())
  if (message === undefined || under !== undefined) throw new Error('It did not come to its end')
  return { documents, message }
}

const whole = (text: string, bounds?: InlineLimits) => split([Buffer.from(text)], bounds)

function refusal(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof MtomError) return error.reason
    throw error
  }
  return 'taken'
}

/** Cut before each of the offsets. */
function cutAt(bytes: Buffer, offsets: readonly number[]): Buffer[] {
  const ends = [...new Set(offsets)].filter((at) => at > 0 && at < bytes.length).sort((a, b) => a - b)
  return [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}

const texts = ({ documents }: Taken) => [...documents.values()].map((bytes) => bytes.toString('latin1'))
const include = (number: number) => encodeInclude(`inline-${number}@crocevia`)

describe('a message with documents in base64', () => {
  it('gives each document and the message with an Include in its place', () => {
    const taken = whole('<r><Document>QUJD</Document> and <x:Document\n xmlns:x="u">REVG\r\n R0g=\n</x:Document ></r>')
    expect(texts(taken)).toEqual(['ABC', 'DEFGH'])
    expect(taken.message).toBe(
      `<r><Document>${include(1)}</Document> and <x:Document\n xmlns:x="u">${include(2)}</x:Document ></r>`,
    )
  })

  it('comes to the same wherever it is cut, in two places at once', () => {
    const message = Buffer.from(
      `<?p <Document>?><!-- <Document>a>--><r a='>"<'><![CDATA[<Document>]]]]>&lt;<Document b="/">QU&#13;JD\n</Document>é</r>`,
    )
    const expected = split([message])
    expect(texts(expected)).toEqual(['ABC'])
    for (let first = 0; first <= message.length; first++) {
      for (let second = first; second <= message.length; second++) {
        expect(split(cutAt(message, [first, second])), `${first} ${second}`).toEqual(expected)
      }
    }
    expect(split([...message].map((byte) => Uint8Array.of(byte)))).toEqual(expected)
  })

  it('gives what decoding each document by itself gives, whatever they are and however the message is cut', () => {
    const between = fc.constantFrom(
      '',
      ' ',
      '<!-- <Document> > -->',
      '<?x <Document>AA?>',
      '<a b="<Document>"/>',
      'è&gt;',
    )
    const written = fc.record({
      bytes: fc.uint8Array({ maxLength: 200 }),
      line: fc.integer({ min: 1, max: 76 }),
      between,
    })
    fc.assert(
      fc.property(
        fc.array(written, { maxLength: 6 }),
        fc.constantFrom('\n', '\r\n', '&#13;\n', '&#xD;&#xA;', ' \t'),
        fc.array(fc.nat(4_000), { maxLength: 12 }),
        (documents, lineEnd, cuts) => {
          const broken = documents.map(({ bytes, line }) =>
            (
              Buffer.from(bytes)
                .toString('base64')
                .match(new RegExp(`.{1,${line}}`, 'g')) ?? []
            ).join(lineEnd),
          )
          const xml = documents.map(({ between }, index) => `${between}<d:Document>${broken[index]}</d:Document>`)
          const taken = split(cutAt(Buffer.from(`<r>${xml.join('')}</r>`), cuts))
          const plain = broken.map((text) => decodeBase64(text.replace(/&#13;|&#xD;|&#xA;/g, '\n')))
          expect([...taken.documents.values()]).toEqual(plain.filter(({ length }) => length > 0))
          expect(documents.map(({ bytes }) => Buffer.from(bytes))).toEqual(plain)
        },
      ),
    )
  })

  it('of 20 MB is given as it comes, in a message that stays small', () => {
    const content = Buffer.alloc(20_000_003, 'every document is somebody’s')
    const splitter = new InlineSplitter(limits)
    const hash = createHash('sha1')
    let largest = 0
    const take = (events: ReturnType<InlineSplitter['push']>) => {
      for (const event of events) {
        if (event.kind === 'data') {
          hash.update(event.bytes)
          largest = Math.max(largest, event.bytes.length)
        } else if (event.kind === 'message') expect(event.bytes.length).toBeLessThan(200)
      }
    }
    const text = Buffer.from(`<r><Document>${content.toString('base64')}</Document></r>`)
    for (let at = 0; at < text.length; at += 65_536) take(splitter.push(text.subarray(at, at + 65_536)))
    take(splitter.end())
    expect(hash.digest('hex')).toBe(createHash('sha1').update(content).digest('hex'))
    expect(largest).toBeLessThanOrEqual(65_536)
  })
})

describe('what only looks like a document', () => {
  it.each([
    ['the name inside an attribute', '<r a="<Document>QUJD</Document>" b=\'>\'/>'],
    [
      'the name inside a comment, a section or an instruction',
      '<r><!--<Document>QUJD</Document>--><![CDATA[<Document>Q]]><?i <Document>Q?></r>',
    ],
    [
      'names that begin or end alike',
      '<r><DocumentResponse>a b</DocumentResponse><MyDocument>?</MyDocument><a:Documents>!</a:Documents></r>',
    ],
    ['an empty one', '<r><Document/><Document></Document><Document> \n </Document><Document a="/"/></r>'],
    ['one with an Include, indented', `<r><Document>\n  ${encodeInclude('a@b')}\n</Document></r>`],
    ['one with elements', '<r><Document><a>not base64!</a></Document></r>'],
  ])('%s stays where it is', (_what, xml) => {
    expect(whole(xml)).toEqual({ documents: new Map(), message: xml })
  })

  it('one inside another is taken, and the outer one left to whoever reads the message', () => {
    const taken = whole('<Document><Document>QUJD</Document></Document>')
    expect(texts(taken)).toEqual(['ABC'])
    expect(taken.message).toBe(`<Document><Document>${include(1)}</Document></Document>`)
  })

  it('the name counts in every namespace: who reads the message knows which one he wants', () => {
    expect(texts(whole('<r xmlns="urn:other"><Document>QUJD</Document></r>'))).toEqual(['ABC'])
  })
})

describe('a message that is not right', () => {
  it.each([
    ['what is no base64', '<Document>QU*D</Document>', 'base64'],
    ['base64 that ends too soon', '<Document>QUJ</Document>', 'base64'],
    ['bytes beyond ASCII', '<Document>QUJDè</Document>', 'base64'],
    ['an element inside the content', '<Document>QUJD<a/></Document>', 'base64'],
    ['a comment inside the content', '<Document>QU<!-- -->JD</Document>', 'base64'],
    ['an Include beside content', `<Document>QUJD${encodeInclude('a@b')}</Document>`, 'base64'],
    ['a reference to a character that is no line end', '<Document>QU&#74;D</Document>', 'base64'],
    ['a reference that ends in the next tag', '<Document>QUJD&#1</Document>', 'base64'],
    ['a reference without an end', `<Document>QUJD&${'0'.repeat(20)}</Document>`, 'base64'],
    ['no end of the content', '<r><Document>QUJD', 'truncated'],
    ['no content at all', '<r><Document>', 'truncated'],
    ['no end of a tag', '<r a="', 'truncated'],
    ['no end of a comment', '<r><!-- -> ', 'truncated'],
    ['a tag that never ends', `<r ${'a'.repeat(70_000)}>`, 'root-xml'],
    ['too many documents', `<r>${'<Document>QUJD</Document>'.repeat(9)}</r>`, 'too-many-parts'],
  ])('is refused for %s', (_what, xml, reason) => {
    expect(refusal(() => whole(xml))).toBe(reason)
  })

  it('is refused at the byte that is too many, documents not counted', () => {
    const xml = `<r>${'x'.repeat(50)}<Document>${'QUJD'.repeat(100)}</Document></r>`
    const needed = Buffer.byteLength(whole(xml).message)
    expect(refusal(() => whole(xml, { ...limits, maxMessageBytes: needed }))).toBe('taken')
    expect(refusal(() => whole(xml, { ...limits, maxMessageBytes: needed - 1 }))).toBe('root-too-large')
  })

  it('never breaks in another way, whatever it is made of and however it is cut', () => {
    const pieces = [
      '<',
      '>',
      '/',
      'Document',
      ':',
      '"',
      "'",
      '!--',
      '--',
      '![CDATA[',
      ']]',
      '?',
      '&',
      '#13;',
      'QUJD',
      '=',
      ' ',
    ]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 60 }), fc.array(fc.nat(200)), (parts, cuts) => {
        const bytes = Buffer.from(parts.join(''))
        const outcome = (chunks: Iterable<Uint8Array>) => {
          try {
            return split(chunks)
          } catch (error) {
            expect(error).toBeInstanceOf(MtomError)
            return (error as MtomError).reason
          }
        }
        expect(outcome(cutAt(bytes, cuts))).toEqual(outcome([bytes]))
      }),
      { numRuns: 2_000 },
    )
  })
})
