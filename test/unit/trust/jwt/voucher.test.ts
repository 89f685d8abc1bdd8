import { createHash, X509Certificate } from 'node:crypto'
import { decodeJwt, EmbeddedJWK, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import type { AdapterTools } from '../../../../src/config/adapter.ts'
import type { GatewayError } from '../../../../src/core/errors.ts'
import { dpopProver } from '../../../../src/trust/jwt/issue-dpop.ts'
import { type SendTokenRequest, type VoucherSourceOptions, voucherSource } from '../../../../src/trust/jwt/voucher.ts'
import type { TokenAnswer } from '../../../../src/trust/jwt/voucher-answer.ts'
import type { Signer } from '../../../../src/trust/signer.ts'
import { signerOf, signing } from '../../../support/saml.ts'

const clientId = 'e58035ce-c753-4f72-b613-46f8a17b71cc'
const purposeId = '570a415e-0e7f-410d-85ed-c55ea5537933'
const kid = 'CrocE_via-0123456789012345678901234567890ab'
const endpoint = 'https://auth.uat.interop.pagopa.it/token.oauth2'
const audience = 'auth.uat.interop.pagopa.it/client-assertion'
const start = 1_780_300_800_000

const signer = signerOf(signing('gateway'))
const { certificate } = signer

type Sent = Parameters<SendTokenRequest>[0]
type Answering = (request: Sent, number: number) => TokenAnswer | Promise<TokenAnswer>

const answer = (status: number, body: unknown, headers: Record<string, string> = {}): TokenAnswer => {
  return { status, headers, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) }
}
const granted = (number: number, more: object = {}) => {
  return answer(200, { access_token: `head.${number}.sign`, token_type: 'Bearer', expires_in: 600, ...more })
}
const problem = (code: string, status = 400) => {
  return answer(status, { type: 'about:blank', status, title: 'Bad', errors: [{ code, detail: 'geheim' }] })
}
const never = () => new Promise<TokenAnswer>(() => undefined)

/** A source whose requests are answered as told, and a clock that moves when told. */
function setUp(answering: Answering = (_, number) => granted(number), more: Partial<VoucherSourceOptions> = {}) {
  const sent: Sent[] = []
  const failures: GatewayError[] = []
  let now = start
  const clock = { now: () => now }
  const source = voucherSource({
    send: async (request) => answering(request, sent.push(request)),
    signer,
    clock,
    endpoint,
    audience,
    clientId,
    kid,
    purposeId,
    skewMs: 60_000,
    onFailure: (error) => failures.push(error),
    ...more,
  })
  return {
    sent,
    failures,
    source,
    clock,
    pass(milliseconds: number) {
      now += milliseconds
    },
    ask: async (signal = new AbortController().signal, evidenceDigest?: string) => {
      const request = { method: 'POST', url: 'https://service.example/a', signal }
      const headers = await source.authorize(evidenceDigest === undefined ? request : { ...request, evidenceDigest })
      return headers.Authorization
    },
  }
}

/** Lets what is under way come to its end; signing and answering take no timers. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

const formOf = ({ body }: Sent) => Object.fromEntries(new URLSearchParams(body))

async function assertionIn(request: Sent | undefined) {
  const assertion = request === undefined ? '' : (formOf(request).client_assertion ?? '')
  return await jwtVerify(assertion, certificate.publicKey, { currentDate: new Date(start), audience, issuer: clientId })
}

describe('a token request', () => {
  it('is the form of the norm around a client assertion of RS256, kid and the claims of the norm alone', async () => {
    const { ask, sent } = setUp()
    expect(await ask()).toBe('Bearer head.1.sign')
    const [request] = sent
    expect(request).toMatchObject({ url: endpoint, method: 'POST' })
    expect(request?.headers).toEqual({
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
    })
    expect(request === undefined ? {} : formOf(request)).toEqual({
      client_id: clientId,
      client_assertion: expect.any(String),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      grant_type: 'client_credentials',
    })
    const { payload, protectedHeader } = await assertionIn(request)
    expect(protectedHeader).toEqual({ alg: 'RS256', kid, typ: 'JWT' })
    expect(payload).toEqual({
      iss: clientId,
      sub: clientId,
      aud: audience,
      purposeId,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      iat: start / 1000,
      exp: start / 1000 + 120,
    })
  })

  it('ties the voucher to the tracking evidence by its digest', async () => {
    const { ask, sent } = setUp()
    const digest = createHash('sha256').update('evidence').digest('hex')
    await ask(undefined, digest)
    expect((await assertionIn(sent[0])).payload.digest).toEqual({ alg: 'SHA256', value: digest })
  })

  it('names no purpose for a client of the services of PDND itself', async () => {
    const sent: Sent[] = []
    const send = async (request: Sent) => granted(sent.push(request))
    const clock = { now: () => start }
    const source = voucherSource({ send, signer, clock, endpoint, audience, clientId, kid, skewMs: 0 })
    await source.authorize({ method: 'GET', url: 'https://a.example/', signal: AbortSignal.timeout(5_000) })
    expect((await assertionIn(sent[0])).payload).not.toHaveProperty('purposeId')
  })

  it.each([
    ['a client id that is no UUID', { clientId: 'crocevia' }],
    ['a purpose id that is no UUID', { purposeId: '1' }],
    ['a kid that is no thumbprint', { kid: 'short' }],
    ['a key that is not RSA', { signer: { ...signer, certificate: ecCertificate() } }],
  ])('is not begun with %s', (_, change) => {
    expect(() => setUp(undefined, change)).toThrow()
  })

  it('goes out through what adapters send with', () => {
    const send = undefined as unknown as AdapterTools['send'] satisfies SendTokenRequest
    expect(send).toBeUndefined()
  })
})

function ecCertificate(): X509Certificate {
  return new X509Certificate(signing('region-050', 'signing-ec').certificate)
}

describe('a voucher', () => {
  it('is asked for once and used until shortly before its end', async () => {
    const { ask, pass, sent } = setUp()
    await ask()
    pass(400_000)
    expect(await ask()).toBe('Bearer head.1.sign')
    expect(sent).toHaveLength(1)
    pass(140_000)
    expect(await ask()).toBe('Bearer head.2.sign')
    expect(sent).toHaveLength(2)
  })

  it('is renewed ahead of its end, once, while the old one still serves', async () => {
    const { ask, pass, sent } = setUp()
    await ask()
    pass(432_000)
    expect(await Promise.all([ask(), ask(), ask()])).toEqual(Array(3).fill('Bearer head.1.sign'))
    await settled()
    expect(sent).toHaveLength(2)
    expect(await ask()).toBe('Bearer head.2.sign')
  })

  it('is shared by everybody who waits for it', async () => {
    const { ask, sent } = setUp(async (_, number) => {
      await settled()
      return granted(number)
    })
    const all = await Promise.all(Array.from({ length: 50 }, () => ask()))
    expect(new Set(all)).toEqual(new Set(['Bearer head.1.sign']))
    expect(sent).toHaveLength(1)
  })

  it('that lives no longer than the clocks may differ is used for the first half of its life', async () => {
    const { ask, pass, sent } = setUp((_, number) => granted(number, { expires_in: 60 }))
    await ask()
    pass(20_000)
    await ask()
    expect(sent).toHaveLength(1)
    pass(10_000)
    await ask()
    expect(sent).toHaveLength(2)
  })

  it('is counted from when it was asked for, not from when it came', async () => {
    const setting = setUp(async (_, number) => {
      setting.pass(500_000)
      return granted(number)
    })
    await setting.ask()
    setting.pass(40_000)
    await setting.ask()
    expect(setting.sent).toHaveLength(2)
  })

  it('is never asked for twice with one assertion', async () => {
    const { ask, pass, sent } = setUp()
    for (let index = 0; index < 5; index++) {
      await ask()
      pass(600_000)
    }
    const ids = sent.map((request) => decodeJwt(formOf(request).client_assertion ?? '').jti)
    expect(new Set(ids).size).toBe(5)
  })

  it('for tracked evidence is for one request: neither kept, nor shared, nor the one that is kept', async () => {
    const { ask, sent } = setUp()
    const digest = 'ab'.repeat(32)
    expect(await ask()).toBe('Bearer head.1.sign')
    expect(new Set(await Promise.all([ask(undefined, digest), ask(undefined, digest)])).size).toBe(2)
    expect(await ask()).toBe('Bearer head.1.sign')
    expect(sent).toHaveLength(3)
  })

  it.each(['', 'ab', 'AB'.repeat(32), `${'ab'.repeat(32)}\n`])(
    'is not asked for with the digest %j',
    async (digest) => {
      const { ask, sent } = setUp()
      await expect(ask(undefined, digest)).rejects.toMatchObject({ code: 'internal' })
      expect(sent).toHaveLength(0)
    },
  )
})

describe('a wait for a voucher', () => {
  it('ends with the caller, and goes on for the others', async () => {
    let give: (answer: TokenAnswer) => void = () => undefined
    const { ask, failures, sent } = setUp(() => new Promise((resolve) => (give = resolve)))
    const leaving = new AbortController()
    const gone = ask(leaving.signal)
    const staying = ask()
    await settled()
    leaving.abort()
    await expect(gone).rejects.toMatchObject({ code: 'caller-gone' })
    give(granted(1))
    expect(await staying).toBe('Bearer head.1.sign')
    expect(sent).toHaveLength(1)
    expect(failures).toEqual([])
  })

  it("ends with the caller's deadline, and says so", async () => {
    const { ask } = setUp(never)
    const late = new AbortController()
    const wait = ask(late.signal)
    late.abort(new DOMException('late', 'TimeoutError'))
    await expect(wait).rejects.toMatchObject({ code: 'community-timeout' })
  })

  it('is not begun for somebody who has left', async () => {
    const { ask, sent } = setUp()
    await expect(ask(AbortSignal.abort())).rejects.toMatchObject({ code: 'caller-gone' })
    await expect(ask(AbortSignal.abort(), 'ab'.repeat(32))).rejects.toMatchObject({ code: 'caller-gone' })
    expect(sent).toHaveLength(0)
  })

  it('ends with our own limit, even where the transport is deaf, and the transport is told', async () => {
    const { ask, failures, sent } = setUp(never, { timeoutMs: 10 })
    await expect(ask()).rejects.toMatchObject({ code: 'community-timeout' })
    expect(sent[0]?.signal.aborted).toBe(true)
    expect(failures.map(({ code }) => code)).toEqual(['community-timeout'])
  })

  it('for tracked evidence tells the transport that the caller left, and blames nobody', async () => {
    const { ask, failures, sent } = setUp((_, number) => (number === 1 ? never() : granted(number)))
    const leaving = new AbortController()
    const gone = ask(leaving.signal, 'ab'.repeat(32))
    await settled()
    leaving.abort()
    await expect(gone).rejects.toMatchObject({ code: 'caller-gone' })
    expect(sent[0]?.signal.aborted).toBe(true)
    expect(failures).toEqual([])
    expect(await ask()).toBe('Bearer head.2.sign')
  })

  it('ends when the source is disposed of', async () => {
    const { ask, failures, source } = setUp(never)
    const wait = ask()
    source[Symbol.dispose]()
    await expect(wait).rejects.toMatchObject({ code: 'overloaded' })
    await expect(ask()).rejects.toMatchObject({ code: 'overloaded' })
    expect(failures).toEqual([])
  })
})

describe('an outage of PDND', () => {
  const down = () => Promise.reject(new Error('ECONNREFUSED'))

  it('is told again without asking for a second, then for two, and never for more than thirty', async () => {
    const { ask, failures, pass, sent } = setUp(down)
    const attempts: number[] = []
    for (let second = 0; second <= 125; second++) {
      const before = sent.length
      await expect(ask()).rejects.toMatchObject({ code: 'community-unavailable' })
      if (sent.length > before) attempts.push(second)
      pass(1_000)
    }
    expect(attempts).toEqual([0, 1, 3, 7, 15, 31, 61, 91, 121])
    expect(failures).toHaveLength(attempts.length)
  })

  it('is over with the first answer', async () => {
    const { ask, pass, sent } = setUp((_, number) => (number < 3 ? down() : granted(number)))
    await expect(ask()).rejects.toThrow()
    pass(1_000)
    await expect(ask()).rejects.toThrow()
    await expect(ask()).rejects.toThrow()
    expect(sent).toHaveLength(2)
    pass(2_000)
    expect(await ask()).toBe('Bearer head.3.sign')
  })

  it('that comes after another one is over begins with a second again', async () => {
    const { ask, pass, sent } = setUp((_, number) => (number === 4 ? granted(number) : down()))
    for (const pause of [1_000, 2_000, 4_000]) {
      await expect(ask()).rejects.toThrow()
      pass(pause)
    }
    expect(await ask()).toBe('Bearer head.4.sign')
    pass(600_000)
    await expect(ask()).rejects.toThrow()
    pass(1_000)
    await expect(ask()).rejects.toThrow()
    expect(sent).toHaveLength(6)
  })

  it('met by requests under way together lasts no longer for that', async () => {
    const { ask, pass, sent } = setUp(down)
    const together = Array.from({ length: 10 }, (_, index) => ask(undefined, `${index}`.repeat(64)))
    await Promise.allSettled(together)
    expect(sent).toHaveLength(10)
    pass(1_000)
    await expect(ask()).rejects.toThrow()
    expect(sent).toHaveLength(11)
  })

  it('does no harm while a voucher still serves', async () => {
    const { ask, failures, pass, sent } = setUp((_, number) => (number > 1 ? down() : granted(number)))
    await ask()
    pass(500_000)
    for (let index = 0; index < 10; index++) expect(await ask()).toBe('Bearer head.1.sign')
    await settled()
    expect(await ask()).toBe('Bearer head.1.sign')
    expect(sent).toHaveLength(2)
    expect(failures).toHaveLength(1)
    pass(40_000)
    await expect(ask()).rejects.toMatchObject({ code: 'community-unavailable' })
  })

  it('met by many at once is one outage', async () => {
    const { ask, failures, sent } = setUp(down)
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => ask()))
    expect(all.every(({ status }) => status === 'rejected')).toBe(true)
    expect([sent.length, failures.length]).toEqual([1, 1])
  })

  it('keeps vouchers for tracked evidence from hammering too', async () => {
    const { ask, sent } = setUp(down)
    await expect(ask(undefined, 'ab'.repeat(32))).rejects.toMatchObject({ code: 'community-unavailable' })
    await expect(ask(undefined, 'cd'.repeat(32))).rejects.toMatchObject({ code: 'community-unavailable' })
    expect(sent).toHaveLength(1)
  })

  it('is no outage of PDND when it is our signer that fails', async () => {
    const broken: Signer = { ...signer, sign: () => Promise.reject(new Error('the device is gone')) }
    const { ask, sent } = setUp(undefined, { signer: broken })
    await expect(ask()).rejects.toMatchObject({ code: 'internal', fault: 'gateway' })
    expect(sent).toHaveLength(0)
  })
})

describe('a refusal of PDND', () => {
  it.each([
    ['015-0020', 'purpose'],
    ['015-0021', 'agreement'],
    ['015-0022', 'e-service'],
  ])('%s is a state of the world: flagged, told once, and not asked about again for a while', async (code, state) => {
    const { ask, failures, pass, sent } = setUp(() => problem(code))
    const details = { status: 400, code, businessState: state }
    for (let index = 0; index < 29; index++) {
      await expect(ask()).rejects.toMatchObject({ code: 'community-rejected', details })
      pass(1_000)
    }
    expect(sent).toHaveLength(1)
    expect(failures.map((failure) => failure.details)).toEqual([details])
    pass(1_000)
    await expect(ask()).rejects.toThrow()
    expect(sent).toHaveLength(2)
  })

  it.each(['015-0008', '015-0016'])('%s is a refusal without such a flag', async (code) => {
    const { ask } = setUp(() => problem(code))
    const error = await ask().catch((thrown: GatewayError) => thrown)
    expect(error).toMatchObject({ code: 'community-rejected', details: { status: 400, code } })
    expect(error).not.toHaveProperty('details.businessState')
  })

  it('is found among several codes', async () => {
    const errors = ['015-0008', '015-0021'].map((code) => ({ code, detail: '' }))
    const { ask } = setUp(() => answer(400, { errors }))
    await expect(ask()).rejects.toMatchObject({ details: { code: '015-0021', businessState: 'agreement' } })
  })

  it('quotes nothing of what was answered', async () => {
    const { ask } = setUp(() => problem('015-0021'))
    const error = (await ask().catch((thrown: GatewayError) => thrown)) as GatewayError
    expect(JSON.stringify([error.message, error.details, String(error.cause), error.issues])).not.toContain('geheim')
  })

  it.each([
    ['that is too busy', answer(429, 'no', { 'x-rate-limit-interval': '20000' }), 'community-busy', 20],
    ['that is too busy for hours', answer(429, 'no', { 'x-rate-limit-interval': '7200000' }), 'community-busy', 30],
    ['that is too busy and says no more', answer(429, 'no'), 'community-busy', 1],
    ['that is broken', problem('015-0000', 500), 'community-unavailable', 1],
    ['that is not there', answer(404, '<html>'), 'community-rejected', 30],
  ] as const)('by a server %s', async (_, refusal, code, seconds) => {
    const { ask, pass, sent } = setUp(() => refusal)
    await expect(ask()).rejects.toMatchObject({ code })
    pass(seconds * 1_000 - 1)
    await expect(ask()).rejects.toMatchObject({ code })
    expect(sent).toHaveLength(1)
    pass(1)
    await expect(ask()).rejects.toMatchObject({ code })
    expect(sent).toHaveLength(2)
  })
})

describe('an answer that is no voucher is not used:', () => {
  it.each([
    ['no JSON', answer(200, '<html>')],
    ['nothing', answer(200, '')],
    ['no object', answer(200, 'null')],
    ['no token', granted(1, { access_token: undefined })],
    ['an empty token', granted(1, { access_token: '' })],
    ['a token that is no JWS', granted(1, { access_token: 'opaque' })],
    ['a token that would break the header', granted(1, { access_token: 'a.b.c\r\nX: y' })],
    ['a token without end', granted(1, { access_token: `a.b.${'c'.repeat(20_000)}` })],
    ['another type', granted(1, { token_type: 'mac' })],
    ['a voucher bound to a key nobody showed', granted(1, { token_type: 'DPoP' })],
    ['no type', granted(1, { token_type: undefined })],
    ['no life', granted(1, { expires_in: 0 })],
    ['a life that is a text', granted(1, { expires_in: '600' })],
    ['a life that is no number', answer(200, '{"access_token":"a.b.c","token_type":"Bearer","expires_in":1e999}')],
    ['an instant instead of a life', granted(1, { expires_in: start / 1000 + 600 })],
    ['too much', answer(200, `{"access_token":"a.b.c"}${' '.repeat(70_000)}`)],
    ['another status', { ...granted(1), status: 204 }],
  ])('%s', async (_, given) => {
    const { ask, failures } = setUp(() => given)
    await expect(ask()).rejects.toMatchObject({ code: 'community-misbehaved', fault: 'community' })
    expect(failures).toHaveLength(1)
  })

  it('while the type may be spelt in any case', async () => {
    expect(await setUp((_, number) => granted(number, { token_type: 'bearer' })).ask()).toBe('Bearer head.1.sign')
  })
})

describe('a voucher bound to a key', () => {
  const dpop = dpopProver(signer, { clock: { now: () => start } })

  it('is asked for with a proof, and used with another one that names it', async () => {
    const { sent, source } = setUp((_, number) => granted(number, { token_type: 'DPoP' }), { dpop })
    const request = { method: 'GET', url: 'https://service.example/a?q=1', signal: AbortSignal.timeout(5_000) }
    const headers = await source.authorize(request)
    const asked = await jwtVerify(sent[0]?.headers.DPoP ?? '', EmbeddedJWK)
    expect(asked.payload).toMatchObject({ htm: 'POST', htu: endpoint })
    expect(asked.payload).not.toHaveProperty('ath')
    expect(headers.Authorization).toBe('DPoP head.1.sign')
    const used = await jwtVerify(headers.DPoP ?? '', EmbeddedJWK)
    const ath = createHash('sha256').update('head.1.sign').digest('base64url')
    expect(used.payload).toMatchObject({ htm: 'GET', htu: 'https://service.example/a', ath })
    expect((await source.authorize(request)).DPoP).not.toBe(headers.DPoP)
    expect(sent).toHaveLength(1)
  })

  it('is not exchanged for one that anybody could use', async () => {
    const { ask } = setUp(undefined, { dpop })
    await expect(ask()).rejects.toMatchObject({ code: 'community-misbehaved', details: { reason: 'token-type' } })
  })
})
