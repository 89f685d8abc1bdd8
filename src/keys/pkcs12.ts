import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { asn1, pkcs12 } from 'node-forge'

/** What a PKCS#12 file holds; which certificate belongs to the key is for the caller to find. */
export interface Pkcs12Content {
  readonly keys: readonly KeyObject[]
  readonly certificates: readonly X509Certificate[]
}

/** Why nothing was read. */
export type Pkcs12Fault = 'passphrase-wrong' | 'pkcs12-malformed' | 'pkcs12-unsupported'

type Forge = typeof import('node-forge')

/**
 * Opens a PKCS#12 file (RFC 7292) protected by a passphrase, which may be empty: PBES2 with AES as well as the RC2 and
 * 3DES of older exports, which WebCrypto and Node's OpenSSL do not decrypt.
 */
export async function openPkcs12(bytes: Buffer, passphrase: string): Promise<Pkcs12Content | Pkcs12Fault> {
  // Only whoever has such a file pays for the library.
  const { default: forge } = await import('node-forge')
  try {
    return contentOf(forge, unlock(forge, bytes, passphrase))
  } catch (error) {
    return faultOf(error)
  }
}

const wrongMac = /MAC could not be verified/
const notDecrypted = /Failed to decrypt|Unable to decrypt/
const unsupported = /unsupported|not supported|mode supported/i

function faultOf(error: unknown): Pkcs12Fault {
  const text = error instanceof Error ? error.message : ''
  if (wrongMac.test(text) || notDecrypted.test(text)) return 'passphrase-wrong'
  return unsupported.test(text) ? 'pkcs12-unsupported' : 'pkcs12-malformed'
}

/** An empty passphrase is two zero bytes to some programs and nothing at all to others (RFC 7292 appendix B.1). */
function unlock(forge: Forge, bytes: Buffer, passphrase: string): pkcs12.Pkcs12Pfx {
  const file = forge.asn1.fromDer(bytes.toString('latin1'))
  if (passphrase !== '') return unlockWith(forge, file, passphrase)
  try {
    return unlockWith(forge, file, '')
  } catch (error) {
    if (faultOf(error) !== 'passphrase-wrong') throw error
    return forge.pkcs12.pkcs12FromAsn1(file)
  }
}

/**
 * The MAC and PBES1 take the passphrase as UTF-16, PBES2 as UTF-8 (RFC 7292 appendix B.1, RFC 8018 §3), and the library
 * gives one form to all. The MAC is judged first: a file that fails after it is opened once more without it.
 */
function unlockWith(forge: Forge, file: asn1.Asn1, passphrase: string): pkcs12.Pkcs12Pfx {
  try {
    return forge.pkcs12.pkcs12FromAsn1(file, passphrase)
  } catch (error) {
    const utf8 = Buffer.from(passphrase, 'utf8').toString('latin1')
    const judged = error instanceof Error && !wrongMac.test(error.message)
    if (!judged || utf8 === passphrase || !Array.isArray(file.value)) throw error
    return forge.pkcs12.pkcs12FromAsn1({ ...file, value: file.value.slice(0, 2) }, utf8)
  }
}

function contentOf(forge: Forge, { safeContents }: pkcs12.Pkcs12Pfx): Pkcs12Content {
  const der = (value: asn1.Asn1): Buffer => Buffer.from(forge.asn1.toDer(value).getBytes(), 'latin1')
  const keys: KeyObject[] = []
  const certificates: X509Certificate[] = []
  for (const bag of safeContents.flatMap(({ safeBags }) => safeBags)) {
    if (bag.type === forge.pki.oids.certBag) {
      certificates.push(new X509Certificate(der(bag.cert ? forge.pki.certificateToAsn1(bag.cert) : bag.asn1)))
    } else if (bag.key) {
      keys.push(createPrivateKey({ key: der(forge.pki.privateKeyToAsn1(bag.key)), format: 'der', type: 'pkcs1' }))
    } else {
      keys.push(createPrivateKey({ key: der(bag.asn1), format: 'der', type: 'pkcs8' }))
    }
  }
  return { keys, certificates }
}
