import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** 1.3.76.29.1.11, the policy of signing certificates, in DER. */
const signingPolicy = Buffer.from('06052b4c1d010b', 'hex')
const keyUsage = Buffer.from('0603551d0f', 'hex')
const nonRepudiation = 0x40

/** The common name of a certificate, of its subject alone. */
export function commonName(certificate: X509Certificate): string | undefined {
  return /^CN=(.*)$/m.exec(certificate.subject)?.[1]
}

/**
 * Why a certificate may not vouch for anything, or `undefined` when it may: issued by the root, within its dates, for
 * non repudiation and under the policy of signing certificates (ini.md §5.4), of RSA with at least 2048 bits.
 */
export function whyNotTrusted(certificate: X509Certificate, root: X509Certificate, now: number): string | undefined {
  if (!certificate.checkIssued(root) || !certificate.verify(root.publicKey)) return 'not issued by the trusted root'
  if (now < certificate.validFromDate.getTime() || now >= certificate.validToDate.getTime()) return 'outside its dates'
  if ((keyUsageBits(certificate) & nonRepudiation) === 0) return 'not for non repudiation'
  if (!certificate.raw.includes(signingPolicy)) return 'not under the policy of signing certificates'
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = certificate.publicKey
  if (type !== 'rsa' || (details?.modulusLength ?? 0) < 2048) return 'of a key that is too weak'
  return undefined
}

/** The root of signing certificates in a folder of development identities. */
export async function readSigningRoot(certificates: string): Promise<X509Certificate> {
  return new X509Certificate(await readFile(join(certificates, 'signing-ca.pem')))
}

/** The bits of the extension keyUsage, which node:crypto does not tell. */
function keyUsageBits({ raw }: X509Certificate): number {
  const at = raw.indexOf(keyUsage)
  if (at < 0) return 0
  const bits = raw.indexOf(Buffer.from([0x03, 0x02]), at)
  return bits < 0 ? 0 : (raw[bits + 3] ?? 0)
}

/** Reads the base64 of `ds:X509Certificate` or `x5c`; `undefined` for what is no certificate. */
export function readCertificate(base64: string): X509Certificate | undefined {
  try {
    return new X509Certificate(Buffer.from(base64.replaceAll(/\s/g, ''), 'base64'))
  } catch {
    return undefined
  }
}
