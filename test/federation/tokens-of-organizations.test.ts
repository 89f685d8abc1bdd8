import { createHash, createPublicKey, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ApiRoute } from '../../src/http/api/endpoint.ts'
import type { Matter } from '../../src/http/api/guard.ts'
import { formatDigestHeader } from '../../src/wire/digest-header.ts'
import { kidOf, type Pdnd, startPdnd } from '../network/pdnd.ts'
import { identityOf, type Received, type Sent } from '../support/api-server.ts'
import { citizen, clinician, loinc, otherCitizen } from '../support/builders.ts'
import { certificates } from '../support/gateway-config.ts'
import {
  at,
  type Changes,
  fseAudience,
  fseHeaders,
  jwksBytes,
  nowSeconds,
  type PairChanges,
  pairOf,
  publicJwk,
  signedToken,
  stopped,
  x5cOf,
} from '../support/jwt.ts'
import { type TokenGateway, tokenGateway } from '../support/token-gateway.ts'

const signing = [join(certificates, 'signing-ca.pem')]
const folder = mkdtempSync(join(tmpdir(), 'organizations-'))
const address = 'https://crocevia.example'
const audience = `${address}/rest/fse/v1`
const attachment = Buffer.from('a document')

const outcome = ({ json, status }: Received) => `${status} ${json.reason ?? json.type ?? 'accepted'}`

/** A path that takes what the tokens must agree with for granted, for the rules that need it. */
function about(operation: string, matter: Matter): ApiRoute {
  const path = `/api/v1/documents/${operation}` as const
  return { method: 'POST', path, transaction: 'caller', matter: () => matter, handle: () => ({ body: {} }) }
}
const echo: ApiRoute = {
  method: 'POST',
  path: '/api/v1/echo',
  transaction: 'caller',
  handle: ({ caller, request }) => ({ body: { tokens: caller.tokens, received: request.body.byteLength } }),
}
const document = { type: { code: '11502-2', scheme: loinc }, patients: [citizen.value] }
const routes: readonly ApiRoute[] = [
  echo,
  about('create', { operation: 'create', document, attachment }),
  about('another', { operation: 'create', document: { ...document, patients: [otherCitizen.value] } }),
  about('typed', { operation: 'create', document: { ...document, type: { code: '34105-7', scheme: loinc } } }),
]

describe('a pair of tokens of the FSE', () => {
  const tokens = { profile: 'fse', audience: fseAudience, anchors: signing }
  const coded = { ...tokens, missingTokenStatus: 400, invalidTokenStatus: 401 }
  let server: TokenGateway
  let other: TokenGateway
  beforeAll(async () => {
    server = await tokenGateway([{ party: 'tuscany', tokens }], { clock: stopped, routes })
    other = await tokenGateway([{ party: 'tuscany', tokens: coded }], { clock: stopped })
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await other[Symbol.asyncDispose]()
  })

  const hash = createHash('sha256').update(attachment).digest('hex')
  const tuscan = { subject_organization_id: '090', subject_organization: 'Regione Toscana', attachment_hash: hash }

  /** Both tokens of a Tuscan system, signed by the portal's certificate. */
  function pair({ signature = {}, ...changes }: PairChanges = {}): Pick<Sent, 'as' | 'headers'> {
    return {
      as: 'tuscany',
      headers: fseHeaders({ pair: pairOf('portal'), signature: { ...tuscan, ...signature }, ...changes }),
    }
  }

  it('tells its caller and the document it is for', async () => {
    const { json, status } = await server.send(pair({ bearer: { jti: 'b' }, signature: { jti: 's' } }))
    expect(status).toBe(200)
    expect(json).toMatchObject({
      party: 'consumer-tuscany',
      profile: 'fse',
      subject: clinician,
      role: 'AAS',
      purposeOfUse: 'TREATMENT',
      action: 'CREATE',
      organization: '090',
      patient: citizen,
      validUntil: new Date(at + 300_000).toISOString(),
      signer: 'S1#090#090PORTALE-DEV',
      tokens: [
        { kind: 'fse-authentication', id: 'b', issuer: 'auth:S1#090#090PORTALE-DEV', subject: clinician },
        { kind: 'fse-signature', id: 's', issuer: 'integrity:S1#090#090PORTALE-DEV', subject: clinician },
      ],
    })
    expect((await server.records()).at(-1)).toMatchObject({ outcome: 'success', caller: { organization: '090' } })
  })

  it('agrees with the file and the document in it', async () => {
    expect(outcome(await server.send({ ...pair(), method: 'POST', path: '/api/v1/documents/create' }))).toBe(
      '200 accepted',
    )
  })

  it('is good for one call, each of its tokens', async () => {
    const first = pair()
    expect(outcome(await server.send(first))).toBe('200 accepted')
    expect(outcome(await server.send(first))).toBe('401 used-before')
    const [authorization, signature] = first.headers ?? []
    const [fresh, freshSignature] = pair().headers ?? []
    if (!authorization || !signature || !fresh || !freshSignature) throw new Error('A pair has two tokens')
    const sent = async (...headers: (readonly [string, string])[]) =>
      outcome(await server.send({ as: 'tuscany', headers }))
    expect(await sent(authorization, freshSignature)).toBe('401 used-before')
    expect(await sent(fresh, signature)).toBe('401 used-before')
    expect(await sent(fresh, freshSignature)).toBe('200 accepted')
  })

  const invalid = { type: '/msg/jwt-validation', title: 'Campo token JWT non valido.', status: 403 }
  const malformed = (detail: string) => ({ ...invalid, detail, instance: '/jwt-mandatory-field-malformed' })
  const missing = (name: string, detail = `Il campo ${name} non è valorizzato`) => {
    return { ...invalid, detail, instance: '/jwt-mandatory-field-missing' }
  }
  const unauthenticated = {
    type: 'https://govway.org/handling-errors/401/TokenAuthenticationFailed.html',
    title: 'TokenAuthenticationFailed',
    status: 401,
    detail: 'Invalid token',
    instance: expect.stringMatching(/^urn:uuid:/),
  }
  const required = [
    ...['subject_organization_id', 'subject_organization', 'subject_role', 'person_id', 'patient_consent'],
    ...['purpose_of_use', 'action_id', 'subject_application_id', 'subject_application_vendor'],
    'subject_application_version',
  ]
  const place = 'Il campo Locality non è valorizzato correttamente'
  const organization = 'I campi subject_organization_id e subject_organization non sono coerenti'

  it.each<[string, PairChanges, object, string?]>([
    ...required.map((name): [string, PairChanges, object] => {
      return [`${name.replaceAll('_', '-')}-missing`, { signature: { [name]: undefined } }, missing(name)]
    }),
    ['sub-missing', { bearer: { sub: undefined }, signature: { sub: undefined } }, missing('sub')],
    ['locality-missing', { signature: { locality: undefined } }, missing('locality', place)],
    [
      'resource-hl7-type-missing',
      { signature: { resource_hl7_type: undefined } },
      missing('resource_hl7_type'),
      'create',
    ],
    ['attachment-hash-missing', { signature: { attachment_hash: undefined } }, missing('attachment_hash'), 'create'],
    [
      'sub-malformed',
      { bearer: { sub: 'PROVAX80A01H501A' }, signature: { sub: 'PROVAX80A01H501A' } },
      malformed('Il codice fiscale nel campo sub non è corretto'),
    ],
    [
      'subject-organization-id-malformed',
      { signature: { subject_organization_id: '090x' } },
      malformed('Il campo subject_organization_id non è corretto'),
    ],
    ['subject-organization-differs', { signature: { subject_organization: 'Toscana' } }, malformed(organization)],
    ['locality-malformed', { signature: { locality: 'Firenze' } }, malformed(place), 'create'],
    [
      'subject-role-malformed',
      { signature: { subject_role: 'XXX' } },
      malformed('Il campo subject_role non è corretto'),
    ],
    ['person-id-malformed', { signature: { person_id: 'x' } }, malformed('Il campo person_id non è corretto')],
    [
      'purpose-of-use-does-not-fit',
      { signature: { purpose_of_use: 'UPDATE' } },
      malformed('Il campo purpose_of_use non coerente con operazione richiesta'),
      'create',
    ],
    [
      'action-id-does-not-fit',
      { signature: { action_id: 'READ' } },
      malformed('Il campo action_id non è coerente con le operazioni richieste'),
      'create',
    ],
    [
      'person-id-differs',
      {},
      {
        ...invalid,
        detail: 'JWT payload: Person id presente nel JWT differente dal codice fiscale del paziente previsto sul CDA',
        instance: '/jwt-person-id',
      },
      'another',
    ],
    [
      'resource-hl7-type-differs',
      {},
      {
        ...invalid,
        detail: 'JWT payload: Tipologia documento diversa dalla tipologia di CDA (code - codesystem)',
        instance: '/jwt-document-type',
      },
      'typed',
    ],
    [
      'attachment-hash-differs',
      { signature: { attachment_hash: 'ab'.repeat(32) } },
      {
        type: '/msg/document-hash',
        title: 'Verifica hash fallita.',
        detail: 'Verifica hash fallita.',
        status: 400,
        instance: '/jwt-hash-match',
      },
      'create',
    ],
    ['expired', { bearer: { iat: nowSeconds - 200, exp: nowSeconds - 100 } }, unauthenticated],
    ['aud-is-somebody-else', { signature: { aud: `${fseAudience}/` } }, unauthenticated],
    ['iss-and-certificate-differ', { bearer: { iss: 'auth:S1#090#090ALTRO' } }, unauthenticated],
    ['certificates-differ', { bearerPair: pairOf('tuscany') }, unauthenticated],
    ['channel-is-of-another-region', { pair: pairOf('region-050') }, unauthenticated],
    ['x5c-is-missing', { bearerHeader: { x5c: undefined } }, unauthenticated],
    ['algorithm-is-not-allowed', { header: { alg: 'none' } }, unauthenticated],
    ['jku-is-not-allowed', { header: { jku: 'https://x.example' } }, unauthenticated],
    ['subjects-differ', { bearer: { sub: `${citizen.value}^^^&2.16.840.1.113883.2.9.4.3.2&ISO` } }, unauthenticated],
  ])('is refused in the published words: %s', async (reason, changes, problem, operation) => {
    const at = operation === undefined ? {} : { method: 'POST', path: `/api/v1/documents/${operation}` }
    const { headers, json, text } = await server.send({ ...pair(changes), ...at })
    expect(json).toEqual({ ...problem, reason })
    expect(headers['content-type']).toBe('application/problem+json')
    expect(headers['www-authenticate'] === undefined).toBe(json.status === 403)
    expect(text).not.toContain(citizen.value)
    expect(text).not.toContain(clinician.slice(0, 16))
  })

  it('is missing, or none at all, by the documentation or by the code of the national gateway', async () => {
    const [authorization] = pair().headers ?? []
    const nothing = { as: 'tuscany' }
    const half = { as: 'tuscany', headers: authorization === undefined ? [] : [authorization] }
    const junk: Sent = {
      as: 'tuscany',
      headers: [
        ['Authorization', 'Bearer x'],
        ['FSE-JWT-Signature', 'x'],
      ],
    }
    const title = 'Token non fornito.'
    const detail = 'Attenzione il jwt fornito risulta essere vuoto'
    const empty = { type: '/msg/missing-token', title, detail, instance: '/missing-jwt' }
    for (const sent of [nothing, half]) {
      expect((await server.send(sent)).json).toMatchObject({ ...empty, status: 403 })
      expect((await other.send(sent)).json).toMatchObject({ ...empty, status: 400 })
    }
    const broken = {
      type: '/msg/mandatory-element-token',
      title: 'Token JWT non valido.',
      detail: 'Token JWT non valido',
    }
    const told = { ...broken, instance: '/jwt-mandatory-field-missing' }
    expect((await server.send(junk)).json).toMatchObject({ ...told, status: 403 })
    const { headers, json, status } = await other.send(junk)
    expect(json).toMatchObject({ ...told, status: 401 })
    expect(status).toBe(401)
    expect(headers['www-authenticate']).toContain('Bearer realm="crocevia", error="invalid_token"')
  })

  it('does not admit a stranger', async () => {
    const { json } = await server.send({ ...pair(), as: 'stranger' })
    expect(json).toMatchObject({ status: 403, type: 'urn:crocevia:problem:access-denied' })
  })
})

describe('an organization by ModI', () => {
  const partner = pairOf('region-120')
  const tokens = {
    profile: 'modi',
    audience: [audience],
    authentication: 'ID_AUTH_REST_02',
    integrity: 'INTEGRITY_REST_01',
    audit: 'AUDIT_REST_01',
    keys: { anchors: signing, signers: ['^S1#120#'] },
  }
  let server: TokenGateway
  beforeAll(async () => {
    server = await tokenGateway([{ party: 'gateway', tokens }], { clock: stopped, routes })
  })
  afterAll(() => server[Symbol.asyncDispose]())

  const times = { aud: audience, iat: nowSeconds, nbf: nowSeconds, exp: nowSeconds + 60 }
  const header = { alg: 'RS256', typ: 'JWT', x5c: x5cOf(partner) }
  const token = (claims: Changes) => signedToken(header, { ...times, ...claims }, partner.key)
  const evidence = () => {
    const user = { userID: 'operatore-1', userLocation: 'postazione-2', LoA: 'L2' }
    return token({ iss: 'lazio', jti: randomUUID(), purposeId: 'p', ...user })
  }
  const digestOf = (bytes: Uint8Array) => formatDigestHeader(createHash('sha256').update(bytes).digest())

  /** A message with a body, signed; what is really sent may differ. */
  function signed(sent: { readonly body?: Buffer; readonly type?: string; readonly jti?: string } = {}): Sent {
    const body = Buffer.from('{"testo": "Ciao mondo"}')
    const jti = randomUUID()
    const digest = digestOf(body)
    const signed_headers = [{ digest }, { 'content-type': 'application/json' }]
    return {
      as: 'gateway',
      method: 'POST',
      path: '/api/v1/echo',
      body: sent.body ?? body,
      headers: [
        ['Digest', digest],
        ['Content-Type', sent.type ?? 'application/json'],
        ['Authorization', `Bearer ${token({ jti, sub: 'client' })}`],
        ['Agid-JWT-Signature', token({ jti: sent.jti ?? jti, signed_headers })],
        ['Agid-JWT-TrackingEvidence', evidence()],
      ],
    }
  }

  it('is told what its tokens said', async () => {
    const headers = [
      ['Authorization', `Bearer ${token({ jti: 'j1', iss: 'lazio', sub: 'client' })}`],
      ['Agid-JWT-TrackingEvidence', evidence()],
    ] as const
    const { json, status } = await server.send({ as: 'gateway', headers })
    expect(status).toBe(200)
    const validUntil = new Date(at + 60_000).toISOString()
    expect(json).toMatchObject({
      party: 'consumer-gateway',
      profile: 'modi',
      subject: 'client',
      validUntil,
      signer: 'S1#120#120REGIONELAZIO-DEV',
      tokens: [
        { kind: 'modi-authentication', id: 'j1', issuer: 'lazio', subject: 'client', audience: [audience] },
        { kind: 'tracking-evidence', purposeId: 'p', userId: 'operatore-1', userLocation: 'postazione-2', validUntil },
      ],
    })
    for (const invented of ['role', 'purposeOfUse', 'organization', 'patient'])
      expect(json).not.toHaveProperty(invented)
    expect((await server.records()).at(-1)).toMatchObject({ outcome: 'success', peer: { name: 'consumer-gateway' } })
  })

  it('signs what it sends', async () => {
    const { json, status } = await server.send(signed())
    expect(status).toBe(200)
    expect(json).toMatchObject({
      received: 23,
      tokens: [
        { kind: 'modi-authentication' },
        { kind: 'modi-integrity', signedHeaders: ['digest', 'content-type'] },
        { kind: 'tracking-evidence' },
      ],
    })
  })

  const without = (sent: Sent, name: string): Sent => ({
    ...sent,
    headers: sent.headers?.filter(([one]) => one !== name) ?? [],
  })

  it('is refused what it did not sign', async () => {
    const judged = async (sent: Sent) => outcome(await server.send(sent))
    expect(await judged(signed({ body: Buffer.from('{"testo": "Addio"}') }))).toBe('401 digest-differs')
    expect(await judged(signed({ body: Buffer.from('{"testo": "Ciao Mondo"}') }))).toBe('401 digest-differs')
    expect(await judged(signed({ type: 'text/plain' }))).toBe('401 signed-header-differs')
    expect(await judged(signed({ jti: 'j' }))).toBe('401 jti-is-not-shared')
    expect(await judged(without(signed(), 'Digest'))).toBe('401 signed-header-is-absent')
    expect(await judged(without(signed(), 'Agid-JWT-Signature'))).toBe('401 agid-jwt-signature-is-missing')
    expect(await judged(without(signed(), 'Authorization'))).toBe('401 authorization-is-missing')
    expect(await judged(without(signed(), 'Agid-JWT-TrackingEvidence'))).toBe(
      '401 agid-jwt-tracking-evidence-is-missing',
    )
    const encoded = signed()
    expect(await judged({ ...encoded, headers: [...(encoded.headers ?? []), ['Content-Encoding', 'gzip']] })).toBe(
      '401 content-encoding-is-not-signed',
    )
    const repeated = signed()
    const line = repeated.headers?.find(([name]) => name === 'Agid-JWT-Signature')
    if (line === undefined) throw new Error('The message is not signed')
    expect(await judged({ ...repeated, headers: [...(repeated.headers ?? []), line] })).toBe(
      '400 agid-jwt-signature-is-repeated',
    )
  })

  it('is believed once', async () => {
    const sent = signed()
    expect(outcome(await server.send(sent))).toBe('200 accepted')
    expect(outcome(await server.send(sent))).toBe('401 used-before')
  })
})

describe('an organization with a voucher of PDND', () => {
  const client = randomUUID()
  const purposeId = randomUUID()
  const own = pairOf('region-150')
  const holder = pairOf('region-050', 'signing-ec')
  const service = { producerId: 'p', consumerId: 'c', eserviceId: 'e', descriptorId: 'd' }
  let pdnd: Pdnd
  let server: TokenGateway
  let kid: string
  beforeAll(async () => {
    const key = createPublicKey(own.key)
    kid = await kidOf(key)
    const purposes = [{ id: purposeId, audience, service }]
    const clients = [{ id: client, keys: [key], purposes }]
    pdnd = await startPdnd({ certificates, clock: stopped, clients })
    const file = join(folder, 'lazio.jwks.json')
    writeFileSync(file, jwksBytes([publicJwk(own, kid)]))
    const vouched = {
      profile: 'modi',
      audience: [audience],
      integrity: 'INTEGRITY_REST_02',
      audit: 'AUDIT_REST_02',
      keys: { jwks: { file } },
      pdnd: {
        issuer: 'pdnd.example',
        audience: [audience],
        jwks: { url: pdnd.urls.jwks, anchors: [join(certificates, 'ca.pem')] },
        clients: [client],
        purposeIds: [purposeId],
        producerId: 'p',
        address,
      },
    }
    const plain = { profile: 'modi', audience: [audience], pdnd: { ...vouched.pdnd, clients: [randomUUID()] } }
    server = await tokenGateway(
      [
        { party: 'region-150', tokens: vouched },
        { party: 'portal', tokens: plain },
      ],
      { clock: stopped, routes },
    )
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await pdnd[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

  function evidence(): string {
    const claims = { aud: audience, iss: client, iat: nowSeconds, exp: nowSeconds + 60, jti: randomUUID(), purposeId }
    const user = { dnonce: '1234567890123', userID: 'operatore-1', userLocation: 'postazione-2' }
    return signedToken({ alg: 'RS256', typ: 'JWT', kid }, { ...claims, ...user }, own.key)
  }

  function proofFor(method: string, url: string, accessToken?: string, pair = holder): string {
    const rsa = pair.key.asymmetricKeyType === 'rsa'
    const ath = accessToken && createHash('sha256').update(accessToken).digest('base64url')
    const header = { alg: rsa ? 'RS256' : 'ES256', typ: 'dpop+jwt', jwk: publicJwk(pair) }
    const claims = { htm: method, htu: url, iat: nowSeconds, jti: randomUUID(), ...(ath && { ath }) }
    return signedToken(header, claims, pair.key, rsa ? 'RS256' : 'ES256')
  }

  /** A voucher for an evidence, as PDND gives it; bound to the holder's key when asked for. */
  async function voucherFor(tracking: string, bound = false): Promise<string> {
    const registered = { iss: client, sub: client, aud: pdnd.audience, jti: randomUUID(), purposeId }
    const digest = { alg: 'SHA256', value: sha256(tracking) }
    const claims = { ...registered, iat: nowSeconds, exp: nowSeconds + 60, digest }
    const form = {
      client_id: client,
      client_assertion: signedToken({ alg: 'RS256', typ: 'JWT', kid }, claims, own.key),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      grant_type: 'client_credentials',
    }
    const proof = bound ? { dpop: proofFor('POST', pdnd.urls.token) } : {}
    return await tokenFrom(pdnd.urls.token, new URLSearchParams(form).toString(), proof)
  }

  const asking = async (): Promise<Sent> => {
    const tracking = evidence()
    const headers = [
      ['Authorization', `Bearer ${await voucherFor(tracking)}`],
      ['Agid-JWT-TrackingEvidence', tracking],
    ] as const
    return { as: 'region-150', headers }
  }

  it('is told what the voucher and the evidence said', async () => {
    const { json, status } = await server.send(await asking())
    expect(status).toBe(200)
    expect(json).toMatchObject({
      party: 'consumer-region-150',
      profile: 'modi',
      subject: client,
      validUntil: new Date(at + 60_000).toISOString(),
      tokens: [
        { kind: 'voucher', client, purposeId, ...service, audience: [audience], signer: json.signer },
        { kind: 'tracking-evidence', userId: 'operatore-1', purposeId },
      ],
    })
  })

  it('signs what it sends by a key that PDND names', async () => {
    const sent = await asking()
    const body = Buffer.from('{}')
    const digest = formatDigestHeader(createHash('sha256').update(body).digest())
    const claims = {
      aud: audience,
      iat: nowSeconds,
      exp: nowSeconds + 60,
      jti: randomUUID(),
      signed_headers: [{ digest }],
    }
    const signature = signedToken({ alg: 'RS256', typ: 'JWT', kid }, claims, own.key)
    const signed = [...(sent.headers ?? []), ['Digest', digest], ['Agid-JWT-Signature', signature]] as const
    const message = { ...sent, method: 'POST', path: '/api/v1/echo', headers: signed }
    expect(outcome(await server.send({ ...message, body: Buffer.from('[]') }))).toBe('401 digest-differs')
    const { json, status } = await server.send({ ...message, body })
    expect(status).toBe(200)
    expect(json.tokens).toMatchObject([{ kind: 'voucher' }, { kind: 'modi-integrity' }, { kind: 'tracking-evidence' }])
  })

  it('is refused an evidence the voucher was not given for', async () => {
    const headers = [
      ['Authorization', `Bearer ${await voucherFor(evidence())}`],
      ['Agid-JWT-TrackingEvidence', evidence()],
    ] as const
    expect(outcome(await server.send({ as: 'region-150', headers }))).toBe('401 voucher-states-another-digest')
  })

  it('is refused the voucher of another client', async () => {
    const { headers = [] } = await asking()
    expect(outcome(await server.send({ as: 'portal', headers }))).toBe('401 voucher-was-issued-to-another-client')
  })

  it('is refused an evidence that was used before', async () => {
    const sent = await asking()
    expect(outcome(await server.send(sent))).toBe('200 accepted')
    expect(outcome(await server.send(sent))).toBe('401 used-before')
  })

  it('proves that it holds the key of a bound voucher, which is no use to anybody else', async () => {
    const url = `${address}/api/v1/caller`
    const tracking = evidence()
    const voucher = await voucherFor(tracking, true)
    const proving = async (scheme: string, proof?: string) => {
      const lines = [
        ['Authorization', `${scheme} ${voucher}`],
        ['Agid-JWT-TrackingEvidence', tracking],
        ...(proof === undefined ? [] : [['DPoP', proof]]),
      ] as [string, string][]
      return await server.send({ as: 'region-150', headers: lines })
    }
    const stolen = await proving('DPoP', proofFor('GET', url, voucher, pairOf('stranger')))
    expect(outcome(stolen)).toBe('401 token-is-bound-to-another')
    expect(stolen.headers['www-authenticate']).toContain('algs="RS256 ES256", error="invalid_dpop_proof"')
    expect(outcome(await proving('Bearer'))).toBe('401 voucher-is-no-bearer-token')
    expect(outcome(await proving('DPoP'))).toBe('401 dpop-is-missing')
    expect(outcome(await proving('DPoP', proofFor('GET', `${address}/api/v1/echo`, voucher)))).toBe(
      '401 htu-is-another',
    )
    const { json, status } = await proving('DPoP', proofFor('GET', url, voucher))
    expect(status).toBe(200)
    expect(json.tokens).toMatchObject([{ kind: 'voucher' }, { kind: 'dpop-proof' }, { kind: 'tracking-evidence' }])
  })

  it('waits for nobody when the keys of PDND cannot be had', async () => {
    const fresh = await tokenGateway(
      [
        {
          party: 'region-150',
          tokens: {
            profile: 'modi',
            audience: [audience],
            pdnd: {
              issuer: 'pdnd.example',
              audience: [audience],
              jwks: { url: 'https://127.0.0.1:1/jwks', anchors: [join(certificates, 'ca.pem')] },
              address,
            },
          },
        },
      ],
      { clock: stopped },
    )
    const received = await fresh.send(await asking())
    expect(outcome(received)).toBe('503 urn:crocevia:problem:keys-unavailable')
    expect(fresh.failures).toEqual(['consumer-region-150/pdnd'])
    await fresh[Symbol.asyncDispose]()
  })
})

/** Asks an authorization server for a token. */
function tokenFrom(endpoint: string, form: string, headers: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve, reject) => {
    const type = 'application/x-www-form-urlencoded'
    const options = { method: 'POST', headers: { 'content-type': type, ...headers }, ...identityOf('region-150') }
    const outgoing = request(endpoint, options, (incoming) => {
      let text = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (chunk: string) => {
        text += chunk
      })
      incoming.on('end', () => {
        const { access_token: token } = JSON.parse(text) as { access_token?: string }
        if (token === undefined) reject(new Error(text))
        else resolve(token)
      })
    })
    outgoing.on('error', reject).end(form)
  })
}
