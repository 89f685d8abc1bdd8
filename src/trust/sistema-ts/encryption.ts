import { constants, publicEncrypt, type X509Certificate } from 'node:crypto'
import { GatewayError } from '../../core/errors.ts'
import type { Clock } from '../../core/ports.ts'
import type { Ciphertext } from '../../wire/sistema-ts/fields.ts'
import { factsOf } from '../x509/certificate.ts'

/** Enciphers a text for Sistema TS; the same text is never enciphered alike twice. */
export type Encipher = (text: string) => Ciphertext

/**
 * Enciphers pincodes and identifiers as Sistema TS wants them: RSA with PKCS#1 v1.5 under its certificate `SanitelCF`, in
 * base64 (sistema-ts.md A.5); 172 characters under a key of 1024 bits, which is what it publishes. Around the end of a
 * certificate two are given: of those valid at the moment the newest is used. Throws `internal` when none is, and for a
 * text that is not plain ASCII or too long for the key.
 */
export function encipherer(certificates: () => readonly X509Certificate[], clock: Clock): Encipher {
  return (text) => {
    if (!/^[\x21-\x7e]+$/.test(text)) throw unfit('text-not-ascii')
    const certificate = newestValid(certificates(), clock.now())
    if (certificate === undefined) throw unfit('no-valid-certificate')
    try {
      const bytes = publicEncrypt(
        { key: certificate.publicKey, padding: constants.RSA_PKCS1_PADDING },
        Buffer.from(text, 'ascii'),
      )
      return { ciphertext: bytes.toString('base64') }
    } catch {
      // The cause would tell of the text.
      throw unfit('text-too-long')
    }
  }
}

/** The certificate to encipher under: of those valid at an instant the one whose validity began last. */
export function newestValid(certificates: readonly X509Certificate[], now: number): X509Certificate | undefined {
  return certificates
    .map((certificate) => ({ certificate, ...factsOf(certificate) }))
    .filter(({ notBefore, notAfter }) => notBefore <= now && now <= notAfter)
    .sort((one, other) => other.notBefore - one.notBefore || other.notAfter - one.notAfter)[0]?.certificate
}

/** Why a certificate is none to encipher under; undefined when it is. */
export function unfitToEncipher({ publicKey }: X509Certificate): string | undefined {
  if (publicKey.asymmetricKeyType !== 'rsa') return 'must hold an RSA key'
  return (publicKey.asymmetricKeyDetails?.modulusLength ?? 0) < 1024
    ? 'must hold a key of 1024 bits or more'
    : undefined
}

function unfit(reason: string): GatewayError {
  return new GatewayError('internal', 'Nothing can be enciphered for Sistema TS', { details: { reason } })
}
