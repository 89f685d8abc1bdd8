import { X509Certificate } from 'node:crypto'

/** Reads every certificate of a PEM text. Throws when there is none. */
export function certificatesOf(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) throw new Error('No certificate in PEM form')
  return blocks.map((block) => new X509Certificate(block))
}

/** The common name of a certificate's subject; undefined unless there is exactly one. */
export function commonNameOf(certificate: X509Certificate): string | undefined {
  const names = certificate.subject.split('\n').filter((line) => line.startsWith('CN='))
  return names.length === 1 ? names[0]?.slice(3) : undefined
}

/** The longest certificate anybody may hand us, in base64. */
const longestBase64 = 16_384

/**
 * A certificate somebody handed us, in base64 DER; undefined when it is none. White space is forgiven where `folded` says
 * so (XML), not elsewhere (`x5c`, RFC 7515 §4.1.6).
 */
export function presentedCertificate(base64: string, options: { folded: boolean }): X509Certificate | undefined {
  const text = options.folded ? base64.replace(/[ \t\r\n]/g, '') : base64
  if (text.length > longestBase64 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) return undefined
  const known = presented.get(text)
  if (known !== undefined) return known
  try {
    const certificate = new X509Certificate(Buffer.from(text, 'base64'))
    if (presented.size >= remembered) presented.clear()
    presented.set(text, certificate)
    return certificate
  } catch {
    return undefined
  }
}

/** Reading a certificate costs more than verifying with it; what was presented before is not read again. */
const presented = new Map<string, X509Certificate>()
const remembered = 1_024
