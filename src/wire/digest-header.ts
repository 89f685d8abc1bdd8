import { Buffer } from 'node:buffer'

/** One value of a `Digest` header: the algorithm as it was written, the value still encoded. */
export interface InstanceDigest {
  readonly algorithm: string
  readonly value: string
}

/** The bytes of SHA-256 in base64. */
const sha256Base64 = /^[A-Za-z0-9+/]{43}=$/

/** Spells `Digest: SHA-256=<base64>` (RFC 3230 §4.3.2). */
export function formatDigestHeader(sha256: Uint8Array, label: 'SHA-256' | 'sha-256' = 'SHA-256'): string {
  return `${label}=${Buffer.from(sha256).toString('base64')}`
}

/** Reads the values of a `Digest` header; undefined when it is malformed. */
export function parseDigestHeader(text: string): readonly InstanceDigest[] | undefined {
  const digests: InstanceDigest[] = []
  for (const item of text.split(',', 9)) {
    const [, algorithm, value] = /^[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=([!-~]+)[ \t]*$/.exec(item) ?? []
    if (algorithm === undefined || value === undefined) return undefined
    digests.push({ algorithm, value })
  }
  return digests.length > 8 ? undefined : digests
}

/**
 * The SHA-256 of a `Digest` header; undefined unless there is exactly one in canonical base64. Labels are told apart without
 * regard to case (RFC 3230 §4.1.1), or exactly where a partner compares them so.
 */
export function sha256InDigestHeader(text: string, labels: 'any-case' | 'exact' = 'any-case'): Uint8Array | undefined {
  const label = (algorithm: string) => (labels === 'exact' ? algorithm : algorithm.toUpperCase())
  const found = parseDigestHeader(text)?.filter(({ algorithm }) => label(algorithm) === 'SHA-256') ?? []
  const [digest] = found
  if (digest === undefined || found.length > 1 || !sha256Base64.test(digest.value)) return undefined
  const bytes = Buffer.from(digest.value, 'base64')
  return bytes.toString('base64') === digest.value ? bytes : undefined
}
