import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { canonicalize } from '../../src/wire/c14n.ts'
import { readTree, XmlError, XmlReader, type XmlTree } from '../../src/wire/xml.ts'
import { randomFrom, XmlGenerator } from './xml-generator.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const message = Buffer.from(
  '<s:Envelope xmlns:s="urn:soap" xmlns:r="urn:rim"><s:Body><r:Slot name="a&amp;b"><r:Value>1 &lt; 2</r:Value></r:Slot></s:Body></s:Envelope>',
)

function told(bytes: Uint8Array): unknown {
  const tree = readTree(bytes)
  const names = Array.from({ length: tree.records.count }, (_, node) => [
    tree.namespace(node),
    tree.local(node),
    tree.text(node),
    tree.attributes(node),
  ])
  return { names, form: canonicalize(tree, 0) }
}

/** Messages made to leave something behind: many names, colliding prefixes, odd namespaces, all sorts of damage. */
function hostile(index: number): Buffer {
  const generator = new XmlGenerator(randomFrom(index))
  switch (index % 5) {
    case 0:
      return Buffer.from(`<a>${Array.from({ length: 5000 }, (_, n) => `<n${index}.${n}/>`).join('')}</a>`)
    case 1:
      return Buffer.from('<r:Envelope xmlns:r="urn:soap" xmlns:s="urn:rim"><s:Body Value="1"><r:Slot></s:Slot>')
    case 2:
      return Buffer.from(
        `<a ${Array.from({ length: 200 }, (_, n) => `xmlns:p${n}="urn:${index}:${n}"`).join(' ')}><s:b/></a>`,
      )
    case 3:
      return Buffer.from(`<s:Envelope xmlns:s="urn:soap"><s:Body>${'<s:x>'.repeat(80)}`)
    default:
      return generator.damage(generator.damage(Buffer.from(message)))
  }
}

describe('from one message to the next', () => {
  it('nothing leaks: hostile messages in between change nothing', () => {
    const before = told(message)
    let refused = 0
    for (let index = 0; index < 1000; index++) {
      try {
        readTree(hostile(index))
      } catch (error) {
        if (!(error instanceof XmlError)) throw error
        refused++
      }
      if (index % 10 === 0) expect(told(message)).toEqual(before)
    }
    expect(refused).toBeGreaterThan(500)
    expect(told(message)).toEqual(before)
  })

  it('nothing leaks between two that are read at the same time', () => {
    const other = Buffer.from(
      '<r:Envelope xmlns:r="urn:soap" xmlns:s="urn:rim"><s:Body/><r:Slot name="c"/></r:Envelope>',
    )
    const expected = [steps(new XmlReader(message)), steps(new XmlReader(other))]
    const [one, two] = [new XmlReader(message), new XmlReader(other)]
    const walked: string[][] = [[], []]
    for (let turn = 0; turn < 20; turn++) {
      const told = walked[turn % 2]!
      const walk = turn % 2 === 0 ? one : two
      const found = walk.next()
      told.push(found === 'start' ? `${walk.namespace()} ${walk.local()} ${walk.attribute('name')}` : found)
    }
    expect(walked.map((told) => told.filter((step) => step !== 'eof'))).toEqual(expected)
  })

  function steps(walk: XmlReader): string[] {
    const told: string[] = []
    for (let found = walk.next(); found !== 'eof'; found = walk.next()) {
      told.push(found === 'start' ? `${walk.namespace()} ${walk.local()} ${walk.attribute('name')}` : found)
    }
    return told
  }
})

describe('what is kept of a message', () => {
  const filler = 'x'.repeat(4 * 1024 * 1024)
  const text = `<p:a xmlns:p="urn:kept" ID="identifier &amp; more" plain="a plain value">kept text<p:b>è &amp; decoded</p:b><c>${filler}</c></p:a>`

  it('does not keep the message: names, values, texts and canonical forms are copies', async () => {
    const kept: unknown[] = []
    const bytes = keepFrom(kept, (tree) => {
      const b = tree.first(tree.root)
      return [
        tree.local(0),
        tree.prefix(0),
        tree.namespace(0),
        tree.attributes(0),
        tree.idAttributes,
        tree.text(b),
        canonicalize(tree, b),
      ]
    })
    await collected(bytes)
    expect(bytes.deref() === undefined).toBe(true)
    expect(JSON.stringify(kept)).toContain('è & decoded')
  })

  it('does not keep the message through an error', async () => {
    const kept: unknown[] = []
    const bytes = keepFrom(kept, (tree) => {
      try {
        readTree(tree.bytes.subarray(0, tree.bytes.length - 1))
      } catch (error) {
        return error
      }
      return undefined
    })
    await collected(bytes)
    expect(bytes.deref() === undefined).toBe(true)
    expect(kept[0]).toBeInstanceOf(XmlError)
  })

  it('sees a message that is kept, so that the tests above can fail', async () => {
    const kept: unknown[] = []
    const bytes = keepFrom(kept, (tree) => tree)
    await collected(bytes)
    expect(bytes.deref() === undefined).toBe(false)
    expect(kept).toHaveLength(1)
  })

  /** The message's memory; the tree is out of reach when this returns, but for what `take` took of it. */
  function keepFrom(kept: unknown[], take: (tree: XmlTree) => unknown): WeakRef<ArrayBufferLike> {
    const tree = readTree(new Uint8Array(Buffer.from(text)))
    kept.push(take(tree))
    return new WeakRef(tree.bytes.buffer)
  }

  /** A weak reference made in one turn holds until the next. */
  async function collected(reference: WeakRef<object>): Promise<void> {
    for (let turn = 0; turn < 5 && (turn === 0 || reference.deref() !== undefined); turn++) {
      await new Promise((resolve) => setImmediate(resolve))
      collect()
    }
  }
})
