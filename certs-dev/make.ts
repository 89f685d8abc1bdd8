import { createHash, createPrivateKey, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { encryption, type Identity, identities, inPkcs12 } from './identities.ts'
import { issuer } from './issue.ts'
import { pkcs12 } from './pkcs12.ts'

const here = import.meta.dirname
const defaultDirectory = join(here, 'out')
const sources = ['der.ts', 'identities.ts', 'issue.ts', 'make.ts', 'pkcs12.ts', 'x509.ts']
const renewBeforeMs = 7 * 86_400_000
const patienceMs = 60_000

const underway = new Map<string, Promise<{ directory: string }>>()

/**
 * The development identities, made when they are absent, within a week of their end, or older than the table they come
 * from. Processes that ask at once get the same ones: one makes them, the others wait for it.
 */
export function ensureCertificates(directory: string = defaultDirectory): Promise<{ directory: string }> {
  const known = underway.get(directory)
  if (known !== undefined) return known
  const made = ensure(directory).finally(() => underway.delete(directory))
  underway.set(directory, made)
  return made
}

async function ensure(directory: string): Promise<{ directory: string }> {
  const digest = await sourcesDigest()
  if (await isFresh(directory, digest)) return { directory }
  await mkdir(dirname(directory), { recursive: true })
  const release = await lock(`${directory}.lock`)
  try {
    if (!(await isFresh(directory, digest))) await replace(directory, digest)
  } finally {
    await release()
  }
  return { directory }
}

/** Written beside, then put in place by renaming: nobody ever sees half of it. */
async function replace(directory: string, digest: string): Promise<void> {
  await removeLeftovers(directory)
  const fresh = await mkdtemp(`${directory}.new-`)
  await make(fresh, digest)
  const old = `${fresh}-replaced`
  await rename(directory, old).catch(ignoreMissing)
  await rename(fresh, directory)
  await rm(old, { recursive: true, force: true })
}

async function make(directory: string, digest: string): Promise<void> {
  const authority = await issuer(new Date())
  const [tls, signing, otherTls, otherSigning] = await Promise.all([
    authority('Crocevia development TLS root'),
    authority('Crocevia development signing root', 1),
    // The roots that nobody trusts have the very names of those that are trusted.
    authority('Crocevia development TLS root'),
    authority('Crocevia development signing root', 1),
  ])
  const intermediate = await signing.subordinate('Crocevia development signing authority')
  const write = async (path: string, content: string | Uint8Array, mode = 0o644): Promise<void> => {
    const file = join(directory, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content, { mode })
  }
  const password = randomBytes(12).toString('hex')
  const writeIdentity = async ({ name, organization, uses, keyType, suffix = '', chained, defect }: Identity) =>
    Promise.all(
      uses.map(async (use) => {
        const unknown = defect === 'unknown-ca'
        const root = use === 'tls' ? (unknown ? otherTls : tls) : unknown ? otherSigning : signing
        const ca = chained ? intermediate : root
        const { certificate, key, notAfter } = await ca.issue({ organization, use, keyType, ...(defect && { defect }) })
        await write(`${name}/${use}${suffix}.crt.pem`, certificate)
        await write(`${name}/${use}${suffix}.key.pem`, key, 0o600)
        if (chained) await write(`${name}/chain.pem`, intermediate.root)
        if (name === inPkcs12) {
          const file = pkcs12([certificate, ca.root], createPrivateKey(key), password)
          await write(`${name}/${use}${suffix}.p12`, file, 0o600)
        }
        return notAfter
      }),
    )
  const ends = await Promise.all(identities.map(writeIdentity))
  const { certificate, key, notAfter } = await signing.issueEncryption(encryption)
  const lists = { ca: tls, 'signing-ca': signing, 'signing-intermediate': intermediate }
  await Promise.all([
    write('ca.pem', tls.root),
    write('signing-ca.pem', signing.root),
    write('bad/unknown-ca/ca.pem', otherTls.root),
    write('bad/unknown-ca/signing-ca.pem', otherSigning.root),
    write(`${encryption.name}.crt.pem`, certificate),
    write(`${encryption.name}.key.pem`, key, 0o600),
    write(`${inPkcs12}/p12.password`, `${password}\n`, 0o600),
    ...Object.entries(lists).map(async ([name, ca]) => {
      const { pem, der } = await ca.revocationList()
      await write(`${name}.crl.pem`, pem)
      await write(`${name}.crl.der`, der)
    }),
  ])
  const good = ends.flatMap((dates, index) => (identities[index]?.defect === undefined ? dates : []))
  const first = Math.min(
    ...[tls.notAfter, signing.notAfter, intermediate.notAfter, notAfter, ...good].map((date) => date.getTime()),
  )
  await write('made.json', `${JSON.stringify({ digest, renewAfter: new Date(first - renewBeforeMs) })}\n`)
}

async function isFresh(directory: string, digest: string): Promise<boolean> {
  const text = await readFile(join(directory, 'made.json'), 'utf8').catch(ignoreMissing)
  if (text === undefined) return false
  try {
    const made = JSON.parse(text) as { digest?: unknown; renewAfter?: unknown }
    return made.digest === digest && Date.parse(String(made.renewAfter)) > Date.now()
  } catch {
    return false
  }
}

async function sourcesDigest(): Promise<string> {
  const texts = await Promise.all(sources.map((name) => readFile(join(here, name), 'utf8')))
  return createHash('sha256').update(texts.join('\0')).digest('hex')
}

/** A directory as a lock. One left behind by a process that died is taken over after a minute. */
async function lock(path: string): Promise<() => Promise<void>> {
  const deadline = Date.now() + 2 * patienceMs
  for (;;) {
    const taken = await mkdir(path).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return false
        throw error
      },
    )
    if (taken) return () => rm(path, { recursive: true, force: true })
    const held = await stat(path).catch(ignoreMissing)
    if (held && Date.now() - held.mtimeMs > patienceMs) await rm(path, { recursive: true, force: true })
    else if (Date.now() > deadline) throw new Error(`Another process holds ${path}; remove it if none is running`)
    else await delay(50)
  }
}

async function removeLeftovers(directory: string): Promise<void> {
  const prefix = `${basename(directory)}.new-`
  const names = await readdir(dirname(directory))
  const left = names.filter((name) => name.startsWith(prefix)).map((name) => join(dirname(directory), name))
  await Promise.all(left.map((path) => rm(path, { recursive: true, force: true })))
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
  return undefined
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { directory } = await ensureCertificates(process.argv[2])
  console.log(directory)
}
