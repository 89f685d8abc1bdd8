import { createHash, type KeyObject, type X509Certificate } from 'node:crypto'
import { unfitKey } from '../algorithms.ts'
import { refused } from '../refusal.ts'
import { commonNameOf } from '../x509/certificate.ts'
import { type CertificateDemands, distrust } from '../x509/chain.ts'
import { thumbprintOf } from './jwk.ts'
import { type JsonObject, member } from './strict-json.ts'
import type { JwsAlgorithm } from './token.ts'

/** What a token says about its key. Nothing of it has been verified: it may choose among keys that are trusted already. */
export interface KeyHint {
  readonly header: JsonObject
  readonly algorithm: JwsAlgorithm
}

/** A key that is trusted to have signed. */
export interface VerificationKey {
  readonly key: KeyObject
  readonly certificate?: X509Certificate
  /** For the audit trail: the certificate's common name, or the key's thumbprint. */
  readonly signer: string
}

/** Where the keys of a profile come from. */
export interface KeySource {
  /** The one key a token can have been signed by. Throws Refusal, or GatewayError when keys cannot be had. */
  keyFor(hint: KeyHint, now: number, signal?: AbortSignal): VerificationKey | Promise<VerificationKey>
}

/** A certificate's key; its owner's name goes to the audit trail. */
export function certifiedKey(certificate: X509Certificate): VerificationKey {
  const known = certified.get(certificate)
  if (known !== undefined) return known
  const { fingerprint256, publicKey: key } = certificate
  const made = { key, certificate, signer: commonNameOf(certificate) ?? fingerprint256 }
  certified.set(certificate, made)
  return made
}

const certified = new WeakMap<X509Certificate, VerificationKey>()

export function bareKey(key: KeyObject): VerificationKey {
  return { key, signer: `jwk:${thumbprintOf(key)}` }
}

/** The thumbprint `x5t#S256` of a certificate (RFC 7515 §4.1.8). */
export function certificateThumbprint(certificate: X509Certificate): string {
  return createHash('sha256').update(certificate.raw).digest('base64url')
}

/**
 * Signing certificates that were handed over beforehand, for tokens that carry none: `x5t#S256` chooses among them; without
 * it there must be exactly one that fits the algorithm.
 */
export function pinnedCertificates(
  certificates: readonly X509Certificate[],
  demands: CertificateDemands = { use: 'signature' },
): KeySource {
  const pinned = certificates
    .filter(({ ca }) => !ca)
    .map((certificate) => ({ certificate, thumbprint: certificateThumbprint(certificate) }))
  const trust = { anchors: pinned.map(({ certificate }) => certificate) }
  return {
    keyFor({ header, algorithm }, now) {
      const thumbprint = member(header, 'x5t#S256')
      const fit = pinned.filter(({ certificate, thumbprint: own }) => {
        return (
          (thumbprint === undefined || thumbprint === own) && unfitKey(algorithm, certificate.publicKey) === undefined
        )
      })
      if (fit.length > 1) throw refused('certificate', 'key-is-ambiguous')
      const [found] = fit
      if (found === undefined) throw refused('certificate', 'key-is-unknown')
      const reason = distrust(found.certificate, [], trust, demands, now)
      if (reason !== undefined) throw refused('certificate', reason)
      return certifiedKey(found.certificate)
    },
  }
}

/** Tokens that bring their certificate (`x5c`) by one source, all others by the other; either may be missing. */
export function byPresentation(sources: {
  readonly certified?: KeySource | undefined
  readonly others?: KeySource | undefined
}): KeySource {
  return {
    keyFor(hint, now, signal) {
      const presents = Object.hasOwn(hint.header, 'x5c')
      const source = presents ? sources.certified : sources.others
      if (source === undefined) throw refused('certificate', presents ? 'x5c-is-not-expected' : 'x5c-is-missing')
      return source.keyFor(hint, now, signal)
    },
  }
}
