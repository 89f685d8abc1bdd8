import { execFileSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DOMParser } from '@xmldom/xmldom'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SignedXml } from 'xml-crypto'
import { organizationOf } from '../../../../certs-dev/identities.ts'
import { issuer } from '../../../../certs-dev/issue.ts'
import { type SignatureAlgorithm, signatureHolds, signWith } from '../../../../src/trust/algorithms.ts'
import type { Signer } from '../../../../src/trust/signer.ts'
import { type MessageSigning, type SignedOutgoing, signMessage } from '../../../../src/trust/soap/sign-message.ts'
import { type MessageRules, verifyMessage } from '../../../../src/trust/soap/verify-message.ts'
import { certificatesOf } from '../../../../src/trust/x509/certificate.ts'
import { canonicalize } from '../../../../src/wire/c14n.ts'
import { openEnvelope, soapNames } from '../../../../src/wire/soap.ts'
import type { MessagePattern } from '../../../../src/wire/wss.ts'
import { readTree, XmlError } from '../../../../src/wire/xml.ts'

const pki = new URL('../../../../certs-dev/out/', import.meta.url)
const pem = (path: string) => readFileSync(new URL(path, pki), 'utf8')

function signer(pair = 'region-050/signing', algorithm: SignatureAlgorithm = 'RS256'): Signer {
  const key = createPrivateKey(pem(`${pair}.key.pem`))
  return {
    certificate: new X509Certificate(pem(`${pair}.crt.pem`)),
    intermediates: [],
    algorithm,
    sign: async (data, asked = algorithm) => signWith(asked, data, key),
  }
}

const clock = { now: () => Date.now() }
const outgoing: SignedOutgoing = {
  action: 'urn:prova:chiedi',
  messageId: 'urn:uuid:55e6bc57-2286-4b7d-82a9-fdbcf57721b1',
  to: 'https://erogatore.example/soap/eco/v1?a=1&b=2',
  anonymousReply: true,
}
const body = '<p:chiedi xmlns:p="urn:prova" b="2" a="1"><p:vuoto/>R&amp;D</p:chiedi>'

function sign(pattern: MessagePattern, more: Partial<MessageSigning> = {}, text = body): Promise<string> {
  return signMessage(outgoing, text, { pattern, signer: signer(), clock, lifetimeMs: 60_000, ...more })
}

function verify(message: string, pattern: MessagePattern, more: Partial<MessageRules> = {}) {
  return verifyMessage(
    openEnvelope(readTree(Buffer.from(message)), () => true),
    {
      pattern,
      trust: { anchors: certificatesOf(pem('signing-ca.pem')) },
      demands: { names: [/^S1#050#/u] },
      sha1: false,
      clock,
      clockSkewMs: 1_000,
      maxAgeMs: 60_000,
      to: outgoing.to,
      check: signatureHolds,
      ...more,
    },
  )
}

const patterns = [
  ['ID_AUTH_SOAP_01', ['To', 'Timestamp']],
  ['ID_AUTH_SOAP_02', ['To', 'Timestamp', 'MessageID']],
  ['INTEGRITY_SOAP_01', ['To', 'Timestamp', 'MessageID', 'Body']],
] as const

describe('a message we sign', () => {
  it.each(patterns)('for %s is accepted by our own verifier, which finds %j covered', async (pattern, covered) => {
    expect(verify(await sign(pattern), pattern).covered).toEqual(covered)
  })

  it('for integrity leaves the message id out where the partner wants it so', async () => {
    const message = await sign('INTEGRITY_SOAP_01', { messageId: false })
    expect(verify(message, 'INTEGRITY_SOAP_01', { messageId: false }).covered).toEqual(['To', 'Timestamp', 'Body'])
    expect(() => verify(message, 'INTEGRITY_SOAP_01')).toThrow(
      expect.objectContaining({ reason: 'MessageID-is-not-covered' }),
    )
  })

  it('is signed with an elliptic curve, or with another algorithm than the usual one of the key', async () => {
    const ec = await sign('ID_AUTH_SOAP_02', { signer: signer('region-050/signing-ec', 'ES256') })
    expect(verify(ec, 'ID_AUTH_SOAP_02').signer).toBe('S1#050#050REGIONEVENETO-DEV')
    const other = await sign('ID_AUTH_SOAP_02', { algorithm: 'RS512' })
    expect(other).toContain('http://www.w3.org/2001/04/xmldsig-more#rsa-sha512')
    expect(verify(other, 'ID_AUTH_SOAP_02').covered).toHaveLength(3)
  })

  it('sends the certificates of intermediate authorities along when asked to, and is then believed by the root alone', async () => {
    const root = await (await issuer(new Date()))('Prova', 1)
    const middle = await root.subordinate('Prova intermedia')
    const identity = { organization: organizationOf('region-050'), use: 'signing', keyType: 'rsa-2048' } as const
    const issued = await middle.issue(identity)
    const key = createPrivateKey(issued.key)
    const below: Signer = {
      certificate: new X509Certificate(issued.certificate),
      intermediates: [new X509Certificate(middle.root)],
      algorithm: 'RS256',
      sign: (data) => signWith('RS256', data, key),
    }
    const trust = { anchors: certificatesOf(root.root) }
    const message = await sign('ID_AUTH_SOAP_02', { signer: below, path: true })
    expect(message).toContain('#X509PKIPathv1')
    expect(verify(message, 'ID_AUTH_SOAP_02', { trust }).covered).toHaveLength(3)
    const alone = await sign('ID_AUTH_SOAP_02', { signer: below })
    expect(() => verify(alone, 'ID_AUTH_SOAP_02', { trust })).toThrow(expect.objectContaining({ kind: 'certificate' }))
  })

  it('is not made with an algorithm that XML signature cannot name', async () => {
    await expect(sign('ID_AUTH_SOAP_01', { signer: signer(undefined, 'PS256') })).rejects.toThrow(
      /has no name for PS256/,
    )
  })

  it('says when it was made and how long it counts', async () => {
    const at = Date.parse('2026-11-25T10:00:00.123Z')
    const message = await sign('ID_AUTH_SOAP_01', { clock: { now: () => at }, lifetimeMs: 30_000 })
    const { created, expires } = verify(message, 'ID_AUTH_SOAP_01', { clock: { now: () => at } })
    expect([created, expires]).toEqual([at, at + 30_000])
  })

  it('has other ids each time', async () => {
    const ids = async () => (await sign('INTEGRITY_SOAP_01')).match(/wsu:Id="[^"]+"/g) ?? []
    const both = [...(await ids()), ...(await ids())]
    expect(both).toHaveLength(10)
    expect(new Set(both).size).toBe(10)
  })

  it('carries what an unsigned message carries: reply address, relation, assertion and further headers', async () => {
    const more = { relatesTo: 'urn:uuid:1', assertion: '<x:Assertion xmlns:x="urn:x"/>' }
    const signing = { pattern: 'ID_AUTH_SOAP_02', signer: signer(), clock, lifetimeMs: 60_000 } as const
    const message = await signMessage({ ...outgoing, ...more }, body, signing, '<x:H xmlns:x="urn:x"/>')
    const { tree, headers } = openEnvelope(readTree(Buffer.from(message)), () => true)
    expect(headers.map((header) => tree.local(header))).toEqual([
      'To',
      'Action',
      'ReplyTo',
      'MessageID',
      'RelatesTo',
      'Security',
      'H',
    ])
    expect(message).toContain(`</ds:Signature>${more.assertion}</wsse:Security>`)
    expect(verify(message, 'ID_AUTH_SOAP_02').messageId).toBe(outgoing.messageId)
  })

  it('sends the body as it was given, with the declarations that only values use', async () => {
    const text = '<a xmlns="urn:a" xmlns:xs="urn:xs" xmlns:i="urn:i" i:type="xs:string"/>'
    const message = await sign('INTEGRITY_SOAP_01', {}, text)
    expect(message).toContain(`>${text}</env:Body>`)
    expect(verify(message, 'INTEGRITY_SOAP_01').covered).toContain('Body')
  })

  it('writes what it signs in canonical form already, whatever the texts', async () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab<>&\'"\t\n\r\u00e8\u{1f600} ') }).map((inner) => `x${inner}x`)
    await fc.assert(
      fc.asyncProperty(text, text, async (to, messageId) => {
        const message = await signMessage({ ...outgoing, to, messageId }, body, {
          pattern: 'ID_AUTH_SOAP_02',
          signer: signer(),
          clock,
          lifetimeMs: 60_000,
        })
        const { tree, headers } = openEnvelope(readTree(Buffer.from(message)), () => true)
        const signed = headers.filter((header) => tree.attribute(header, 'Id', soapNames.wsu) !== undefined)
        expect(signed).toHaveLength(2)
        for (const node of signed) expect(message).toContain(canonicalize(tree, node))
        expect(verify(message, 'ID_AUTH_SOAP_02', { to })).toMatchObject({ messageId })
      }),
      { numRuns: 50 },
    )
  })

  it('pauses while a long body is read', async () => {
    let pauses = 0
    const long = `<p:a xmlns:p="urn:p">${'<p:b>testo</p:b>'.repeat(100_000)}</p:a>`
    const message = await sign('INTEGRITY_SOAP_01', { pause: async () => void pauses++ }, long)
    expect(pauses).toBeGreaterThan(3)
    expect(verify(message, 'INTEGRITY_SOAP_01').covered).toContain('Body')
  })

  it('is not made of a body that is none', async () => {
    await expect(sign('INTEGRITY_SOAP_01', {}, '<a>')).rejects.toThrow(XmlError)
    await expect(sign('INTEGRITY_SOAP_01', {}, '</env:Body><env:Body>')).rejects.toThrow(/more than a body/)
  })

  it('is not made when the signer fails', async () => {
    const gone: Signer = { ...signer(), sign: () => Promise.reject(new Error('device gone')) }
    await expect(sign('ID_AUTH_SOAP_01', { signer: gone })).rejects.toThrow('device gone')
  })
})

describe('what others make of a message we sign', () => {
  function holdsForXmlCrypto(message: string): boolean {
    const document = new DOMParser().parseFromString(message, 'text/xml')
    const [signature] = Array.from(document.getElementsByTagNameNS('http://www.w3.org/2000/09/xmldsig#', 'Signature'))
    const verifier = new SignedXml({ publicCert: pem('region-050/signing.crt.pem') })
    verifier.loadSignature(String(signature))
    return verifier.checkSignature(message)
  }

  it.each(patterns)('xml-crypto accepts %s, and no longer once it was changed', async (pattern) => {
    const message = await sign(pattern)
    expect(holdsForXmlCrypto(message)).toBe(true)
    let changed = true
    try {
      changed = holdsForXmlCrypto(message.replace('https://erogatore', 'https://altro'))
    } catch (error) {
      expect(String(error)).toMatch(/invalid signature/i)
      changed = false
    }
    expect(changed).toBe(false)
  })

  const xmlsec = '/usr/bin/xmlsec1'
  const absent = !existsSync(xmlsec)
  const elements = [
    `${soapNames.wsa}:To`,
    `${soapNames.wsa}:MessageID`,
    `${soapNames.wsu}:Timestamp`,
    `${soapNames.soap12}:Body`,
  ]

  function xmlsecAccepts(message: string): boolean {
    const folder = mkdtempSync(join(tmpdir(), 'crocevia-xmlsec-'))
    try {
      writeFileSync(join(folder, 'message.xml'), message)
      writeFileSync(join(folder, 'certificate.pem'), pem('region-050/signing.crt.pem'))
      const ids = elements.flatMap((element) => ['--id-attr:Id', element])
      const key = ['--pubkey-cert-pem', join(folder, 'certificate.pem')]
      execFileSync(xmlsec, ['--verify', ...ids, ...key, join(folder, 'message.xml')], { stdio: 'pipe' })
      return true
    } catch (error) {
      if (error instanceof Error && 'status' in error && error.status === 1) return false
      throw error
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  it.skipIf(absent).each(patterns)(
    `xmlsec1 accepts %s${absent ? ' (skipped: xmlsec1 is absent)' : ''}`,
    async (pattern) => {
      const message = await sign(pattern)
      expect(xmlsecAccepts(message)).toBe(true)
      expect(xmlsecAccepts(message.replace('https://erogatore', 'https://altro'))).toBe(false)
    },
  )
})
