import type { X509Certificate } from 'node:crypto'
import { type SignatureAlgorithm, unfitKey } from '../algorithms.ts'
import type { Signer } from '../signer.ts'

/** What JOSE can sign with (RFC 7518 §3.1). */
export type JoseAlgorithm = Exclude<SignatureAlgorithm, 'RS1'>

/** Members in the order in which they are written; an undefined one is left out. */
export type Members = Readonly<Record<string, unknown>>

/** Signs a JWS in compact form (RFC 7515 §7.1). `alg` comes first in the header, the rest as given. */
export type CompactSigner = (header: Members, payload: Members) => Promise<string>

/**
 * A signer of compact JWS with one algorithm: the one asked for, else the signer's own. Throws when JOSE does not have
 * the algorithm or the signer's key cannot be used with it.
 */
export function compactSigner(signer: Signer, asked?: JoseAlgorithm): CompactSigner {
  const algorithm = asked ?? signer.algorithm
  if (algorithm === 'RS1') throw new Error('A token cannot be signed with RS1')
  const unfit = unfitKey(algorithm, signer.certificate.publicKey)
  if (unfit !== undefined) throw new Error(`The key cannot sign tokens with ${algorithm}: ${unfit}`)
  return async (header, payload) => {
    const signed = `${encoded({ alg: algorithm, ...header })}.${encoded(payload)}`
    const signature = await signer.sign(Buffer.from(signed, 'ascii'), algorithm)
    return `${signed}.${Buffer.from(signature).toString('base64url')}`
  }
}

function encoded(members: Members): string {
  return Buffer.from(JSON.stringify(members), 'utf8').toString('base64url')
}

/** A certificate as `x5c` wants it: base64 with padding, without line breaks (RFC 7515 §4.1.6). */
export function x5cOf(certificate: X509Certificate): string {
  return certificate.raw.toString('base64')
}

/** `iat` and `exp` of a token made now, in whole seconds: it never begins in the future and lives at least as long as asked. */
export function validity(nowMs: number, lifetimeMs: number): { readonly iat: number; readonly exp: number } {
  const iat = Math.floor(nowMs / 1000)
  return { iat, exp: iat + Math.ceil(lifetimeMs / 1000) }
}
