import type { Spool } from '../core/ports.ts'
import { budget } from './budget.ts'
import { SealedFile } from './content.ts'
import { newPath, spoolDirectory } from './directory.ts'
import { noRoom } from './failure.ts'
import { keySeal, plainSeal } from './seal.ts'
import { Sink } from './sink.ts'
import { TemporaryFile } from './temporary-file.ts'

export interface SpoolOptions {
  /** Folder of the temporary files, made for its owner alone when absent. Default: one under the system's own. */
  readonly directory?: string
  /** The largest document that stays in memory. Default 1 MiB. */
  readonly memoryBytes?: number
  /** What all documents in memory may take; a document beyond goes to a file at once. Default 32 MiB. */
  readonly totalMemoryBytes?: number
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

/**
 * Holds documents in memory and in temporary files. Beside `totalMemoryBytes`, a document on its way to a file takes up
 * to three blocks of 256 KiB, and every read of a file three. A full disk and its like are `overloaded`, what else the file
 * system fails with is `internal`. Throws GatewayError when the folder cannot be used, RangeError for an unfit bound.
 */
export function spool(options: SpoolOptions = {}): TemporarySpool {
  const {
    memoryBytes = 1_048_576,
    totalMemoryBytes = 33_554_432,
    totalDiskBytes = 4_294_967_296,
    maxOpen = 256,
    isEncrypted = true,
    isNamed = false,
  } = options
  for (const [name, count] of Object.entries({ memoryBytes, totalMemoryBytes, totalDiskBytes, maxOpen })) {
    if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`${name} must be a whole number, not negative`)
  }
  const directory = spoolDirectory(options.directory)
  const memory = budget(totalMemoryBytes)
  const disk = budget(totalDiskBytes)
  const open = new Set<AsyncDisposable>()
  let isStopping = false

  async function openFile(): Promise<SealedFile> {
    const file = await TemporaryFile.create({ path: newPath(directory), disk, isNamed })
    return new SealedFile(file, isEncrypted ? keySeal() : plainSeal())
  }

  function replace(old: AsyncDisposable, by?: AsyncDisposable): void {
    open.delete(old)
    if (by !== undefined) open.add(by)
  }

  return {
    begin({ maxBytes, signal }) {
      if (isStopping) throw noRoom('stopping')
      if (!(open.size < maxOpen)) throw noRoom('too-many-documents')
      const sink = new Sink({ maxBytes, signal, memoryBytes, memory, openFile, replace })
      open.add(sink)
      return sink
    },
    usage: () => ({ documents: open.size, memoryBytes: memory.used, diskBytes: disk.used }),
    async [Symbol.asyncDispose]() {
      isStopping = true
      await Promise.allSettled([...open].map((one) => one[Symbol.asyncDispose]()))
    },
  }
}
