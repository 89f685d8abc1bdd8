import type { Spool } from '../core/ports.ts'
import { blockPool } from './blocks.ts'
import { budget } from './budget.ts'
import { newPath, spoolDirectory } from './directory.ts'
import { noRoom } from './failure.ts'
import { LargeDocument } from './large-document.ts'
import { newSecret } from './seal.ts'
import { sealer } from './sealer.ts'
import { Sink } from './sink.ts'
import { TemporaryFile } from './temporary-file.ts'

export interface SpoolOptions {
  /** Folder of the temporary files, made for its owner alone when absent. Default: one under the system's own. */
  readonly directory?: string
  /** As much of a document stays in memory, of one beyond 1 MiB in whole MiB. Default 16 MiB. */
  readonly memoryBytes?: number
  /** What all documents of up to 1 MiB may take of memory; one beyond is treated as larger. Default 32 MiB. */
  readonly totalMemoryBytes?: number
  /** What all larger ones may take of memory; beyond, they go to files. Default 32 MiB. */
  readonly totalLargeMemoryBytes?: number
  /** What all files may take; beyond, `overloaded`. Default 4 GiB. */
  readonly totalDiskBytes?: number
  /** How many documents may be held or arriving at one time; beyond, `overloaded`. Default 256. */
  readonly maxOpen?: number
  /** Whether files are encrypted, each under a key of its own that stays in memory. Default true. */
  readonly isEncrypted?: boolean
  /** Whether files keep their names until they are disposed of. Default false. */
  readonly isNamed?: boolean
}

/** What is held at this moment, arriving documents included. */
export interface SpoolUsage {
  readonly documents: number
  readonly memoryBytes: number
  readonly diskBytes: number
}

/** Disposing ends what arrives and what is read, and leaves nothing; afterwards every `begin` throws `overloaded`. */
export interface TemporarySpool extends Spool, AsyncDisposable {
  usage(): SpoolUsage
}

/** Large blocks that are kept for the next documents: one in memory, or some on their way to files. */
const keptBlocks = 16

/**
 * Holds documents in memory and in temporary files. Beside the bounds of memory, a document beyond 1 MiB takes four blocks
 * of 1 MiB while it arrives, every read of a file three of 256 KiB, and 16 MiB are kept for the next. Such documents are
 * hashed and sealed by another thread. A full disk and its like are `overloaded`, what else the file system fails with is
 * `internal`. Throws GatewayError when the folder cannot be used, RangeError for an unfit bound.
 */
export function spool(options: SpoolOptions = {}): TemporarySpool {
  const {
    memoryBytes = 16_777_216,
    totalMemoryBytes = 33_554_432,
    totalLargeMemoryBytes = 33_554_432,
    totalDiskBytes = 4_294_967_296,
    maxOpen = 256,
    isEncrypted = true,
    isNamed = false,
  } = options
  const bounds = { memoryBytes, totalMemoryBytes, totalLargeMemoryBytes, totalDiskBytes, maxOpen }
  for (const [name, count] of Object.entries(bounds)) {
    if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`${name} must be a whole number, not negative`)
  }
  const directory = spoolDirectory(options.directory)
  const memory = budget(totalMemoryBytes)
  const largeMemory = budget(totalLargeMemoryBytes)
  const disk = budget(totalDiskBytes)
  const blocks = blockPool(keptBlocks)
  const sealing = sealer()
  const open = new Set<AsyncDisposable>()
  let isStopping = false

  function beginLarge(): LargeDocument {
    const secret = isEncrypted ? newSecret() : undefined
    return new LargeDocument({
      ...{ memoryBytes, memory: largeMemory, blocks, secret, seal: sealing.begin(secret) },
      openFile: () => TemporaryFile.create({ path: newPath(directory), disk, isNamed }),
    })
  }

  function replace(old: AsyncDisposable, by?: AsyncDisposable): void {
    open.delete(old)
    if (by !== undefined) open.add(by)
  }

  return {
    begin({ maxBytes, signal }) {
      if (isStopping) throw noRoom('stopping')
      if (!(open.size < maxOpen)) throw noRoom('too-many-documents')
      const sink = new Sink({ maxBytes, signal, memoryBytes, memory, blocks, beginLarge, replace })
      open.add(sink)
      return sink
    },
    usage: () => ({ documents: open.size, memoryBytes: memory.used + largeMemory.used, diskBytes: disk.used }),
    async [Symbol.asyncDispose]() {
      isStopping = true
      await Promise.allSettled([...open].map((one) => one[Symbol.asyncDispose]()))
      sealing[Symbol.dispose]()
    },
  }
}
