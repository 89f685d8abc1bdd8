import { execFileSync } from 'node:child_process'
import type { KeyObject } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { KeyError } from '../../../src/keys/key-error.ts'
import { filesOf, type KeySource, readKeyPair } from '../../../src/keys/key-files.ts'
import { commonNameOf } from '../../../src/trust/x509/certificate.ts'
import { folder, type Hierarchy, hierarchy, noOpenssl, openssl, type Pair } from './fixtures.ts'

let authority: Hierarchy
let rsa: Pair
let ec: Pair

beforeAll(async () => {
  authority = await hierarchy()
  rsa = await authority.issue('rsa-2048')
  ec = await authority.issue('P-256')
})

async function failure(source: KeySource): Promise<KeyError> {
  const error = await readKeyPair(source).then(
    () => expect.fail('the key was read'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof KeyError)) throw error
  return error
}

const encryption = { cipher: 'aes-256-cbc', passphrase: 'perché no?' }

describe('a key and its certificate in PEM', () => {
  it.each<[string, () => [Pair, string | Buffer]]>([
    ['PKCS#8', () => [rsa, rsa.pem]],
    ['PKCS#1', () => [rsa, rsa.key.export({ type: 'pkcs1', format: 'pem' })]],
    ['SEC1', () => [ec, ec.key.export({ type: 'sec1', format: 'pem' })]],
    ['PKCS#8 of an elliptic curve', () => [ec, ec.pem]],
    ['encrypted PKCS#8', () => [rsa, rsa.key.export({ type: 'pkcs8', format: 'pem', ...encryption })]],
    [
      'PKCS#1 encrypted as OpenSSL used to',
      () => [rsa, rsa.key.export({ type: 'pkcs1', format: 'pem', ...encryption })],
    ],
  ])('are read from %s', async (_form, make) => {
    const [pair, pem] = make()
    const { write } = folder()
    const read = await readKeyPair({
      certificate: write('tls.crt', pair.certificate),
      key: write('tls.key', pem.toString()),
      passphrase: write('passphrase', 'perché no?\n'),
    })
    expect(read.key.equals(pair.key)).toBe(true)
    expect(read.certificate.toString().trim()).toBe(pair.certificate.trim())
    expect(read.intermediates).toEqual([])
  })

  it.each(['P-384', 'P-521'] as const)('may be of the curve %s', async (kind) => {
    const pair = await authority.issue(kind)
    const { write } = folder()
    const read = await readKeyPair({ certificate: write('c', pair.certificate), key: write('k', pair.pem) })
    expect(read.key.equals(pair.key)).toBe(true)
  })

  it('come with the intermediates nearest first, and without the root', async () => {
    const { write } = folder()
    const chain = [rsa.certificate, authority.root, authority.intermediate].join('\n')
    const read = await readKeyPair({ certificate: write('c', chain), key: write('k', rsa.pem) })
    expect(read.intermediates.map(commonNameOf)).toEqual(['Keys intermediate'])
  })

  it('may share one file with text around them', async () => {
    const { write } = folder()
    const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n'
    const sec1 = ec.key.export({ type: 'sec1', format: 'pem' })
    const path = write('all.pem', `Bag Attributes\r\n${parameters}${sec1}\nsubject=CN\n${ec.certificate}`)
    expect((await readKeyPair({ certificate: path, key: path })).key.equals(ec.key)).toBe(true)
  })

  it('are what the development identities have, unless they are too weak', async () => {
    const identity = (name: string) => {
      const file = (what: string) =>
        fileURLToPath(new URL(`../../../certs-dev/out/${name}.${what}.pem`, import.meta.url))
      return { certificate: file('crt'), key: file('key') }
    }
    const read = await readKeyPair(identity('gateway/signing'))
    expect(commonNameOf(read.certificate)).toMatch(/^S1#090#/)
    expect(await failure(identity('bad/weak/signing'))).toMatchObject({ reason: 'key-too-short' })
  })
})

describe('key files that cannot be used', () => {
  const cut = (text: string) => text.slice(0, text.length / 2)

  it.each<[KeyError['reason'], 'c' | 'k', () => { c: string; k: string }]>([
    ['certificate-missing', 'c', () => ({ c: 'nothing', k: rsa.pem })],
    ['certificate-missing', 'c', () => ({ c: '', k: rsa.pem })],
    ['certificate-malformed', 'c', () => ({ c: cut(rsa.certificate), k: rsa.pem })],
    ['certificate-malformed', 'c', () => ({ c: rsa.certificate + cut(authority.intermediate), k: rsa.pem })],
    ['certificate-malformed', 'c', () => ({ c: rsa.certificate.replace(/\n\w{40}/, '\n'), k: rsa.pem })],
    ['certificates-not-a-chain', 'c', () => ({ c: rsa.certificate + ec.certificate, k: rsa.pem })],
    ['key-missing', 'k', () => ({ c: rsa.certificate, k: rsa.certificate })],
    ['key-malformed', 'k', () => ({ c: rsa.certificate, k: cut(rsa.pem) })],
    ['key-malformed', 'k', () => ({ c: rsa.certificate, k: rsa.pem.replace(/\n\w{40}/, '\n') })],
    ['key-ambiguous', 'k', () => ({ c: rsa.certificate, k: rsa.pem + ec.pem })],
    ['key-of-another-certificate', 'k', () => ({ c: rsa.certificate, k: ec.pem })],
    ['key-of-another-certificate', 'k', () => ({ c: authority.intermediate + rsa.certificate, k: rsa.pem })],
    ['passphrase-missing', 'k', () => ({ c: rsa.certificate, k: encrypted(rsa.key) })],
  ])('say %s and which file', async (reason, at, make) => {
    const { c, k } = make()
    const files = folder()
    const error = await failure({ certificate: files.write('c', c), key: files.write('k', k) })
    expect(error).toMatchObject({ reason, path: files.at(at) })
  })

  it.each([
    ['rsa-1024', 'key-too-short'],
    ['ed25519', 'key-of-unsupported-kind'],
  ] as const)('are those of a key of %s', async (kind, reason) => {
    const pair = await authority.issue(kind)
    const { write } = folder()
    const error = await failure({ certificate: write('c', pair.certificate), key: write('k', pair.pem) })
    expect(error).toMatchObject({ reason })
  })

  it('tell nothing of the key, the passphrase or what the library said', async () => {
    const { write, at } = folder()
    const error = await failure({
      certificate: write('c', rsa.certificate),
      key: write('k', encrypted(rsa.key)),
      passphrase: write('p', 'segretissimo'),
    })
    expect(error.message).toBe(`The file ${at('k')} cannot be used: passphrase-wrong`)
    expect(error.cause).toBeUndefined()
    expect(JSON.stringify(error)).not.toContain('segretissimo')
  })

  it('are absent, no files, or far too large', async () => {
    const files = folder()
    const certificate = files.write('c', rsa.certificate)
    mkdirSync(files.at('folder'))
    const large = files.write('large', ' '.repeat(1_048_577))
    expect(await failure({ certificate, key: files.at('away') })).toMatchObject({
      reason: 'file-missing',
      path: files.at('away'),
    })
    expect(await failure({ certificate, key: files.at('c/k') })).toMatchObject({ reason: 'file-missing' })
    expect(await failure({ certificate, key: files.at('folder') })).toMatchObject({ reason: 'file-unreadable' })
    expect(await failure({ certificate, key: large })).toMatchObject({ reason: 'file-too-large', path: large })
    const away = { certificate, key: files.write('k', rsa.pem), passphrase: files.at('p') }
    expect(await failure(away)).toMatchObject({ reason: 'file-missing', path: files.at('p') })
  })

  it('are not waited for when one of them is a pipe', async (ctx) => {
    if (process.platform === 'win32') ctx.skip('there are no named pipes')
    const files = folder()
    execFileSync('mkfifo', [files.at('k')])
    const error = await failure({ certificate: files.write('c', rsa.certificate), key: files.at('k') })
    expect(error.reason).toBe('file-unreadable')
  })
})

function encrypted(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem', ...encryption }).toString()
}

describe('a PKCS#12 file made by openssl', () => {
  const modern: string[] = []
  // OpenSSL finds its old algorithms in a provider of its own.
  const legacy = ['-legacy']
  const des = ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']
  const mixed = ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'AES-128-CBC', '-macalg', 'sha512']
  const open = ['-certpbe', 'NONE']
  const unprotected = ['-nomac']

  it.for<[string, 'rsa' | 'ec', string, string[]]>([
    ['AES-256 and SHA-256', 'rsa', 'segreto', modern],
    ['AES-256 and SHA-256', 'ec', 'segreto', modern],
    ['RC2, 3DES and SHA-1', 'rsa', 'segreto', legacy],
    ['RC2, 3DES and SHA-1', 'ec', 'segreto', legacy],
    ['3DES and SHA-1', 'rsa', 'segreto', des],
    ['several algorithms', 'ec', 'segreto', mixed],
    ['certificates in the clear', 'rsa', 'segreto', open],
    ['no MAC', 'rsa', 'segreto', unprotected],
    ['AES-256 and an empty passphrase', 'rsa', '', modern],
    ['RC2 and an empty passphrase', 'ec', '', legacy],
    ['AES-256 and a passphrase beyond ASCII', 'rsa', 'perché €', modern],
    ['AES-256 and a passphrase of Latin letters', 'ec', 'perché', modern],
    ['RC2 and a passphrase beyond ASCII', 'rsa', 'perché €', legacy],
  ])('is read with %s (%s)', async ([, kind, passphrase, options], ctx) => {
    const pair = kind === 'rsa' ? rsa : ec
    const files = folder()
    const made = await openssl(
      ...['pkcs12', '-export', ...options, '-name', 'chiave'],
      ...['-in', files.write('c', pair.certificate), '-inkey', files.write('k', pair.pem)],
      ...['-certfile', files.write('chain', authority.root + authority.intermediate)],
      ...['-passout', `pass:${passphrase}`, '-out', files.at('all.p12')],
    )
    if (!made) ctx.skip(noOpenssl)
    const read = await readKeyPair({
      pkcs12: files.at('all.p12'),
      ...(passphrase === '' ? {} : { passphrase: files.write('p', `${passphrase}\n`) }),
    })
    expect(read.key.equals(pair.key)).toBe(true)
    expect(read.certificate.toString().trim()).toBe(pair.certificate.trim())
    expect(read.intermediates.map((one) => one.toString().trim())).toEqual([authority.intermediate.trim()])
  })
})

describe('the files of a source', () => {
  it('are all that is read, each once', () => {
    expect(filesOf({ certificate: 'a.pem', key: 'a.pem' })).toEqual(['a.pem'])
    expect(filesOf({ certificate: 'c', key: 'k', passphrase: 'p' })).toEqual(['c', 'k', 'p'])
    expect(filesOf({ pkcs12: 'a.p12', passphrase: 'p' })).toEqual(['a.p12', 'p'])
  })
})
