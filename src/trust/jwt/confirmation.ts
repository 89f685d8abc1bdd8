import type { X509Certificate } from 'node:crypto'
import { refused } from '../refusal.ts'
import { certificateThumbprint } from './keys.ts'
import { isJsonObject, type JsonObject, member } from './strict-json.ts'

/** What the presenter of a token has proved about itself. */
export interface Presenter {
  /** The client certificate of the connection. */
  readonly certificate?: X509Certificate
  /** The thumbprint of the key of a DPoP proof that was verified (RFC 9449). */
  readonly proofKey?: string
}

/**
 * Throws Refusal unless the presenter is the one a token is bound to by `cnf` (RFC 7800; `jkt` of RFC 9449, `x5t#S256` of
 * RFC 8705). A token that is bound to nobody may be presented by anybody.
 */
export function requireConfirmation(claims: JsonObject, { certificate, proofKey }: Presenter): void {
  for (const [method, value] of confirmationsIn(claims)) {
    if (method === 'jkt' && value === proofKey) continue
    if (method === 'x5t#S256' && certificate !== undefined && value === certificateThumbprint(certificate)) continue
    throw refused('audience', 'token-is-bound-to-another')
  }
}

/** The ways a token is bound; empty when it is not. Throws Refusal for ways nobody here understands. */
function confirmationsIn(claims: JsonObject): readonly (readonly [method: 'jkt' | 'x5t#S256', value: string])[] {
  const cnf = member(claims, 'cnf')
  if (cnf === undefined) return []
  if (!isJsonObject(cnf)) throw refused('attributes', 'cnf-malformed')
  const methods = Object.entries(cnf)
  if (methods.length === 0) throw refused('attributes', 'cnf-malformed')
  return methods.map(([method, value]) => {
    if (method !== 'jkt' && method !== 'x5t#S256') throw refused('attributes', 'cnf-is-not-understood')
    if (typeof value !== 'string') throw refused('attributes', 'cnf-malformed')
    return [method, value]
  })
}

/** The thumbprint of the key a token is bound to by `cnf.jkt`; undefined when it is not. Throws Refusal. */
export function boundKeyOf(claims: JsonObject): string | undefined {
  return confirmationsIn(claims).find(([method]) => method === 'jkt')?.[1]
}
