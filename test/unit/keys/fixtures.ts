import { execFile } from 'node:child_process'
import { KeyObject, webcrypto } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { loadX509 } from '../../../certs-dev/x509.ts'

export type Kind = 'rsa-2048' | 'rsa-1024' | 'P-256' | 'P-384' | 'P-521' | 'ed25519'

export interface Pair {
  /** PEM. */
  readonly certificate: string
  readonly key: KeyObject
  /** PKCS#8 in PEM. */
  readonly pem: string
}

/** A root, an intermediate under it, and pairs that the intermediate issues. */
export interface Hierarchy {
  readonly root: string
  readonly intermediate: string
  issue(kind: Kind, name?: string): Promise<Pair>
}

const day = 86_400_000

async function generate(kind: Kind): Promise<webcrypto.CryptoKeyPair> {
  const uses: webcrypto.KeyUsage[] = ['sign', 'verify']
  if (kind === 'ed25519') {
    return (await webcrypto.subtle.generateKey('Ed25519', true, uses)) as webcrypto.CryptoKeyPair
  }
  if (kind.startsWith('P-')) return webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: kind }, true, uses)
  const modulusLength = Number(kind.slice(4))
  const publicExponent = new Uint8Array([1, 0, 1])
  return webcrypto.subtle.generateKey(
    { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength, publicExponent },
    true,
    uses,
  )
}

export async function hierarchy(name = 'Keys'): Promise<Hierarchy> {
  const x509 = await loadX509()
  const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' }
  const times = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + 30 * day), signingAlgorithm }
  const authority = [
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
  ]
  const rootKeys = await generate('P-256')
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...times,
    name: `CN=${name} root`,
    keys: rootKeys,
    extensions: authority,
  })
  const middleKeys = await generate('P-256')
  const intermediate = await x509.X509CertificateGenerator.create({
    ...times,
    subject: `CN=${name} intermediate`,
    issuer: root.subject,
    publicKey: middleKeys.publicKey,
    signingKey: rootKeys.privateKey,
    extensions: authority,
  })
  return {
    root: `${root.toString('pem')}\n`,
    intermediate: `${intermediate.toString('pem')}\n`,
    async issue(kind, cn = kind) {
      const keys = await generate(kind)
      const certificate = await x509.X509CertificateGenerator.create({
        ...times,
        subject: `CN=${cn}`,
        issuer: intermediate.subject,
        publicKey: keys.publicKey,
        signingKey: middleKeys.privateKey,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }]),
        ],
      })
      const key = KeyObject.from(keys.privateKey)
      const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString()
      return { certificate: `${certificate.toString('pem')}\n`, key, pem }
    },
  }
}

/** A folder for one test. */
export interface Folder {
  readonly path: string
  /** Writes a file and gives its path. */
  write(name: string, content: string | Uint8Array): string
  at(name: string): string
}

export function folder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'keys-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  const at = (name: string) => join(path, name)
  return {
    path,
    at,
    write(name, content) {
      writeFileSync(at(name), content)
      return at(name)
    },
  }
}

const run = promisify(execFile)
let version: Promise<string> | undefined

/** Why a test that needs openssl is skipped. */
export const noOpenssl = 'openssl 3 is not installed'

/** Runs openssl. Resolves to false where there is no OpenSSL 3 or later; rejects when it fails. */
export async function openssl(...args: string[]): Promise<boolean> {
  version ??= run('openssl', ['version']).then(
    ({ stdout }) => stdout,
    () => 'none',
  )
  // Only these know both the old algorithms and the new by the same options.
  if (!/^OpenSSL (?:[3-9]|\d{2,})\./.test(await version)) return false
  await run('openssl', args)
  return true
}
