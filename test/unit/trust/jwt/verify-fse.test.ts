import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type FseOptions, fseVerifier } from '../../../../src/trust/jwt/fse.ts'
import type { FseMessage } from '../../../../src/trust/jwt/fse-claims.ts'
import { fseProblem } from '../../../../src/trust/jwt/fse-problem.ts'
import { Refusal } from '../../../../src/trust/refusal.ts'
import { certificatesOf } from '../../../../src/trust/x509/certificate.ts'
import { citizen, clinician, homes, loinc } from '../../../support/builders.ts'
import {
  at,
  creation,
  fseAudience,
  fseHeaders,
  fseOptions,
  nowSeconds,
  outcomeOf,
  type PairChanges,
  pairOf,
  pemOf,
} from '../../../support/jwt.ts'

const create: FseMessage = { operation: 'create' }

function judged(
  changes: PairChanges = {},
  message: FseMessage = create,
  { options = {}, channel = {} }: { options?: Partial<FseOptions>; channel?: { commonName?: string } } = {},
): Promise<string> {
  const headers = fseHeaders(changes)
  return outcomeOf(() => fseVerifier({ ...fseOptions, ...options }).pair(headers, message, channel))
}

describe('a pair of tokens of the FSE gateway', () => {
  it('is read exactly as claimed', async () => {
    const { certificate } = pairOf('region-050')
    const headers = fseHeaders({ bearer: { jti: 'b' }, signature: { jti: 's', use_subject_as_author: true } })
    const { bearer, signature, uses } = await fseVerifier(fseOptions).pair(headers, create)
    expect(bearer).toMatchObject({
      issuer: 'auth:S1#050#050REGIONEVENETO-DEV',
      subject: clinician,
      tokenId: 'b',
      issuedAt: at,
      expiresAt: at + 300_000,
      commonName: 'S1#050#050REGIONEVENETO-DEV',
    })
    expect(bearer.certificate.raw.equals(certificate.raw)).toBe(true)
    expect(signature.claims).toEqual({
      subject: clinician,
      organization: '050',
      organizationName: 'Regione Veneto',
      locality: creation.locality,
      role: 'AAS',
      patientId: citizen,
      inCare: true,
      purposeOfUse: 'TREATMENT',
      action: 'CREATE',
      documentTypes: "('11502-2^^2.16.840.1.113883.6.1')",
      attachmentHash: creation.attachment_hash,
      application: { id: 'FEDGW', vendor: 'ESEMPIO SPA', version: '1.0.0' },
      subjectIsAuthor: true,
    })
    expect(uses).toHaveLength(2)
    expect(new Set(uses.map(({ key }) => key)).size).toBe(2)
    expect(signature.assertionFor(homes.veneto)).toMatchObject({
      id: 's',
      issuer: '050',
      community: homes.veneto,
      role: 'AAS',
      patientId: citizen,
      signer: 'S1#050#050REGIONEVENETO-DEV',
      validUntil: at + 300_000,
    })
  })

  it('may have one jti for both, which is two uses', async () => {
    const headers = fseHeaders({ bearer: { jti: 'same' }, signature: { jti: 'same' } })
    const { uses } = await fseVerifier(fseOptions).pair(headers, create)
    expect(new Set(uses.map(({ key }) => key)).size).toBe(2)
  })

  it.each<[string, PairChanges]>([
    ['header typ-is-another', { header: { typ: 'at+jwt' } }],
    ['header typ-is-another', { header: { typ: undefined } }],
    ['certificate x5c-is-missing', { header: { x5c: undefined } }],
    ['accepted', { header: { kid: 'passed-over' } }],
    ['signature algorithm-is-not-allowed', { header: { alg: 'PS256' } }],
    ['coherence iss-and-certificate-differ', { bearer: { iss: 'integrity:S1#050#050REGIONEVENETO-DEV' } }],
    ['coherence iss-and-certificate-differ', { signature: { iss: 'auth:S1#050#050REGIONEVENETO-DEV' } }],
    ['coherence iss-and-certificate-differ', { signature: { iss: 'integrity:S1#120#X' } }],
    ['attributes jti-missing', { bearer: { jti: undefined } }],
    ['attributes jti-missing', { signature: { jti: undefined } }],
    ['attributes iat-missing', { bearer: { iat: undefined } }],
    ['attributes exp-missing', { signature: { exp: undefined } }],
    ['attributes times-in-milliseconds', { bearer: { iat: at, exp: at + 300_000 } }],
    ['validity issued-too-long-ago', { signature: { iat: nowSeconds - 361, exp: nowSeconds + 60 } }],
    ['audience aud-is-somebody-else', { bearer: { aud: fseAudience.replace('/v1', '') } }],
    ['audience aud-is-not-one', { signature: { aud: [fseAudience, 'https://other.example'] } }],
    ['coherence certificates-differ', { bearerPair: pairOf('region-120') }],
    ['coherence subjects-differ', { bearer: { sub: `${citizen.value}^^^&${citizen.authority}&ISO` } }],
  ])('is judged by both tokens: %s', async (outcome, changes) => {
    expect(await judged(changes)).toBe(outcome)
  })

  const cx = (value: string, authority = '2.16.840.1.113883.2.9.4.3.2') => `${value}^^^&${authority}&ISO`
  it.each<[string, Record<string, unknown>]>([
    ['attributes sub-malformed', { sub: cx('CLNCXX75C03F839A') }],
    ['attributes sub-malformed', { sub: 'somebody' }],
    ['accepted', { sub: cx('12345678903') }],
    ['accepted', { sub: 'CLNCXX75C03F839M' }],
    ['accepted', { sub: cx('00488410010', '2.16.840.1.113883.2.9.6.3.2') }],
  ])('names who signs in both: %s', async (outcome, sub) => {
    expect(await judged({ bearer: sub, signature: sub })).toBe(outcome)
  })

  it.each<[string, Record<string, unknown>]>([
    ['attributes subject-organization-id-missing', { subject_organization_id: undefined }],
    ['attributes subject-organization-id-malformed', { subject_organization_id: '50' }],
    ['attributes subject-organization-id-malformed', { subject_organization_id: 'constructor' }],
    ['attributes subject-organization-missing', { subject_organization: undefined }],
    ['coherence subject-organization-differs', { subject_organization: 'Veneto' }],
    ['attributes locality-missing', { locality: undefined }],
    ['attributes locality-malformed', { locality: '050202' }],
    ['attributes subject-role-missing', { subject_role: undefined }],
    ['attributes subject-role-malformed', { subject_role: 'DOC' }],
    ['attributes person-id-missing', { person_id: undefined }],
    ['attributes person-id-malformed', { person_id: cx('PROVAX80A01H501A') }],
    ['attributes patient-consent-missing', { patient_consent: undefined }],
    ['attributes patient-consent-malformed', { patient_consent: 'true' }],
    ['attributes purpose-of-use-missing', { purpose_of_use: undefined }],
    ['coherence purpose-of-use-does-not-fit', { purpose_of_use: 'UPDATE' }],
    ['attributes resource-hl7-type-missing', { resource_hl7_type: undefined }],
    ['attributes resource-hl7-type-malformed', { resource_hl7_type: '11502-2^^2.16.840.1.113883.6.1' }],
    ['attributes action-id-missing', { action_id: undefined }],
    ['coherence action-id-does-not-fit', { action_id: 'create' }],
    ['attributes attachment-hash-missing', { attachment_hash: undefined }],
    ['attributes attachment-hash-malformed', { attachment_hash: 'da39a3ee5e6b4b0d3255bfef95601890afd80709' }],
    ['attributes subject-application-id-missing', { subject_application_id: '' }],
    ['attributes subject-application-vendor-missing', { subject_application_vendor: undefined }],
    ['attributes subject-application-version-missing', { subject_application_version: undefined }],
    ['attributes use-subject-as-author-malformed', { use_subject_as_author: 'no' }],
    ['accepted', { something_else: 1 }],
  ])('is judged by each claim: %s', async (outcome, signature) => {
    expect(await judged({ signature })).toBe(outcome)
  })

  const free = { locality: 'anywhere' }
  const unhashed = { attachment_hash: undefined }
  it.each<[FseMessage['operation'], string, Record<string, unknown>]>([
    ['validation', 'accepted', { ...free, ...unhashed, action_id: 'UPDATE' }],
    ['validation', 'coherence purpose-of-use-does-not-fit', { purpose_of_use: 'UPDATE', action_id: 'UPDATE' }],
    ['validation', 'coherence action-id-does-not-fit', { action_id: 'DELETE' }],
    ['replace', 'accepted', { action_id: 'UPDATE', purpose_of_use: 'UPDATE' }],
    ['replace', 'accepted', { action_id: 'UPDATE' }],
    ['replace', 'coherence action-id-does-not-fit', {}],
    ['replace', 'attributes attachment-hash-missing', { ...unhashed, action_id: 'UPDATE' }],
    ['update', 'accepted', { ...unhashed, action_id: 'UPDATE', purpose_of_use: 'ACCESS UPDATE' }],
    ['update', 'coherence purpose-of-use-does-not-fit', { action_id: 'UPDATE' }],
    ['update', 'attributes locality-malformed', { ...free, action_id: 'UPDATE', purpose_of_use: 'UPDATE' }],
    [
      'delete',
      'accepted',
      { ...unhashed, action_id: 'DELETE', purpose_of_use: 'UPDATE', resource_hl7_type: undefined },
    ],
    ['delete', 'coherence action-id-does-not-fit', { action_id: 'UPDATE', purpose_of_use: 'UPDATE' }],
    [
      'read',
      'accepted',
      {
        ...free,
        ...unhashed,
        action_id: 'READ',
        purpose_of_use: 'EMERGENCY',
        resource_hl7_type: "('60591-5^^2.16.840.1.113883.6.1','11502-2^^2.16.840.1.113883.6.1')",
      },
    ],
    ['read', 'coherence action-id-does-not-fit', {}],
    [undefined, 'accepted', { ...free, ...unhashed, action_id: 'READ' }],
  ])('is judged by the operation %s: %s', async (operation, outcome, signature) => {
    expect(await judged({ signature }, { operation })).toBe(outcome)
  })

  it('must agree with the file and the document it came with', async () => {
    const attachment = Buffer.from('%PDF-1.7 synthetic')
    const hash = createHash('sha256').update(attachment).digest('hex')
    const signature = { attachment_hash: hash.toUpperCase() }
    expect(await judged({ signature }, { ...create, attachment })).toBe('accepted')
    expect(await judged({}, { ...create, attachment })).toBe('coherence attachment-hash-differs')
    const document = { type: { code: '11502-2', scheme: loinc }, patients: [citizen.value, 'X'] }
    expect(await judged({}, { ...create, document })).toBe('accepted')
    expect(await judged({}, { ...create, document: { ...document, patients: ['X'] } })).toBe(
      'coherence person-id-differs',
    )
    const other = { ...document, type: { code: '60591-5', scheme: loinc } }
    expect(await judged({}, { ...create, document: other })).toBe('coherence resource-hl7-type-differs')
  })

  it('comes through a connection of the same region, and of the region that is expected', async () => {
    const through = (commonName: string) => judged({}, create, { channel: { commonName } })
    expect(await through('A1#050#050REGIONEVENETO-DEV')).toBe('accepted')
    expect(await through('A1#120#X')).toBe('coherence channel-is-of-another-region')
    expect(await through('S1#050#X')).toBe('certificate channel-has-no-region')
    expect(await judged({}, create, { options: { region: '050' } })).toBe('accepted')
    expect(await judged({}, create, { options: { region: '090' } })).toBe(
      'certificate certificate-is-of-another-region',
    )
  })

  it('is signed by a certificate for signing, whose name says so', async () => {
    const channel = pairOf('region-050', 'tls')
    const trusting = (anchors: FseOptions['trust']['anchors']) => {
      return judged({ pair: channel }, create, { options: { trust: { anchors } } })
    }
    expect(await trusting(certificatesOf(pemOf('ca.pem')))).toMatch(/^certificate /)
    expect(await trusting([channel.certificate])).toMatch(/^certificate /)
    expect(await judged({}, create, { options: { signers: [/^S1#120#/] } })).toBe(
      'certificate certificate-belongs-to-somebody-else',
    )
  })

  it('is for one audience even where nobody says which', async () => {
    const options = { audience: undefined }
    expect(await judged({}, create, { options })).toBe('accepted')
    expect(await judged({ bearer: { aud: 'x' } }, create, { options })).toBe('coherence audiences-differ')
  })

  it('has no other claims where that is agreed', async () => {
    const options = { strictClaims: true }
    expect(await judged({}, create, { options })).toBe('accepted')
    expect(await judged({ bearer: { locality: 'x' } }, create, { options })).toBe('attributes claim-is-not-expected')
    expect(await judged({ signature: { scope: 'x' } }, create, { options })).toBe('attributes claim-is-not-expected')
  })

  it('stands in two headers, each once and in its form', async () => {
    const [first, second] = fseHeaders() as [[string, string], [string, string]]
    const verify = (headers: [string, string][], options: Partial<FseOptions> = {}) => {
      return outcomeOf(() => fseVerifier({ ...fseOptions, ...options }).pair(headers, create))
    }
    expect(await verify([second])).toBe('missing authorization-is-missing')
    expect(await verify([first])).toBe('missing fse-jwt-signature-is-missing')
    expect(await verify([first, first, second])).toBe('header authorization-is-repeated')
    expect(await verify([first, second, second])).toBe('header fse-jwt-signature-is-repeated')
    expect(await verify([['authorization', second[1]], second])).toBe('header authorization-is-no-bearer-token')
    expect(await verify([first, ['fse-jwt-signature', `Bearer ${second[1]}`]])).toBe(
      'header fse-jwt-signature-is-no-bare-token',
    )
    expect(await verify([first, ['Agid-JWT-Signature', second[1]]], { signatureHeader: 'Agid-JWT-Signature' })).toBe(
      'accepted',
    )
    const swapped: [string, string][] = [
      ['authorization', `Bearer ${second[1]}`],
      ['FSE-JWT-Signature', first[1].slice('Bearer '.length)],
    ]
    expect(await verify(swapped)).toBe('coherence iss-and-certificate-differ')
  })

  it('is its first token alone for the status services', async () => {
    const [[, authorization = ''] = []] = fseHeaders()
    const verify = (commonName?: string) => {
      const channel = commonName === undefined ? {} : { commonName }
      return outcomeOf(() => fseVerifier(fseOptions).bearer(authorization.slice('Bearer '.length), channel))
    }
    expect(await verify()).toBe('accepted')
    expect(await verify('A1#120#X')).toBe('coherence channel-is-of-another-region')
  })
})

describe('the answer to a pair that was refused', () => {
  async function answered(changes: PairChanges, message = create, options = {}) {
    try {
      await fseVerifier(fseOptions).pair(fseHeaders(changes), message)
    } catch (error) {
      if (error instanceof Refusal) return fseProblem(error, options)
      throw error
    }
    throw new Error('accepted')
  }

  it.each<[string, string, Record<string, unknown>]>([
    ['Il campo patient_consent non è valorizzato', 'missing', { patient_consent: undefined }],
    ['Il campo subject_application_id non è valorizzato', 'missing', { subject_application_id: undefined }],
    ['Il campo subject_role non è corretto', 'malformed', { subject_role: 'DOC' }],
    ['Il campo subject_organization_id non è corretto', 'malformed', { subject_organization_id: '50' }],
    [
      'I campi subject_organization_id e subject_organization non sono coerenti',
      'malformed',
      { subject_organization: 'Veneto' },
    ],
    ['Il campo Locality non è valorizzato correttamente', 'malformed', { locality: '050202' }],
    ['Il campo purpose_of_use non coerente con operazione richiesta', 'malformed', { purpose_of_use: 'UPDATE' }],
    ['Il campo action_id non è coerente con le operazioni richieste', 'malformed', { action_id: 'UPDATE' }],
  ])('says %s', async (detail, what, signature) => {
    expect(await answered({ signature })).toEqual({
      type: '/msg/jwt-validation',
      title: 'Campo token JWT non valido.',
      detail,
      status: 403,
      instance: `/jwt-mandatory-field-${what}`,
    })
  })

  it('names the document and the file where these differ', async () => {
    const document = { type: { code: '60591-5', scheme: loinc }, patients: [citizen.value] }
    expect(await answered({}, { ...create, document })).toMatchObject({ instance: '/jwt-document-type', status: 403 })
    expect(await answered({}, { ...create, document: { ...document, patients: [] } })).toMatchObject({
      instance: '/jwt-person-id',
      status: 403,
    })
    expect(await answered({}, { ...create, attachment: Buffer.from('x') })).toEqual({
      type: '/msg/document-hash',
      title: 'Verifica hash fallita.',
      detail: 'Verifica hash fallita.',
      status: 400,
      instance: '/jwt-hash-match',
    })
  })

  it('is the reverse proxy’s where the token itself does not hold', async () => {
    expect(await answered({ bearer: { exp: nowSeconds - 600 } })).toEqual({
      type: 'https://govway.org/handling-errors/401/TokenAuthenticationFailed.html',
      title: 'TokenAuthenticationFailed',
      detail: 'Invalid token',
      status: 401,
    })
  })

  it('follows the documentation or the code where these disagree', () => {
    const [missing, malformed] = [new Refusal('missing', 'x'), new Refusal('malformed', 'x')]
    expect(fseProblem(missing)).toMatchObject({ type: '/msg/missing-token', status: 403, instance: '/missing-jwt' })
    expect(fseProblem(missing, { missingTokenStatus: 400 }).status).toBe(400)
    expect(fseProblem(malformed)).toMatchObject({ type: '/msg/mandatory-element-token', status: 403 })
    expect(fseProblem(malformed, { invalidTokenStatus: 401 }).status).toBe(401)
  })
})
