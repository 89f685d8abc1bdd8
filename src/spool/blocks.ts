import { Buffer } from 'node:buffer'
import { letGo } from '../core/let-go.ts'

/** The most bytes that are hashed, sealed or read at a time: what a thread is held for. */
export const blockBytes = 262_144

/** The blocks in which large documents are gathered: each costs the event loop a call to another thread or two. */
export const largeBlockBytes = 1_048_576

/** Large blocks, each in one hand at a time. */
export interface BlockPool {
  /** `largeBlockBytes` long, with whatever is in it. */
  take(): Buffer
  /** A block, or the beginning of one, that nobody looks at any more. */
  give(block: Buffer): void
}

/** Keeps as many blocks for the next documents as `most` says: memory that is new costs more than what it is used for. */
export function blockPool(most: number): BlockPool {
  const free: Buffer[] = []
  return {
    take: () => free.pop() ?? Buffer.allocUnsafeSlow(largeBlockBytes),
    give({ buffer }) {
      const block = Buffer.from(buffer)
      if (free.length < most) free.push(block)
      else letGo(block)
    },
  }
}
