import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signatureHolds } from '../../src/trust/algorithms.ts'
import { samlIssuer } from '../../src/trust/saml/issue-saml.ts'
import { signMessage } from '../../src/trust/soap/sign-message.ts'
import { verifyMessage } from '../../src/trust/soap/verify-message.ts'
import { certificatesOf } from '../../src/trust/x509/certificate.ts'
import { encodeEnvelope, encodeFault, openEnvelope, soapNames } from '../../src/wire/soap.ts'
import { readTree } from '../../src/wire/xml.ts'
import { citizen, otherCitizen } from '../support/builders.ts'
import { certificates as folder } from '../support/gateway-config.ts'
import { fseHeaders, jwksBytes, keySetOf, nowSeconds, pairOf, publicJwk, signedToken, x5cOf } from '../support/jwt.ts'
import {
  authenticate,
  clock,
  issued,
  message,
  pem,
  signedByLibrary,
  signerOf,
  signing,
  unsigned,
  vouching,
} from '../support/saml.ts'

const main = resolve(import.meta.dirname, '../../src/cli/main.ts')
const largest = 10 * 1024 * 1024
let elsewhere: string

beforeAll(() => {
  elsewhere = mkdtempSync(join(tmpdir(), 'crocevia-verify-'))
})
afterAll(() => rmSync(elsewhere, { recursive: true, force: true }))

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The real command, in a folder that is not the project's. */
async function crocevia(args: readonly string[], input: string | Uint8Array): Promise<Outcome> {
  const child = spawn(process.execPath, [main, 'verify', ...args], { cwd: elsewhere })
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8')
    child[name].on('data', (text: string) => {
      texts[name] += text
    })
  }
  // Who has heard enough stops listening.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...texts }
}

interface Verdict {
  readonly accepted: boolean
  readonly code: string
  readonly reason: string | null
  readonly read: Readonly<Record<string, unknown>>
}

/** The verdict, whose form and exit code are held to what is promised. */
async function verdictOf(args: readonly string[], input: string | Uint8Array): Promise<Verdict> {
  const { code, stderr, stdout } = await crocevia(args, input)
  expect(stderr).toBe('')
  expect(stdout.match(/\n/g)).toHaveLength(1)
  const verdict = JSON.parse(stdout) as Verdict
  expect(Object.keys(verdict)).toEqual(['accepted', 'code', 'reason', 'read'])
  expect(code).toBe(verdict.accepted ? 0 : 1)
  if (verdict.accepted) expect(verdict).toMatchObject({ code: 'ok', reason: null })
  else expect(verdict).toMatchObject({ code: expect.any(String), reason: expect.stringMatching(/^[A-Za-z0-9-]+$/) })
  return verdict
}

const path = (name: string) => join(folder, name)
const trust = ['--trust', path('signing-ca.pem')]

/** What the gateway itself says of the same message, nothing remembered. */
async function gatewaySays(bytes: Buffer): Promise<string | null> {
  return await authenticate(bytes).then(
    () => null,
    (error: { details: { reason: string } }) => error.details.reason,
  )
}

function swap(text: string, from: string | RegExp, to: string): string {
  const changed = text.replace(from, () => to)
  if (changed === text) throw new Error(`nothing to replace: ${from}`)
  return changed
}

/** The registry's word about a citizen. */
function identification(code: string): string {
  const statement =
    '<saml2:AttributeStatement><saml2:Attribute Name="CF_List"><saml2:AttributeValue>' +
    '<i:CF xmlns:i="http://www.fascicolosanitario.gov.it/identificazione" CurrentStatus="true">' +
    `${code}</i:CF></saml2:AttributeValue></saml2:Attribute></saml2:AttributeStatement>`
  const xml = unsigned((text) =>
    swap(
      swap(text, '<saml2:Issuer>050<', '<saml2:Issuer>ANA<'),
      /<saml2:AttributeStatement>.*<\/saml2:AttributeStatement>/s,
      statement,
    ).replace('ID="_lib1"', 'ID="_ana1"'),
  )
  return signedByLibrary(xml, { identity: signing('ini') })
}

const security = (...assertions: string[]) =>
  `<wsse:Security xmlns:wsse="${soapNames.wsse}">${assertions.join('')}</wsse:Security>`

describe('crocevia verify saml', () => {
  it('accepts what the gateway accepts, and tells what it read', async () => {
    const bytes = message(await issued())
    expect(await gatewaySays(bytes)).toBeNull()
    const { read } = await verdictOf(['saml', ...trust], bytes)
    expect(read).toMatchObject({
      profile: 'ini',
      issuer: '050',
      subject: vouching.subject,
      role: 'AAS',
      purposeOfUse: 'TREATMENT',
      patientId: citizen,
      algorithm: 'RS256',
      signer: 'S1#050#050REGIONEVENETO-DEV',
      certificate: { subject: expect.stringContaining('CN=S1#050#050REGIONEVENETO-DEV') },
      validity: { notBefore: expect.any(String), notOnOrAfter: expect.any(String) },
    })
  })

  it('takes an assertion by itself, and several files after one --trust or after several', async () => {
    const assertion = await issued()
    const other = path('ca.pem')
    for (const args of [
      ['--trust', other, path('signing-ca.pem')],
      ['--trust', other, ...trust],
      ['--trust', path('region-050/signing.crt.pem')],
    ]) {
      expect(await verdictOf(['saml', ...args], assertion)).toMatchObject({ accepted: true })
    }
    expect(await verdictOf(['saml', '--trust', other], assertion)).toMatchObject({
      accepted: false,
      code: 'PFC3',
      reason: 'certificate-not-issued-by-an-anchor-of-the-issuer',
    })
  })

  it.each<[string, (assertion: string) => string | Buffer, string]>([
    ['a changed claim', (xml) => message(swap(xml, 'TREATMENT', 'EMERGENCY')), 'PFC3'],
    ['no assertion', () => message(''), 'PST4'],
    ['two assertions', (xml) => message(xml + xml), 'PST5'],
    ['two security headers', (xml) => message(xml, { headers: security(xml) }), 'PST5'],
    ['no signature', () => message(unsigned()), 'PFC3'],
    [
      'a second element of the same id',
      (xml) => message(xml, { body: `<x ID="${/ID="([^"]+)"/.exec(xml)?.[1]}"/>` }),
      'PFC3',
    ],
    ['no issuer', (xml) => message(swap(xml, /<saml2:Issuer>.*?<\/saml2:Issuer>/, '')), 'PIT1'],
  ])('refuses %s as the gateway does, in INI’s words', async (_what, spoil, code) => {
    const bytes = Buffer.from(spoil(await issued()))
    const reason = await gatewaySays(bytes)
    expect(reason).not.toBeNull()
    expect(await verdictOf(['saml', ...trust], bytes)).toMatchObject({ accepted: false, code, reason })
  })

  it('still tells what a refused assertion says of itself', async () => {
    const { read } = await verdictOf(['saml', ...trust], swap(await issued(), 'TREATMENT', 'EMERGENCY'))
    expect(read).toMatchObject({
      issuer: '050',
      attributes: { 'urn:oasis:names:tc:xspa:1.0:subject:purposeofuse': 'EMERGENCY' },
    })
  })

  it('judges at the instant it is told, with the skew it is told', async () => {
    const at = Date.UTC(2027, 0, 10, 12)
    const assertion = await issued({}, { at, lifetimeMs: 60_000 })
    const judged = (time: number, ...more: string[]) =>
      verdictOf(['saml', ...trust, '--at', new Date(time).toISOString(), ...more], assertion)
    expect(await judged(at)).toMatchObject({ accepted: true })
    expect(await judged(at + 119_000)).toMatchObject({ accepted: true })
    expect(await judged(at + 121_000)).toMatchObject({ accepted: false, reason: 'expired' })
    expect(await judged(at + 61_000, '--skew', '0')).toMatchObject({ accepted: false, reason: 'expired' })
    expect(await judged(at - 61_000)).toMatchObject({ accepted: false, reason: 'not-yet-valid' })
  })

  it('wants document types and application when INI’s profile is asked for, unless it is lenient', async () => {
    const signed = signedByLibrary(unsigned())
    const args = ['saml', ...trust, '--profile', 'ini']
    expect(await verdictOf(args, signed)).toMatchObject({
      accepted: false,
      code: 'PIT2',
      reason: 'missing-mandatory-attribute',
    })
    expect(await verdictOf([...args, '--lenient'], signed)).toMatchObject({ accepted: true })
    expect(await verdictOf(['saml', ...trust], signed)).toMatchObject({ accepted: true })
  })

  it('takes SHA-1 when it is told to, and not otherwise', async () => {
    const sha1 = 'http://www.w3.org/2000/09/xmldsig#'
    const signed = signedByLibrary(unsigned(), {
      signatureAlgorithm: `${sha1}rsa-sha1`,
      digestAlgorithm: `${sha1}sha1`,
    })
    const args = ['saml', ...trust, '--lenient']
    expect(await verdictOf(args, signed)).toMatchObject({ accepted: false, reason: 'SignatureMethod-not-allowed' })
    expect(await verdictOf([...args, '--allow-sha1'], signed)).toMatchObject({
      accepted: true,
      read: { algorithm: 'RS1' },
    })
  })

  it('looks at revocation lists when there are some', async () => {
    const assertion = await issued({}, { identity: signing('bad/revoked') })
    expect(await verdictOf(['saml', ...trust], assertion)).toMatchObject({ accepted: true })
    for (const list of ['signing-ca.crl.pem', 'signing-ca.crl.der']) {
      expect(await verdictOf(['saml', ...trust, '--crl', path(list)], assertion)).toMatchObject({
        accepted: false,
        code: 'PFC3',
        reason: 'certificate-revoked',
      })
    }
  })

  describe('of profile XUA', () => {
    const saml = samlIssuer(() => signerOf(signing('region-050')), { issuer: '050', lifetimeMs: 60_000, clock })
    const issueXua = () =>
      saml.issue(vouching, {
        profile: 'xua',
        audience: 'urn:gateway',
        homeCommunityId: 'urn:oid:2.16.840.1.113883.2.9.2.50',
        organizationId: 'urn:oid:2.16.840.1.113883.2.9.2.50',
      })

    it('tells it by its confirmation, and judges the audience only when one is named', async () => {
      const assertion = await issueXua()
      expect(await verdictOf(['saml', ...trust], assertion)).toMatchObject({
        accepted: true,
        read: { profile: 'xua', role: 'AAS', audiences: [['urn:gateway']] },
      })
      expect(await verdictOf(['saml', ...trust, '--audience', 'urn:gateway'], assertion)).toMatchObject({
        accepted: true,
      })
      expect(await verdictOf(['saml', ...trust, '--audience', 'urn:other'], assertion)).toMatchObject({
        accepted: false,
        code: 'wsse:FailedAuthentication',
        reason: 'audience-is-somebody-else',
      })
    })

    it('is refused when another profile is wanted', async () => {
      expect(await verdictOf(['saml', ...trust, '--profile', 'ini'], await issueXua())).toMatchObject({
        accepted: false,
      })
      expect(await verdictOf(['saml', ...trust, '--profile', 'xua'], await issued())).toMatchObject({
        accepted: false,
        code: 'wsse:FailedAuthentication',
        reason: 'no-subject-confirmation',
      })
    })

    it('holds the key’s holder against the presenter it is given', async () => {
      const certificate = pem('region-050/tls.crt.pem').replace(/-----[^-]+-----|\s/g, '')
      const confirmation =
        '<saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"><saml2:SubjectConfirmationData>' +
        '<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>' +
        `${certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>` +
        '</saml2:SubjectConfirmationData></saml2:SubjectConfirmation></saml2:Subject>'
      const signed = signedByLibrary(unsigned((xml) => swap(xml, '</saml2:Subject>', confirmation)))
      const args = ['saml', ...trust, '--profile', 'ini', '--lenient']
      expect(await verdictOf(args, signed)).toMatchObject({ accepted: false, reason: 'presenter-is-not-known' })
      const presented = (name: string) => verdictOf([...args, '--presenter', path(name)], signed)
      expect(await presented('region-050/tls.crt.pem')).toMatchObject({ accepted: true })
      expect(await presented('ini/tls.crt.pem')).toMatchObject({ reason: 'presenter-does-not-hold-the-key' })
    })
  })

  it('tells the profile of Sistema TS by its attribute, and refuses it by kind', async () => {
    const saml = samlIssuer(() => signerOf(signing('region-050')), { issuer: '050', lifetimeMs: 60_000, clock })
    const authenticatedAt = new Date().toISOString().slice(0, 19)
    const statement = { subject: citizen.value, authenticatedAt, organization: '050', locality: '050202' }
    const classRef = 'urn:oasis:names:tc:SAML:2.0:ac:classes:SpidL2'
    const assertion = await saml.issueForSistemaTs(statement, { classRef })
    expect(await verdictOf(['saml', ...trust], assertion)).toMatchObject({
      accepted: true,
      read: { profile: 'sistema-ts', locality: '050202', mode: classRef },
    })
    expect(await verdictOf(['saml', ...trust], swap(assertion, '050202', '050203'))).toMatchObject({
      accepted: false,
      code: 'signature',
      reason: 'digest-differs',
    })
  })

  it('reads the registry’s identification, by itself and beside the assertion it belongs to', async () => {
    const known = { codes: [{ value: citizen.value, current: true }] }
    expect(await verdictOf(['saml', ...trust], identification(citizen.value))).toMatchObject({
      accepted: true,
      read: known,
    })
    const both = (code: string) =>
      issued().then((assertion) => message(assertion, { security: security(assertion, identification(code)) }))
    expect(await verdictOf(['saml', ...trust], await both(citizen.value))).toMatchObject({
      accepted: true,
      read: { patientId: citizen, identification: known },
    })
    expect(await verdictOf(['saml', ...trust], await both(otherCitizen.value))).toMatchObject({
      accepted: false,
      code: 'PFC9',
      reason: 'identification-is-about-another-patient',
    })
  })
})

describe('crocevia verify jwt', () => {
  const pair = pairOf('region-050')
  const claims = { iss: 'prova', aud: 'urn:gateway', exp: nowSeconds + 300, sub: 'x' }
  const certified = (payload: object = claims) =>
    signedToken({ alg: 'RS256', typ: 'JWT', x5c: x5cOf(pair) }, { ...payload }, pair.key)
  const named = (payload: object = claims) => signedToken({ alg: 'RS256', kid: 'k1' }, { ...payload }, pair.key)

  it('accepts a token by certificate, by key set and by public key', async () => {
    const jwks = join(elsewhere, 'keys.json')
    writeFileSync(jwks, jwksBytes([publicJwk(pair, 'k1')]))
    expect(keySetOf([['k1', pair]]).keys).toHaveLength(1)
    const key = join(elsewhere, 'key.pem')
    writeFileSync(key, pair.certificate.publicKey.export({ type: 'spki', format: 'pem' }))
    expect(await verdictOf(['jwt', ...trust], certified())).toMatchObject({
      accepted: true,
      read: { profile: 'jwt', alg: 'RS256', claims, signer: 'S1#050#050REGIONEVENETO-DEV' },
    })
    expect(await verdictOf(['jwt', '--trust', jwks], `${named()}\n`)).toMatchObject({
      accepted: true,
      read: { kid: 'k1' },
    })
    expect(await verdictOf(['jwt', '--trust', key], signedToken({ alg: 'RS256' }, claims, pair.key))).toMatchObject({
      accepted: true,
    })
    expect(await verdictOf(['jwt', '--trust', jwks, path('signing-ca.pem')], certified())).toMatchObject({
      accepted: true,
    })
  })

  it.each<[string, () => string, readonly string[], string, string]>([
    ['another audience', certified, ['--audience', 'urn:other'], 'audience', 'aud-is-somebody-else'],
    ['its end', certified, ['--at', '2027-06-01T00:00:00Z'], 'validity', 'expired'],
    [
      'a changed claim',
      () => swap(certified(), /\.[^.]+\./, `.${Buffer.from('{"sub":"y"}').toString('base64url')}.`),
      [],
      'signature',
      'signature-does-not-hold',
    ],
    [
      'no algorithm',
      () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`,
      [],
      'signature',
      'algorithm-is-not-allowed',
    ],
    ['two parts', () => 'e30.e30', [], 'malformed', 'token-has-not-three-parts'],
  ])('refuses %s', async (_what, token, more, code, reason) => {
    expect(await verdictOf(['jwt', ...trust, ...more], token())).toMatchObject({ accepted: false, code, reason })
  })

  it('judges the pair of tokens of the national gateway, and answers in its words', async () => {
    const pairOfTokens = (changes = {}) => {
      const [[, authorization], [, signature]] = fseHeaders(changes) as [[string, string], [string, string]]
      return `${authorization.replace('Bearer ', '')}\n${signature}\n`
    }
    const args = ['jwt', ...trust, '--profile', 'fse', '--operation', 'create']
    expect(await verdictOf(args, pairOfTokens())).toMatchObject({
      accepted: true,
      read: { patientId: citizen, action: 'CREATE', signature: { signer: 'S1#050#050REGIONEVENETO-DEV' } },
    })
    expect(await verdictOf(args, pairOfTokens({ signature: { subject_role: undefined } }))).toMatchObject({
      accepted: false,
      code: '/msg/jwt-validation',
      reason: 'subject-role-missing',
      read: { problem: { status: 403, instance: '/jwt-mandatory-field-missing' } },
    })
    expect(await verdictOf(args, pairOfTokens({ bearerPair: pairOf('region-120') }))).toMatchObject({
      accepted: false,
      reason: 'certificates-differ',
    })
    expect(await verdictOf(args, certified())).toMatchObject({ accepted: false, code: '/msg/missing-token' })
  })
})

const action = 'urn:ihe:iti:2007:RegistryStoredQuery'
const addressed = { action, messageId: 'urn:uuid:9b1f9b6e-51f5-4b7b-9d0f-4df6a1f7a001', to: 'https://a.example/x' }

describe('crocevia verify soap', () => {
  it('accepts a message the gateway would read, and tells its addressing', async () => {
    const bytes = encodeEnvelope({ ...addressed, anonymousReply: true, assertion: '<x/>' }, '<q xmlns="urn:q"/>')
    expect(await verdictOf(['soap'], bytes)).toMatchObject({
      accepted: true,
      read: {
        version: '1.2',
        ...addressed,
        replyTo: `${soapNames.wsa}/anonymous`,
        security: true,
        body: { namespace: 'urn:q', name: 'q' },
      },
    })
  })

  it.each<[string, string, string, string]>([
    [
      'SOAP 1.1',
      `<e:Envelope xmlns:e="${soapNames.soap11}"><e:Body/></e:Envelope>`,
      'VersionMismatch',
      'this-service-speaks-soap-1-2',
    ],
    ['what is no envelope', '<a/>', 'VersionMismatch', 'this-service-speaks-soap-1-2'],
    [
      'no action',
      `<e:Envelope xmlns:e="${soapNames.soap12}"><e:Body/></e:Envelope>`,
      'wsa:MessageAddressingHeaderRequired',
      'message-addressing-header-required',
    ],
    ['a body of two', encodeEnvelope(addressed, '<a/><b/>'), 'Sender', 'the-body-must-hold-one-message'],
    [
      'a mandatory header nobody knows',
      encodeEnvelope(addressed, '<a/>', '<x env:mustUnderstand="1"/>'),
      'MustUnderstand',
      'a-mandatory-header-is-not-understood',
    ],
  ])('refuses %s with the fault the gateway answers', async (_what, xml, code, reason) => {
    expect(await verdictOf(['soap'], xml)).toMatchObject({ accepted: false, code, reason, read: { answer: {} } })
  })

  it('takes a doubled header only when it is lenient', async () => {
    const doubled = encodeEnvelope(addressed, '<a/>', `<wsa:Action>${action}</wsa:Action>`)
    expect(await verdictOf(['soap'], doubled)).toMatchObject({
      accepted: false,
      code: 'wsa:InvalidAddressingHeader',
      reason: 'invalid-cardinality',
    })
    expect(await verdictOf(['soap', '--addressing', 'lenient'], doubled)).toMatchObject({ accepted: true })
  })

  it('accepts a fault and tells it, also one that knows of no addressing', async () => {
    const fault = encodeFault(
      { code: 'Receiver', subcodes: ['wsse:InvalidSecurityToken'], reason: 'No' },
      { messageId: 'urn:uuid:1' },
    )
    const told = { fault: { code: 'Receiver', subcode: 'InvalidSecurityToken', reason: 'No' } }
    expect(await verdictOf(['soap'], fault)).toMatchObject({ accepted: true, read: told })
    const bare = fault.replace(/<env:Header>.*<\/env:Header>/, '')
    expect(await verdictOf(['soap'], bare)).toMatchObject({ accepted: true, read: told })
  })

  it('judges the signature of a pattern as the gateway does', async () => {
    const pattern = 'INTEGRITY_SOAP_01'
    const signer = signerOf(signing('region-050'))
    const signed = await signMessage(addressed, '<a>one</a>', { pattern, signer, clock, lifetimeMs: 60_000 })
    const args = ['soap', ...trust, '--pattern', pattern]
    expect(await verdictOf(args, signed)).toMatchObject({
      accepted: true,
      read: { signature: { signer: 'S1#050#050REGIONEVENETO-DEV', covered: ['To', 'Timestamp', 'MessageID', 'Body'] } },
    })
    const changed = swap(signed, '<a>one</a>', '<a>two</a>')
    const judge = () =>
      verifyMessage(
        openEnvelope(readTree(Buffer.from(changed)), () => true),
        {
          pattern,
          trust: { anchors: certificatesOf(pem('signing-ca.pem')) },
          demands: {},
          sha1: false,
          clock,
          clockSkewMs: 60_000,
          maxAgeMs: 300_000,
          check: signatureHolds,
        },
      )
    expect(judge).toThrow(expect.objectContaining({ reason: 'digest-differs' }))
    expect(await verdictOf(args, changed)).toMatchObject({
      accepted: false,
      code: 'wsse:FailedCheck',
      reason: 'digest-differs',
      read: { messageId: addressed.messageId },
    })
  })
})

const contentType =
  'multipart/related; type="application/xop+xml"; boundary=b; start="<root>"; start-info="application/soap+xml"'
const include = '<d xmlns="urn:d"><xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:p1"/></d>'

function packaged(parts: readonly string[], root = encodeEnvelope(addressed, include)): string {
  const part = (id: string, type: string, content: string) =>
    `--b\r\nContent-ID: <${id}>\r\nContent-Type: ${type}\r\n\r\n${content}\r\n`
  const rootType = 'application/xop+xml; type="application/soap+xml"; charset=UTF-8'
  return [
    part('root', rootType, root),
    ...parts.map((content, index) => part(`p${index + 1}`, 'text/plain', content)),
    '--b--\r\n',
  ].join('')
}

describe('crocevia verify mtom', () => {
  const args = ['mtom', '--content-type', contentType]

  it('accepts a package and tells its parts', async () => {
    expect(await verdictOf(args, packaged(['ciao', 'idle']))).toMatchObject({
      accepted: true,
      read: {
        soap: '1.2',
        root: { id: 'root' },
        parts: [
          {
            id: 'p1',
            type: 'text/plain',
            size: 4,
            sha256: 'b133a0c0e9bee3be20163d2ad31d6248db292aa6dcb1ee087a2aa50e0fc75ae2',
          },
          { id: 'p2', size: 4 },
        ],
        includes: [{ part: 'p1', in: { namespace: 'urn:d', name: 'd' } }],
        unreferenced: [{ id: 'p2' }],
        message: { version: '1.2', action },
      },
    })
  })

  it.each<[string, string, string, string]>([
    ['an inclusion of nothing', packaged([]), 'malformed', 'include-unresolved'],
    ['an end that does not come', packaged(['ciao']).replace('--b--\r\n', ''), 'malformed', 'truncated'],
    ['a root that is no XML', packaged(['ciao'], '<!DOCTYPE a><a/>'), 'malformed', 'root-xml'],
    [
      'a root of SOAP 1.1',
      packaged(['ciao'], `<e:Envelope xmlns:e="${soapNames.soap11}"><e:Body>${include}</e:Body></e:Envelope>`),
      'VersionMismatch',
      'this-service-speaks-soap-1-2',
    ],
    [
      'more parts than anybody sends',
      packaged(Array.from({ length: 2_000 }, () => 'x')),
      'malformed',
      'too-many-parts',
    ],
  ])('refuses %s', async (_what, body, code, reason) => {
    expect(await verdictOf(args, body)).toMatchObject({ accepted: false, code, reason })
  })

  it('refuses a header that announces something else', async () => {
    expect(await verdictOf(['mtom', '--content-type', 'text/xml'], packaged(['ciao']))).toMatchObject({
      accepted: false,
      code: 'malformed',
      reason: 'not-multipart-related',
    })
  })
})

describe('whatever comes on standard input', () => {
  const commands = {
    saml: ['saml', ...trust],
    jwt: ['jwt', ...trust],
    soap: ['soap'],
    mtom: ['mtom', '--content-type', contentType],
  } as const
  const base64 = Buffer.alloc(largest / 4)
    .toString('base64')
    .replaceAll('=', '')
  const inputs = {
    nothing: '',
    'bytes that are no text': Buffer.from([0xff, 0xfe, 0x00, 0xd8]),
    zeros: Buffer.alloc(largest),
    brackets: '['.repeat(largest),
    'elements in elements': '<a>'.repeat(largest / 3),
    'attributes upon attributes': `<a ${Array.from({ length: 600_000 }, (_, index) => `a${index}="1"`).join(' ')}/>`,
    delimiters: '--b\r\n'.repeat(largest / 5),
    'parts of base64': `${base64}.${base64}.${base64}`,
    'a byte more than is judged': Buffer.alloc(largest + 1, 0x20),
  } as const

  it.each<[keyof typeof commands, keyof typeof inputs]>([
    ['saml', 'nothing'],
    ['saml', 'bytes that are no text'],
    ['saml', 'brackets'],
    ['saml', 'elements in elements'],
    ['saml', 'attributes upon attributes'],
    ['saml', 'a byte more than is judged'],
    ['jwt', 'nothing'],
    ['jwt', 'bytes that are no text'],
    ['jwt', 'brackets'],
    ['jwt', 'parts of base64'],
    ['jwt', 'a byte more than is judged'],
    ['soap', 'nothing'],
    ['soap', 'zeros'],
    ['soap', 'elements in elements'],
    ['mtom', 'nothing'],
    ['mtom', 'zeros'],
    ['mtom', 'delimiters'],
    ['mtom', 'a byte more than is judged'],
  ])('is refused by %s and breaks nothing: %s', async (command, input) => {
    expect(await verdictOf(commands[command], inputs[input])).toMatchObject({ accepted: false })
  })

  it('is not read to its end when there is no end', async () => {
    const endless = Buffer.alloc(8 * largest, 0x20)
    expect(await verdictOf(['soap'], endless)).toMatchObject({ code: 'malformed', reason: 'too-large' })
  })

  it('is judged anew each time', async () => {
    const bytes = message(await issued())
    expect(await verdictOf(['saml', ...trust], bytes)).toEqual(await verdictOf(['saml', ...trust], bytes))
  })
})

describe('wrong arguments of crocevia verify', () => {
  it.each<[string, readonly string[]]>([
    ['nothing to verify', []],
    ['something nobody knows', ['pdf']],
    ['nobody to trust', ['saml']],
    ['a file that is not there', ['saml', '--trust', 'missing.pem']],
    ['a file that is no certificate', ['saml', '--trust', main]],
    ['an instant without a zone', ['saml', ...trust, '--at', '2027-01-01T00:00:00']],
    ['an unknown profile', ['jwt', ...trust, '--profile', 'jws']],
    ['an unknown option', ['soap', '--trusted']],
    ['a pattern and nobody to trust', ['soap', '--pattern', 'ID_AUTH_SOAP_01']],
    ['no content type', ['mtom']],
  ])('are told on standard error with exit code 2: %s', async (_what, args) => {
    const { code, stderr, stdout } = await crocevia(args, '')
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).not.toBe('')
    expect(stderr).not.toContain('    at ')
  })

  it('do not show what a file holds', async () => {
    const secret = join(elsewhere, 'secret.json')
    writeFileSync(secret, '{"keys":["HUSH"]}')
    const { code, stderr } = await crocevia(['jwt', '--trust', secret], '')
    expect(code).toBe(2)
    expect(stderr).toContain('secret.json')
    expect(stderr).not.toContain('HUSH')
    expect(readFileSync(secret, 'utf8')).toContain('HUSH')
  })
})
