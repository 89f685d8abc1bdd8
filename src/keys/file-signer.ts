import { signWith } from '../trust/algorithms.ts'
import type { Signer } from '../trust/signer.ts'
import type { KeyPair } from './key-files.ts'
import { usualAlgorithm } from './key-kind.ts'

/** A signer over a key of this process; it answers at once. Throws when the key is of a kind or length not signed with. */
export function fileSigner({ certificate, intermediates, key }: KeyPair): Signer {
  const kind = usualAlgorithm(key)
  if ('unfit' in kind) throw new Error(`The key cannot sign: ${kind.unfit}`)
  const usual = kind.algorithm
  return {
    certificate,
    intermediates,
    algorithm: usual,
    sign: (data, algorithm = usual) => signWith(algorithm, data, key),
  }
}
