import { KeyObject } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { dayMs, extended, flag, listDer, type Made, make, now, rsaKeyPair, x509 } from '../unit/trust/x509/issuing.ts'

/**
 * Authorities of a test's own, in a folder laid out as the development identities are: whatever is issued or listed by
 * them can be made anew while the test runs. Disposal removes the folder.
 */
export interface OwnPki extends AsyncDisposable {
  readonly folder: string
  readonly tlsRoot: Made
  readonly signingRoot: Made
  /** Issues without writing anything; by default by the root, over an elliptic curve. */
  issue(
    use: 'tls' | 'signing',
    commonName: string,
    how?: { readonly by?: Made; readonly rsa?: boolean; readonly years?: number },
  ): Promise<Made>
  /** An authority between a root and an end entity. */
  authority(name: string, by: Made): Promise<Made>
  /** A revocation list as a file; times are milliseconds since the epoch. */
  list(
    path: string,
    by: Made,
    list: { readonly revoked?: readonly Made[]; readonly nextUpdate: number },
  ): Promise<string>
  /** A pair as `<party>/<use>.crt.pem` and `<use>.key.pem`, certificates of authorities after the own. */
  write(party: string, use: 'tls' | 'signing', pair: Made, authorities?: readonly Made[]): void
  path(name: string): string
}

/** Certificates outlast the test by decades. */
const toDay = 9_000
const daysOfYears = (years: number) => (Date.now() - now) / dayMs + 365 * years
const loopback = [
  { type: 'dns' as const, value: 'localhost' },
  { type: 'ip' as const, value: '127.0.0.1' },
]
/** Of signing certificates (ini.md §5.4). */
const signingPolicy = '1.3.76.29.1.11'

export async function ownPki(): Promise<OwnPki> {
  const folder = await mkdtemp(join(tmpdir(), 'crocevia-pki-'))
  const path = (name: string) => join(folder, name)
  const store = (name: string, content: string | Buffer) => {
    mkdirSync(dirname(path(name)), { recursive: true })
    writeFileSync(path(name), content)
  }
  const [tlsRoot, signingRoot] = await Promise.all(
    ['TLS', 'signing'].map((name) => make({ name: `Own ${name} root`, ca: true, toDay })),
  )
  if (tlsRoot === undefined || signingRoot === undefined) throw new Error('There are no roots')
  store('ca.pem', tlsRoot.certificate.toString())
  store('signing-ca.pem', signingRoot.certificate.toString())
  return {
    folder,
    tlsRoot,
    signingRoot,
    path,
    async issue(use, name, { by = use === 'tls' ? tlsRoot : signingRoot, rsa = false, years = 20 } = {}) {
      const common = { name, by, toDay: daysOfYears(years), ...(rsa && { keys: await rsaKeyPair(2048) }) }
      if (use === 'signing') return await make({ ...common, policies: [signingPolicy] })
      return await make({
        ...common,
        keyUsage: flag.digitalSignature,
        extendedKeyUsage: [extended.serverAuth, extended.clientAuth],
        more: [new x509.SubjectAlternativeNameExtension(loopback)],
      })
    },
    authority: (name, by) => make({ name, by, ca: { pathLength: 0 }, toDay }),
    async list(name, by, { revoked = [], nextUpdate }) {
      store(name, await listDer(by, { revoked, fromDay: -1, toDay: (nextUpdate - now) / dayMs }))
      return path(name)
    },
    write(party, use, { certificate, keys }, authorities = []) {
      store(`${party}/${use}.crt.pem`, [certificate, ...authorities.map((one) => one.certificate)].join(''))
      store(
        `${party}/${use}.key.pem`,
        KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString(),
      )
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/** A pair in PEM, for whoever holds it in memory. */
export function pemOf({ certificate, keys }: Made): { readonly certificate: string; readonly key: string } {
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString()
  return { certificate: certificate.toString(), key }
}
