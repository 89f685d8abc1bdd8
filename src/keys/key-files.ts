import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto'
import { certificatesOf } from '../trust/x509/certificate.ts'
import { readBounded, readPassphrase } from './bounded-file.ts'
import { intermediatesAbove } from './chain.ts'
import { KeyError } from './key-error.ts'
import { usualAlgorithm } from './key-kind.ts'
import { openPkcs12 } from './pkcs12.ts'

/** Where a key and its certificate are kept. All are paths, that of a passphrase too: it is never given itself. */
export type KeySource =
  | {
      /** PEM: the key's certificate first, others after it. */
      readonly certificate: string
      /** PEM: PKCS#8, encrypted or not, PKCS#1 or SEC1. May be the same file. */
      readonly key: string
      readonly passphrase?: string | undefined
    }
  | {
      /** PKCS#12 with one key, its certificate and any others. */
      readonly pkcs12: string
      /** Absent for an empty passphrase. */
      readonly passphrase?: string | undefined
    }

/** A private key of this process with its certificate. */
export interface KeyPair {
  readonly certificate: X509Certificate
  /** Certificates between ours and the authority's own, nearest first; no root. */
  readonly intermediates: readonly X509Certificate[]
  readonly key: KeyObject
}

/** Every file a source consists of, for whoever watches them. */
export function filesOf(source: KeySource): string[] {
  const own = 'pkcs12' in source ? [source.pkcs12] : [source.certificate, source.key]
  return [...new Set(source.passphrase === undefined ? own : [...own, source.passphrase])]
}

/**
 * Reads a key and its certificate and makes sure that they belong together and are strong enough: RSA of 2048 bits or
 * more, P-256, P-384 or P-521. Throws KeyError.
 */
export async function readKeyPair(source: KeySource): Promise<KeyPair> {
  const pair = 'pkcs12' in source ? await readPkcs12(source) : await readPem(source)
  const kind = usualAlgorithm(pair.key)
  if ('unfit' in kind) throw new KeyError(kind.unfit, 'pkcs12' in source ? source.pkcs12 : source.key)
  return pair
}

async function readPem(source: Extract<KeySource, { key: string }>): Promise<KeyPair> {
  const passphrase = source.passphrase === undefined ? undefined : await readPassphrase(source.passphrase)
  const [certificate, ...others] = certificatesIn(await readText(source.certificate), source.certificate)
  const key = keyIn(await readText(source.key), source.key, passphrase)
  if (!certificate.checkPrivateKey(key)) throw new KeyError('key-of-another-certificate', source.key)
  return { certificate, intermediates: chainAbove(certificate, others, source.certificate), key }
}

async function readPkcs12(source: Extract<KeySource, { pkcs12: string }>): Promise<KeyPair> {
  const { pkcs12: path } = source
  const passphrase = source.passphrase === undefined ? '' : await readPassphrase(source.passphrase)
  const content = await openPkcs12(await readBounded(path), passphrase)
  if (typeof content === 'string') throw new KeyError(content, path)
  const [key, second] = content.keys
  if (key === undefined) throw new KeyError('key-missing', path)
  if (second !== undefined) throw new KeyError('key-ambiguous', path)
  if (content.certificates.length === 0) throw new KeyError('certificate-missing', path)
  const certificate = content.certificates.find((one) => one.checkPrivateKey(key))
  if (certificate === undefined) throw new KeyError('key-of-another-certificate', path)
  return { certificate, intermediates: chainAbove(certificate, content.certificates, path), key }
}

async function readText(path: string): Promise<string> {
  return (await readBounded(path)).toString('latin1')
}

function chainAbove(certificate: X509Certificate, others: readonly X509Certificate[], path: string) {
  const intermediates = intermediatesAbove(certificate, others)
  if (intermediates === undefined) throw new KeyError('certificates-not-a-chain', path)
  return intermediates
}

/** Every certificate of a PEM text, one at least. Throws KeyError when one of them cannot be read to its end. */
export function certificatesIn(text: string, path: string): [X509Certificate, ...X509Certificate[]] {
  const begun = text.split('-----BEGIN CERTIFICATE-----').length - 1
  if (begun === 0) throw new KeyError('certificate-missing', path)
  let read: X509Certificate[]
  try {
    read = certificatesOf(text)
  } catch {
    throw new KeyError('certificate-malformed', path)
  }
  const [first, ...others] = read
  // A file that is still being written ends in the middle of a certificate.
  if (first === undefined || read.length !== begun) throw new KeyError('certificate-malformed', path)
  return [first, ...others]
}

const keyBegin = /-----BEGIN (?:ENCRYPTED |RSA |EC )?PRIVATE KEY-----/g
const keyBlock = /-----BEGIN ((?:ENCRYPTED |RSA |EC )?PRIVATE KEY)-----[\s\S]*?-----END \1-----/
const encryptedBlock = /-----BEGIN ENCRYPTED |^Proc-Type: *4, *ENCRYPTED/m

function keyIn(text: string, path: string, passphrase: string | undefined): KeyObject {
  const begun = text.match(keyBegin)?.length ?? 0
  if (begun === 0) throw new KeyError('key-missing', path)
  if (begun > 1) throw new KeyError('key-ambiguous', path)
  const block = keyBlock.exec(text)?.[0]
  if (block === undefined) throw new KeyError('key-malformed', path)
  const encrypted = encryptedBlock.test(block)
  if (encrypted && passphrase === undefined) throw new KeyError('passphrase-missing', path)
  try {
    return createPrivateKey(encrypted && passphrase !== undefined ? { key: block, passphrase } : { key: block })
  } catch {
    throw new KeyError(encrypted ? 'passphrase-wrong' : 'key-malformed', path)
  }
}
