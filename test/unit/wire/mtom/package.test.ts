import { describe, expect, it } from 'vitest'
import { MtomError } from '../../../../src/wire/mtom/mtom-error.ts'
import {
  defaultPackageLimits,
  type PackageEvent,
  type PackageLimits,
  packageEvents,
  readPackage,
} from '../../../../src/wire/mtom/package.ts'

const contentType =
  'multipart/related; type="application/xop+xml"; start="<root>"; start-info="application/soap+xml"; boundary="b"'
const rootType = 'application/xop+xml; charset=UTF-8; type="application/soap+xml"'

function include(href: string): string {
  return `<d><xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="${href}"/></d>`
}

function part(id: string | undefined, type: string, body: string, ...headers: string[]): string {
  const lines = [...(id === undefined ? [] : [`Content-ID: <${id}>`]), `Content-Type: ${type}`, ...headers]
  return `--b\r\n${lines.join('\r\n')}\r\n\r\n${body}\r\n`
}

function message(...parts: string[]): Buffer {
  return Buffer.from(`${parts.join('')}--b--\r\n`, 'latin1')
}

const root = part('root', rootType, `<r>${include('cid:one%40x')}</r>`)
const one = part('one@x', 'application/pdf', 'first')
const two = part('two@x', 'text/plain', 'c2Vjb25k', 'Content-Transfer-Encoding: base64')

function reasonFor(bytes: Buffer, type = contentType, limits?: PackageLimits): string {
  try {
    readPackage(type, bytes, limits)
    return 'accepted'
  } catch (error) {
    if (error instanceof MtomError) return error.reason
    throw error
  }
}

async function* singly(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (const byte of bytes) yield Uint8Array.of(byte)
}

describe('a package in memory', () => {
  it('is understood: its root, its attachments and what refers to what', () => {
    const read = readPackage(contentType, message(root, one, two))
    expect(read.root.soap).toBe('1.2')
    expect(read.root.headers.contentId).toBe('root')
    expect(read.tree.local(read.tree.root)).toBe('r')
    expect(
      read.attachments.map(({ headers, bytes }) => [headers.contentId, headers.contentType, bytes.toString()]),
    ).toEqual([
      ['one@x', 'application/pdf', 'first'],
      ['two@x', 'text/plain', 'second'],
    ])
    expect(read.includes.map(({ contentId, holder }) => [contentId, read.tree.local(holder)])).toEqual([['one@x', 'd']])
    expect(read.unreferenced.map(({ headers }) => headers.contentId)).toEqual(['two@x'])
  })

  it('has for its root the part that start names, wherever it stands', () => {
    const read = readPackage(contentType, message(one, two, root))
    expect(read.root.headers.contentId).toBe('root')
    expect(read.attachments).toHaveLength(2)
  })

  it('has for its root the first part when start is not said, with or without a Content-ID', () => {
    const type = 'multipart/related; type="application/xop+xml"; boundary=b'
    expect(readPackage(type, message(root, one)).root.headers.contentId).toBe('root')
    expect(readPackage(type, message(part(undefined, rootType, '<r/>'), one)).root.bytes.toString()).toBe('<r/>')
    expect(reasonFor(message(one, root), type)).toBe('root-type')
  })

  it('may have a root in another transfer encoding', () => {
    const encoded = part('root', rootType, Buffer.from('<r/>').toString('base64'), 'Content-Transfer-Encoding: base64')
    expect(readPackage(contentType, message(encoded)).root.bytes.toString()).toBe('<r/>')
  })

  it('may have attachments without a Content-ID, which nothing can refer to', () => {
    const read = readPackage(contentType, message(root, part(undefined, 'a/b', ''), one))
    expect(read.unreferenced.map(({ headers }) => headers.contentType)).toEqual(['a/b'])
  })

  it('may have attachments whose Content-Type is nonsense, since nothing depends on it', () => {
    expect(reasonFor(message(root, part('one@x', 'PDF!', '')))).toBe('accepted')
  })

  it('tells SOAP 1.1 when both places say so', () => {
    const type = contentType.replace('application/soap+xml', 'text/xml')
    const read = readPackage(type, message(part('root', 'application/xop+xml; type="text/xml"', '<r/>')))
    expect(read.root.soap).toBe('1.1')
  })

  it.each<[string, string, Buffer]>([
    ['whose start points nowhere', 'no-root', message(part('toor', rootType, '<r/>'))],
    ['whose start differs in case', 'no-root', message(part('ROOT', rootType, '<r/>'))],
    ['with the same Content-ID twice', 'duplicate-content-id', message(root, one, one)],
    ['with the Content-ID of the root twice', 'duplicate-content-id', message(root, one, part('root', 'a/b', ''))],
    ['whose root is plain XML', 'root-type', message(part('root', 'application/soap+xml', '<r/>'))],
    ['whose root is multipart', 'root-type', message(part('root', 'multipart/related; boundary=c', '--c--'))],
    ['whose root does not say of what it is XOP', 'root-type', message(part('root', 'application/xop+xml', '<r/>'))],
    ['whose root has a malformed type', 'content-type', message(part('root', `${rootType}; type=x`, '<r/>'))],
    [
      'whose root is XOP of something else',
      'soap-type',
      message(part('root', 'application/xop+xml; type="a/b"', '<r/>')),
    ],
    ['that says two kinds of SOAP', 'soap-type', message(part('root', 'application/xop+xml; type="text/xml"', '<r/>'))],
    ['whose root is UTF-16', 'charset', message(part('root', rootType.replace('UTF-8', 'UTF-16'), '<r/>'))],
    ['whose root is no XML', 'root-xml', message(part('root', rootType, '<r>'))],
    ['whose root has a document type', 'root-xml', message(part('root', rootType, '<!DOCTYPE r><r/>'))],
    ['with an Include that points nowhere', 'include-unresolved', message(root)],
    [
      'with an Include of the root',
      'include-unresolved',
      message(part('root', rootType, `<r>${include('cid:root')}</r>`)),
    ],
  ])('is refused %s', (_, reason, bytes) => {
    expect(reasonFor(bytes)).toBe(reason)
  })

  it('is refused with a root, or a number of Includes, above the limit', () => {
    const body = `<r>${include('cid:one@x')}${include('cid:one@x')}</r>`
    const bytes = message(part('root', rootType, body), one)
    expect(reasonFor(bytes, contentType, { ...defaultPackageLimits, maxRootBytes: body.length, maxIncludes: 2 })).toBe(
      'accepted',
    )
    expect(reasonFor(bytes, contentType, { ...defaultPackageLimits, maxRootBytes: body.length - 1 })).toBe(
      'root-too-large',
    )
    expect(reasonFor(bytes, contentType, { ...defaultPackageLimits, maxIncludes: 1 })).toBe('too-many-includes')
  })
})

describe('a package from a stream', () => {
  async function told(bytes: Buffer): Promise<string[]> {
    const lines: string[] = []
    for await (const event of packageEvents(contentType, singly(bytes))) lines.push(line(event))
    return lines.join('').split('|').filter(Boolean)
  }

  function line(event: PackageEvent): string {
    if (event.kind === 'root') return `|root ${event.root.bytes.length}|`
    if (event.kind === 'part') return `|part ${event.headers.contentId} `
    return event.kind === 'data' ? event.bytes.toString() : ' end|'
  }

  it('gives the root as soon as it is complete, and the attachments as they come', async () => {
    const length = `<r>${include('cid:one%40x')}</r>`.length
    expect(await told(message(one, root, two))).toEqual([
      'part one@x first end',
      `root ${length}`,
      'part two@x second end',
    ])
  })

  it('fails when the stream ends early, after what was already given', async () => {
    const given: string[] = []
    const cut = message(root, one).subarray(0, -4)
    await expect(async () => {
      for await (const event of packageEvents(contentType, singly(cut))) given.push(event.kind)
    }).rejects.toThrow(expect.objectContaining({ reason: 'truncated' }))
    expect(given[0]).toBe('root')
  })

  it('fails when there is no root, and with what the stream fails with', async () => {
    await expect(told(message(one))).rejects.toThrow(expect.objectContaining({ reason: 'no-root' }))
    const broken = (async function* () {
      yield message(root).subarray(0, 20)
      throw new Error('reset')
    })()
    await expect(async () => {
      for await (const _ of packageEvents(contentType, broken));
    }).rejects.toThrow('reset')
  })

  it('lets go of the stream when it is refused or left', async () => {
    let closed = 0
    async function* stream(bytes: Buffer): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield bytes
      } finally {
        closed++
      }
    }
    for await (const _ of packageEvents(contentType, stream(message(root)))) break
    await expect(async () => {
      for await (const _ of packageEvents(contentType, stream(Buffer.alloc(10_000))));
    }).rejects.toThrow(MtomError)
    expect(closed).toBe(2)
  })
})
