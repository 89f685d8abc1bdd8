import { X509Certificate } from 'node:crypto'
import { ConfigError, type LoadedConfig } from '../config/load.ts'
import type { SistemaTsConfig } from '../config/sistema-ts.ts'
import { readPassphrase } from '../keys/bounded-file.ts'
import { fileSigner } from '../keys/file-signer.ts'
import { KeyError } from '../keys/key-error.ts'
import { filesOf, type KeySource, readKeyPair } from '../keys/key-files.ts'
import type { Signer } from '../trust/signer.ts'
import { unfitToEncipher } from '../trust/sistema-ts/encryption.ts'
import { isSession } from '../trust/sistema-ts/session.ts'
import type { NamedCertificate } from '../trust/x509/expiry.ts'

/** What the files of one community's `sistemaTs` hold, as of one moment. */
export interface SistemaTsMaterial {
  /** Of those given the one to encipher under is chosen by its dates. */
  readonly certificates: readonly X509Certificate[]
  readonly pinCode: string
  readonly basic?: { readonly user: string; readonly password: string }
  /** The session somebody delivered. */
  readonly session?: string
  readonly codiceFiscale?: string
  /** The key Sistema TS issued, where it is not the gateway's own that signs. */
  readonly signer?: Signer
}

type Files = Pick<LoadedConfig, 'bytes' | 'locate'>

/** Reads it all. Throws ConfigError with the file that is at fault; what a file holds is never repeated. */
export async function readSistemaTs(settings: SistemaTsConfig, { bytes, locate }: Files): Promise<SistemaTsMaterial> {
  const secret = async (path: string) => requireSecret(await usable(() => readPassphrase(locate(path))), path)
  const { basic } = settings
  const session = settings.as === 'user' ? settings.session : undefined
  const signing = settings.as === 'region' ? settings.signing : undefined
  const token = session !== undefined && 'file' in session ? await secret(session.file) : undefined
  if (token !== undefined && session !== undefined && 'file' in session && !isSession(token)) {
    throw fault(session.file, 'must hold one session and nothing else')
  }
  const citizen = session !== undefined && 'create' in session ? session.codiceFiscale : undefined
  const own = basic && { user: await secret(basic.user), password: await secret(basic.password) }
  if (basic !== undefined && own?.user.includes(':')) throw fault(basic.user, 'must not hold a colon (RFC 7617)')
  return {
    certificates: settings.certificates.map((path) => certificateIn(bytes(path), path)),
    pinCode: await secret(settings.pinCode),
    ...(own === undefined ? {} : { basic: own }),
    ...(token === undefined ? {} : { session: token }),
    ...(citizen === undefined ? {} : { codiceFiscale: await secret(citizen) }),
    ...(signing === undefined ? {} : { signer: fileSigner(await usable(() => readKeyPair(located(signing, locate)))) }),
  }
}

/** Every file whose change calls for reading again, as paths of the configuration's own. */
export function sistemaTsFiles(settings: SistemaTsConfig, locate: (path: string) => string): readonly string[] {
  const session = settings.as === 'user' ? settings.session : undefined
  const signing = settings.as === 'region' ? settings.signing : undefined
  const named = [
    ...settings.certificates,
    settings.pinCode,
    ...(settings.basic === undefined ? [] : [settings.basic.user, settings.basic.password]),
    ...(session !== undefined && 'file' in session ? [session.file] : []),
    ...(session !== undefined && 'create' in session && session.codiceFiscale !== undefined
      ? [session.codiceFiscale]
      : []),
  ]
  return [...named.map(locate), ...(signing === undefined ? [] : filesOf(located(signing, locate)))]
}

/**
 * The certificates whose end somebody must be told of: the one that is enciphered under, or will be, is the last to end; of
 * those before it nobody needs to hear when their successor is there.
 */
export function endingOf(name: string, { certificates, signer }: SistemaTsMaterial): NamedCertificate[] {
  const last = [...certificates].sort((one, other) => other.validToDate.getTime() - one.validToDate.getTime())[0]
  return [
    ...(last === undefined ? [] : [{ name: `${name}/encryption`, certificate: last }]),
    ...(signer === undefined ? [] : [{ name: `${name}/signing`, certificate: signer.certificate }]),
  ]
}

function certificateIn(bytes: Buffer, path: string): X509Certificate {
  const certificate = parsed(bytes, path)
  const unfit = unfitToEncipher(certificate)
  if (unfit !== undefined) throw fault(path, unfit)
  return certificate
}

/** PEM, or DER as Sistema TS hands some of them out. */
function parsed(bytes: Buffer, path: string): X509Certificate {
  try {
    return new X509Certificate(bytes)
  } catch {
    throw fault(path, 'is no certificate')
  }
}

function requireSecret(text: string, path: string): string {
  if (/^[\x21-\x7e]{1,256}$/.test(text)) return text
  throw fault(path, 'must hold 1 to 256 printable characters without blanks')
}

function located(
  source: Extract<SistemaTsConfig, { as: 'region' }>['signing'] & object,
  locate: LoadedConfig['locate'],
) {
  const passphrase = source.passphrase === undefined ? {} : { passphrase: locate(source.passphrase) }
  const files: KeySource =
    'pkcs12' in source
      ? { pkcs12: locate(source.pkcs12), ...passphrase }
      : { certificate: locate(source.certificate), key: locate(source.key), ...passphrase }
  return files
}

async function usable<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    if (error instanceof KeyError) throw fault(error.path, error.reason)
    throw error
  }
}

function fault(path: string, message: string): ConfigError {
  return new ConfigError([{ path, message }])
}
