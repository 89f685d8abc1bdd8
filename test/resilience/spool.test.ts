import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { getEventListeners, once } from 'node:events'
import { existsSync } from 'node:fs'
import { appendFile, mkdir, mkdtemp, open, readdir, readlink, rm, truncate, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { GatewayError } from '../../src/core/errors.ts'
import type { DocumentSink, HeldDocument, Spool } from '../../src/core/ports.ts'
import { blockBytes, largeBlockBytes } from '../../src/spool/blocks.ts'
import { type SpoolOptions, spool } from '../../src/spool/spool.ts'

const block = largeBlockBytes
const unaborted = new AbortController().signal
const nothingHeld = { documents: 0, memoryBytes: 0, diskBytes: 0 }

async function newFolder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'crocevia-spool-test-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** Everything goes to files that keep their names. */
async function newSpool(options: SpoolOptions = {}) {
  const directory = await newFolder()
  const held = spool({ directory, memoryBytes: 0, isNamed: true, ...options })
  onTestFinished(() => held[Symbol.asyncDispose]())
  return { spool: held, directory }
}

function begin(into: Spool, signal: AbortSignal = unaborted): DocumentSink {
  return into.begin({ maxBytes: Number.POSITIVE_INFINITY, signal })
}

async function hold(into: Spool, bytes: Buffer): Promise<HeldDocument> {
  const sink = begin(into)
  await sink.write(bytes)
  return await sink.end()
}

async function pathIn(directory: string): Promise<string> {
  const [name = ''] = await readdir(directory)
  return join(directory, name)
}

/** What a reader was given before the read ended, and what it ended with. */
async function readingOf(
  chunks: AsyncIterable<Uint8Array> | Iterable<never>,
): Promise<{ bytes: Buffer; failure?: unknown }> {
  const given: Uint8Array[] = []
  try {
    for await (const chunk of chunks) given.push(chunk)
    return { bytes: Buffer.concat(given) }
  } catch (failure) {
    return { bytes: Buffer.concat(given), failure }
  }
}

type Write = (buffer: Buffer, offset: number, length: number, position: number) => Promise<{ bytesWritten: number }>

/** Puts itself between every file handle and the disk, for this test; `write` is what the handle does otherwise. */
async function interceptWrites(instead: (write: Write, ...args: Parameters<Write>) => ReturnType<Write>) {
  const handle = await open(join(await newFolder(), 'any'), 'w')
  const prototype = Object.getPrototypeOf(handle) as { write: Write }
  await handle.close()
  const { write } = prototype
  prototype.write = function (...args) {
    return instead(write.bind(this), ...args)
  }
  onTestFinished(() => {
    prototype.write = write
  })
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code })
}

/** A process that holds a document of two blocks on file, until it is killed. */
async function holder(directory: string, isNamed: boolean): Promise<ChildProcess> {
  const child = runInProcess(`
    const held = spool({ directory: ${JSON.stringify(directory)}, memoryBytes: 0, isNamed: ${isNamed} })
    const sink = held.begin({ maxBytes: 1e9, signal: new AbortController().signal })
    await sink.write(new Uint8Array(131072))
    globalThis.document = await sink.end()
    console.log('held')
    setInterval(() => {}, 1000)
  `)
  const { stdout } = child
  if (stdout === null) throw new Error('The process has no output')
  await once(stdout, 'data')
  return child
}

function runInProcess(script: string): ChildProcess {
  const module = new URL('../../src/spool/spool.ts', import.meta.url).href
  const text = `import { spool } from ${JSON.stringify(module)}\n${script}`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', text], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

describe('a spool whose disk fails', () => {
  it.each([
    ['ENOSPC', 'overloaded'],
    ['EDQUOT', 'overloaded'],
    ['EIO', 'internal'],
  ])('by %s, fails with %s whenever it happens, and nothing is left', async (errno, code) => {
    const { spool, directory } = await newSpool()
    let writesBefore = 0
    await interceptWrites((write, ...args) =>
      writesBefore-- === 0 ? Promise.reject(systemError(errno)) : write(...args),
    )
    const failure = { code, details: { reason: errno } }
    for (const before of [0, 1, 2, 3]) {
      writesBefore = before
      const sink = begin(spool)
      const whole = async () => {
        // The last of four blocks is written by the end.
        for (let piece = 0; piece < 4; piece++) await sink.write(randomBytes(block))
        return await sink.end()
      }
      await expect(whole()).rejects.toMatchObject(failure)
      expect(spool.usage()).toEqual(nothingHeld)
      expect(await readdir(directory)).toEqual([])
      await expect(sink.end()).rejects.toMatchObject(failure)
    }
    await hold(spool, randomBytes(4 * block))
  })

  it('tells the next call of a write that failed while nobody waited', async () => {
    const { spool } = await newSpool()
    const failed = Promise.withResolvers<void>()
    await interceptWrites(() => {
      // Two turns of the event loop later, an unheeded rejection would have ended the process.
      setImmediate(() => setImmediate(failed.resolve))
      return Promise.reject(systemError('ENOSPC'))
    })
    const sink = begin(spool)
    await sink.write(randomBytes(block + 1))
    await failed.promise
    await expect(sink.end()).rejects.toMatchObject({ code: 'overloaded' })
    expect(spool.usage()).toEqual(nothingHeld)
  })

  it('writes on where a write stopped short', async () => {
    const { spool } = await newSpool()
    await interceptWrites((write, buffer, offset, length, position) =>
      write(buffer, offset, Math.ceil(length / 3), position),
    )
    const bytes = randomBytes(3 * block + 1)
    const document = await hold(spool, bytes)
    expect((await readingOf(document.read())).bytes.equals(bytes)).toBe(true)
  })

  it('gives up where nothing is written', async () => {
    const { spool } = await newSpool()
    await interceptWrites(() => Promise.resolve({ bytesWritten: 0 }))
    await expect(hold(spool, randomBytes(block))).rejects.toMatchObject({ code: 'internal' })
    expect(spool.usage()).toEqual(nothingHeld)
  })

  it('fails with internal while its folder is gone', async () => {
    const { spool, directory } = await newSpool()
    await rm(directory, { recursive: true })
    const failure = { code: 'internal', details: { reason: 'ENOENT' } }
    await expect(hold(spool, randomBytes(10))).rejects.toMatchObject(failure)
    expect(spool.usage()).toEqual(nothingHeld)
    await mkdir(directory)
    await hold(spool, randomBytes(10))
  })
})

describe('a document that does not arrive', () => {
  it.each([
    ['community-timeout', new DOMException('late', 'TimeoutError')],
    ['caller-gone', undefined],
    ['community-busy', new GatewayError('community-busy', 'The guard says so')],
  ])('ends with %s when the signal says so', async (code, reason) => {
    const { spool, directory } = await newSpool()
    for (const size of [0, 10, 3 * block]) {
      const abortion = new AbortController()
      const sink = begin(spool, abortion.signal)
      await sink.write(randomBytes(size))
      abortion.abort(reason)
      await expect(sink.write(randomBytes(1))).rejects.toMatchObject({ code })
      await expect(sink.end()).rejects.toMatchObject({ code })
      await sink.abort()
      expect(spool.usage()).toEqual(nothingHeld)
      expect(await readdir(directory)).toEqual([])
    }
  })

  it('is not begun when the signal has ended already', async () => {
    const { spool } = await newSpool()
    const sink = begin(spool, AbortSignal.abort())
    await expect(sink.write(randomBytes(1))).rejects.toMatchObject({ code: 'caller-gone' })
    await sink.abort()
    expect(spool.usage()).toEqual(nothingHeld)
  })

  it('does not wait for a disk that hangs, and is gone once the disk goes on', async () => {
    const { spool, directory } = await newSpool()
    const hanging = Promise.withResolvers<void>()
    await interceptWrites(async (write, ...args) => {
      await hanging.promise
      return await write(...args)
    })
    const abortion = new AbortController()
    const sink = begin(spool, abortion.signal)
    const writing = sink.write(randomBytes(4 * block))
    // Two blocks are on their way, and the next waits for them.
    await vi.waitFor(() => expect(spool.usage().diskBytes).toBe(3 * block))
    abortion.abort()
    await expect(writing).rejects.toMatchObject({ code: 'caller-gone' })
    expect(spool.usage().documents).toBe(1)
    hanging.resolve()
    await sink.abort()
    expect(spool.usage()).toEqual(nothingHeld)
    expect(await readdir(directory)).toEqual([])
  })

  it('leaves nothing on the signal, which may serve many documents', async () => {
    const { spool } = await newSpool()
    const { signal } = new AbortController()
    const sink = begin(spool, signal)
    for (let piece = 0; piece < 10; piece++) await sink.write(randomBytes(block))
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    await sink.end()
    const aborted = begin(spool, signal)
    await aborted.write(randomBytes(2 * block))
    await aborted.abort()
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it('leaves the document alone once it is whole', async () => {
    const { spool } = await newSpool()
    const abortion = new AbortController()
    const bytes = randomBytes(2 * block)
    const sink = begin(spool, abortion.signal)
    await sink.write(bytes)
    const document = await sink.end()
    abortion.abort()
    expect((await readingOf(document.read())).bytes.equals(bytes)).toBe(true)
  })
})

describe.each([
  ['encrypted', true],
  ['plain', false],
])('a file that was tampered with, %s', (_name, isEncrypted) => {
  const size = 3 * block + 100

  it.each([0, block, 2 * block + 5, size - 1])('is never whole: byte %d', async (at) => {
    const { spool, directory } = await newSpool({ isEncrypted })
    const bytes = randomBytes(size)
    const document = await hold(spool, bytes)
    const file = await open(await pathIn(directory), 'r+')
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at)
    await file.write(Buffer.of(~buffer.readUInt8(0) & 0xff), 0, 1, at)
    await file.close()
    const { bytes: given, failure } = await readingOf(document.read())
    expect(failure).toMatchObject({ code: 'internal', details: { reason: 'file-altered' } })
    // Whoever was told the size sees that something is missing.
    expect(given.length).toBeLessThan(size)
  })

  it.each([0, block, size - 1])('is never whole: shortened to %d bytes', async (length) => {
    const { spool, directory } = await newSpool({ isEncrypted })
    const document = await hold(spool, randomBytes(size))
    await truncate(await pathIn(directory), length)
    const { bytes: given, failure } = await readingOf(document.read())
    expect(failure).toMatchObject({ code: 'internal', details: { reason: 'file-shortened' } })
    expect(given.length).toBeLessThan(size)
  })

  it('is never whole: shortened under a reader', async () => {
    const { spool, directory } = await newSpool({ isEncrypted })
    const document = await hold(spool, randomBytes(4 * blockBytes))
    const reading = document.read()[Symbol.asyncIterator]()
    await reading.next()
    await truncate(await pathIn(directory), blockBytes)
    const rest = async () => {
      // One block may have been read ahead.
      for (let left = 2; left > 0; left -= 1) await reading.next()
    }
    await expect(rest()).rejects.toMatchObject({ details: { reason: 'file-shortened' } })
  })

  it('is read as it was when something was put behind it', async () => {
    const { spool, directory } = await newSpool({ isEncrypted })
    const bytes = randomBytes(size)
    const document = await hold(spool, bytes)
    await appendFile(await pathIn(directory), 'more')
    expect((await readingOf(document.read())).bytes.equals(bytes)).toBe(true)
  })

  it('is read as it was when its name was taken from it', async () => {
    const { spool, directory } = await newSpool({ isEncrypted })
    const bytes = randomBytes(size)
    const document = await hold(spool, bytes)
    await unlink(await pathIn(directory))
    expect((await readingOf(document.read())).bytes.equals(bytes)).toBe(true)
    await document[Symbol.asyncDispose]()
    expect(spool.usage()).toEqual(nothingHeld)
  })
})

describe('a process that is killed', () => {
  it('leaves nothing behind', async () => {
    const directory = await newFolder()
    const child = await holder(directory, false)
    await kill(child)
    expect(await readdir(directory)).toEqual([])
  })

  it('where files keep their names, leaves what the next process removes; the living keep theirs', async () => {
    const directory = await newFolder()
    const [dead, living] = await Promise.all([holder(directory, true), holder(directory, true)])
    await kill(dead)
    expect(await readdir(directory)).toHaveLength(2)
    await using _next = spool({ directory })
    const names = await readdir(directory)
    expect(names).toHaveLength(1)
    expect(names[0]).toContain(`-${living.pid}-`)
  })
})

describe('a spool over time', () => {
  it.skipIf(!existsSync('/proc/self/fd'))('leaves no handle open, however documents and reads end', async () => {
    const { spool, directory } = await newSpool({ isNamed: false })
    const openFiles = async () => {
      const links = (await readdir('/proc/self/fd')).map((fd) => readlink(join('/proc/self/fd', fd)).catch(() => ''))
      return (await Promise.all(links)).filter((target) => target.startsWith(directory)).length
    }
    const document = await hold(spool, randomBytes(3 * block))
    for (let early = 0; early < 5; early++) {
      for await (const _chunk of document.read()) break
    }
    await Promise.all([readingOf(document.read()), readingOf(document.read())])
    expect(await openFiles()).toBe(1)
    await document[Symbol.asyncDispose]()
    const sink = begin(spool)
    await sink.write(randomBytes(3 * block))
    expect(await openFiles()).toBe(1)
    await sink.abort()
    const abortion = new AbortController()
    const interrupted = begin(spool, abortion.signal)
    const writing = interrupted.write(randomBytes(3 * block))
    abortion.abort()
    await expect(writing).rejects.toMatchObject({ code: 'caller-gone' })
    await interrupted.abort()
    expect(await openFiles()).toBe(0)
  })

  it('passes 100 MB on, exact, with less than 64 MB of memory', async () => {
    const child = runInProcess(`
      import { createHash } from 'node:crypto'
      await using held = spool({ directory: ${JSON.stringify(await newFolder())} })
      const begin = () => held.begin({ maxBytes: 1e9, signal: new AbortController().signal })
      // The thread that hashes is there for all documents.
      const first = begin()
      await first.write(Buffer.alloc(2_000_000))
      await (await first.end())[Symbol.asyncDispose]()
      const before = process.resourceUsage().maxRSS
      const sink = begin()
      const [piece, sent, got] = [Buffer.alloc(50_000), createHash('sha1'), createHash('sha1')]
      for (let count = 0; count < 2000; count++) {
        piece.fill(count)
        sent.update(piece)
        await sink.write(piece)
      }
      await using document = await sink.end()
      for await (const chunk of document.read()) got.update(chunk)
      const digests = [document.sha1, sent.digest('hex'), got.digest('hex')]
      const grownBy = process.resourceUsage().maxRSS - before
      console.log(JSON.stringify({ size: document.size, digests: new Set(digests).size, grownBy }))
    `)
    const text = await readingOf(child.stdout ?? [])
    const { size, digests, grownBy } = JSON.parse(text.bytes.toString()) as Record<string, number>
    expect({ size, digests }).toEqual({ size: 100_000_000, digests: 1 })
    // Kilobytes.
    expect(grownBy).toBeLessThan(64_000)
  })
})
