import { KeyObject, webcrypto } from 'node:crypto'
import { loadX509 } from '../../certs-dev/x509.ts'

const algorithm = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  // As the real one: the second factor's service has no place for what a longer key makes (256 characters).
  modulusLength: 1024,
  publicExponent: new Uint8Array([1, 0, 1]),
} as const
const dayMs = 86_400_000

/** A certificate SanitelCF, PEM, good for a year from an instant on, and the key that deciphers what is enciphered under it. */
export async function sanitelKey(now = Date.now()): Promise<{ readonly certificate: string; readonly key: KeyObject }> {
  const x509 = await loadX509()
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ C: ['IT'] }, { O: ['Agenzia delle Entrate'] }, { CN: ['SanitelCF'] }],
    serialNumber: '01',
    notBefore: new Date(now - dayMs),
    notAfter: new Date(now + 365 * dayMs),
    keys,
    signingAlgorithm: algorithm,
  })
  return { certificate: certificate.toString('pem'), key: KeyObject.from(keys.privateKey) }
}
