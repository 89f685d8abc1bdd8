import type { Buffer } from 'node:buffer'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import type { Budget } from './budget.ts'
import { errorCode, noRoom } from './failure.ts'

export interface TemporaryFileOptions {
  /** Where nothing is yet. */
  readonly path: string
  /** What all files together may take, in bytes. */
  readonly disk: Budget
  /** Whether the name stays until the file is released, as it does where an open file cannot be unlinked. */
  readonly isNamed: boolean
}

/**
 * A file of this process alone (mode 0600, opened exclusively), which loses its name as soon as it is open, so that a
 * crash leaves nothing behind. The one handle serves every reader. Rejects with what the file system throws.
 */
export class TemporaryFile {
  readonly #handle: FileHandle
  readonly #disk: Budget
  /** The name it still has. */
  readonly #path: string | undefined
  #size = 0

  private constructor(handle: FileHandle, disk: Budget, path: string | undefined) {
    this.#handle = handle
    this.#disk = disk
    this.#path = path
  }

  static async create({ path, disk, isNamed }: TemporaryFileOptions): Promise<TemporaryFile> {
    const handle = await open(path, 'wx+', 0o600)
    const isGone = !isNamed && (await isRemoved(path))
    return new TemporaryFile(handle, disk, isGone ? undefined : path)
  }

  /** Room behind what there is; answers where. Throws `overloaded` beyond the bound. */
  reserve(length: number): number {
    if (!this.#disk.take(length)) throw noRoom('disk-bound')
    const position = this.#size
    this.#size += length
    return position
  }

  /** Into what was reserved. */
  async write(bytes: Buffer, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, position + done)
      if (bytesWritten === 0) throw new Error('Nothing was written')
      done += bytesWritten
    }
  }

  /** Reads into the buffer; answers how many bytes there were, 0 where the file ends. */
  async readAt(position: number, into: Buffer): Promise<number> {
    const { bytesRead } = await this.#handle.read(into, 0, into.length, position)
    return bytesRead
  }

  /** Closes the file once reads that are under way have ended; then it is gone. Called once, when nothing is written any more. */
  async release(): Promise<void> {
    try {
      await this.#handle.close()
    } finally {
      if (this.#path !== undefined) await removed(this.#path)
      this.#disk.give(this.#size)
    }
  }
}

async function isRemoved(path: string): Promise<boolean> {
  try {
    await removed(path)
    return true
  } catch {
    return false
  }
}

/** Another process may have taken it for a left-over: it is gone all the same. */
async function removed(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
  }
}
