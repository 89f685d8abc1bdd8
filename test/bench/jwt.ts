import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { jwtVerify, SignJWT } from 'jose'
import { homeCommunityId } from '../../src/core/model/identifiers.ts'
import { certifiedKey } from '../../src/trust/jwt/keys.ts'
import { portalVerifier } from '../../src/trust/jwt/portal.ts'
import { certificates } from '../support/gateway-config.ts'
import { interleaved, type Measurement, rssMb, seconds } from './measurement.ts'

const times = 1_000
const issuer = 'https://login.example'
const audience = 'https://gateway.example'

/** RS256 tokens of a portal verified per second, one after the other, against jose alone. */
export async function jwtVerifyBench(): Promise<Measurement> {
  const file = (name: string) => readFileSync(join(certificates, 'portal', name), 'utf8')
  const key = createPrivateKey(file('signing.key.pem'))
  const certificate = new X509Certificate(file('signing.crt.pem'))
  const token = await new SignJWT({
    subject_role: 'AAS',
    purpose_of_use: 'TREATMENT',
    action_id: 'READ',
    subject_organization_id: '090',
    subject_organization: 'Regione Toscana',
    person_id: 'PROVAX80A01H501M^^^&2.16.840.1.113883.2.9.4.3.2&ISO',
  })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject('PROVAX80A01H501M^^^&2.16.840.1.113883.2.9.4.3.2&ISO')
    .setIssuedAt()
    .setExpirationTime('1h')
    .setJti('one')
    .sign(key)
  const verify = portalVerifier({
    issuer,
    audience: [audience],
    community: homeCommunityId('urn:oid:2.16.840.1.113883.2.9.2.90'),
    keys: { keyFor: () => certifiedKey(certificate) },
    clock: { now: () => Date.now() },
  })
  const ours = () => perSecond(async () => await verify(token))
  const options = { issuer, audience, algorithms: ['RS256'] }
  const theirs = () => perSecond(async () => await jwtVerify(token, certificate.publicKey, options))
  const { value, floor } = await interleaved(9, ours, theirs)
  return {
    bench: 'jwt-verify',
    unit: 'verifications/s',
    value,
    floor,
    floorIs: 'jose verifying the same token, signature, issuer, audience and times',
    ratio: value / floor,
    rssMb: rssMb(),
  }
}

async function perSecond(work: () => Promise<unknown>): Promise<number> {
  const time = await seconds(async () => {
    for (let index = 0; index < times; index++) await work()
  })
  return times / time
}
