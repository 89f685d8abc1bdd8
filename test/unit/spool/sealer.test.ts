import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { blockBytes } from '../../../src/spool/blocks.ts'
import { newSecret, unsealWith } from '../../../src/spool/seal.ts'
import { type Sealer, sealer } from '../../../src/spool/sealer.ts'

function newSealer(): Sealer {
  const sealing = sealer()
  onTestFinished(() => sealing[Symbol.dispose]())
  return sealing
}

function copyOf(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  copy.set(bytes)
  return copy
}

const nothing = Buffer.alloc(0)
const ended = { code: 'internal', details: { reason: 'thread-ended' } }

describe('sealer', () => {
  it.each([
    ['with a secret', newSecret()],
    ['without one', undefined],
  ])('hashes the whole and seals what is to be sealed, %s', async (_name, secret) => {
    const [head, tail] = [randomBytes(blockBytes + 1), randomBytes(3 * blockBytes)]
    const seal = newSealer().begin(secret)
    const hashed = seal.hash(copyOf(head))
    const sealed = seal.seal(copyOf(tail))
    const { sha1, told } = await seal.end()
    expect(sha1).toBe(createHash('sha1').update(head).update(tail).digest('hex'))
    expect((await hashed).equals(head)).toBe(true)
    expect((await sealed).equals(tail)).toBe(secret === undefined)
    const { unseal, isIntact } = unsealWith(secret, told)
    expect(unseal(await sealed).equals(tail)).toBe(true)
    expect(isIntact()).toBe(true)
  })

  it('keeps documents apart that come at the same time', async () => {
    const sealing = newSealer()
    const documents = Array.from({ length: 10 }, () => randomBytes(1000))
    const seals = documents.map(() => sealing.begin(undefined))
    for (let at = 0; at < 1000; at += 100) {
      for (const [index, seal] of seals.entries())
        void seal.hash(copyOf((documents[index] ?? nothing).subarray(at, at + 100)))
    }
    const digests = await Promise.all(seals.map(async (seal) => (await seal.end()).sha1))
    expect(digests).toEqual(documents.map((bytes) => createHash('sha1').update(bytes).digest('hex')))
  })

  it('takes a block away until it is given back', async () => {
    const seal = newSealer().begin(undefined)
    const block = copyOf(randomBytes(10))
    const hashed = seal.hash(block)
    expect(block).toHaveLength(0)
    expect(await hashed).toHaveLength(10)
  })

  it('fails what is under way when the thread ends, and what comes after it; the next document has another', async () => {
    const sealing = newSealer()
    const seal = sealing.begin(undefined)
    const hashed = seal.hash(copyOf(randomBytes(10)))
    const end = seal.end()
    sealing[Symbol.dispose]()
    await expect(hashed).rejects.toMatchObject(ended)
    await expect(end).rejects.toMatchObject(ended)
    await expect(seal.hash(copyOf(randomBytes(10)))).rejects.toMatchObject(ended)
    expect((await sealing.begin(undefined).end()).sha1).toBe(createHash('sha1').digest('hex'))
  })

  it('costs the documents it had, and no others, when the thread fails', async () => {
    const sealing = newSealer()
    const [one, other] = [sealing.begin(undefined), sealing.begin(undefined)]
    await one.end()
    // It has ended already.
    await expect(one.end()).rejects.toMatchObject(ended)
    await expect(other.end()).rejects.toMatchObject(ended)
    const next = sealing.begin(undefined)
    expect((await next.end()).sha1).toBe(createHash('sha1').digest('hex'))
  })
})
