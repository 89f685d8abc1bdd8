import { createHash, type Hash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { letGo } from '../core/let-go.ts'
import { blockBytes } from './blocks.ts'
import { type Seal, type Secret, sealWith } from './seal.ts'

/** What is asked of the thread about one document, in order. A block is transferred, and comes back in the answer. */
export type SealingRequest =
  | { readonly kind: 'begin'; readonly document: number; readonly secret?: Secret }
  | { readonly kind: 'hash'; readonly document: number; readonly block: Uint8Array<ArrayBuffer> }
  /** Hashes too, and puts what may lie in a file in the place of what is in the block. */
  | { readonly kind: 'seal'; readonly document: number; readonly block: Uint8Array<ArrayBuffer> }
  /** Answered by what is `Sealed`. */
  | { readonly kind: 'end'; readonly document: number }
  | { readonly kind: 'forget'; readonly document: number }

/** Of the whole document, in hexadecimal, and what `unsealWith` needs to be told about what was sealed of it. */
export interface Sealed {
  readonly sha1: string
  readonly told: Uint8Array
}

const documents = new Map<number, { readonly sha1: Hash; readonly seal: Seal }>()

parentPort?.on('message', (request: SealingRequest) => {
  const { kind, document } = request
  if (kind === 'begin') documents.set(document, { sha1: createHash('sha1'), seal: sealWith(request.secret) })
  else if (kind === 'forget') documents.delete(document)
  else if (kind === 'end') {
    const { sha1, seal } = known(document)
    documents.delete(document)
    const answer: Sealed = { sha1: sha1.digest('hex'), told: seal.end() }
    parentPort?.postMessage(answer)
  } else {
    const { block } = request
    pass(block, known(document), kind === 'seal')
    parentPort?.postMessage(block, [block.buffer])
  }
})

function known(document: number) {
  const found = documents.get(document)
  if (found === undefined) throw new Error('Nothing is known of the document')
  return found
}

/** In pieces that stay in the processor's cache. */
function pass(block: Uint8Array, { sha1, seal }: ReturnType<typeof known>, isSealed: boolean): void {
  for (let at = 0; at < block.length; at += blockBytes) {
    const bytes = block.subarray(at, at + blockBytes)
    sha1.update(bytes)
    if (!isSealed) continue
    const sealed = seal.seal(bytes)
    bytes.set(sealed)
    letGo(sealed)
  }
}
