import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { newSecret, type Secret, sealWith, type Unseal, unsealWith } from '../../../src/spool/seal.ts'

const document = randomBytes(1000)

function sealed(secret: Secret | undefined): { bytes: Buffer; unsealing: () => Unseal } {
  const seal = sealWith(secret)
  const bytes = Buffer.concat([seal.seal(document.subarray(0, 300)), seal.seal(document.subarray(300))])
  const told = seal.end()
  return { bytes, unsealing: () => unsealWith(secret, told) }
}

function unsealed({ unseal, isIntact }: Unseal, bytes: Buffer, cut: number) {
  const text = Buffer.concat([unseal(bytes.subarray(0, cut)), unseal(bytes.subarray(cut))])
  return { text, isIntact: isIntact() }
}

describe.each([
  ['with a secret', newSecret()],
  ['without one', undefined],
])('a seal %s', (_name, secret) => {
  it('gives back what was sealed, however it is cut, any number of times', () => {
    const { bytes, unsealing } = sealed(secret)
    expect(bytes).toHaveLength(document.length)
    for (const cut of [0, 1, 300, 999, 1000]) {
      expect(unsealed(unsealing(), bytes, cut)).toEqual({ text: document, isIntact: true })
    }
  })

  it('tells that a bit was turned, that bytes are missing, and that bytes were put behind', () => {
    const { bytes, unsealing } = sealed(secret)
    for (const at of [0, 500, 999]) {
      const altered = Buffer.from(bytes)
      altered.writeUInt8(altered.readUInt8(at) ^ 1, at)
      expect(unsealed(unsealing(), altered, 10).isIntact).toBe(false)
    }
    expect(unsealed(unsealing(), bytes.subarray(0, 999), 10).isIntact).toBe(false)
    expect(unsealed(unsealing(), Buffer.concat([bytes, Buffer.alloc(1)]), 10).isIntact).toBe(false)
  })

  it('shares no memory with what it was given', () => {
    const seal = sealWith(secret)
    const given = Buffer.from(document)
    const bytes = seal.seal(given)
    given.fill(0)
    const { unseal, isIntact } = unsealWith(secret, seal.end())
    const given2 = Buffer.from(bytes)
    const text = unseal(given2)
    given2.fill(0)
    expect(text).toEqual(document)
    expect(isIntact()).toBe(true)
  })
})

describe('a seal with a secret', () => {
  it('makes noise of a document, other noise each time', () => {
    const [a, b] = [sealed(newSecret()), sealed(newSecret())]
    expect(a.bytes).not.toEqual(document)
    expect(a.bytes).not.toEqual(b.bytes)
    expect(unsealed(b.unsealing(), a.bytes, 0).isIntact).toBe(false)
  })
})
