import { constants, KeyObject, privateDecrypt } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { encipherer, newestValid, unfitToEncipher } from '../../../../src/trust/sistema-ts/encryption.ts'
import { dayMs, type Made, make, now, rsaKeyPair } from '../x509/issuing.ts'

let old: Made
let successor: Made

// As Sistema TS publishes them: 1024 bits, and two at once around the end of one.
beforeAll(async () => {
  old = await make({ name: 'SanitelCF', keys: await rsaKeyPair(1024), fromDay: -1000, toDay: 10 })
  successor = await make({ name: 'SanitelCF', keys: await rsaKeyPair(1024), fromDay: -5, toDay: 1000 })
})

const at = (days: number) => ({ now: () => now + days * dayMs })

/** As Sistema TS does. Node refuses PKCS#1 v1.5 here (CVE-2023-46809), so the padding is taken off by hand (RFC 8017 §7.2.2). */
function deciphered(base64: string, { keys }: Made): string {
  const key = KeyObject.from(keys.privateKey)
  const block = privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, Buffer.from(base64, 'base64'))
  expect([block[0], block[1]]).toEqual([0, 2])
  const end = block.indexOf(0, 2)
  expect(end).toBeGreaterThanOrEqual(10)
  return block.subarray(end + 1).toString('ascii')
}

describe('what is enciphered for Sistema TS', () => {
  it('is 172 characters of base64 that the holder of the certificate reads', () => {
    const { ciphertext } = encipherer(() => [old.certificate], at(0))('PROVAX80A01H501M')
    expect(ciphertext).toMatch(/^[A-Za-z0-9+/]{171}=$/)
    expect(deciphered(ciphertext, old)).toBe('PROVAX80A01H501M')
  })

  it('is never the same twice', () => {
    const encipher = encipherer(() => [old.certificate], at(0))
    expect(encipher('1234567890').ciphertext).not.toBe(encipher('1234567890').ciphertext)
  })

  it('is under the newest certificate that is valid, in whatever order they are given', () => {
    for (const certificates of [
      [old.certificate, successor.certificate],
      [successor.certificate, old.certificate],
    ]) {
      expect(deciphered(encipherer(() => certificates, at(0))('A').ciphertext, successor)).toBe('A')
      expect(newestValid(certificates, at(-10).now())).toBe(old.certificate)
      expect(newestValid(certificates, at(20).now())).toBe(successor.certificate)
    }
  })

  it('takes up a certificate that is there from one moment to the next', () => {
    const certificates = [old.certificate]
    const encipher = encipherer(() => certificates, at(0))
    encipher('A')
    certificates.push(successor.certificate)
    expect(deciphered(encipher('B').ciphertext, successor)).toBe('B')
  })

  it('is nothing when every certificate is over', () => {
    const encipher = encipherer(() => [old.certificate], at(11))
    expect(() => encipher('A')).toThrow(
      expect.objectContaining({ code: 'internal', details: { reason: 'no-valid-certificate' } }),
    )
  })

  it.each([
    ['', 'text-not-ascii'],
    ['1234 ', 'text-not-ascii'],
    ['è', 'text-not-ascii'],
    ['A'.repeat(118), 'text-too-long'],
  ])('is not %j', (text, reason) => {
    const encipher = encipherer(() => [old.certificate], at(0))
    expect(() => encipher(text)).toThrow(expect.objectContaining({ code: 'internal', details: { reason } }))
  })

  it('is under no certificate of an elliptic curve, or of a toy key', async () => {
    expect(unfitToEncipher(old.certificate)).toBeUndefined()
    expect(unfitToEncipher((await make({})).certificate)).toMatch(/RSA/)
    expect(unfitToEncipher((await make({ keys: await rsaKeyPair(512) })).certificate)).toMatch(/1024/)
  })
})
