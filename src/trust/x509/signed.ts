import { constants, type KeyObject, verify } from 'node:crypto'
import { DerReader, tags } from './der.ts'

/** What an authority signed: a certificate or a revocation list (RFC 5280 §4.1.1, §5.1.1). */
export interface Signed {
  /** The content of what was signed, to be read on. */
  readonly body: DerReader
  /** Whether the algorithm is one that still proves something: RSA or ECDSA over SHA-256, 384 or 512. */
  readonly sound: boolean
  /** The algorithm as it stands outside what was signed; the one inside must be the same. */
  readonly algorithm: Buffer
  /** Whether the signature is that of a key. */
  isBy(key: KeyObject): boolean
}

type Digest = 'sha256' | 'sha384' | 'sha512'

/** Signature algorithms by object identifier (RFC 4055, RFC 5758). */
const algorithms: Readonly<Record<string, { readonly key: 'rsa' | 'ec'; readonly digest: Digest }>> = {
  '1.2.840.113549.1.1.11': { key: 'rsa', digest: 'sha256' },
  '1.2.840.113549.1.1.12': { key: 'rsa', digest: 'sha384' },
  '1.2.840.113549.1.1.13': { key: 'rsa', digest: 'sha512' },
  '1.2.840.10045.4.3.2': { key: 'ec', digest: 'sha256' },
  '1.2.840.10045.4.3.3': { key: 'ec', digest: 'sha384' },
  '1.2.840.10045.4.3.4': { key: 'ec', digest: 'sha512' },
}

const rsaPss = '1.2.840.113549.1.1.10'
const digests: Readonly<Record<string, Digest>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
}

/** Reads the outer form. Throws Error when it is malformed. */
export function readSigned(der: Buffer): Signed {
  const outer = new DerReader(der)
  const parts = outer.read(tags.sequence)
  outer.finish()
  const signed = parts.whole()
  const algorithm = parts.whole()
  const bits = parts.read(tags.bitString).rest()
  parts.finish()
  const form = formOf(algorithm)
  if (bits[0] !== 0) throw new Error('A signature is whole octets')
  return {
    body: new DerReader(signed).read(tags.sequence),
    sound: form !== undefined,
    algorithm,
    isBy(key) {
      if (form === undefined) return false
      const type = key.asymmetricKeyType
      if (type !== form.key && !(form.pss && type === 'rsa-pss')) return false
      const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
      return verify(form.digest, signed, form.pss ? { key, ...padding } : key, bits.subarray(1))
    },
  }
}

function formOf(algorithm: Buffer): { key: 'rsa' | 'ec'; digest: Digest; pss: boolean } | undefined {
  const reader = new DerReader(algorithm).read(tags.sequence)
  const name = reader.objectIdentifier()
  if (name !== rsaPss) {
    const known = algorithms[name]
    return known && { ...known, pss: false }
  }
  // Without parameters the digest is SHA-1 (RFC 4055 §3.1).
  const digest = reader.optional(tags.sequence)?.optional(0xa0)?.read(tags.sequence).objectIdentifier()
  const known = digests[digest ?? '']
  return known && { key: 'rsa', digest: known, pss: true }
}
