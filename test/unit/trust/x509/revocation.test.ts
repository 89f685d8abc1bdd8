import { KeyObject, sign, type X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { element, identifier, integer, octets, sequence } from '../../../../certs-dev/der.ts'
import { distrust } from '../../../../src/trust/x509/chain.ts'
import { type RevocationList, readRevocationList } from '../../../../src/trust/x509/revocation.ts'
import { dayMs, flag, list, listDer, type Made, make, now, rsaKeyPair, x509 } from './issuing.ts'

const root = await make({ name: 'Radice', ca: true })
const middle = await make({ name: 'Intermedia', ca: true, by: root })
const good = await make({ by: root })
const bad = await make({ by: root })
const below = await make({ by: middle })
const rsa = await make({ name: 'RSA', ca: true, keys: await rsaKeyPair(2048) })
const current = await list(root, { revoked: [bad] })

const judge = (
  { certificate }: Made,
  lists: readonly RevocationList[],
  { at = now, graceMs = 0, supplied = [] as readonly X509Certificate[] } = {},
): string | undefined =>
  distrust(
    certificate,
    supplied,
    { anchors: [root.certificate], revocation: { lists, graceMs } },
    { use: 'signature' },
    at,
  )

describe('a certificate and the lists of its authority', () => {
  it('is refused once it is revoked', () => {
    expect(judge(good, [current])).toBeUndefined()
    expect(judge(bad, [current])).toBe('certificate-revoked')
    expect(judge(good, [current])).toBeUndefined()
  })

  it('is not looked for where no lists are configured', () => {
    const { certificate } = bad
    expect(judge(bad, [])).toBeUndefined()
    expect(distrust(certificate, [], { anchors: [root.certificate] }, { use: 'signature' }, now)).toBeUndefined()
  })

  it('needs a list of its own authority where one list is configured', async () => {
    const elsewhere = await make({ name: 'Altra radice', ca: true })
    expect(judge(good, [await list(elsewhere)])).toBe('revocation-unknown')
    expect(judge(good, [await list(elsewhere), current])).toBeUndefined()
  })

  it('is not told by a list that somebody else signed in the name of the authority', async () => {
    const impostor = await make({ name: 'Radice', ca: true })
    const forged = await list(impostor, { toDay: 2, fromDay: 0 })
    expect(judge(bad, [forged])).toBe('revocation-unknown')
    expect(judge(bad, [forged, current])).toBe('certificate-revoked')
  })

  it('is not told by a list of an authority that may not sign lists', async () => {
    const issuing = await make({ name: 'Radice', ca: true, keys: root.keys, keyUsage: flag.keyCertSign })
    const trust = { anchors: [issuing.certificate], revocation: { lists: [current], graceMs: 0 } }
    expect(distrust(good.certificate, [], trust, { use: 'signature' }, now)).toBe('revocation-unknown')
  })

  it('is told by the newest list', async () => {
    const older = await list(root, { revoked: [good], fromDay: -2 })
    expect(judge(good, [older])).toBe('certificate-revoked')
    expect(judge(good, [older, current])).toBeUndefined()
    expect(judge(good, [current, older])).toBeUndefined()
    expect(judge(bad, [older, current])).toBe('certificate-revoked')
  })

  it('is not told by a list from the future', async () => {
    const future = await list(root, { revoked: [good], fromDay: 1, toDay: 3 })
    expect(judge(good, [future])).toBe('revocation-unknown')
    expect(judge(good, [future, current])).toBeUndefined()
    expect(judge(good, [future, current], { at: now + dayMs })).toBe('certificate-revoked')
  })

  it('passes by a stale list within the grace, and not beyond; revoked is revoked throughout', () => {
    const graceMs = 5 * dayMs
    const due = now + dayMs
    expect(judge(good, [current], { at: due })).toBeUndefined()
    expect(judge(good, [current], { at: due + 1 })).toBe('revocation-list-stale')
    expect(judge(good, [current], { at: due + graceMs, graceMs })).toBeUndefined()
    expect(judge(good, [current], { at: due + graceMs + 1, graceMs })).toBe('revocation-list-stale')
    expect(judge(bad, [current], { at: due + 1, graceMs })).toBe('certificate-revoked')
    expect(judge(bad, [current], { at: due + graceMs + 1, graceMs })).toBe('certificate-revoked')
  })

  it('is judged along the whole path', async () => {
    const supplied = [middle.certificate]
    const ofMiddle = await list(middle)
    expect(judge(below, [current, ofMiddle], { supplied })).toBeUndefined()
    expect(judge(below, [current], { supplied })).toBe('revocation-unknown')
    expect(judge(below, [ofMiddle], { supplied })).toBe('revocation-unknown')
    expect(judge(below, [current, await list(middle, { revoked: [below] })], { supplied })).toBe('certificate-revoked')
    expect(judge(below, [await list(root, { revoked: [middle] }), ofMiddle], { supplied })).toBe(
      'issuing-certificate-revoked',
    )
  })

  it('passes by another path when one leads through a revoked authority', async () => {
    const again = await make({ name: 'Intermedia', ca: true, by: root, keys: middle.keys })
    const lists = [await list(root, { revoked: [middle] }), await list(middle)]
    expect(judge(below, lists, { supplied: [middle.certificate] })).toBe('issuing-certificate-revoked')
    expect(judge(below, lists, { supplied: [middle.certificate, again.certificate] })).toBeUndefined()
  })

  it('does not matter for a certificate that is an anchor itself', () => {
    const trust = { anchors: [bad.certificate], revocation: { lists: [current], graceMs: 0 } }
    expect(distrust(bad.certificate, [], trust, { use: 'signature' }, now)).toBeUndefined()
  })
})

describe('a revocation list', () => {
  const pem = (der: Buffer): string => `-----BEGIN X509 CRL-----\n${der.toString('base64')}\n-----END X509 CRL-----\n`

  it('is read from DER, and from PEM as text or bytes', async () => {
    const der = await listDer(root, { revoked: [bad] })
    for (const form of [der, pem(der), Buffer.from(pem(der))]) {
      const read = readRevocationList(form)
      expect(read.serials).toEqual(new Set([bad.certificate.serialNumber.toLowerCase()]))
      expect(read).toMatchObject({ thisUpdate: now - dayMs, nextUpdate: now + dayMs })
      expect(read.isBy(root.certificate)).toBe(true)
      expect(read.isBy(middle.certificate)).toBe(false)
    }
  })

  it('is one, and nothing else', async () => {
    const der = await listDer(root)
    for (const form of ['', 'nonsense', pem(der) + pem(der), pem(Buffer.of(0x30, 0)), der.subarray(0, -1)]) {
      expect(() => readRevocationList(form)).toThrow()
    }
    expect(() => readRevocationList(Buffer.concat([der, Buffer.of(0)]))).toThrow()
    expect(() => readRevocationList(root.certificate.raw)).toThrow()
  })

  const extension = (id: string, critical: boolean, value: Uint8Array<ArrayBuffer>) =>
    new x509.Extension(id, critical, value)

  it.each([
    ['a delta', extension('2.5.29.27', true, new Uint8Array([2, 1, 1]))],
    ['a delta that does not say so loudly', extension('2.5.29.27', false, new Uint8Array([2, 1, 1]))],
    ['indirect', extension('2.5.29.28', true, new Uint8Array([0x30, 3, 0x84, 1, 0xff]))],
    ['of something unheard of', extension('1.2.3.4', true, new Uint8Array([5, 0]))],
  ])('is refused when it is %s', async (_, more) => {
    await expect(list(root, { more: [more] })).rejects.toThrow(`extension ${more.type}`)
    expect((await list(root, { more: [extension('1.2.3.4', false, more.value as never)] })).serials.size).toBe(0)
  })

  it('is refused when it is signed over SHA-1', async () => {
    await expect(list(root, { hash: 'SHA-1' })).rejects.toThrow('algorithm')
  })

  const instant = element(0x17, Buffer.from('260531000000Z'))
  const sha256WithRsa = sequence(identifier('1.2.840.113549.1.1.11'), element(5))

  /** A list that the library does not make. */
  function made(entries: readonly Buffer[], due: Buffer = element(0x17, Buffer.from('260701000000Z'))): Buffer {
    const name = new x509.X509Certificate(rsa.certificate.raw).subjectName.toArrayBuffer()
    const signed = sequence(
      integer(1),
      sha256WithRsa,
      Buffer.from(name),
      instant,
      due,
      element(0x30, Buffer.concat(entries)),
    )
    const signature = sign('sha256', signed, KeyObject.from(rsa.keys.privateKey))
    return sequence(signed, sha256WithRsa, element(3, Buffer.of(0), signature))
  }

  it('is refused when an entry is about a certificate of another authority', () => {
    const critical = sequence(identifier('2.5.29.29'), element(1, Buffer.of(0xff)), octets(sequence()))
    const reason = sequence(identifier('2.5.29.21'), octets(element(10, Buffer.of(1))))
    expect(readRevocationList(made([sequence(integer(7), instant, sequence(reason))])).serials).toEqual(new Set(['07']))
    expect(() => readRevocationList(made([sequence(integer(7), instant, sequence(reason, critical))]))).toThrow(
      'critical',
    )
  })

  it('is refused when it does not say when the next is due', () => {
    expect(() => readRevocationList(made([], Buffer.alloc(0)))).toThrow('due')
  })

  it('may have a hundred thousand entries', async () => {
    const own = await make({ by: rsa })
    const entries = Array.from({ length: 100_000 }, (_, index) => sequence(integer(0x4000_0000 + index), instant))
    const serial = integer(Number.parseInt(own.certificate.serialNumber, 16))
    const judgeBy = (long: RevocationList): string | undefined =>
      distrust(
        own.certificate,
        [],
        { anchors: [rsa.certificate], revocation: { lists: [long], graceMs: 0 } },
        { use: 'signature' },
        now,
      )
    expect(judgeBy(readRevocationList(made(entries)))).toBeUndefined()
    const longer = readRevocationList(made([...entries, sequence(serial, instant)]))
    expect(longer.serials.size).toBe(100_001)
    expect(judgeBy(longer)).toBe('certificate-revoked')
  })
})
