import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FederatedQuery, indexFollower, ProblemError } from '../../clients/typescript/crocevia.ts'
import { ConfigError, loadConfig } from '../../src/config/load.ts'
import { GatewayError } from '../../src/core/errors.ts'
import { initiatingGateway } from '../../src/core/federation/initiating-gateway.ts'
import { retrieveGateway } from '../../src/core/federation/retrieve.ts'
import type { DocumentEntry } from '../../src/core/model/metadata.ts'
import { accessPolicy } from '../../src/core/policy/access.ts'
import type { Community } from '../../src/core/ports.ts'
import { startGateway } from '../../src/gateway.ts'
import { documentRoutes } from '../../src/http/api/documents.ts'
import { federatedQueryRoute } from '../../src/http/api/federated-queries.ts'
import { spool } from '../../src/spool/spool.ts'
import { readJsonObject } from '../../src/trust/jwt/strict-json.ts'
import { isAuthor } from '../../src/wire/hl7/author.ts'
import { type OpenIdProvider, startOpenIdProvider } from '../network/openid-provider.ts'
import { answer, citizen, clinician, entry, homes, neighbours, obscured } from '../support/builders.ts'
import { certificates, communityInput, type FederationInput, writeGatewayConfig } from '../support/gateway-config.ts'
import { handles } from '../support/handles.ts'
import { at, creation, fseAudience, fseHeaders, pairOf, stopped } from '../support/jwt.ts'
import { clientOf } from '../support/portal-doors.ts'
import { type TokenGateway, tokenGateway } from '../support/token-gateway.ts'

const audience = 'https://crocevia.example'
const clock = { now: () => at }
const repositoryUniqueId = '2.16.840.1.113883.2.9.2.50.4.5.910'
const inVeneto = { repositoryUniqueId, home: homes.veneto }
const marked = (name: string, mark: string) =>
  entry(name, { ...inVeneto, eventCodes: [{ code: mark, scheme: '2.16.840.1.113883.2.9.3.3.6.1.3' }] })
const documents = {
  plain: entry('plain', inVeneto),
  hidden: obscured('hidden', inVeneto),
  minors: marked('minors', 'P97'),
  results: marked('results', 'P98'),
  ours: entry('ours'),
}
const nameOf = (uniqueId: string) => Object.entries(documents).find(([, one]) => one.uniqueId === uniqueId)?.[0]

const held = spool()
const bytes = Buffer.from('%PDF-1.7 synthetic')

function keeping(of: Community, kept: readonly DocumentEntry[]): Community {
  return {
    ...of,
    registry: {
      query: async (query) => {
        if (query.type !== 'GetDocuments') return answer({ entries: kept })
        const { ids } = query.documents
        return answer({ entries: kept.filter(({ uniqueId }) => ids.includes(uniqueId)) })
      },
    },
    repository: {
      mostAtOnce: 1,
      async retrieve([reference], call) {
        const sink = held.begin({ maxBytes: 1_024, signal: call.signal })
        await sink.write(bytes)
        const content = await sink.end()
        const { uniqueId = '' } = reference ?? {}
        return { documents: [{ repositoryUniqueId, uniqueId, mimeType: 'application/pdf', content }], issues: [] }
      },
    },
  }
}

const { ours, ...theirs } = documents
const communities = [
  keeping(neighbours.tuscany, [ours]),
  keeping(neighbours.veneto, Object.values(theirs)),
  {
    ...neighbours.lazio,
    registry: {
      query: async () => {
        throw new GatewayError('community-busy', 'Too much is asked there')
      },
    },
  },
]
const index = initiatingGateway({ policy: accessPolicy, isAuthor, clock, communities, mode: 'assisted' })
const routes = [
  federatedQueryRoute({ gateway: index, handles, communities, clock, readObject: readJsonObject }),
  ...documentRoutes({
    gateway: retrieveGateway({
      ...{ policy: accessPolicy, clock, home: homes.tuscany, communities, mostDocuments: 8, index },
      unverified: () => 'deliver',
    }),
    ...{ handles, clock, makeForm: async () => 'none' as const, deadlineMs: 5_000 },
  }),
]

let provider: OpenIdProvider
let gateway: TokenGateway
beforeAll(async () => {
  provider = await startOpenIdProvider({
    ...{ certificates, clock: stopped },
    clients: [{ id: 'desktop', audiences: [audience] }],
  })
  const jwks = { url: provider.urls.jwks, anchors: [join(certificates, 'ca.pem')] }
  const portal = { profile: 'portal', issuer: provider.issuer, audience: [audience], jwks }
  const fse = { profile: 'fse', audience: fseAudience, anchors: [join(certificates, 'signing-ca.pem')] }
  gateway = await tokenGateway(
    [
      { party: 'portal', tokens: portal },
      { party: 'tuscany', tokens: fse },
    ],
    { clock, routes },
  )
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
  await held[Symbol.asyncDispose]()
})

const patient = citizen
const self = `${citizen.value}^^^&${citizen.authority}&ISO`

function portal(claims: Readonly<Record<string, unknown>>, port = gateway.port) {
  return clientOf(port, async () => {
    const all = { ...creation, action_id: 'READ', sub: clinician, resource_hl7_type: undefined, ...claims }
    return { authorization: `Bearer ${await provider.issue({ client: 'desktop', audience, claims: all })}` }
  })
}

describe('whoever asks sees what is theirs to see, at once and as it comes', () => {
  it.each([
    ['a professional', {}, ['minors', 'ours', 'plain', 'results']],
    [
      'the citizen',
      { sub: self, subject_role: 'ASS', purpose_of_use: 'PERSONAL' },
      ['hidden', 'minors', 'ours', 'plain'],
    ],
    ['a parent', { subject_role: 'GEN', purpose_of_use: 'PERSONAL' }, ['hidden', 'ours', 'plain']],
    ['a delegate', { subject_role: 'ING', purpose_of_use: 'PERSONAL' }, ['hidden', 'minors', 'ours', 'plain']],
    ['a professional asked for one type', { resource_hl7_type: "('57833-6^^2.16.840.1.113883.6.1')" }, []],
  ])('%s', async (_who, claims, names) => {
    await using client = portal(claims)
    const told = await client.askFederation({ patient })
    const follower = indexFollower()
    for await (const event of client.askFederationEvents({ patient })) {
      if (event.event !== 'complete') follower.apply(event)
    }
    for (const entries of [told.entries, follower.entries()]) {
      expect(entries.map(({ uniqueId }) => nameOf(uniqueId)).sort()).toEqual(names)
    }
    expect(told).toMatchObject({ partial: true, failures: [{ community: homes.lazio }] })
  })

  it('a system with the two tokens of the FSE', async () => {
    const own = { subject_organization_id: '090', subject_organization: 'Regione Toscana', action_id: 'READ' }
    const { attachment_hash: _, ...claims } = creation
    const signature = { ...claims, ...own, attachment_hash: undefined }
    const received = await gateway.send({
      ...{ as: 'tuscany', method: 'POST', path: '/api/v1/federated-queries' },
      headers: [['content-type', 'application/json'], ...fseHeaders({ pair: pairOf('portal'), signature })],
      body: Buffer.from(JSON.stringify({ patient })),
    })
    expect(received).toMatchObject({ status: 200, json: { outcome: 'partial-success' } })
  })

  it.each<[string, Readonly<Record<string, unknown>>, Partial<FederatedQuery>]>([
    ['that is not for reading', { action_id: 'CREATE' }, {}],
    ['for a type it does not name', {}, { types: [{ code: '57833-6' }] }],
  ])('and nobody with a token %s', async (_what, claims, body) => {
    await using client = portal({ resource_hl7_type: "('11502-2^^2.16.840.1.113883.6.1')", ...claims })
    const refused = await client.askFederation({ patient, ...body }).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(ProblemError)
    expect(refused).toMatchObject({ problem: { type: 'urn:crocevia:problem:access-denied', status: 403 } })
  })
})

describe('a document of the index', () => {
  it('is got by its handle, by whom it was told to and by nobody else', async () => {
    await using client = portal({})
    const { entries } = await client.askFederation({ patient })
    const handle = entries.find(({ uniqueId }) => nameOf(uniqueId) === 'plain')?.handle ?? ''
    const response = await client.fetchDocument(handle)
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true)
    await using other = portal({ subject_role: 'INF' })
    const refused = await other.fetchDocument(handle).catch((error: unknown) => error)
    const none = await other.fetchDocument('none').catch((error: unknown) => error)
    const [one, another] = [refused, none].map((error) => (error as ProblemError).problem)
    expect(one).toMatchObject({ status: 404, type: 'urn:crocevia:problem:document-unknown' })
    expect({ ...one, instance: '' }).toEqual({ ...another, instance: '' })
  })

  it('is got in an emergency by whoever declares one, and the audit trail says so', async () => {
    await using client = portal({ purpose_of_use: 'EMERGENCY' })
    const emergencyReason = 'physical-incapacity'
    const { entries } = await client.askFederation({ patient, emergencyReason })
    expect(entries.map(({ uniqueId }) => nameOf(uniqueId))).not.toContain('hidden')
    const handle = entries.find(({ uniqueId }) => nameOf(uniqueId) === 'plain')?.handle ?? ''
    await (await client.fetchDocument(handle, { emergencyReason })).arrayBuffer()
    expect((await gateway.records()).slice(-2)).toMatchObject([
      { transaction: 'federated-query', emergencyReason, results: 4 },
      { transaction: 'ITI-68', emergencyReason, results: 1 },
    ])
  })
})

describe('the gateway', () => {
  async function configured(api: FederationInput['gateway']['api'], more: (folder: string) => Promise<void>) {
    const { file, folder } = await writeGatewayConfig(
      [communityInput('tuscany', 'tuscany', { registry: 'https://127.0.0.1:1/' })],
      api === undefined ? {} : { api },
    )
    const input = JSON.parse(await readFile(file, 'utf8')) as FederationInput
    const tokens = {
      ...{ profile: 'portal', issuer: provider.issuer, audience: [audience] },
      jwks: { url: provider.urls.jwks, anchors: [join(certificates, 'ca.pem')] },
    } as const
    const consumers = input.consumers?.map(({ name, trust: { callers } }) => ({ name, trust: { callers, tokens } }))
    await writeFile(file, JSON.stringify({ ...input, consumers }))
    await more(folder)
    return { file, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
  }

  it('serves questions, the contract and its state, within the rate it is configured for', async () => {
    await using configuration = await configured({ handleKey: 'handle.key', requestsPerMinute: 2 }, (folder) =>
      writeFile(join(folder, 'handle.key'), Buffer.alloc(32, 1)),
    )
    // The minute of the gateway's clock does not end while it is asked.
    await using gateway = await startGateway(loadConfig(configuration.file), { clock })
    await using client = portal({}, gateway.ports.soap)
    expect(await client.askFederation({ patient })).toMatchObject({ outcome: 'failure', partial: true, entries: [] })
    expect(await client.readCaller()).toMatchObject({ party: 'portal' })
    const refused = await client.readCaller().catch((error: unknown) => error)
    expect(refused).toMatchObject({ problem: { type: 'urn:crocevia:problem:too-many-requests' } })
    expect((refused as ProblemError).retryAfter).toBeGreaterThan(0)
    expect(await client.readStatus()).toMatchObject({ status: 200 })
  })

  it('does not start with a key of handles of another length', async () => {
    await using configuration = await configured({ handleKey: 'handle.key' }, (folder) =>
      writeFile(join(folder, 'handle.key'), 'too short'),
    )
    await expect(startGateway(loadConfig(configuration.file))).rejects.toThrow(ConfigError)
  })
})
