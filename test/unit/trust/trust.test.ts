import { X509Certificate } from 'node:crypto'
import { importSPKI, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { fseIssuer } from '../../../src/trust/jwt/issue-fse.ts'
import { identifier } from '../../../src/trust/parties.ts'
import { certificatesOf, commonNameOf } from '../../../src/trust/x509/certificate.ts'
import { homes } from '../../support/builders.ts'
import { clock, parties, pem, signerOf, signing, vouching } from '../../support/saml.ts'

const options = { lifetimeMs: 300_000, clock: { now: () => 1_700_000_000_000 } }

describe('a token we issue', () => {
  const identity = signing('gateway')
  const issue = () => fseIssuer(signerOf(identity), options).bearer(vouching, 'https://record.example')

  it('is verified by its key and says what was claimed', async () => {
    const certificate = new X509Certificate(identity.certificate)
    const key = await importSPKI(certificate.publicKey.export({ type: 'spki', format: 'pem' }).toString(), 'RS256')
    const { payload, protectedHeader } = await jwtVerify(await issue(), key, {
      audience: 'https://record.example',
      currentDate: new Date(options.clock.now()),
    })
    expect(protectedHeader).toEqual({ alg: 'RS256', typ: 'JWT', x5c: [certificate.raw.toString('base64')] })
    expect(payload).toMatchObject({
      iss: `auth:${commonNameOf(certificate)}`,
      sub: vouching.subject,
      iat: 1_700_000_000,
      exp: 1_700_000_300,
      subject_role: 'AAS',
      purpose_of_use: 'TREATMENT',
      action_id: 'READ',
      subject_organization_id: '050',
      patient_consent: true,
      person_id: 'PROVAX80A01H501M^^^&2.16.840.1.113883.2.9.4.3.2&ISO',
      resource_hl7_type: "('11502-2^^2.16.840.1.113883.6.1')",
      subject_application_vendor: 'Prova & figli',
    })
  })

  it('is never the same twice', async () => {
    expect(await issue()).not.toBe(await issue())
  })

  it('says nothing of what was not claimed', async () => {
    const { subject, role, purposeOfUse, action, organization } = vouching
    const token = await fseIssuer(signerOf(identity), options).bearer(
      { subject, role, purposeOfUse, action, organization },
      'a',
    )
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    for (const name of ['person_id', 'patient_consent', 'locality', 'resource_hl7_type']) {
      expect(claims).not.toHaveProperty(name)
    }
  })
})

describe('the certificates of a text', () => {
  it('are all read', () => {
    expect(certificatesOf(`# two\n${pem('ca.pem')}\n${pem('signing-ca.pem')}`)).toHaveLength(2)
  })
  it.each(['', 'nonsense', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'])(
    'must be some: %j',
    (text) => {
      expect(() => certificatesOf(text)).toThrow()
    },
  )
})

describe('the presenter of a certificate', () => {
  const presented = (path: string) => {
    const certificate = new X509Certificate(pem(path))
    return {
      subject: certificate.subject,
      fingerprint: certificate.fingerprint256,
      raw: certificate.raw,
    }
  }
  const identify = identifier(parties, clock.now)

  it.each([
    ['region-050/tls.crt.pem', 'region-050', homes.veneto],
    ['region-120/tls.crt.pem', 'region-120', homes.lazio],
    ['ini/tls.crt.pem', 'ini', homes.ini],
    ['portal/tls.crt.pem', 'portal', homes.tuscany],
  ])('%s is %s', (path, name, home) => {
    expect(identify(presented(path))).toMatchObject({ name, home })
  })

  it.each([
    'stranger/tls.crt.pem',
    'bad/unknown-ca/tls.crt.pem',
    'bad/self-signed/tls.crt.pem',
    'region-050/signing.crt.pem',
  ])('%s is nobody we know', (path) => {
    const peer = identify(presented(path))
    expect(peer).not.toHaveProperty('name')
    expect(peer).not.toHaveProperty('home')
    expect(peer.fingerprint).toBe(presented(path).fingerprint)
  })

  it('is nobody when the certificate fits two parties', () => {
    const twice = identifier([...parties, ...parties], clock.now)
    expect(twice(presented('ini/tls.crt.pem'))).not.toHaveProperty('name')
  })

  it('is nobody any more when the certificate has ended', () => {
    const later = identifier(parties, () => Date.parse('2100-01-01'))
    expect(later(presented('ini/tls.crt.pem'))).not.toHaveProperty('name')
  })

  it('that bears the name of a party and is not accepted is told of', () => {
    const told: string[] = []
    const watching = identifier(parties, clock.now, (party, reason) => told.push(`${party}: ${reason}`))
    watching(presented('region-050/tls.crt.pem'))
    expect(told).toEqual([])
    watching(presented('bad/expired/tls.crt.pem'))
    expect(told).toEqual(['region-050: certificate-expired'])
  })
})
