import { Buffer } from 'node:buffer'
import { letGo } from '../core/let-go.ts'
import { type BlockPool, largeBlockBytes } from './blocks.ts'
import type { Budget } from './budget.ts'
import { type Content, fileChunks, memoryChunks } from './content.ts'
import { notHeld } from './failure.ts'
import type { Measure } from './held.ts'
import { type Secret, unsealWith } from './seal.ts'
import type { DocumentSeal } from './sealer.ts'
import type { TemporaryFile } from './temporary-file.ts'

/** How many blocks may be on their way to a file at one time, beside the one that is being filled. */
const mostUnderWay = 2

export interface LargeDocumentParts {
  /** As much of the document stays in memory. */
  readonly memoryBytes: number
  readonly memory: Budget
  readonly blocks: BlockPool
  readonly seal: DocumentSeal
  /** What the seal was begun with. */
  readonly secret: Secret | undefined
  readonly openFile: () => Promise<TemporaryFile>
}

/** A document of which all is known. */
export type Whole = Pick<Measure, 'sha1'> & { readonly content: Content }

/** A document that is hashed by another thread. Its beginning stays in memory, the rest goes to a file under a seal. */
export class LargeDocument {
  readonly #parts: LargeDocumentParts
  /** What stays in memory, as it comes back from the other thread. */
  #kept: Promise<Buffer>[] = []
  #keptBytes = 0
  /** Being opened, so that it is closed even when nobody waits for it any more. */
  #opening: Promise<TemporaryFile> | undefined
  readonly #underWay: Promise<void>[] = []
  /** Everything so far; a failure fails whatever comes behind it. */
  #written = Promise.resolve()
  #isReleased = false

  constructor(parts: LargeDocumentParts) {
    this.#parts = parts
  }

  /**
   * Takes a block of the pool, which is the document's from now on; only the last may be a part of one. Resolves when there
   * may be another, while what was given is still sealed and written, whose failure is told by a later call. Rejects with
   * `overloaded` beyond the bound of all files.
   */
  async append(block: Buffer): Promise<void> {
    const { memoryBytes, memory, seal, openFile } = this.#parts
    if (this.#isReleased) throw notHeld('aborted')
    const { length } = block
    const fits = (this.#kept.length + 1) * largeBlockBytes <= memoryBytes
    if (this.#opening === undefined && fits && memory.take(length)) {
      this.#keptBytes += length
      const hashed = seal.hash(block)
      // Its failure is told by the end, which may not come.
      hashed.catch(() => {})
      this.#kept.push(hashed)
      return
    }
    this.#opening ??= openFile()
    await this.#write(await this.#opening, block)
  }

  async #write(file: TemporaryFile, block: Buffer): Promise<void> {
    if (this.#isReleased) throw notHeld('aborted')
    const { seal, blocks } = this.#parts
    const position = file.reserve(block.length)
    const sealing = seal.seal(block)
    // Its failure is told by the write, which may not come to it.
    sealing.catch(() => {})
    const before = this.#written
    const written = async () => {
      await before
      const sealed = await sealing
      await file.write(sealed, position)
      blocks.give(sealed)
    }
    this.#written = written()
    this.#written.catch(() => {})
    this.#underWay.push(this.#written)
    if (this.#underWay.length > mostUnderWay) await this.#underWay.shift()
  }

  /** The document is whole. Rejects when it is not held. */
  async end(size: number): Promise<Whole> {
    const { seal, secret, blocks } = this.#parts
    const hashing = Promise.all(this.#kept)
    const [{ sha1, told }, kept, file] = await Promise.all([seal.end(), hashing, this.#opening, this.#written])
    const last = kept.at(-1)
    if (last !== undefined && last.length < largeBlockBytes) {
      // No more memory than it must.
      kept[kept.length - 1] = exactly(last)
      blocks.give(last)
    }
    const onFile = size - this.#keptBytes
    async function* chunks(signal: AbortSignal): AsyncGenerator<Uint8Array> {
      yield* memoryChunks(kept, signal)
      if (file !== undefined) yield* fileChunks(file, onFile, unsealWith(secret, told), signal)
    }
    this.#kept = kept.map((block) => Promise.resolve(block))
    return { sha1, content: { chunks, release: () => this.release() } }
  }

  /** Called once. */
  async release(): Promise<void> {
    const { seal, memory, blocks } = this.#parts
    this.#isReleased = true
    seal.forget()
    for (const kept of await Promise.allSettled(this.#kept)) {
      if (kept.status === 'rejected') continue
      if (kept.value.buffer.byteLength === largeBlockBytes) blocks.give(kept.value)
      else letGo(kept.value)
    }
    memory.give(this.#keptBytes)
    const file = await this.#opening?.catch(() => undefined)
    await this.#written.catch(() => {})
    await file?.release()
  }
}

/** A copy in memory of its own. */
function exactly(bytes: Uint8Array): Buffer {
  const exact = Buffer.allocUnsafeSlow(bytes.length)
  exact.set(bytes)
  return exact
}
