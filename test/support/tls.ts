import { KeyObject, webcrypto } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, type Server as NetServer, Socket } from 'node:net'
import { loadX509 } from '../../certs-dev/x509.ts'

/** A certificate with its key, both in PEM. */
export interface Identity {
  readonly cert: string
  readonly key: string
}

export interface IdentityOptions {
  readonly cn: string
  /** Subject alternative names; default `localhost` and `127.0.0.1`. */
  readonly names?: readonly { readonly type: 'dns' | 'ip'; readonly value: string }[]
  readonly notBefore?: Date
  readonly notAfter?: Date
}

/** A certificate authority that lives as long as a test file. */
export interface Authority {
  readonly ca: string
  issue(options: IdentityOptions): Promise<Identity>
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const loopback = [
  { type: 'dns', value: 'localhost' },
  { type: 'ip', value: '127.0.0.1' },
] as const

const keyPair = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
const inAYear = (): Date => new Date(Date.now() + 365 * 86_400_000)
const yesterday = (): Date => new Date(Date.now() - 86_400_000)

/** A self-signed authority that issues certificates for servers and clients alike. */
export async function certificateAuthority(name: string): Promise<Authority> {
  const x509 = await loadX509()
  const keys = await keyPair()
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    notBefore: yesterday(),
    notAfter: inAYear(),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return {
    ca: root.toString('pem'),
    async issue({ cn, names = loopback, notBefore = yesterday(), notAfter = inAYear() }) {
      const own = await keyPair()
      const certificate = await x509.X509CertificateGenerator.create({
        subject: `CN=${cn}`,
        issuer: root.subject,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: algorithm,
        notBefore,
        notAfter,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
          new x509.SubjectAlternativeNameExtension([...names]),
          await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
        ],
      })
      const key = KeyObject.from(own.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString()
      return { cert: certificate.toString('pem'), key }
    },
  }
}

/** A server listening on loopback. Disposal breaks whatever is still connected. */
export interface Listening extends AsyncDisposable {
  readonly port: number
  /** `https://localhost:<port>`. */
  readonly origin: string
  /** Connections accepted so far. */
  readonly accepted: number
  /** Resolves when as many connections as were accepted are closed again. */
  allClosed(): Promise<void>
}

export async function listen(server: NetServer): Promise<Listening> {
  const open = new Set<Socket>()
  let accepted = 0
  let onClose = (): void => undefined
  server.on('connection', (socket: unknown) => {
    if (!(socket instanceof Socket)) return
    accepted++
    open.add(socket)
    // What a test breaks on purpose is told by the other end.
    socket.on('error', () => undefined)
    socket.once('close', () => {
      open.delete(socket)
      onClose()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    origin: `https://localhost:${port}`,
    get accepted() {
      return accepted
    },
    allClosed() {
      return new Promise((resolve) => {
        onClose = () => {
          if (open.size === 0) resolve()
        }
        onClose()
      })
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}
