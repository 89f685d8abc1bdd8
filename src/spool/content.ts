import { Buffer } from 'node:buffer'
import type { Budget } from './budget.ts'
import { interrupted, notHeld, spoolFailure } from './failure.ts'
import type { Seal, Unseal } from './seal.ts'
import type { TemporaryFile } from './temporary-file.ts'
import { within } from './within.ts'

/** The most bytes that are hashed, sealed, written or read at a time: what the event loop is held for. */
export const blockBytes = 262_144

/** A whole document, wherever it lies. */
export interface Content {
  /** Fresh memory every time. Throws when the signal ends, even behind the last byte. */
  chunks(signal: AbortSignal): AsyncGenerator<Uint8Array>
  /** Called once. */
  release(): Promise<void>
}

/** Blocks of memory, which were taken from the budget. */
export function memoryContent(blocks: readonly Buffer[], memory: Budget): Content {
  let held = blocks
  return {
    async *chunks(signal) {
      for (const block of held) {
        if (signal.aborted) throw interrupted(signal)
        // A copy: a reader may hand its memory on to another thread, or write to it.
        yield Buffer.from(block)
      }
      if (signal.aborted) throw interrupted(signal)
    },
    async release() {
      for (const { length } of held) memory.give(length)
      held = []
    },
  }
}

/** A file that is being written under a seal. */
export class SealedFile {
  readonly #file: TemporaryFile
  readonly #seal: Seal

  constructor(file: TemporaryFile, seal: Seal) {
    this.#file = file
    this.#seal = seal
  }

  /** The bytes may be reused at once. Resolves and rejects as `TemporaryFile.append` does. */
  append(bytes: Buffer): Promise<void> {
    return this.#file.append(this.#seal.seal(bytes))
  }

  /** The document is whole. Rejects when it is not on file. */
  async end(size: number): Promise<Content> {
    await this.#file.flush()
    const unsealing = this.#seal.end()
    return {
      chunks: (signal) => fileChunks(this.#file, size, unsealing(), signal),
      release: () => this.release(),
    }
  }

  /** Called once. */
  release(): Promise<void> {
    return this.#file.release()
  }
}

/** The last chunk is given only when the whole is known to be what was written: nobody takes an altered file for whole. */
async function* fileChunks(
  file: TemporaryFile,
  size: number,
  { unseal, isIntact }: Unseal,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const length = Math.min(blockBytes, size)
  let block = Buffer.allocUnsafeSlow(length)
  let other = Buffer.allocUnsafeSlow(length)
  const readAt = (at: number): Promise<number> => {
    const reading = file.readAt(at, block.subarray(0, size - at))
    // Whoever stops reading does not hear of it.
    reading.catch(() => {})
    return reading
  }
  try {
    let reading = readAt(0)
    for (let at = 0; at < size; ) {
      const read = await within(signal, reading)
      if (read === 0) throw notHeld('file-shortened')
      at += read
      const sealed = block.subarray(0, read)
      ;[block, other] = [other, block]
      // While one block is unsealed and taken, the next is read.
      if (at < size) reading = readAt(at)
      const chunk = unseal(sealed)
      if (at === size && !isIntact()) throw notHeld('file-altered')
      yield chunk
    }
    if (signal.aborted) throw interrupted(signal)
  } catch (error) {
    throw spoolFailure(error)
  }
}
