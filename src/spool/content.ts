import { Buffer } from 'node:buffer'
import { blockBytes } from './blocks.ts'
import type { Budget } from './budget.ts'
import { interrupted, notHeld, spoolFailure } from './failure.ts'
import type { Unseal } from './seal.ts'
import type { TemporaryFile } from './temporary-file.ts'
import { within } from './within.ts'

/** A whole document, wherever it lies. */
export interface Content {
  /** Fresh memory every time. Throws when the signal ends, even behind the last byte. */
  chunks(signal: AbortSignal): AsyncGenerator<Uint8Array>
  /** Called once. */
  release(): Promise<void>
}

/** Blocks of memory, whoever they belong to. */
export async function* memoryChunks(blocks: readonly Buffer[], signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for (const block of blocks) {
    for (let at = 0; at < block.length; at += blockBytes) {
      if (signal.aborted) throw interrupted(signal)
      // A copy: a reader may hand its memory on to another thread, or write to it.
      yield Buffer.from(block.subarray(at, at + blockBytes))
    }
  }
  if (signal.aborted) throw interrupted(signal)
}

/** A document in blocks of memory, which were taken from the budget. */
export function memoryContent(blocks: readonly Buffer[], memory: Budget): Content {
  let held = blocks
  return {
    chunks: (signal) => memoryChunks(held, signal),
    async release() {
      for (const { length } of held) memory.give(length)
      held = []
    },
  }
}

/** The last chunk is given only when the whole is known to be what was written: nobody takes an altered file for whole. */
export async function* fileChunks(
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
