import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { HeldDocument, Spool } from '../../../src/core/ports.ts'
import { blockBytes, largeBlockBytes } from '../../../src/spool/blocks.ts'
import { type SpoolOptions, spool } from '../../../src/spool/spool.ts'

/** Less than a large block: what does not fit goes to a file as a whole. */
const limit = 1_000_000
const block = blockBytes
const signal = new AbortController().signal
const nothingHeld = { documents: 0, memoryBytes: 0, diskBytes: 0 }

async function newSpool(options: SpoolOptions = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'crocevia-spool-test-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const held = spool({ directory, memoryBytes: limit, ...options })
  onTestFinished(() => held[Symbol.asyncDispose]())
  return { spool: held, directory }
}

async function hold(into: Spool, pieces: Iterable<Uint8Array>): Promise<HeldDocument> {
  const sink = into.begin({ maxBytes: Number.POSITIVE_INFINITY, signal })
  for (const piece of pieces) await sink.write(piece)
  return await sink.end()
}

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}

function measureOf(bytes: Uint8Array) {
  const hex = (algorithm: string) => createHash(algorithm).update(bytes).digest('hex')
  return { size: bytes.length, sha1: hex('sha1') }
}

/** `equals`, because a difference between large buffers takes long to print. */
async function expectHeld(document: HeldDocument, bytes: Buffer): Promise<void> {
  expect(document).toMatchObject(measureOf(bytes))
  expect((await bytesOf(document.read())).equals(bytes)).toBe(true)
}

describe.each([
  ['encrypted files', true],
  ['plain files', false],
])('a spool with %s', (_name, isEncrypted) => {
  it.each([
    [0, 'memory'],
    [1, 'memory'],
    [block, 'memory'],
    [limit - 1, 'memory'],
    [limit, 'memory'],
    [limit + 1, 'file'],
    [limit + block, 'file'],
    [3 * limit + 12_345, 'file'],
  ])('holds %d bytes in %3$s, and gives them back as they came', async (size, place) => {
    const { spool } = await newSpool({ isEncrypted })
    const bytes = randomBytes(size)
    const document = await hold(spool, [bytes])
    await expectHeld(document, bytes)
    await expectHeld(document, bytes)
    expect(spool.usage()).toEqual({
      documents: 1,
      memoryBytes: place === 'memory' ? size : 0,
      diskBytes: place === 'file' ? size : 0,
    })
    await document[Symbol.asyncDispose]()
    expect(spool.usage()).toEqual(nothingHeld)
  })

  it('holds the same whatever the pieces it comes in', async () => {
    const { spool } = await newSpool({ isEncrypted, memoryBytes: 100_000 })
    const sizes = fc.array(fc.oneof(fc.nat(20), fc.nat(5000), fc.nat(200_000)), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(sizes, async (lengths) => {
        const pieces = lengths.map((length) => randomBytes(length))
        await using document = await hold(spool, pieces)
        await expectHeld(document, Buffer.concat(pieces))
      }),
      { numRuns: 50 },
    )
    expect(spool.usage()).toEqual(nothingHeld)
  })

  it.each([limit, 3 * limit])('lets the caller reuse its memory: %d bytes', async (size) => {
    const { spool } = await newSpool({ isEncrypted })
    const bytes = randomBytes(size)
    const piece = Buffer.alloc(50_000)
    const sink = spool.begin({ maxBytes: size, signal })
    for (let at = 0; at < size; at += piece.length) {
      await sink.write(piece.subarray(0, bytes.copy(piece, 0, at)))
      piece.fill(0)
    }
    await expectHeld(await sink.end(), bytes)
  })

  it('serves readers at once, each at its own pace, and outlives those that leave early', async () => {
    const { spool } = await newSpool({ isEncrypted })
    const warnings: Error[] = []
    const warn = (warning: Error) => warnings.push(warning)
    process.on('warning', warn)
    onTestFinished(() => void process.off('warning', warn))
    for (const size of [limit, limit + 1]) {
      const bytes = randomBytes(size)
      const document = await hold(spool, [bytes])
      const chunks = document.read()
      for await (const chunk of chunks) {
        expect(chunk.length).toBeLessThanOrEqual(block)
        break
      }
      const all = await Promise.all(Array.from({ length: 20 }, () => bytesOf(document.read())))
      expect(all.every((one) => one.equals(bytes))).toBe(true)
      expect((await bytesOf(chunks)).equals(bytes)).toBe(true)
      expect((await bytesOf(chunks)).equals(bytes)).toBe(true)
    }
    expect(warnings).toEqual([])
  })

  it('gives memory that the reader may change', async () => {
    const { spool } = await newSpool({ isEncrypted })
    for (const size of [10, limit + 1]) {
      const bytes = randomBytes(size)
      const document = await hold(spool, [bytes])
      for await (const chunk of document.read()) chunk.fill(0)
      await expectHeld(document, bytes)
    }
  })

  it('ends a read that is under way when the document is disposed of', async () => {
    const { spool } = await newSpool({ isEncrypted })
    for (const size of [10, limit, limit + 1]) {
      const document = await hold(spool, [randomBytes(size)])
      const early = document.read()[Symbol.asyncIterator]()
      const late = document.read()[Symbol.asyncIterator]()
      await late.next()
      const waiting = early.next()
      const disposal = document[Symbol.asyncDispose]()
      const failure = { code: 'internal', details: { reason: 'disposed' } }
      // In memory the first chunk is there at once, on file it is being read.
      if (size > limit) await expect(waiting).rejects.toMatchObject(failure)
      await expect(late.next()).rejects.toMatchObject(failure)
      await expect(bytesOf(document.read())).rejects.toMatchObject(failure)
      await disposal
      await document[Symbol.asyncDispose]()
      expect(spool.usage()).toEqual(nothingHeld)
    }
  })

  it('holds many documents that arrive at once', async () => {
    const { spool } = await newSpool({ isEncrypted, memoryBytes: 200_000, totalMemoryBytes: 2_000_000 })
    const documents = Array.from({ length: 60 }, (_, index) => randomBytes((index * 7919) % 400_000))
    await Promise.all(
      documents.map(async (bytes) => {
        await using document = await hold(spool, [bytes.subarray(0, 1000), bytes.subarray(1000)])
        await expectHeld(document, bytes)
      }),
    )
    expect(spool.usage()).toEqual(nothingHeld)
  })
})

describe('a document beyond a large block', () => {
  const mebibyte = largeBlockBytes

  it.each([
    [mebibyte + 1, mebibyte + 1, 0],
    [2 * mebibyte, 2 * mebibyte, 0],
    [2 * mebibyte + 1, 2 * mebibyte, 1],
    [5 * mebibyte + 12_345, 2 * mebibyte, 3 * mebibyte + 12_345],
  ])('of %d bytes is held in memory as far as may be, the rest in a file', async (size, memoryBytes, diskBytes) => {
    const { spool, directory } = await newSpool({ memoryBytes: 2 * mebibyte + 5, isNamed: true })
    const bytes = randomBytes(size)
    const document = await hold(spool, [bytes.subarray(0, 300_000), bytes.subarray(300_000)])
    expect(spool.usage()).toEqual({ documents: 1, memoryBytes, diskBytes })
    await expectHeld(document, bytes)
    for await (const chunk of document.read()) chunk.fill(0)
    await expectHeld(document, bytes)
    await document[Symbol.asyncDispose]()
    expect(spool.usage()).toEqual(nothingHeld)
    expect(await readdir(directory)).toEqual([])
  })

  it('is held as it came although the memory of another was used for it', async () => {
    const { spool } = await newSpool({ memoryBytes: 2 * mebibyte })
    const documents = Array.from({ length: 8 }, (_, index) => randomBytes(4 * mebibyte - index))
    await Promise.all(
      documents.map(async (bytes, index) => {
        if (index % 2 === 1) {
          const sink = spool.begin({ maxBytes: 4 * mebibyte, signal })
          await sink.write(randomBytes(3 * mebibyte))
          await sink.abort()
        }
        await using document = await hold(spool, [bytes])
        await expectHeld(document, bytes)
      }),
    )
    expect(spool.usage()).toEqual(nothingHeld)
  })

  it('leaves the memory of small ones alone', async () => {
    const options = { memoryBytes: 4 * mebibyte, totalMemoryBytes: 20_000, totalLargeMemoryBytes: 3 * mebibyte }
    const { spool } = await newSpool(options)
    await hold(spool, [randomBytes(2 * mebibyte)])
    await hold(spool, [randomBytes(2 * mebibyte)])
    expect(spool.usage()).toMatchObject({ memoryBytes: 3 * mebibyte, diskBytes: mebibyte })
    await hold(spool, [randomBytes(5_000)])
    expect(spool.usage()).toMatchObject({ memoryBytes: 3 * mebibyte + 5_000, diskBytes: mebibyte })
  })
})

describe('a spool', () => {
  it('gives others their turn while a large piece is taken', async () => {
    const { spool } = await newSpool()
    let turns = 0
    let next = setImmediate(function count() {
      turns++
      next = setImmediate(count)
    })
    await hold(spool, [randomBytes(16 * block)])
    clearImmediate(next)
    expect(turns).toBeGreaterThanOrEqual(15)
  })

  it('takes a document as large as the bound, and refuses a byte more', async () => {
    const { spool, directory } = await newSpool({ isNamed: true })
    for (const maxBytes of [0, 10, limit, limit + 10]) {
      const sink = spool.begin({ maxBytes, signal })
      await sink.write(randomBytes(maxBytes))
      const failure = { code: 'community-misbehaved', details: { maxBytes } }
      await expect(sink.write(Buffer.alloc(1))).rejects.toMatchObject(failure)
      expect(spool.usage()).toEqual(nothingHeld)
      expect(await readdir(directory)).toEqual([])
      await expect(sink.write(Buffer.alloc(0))).rejects.toMatchObject(failure)
      await expect(sink.end()).rejects.toMatchObject(failure)
      await sink.abort()
    }
    const sink = spool.begin({ maxBytes: Number.NaN, signal })
    await expect(sink.write(Buffer.alloc(1))).rejects.toMatchObject({ code: 'community-misbehaved' })
  })

  it('takes to a file what the memory of all has no room for', async () => {
    const { spool } = await newSpool({ totalMemoryBytes: 140_000 })
    const first = await hold(spool, [randomBytes(90_000)])
    const bytes = randomBytes(60_000)
    const second = await hold(spool, [bytes])
    expect(spool.usage()).toEqual({ documents: 2, memoryBytes: 90_000, diskBytes: 60_000 })
    await expectHeld(second, bytes)
    await first[Symbol.asyncDispose]()
    await hold(spool, [bytes])
    expect(spool.usage()).toEqual({ documents: 2, memoryBytes: 60_000, diskBytes: 60_000 })
  })

  it('is overloaded when files have no more room, until there is some again', async () => {
    const { spool, directory } = await newSpool({ memoryBytes: 0, totalDiskBytes: 300_000, isNamed: true })
    const first = await hold(spool, [randomBytes(150_000)])
    const failure = { code: 'overloaded', details: { reason: 'disk-bound' } }
    await expect(hold(spool, [randomBytes(150_001)])).rejects.toMatchObject(failure)
    expect(spool.usage()).toEqual({ documents: 1, memoryBytes: 0, diskBytes: 150_000 })
    expect(await readdir(directory)).toHaveLength(1)
    await hold(spool, [randomBytes(150_000)])
    await first[Symbol.asyncDispose]()
    await hold(spool, [randomBytes(150_000)])
  })

  it('is overloaded when as many documents are held as may be, until one is gone', async () => {
    const { spool } = await newSpool({ maxOpen: 2 })
    const begin = () => spool.begin({ maxBytes: 1, signal })
    const full = expect.objectContaining({ code: 'overloaded', details: { reason: 'too-many-documents' } })
    const document = await begin().end()
    const sink = begin()
    expect(begin).toThrow(full)
    await document[Symbol.asyncDispose]()
    begin()
    expect(begin).toThrow(full)
    await sink.abort()
    begin()
  })

  it('leaves no name in its folder while a document is held', async () => {
    const { spool, directory } = await newSpool()
    const bytes = randomBytes(limit + 1)
    const document = await hold(spool, [bytes])
    expect(spool.usage().diskBytes).toBe(bytes.length)
    expect(await readdir(directory)).toEqual([])
    await expectHeld(document, bytes)
  })

  it('where files keep their names, lets nobody else read them, and removes them at disposal', async () => {
    const { spool, directory } = await newSpool({ isNamed: true })
    const document = await hold(spool, [Buffer.alloc(limit + 1, 'Referto')])
    const [name = ''] = await readdir(directory)
    expect((await stat(join(directory, name))).mode & 0o777).toBe(0o600)
    const onDisk = await readFile(join(directory, name))
    expect(onDisk).toHaveLength(limit + 1)
    expect(onDisk.includes('Referto')).toBe(false)
    await document[Symbol.asyncDispose]()
    expect(await readdir(directory)).toEqual([])
  })

  it('leaves files as they are when it is told not to encrypt', async () => {
    const { spool, directory } = await newSpool({ isNamed: true, isEncrypted: false })
    const bytes = randomBytes(limit + 1)
    await hold(spool, [bytes])
    const [name = ''] = await readdir(directory)
    expect((await readFile(join(directory, name))).equals(bytes)).toBe(true)
  })

  it('forgets a document that is aborted, wherever it lies', async () => {
    const { spool, directory } = await newSpool({ isNamed: true })
    for (const size of [0, 1, limit, 2 * limit]) {
      const sink = spool.begin({ maxBytes: size, signal })
      await sink.write(randomBytes(size))
      await sink.abort()
      await sink.abort()
      expect(spool.usage()).toEqual(nothingHeld)
      expect(await readdir(directory)).toEqual([])
      await expect(sink.end()).rejects.toMatchObject({ code: 'internal', details: { reason: 'aborted' } })
    }
  })

  it('is not undone by an abort after the end: the document is whoever holds it’s', async () => {
    const { spool } = await newSpool()
    for (const size of [10, limit + 1]) {
      const bytes = randomBytes(size)
      const sink = spool.begin({ maxBytes: size, signal })
      await sink.write(bytes)
      const document = await sink.end()
      await sink.abort()
      await expectHeld(document, bytes)
      const ended = { code: 'internal', details: { reason: 'ended-already' } }
      await expect(sink.write(bytes)).rejects.toMatchObject(ended)
      await expect(sink.end()).rejects.toMatchObject(ended)
      await expectHeld(document, bytes)
    }
  })

  it('takes no document whose pieces were not awaited, for they might be out of order', async () => {
    const { spool } = await newSpool()
    const sink = spool.begin({ maxBytes: Number.POSITIVE_INFINITY, signal })
    const piece = randomBytes(2 * limit)
    const [first, second] = await Promise.allSettled([sink.write(piece), sink.write(piece)])
    const failure = { code: 'internal', details: { reason: 'not-awaited' } }
    expect(first).toMatchObject({ status: 'rejected', reason: failure })
    expect(second).toMatchObject({ status: 'rejected', reason: failure })
    await expect(sink.end()).rejects.toMatchObject(failure)
    expect(spool.usage()).toEqual(nothingHeld)
  })

  it('ends what arrives and what is read when it is disposed of, and takes nothing more', async () => {
    const { spool, directory } = await newSpool({ isNamed: true })
    const document = await hold(spool, [randomBytes(2 * limit)])
    const reading = document.read()[Symbol.asyncIterator]()
    await reading.next()
    const sink = spool.begin({ maxBytes: 3 * limit, signal })
    await sink.write(randomBytes(2 * limit))
    const writing = sink.write(randomBytes(limit))
    const outcome = expect(writing).rejects.toMatchObject({ code: 'internal', details: { reason: 'aborted' } })
    await spool[Symbol.asyncDispose]()
    await outcome
    await expect(reading.next()).rejects.toMatchObject({ details: { reason: 'disposed' } })
    expect(spool.usage()).toEqual(nothingHeld)
    expect(await readdir(directory)).toEqual([])
    expect(() => spool.begin({ maxBytes: 1, signal })).toThrow(
      expect.objectContaining({ code: 'overloaded', details: { reason: 'stopping' } }),
    )
  })

  it.each(['memoryBytes', 'totalMemoryBytes', 'totalDiskBytes', 'maxOpen'])('refuses an unfit %s', (name) => {
    for (const count of [-1, 0.5, Number.NaN]) expect(() => spool({ [name]: count })).toThrow(RangeError)
  })
})
