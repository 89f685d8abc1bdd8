import { X509Certificate } from 'node:crypto'
import { decodeJwt, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { type FseCall, type FseOperation, fseIssuer, type Vouching } from '../../../../src/trust/jwt/issue-fse.ts'
import { readSigningRoot } from '../../../network/certificate.ts'
import { tokenGuard } from '../../../network/token.ts'
import { certificates } from '../../../support/gateway-config.ts'
import { signerOf, signing, vouching as vouched } from '../../../support/saml.ts'

const now = 1_780_300_800_400
const audience = 'https://modipa-val.fse.salute.gov.it/govway/rest/in/FSE/gateway/v1'
const hash = 'ccd1a23b4a73c838e4dfc2a1948aaec8389ebd331cbaebc1b3144c74fca17da5'

const signer = signerOf(signing('gateway'))
const { certificate } = signer
const issuer = (at = now) => fseIssuer(signer, { lifetimeMs: 300_000, clock: { now: () => at } })

const vouching: Vouching = { ...vouched, action: 'CREATE' }
const create: FseCall = { operation: 'create', vouching, audience, attachmentHash: hash }

async function verified(token: string) {
  const options = { algorithms: ['RS256'], audience, currentDate: new Date(now), typ: 'JWT' }
  return await jwtVerify(token, certificate.publicKey, options)
}

function textOf(token: string): string {
  return Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
}

function without(...names: (keyof Vouching)[]): Vouching {
  return Object.fromEntries(
    Object.entries(vouching).filter(([name]) => !names.some((left) => left === name)),
  ) as unknown as Vouching
}

describe('the pair of tokens for the national gateway', () => {
  it('has the headers and claims of the norm, in seconds, both signed with the one certificate they carry', async () => {
    const headers = await issuer().pair(create)
    expect(Object.keys(headers)).toEqual(['Authorization', 'FSE-JWT-Signature'])
    expect(headers.Authorization).toMatch(/^Bearer [\w-]+\.[\w-]+\.[\w-]+$/)
    expect(headers['FSE-JWT-Signature']).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    const bearer = await verified(headers.Authorization.slice('Bearer '.length))
    const signature = await verified(headers['FSE-JWT-Signature'])
    for (const { protectedHeader } of [bearer, signature]) {
      expect(protectedHeader).toEqual({ alg: 'RS256', typ: 'JWT', x5c: [certificate.raw.toString('base64')] })
    }
    const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    const reserved = { iat: 1_780_300_800, exp: 1_780_301_100, jti: uuid, aud: audience, sub: vouching.subject }
    expect(bearer.payload).toEqual({ iss: 'auth:S1#090#090CROCEVIA-DEV', ...reserved })
    expect(signature.payload).toEqual({
      iss: 'integrity:S1#090#090CROCEVIA-DEV',
      ...reserved,
      subject_organization_id: '050',
      subject_organization: 'Regione Veneto',
      locality: 'OSPEDALE DI PROVA^^^^^&2.16.840.1.113883.2.9.4.1.2&ISO^^^^050001',
      subject_role: 'AAS',
      person_id: 'PROVAX80A01H501M^^^&2.16.840.1.113883.2.9.4.3.2&ISO',
      patient_consent: true,
      purpose_of_use: 'TREATMENT',
      resource_hl7_type: "('11502-2^^2.16.840.1.113883.6.1')",
      action_id: 'CREATE',
      attachment_hash: hash,
      subject_application_id: 'app',
      subject_application_vendor: 'Prova & figli',
      subject_application_version: '1.0',
    })
    expect(bearer.payload.jti).not.toBe(signature.payload.jti)
  })

  it('writes the claims in the order of the published examples', async () => {
    const headers = await issuer().pair(create)
    expect(Object.keys(decodeJwt(headers['FSE-JWT-Signature']))).toEqual(
      `iss iat exp jti aud sub subject_organization_id subject_organization locality subject_role person_id
      patient_consent purpose_of_use resource_hl7_type action_id attachment_hash subject_application_id
      subject_application_vendor subject_application_version`.split(/\s+/),
    )
  })

  it('is never the same twice, and no id is used twice', async () => {
    const issue = issuer()
    const pairs = await Promise.all(Array.from({ length: 20 }, () => issue.pair(create)))
    const tokens = pairs.flatMap((pair) => [pair.Authorization.slice('Bearer '.length), pair['FSE-JWT-Signature']])
    expect(new Set(tokens).size).toBe(40)
    expect(new Set(tokens.map((token) => decodeJwt(token).jti)).size).toBe(40)
  })

  it('may ask that the subject be looked up as author', async () => {
    const headers = await issuer().pair({ ...create, subjectAsAuthor: true })
    expect(decodeJwt(headers['FSE-JWT-Signature'])).toMatchObject({ use_subject_as_author: true })
  })

  it.each([
    ['validation', 'CREATE', 'TREATMENT'],
    ['validation', 'UPDATE', 'TREATMENT'],
    ['create', 'CREATE', 'TREATMENT'],
    ['replace', 'UPDATE', 'TREATMENT'],
    ['replace', 'UPDATE', 'UPDATE'],
    ['update', 'UPDATE', 'UPDATE'],
    ['update', 'UPDATE', 'ACCESS UPDATE'],
    ['delete', 'DELETE', 'UPDATE'],
  ] as const)(
    'is made for %s with %s and %s, with the claims of that operation',
    async (operation, action, purpose) => {
      const headers = await issuer().pair({
        ...create,
        operation,
        vouching: { ...vouching, action, purposeOfUse: purpose },
      })
      const claims = decodeJwt(headers['FSE-JWT-Signature'])
      expect(claims).toMatchObject({ action_id: action, purpose_of_use: purpose })
      expect('attachment_hash' in claims).toBe(operation === 'create' || operation === 'replace')
      expect('resource_hl7_type' in claims).toBe(operation !== 'delete')
    },
  )

  it.each([
    ['validation', 'DELETE', 'TREATMENT', 'action_id'],
    ['validation', 'CREATE', 'UPDATE', 'purpose_of_use'],
    ['create', 'READ', 'TREATMENT', 'action_id'],
    ['create', 'CREATE', 'UPDATE', 'purpose_of_use'],
    ['replace', 'CREATE', 'UPDATE', 'action_id'],
    ['update', 'UPDATE', 'TREATMENT', 'purpose_of_use'],
    ['delete', 'DELETE', 'TREATMENT', 'purpose_of_use'],
    ['delete', 'delete', 'UPDATE', 'action_id'],
  ] as const)('is not made for %s with %s and %s', async (operation, action, purpose, claim) => {
    const call = { ...create, operation, vouching: { ...vouching, action, purposeOfUse: purpose } }
    await expect(issuer().pair(call)).rejects.toMatchObject({ code: 'access-denied', details: { claim } })
  })

  it.each([
    ['organizationName', 'subject_organization'],
    ['locality', 'locality'],
    ['inCare', 'patient_consent'],
    ['patientId', 'person_id'],
    ['documentTypes', 'resource_hl7_type'],
    ['application', 'subject_application_id'],
  ] as const)('is not made without %s, which is made up for nobody', async (name, claim) => {
    await expect(issuer().pair({ ...create, vouching: without(name) })).rejects.toMatchObject({
      code: 'access-denied',
      details: { claim, reason: 'claim-is-missing' },
    })
  })

  it.each(['Ospedale', 'Ospedale^^^^^&1.2.3^^^^050001', 'Osp^^^^^&1.2.3&ISO^^^^05^0001'])(
    'is not made for writing from a place that is no XON, but is for validation: %s',
    async (locality) => {
      const call = { ...create, vouching: { ...vouching, locality } }
      await expect(issuer().pair(call)).rejects.toMatchObject({ details: { claim: 'locality' } })
      await expect(issuer().pair({ ...call, operation: 'validation' })).resolves.toBeDefined()
    },
  )

  it.each([undefined, '', hash.slice(1), `${hash}0`, 'g'.repeat(64), `${hash}\n`])(
    'is not made with the file digest %j',
    async (attachmentHash) => {
      for (const operation of ['create', 'replace'] satisfies FseOperation[]) {
        const action = operation === 'create' ? 'CREATE' : 'UPDATE'
        const call = { operation, vouching: { ...vouching, action }, audience }
        const withHash = attachmentHash === undefined ? call : { ...call, attachmentHash }
        await expect(issuer().pair(withHash)).rejects.toMatchObject({ code: 'internal' })
      }
    },
  )
})

describe('the bearer token of the status services', () => {
  it('has reserved claims only', async () => {
    const { payload } = await verified(await issuer().identity(vouching.subject, audience))
    expect(Object.keys(payload)).toEqual(['iss', 'iat', 'exp', 'jti', 'aud', 'sub'])
    expect(payload.iss).toBe('auth:S1#090#090CROCEVIA-DEV')
  })
})

describe('the one bearer token of FHIR services', () => {
  it('has all claims, in the order the service has been sent them in', async () => {
    const token = await issuer().bearer(vouched, audience)
    const { protectedHeader, payload } = await verified(token)
    expect(protectedHeader).toEqual({ alg: 'RS256', typ: 'JWT', x5c: [certificate.raw.toString('base64')] })
    expect(textOf(token)).toBe(
      JSON.stringify({
        subject_role: 'AAS',
        purpose_of_use: 'TREATMENT',
        action_id: 'READ',
        subject_organization_id: '050',
        subject_organization: 'Regione Veneto',
        locality: 'OSPEDALE DI PROVA^^^^^&2.16.840.1.113883.2.9.4.1.2&ISO^^^^050001',
        person_id: 'PROVAX80A01H501M^^^&2.16.840.1.113883.2.9.4.3.2&ISO',
        patient_consent: true,
        resource_hl7_type: "('11502-2^^2.16.840.1.113883.6.1')",
        subject_application_id: 'app',
        subject_application_vendor: 'Prova & figli',
        subject_application_version: '1.0',
        iss: 'auth:S1#090#090CROCEVIA-DEV',
        sub: vouched.subject,
        aud: audience,
        iat: 1_780_300_800,
        exp: 1_780_301_100,
        jti: payload.jti,
      }),
    )
  })

  it('says nothing of what was not claimed', async () => {
    const { subject, role, purposeOfUse, action, organization } = vouched
    const token = await issuer().bearer({ subject, role, purposeOfUse, action, organization }, audience)
    expect(Object.keys(decodeJwt(token))).toEqual(
      'subject_role purpose_of_use action_id subject_organization_id iss sub aud iat exp jti'.split(' '),
    )
  })

  it('is accepted by the Tuscan record, once', async () => {
    const at = Date.now()
    const guard = tokenGuard({
      root: await readSigningRoot(certificates),
      now: () => at,
      signer: 'S1#090#090CROCEVIA-DEV',
      audience,
    })
    const issue = issuer(at)
    const token = await issue.bearer({ ...vouched, organization: '090' }, audience)
    await expect(guard(`Bearer ${token}`)).resolves.toMatchObject({ role: 'AAS', purpose: 'TREATMENT' })
    await expect(guard(`Bearer ${token}`)).rejects.toThrow('already used')
    const another = await issue.bearer({ ...vouched, organization: '090' }, audience)
    await expect(guard(`Bearer ${another}`)).resolves.toBeDefined()
  })
})

it('an issuer is not made of an elliptic key, which the national gateway does not take', () => {
  const other = new X509Certificate(signing('region-050', 'signing-ec').certificate)
  expect(() => fseIssuer({ ...signer, certificate: other }, { lifetimeMs: 1, clock: { now: () => now } })).toThrow()
})
