import type { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type CertificateDemands, distrust, type TrustAnchors } from '../../../../src/trust/x509/chain.ts'
import { dayMs, extended, flag, type Made, make, now, rsaKeyPair, type Wanted, x509 } from './issuing.ts'

const root = await make({ name: 'Radice', ca: true })
const middle = await make({ name: 'Intermedia', ca: { pathLength: 0 }, by: root })
const direct = await make({ by: root })
const below = await make({ by: middle })
const trust: TrustAnchors = { anchors: [root.certificate] }
const signature: CertificateDemands = { use: 'signature' }

const judge = (
  { certificate }: Made,
  supplied: readonly Made[] = [],
  demands: CertificateDemands = signature,
  anchors: TrustAnchors = trust,
  at = now,
): string | undefined =>
  distrust(
    certificate,
    supplied.map((one) => one.certificate),
    anchors,
    demands,
    at,
  )

describe('a certificate that is accepted', () => {
  it('is issued by an anchor', () => {
    expect(judge(direct)).toBeUndefined()
  })

  it('is issued by an authority that came along, or that the configuration has', () => {
    expect(judge(below)).toBe('certificate-not-issued-by-an-anchor-of-the-issuer')
    expect(judge(below, [middle])).toBeUndefined()
    expect(judge(below, [direct, root, below, middle])).toBeUndefined()
    expect(judge(below, [], signature, { ...trust, intermediates: [middle.certificate] })).toBeUndefined()
  })

  it('ends its path at an authority of the configuration, root or not', () => {
    expect(judge(below, [], signature, { anchors: [middle.certificate] })).toBeUndefined()
  })

  it('has four authorities between it and the anchor, not five', async () => {
    const chain: Made[] = [root]
    for (const name of ['uno', 'due', 'tre', 'quattro', 'cinque']) {
      chain.push(await make({ name, ca: true, by: chain.at(-1) ?? root }))
    }
    const four = await make({ by: chain[4] ?? root })
    const five = await make({ by: chain[5] ?? root })
    expect(judge(four, chain.slice(1))).toBeUndefined()
    expect(judge(five, chain.slice(1))).toBe('chain-too-long')
  })

  it('is one of the eight that are looked at, when it is an authority that came along', async () => {
    const others = Array.from({ length: 7 }, () => direct)
    expect(judge(below, [...others, middle])).toBeUndefined()
    expect(judge(below, [...others, direct, middle])).toBe('certificate-not-issued-by-an-anchor-of-the-issuer')
  })

  it('has a key of RSA, signed by RSA', async () => {
    const authority = await make({ name: 'RSA', ca: true, keys: await rsaKeyPair(2048) })
    const own = await make({ by: authority, keys: await rsaKeyPair(2048) })
    expect(judge(own, [], signature, { anchors: [authority.certificate] })).toBeUndefined()
  })
})

describe('a certificate in time', () => {
  it('is valid from its first second to its last', async () => {
    expect(judge(direct, [], signature, trust, now - 100 * dayMs)).toBeUndefined()
    expect(judge(direct, [], signature, trust, now + 100 * dayMs)).toBeUndefined()
    expect(judge(direct, [], signature, trust, now - 100 * dayMs - 1)).toBe('certificate-not-yet-valid')
    expect(judge(direct, [], signature, trust, now + 100 * dayMs + 1)).toBe('certificate-expired')
  })

  it.each([
    [{ toDay: -1 }, 'issuing-certificate-expired'],
    [{ fromDay: 1 }, 'issuing-certificate-not-yet-valid'],
  ])('needs authorities that are valid: %j', async (validity, reason) => {
    const anchor = await make({ name: 'Radice', ca: true, ...validity })
    const own = await make({ by: anchor })
    expect(judge(own, [], signature, { anchors: [anchor.certificate] })).toBe(reason)
    const intermediate = await make({ name: 'Intermedia', ca: true, by: root, ...validity })
    expect(judge(await make({ by: intermediate }), [intermediate])).toBe(reason)
  })

  it('is accepted by the valid one of two authorities with one key', async () => {
    const expired = await make({ name: 'Intermedia', ca: true, by: root, keys: middle.keys, toDay: -1 })
    expect(judge(below, [expired])).toBe('issuing-certificate-expired')
    expect(judge(below, [expired, middle])).toBeUndefined()
    const old = await make({ name: 'Radice', ca: true, keys: root.keys, toDay: -1 })
    expect(judge(direct, [], signature, { anchors: [old.certificate] })).toBe('issuing-certificate-expired')
    expect(judge(direct, [], signature, { anchors: [old.certificate, root.certificate] })).toBeUndefined()
  })
})

describe('an authority', () => {
  it.each<[string, Wanted, string]>([
    ['is no authority', { keyUsage: flag.digitalSignature }, 'issuing-certificate-of-no-authority'],
    ['may not issue', { ca: true, keyUsage: flag.cRLSign }, 'issuing-certificate-may-not-issue'],
    [
      'has a critical extension that is not understood',
      { ca: true, more: [new x509.Extension('2.5.29.30', true, new Uint8Array([0x30, 0]))] },
      'issuing-certificate-with-an-unknown-critical-extension',
    ],
    [
      'is for connections alone',
      { ca: true, extendedKeyUsage: [extended.serverAuth, extended.clientAuth] },
      'issuing-certificate-without-the-needed-use',
    ],
    ['is signed over SHA-1', { ca: true, hash: 'SHA-1' }, 'issuing-certificate-signed-with-a-weak-algorithm'],
  ])('between does not vouch when it %s', async (_, wanted, reason) => {
    const intermediate = await make({ name: 'Intermedia', by: root, ...wanted })
    const own = await make({ by: intermediate })
    expect(judge(own, [intermediate])).toBe(reason)
  })

  it('does not vouch with a weak key, between or as anchor', async () => {
    const keys = await rsaKeyPair(1024)
    const intermediate = await make({ name: 'Intermedia', ca: true, by: root, keys })
    expect(judge(await make({ by: intermediate }), [intermediate])).toBe('issuing-certificate-key-too-weak')
    const anchor = await make({ name: 'Radice', ca: true, keys })
    expect(judge(await make({ by: anchor }), [], signature, { anchors: [anchor.certificate] })).toBe(
      'issuing-certificate-key-too-weak',
    )
  })

  it('vouches for no more authorities below it than it may', async () => {
    const lower = await make({ name: 'Inferiore', ca: true, by: middle })
    const own = await make({ by: lower })
    expect(judge(own, [lower, middle])).toBe('issuing-certificate-path-length-exceeded')
    const anchor = await make({ name: 'Radice', ca: { pathLength: 0 }, keys: root.keys })
    const anchors = { anchors: [anchor.certificate] }
    expect(judge(direct, [], signature, anchors)).toBeUndefined()
    expect(judge(below, [middle], signature, anchors)).toBe('issuing-certificate-path-length-exceeded')
  })

  it('may be signed over SHA-1 when it is an anchor: its own signature is no evidence', async () => {
    const anchor = await make({ name: 'Radice', ca: true, keys: root.keys, hash: 'SHA-1' })
    expect(judge(direct, [], signature, { anchors: [anchor.certificate] })).toBeUndefined()
  })

  it('is no end entity', async () => {
    expect(judge(root)).toBe('certificate-of-an-authority')
    expect(judge(middle)).toBe('certificate-of-an-authority')
  })
})

describe('a certificate by itself', () => {
  it.each<[string, Wanted, string]>([
    ['signed over SHA-1', { hash: 'SHA-1' }, 'certificate-signed-with-a-weak-algorithm'],
    [
      'with a critical extension that is not understood',
      { more: [new x509.Extension('1.2.3.4', true, new Uint8Array([5, 0]))] },
      'certificate-with-an-unknown-critical-extension',
    ],
    [
      'that cannot be read',
      { more: [new x509.Extension('2.5.29.37', false, new Uint8Array([5, 0]))] },
      'certificate-unreadable',
    ],
  ])('is refused: %s', async (_, wanted, reason) => {
    expect(judge(await make({ by: root, ...wanted }))).toBe(reason)
  })

  it('is refused with a weak key', async () => {
    expect(judge(await make({ by: root, keys: await rsaKeyPair(1024) }))).toBe('certificate-key-too-weak')
  })
})

describe('what a certificate is presented for', () => {
  const { digitalSignature, nonRepudiation, keyEncipherment, keyAgreement } = flag
  const { serverAuth, clientAuth, codeSigning, emailProtection } = extended
  const without = 'certificate-without-the-needed-use'

  it.each<[CertificateDemands['use'], number | null, readonly string[] | undefined, string | undefined]>([
    ['signature', digitalSignature, undefined, undefined],
    ['signature', nonRepudiation, undefined, undefined],
    ['signature', null, undefined, undefined],
    ['signature', keyEncipherment, undefined, without],
    ['signature', digitalSignature, [emailProtection], undefined],
    ['signature', digitalSignature, [serverAuth, emailProtection], undefined],
    ['signature', digitalSignature, [serverAuth], without],
    ['signature', digitalSignature, [serverAuth, clientAuth], without],
    ['client', digitalSignature, [clientAuth], undefined],
    ['client', null, undefined, undefined],
    ['client', digitalSignature, [serverAuth], without],
    ['client', digitalSignature, [codeSigning], without],
    ['client', keyEncipherment, [clientAuth], without],
    ['client', nonRepudiation, [clientAuth], without],
    ['server', digitalSignature, [serverAuth], undefined],
    ['server', keyEncipherment, [serverAuth], undefined],
    ['server', keyAgreement, undefined, undefined],
    ['server', nonRepudiation, [serverAuth], without],
    ['server', digitalSignature, [clientAuth], without],
  ])('%s, with key usage %s and extended %s: %s', async (use, keyUsage, extendedKeyUsage, reason) => {
    const own = await make({ by: root, keyUsage, ...(extendedKeyUsage && { extendedKeyUsage }) })
    expect(judge(own, [], { use })).toBe(reason)
  })

  it('needs one of the policies that are asked for', async () => {
    const own = await make({ by: root, policies: ['1.3.76.29.1.11', '1.2.3'] })
    const policies = (...wanted: string[]): CertificateDemands => ({ use: 'signature', policies: wanted })
    expect(judge(own, [], policies('1.3.76.29.1.11', '1.3.76.29.1.10'))).toBeUndefined()
    expect(judge(own, [], policies('1.3.76.29.1.10'))).toBe('certificate-without-the-needed-policy')
    expect(judge(direct, [], policies('1.3.76.29.1.11'))).toBe('certificate-without-the-needed-policy')
  })

  it('needs one of the names that are asked for', async () => {
    const names = (...wanted: RegExp[]): CertificateDemands => ({ use: 'signature', names: wanted })
    expect(judge(direct, [], names(/^S1#120#/, /^S1#050#/))).toBeUndefined()
    expect(judge(direct, [], names(/^S1#120#/))).toBe('certificate-belongs-to-somebody-else')
    const two = await make({ by: root, name: 'S1#050#UNO, CN=S1#050#DUE' })
    expect(judge(two, [], names(/^S1#050#/))).toBe('certificate-belongs-to-somebody-else')
  })
})

describe('a certificate that is an anchor itself', () => {
  const pinned = (own: Made, ...more: X509Certificate[]): TrustAnchors => ({ anchors: [own.certificate, ...more] })

  it('is accepted whoever issued it, byte for byte', async () => {
    const own = await make({ keyUsage: flag.keyEncipherment })
    const twin = await make({ keyUsage: flag.keyEncipherment, keys: own.keys })
    expect(judge(own, [], { use: 'signature', names: [/^nobody$/] }, pinned(own))).toBeUndefined()
    expect(judge(twin, [], signature, pinned(own))).toBe('certificate-not-issued-by-an-anchor-of-the-issuer')
  })

  it('expires, and must have a key that proves something', async () => {
    const expired = await make({ toDay: -1 })
    expect(judge(expired, [], signature, pinned(expired))).toBe('certificate-expired')
    const weak = await make({ keys: await rsaKeyPair(1024) })
    expect(judge(weak, [], signature, pinned(weak))).toBe('certificate-key-too-weak')
  })

  it('vouches for no other', async () => {
    const own = await make({})
    expect(judge(await make({ by: own }), [], signature, pinned(own))).toBe(
      'certificate-not-issued-by-an-anchor-of-the-issuer',
    )
  })
})
