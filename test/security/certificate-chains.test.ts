import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import { ensureCertificates } from '../../certs-dev/make.ts'
import { certificatesOf } from '../../src/trust/x509/certificate.ts'
import { type CertificateDemands, distrust, type TrustAnchors } from '../../src/trust/x509/chain.ts'
import { readRevocationList } from '../../src/trust/x509/revocation.ts'
import { flag, type Made, make, now, x509 } from '../unit/trust/x509/issuing.ts'

const notIssued = 'certificate-not-issued-by-an-anchor-of-the-issuer'
const signature: CertificateDemands = { use: 'signature' }

const root = await make({ name: 'Radice', ca: true })
const middle = await make({ name: 'Intermedia', ca: true, by: root })
const good = await make({ by: middle })
const trust: TrustAnchors = { anchors: [root.certificate] }

const judge = (own: Made, supplied: readonly Made[], at = now): string | undefined =>
  distrust(
    own.certificate,
    supplied.map(({ certificate }) => certificate),
    trust,
    signature,
    at,
  )

/** The control: what is attacked is accepted as it stands, before the attack and after it. */
async function refusing(reason: string, attack: () => Promise<string | undefined>): Promise<void> {
  expect(judge(good, [middle])).toBeUndefined()
  expect(await attack()).toBe(reason)
  expect(judge(good, [middle])).toBeUndefined()
}

describe('somebody who makes certificates', () => {
  it('does not become an authority by being called like one', () =>
    refusing(notIssued, async () => {
      const impostor = await make({ name: 'Radice', ca: true })
      return judge(await make({ by: impostor }), [impostor])
    }))

  it('does not become one by claiming its key identifier', () =>
    refusing(notIssued, async () => {
      const keyId = new x509.X509Certificate(root.certificate.raw).getExtension('2.5.29.14')
      const more = keyId === null ? [] : [keyId]
      const impostor = await make({ name: 'Radice', ca: true, keyIds: false, more })
      return judge(await make({ by: impostor, keyIds: false }), [impostor])
    }))

  it('does not become one by having a certificate of an end entity', () =>
    refusing('issuing-certificate-of-no-authority', async () => {
      const own = await make({ name: 'S1#120#120PROVA', by: middle })
      return judge(await make({ by: own }), [own, middle])
    }))

  it('does not become one by having keyCertSign but not being an authority', () =>
    refusing('issuing-certificate-of-no-authority', async () => {
      const own = await make({ name: 'Quasi', by: middle, keyUsage: flag.keyCertSign | flag.digitalSignature })
      return judge(await make({ by: own }), [own, middle])
    }))

  it('is not believed for bringing the root along', () =>
    refusing(notIssued, async () => {
      const other = await make({ name: 'Altra radice', ca: true })
      return judge(await make({ by: other }), [other, root])
    }))

  it('does not vouch for itself', () => refusing(notIssued, async () => judge(await make({}), [])))

  it('cannot alter what was signed', () =>
    refusing(notIssued, async () => {
      const der = Buffer.from(good.certificate.raw)
      der.write('S1#120', der.lastIndexOf('S1#050'))
      return judge({ ...good, certificate: new X509Certificate(der) }, [middle])
    }))
})

describe('paths without end', () => {
  /** As many authorities as may come along, each of which vouches for each, and no anchor. */
  async function circle(size: number): Promise<Made[]> {
    const roots = await Promise.all(Array.from({ length: size }, (_, index) => make({ name: `C${index}`, ca: true })))
    return Promise.all(
      roots.map((own, index) => make({ name: `C${index}`, ca: true, keys: own.keys, by: roots.at(index - 1) ?? own })),
    )
  }

  it('in a circle of authorities are given up', () =>
    refusing(notIssued, async () => {
      const authorities = await circle(3)
      return judge(await make({ by: authorities[0] ?? root }), authorities)
    }))

  it('among authorities of one name are given up after sixteen signatures', () =>
    refusing('chain-too-long', async () => {
      const one = await make({ name: 'Tutti', ca: true, keyIds: false })
      const another = await make({ name: 'Tutti', ca: true, keyIds: false })
      const all = await Promise.all(
        [one, one, one, one, another, another, another, another].map(({ keys }) =>
          make({ name: 'Tutti', ca: true, by: one, keys, keyIds: false }),
        ),
      )
      const own = await make({ by: one, keyIds: false })
      const verify = vi.spyOn(X509Certificate.prototype, 'verify')
      try {
        const reason = judge(own, all)
        expect(verify.mock.calls.length).toBeLessThanOrEqual(16)
        expect(verify.mock.calls.length).toBeGreaterThan(8)
        return reason
      } finally {
        verify.mockRestore()
      }
    }))

  it('among authorities of one name and one key are each gone once', () =>
    refusing(notIssued, async () => {
      const one = await make({ name: 'Tutti', ca: true })
      const all = await Promise.all(
        Array.from({ length: 8 }, () => make({ name: 'Tutti', ca: true, by: one, keys: one.keys })),
      )
      return judge(await make({ by: one }), all)
    }))

  it('and what was found out is not worked out again', () => {
    expect(judge(good, [middle])).toBeUndefined()
    const verify = vi.spyOn(X509Certificate.prototype, 'verify')
    try {
      expect(judge({ ...good, certificate: new X509Certificate(good.certificate.raw) }, [middle])).toBeUndefined()
      expect(verify).not.toHaveBeenCalled()
    } finally {
      verify.mockRestore()
    }
  })

  it('do not hide the path that has an end', async () => {
    const [first = root, ...others] = await circle(3)
    const crossed = await make({ name: 'C0', ca: true, keys: first.keys, by: root })
    const own = await make({ by: first })
    expect(judge(own, [first, ...others])).toBe(notIssued)
    expect(judge(own, [first, ...others, crossed])).toBeUndefined()
  })
})

describe('the development identities', async () => {
  const { directory } = await ensureCertificates()
  const text = (path: string): string => readFileSync(`${directory}/${path}`, 'utf8')
  const anchors = { signing: certificatesOf(text('signing-ca.pem')), tls: certificatesOf(text('ca.pem')) }
  const lists = ['ca', 'signing-ca', 'signing-intermediate'].map((name) => readRevocationList(text(`${name}.crl.pem`)))
  const demanded = {
    signing: { use: 'signature', names: [/^S1#050#/], policies: ['1.3.76.29.1.11'] },
    tls: { use: 'client', names: [/^A1#050#/], policies: ['1.3.76.29.1.10'] },
  } as const

  const verdict = (use: 'tls' | 'signing', path: string, more: Partial<CertificateDemands> = {}, chain = '') => {
    const supplied = chain === '' ? [] : certificatesOf(text(chain))
    const own = new X509Certificate(text(`${path}.crt.pem`))
    const trusted = { anchors: anchors[use], revocation: { lists, graceMs: 0 } }
    return distrust(own, supplied, trusted, { ...demanded[use], ...more }, Date.now())
  }

  it.each([
    ['expired', 'certificate-expired'],
    ['not-yet-valid', 'certificate-not-yet-valid'],
    ['unknown-ca', notIssued],
    ['self-signed', notIssued],
    ['wrong-eku', 'certificate-without-the-needed-use'],
    ['wrong-policy', 'certificate-without-the-needed-policy'],
    ['right-ca-wrong-home', 'certificate-belongs-to-somebody-else'],
    ['revoked', 'certificate-revoked'],
    ['weak', 'certificate-key-too-weak'],
  ])('that are bad are refused, for one reason each: %s', (defect, reason) => {
    for (const use of ['tls', 'signing'] as const) {
      expect(verdict(use, `region-050/${use}`)).toBeUndefined()
      expect(verdict(use, `bad/${defect}/${use}`)).toBe(reason)
      expect(verdict(use, `region-050/${use}`)).toBeUndefined()
    }
  })

  it('that only encrypt do not sign', () => {
    expect(verdict('signing', 'bad/wrong-key-usage/signing')).toBe('certificate-without-the-needed-use')
    expect(verdict('signing', 'sistema-ts/SanitelCF')).toBe('certificate-without-the-needed-use')
  })

  it('that are for connections do not sign, and the other way round', () => {
    expect(verdict('signing', 'region-050/tls')).toBe(notIssued)
    expect(verdict('tls', 'region-050/signing')).toBe(notIssued)
  })

  it('over elliptic curves, and below an authority that comes along, are accepted', () => {
    expect(verdict('signing', 'region-050/signing-ec')).toBeUndefined()
    expect(verdict('signing', 'region-050/signing-p384')).toBeUndefined()
    const lazio = { names: [/^S1#120#/] }
    expect(verdict('signing', 'region-120/signing-chain', lazio, 'region-120/chain.pem')).toBeUndefined()
    expect(verdict('signing', 'region-120/signing-chain', lazio)).toBe(notIssued)
  })
})
