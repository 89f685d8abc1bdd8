import { type ChildProcess, spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { connect } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { kidOf, type Pdnd, startPdnd } from '../network/pdnd.ts'
import { type Region, startRegion } from '../network/region.ts'
import type { Channel } from '../network/soap-client.ts'
import { startTuscanRecord, type TuscanRecord } from '../network/tuscan-record.ts'
import { type CommunityChanges, certificates, type FederationInput, homeOf } from '../support/gateway-config.ts'
import { type OwnPki, ownPki, pemOf } from '../support/own-pki.ts'
import { reasonsSince, told, toldOf } from '../support/told.ts'
import { assertionOf, pathOf, seed, signerIn, startTrustGateway, type TrustGateway } from '../support/trust-gateway.ts'
import type { Made } from '../unit/trust/x509/issuing.ts'

vi.mock('../../src/telemetry/log.ts', async (original) => {
  const { telling } = await import('../support/told.ts')
  return telling(await original<typeof import('../../src/telemetry/log.ts')>())
})

/** Both pairs of the gateway, of one age. */
interface Pairs {
  readonly tls: Made
  readonly signing: Made
}

const names = { tls: 'A1#090#090CROCEVIA-DEV', signing: 'S1#090#090CROCEVIA-DEV' }
const nextUpdate = Date.now() + 86_400_000

let pki: OwnPki
let record: TuscanRecord
let first: Pairs
let second: Pairs
let veneto: { readonly channel: Channel; readonly tls: Made; readonly signing: Made; readonly assertion: string }
let server: Made

beforeAll(async () => {
  pki = await ownPki()
  const pairs = async (years: number): Promise<Pairs> => {
    const [tls, signing] = await Promise.all([
      pki.issue('tls', names.tls, { years }),
      pki.issue('signing', names.signing, { rsa: true, years }),
    ])
    return { tls, signing }
  }
  ;[first, second, server] = await Promise.all([pairs(2), pairs(3), pki.issue('tls', 'A1#090#090REGIONETOSCANA-DEV')])
  const [tls, signing] = await Promise.all([
    pki.issue('tls', 'A1#050#050REGIONEVENETO-DEV'),
    pki.issue('signing', 'S1#050#050REGIONEVENETO-DEV'),
  ])
  const pair = pemOf(tls)
  const channel = { ca: readFileSync(pki.path('ca.pem'), 'utf8'), cert: pair.certificate, key: pair.key }
  const by = { ...pemOf(signing), algorithm: 'ecdsa-sha256' } as const
  veneto = { channel, tls, signing, assertion: assertionOf({ by }) }
  pki.write('tuscany', 'tls', server)
  record = await startTuscanRecord({ certificates: pki.folder, seed })
})
afterAll(async () => {
  await record[Symbol.asyncDispose]()
  await pki[Symbol.asyncDispose]()
})

/** As a mounted secret is turned: each file at once. */
function turn(name: string, content: string): void {
  writeFileSync(pki.path(`${name}.new`), content)
  renameSync(pki.path(`${name}.new`), pki.path(name))
}

function turnPairs({ tls, signing }: Pairs): void {
  for (const [use, made] of [
    ['tls', tls],
    ['signing', signing],
  ] as const) {
    const { certificate, key } = pemOf(made)
    turn(`gateway/${use}.crt.pem`, certificate)
    turn(`gateway/${use}.key.pem`, key)
  }
}

const identity = () => {
  const pair = (use: string) => ({
    certificate: pki.path(`gateway/${use}.crt.pem`),
    key: pki.path(`gateway/${use}.key.pem`),
  })
  return { tls: pair('tls'), signing: pair('signing') }
}

/** A gateway of these authorities, from its first pairs. */
async function start(
  gateway: Partial<FederationInput['gateway']> = {},
  communities: Partial<Record<'tuscany' | 'region-050', CommunityChanges>> = {},
  regions?: readonly Region[],
): Promise<TrustGateway> {
  pki.write('gateway', 'tls', first.tls)
  pki.write('gateway', 'signing', first.signing)
  const authorities = {
    callers: { anchors: [pki.path('ca.pem')] },
    assertions: { anchors: [pki.path('signing-ca.pem')] },
  }
  const ca = { tls: [pki.path('ca.pem')] }
  return await startTrustGateway({
    record,
    asksAlways: regions !== undefined,
    ...(regions && { regions }),
    config: { identity: identity(), reloadEveryMs: 100, ...gateway },
    communities: {
      tuscany: {
        ...communities.tuscany,
        trust: { ...ca, ...communities.tuscany?.trust },
        guard: { minimumCalls: 10_000 },
      },
      'region-050': {
        ...communities['region-050'],
        trust: { ...ca, ...authorities, ...communities['region-050']?.trust },
      },
    },
  })
}

/** The certificate the gateway shows to whoever connects now. */
async function shown(gateway: TrustGateway): Promise<string> {
  const socket = connect({ port: gateway.gateway.ports.soap, host: 'localhost', ...veneto.channel })
  await once(socket, 'secureConnect')
  const fingerprint = socket.getPeerX509Certificate()?.fingerprint256 ?? ''
  socket.destroy()
  return fingerprint
}

/** Who signed the assertion in the last message to the record, and with which certificate it came. */
function lastAsked(log: TuscanRecord['asked'] = record.asked) {
  const { body, fingerprint } = log.last.at(-1) ?? {}
  return { signing: signerOf(body ?? ''), tls: fingerprint }
}

function signerOf(body: string): string {
  const der = /<ds:X509Certificate>([^<]+)/.exec(body)?.[1] ?? ''
  return new X509Certificate(Buffer.from(der, 'base64')).fingerprint256
}

const prints = ({ tls, signing }: Pairs) => {
  return { tls: tls.certificate.fingerprint256, signing: signing.certificate.fingerprint256 }
}

/** A question of Veneto’s in a message of its own; its assertion is good for all of them. */
const ask = (gateway: TrustGateway, agent?: Agent) =>
  gateway.knock({ as: veneto.channel, assertions: [veneto.assertion], ...(agent && { agent }) })

describe('keys and certificates that are replaced while the gateway is at work', () => {
  it('cost no request, and are in use for whatever begins afterwards', async () => {
    // The record is asked often, yet not about every question: it takes longer than the gateway does.
    await using gateway = await start({}, { tuscany: { cache: { ttlMs: 50, entries: 1 } } })
    const agent = new Agent({ keepAlive: true, maxSockets: 4 })
    onTestFinished(() => agent.destroy())
    expect((await ask(gateway, agent)).status).toBe('Success')
    expect(await shown(gateway)).toBe(prints(first).tls)
    record.asked.clear()
    const place = told.length
    const outcomes: string[] = []
    const reloaded = () => toldOf('trust-reloaded', place).length > 0
    const client = async (kept: boolean) => {
      while (outcomes.length < 200 || !reloaded()) {
        const { status, fault } = await ask(gateway, kept ? agent : undefined)
        outcomes.push(status ?? fault?.reason ?? 'nothing')
        if (outcomes.length === 40) turnPairs(second)
      }
    }
    await Promise.all([true, true, true, false, false, false].map(client))
    expect(outcomes.filter((outcome) => outcome !== 'Success')).toEqual([])
    expect(toldOf('trust-reload-failed', place)).toEqual([])
    expect(await shown(gateway)).toBe(prints(second).tls)
    expect((await ask(gateway, agent)).status).toBe('Success')
    expect(lastAsked()).toEqual(prints(second))
    expect(new Set(record.asked.last.map(({ body }) => signerOf(body)))).toEqual(
      new Set([prints(first).signing, prints(second).signing]),
    )
  })

  it('are told of by the metrics as they are now', async () => {
    await using gateway = await start({ reloadEveryMs: 3_600_000 })
    const end = async (name: string) => gateway.metric(`crocevia_certificate_not_after_seconds{certificate="${name}"}`)
    const seconds = ({ certificate }: Made) => certificate.validToDate.getTime() / 1000
    expect(await end('gateway/tls')).toBe(seconds(first.tls))
    expect(await end('gateway/signing')).toBe(seconds(first.signing))
    turnPairs(second)
    expect(await gateway.gateway.reload()).toBe(true)
    expect(await end('gateway/tls')).toBe(seconds(second.tls))
    expect(await end('gateway/signing')).toBe(seconds(second.signing))
  })

  it('stay as they were before files that cannot be used, which an event and a metric tell of', async () => {
    const callers = {
      anchors: [pki.path('ca.pem')],
      revocationLists: [await pki.list('ca.crl', pki.tlsRoot, { nextUpdate })],
    }
    await using gateway = await start({ reloadEveryMs: 3_600_000 }, { 'region-050': { trust: { callers } } })
    expect((await ask(gateway)).status).toBe('Success')
    const useless: readonly (readonly [file: string, content: string])[] = [
      // Half written, of another certificate, none at all.
      ['gateway/signing.key.pem', pemOf(second.signing).key.slice(0, 200)],
      ['gateway/tls.key.pem', pemOf(second.tls).key],
      ['gateway/tls.crt.pem', 'no certificate'],
      ['signing-ca.pem', 'no anchors'],
      ['ca.crl', 'no list'],
    ]
    for (const [index, [file, content]] of useless.entries()) {
      const sound = readFileSync(pki.path(file))
      const place = told.length
      turn(file, content)
      expect(await gateway.gateway.reload(), file).toBe(false)
      writeFileSync(pki.path(file), sound)
      expect(toldOf('trust-reload-failed', place)).toMatchObject([{ level: 'error', paths: [pki.path(file)] }])
      expect(await gateway.metric('crocevia_events_total{event="trust-reload-failed"}')).toBe(index + 1)
      expect((await ask(gateway)).status).toBe('Success')
      expect(await shown(gateway)).toBe(prints(first).tls)
    }
    expect(lastAsked()).toEqual(prints(first))
    expect(await gateway.gateway.reload()).toBe(true)
    expect((await ask(gateway)).status).toBe('Success')
  })

  it('are noticed to be of no use, and to be sound again, by themselves', async () => {
    await using gateway = await start()
    const place = told.length
    turn('gateway/tls.crt.pem', 'no certificate')
    await expect.poll(() => toldOf('trust-reload-failed', place)).toHaveLength(1)
    turn('gateway/tls.crt.pem', pemOf(first.tls).certificate)
    await expect.poll(() => toldOf('trust-reloaded', place)).toHaveLength(1)
    expect((await ask(gateway)).status).toBe('Success')
  })
})

describe('a revocation list that is replaced', () => {
  const lists = (revoked: { tls?: readonly Made[]; signing?: readonly Made[] } = {}) =>
    Promise.all([
      pki.list('ca.crl', pki.tlsRoot, { nextUpdate, revoked: revoked.tls ?? [] }),
      pki.list('signing-ca.crl', pki.signingRoot, { nextUpdate, revoked: revoked.signing ?? [] }),
    ])
  let gateway: TrustGateway
  beforeAll(async () => {
    await lists()
    const tlsRevocationLists = [pki.path('ca.crl')]
    const callers = { anchors: [pki.path('ca.pem')], revocationLists: tlsRevocationLists }
    const assertions = { anchors: [pki.path('signing-ca.pem')], revocationLists: [pki.path('signing-ca.crl')] }
    gateway = await start(
      {},
      {
        tuscany: { trust: { tlsRevocationLists }, cache: { ttlMs: 1, entries: 1 } },
        'region-050': { trust: { callers, assertions } },
      },
    )
  })
  afterAll(() => gateway[Symbol.asyncDispose]())

  /** Puts lists to use without a restart: nobody but the gateway itself looks at them. */
  async function inForce(revoked: Parameters<typeof lists>[0]): Promise<void> {
    const place = told.length
    await lists(revoked)
    await expect.poll(() => toldOf('trust-reloaded', place)).toHaveLength(1)
  }

  it('locks a caller out, also on connections that were open, and lets it in when the list does', async () => {
    const agent = new Agent({ keepAlive: true })
    onTestFinished(() => agent.destroy())
    expect((await ask(gateway, agent)).status).toBe('Success')
    await inForce({ tls: [veneto.tls] })
    const place = told.length
    for (const kept of [agent, undefined]) {
      expect((await ask(gateway, kept)).fault).toMatchObject({ subcodes: ['wsse:FailedAuthentication'] })
    }
    expect(toldOf('certificate-distrusted', place)).toMatchObject([
      { party: 'region-050', reason: 'certificate-revoked' },
      { party: 'region-050', reason: 'certificate-revoked' },
    ])
    await inForce({})
    expect((await ask(gateway, agent)).status).toBe('Success')
  })

  it('takes an assertion its signer’s certificate, though the assertion was believed before', async () => {
    expect((await ask(gateway)).status).toBe('Success')
    await inForce({ signing: [veneto.signing] })
    const place = told.length
    expect((await ask(gateway)).fault).toMatchObject({ subcodes: ['wsse:FailedAuthentication'] })
    expect(reasonsSince(place)).toEqual(['certificate certificate-revoked'])
    await inForce({})
    expect((await ask(gateway)).status).toBe('Success')
  })

  it('ends what we have to do with a community’s server, connections that were open included', async () => {
    expect((await ask(gateway)).status).toBe('Success')
    await inForce({ tls: [server] })
    record.asked.clear()
    const answer = await ask(gateway)
    expect(answer).toMatchObject({ status: 'Failure', issues: [{ location: homeOf('tuscany') }] })
    expect(record.asked.total).toBe(0)
    await inForce({})
    expect((await ask(gateway)).status).toBe('Success')
  })
})

describe('vouchers of PDND when keys are replaced', () => {
  const clientId = 'e58035ce-c753-4f72-b613-46f8a17b71cc'
  const purposeId = '570a415e-0e7f-410d-85ed-c55ea5537933'
  const audience = 'https://fse.veneto.example/xca'
  let pdnd: Pdnd
  let region: Region
  let gateway: TrustGateway
  const kids: string[] = []
  beforeAll(async () => {
    for (const party of ['stranger', 'region-050']) pki.write(party, 'tls', server)
    // Renewed certificates of one key, as PDND knows it.
    second = { ...second, signing: first.signing }
    const { publicKey } = first.signing.certificate
    kids.push(await kidOf(publicKey))
    const clients = [{ id: clientId, keys: [publicKey], purposes: [{ id: purposeId, audience }] }]
    pdnd = await startPdnd({ certificates: pki.folder, clients })
    region = await startRegion({ certificates: pki.folder, seed, region: '050' })
    const tls = [pki.path('ca.pem')]
    const voucher = { endpoint: pdnd.urls.token, tls, audience: pdnd.audience, clientId, kid: kids[0] ?? '', purposeId }
    gateway = await start({ reloadEveryMs: 3_600_000 }, { 'region-050': { modi: { pdnd: voucher } } }, [region])
  })
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]()
    await region[Symbol.asyncDispose]()
    await pdnd[Symbol.asyncDispose]()
  })
  afterEach(() => pdnd.behave('normal'))

  const portal = () => ({ ...pathsOf('portal'), by: signerIn('portal') })
  const pathsOf = (party: string) => {
    const file = (name: string) => readFileSync(pathOf(`${party}/${name}`), 'utf8')
    return { as: { ca: veneto.channel.ca, cert: file('tls.crt.pem'), key: file('tls.key.pem') } }
  }
  const question = () => gateway.knock({ ...portal(), door: 'iti18', claims: { issuer: '090' } })

  it('are asked for with the new certificate, and whoever waits for one meanwhile gets it', async () => {
    await pdnd.behave({ behave: 'slow', delayMs: 300, times: 1 })
    const waiting = question()
    await expect.poll(() => pdnd.asked.total).toBe(1)
    turnPairs(second)
    expect(await gateway.gateway.reload()).toBe(true)
    const answers = await Promise.all([waiting, question()])
    expect(answers.map(({ status, issues }) => ({ status, issues }))).toEqual([
      { status: 'Success', issues: [] },
      { status: 'Success', issues: [] },
    ])
    expect(pdnd.asked.last.at(-1)?.fingerprint).toBe(prints(second).tls)
    expect(lastAsked(region.asked).tls).toBe(prints(second).tls)
  })
})

const program = fileURLToPath(new URL('../support/signer-process.ts', import.meta.url))

/** A signer process with the signing pair in a folder; resolves when it listens. */
async function startSigner(party: string, socket: string): Promise<ChildProcess> {
  const pair = ['--certificate', pki.path(`${party}/signing.crt.pem`), '--key', pki.path(`${party}/signing.key.pem`)]
  const child = spawn(process.execPath, [program, ...pair, '--socket', socket], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

describe('a signing key that is not in this process', () => {
  it('signs, is missed while its process is away, and is another once keys are loaded anew', async () => {
    const third = await pki.issue('signing', names.signing, { rsa: true })
    pki.write('signer', 'signing', first.signing)
    pki.write('next-signer', 'signing', third)
    const socket = pki.path('signer.sock')
    const before = await startSigner('signer', socket)
    const remote = { ...identity(), signing: { signer: socket } }
    const tuscany = { cache: { ttlMs: 1, entries: 1 } }
    await using gateway = await start({ identity: remote, reloadEveryMs: 3_600_000 }, { tuscany })
    expect((await ask(gateway)).status).toBe('Success')
    expect(lastAsked().signing).toBe(first.signing.certificate.fingerprint256)

    await killed(before)
    const without = await ask(gateway)
    expect(without).toMatchObject({ status: 'Failure', documents: [] })
    expect(await gateway.gateway.reload()).toBe(false)
    const again = await startSigner('signer', socket)
    expect((await ask(gateway)).status).toBe('Success')

    await killed(again)
    await startSigner('next-signer', socket)
    expect(await ask(gateway)).toMatchObject({ status: 'Failure', documents: [] })
    expect(await gateway.gateway.reload()).toBe(true)
    expect((await ask(gateway)).status).toBe('Success')
    expect(lastAsked().signing).toBe(third.certificate.fingerprint256)
  })
})

describe('identities in PKCS#12', () => {
  it('are as good as any', async () => {
    const passphrase = pathOf('gateway/p12.password')
    const packed = (use: string) => ({ pkcs12: pathOf(`gateway/${use}.p12`), passphrase })
    await using gateway = await startTrustGateway({
      config: { identity: { tls: packed('tls'), signing: packed('signing') } },
    })
    expect((await gateway.knock()).status).toBe('Success')
    const own = (use: string) => new X509Certificate(readFileSync(`${certificates}/gateway/${use}.crt.pem`))
    expect(lastAsked(gateway.record.asked)).toEqual({
      tls: own('tls').fingerprint256,
      signing: own('signing').fingerprint256,
    })
  })
})

describe('the end of a certificate', () => {
  const ends = new X509Certificate(readFileSync(`${certificates}/gateway/tls.crt.pem`)).validToDate.getTime()
  const day = 86_400_000

  it.each([
    [45, 'warn', 45],
    [20, 'warn', 20],
    [5, 'error', 5],
    [-1, 'error', -2],
  ])('is told of when %d days are left, and always in the metrics', async (days, level, daysLeft) => {
    const clock = { now: () => ends - days * day - (days < 0 ? -1 : 0) }
    const place = told.length
    await using gateway = await startTrustGateway({ clock })
    const [ending, ...more] = toldOf('certificate-ending', place).filter(
      ({ certificate }) => certificate === 'gateway/tls',
    )
    expect(ending).toMatchObject({ level, daysLeft })
    expect(more).toEqual([])
    const series = 'crocevia_certificate_not_after_seconds{certificate="gateway/tls"}'
    expect(await gateway.metric(series)).toBe(ends / 1000)
    expect(await gateway.metric('crocevia_events_total{event="certificate-ending"}')).toBeGreaterThan(0)
  })

  it('is not told of while it is far', async () => {
    const place = told.length
    await using gateway = await startTrustGateway({ clock: { now: () => ends - 100 * day } })
    expect(toldOf('certificate-ending', place)).toEqual([])
    expect(await gateway.metric('crocevia_events_total{event="certificate-ending"}')).toBe(0)
  })
})
