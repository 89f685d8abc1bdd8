import { createHash, timingSafeEqual } from 'node:crypto'
import { sha256InDigestHeader } from '../../wire/digest-header.ts'
import { refused } from '../refusal.ts'
import { type HeaderLines, valuesOf } from './headers.ts'
import { isJsonObject, type JsonObject, member } from './strict-json.ts'

/** A message whose integrity is claimed: the header lines as received, and the bytes of the body. */
export interface SignedMessage {
  readonly headers: HeaderLines
  readonly body: Uint8Array
}

/** One header of `signed_headers`: its name in lower case, and its value as it was signed. */
export type SignedHeader = readonly [name: string, value: string]

/** How many headers may be signed. */
const maxHeaders = 64

/** Reads `signed_headers`: an array of objects with one lower-case member each (INTEGRITY_REST_01). Throws Refusal. */
export function signedHeadersIn(claims: JsonObject): readonly SignedHeader[] {
  const listed = member(claims, 'signed_headers')
  if (listed === undefined) throw refused('attributes', 'signed-headers-missing')
  if (!Array.isArray(listed) || listed.length === 0 || listed.length > maxHeaders) {
    throw refused('attributes', 'signed-headers-malformed')
  }
  const headers = listed.map((one: unknown): SignedHeader => {
    const [header, ...more] = isJsonObject(one) ? Object.entries(one) : []
    if (header === undefined || more.length > 0) throw refused('attributes', 'signed-headers-malformed')
    const [name, value] = header
    if (name === '' || name !== name.toLowerCase() || typeof value !== 'string') {
      throw refused('attributes', 'signed-headers-malformed')
    }
    return [name, value]
  })
  if (new Set(headers.map(([name]) => name)).size !== headers.length) {
    throw refused('attributes', 'signed-headers-malformed')
  }
  return headers
}

/** Headers that must be signed whenever the message has them. */
const demanded: readonly string[] = ['digest', 'content-type', 'content-encoding']

/**
 * Throws Refusal unless each signed header was received once and as it was signed, everything that must be signed is, and
 * the digest is that of the body. `digestNeeded` says whether there must be one; where there is one, it is checked.
 */
export function requireIntegrity(
  signed: readonly SignedHeader[],
  { body, headers }: SignedMessage,
  rules: { readonly digestNeeded: boolean; readonly digestLabels: 'any-case' | 'exact' },
): void {
  const lines = [...headers]
  for (const [name, value] of signed) {
    const received = valuesOf(lines, name)
    if (received.length === 0) throw refused('signature', 'signed-header-is-absent')
    if (received.length > 1) throw refused('signature', 'signed-header-is-repeated')
    if (received[0] !== value) throw refused('signature', 'signed-header-differs')
  }
  const unsigned = demanded.find((name) => {
    return valuesOf(lines, name).length > 0 && !signed.some(([one]) => one === name)
  })
  if (unsigned !== undefined) throw refused('signature', `${unsigned}-is-not-signed`)
  const digest = signed.find(([name]) => name === 'digest')?.[1]
  if (digest === undefined) {
    if (rules.digestNeeded) throw refused('signature', 'digest-is-missing')
    return
  }
  const claimed = sha256InDigestHeader(digest, rules.digestLabels)
  if (claimed === undefined) throw refused('signature', 'digest-is-malformed')
  if (!timingSafeEqual(claimed, createHash('sha256').update(body).digest())) {
    throw refused('signature', 'digest-differs')
  }
}
