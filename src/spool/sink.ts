import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { GatewayError } from '../core/errors.ts'
import { letGo } from '../core/let-go.ts'
import type { DocumentSink, HeldDocument } from '../core/ports.ts'
import { type BlockPool, blockBytes, largeBlockBytes } from './blocks.ts'
import type { Budget } from './budget.ts'
import { memoryContent } from './content.ts'
import { interrupted, notHeld, spoolFailure } from './failure.ts'
import { heldDocument } from './held.ts'
import type { LargeDocument, Whole } from './large-document.ts'
import { within } from './within.ts'

export interface SinkParts {
  readonly maxBytes: number
  readonly signal: AbortSignal
  /** As much of a document stays in memory. */
  readonly memoryBytes: number
  readonly memory: Budget
  readonly blocks: BlockPool
  readonly beginLarge: () => LargeDocument
  /** Somebody's place is taken over by another, or free. */
  readonly replace: (old: AsyncDisposable, by?: AsyncDisposable) => void
}

const smallestBlock = 4096
const nothing = Buffer.alloc(0)

/**
 * Gathers a document in blocks, small ones at first, which are hashed at the end. Once it is large, blocks are handed on as
 * they are full. After a failure everything is let go, and every call rejects with that failure.
 */
export class Sink implements DocumentSink, AsyncDisposable {
  readonly #parts: SinkParts
  /** Full blocks of a document that is small so far. */
  #kept: Buffer[] = []
  #block: Buffer = nothing
  /** How much of the block is filled. */
  #filled = 0
  #size = 0
  /** Taken from the memory of all, for the blocks. */
  #taken = 0
  #large: LargeDocument | undefined
  #isBusy = false
  #hasEnded = false
  #failure: GatewayError | undefined
  #released: Promise<void> | undefined

  constructor(parts: SinkParts) {
    this.#parts = parts
    if (parts.signal.aborted) this.#interrupt()
    else parts.signal.addEventListener('abort', this.#interrupt, { once: true })
  }

  write(bytes: Uint8Array): Promise<void> | void {
    const { maxBytes } = this.#parts
    const { length } = bytes
    const isFree = !this.#isBusy && !this.#hasEnded && this.#failure === undefined
    // What fits into the block under way needs no waiting, which is most of what comes from a socket.
    if (isFree && length <= this.#block.length - this.#filled && this.#size + length <= maxBytes) {
      this.#fill(bytes)
      return
    }
    return this.#alone(async () => {
      // A bound that is not a number bounds everything, not nothing.
      if (!(this.#size + length <= maxBytes)) {
        throw new GatewayError('community-misbehaved', 'The document is larger than may be', { details: { maxBytes } })
      }
      for (let at = 0; at < length; at += blockBytes) {
        if (at > 0) await this.#wait(turn())
        await this.#take(bytes.subarray(at, at + blockBytes))
      }
    })
  }

  end(): Promise<HeldDocument> {
    return this.#alone(async () => {
      const { sha1, content } = this.#large === undefined ? this.#small() : await this.#endLarge(this.#large)
      const document = heldDocument({ size: this.#size, sha1 }, content, this.#parts.replace)
      this.#parts.signal.removeEventListener('abort', this.#interrupt)
      this.#hasEnded = true
      this.#parts.replace(this, document)
      return document
    })
  }

  async abort(): Promise<void> {
    if (this.#hasEnded) return
    this.#fail(notHeld('aborted'))
    await this.#released
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.abort()
  }

  /** One call at a time: whoever does not wait would lose the order of the bytes, and has no back pressure. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#hasEnded) throw notHeld('ended-already')
    if (this.#isBusy) this.#fail(notHeld('not-awaited'))
    this.#insist()
    this.#isBusy = true
    try {
      return await work()
    } catch (error) {
      const failure = this.#fail(spoolFailure(error))
      // Nothing is left when a failure is told; only whoever has left does not wait for that.
      if (!this.#parts.signal.aborted) await this.#released?.catch(() => {})
      throw failure
    } finally {
      this.#isBusy = false
    }
  }

  /** Copies into blocks: the caller's memory is its own again afterwards. */
  async #take(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      if (this.#filled === this.#block.length) {
        await this.#nextBlock()
        this.#insist()
      }
      const piece = bytes.subarray(at, at + this.#block.length - this.#filled)
      this.#fill(piece)
      at += piece.length
    }
  }

  #fill(bytes: Uint8Array): void {
    this.#block.set(bytes, this.#filled)
    this.#filled += bytes.length
    this.#size += bytes.length
  }

  /** Puts the full block away, and finds room for more. */
  async #nextBlock(): Promise<void> {
    if (this.#large !== undefined) return await this.#replaceBlock(this.#large)
    if (this.#block.length > 0) this.#kept.push(this.#block)
    this.#block = nothing
    this.#filled = 0
    const { memory, memoryBytes } = this.#parts
    const room = Math.min(memoryBytes, largeBlockBytes) - this.#size
    const length = Math.min(Math.max(this.#size, smallestBlock), blockBytes, room)
    if (length > 0 && memory.take(length)) {
      this.#taken += length
      this.#block = Buffer.allocUnsafeSlow(length)
    } else await this.#becomeLarge()
  }

  /** What there is so far fits into one large block. */
  async #becomeLarge(): Promise<void> {
    const { memory, blocks, beginLarge } = this.#parts
    const large = beginLarge()
    this.#large = large
    this.#block = blocks.take()
    for (const small of this.#kept) {
      this.#block.set(small, this.#filled)
      this.#filled += small.length
      letGo(small)
    }
    this.#kept = []
    memory.give(this.#taken)
    this.#taken = 0
    if (this.#filled === this.#block.length) await this.#replaceBlock(large)
  }

  async #replaceBlock(large: LargeDocument): Promise<void> {
    await this.#handOn(large)
    this.#block = this.#parts.blocks.take()
  }

  async #handOn(large: LargeDocument): Promise<void> {
    const block = this.#block.subarray(0, this.#filled)
    this.#block = nothing
    this.#filled = 0
    await this.#wait(large.append(block))
  }

  /** At most a large block, which is hashed in half a millisecond. */
  #small(): Whole {
    const { memory } = this.#parts
    if (this.#filled > 0) {
      // Exactly as long as it must be.
      const exact = Buffer.allocUnsafeSlow(this.#filled)
      exact.set(this.#block.subarray(0, this.#filled))
      this.#kept.push(exact)
    }
    const rest = this.#block.length - this.#filled
    this.#block = nothing
    this.#filled = 0
    memory.give(rest)
    this.#taken -= rest
    const sha1 = createHash('sha1')
    for (const block of this.#kept) sha1.update(block)
    return { sha1: sha1.digest('hex'), content: memoryContent(this.#kept, memory) }
  }

  async #endLarge(large: LargeDocument): Promise<Whole> {
    if (this.#filled > 0) await this.#handOn(large)
    return await this.#wait(large.end(this.#size))
  }

  /** Waits no longer than the signal allows, and goes on only when nothing has happened meanwhile. */
  async #wait<T>(work: Promise<T>): Promise<T> {
    const result = await within(this.#parts.signal, work)
    this.#insist()
    return result
  }

  #insist(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  readonly #interrupt = (): void => {
    this.#fail(interrupted(this.#parts.signal))
  }

  /** The first failure stays, and lets everything go. */
  #fail(failure: GatewayError): GatewayError {
    if (this.#failure === undefined) {
      this.#failure = failure
      this.#parts.signal.removeEventListener('abort', this.#interrupt)
      this.#released = this.#release()
      this.#released.catch(() => {})
    }
    return this.#failure
  }

  async #release(): Promise<void> {
    this.#kept = []
    if (this.#large !== undefined && this.#block.length > 0) this.#parts.blocks.give(this.#block)
    this.#block = nothing
    this.#filled = 0
    this.#parts.memory.give(this.#taken)
    this.#taken = 0
    try {
      await this.#large?.release()
    } catch (error) {
      throw spoolFailure(error)
    } finally {
      this.#parts.replace(this)
    }
  }
}

/** One turn of the event loop, in which others have theirs. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
