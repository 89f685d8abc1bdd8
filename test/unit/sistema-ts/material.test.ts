import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/config/load.ts'
import { sistemaTs as settingsSchema } from '../../../src/config/sistema-ts.ts'
import { endingOf, readSistemaTs, sistemaTsFiles } from '../../../src/sistema-ts/material.ts'
import { pem } from '../../support/saml.ts'
import { type Made, make, rsaKeyPair } from '../trust/x509/issuing.ts'

const folder = mkdtempSync(join(tmpdir(), 'crocevia-ts-'))
const locate = (name: string) => join(folder, name)
const store = (name: string, content: string | Buffer) => writeFileSync(locate(name), content)
const files = { locate, bytes: (name: string) => readFileSync(locate(name)) }

let old: Made
let next: Made

beforeAll(async () => {
  old = await make({ name: 'SanitelCF', keys: await rsaKeyPair(1024), toDay: 10 })
  next = await make({ name: 'SanitelCF', keys: await rsaKeyPair(1024), fromDay: -1, toDay: 1000 })
  store('old.pem', old.certificate.toString())
  store('next.der', next.certificate.raw)
  store('curve.pem', (await make({})).certificate.toString())
  store('pin', '1234567890\n')
  store('user', 'UTENTE')
  store('password', 'segreta\r\n')
  store('session', '24eed8fe-c3f7-414d-bff8-042ecc3fa646\n')
  store('signing.crt.pem', pem('gateway/signing.crt.pem'))
  store('signing.key.pem', pem('gateway/signing.key.pem'))
  store('empty', '\n')
  store('lines', 'a\nb\n')
  store('colon', 'a:b')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const user = {
  as: 'user',
  certificates: ['old.pem', 'next.der'],
  pinCode: 'pin',
  basic: { user: 'user', password: 'password' },
  session: { file: 'session' },
}
const region = {
  as: 'region',
  certificates: ['old.pem'],
  pinCode: 'pin',
  mode: 'CNS',
  locality: '090201',
  signing: { certificate: 'signing.crt.pem', key: 'signing.key.pem' },
}
const read = (settings: object) => readSistemaTs(settingsSchema.parse(settings), files)

describe('what Sistema TS is spoken to with', () => {
  it('is read from files, without the line ends after it, certificates as PEM and as DER', async () => {
    const material = await read(user)
    expect(material).toMatchObject({
      pinCode: '1234567890',
      basic: { user: 'UTENTE', password: 'segreta' },
      session: '24eed8fe-c3f7-414d-bff8-042ecc3fa646',
    })
    const fingerprints = [old, next].map(({ certificate }) => certificate.fingerprint256)
    expect(material.certificates.map(({ fingerprint256 }) => fingerprint256)).toEqual(fingerprints)
  })

  it('has a signing key of its own where one was issued', async () => {
    expect((await read(region)).signer?.certificate.subject).toContain('CN=')
    const { signing: _, ...without } = region
    expect(await read(without)).not.toHaveProperty('signer')
  })

  it('is read anew when any of its files changes', () => {
    const named = (settings: object) =>
      sistemaTsFiles(settingsSchema.parse(settings), locate).map((one) => one.slice(folder.length + 1))
    expect(named(user)).toEqual(['old.pem', 'next.der', 'pin', 'user', 'password', 'session'])
    expect(named(region)).toEqual(['old.pem', 'pin', 'signing.crt.pem', 'signing.key.pem'])
  })

  it('has its end told of: of the certificates that of the last one', async () => {
    const named = endingOf('ts', await read(user))
    expect(named.map(({ name, certificate }) => [name, certificate.fingerprint256])).toEqual([
      ['ts/encryption', next.certificate.fingerprint256],
    ])
    expect(endingOf('ts', await read(region)).map(({ name }) => name)).toEqual(['ts/encryption', 'ts/signing'])
  })

  it.each([
    ['a pincode that is empty', { pinCode: 'empty' }, 'empty'],
    ['a pincode of two lines', { pinCode: 'lines' }, 'lines'],
    ['a file that is not there', { pinCode: 'absent' }, 'absent'],
    ['a name with a colon', { basic: { user: 'colon', password: 'password' } }, 'colon'],
    ['a certificate that is none', { certificates: ['pin'] }, 'pin'],
    ['a certificate nobody can encipher under', { certificates: ['curve.pem'] }, 'curve.pem'],
  ])('is refused with the file at fault: %s', async (_what, more, path) => {
    const failed = await read({ ...user, ...more }).catch((error: unknown) => error)
    if (!(failed instanceof ConfigError)) throw new Error('It was read')
    expect(failed.faults[0]?.path.endsWith(path)).toBe(true)
    expect(failed.message).not.toMatch(/1234567890|segreta/)
  })
})
