import type { X509Certificate } from 'node:crypto'
import { constants } from 'node:fs'
import { access, readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Federation } from '../config/federation.ts'
import type { LoadedConfig } from '../config/load.ts'
import { KeyError } from '../keys/key-error.ts'
import { certificatesIn } from '../keys/key-files.ts'
import { readKeySet } from '../trust/jwt/key-set.ts'
import { type RevocationList, readRevocationList } from '../trust/x509/revocation.ts'
import { type Listed, namedIn } from './doctor-named.ts'
import { type Finding, fail, ok } from './finding.ts'

/** A file that the configuration names. */
interface NamedFile {
  /** The first key that names it. */
  readonly what: string
  /** How many others do. */
  readonly others: number
  readonly path: string
  readonly kind: 'secret' | 'certificates' | 'list' | 'key-set'
}

/** What the files hold, as far as they can be read. */
export interface FileContents {
  readonly findings: readonly Finding[]
  /** By absolute path, with the key that names the file. */
  readonly certificates: ReadonlyMap<
    string,
    { readonly what: string; readonly certificates: readonly X509Certificate[] }
  >
  readonly lists: ReadonlyMap<string, { readonly what: string; readonly list: RevocationList }>
}

/** Looks at every file the configuration names, and at the place of the store. */
export async function examineFiles(config: LoadedConfig): Promise<FileContents> {
  const files = await Promise.all(namedFiles(config).map(examine))
  return {
    findings: [...files.map(({ finding }) => finding), await storeFinding(config)],
    certificates: new Map(
      files.flatMap(({ certificates, path, what }) =>
        certificates === undefined ? [] : [[path, { what, certificates }]],
      ),
    ),
    lists: new Map(files.flatMap(({ list, path, what }) => (list === undefined ? [] : [[path, { what, list }]]))),
  }
}

type NamedFileEntry = readonly [what: string, path: string, kind: NamedFile['kind']]

/** Every file once, under its absolute path. */
function namedFiles({ federation, locate }: LoadedConfig): readonly NamedFile[] {
  const named = new Map<string, NamedFile>()
  for (const [what, name, kind] of [...ownFiles(federation), ...partyFiles(federation)]) {
    const path = locate(name)
    const known = named.get(path)
    named.set(path, known === undefined ? { what, others: 0, path, kind } : { ...known, others: known.others + 1 })
  }
  return [...named.values()]
}

function ownFiles({ gateway: { identity } }: Federation): readonly NamedFileEntry[] {
  return (['tls', 'signing'] as const).flatMap((use): NamedFileEntry[] => {
    const files = identity[use]
    const at = `gateway.identity.${use}`
    if ('signer' in files) return []
    const passphrase: NamedFileEntry[] =
      files.passphrase === undefined ? [] : [[`${at}.passphrase`, files.passphrase, 'secret']]
    if ('pkcs12' in files) return [[`${at}.pkcs12`, files.pkcs12, 'secret'], ...passphrase]
    return [[`${at}.certificate`, files.certificate, 'certificates'], [`${at}.key`, files.key, 'secret'], ...passphrase]
  })
}

function partyFiles(federation: Federation): readonly NamedFileEntry[] {
  const { groups, keySets } = namedIn(federation)
  const listed = ([what, names]: Listed, kind: NamedFile['kind']) =>
    names.map((name, index): NamedFileEntry => [`${what}[${index}]`, name, kind])
  return [
    ...groups.flatMap(({ anchors, intermediates, lists }) => [
      ...listed(anchors, 'certificates'),
      ...listed(intermediates, 'certificates'),
      ...listed(lists, 'list'),
    ]),
    ...keySets.map(([what, name]): NamedFileEntry => [what, name, 'key-set']),
  ]
}

interface Examined {
  readonly what: string
  readonly path: string
  readonly finding: Finding
  readonly certificates?: readonly X509Certificate[]
  readonly list?: RevocationList
}

const wanted = {
  certificates: 'certificates in PEM',
  list: 'one complete revocation list in PEM or DER',
  'key-set': 'a key set in JSON (RFC 7517)',
} as const

/** Bits of the mode by which anybody on the machine may read a file. */
const worldReadable = 0o004

async function examine(file: NamedFile): Promise<Examined> {
  const { kind, others, path } = file
  const what = others === 0 ? file.what : `${file.what} (+${others})`
  const finding = await unreadable(what, path)
  if (finding !== undefined) return { what, path, finding }
  if (kind === 'secret') {
    const { mode } = await stat(path)
    if ((mode & worldReadable) === 0) return { what, path, finding: ok(what, `${path}, mode ${inOctal(mode)}`) }
    const advice = `let nobody but the gateway read it: chmod 600 ${path}`
    return { what, path, finding: fail(what, `${path} is readable by everybody (mode ${inOctal(mode)})`, advice) }
  }
  try {
    const content = await readFile(path)
    if (kind === 'list') {
      const list = readRevocationList(content)
      return { what, path, list, finding: ok(what, `${path}, ${list.serials.size} revoked certificates`) }
    }
    if (kind === 'key-set') {
      const { keys } = readKeySet(content)
      return { what, path, finding: ok(what, `${path}, ${inNumber(keys.length, 'key')}`) }
    }
    const certificates = certificatesIn(content.toString('latin1'), path)
    return { what, path, certificates, finding: ok(what, `${path}, ${inNumber(certificates.length, 'certificate')}`) }
  } catch (error) {
    return { what, path, finding: fail(what, `${path}: ${whyNot(error)}`, `put ${wanted[kind]} there`) }
  }
}

/** Messages of readers of files name a reason or say what is wrong with the form; they quote nothing. */
function whyNot(error: unknown): string {
  if (error instanceof KeyError) return error.reason
  return error instanceof Error ? error.message : 'cannot be used'
}

async function unreadable(what: string, path: string): Promise<Finding | undefined> {
  try {
    const about = await stat(path)
    if (!about.isFile()) return fail(what, `${path} is no file`, 'name a file')
    await access(path, constants.R_OK)
    return undefined
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'ENOENT') return fail(what, `${path} does not exist`, 'put the file there, or mend the path')
    return fail(what, `${path} cannot be read (${code})`, 'let the user of the gateway read it')
  }
}

/** A file of this machine is looked at; PostgreSQL is opened by the gateway alone, which would make its schema. */
async function storeFinding({ federation, locate }: LoadedConfig): Promise<Finding> {
  const { store } = federation.gateway
  if ('postgres' in store) {
    const { passwordFile } = store.postgres
    const wrong =
      passwordFile === undefined
        ? undefined
        : await unreadable('gateway.store.postgres.passwordFile', locate(passwordFile))
    return wrong ?? ok('gateway.store.postgres', 'is opened by the gateway, not by this check')
  }
  const what = 'gateway.store.path'
  const path = locate(store.path)
  const exists = await stat(path).then(
    () => true,
    () => false,
  )
  try {
    await access(exists ? path : dirname(path), constants.W_OK)
    return ok(what, exists ? `${path} can be written` : `${path} will be made at the first start`)
  } catch {
    const found = exists ? `${path} cannot be written` : `${dirname(path)} is missing or cannot be written`
    return fail(what, found, 'make the folder, and let the user of the gateway write there')
  }
}

function inOctal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(3, '0')
}

export function inNumber(count: number, one: string): string {
  return count === 1 ? `1 ${one}` : `${count} ${one}s`
}
