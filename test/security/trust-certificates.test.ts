import { Agent } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Signer } from '../network/assertion.ts'
import { startRegion } from '../network/region.ts'
import { type CommunityChanges, certificates, homeOf } from '../support/gateway-config.ts'
import { type OwnPki, ownPki, pemOf } from '../support/own-pki.ts'
import { reasonsSince, told, toldOf } from '../support/told.ts'
import {
  assertionOf,
  between,
  channelOf,
  type Knock,
  pathOf,
  pemFile,
  policyFault,
  seed,
  signerIn,
  startTrustGateway,
  type TrustGateway,
} from '../support/trust-gateway.ts'

vi.mock('../../src/telemetry/log.ts', async (original) => {
  const { telling } = await import('../support/told.ts')
  return telling(await original<typeof import('../../src/telemetry/log.ts')>())
})

const lists = (...names: string[]) => ({ revocationLists: names.map((name) => pathOf(`${name}.crl.pem`)) })
/** Policies of channels and of signatures (ini.md §5.4). */
const veneto: CommunityChanges = {
  trust: {
    callers: { ...lists('ca'), policies: ['1.3.76.29.1.10'] },
    assertions: { ...lists('signing-ca'), policies: ['1.3.76.29.1.11'] },
  },
}
const lazio: CommunityChanges = { trust: { assertions: lists('signing-ca', 'signing-intermediate') } }

let door: TrustGateway
beforeAll(async () => {
  door = await startTrustGateway({ communities: { 'region-050': veneto, 'region-120': lazio } })
})
afterAll(() => door[Symbol.asyncDispose]())

const good = signerIn('region-050')

async function refused(gateway: TrustGateway, control: Partial<Knock>, attack: Partial<Knock>) {
  const place = told.length
  const answer = await between(
    () => gateway.knock(control),
    () => gateway.knock(attack),
  )
  return { answer, reasons: reasonsSince(place), place }
}

describe('the certificate that vouches for an assertion', () => {
  it.each([
    ['revoked', 'certificate-revoked'],
    ['expired', 'certificate-expired'],
    ['not-yet-valid', 'certificate-not-yet-valid'],
    ['unknown-ca', 'certificate-not-issued-by-an-anchor-of-the-issuer'],
    ['self-signed', 'certificate-not-issued-by-an-anchor-of-the-issuer'],
    ['wrong-key-usage', 'certificate-without-the-needed-use'],
    ['wrong-eku', 'certificate-without-the-needed-use'],
    ['wrong-policy', 'certificate-without-the-needed-policy'],
    ['right-ca-wrong-home', 'certificate-belongs-to-somebody-else'],
    ['weak', 'certificate-key-too-weak'],
  ])('is refused when it is %s, in the words of who brings it', async (defect, why) => {
    const by = signerIn(`bad/${defect}`)
    const own = await refused(door, { by: good }, { by })
    expect(own.answer.fault).toMatchObject({ code: 'Sender', subcodes: ['wsse:FailedAuthentication'] })
    expect(own.reasons).toEqual([`certificate ${why}`])
    const handed = await door.knock({ as: 'ini', assertions: [assertionOf({ by })] })
    expect(policyFault(handed)).toMatchObject({ element: 'InvalidSecurityToken', code: 'PFC3' })
  })

  it('needs its policy only where one is demanded', async () => {
    await using lax = await startTrustGateway({ record: door.record })
    expect((await lax.knock({ by: signerIn('bad/wrong-policy') })).status).toBe('Success')
    expect((await lax.knock({ by: signerIn('bad/wrong-key-usage') })).fault).toBeDefined()
  })
})

describe('a signing certificate below another authority', () => {
  const chained = signerIn('region-120', 'signing-chain')
  const complete: Signer = { ...chained, intermediates: pemFile('region-120/chain.pem') }
  const by = (signer: Signer): Partial<Knock> => ({ as: 'region-120', by: signer })

  it('is accepted when the authority comes along, and refused when it does not', async () => {
    const { reasons } = await refused(door, by(complete), by(chained))
    expect(reasons).toEqual(['certificate certificate-not-issued-by-an-anchor-of-the-issuer'])
  })

  it('is refused when a stranger’s authority comes along', async () => {
    const stranger = { ...chained, intermediates: pemFile('bad/unknown-ca/signing-ca.pem') }
    const { reasons } = await refused(door, by(complete), by(stranger))
    expect(reasons).toEqual(['certificate certificate-not-issued-by-an-anchor-of-the-issuer'])
  })

  it('is accepted without it where the configuration knows the authority', async () => {
    const intermediates = [pathOf('region-120/chain.pem')]
    const communities = { 'region-120': { trust: { assertions: { intermediates } } } }
    await using knowing = await startTrustGateway({ record: door.record, communities })
    expect((await knowing.knock(by(chained))).status).toBe('Success')
    expect((await knowing.knock(by(complete))).status).toBe('Success')
  })

  it('is refused where revocation is checked and its own authority has no list', async () => {
    const communities = { 'region-120': { trust: { assertions: lists('signing-ca') } } }
    await using listless = await startTrustGateway({ record: door.record, communities })
    const { reasons } = await refused(listless, { as: 'region-120' }, by(complete))
    expect(reasons).toEqual(['certificate revocation-unknown'])
  })
})

describe('the certificate of a connection', () => {
  const from = (name: string): Knock => ({ as: channelOf(`bad/${name}`), by: good })

  it.each([
    ['revoked', 'certificate-revoked'],
    ['wrong-policy', 'certificate-without-the-needed-policy'],
  ])('is nobody’s when it is %s: refused, with an event that says why', async (defect, why) => {
    const counted = () => door.metric('crocevia_events_total{event="certificate-distrusted"}')
    const before = await counted()
    const { answer, place } = await refused(door, { by: good }, from(defect))
    expect(answer.fault).toMatchObject({ code: 'Sender', subcodes: ['wsse:FailedAuthentication'] })
    expect(toldOf('certificate-distrusted', place)).toMatchObject([{ party: 'region-050', reason: why }])
    expect(await counted()).toBe(before + 1)
  })

  it.each(['expired', 'not-yet-valid', 'unknown-ca', 'self-signed', 'wrong-eku'])(
    'does not get through the handshake when it is %s',
    async (defect) => {
      const place = told.length
      await between(
        () => door.knock({ by: good }),
        () => expect(door.knock(from(defect))).rejects.toThrow(),
      )
      expect(toldOf('handshake-failed', place)).toHaveLength(1)
      expect(toldOf('exchange-started', place)).toHaveLength(2)
    },
  )

  it('of another region brings what that region signs and nothing else', async () => {
    const { reasons } = await refused(
      door,
      { as: channelOf('bad/right-ca-wrong-home'), assertions: [assertionOf({ as: 'region-120' })] },
      { as: channelOf('bad/right-ca-wrong-home'), assertions: [assertionOf({ by: good })] },
    )
    expect(reasons).toEqual(['certificate issuer-is-not-known'])
  })
})

describe('authorities of one’s own', () => {
  let pki: OwnPki
  beforeAll(async () => {
    pki = await ownPki()
  })
  afterAll(() => pki[Symbol.asyncDispose]())
  const ca = pemFile('ca.pem')
  const names = { tls: 'A1#050#050PROPRIA', signing: 'S1#050#050PROPRIA' }

  it('are relied on with a list that is overdue, for as long as the configuration says', async () => {
    const nextUpdate = Date.now() + 3_600_000
    const [channel, signing] = await Promise.all([pki.issue('tls', names.tls), pki.issue('signing', names.signing)])
    const stale = { revoked: [], nextUpdate }
    const callers = { anchors: [pki.path('ca.pem')], revocationLists: [await pki.list('ca.crl', pki.tlsRoot, stale)] }
    const assertions = {
      anchors: [pki.path('signing-ca.pem')],
      revocationLists: [await pki.list('signing.crl', pki.signingRoot, stale)],
    }
    let ahead = 0
    const clock = { now: () => Date.now() + ahead }
    const grace = 7_200_000
    const own = pemOf(channel)
    const bearer = { ...pemOf(signing), algorithm: 'ecdsa-sha256' } as const
    const start = (trust: CommunityChanges['trust']) =>
      startTrustGateway({
        clock,
        config: { revocationGraceMs: grace },
        communities: { 'region-050': { ...(trust && { trust }) } },
      })
    await using signatures = await start({ assertions })
    await using connections = await start({ callers })
    const bySignature = () => signatures.knock({ by: bearer, claims: { now: clock.now() } })
    const byConnection = () =>
      connections.knock({ as: { ca, cert: own.certificate, key: own.key }, by: good, claims: { now: clock.now() } })
    const outcomes = async (offset: number) => {
      ahead = offset
      const place = told.length
      const answers = [await bySignature(), await byConnection()]
      return {
        status: answers.map(({ status, fault }) => status ?? fault?.subcodes[0]),
        reasons: reasonsSince(place),
        distrusted: toldOf('certificate-distrusted', place).map(({ reason }) => reason),
      }
    }
    const granted = { status: ['Success', 'Success'], reasons: [], distrusted: [] }
    expect(await outcomes(0)).toEqual(granted)
    expect(await outcomes(3_600_000 + grace / 2)).toEqual(granted)
    const late = await outcomes(3_600_000 + grace + 60_000)
    expect(late.status).toEqual(['wsse:FailedAuthentication', 'wsse:FailedAuthentication'])
    expect(late.reasons[0]).toBe('certificate revocation-list-stale')
    expect(late.distrusted).toEqual(['revocation-list-stale'])
    expect(await outcomes(0)).toEqual(granted)
  })

  it('may stand above those that come along with a caller, who is known again when the session is resumed', async () => {
    const between = await pki.authority('Own intermediate', pki.tlsRoot)
    const own = pemOf(await pki.issue('tls', names.tls, { by: between }))
    const callers = { anchors: [pki.path('ca.pem')] }
    await using gateway = await startTrustGateway({ communities: { 'region-050': { trust: { callers } } } })
    const sockets: TLSSocket[] = []
    const agent = new Agent({ maxCachedSessions: 10 })
    const connect = agent.createConnection.bind(agent)
    agent.createConnection = (...given) => {
      const socket = connect(...given)
      sockets.push(socket as TLSSocket)
      return socket
    }
    const as = { ca, cert: own.certificate + between.certificate.toString(), key: own.key }
    for (const resumed of [false, true, true]) {
      const { status } = await gateway.knock({ as, agent, by: good })
      expect({ status, resumed: sockets.at(-1)?.isSessionReused() }).toEqual({ status: 'Success', resumed })
    }
  })
})

describe('a community whose server has a revoked certificate', () => {
  const listed = { trust: { tlsRevocationLists: [pathOf('ca.crl.pem')] } }
  const ask = (gateway: TrustGateway) => gateway.knock({ as: 'portal', door: 'iti18', by: signerIn('portal') })

  it('is not talked to: its leg fails and says why', async () => {
    await using honest = await startRegion({ certificates, seed, region: '050' })
    await using revoked = await startRegion({ certificates, seed, region: '050', credentials: 'bad/revoked' })
    const { record } = door
    const start = (region: typeof honest, communities: Partial<Record<'region-050', CommunityChanges>>) =>
      startTrustGateway({ record, asksAlways: true, regions: [region], communities })
    await using checking = await start(honest, { 'region-050': listed })
    await using talking = await start(revoked, { 'region-050': listed })
    await using careless = await start(revoked, {})
    expect(await ask(checking)).toMatchObject({ status: 'Success', issues: [] })
    // The certificate is sound but for the list.
    expect(await ask(careless)).toMatchObject({ status: 'Success', issues: [] })
    revoked.asked.clear()

    const place = told.length
    const answer = await ask(talking)
    expect(answer.status).toBe('PartialSuccess')
    expect(answer.issues).toEqual([
      { code: 'XDSUnavailableCommunity', severity: 'Error', location: homeOf('region-050') },
    ])
    expect(answer.documents.length).toBeGreaterThan(0)
    expect(revoked.asked.total).toBe(0)
    const failed = toldOf('leg-finished', place).filter(({ name }) => name === 'region-050')
    expect(failed.length).toBeGreaterThan(0)
    for (const leg of failed) {
      expect(leg).toMatchObject({
        outcome: 'failed',
        error: { code: 'community-unavailable', details: { phase: 'tls', reason: 'CERTIFICATE_REVOKED' } },
      })
    }
    expect(await ask(checking)).toMatchObject({ status: 'Success', issues: [] })
  })
})
