import { createPublicKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { certificatesIn } from '../keys/key-files.ts'
import type { TrustAnchors } from '../trust/x509/chain.ts'
import { CliError } from './exit.ts'

/** Every certificate of the files, PEM or DER. Throws CliError. */
export function certificatesFrom(option: string, paths: readonly string[]): readonly X509Certificate[] {
  return paths.flatMap((path) => usable(option, path, () => certificatesOf(contentOf(path), path)))
}

/** How long a list is relied upon when the next one is due, where the gateway's configuration says nothing. */
const dayMs = 86_400_000

/** The anchors of `--trust`, and the revocation lists of `--crl` for whoever judges with them. Throws CliError. */
export async function anchorsFrom(trust: readonly string[], lists: readonly string[]): Promise<TrustAnchors> {
  const anchors = certificatesFrom('trust', trust)
  if (lists.length === 0) return { anchors }
  const { readRevocationList } = await import('../trust/x509/revocation.ts')
  const read = lists.map((path) => usable('crl', path, () => readRevocationList(contentOf(path))))
  return { anchors, revocation: { lists: read, graceMs: dayMs } }
}

/** A file of `--trust` for tokens: certificates, a key set, or a public key by itself as a key set. Throws CliError. */
export function tokenTrustFrom(path: string): { certificates: readonly X509Certificate[] } | { keySet: Uint8Array } {
  return usable('trust', path, () => {
    const content = contentOf(path)
    const text = content.toString('latin1')
    if (/^\s*\{/.test(text)) return { keySet: content }
    if (text.includes('-----BEGIN PUBLIC KEY-----')) {
      return { keySet: Buffer.from(JSON.stringify(createPublicKey(text).export({ format: 'jwk' }))) }
    }
    return { certificates: certificatesOf(content, path) }
  })
}

/** Larger than any set of authorities or list of theirs. */
const largestFile = 64 * 1024 * 1024

function contentOf(path: string): Buffer {
  const content = readFileSync(path)
  if (content.length > largestFile) throw new Error('The file is too large')
  return content
}

/** What DER begins with: a sequence. */
const sequence = 0x30

function certificatesOf(content: Buffer, path: string): readonly X509Certificate[] {
  return content[0] === sequence ? [new X509Certificate(content)] : certificatesIn(content.toString('latin1'), path)
}

/** Says which file cannot be used, and why as far as that is told without its content. Throws CliError. */
export function usable<T>(option: string, path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
    const why =
      code ?? (error instanceof Error && 'reason' in error ? String(error.reason) : 'it is not what it should be')
    throw new CliError('usage', `--${option} ${path} cannot be used: ${why}`)
  }
}
