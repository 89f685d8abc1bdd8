import { execFile } from 'node:child_process'
import { createPrivateKey, sign, verify, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createSecureContext, createServer } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { commonName, organizationOf, partyNames } from '../../../certs-dev/identities.ts'
import { ensureCertificates } from '../../../certs-dev/make.ts'
import { readRevocationList } from '../../../src/trust/x509/revocation.ts'

const run = promisify(execFile)
const { directory } = await ensureCertificates()

const read = (path: string): string => readFileSync(join(directory, path), 'utf8')
const certificate = (path: string): X509Certificate => new X509Certificate(read(`${path}.crt.pem`))
const root = { tls: new X509Certificate(read('ca.pem')), signing: new X509Certificate(read('signing-ca.pem')) }
const commonNameOf = (path: string): string | undefined => /^CN=(.*)$/m.exec(certificate(path).subject)?.[1]

/** Of X.509 keyUsage, what node:crypto does not tell: the bits as DER carries them. */
function keyUsageBits(path: string): number {
  const der = certificate(path).raw
  const at = der.indexOf(Buffer.from('0603551d0f', 'hex'))
  const string = der.indexOf(Buffer.from('0302', 'hex'), at)
  return der[string + 3] ?? 0
}
const usage = { digitalSignature: 0x80, nonRepudiation: 0x40, keyEncipherment: 0x20, dataEncipherment: 0x10 }
const carriesPolicy = (path: string, hexadecimal: string): boolean =>
  certificate(path).raw.includes(Buffer.from(hexadecimal, 'hex'))
// 1.3.76.29.1.10 and 1.3.76.29.1.11
const policy = { tls: '06052b4c1d010a', signing: '06052b4c1d010b' }

describe('the identities of the parties', () => {
  it.each(partyNames)('%s has a channel and a signing certificate, each from its own root', (party) => {
    for (const use of ['tls', 'signing'] as const) {
      const own = certificate(`${party}/${use}`)
      expect(own.checkIssued(root[use])).toBe(true)
      expect(own.verify(root[use].publicKey)).toBe(true)
      expect(own.verify(root[use === 'tls' ? 'signing' : 'tls'].publicKey)).toBe(false)
      expect(own.checkPrivateKey(createPrivateKey(read(`${party}/${use}.key.pem`)))).toBe(true)
      expect(own.publicKey.asymmetricKeyDetails?.modulusLength).toBe(2048)
      expect(own.ca).toBe(false)
      expect(commonNameOf(`${party}/${use}`)).toBe(commonName(organizationOf(party), use))
      expect(own.validFromDate.getTime()).toBeLessThan(Date.now())
      expect(own.validToDate.getTime()).toBeGreaterThan(Date.now() + 7 * 86_400_000)
    }
  })

  it('carry the names of the real ones in shape', () => {
    expect(commonNameOf('tuscany/tls')).toBe('A1#090#090REGIONETOSCANA-DEV')
    expect(commonNameOf('tuscany/signing')).toBe('S1#090#090REGIONETOSCANA-DEV')
    expect(commonNameOf('gateway/tls')).toBe('A1#090#090CROCEVIA-DEV')
    expect(commonNameOf('ini/tls')).toBe('A1#000#000INI-DEV')
    expect(commonNameOf('region-050/signing')).toBe('S1#050#050REGIONEVENETO-DEV')
  })

  it('are for what the national gateway asks of them: channel or non repudiation, with their policies', () => {
    for (const party of partyNames) {
      const channel = certificate(`${party}/tls`)
      expect(channel.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
      expect(keyUsageBits(`${party}/tls`)).toBe(usage.digitalSignature | usage.keyEncipherment)
      expect(carriesPolicy(`${party}/tls`, policy.tls)).toBe(true)
      expect(channel.checkHost('localhost')).toBe('localhost')
      expect(channel.checkIP('127.0.0.1')).toBe('127.0.0.1')
      expect(channel.checkIP('::1')).toBe('::1')
      expect(keyUsageBits(`${party}/signing`)).toBe(usage.digitalSignature | usage.nonRepudiation)
      expect(carriesPolicy(`${party}/signing`, policy.signing)).toBe(true)
      expect(certificate(`${party}/signing`).subjectAltName).toBeUndefined()
    }
  })

  it('sign with RSA, and in Veneto also over P-256', () => {
    const data = Buffer.from('what was claimed')
    for (const pair of ['gateway/signing', 'region-050/signing', 'region-050/signing-ec']) {
      const signature = sign('sha256', data, read(`${pair}.key.pem`))
      expect(verify('sha256', data, certificate(pair).publicKey, signature)).toBe(true)
    }
    const curve = certificate('region-050/signing-ec')
    expect(curve.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
    expect(curve.verify(root.signing.publicKey)).toBe(true)
  })

  it('sign over P-384 in Veneto, and in Lazio also below an authority of its own', () => {
    const data = Buffer.from('what was claimed')
    for (const pair of ['region-050/signing-p384', 'region-120/signing-chain']) {
      const signature = sign('sha256', data, read(`${pair}.key.pem`))
      expect(verify('sha256', data, certificate(pair).publicKey, signature)).toBe(true)
    }
    expect(certificate('region-050/signing-p384').publicKey.asymmetricKeyDetails?.namedCurve).toBe('secp384r1')
    const intermediate = new X509Certificate(read('region-120/chain.pem'))
    const chained = certificate('region-120/signing-chain')
    expect(chained.checkIssued(intermediate) && chained.verify(intermediate.publicKey)).toBe(true)
    expect(chained.verify(root.signing.publicKey)).toBe(false)
    expect(intermediate.checkIssued(root.signing) && intermediate.verify(root.signing.publicKey)).toBe(true)
    expect(intermediate.ca).toBe(true)
    expect(commonNameOf('region-120/signing-chain')).toBe(commonNameOf('region-120/signing'))
  })

  it('of the gateway are also in PKCS#12, under their password', () => {
    const passphrase = read('gateway/p12.password').trim()
    for (const use of ['tls', 'signing']) {
      const pfx = readFileSync(join(directory, `gateway/${use}.p12`))
      expect(() => createSecureContext({ pfx, passphrase })).not.toThrow()
      expect(() => createSecureContext({ pfx, passphrase: 'another' })).toThrow('mac verify failure')
    }
  })

  it('include a key to encrypt with for Sistema TS', () => {
    expect(commonNameOf('sistema-ts/SanitelCF')).toBe('SanitelCF')
    const own = certificate('sistema-ts/SanitelCF')
    expect(own.publicKey.asymmetricKeyDetails?.modulusLength).toBe(2048)
    expect(keyUsageBits('sistema-ts/SanitelCF')).toBe(usage.keyEncipherment | usage.dataEncipherment)
    expect(own.checkPrivateKey(createPrivateKey(read('sistema-ts/SanitelCF.key.pem')))).toBe(true)
  })

  it('keep their keys in PKCS#8', () => {
    for (const party of partyNames) {
      expect(read(`${party}/tls.key.pem`)).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
      expect(read(`${party}/signing.key.pem`)).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
    }
  })
})

describe('the bad identities', () => {
  it('are each bad in one way', () => {
    expect(certificate('bad/expired/signing').validToDate.getTime()).toBeLessThan(Date.now())
    expect(certificate('bad/not-yet-valid/signing').validFromDate.getTime()).toBeGreaterThan(Date.now())
    expect(certificate('bad/weak/signing').publicKey.asymmetricKeyDetails?.modulusLength).toBe(1024)
    expect(commonNameOf('bad/right-ca-wrong-home/signing')).toBe('S1#120#120ALTRAREGIONE-DEV')
    expect(keyUsageBits('bad/wrong-eku/signing') & usage.nonRepudiation).toBe(0)
    expect(keyUsageBits('bad/wrong-key-usage/signing')).toBe(usage.keyEncipherment)
    expect(carriesPolicy('bad/wrong-policy/signing', policy.tls)).toBe(true)
    expect(carriesPolicy('bad/wrong-policy/signing', policy.signing)).toBe(false)
    const defects = ['expired', 'not-yet-valid', 'weak', 'right-ca-wrong-home', 'wrong-eku', 'wrong-policy', 'revoked']
    for (const defect of defects) {
      for (const use of ['tls', 'signing'] as const) {
        expect(certificate(`bad/${defect}/${use}`).verify(root[use].publicKey)).toBe(true)
      }
    }
  })

  it('from an unknown authority look right until the signature is verified', () => {
    for (const use of ['tls', 'signing'] as const) {
      const own = certificate(`bad/unknown-ca/${use}`)
      expect(own.issuer).toBe(root[use].subject)
      expect(own.verify(root[use].publicKey)).toBe(false)
      const other = new X509Certificate(read(use === 'tls' ? 'bad/unknown-ca/ca.pem' : 'bad/unknown-ca/signing-ca.pem'))
      expect(own.verify(other.publicKey)).toBe(true)
    }
  })

  it.each([
    ['ca', 'tls'],
    ['signing-ca', 'signing'],
  ] as const)('that are revoked stand in the list of their authority: %s, %s', (ca, use) => {
    const list = readRevocationList(read(`${ca}.crl.pem`))
    expect(list.isBy(root[use])).toBe(true)
    expect([...list.serials]).toEqual([certificate(`bad/revoked/${use}`).serialNumber.toLowerCase()])
    expect(list.nextUpdate).toBe(root[use].validToDate.getTime())
    expect(readRevocationList(readFileSync(join(directory, `${ca}.crl.der`))).serials).toEqual(list.serials)
  })

  it('that are self-signed are vouched for by themselves', () => {
    const own = certificate('bad/self-signed/signing')
    expect(own.issuer).toBe(own.subject)
    expect(own.verify(own.publicKey)).toBe(true)
  })
})

describe('a TLS handshake between parties', () => {
  const pair = (path: string) => ({ cert: read(`${path}/tls.crt.pem`), key: read(`${path}/tls.key.pem`) })

  /** Resolves with the client's name as the server saw it, rejects when either side refuses. */
  async function handshake(client: string | undefined, server: string): Promise<string> {
    const listener = createServer({ ...pair(server), ca: read('ca.pem'), requestCert: true, rejectUnauthorized: true })
    const seen = new Promise<string>((resolve, reject) => {
      listener.on('secureConnection', (socket) => {
        socket.on('error', () => undefined)
        resolve(String(socket.getPeerCertificate().subject.CN))
        socket.end()
      })
      listener.on('tlsClientError', reject)
    })
    seen.catch(() => undefined)
    listener.listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const { port } = listener.address() as AddressInfo
    const own = client === undefined ? {} : pair(client)
    try {
      const socket = connect({ port, host: 'localhost', ca: read('ca.pem'), ...own })
      socket.on('error', () => undefined)
      await once(socket, 'secureConnect')
      socket.resume()
      return await seen
    } finally {
      listener.close()
    }
  }

  it('succeeds, and each side knows the other by name', async () => {
    expect(await handshake('gateway', 'ini')).toBe('A1#090#090CROCEVIA-DEV')
    expect(await handshake('region-150', 'gateway')).toBe('A1#150#150REGIONECAMPANIA-DEV')
  })

  it('succeeds with right authorities even for the wrong region and a stranger: the name is for us to judge', async () => {
    expect(await handshake('bad/right-ca-wrong-home', 'gateway')).toBe('A1#120#120ALTRAREGIONE-DEV')
    expect(await handshake('stranger', 'gateway')).toBe('A1#040#040STRANIERO-DEV')
  })

  it('is refused to a client without a certificate', async () => {
    await expect(handshake(undefined, 'gateway')).rejects.toThrow()
  })

  it.each(['expired', 'not-yet-valid', 'unknown-ca', 'self-signed', 'wrong-eku', 'weak'])(
    'is refused when the client is %s, and when the server is',
    async (defect) => {
      await expect(handshake(`bad/${defect}`, 'gateway')).rejects.toThrow()
      await expect(handshake('gateway', `bad/${defect}`)).rejects.toThrow()
    },
  )
})

describe('making them', () => {
  const places: string[] = []
  const place = async (): Promise<string> => {
    const parent = await mkdtemp(join(tmpdir(), 'crocevia-identities-'))
    places.push(parent)
    return join(parent, 'out')
  }
  afterAll(() => Promise.all(places.map((path) => rm(path, { recursive: true, force: true }))))

  it('gives all processes that ask at once the same ones, and nothing is left beside them', async () => {
    const out = await place()
    const told = await Promise.all(
      [1, 2, 3].map(() => run(process.execPath, [join(import.meta.dirname, '../../../certs-dev/make.ts'), out])),
    )
    expect(told.map(({ stdout }) => stdout.trim())).toEqual([out, out, out])
    const own = new X509Certificate(await readFile(join(out, 'gateway/tls.crt.pem')))
    const ca = new X509Certificate(await readFile(join(out, 'ca.pem')))
    expect(own.verify(ca.publicKey)).toBe(true)
    expect(readdirSync(join(out, '..'))).toEqual(['out'])
  })

  it('happens again when the table changed or the end is near, and otherwise not', async () => {
    const out = await place()
    const fingerprint = async (): Promise<string> =>
      new X509Certificate(await readFile(join(out, 'ca.pem'))).fingerprint256
    await ensureCertificates(out)
    const first = await fingerprint()
    await ensureCertificates(out)
    expect(await fingerprint()).toBe(first)
    const made = JSON.parse(await readFile(join(out, 'made.json'), 'utf8')) as { digest: string; renewAfter: string }
    expect(Date.parse(made.renewAfter)).toBeGreaterThan(Date.now() + 300 * 86_400_000)
    await writeFile(join(out, 'made.json'), JSON.stringify({ ...made, digest: 'of another table' }))
    await ensureCertificates(out)
    const second = await fingerprint()
    expect(second).not.toBe(first)
    await writeFile(join(out, 'made.json'), JSON.stringify({ ...made, renewAfter: new Date(Date.now() - 1) }))
    await ensureCertificates(out)
    expect(await fingerprint()).not.toBe(second)
    expect(existsSync(`${out}.lock`)).toBe(false)
  })
})
