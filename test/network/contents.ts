import { createHash } from 'node:crypto'
import { documentBytes } from './documents.ts'
import type { Entry, Holdings } from './entry.ts'
import type { Seed } from './seed.ts'

/** The documents of a party as bytes: the seed's own, but for those it was told to keep larger. */
export interface Contents {
  bytes(uniqueId: string): Buffer
  /** What is known, with the hash and size that are true of these bytes. */
  told(holdings: Holdings): Holdings
}

interface Content {
  readonly bytes: Buffer
  readonly hash: string
}

/** Large ones that were made before: several parties tell of the same document. */
const made = new Map<string, Content>()

/** `sizes` by unique id, in bytes, for documents that are too large for the seed. */
export function contentsOf(seed: Seed, sizes: Readonly<Record<string, number>> = {}): Contents {
  const large = new Map(Object.entries(sizes).map(([uniqueId, size]) => [uniqueId, largeContent(uniqueId, size)]))
  const told = (entry: Entry): Entry => {
    const content = large.get(entry.uniqueId)
    return content === undefined ? entry : { ...entry, size: content.bytes.length, hash: content.hash }
  }
  return {
    bytes: (uniqueId) => large.get(uniqueId)?.bytes ?? documentBytes(seed.name, uniqueId),
    told: (holdings) => (large.size === 0 ? holdings : { ...holdings, entries: holdings.entries.map(told) }),
  }
}

/** Lower-case hexadecimal. */
export function sha1(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex')
}

/** No two blocks of it are alike, so that none can be lost or moved unseen. */
function largeContent(uniqueId: string, size: number): Content {
  const key = `${uniqueId} ${size}`
  const known = made.get(key)
  if (known !== undefined) return known
  const bytes = Buffer.alloc(size)
  const block = createHash('shake256', { outputLength: 4096 }).update(uniqueId).digest()
  for (let at = 0, number = 0; at < size; at += block.length, number++) {
    block.writeUInt32BE(number)
    block.copy(bytes, at)
  }
  const content = { bytes, hash: sha1(bytes) }
  made.set(key, content)
  return content
}
