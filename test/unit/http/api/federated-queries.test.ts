import { once } from 'node:events'
import { request } from 'node:https'
import { afterEach, describe, expect, it } from 'vitest'
import { type AskFederationEvent, type FederatedQuery, indexFollower } from '../../../../clients/typescript/crocevia.ts'
import { explanationOf } from '../../../../contracts/explanations/explanation-of.ts'
import { GatewayError } from '../../../../src/core/errors.ts'
import type { Assertion } from '../../../../src/core/model/call.ts'
import type { AuditEvent, Community } from '../../../../src/core/ports.ts'
import { emergencyReasons } from '../../../../src/http/api/emergency.ts'
import { rateLimit } from '../../../../src/http/api/rate-limit.ts'
import { identityOf } from '../../../support/api-server.ts'
import {
  answer,
  assertion,
  citizen,
  entry,
  homes,
  issue,
  link,
  neighbours,
  obscured,
  otherCitizen,
} from '../../../support/builders.ts'
import { handles } from '../../../support/handles.ts'
import { breaches, eventsIn } from '../../../support/openapi.ts'
import { type PortalSetting, portalDoors } from '../../../support/portal-doors.ts'

const path = '/api/v1/federated-queries'
const route = [path, 'post'] as const
const { lazio, tuscany, veneto } = neighbours
const patient = citizen
const asCitizen: Partial<Assertion> = {
  ...{ subject: `${citizen.value}^^^&${citizen.authority}&ISO`, role: 'ASS', purposeOfUse: 'PERSONAL' },
}

const opened: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]()
})

async function doors(setting: PortalSetting) {
  const made = await portalDoors(setting)
  opened.push(made)
  const post = (body: unknown, headers: Readonly<Record<string, string>> = {}) => {
    return made.send({
      ...{ path, method: 'POST', body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) },
      headers: Object.entries({ 'content-type': 'application/json', ...headers }),
    })
  }
  return { ...made, post }
}

type Query = NonNullable<Community['registry']>['query']

const telling = (of: Community, query: Query): Community => ({ ...of, registry: { query } })
const [d1, d2] = [
  entry('d1', { repositoryUniqueId: '1.2.3', title: [{ value: 'Referto' }] }),
  entry('d2', { uniqueId: '2.16.840.1.113883.2.9.2.50.4.4^d2' }),
]
const told = [
  telling(tuscany, async () => answer({ entries: [d1] })),
  telling(veneto, async () => answer({ entries: [d2, { ...d1, entryUuid: 'urn:uuid:d1-there' }] })),
  telling(lazio, async () => {
    throw new GatewayError('community-timeout', 'Too late')
  }),
]
const withoutPassing = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (name, member) =>
    ['handle', 'durationMs', 'heardAt'].includes(name) ? undefined : member,
  )

describe('a federated question', () => {
  it('is answered with one index, though a community is silent', async () => {
    const { audited, post } = await doors({ communities: told })
    const received = await post({ patient })
    expect(received.status).toBe(200)
    expect(breaches(route, received)).toEqual([])
    expect(received.json).toMatchObject({
      ...{ outcome: 'partial-success', partial: true },
      entries: [
        { uniqueId: d2.uniqueId },
        {
          ...{ uniqueId: d1.uniqueId, title: 'Referto', createdAt: '2024-01-01', community: homes.tuscany },
          sources: [{ community: homes.tuscany, name: 'tuscany' }, { community: homes.veneto }],
        },
      ],
      failures: [
        {
          ...{ community: homes.lazio, name: 'region-120', type: 'urn:crocevia:problem:community-timeout' },
          ...{ consequence: expect.any(String), consequenceIt: expect.any(String) },
        },
      ],
      progress: { total: 3, answered: 2, failed: 1, pending: 0 },
    })
    expect(audited).toMatchObject([
      {
        ...{ transaction: 'federated-query', request: 'FindDocuments', patientId: citizen },
        ...{ outcome: 'partial-success', results: 2 },
        asked: [{ outcome: 'answered' }, { outcome: 'answered' }, { outcome: 'failed' }],
      },
    ])
  })

  it('tells what a remark of a community means, never its words', async () => {
    const secret = `${citizen.value} <b>at 10.0.0.1</b>`
    const issues = [issue('PFA11', { text: secret }), issue(secret, { severity: 'warning', text: secret })]
    const { post } = await doors({ communities: [telling(tuscany, async () => answer({ entries: [d1], issues }))] })
    for (const accept of ['application/json', 'text/event-stream']) {
      expect((await post({ patient }, { accept })).text).not.toMatch(/10\.0\.0\.1|<b>/)
    }
    const received = await post({ patient })
    expect(breaches(route, received)).toEqual([])
    expect(received.json.warnings).toEqual([
      {
        ...{ community: homes.tuscany, name: 'tuscany', severity: 'error', code: 'PFA11' },
        detail: explanationOf('PFA11')?.consequence,
      },
      {
        ...{ community: homes.tuscany, name: 'tuscany', severity: 'warning', code: 'unknown' },
        detail: 'its answer came with a remark',
      },
    ])
  })

  it('tells handles that the viewer can use, of documents that can be asked for', async () => {
    const { client } = await doors({ communities: told })
    const { entries } = await client.askFederation({ patient })
    const [second, first] = entries
    expect(second?.handle).toBeUndefined()
    expect(handles.open(first?.handle ?? '', assertion())).toEqual({
      ...{ home: homes.tuscany, repositoryUniqueId: '1.2.3', uniqueId: d1.uniqueId },
    })
    expect(handles.open(first?.handle ?? '', assertion(asCitizen))).toBeUndefined()
  })

  it('tells which document replaced which', async () => {
    const versions = ['1', '2'].map((version) =>
      entry(`v${version}`, { logicalId: 'urn:uuid:l', version, uniqueId: `1.2^${version}` }),
    )
    const { client } = await doors({ communities: [telling(tuscany, async () => answer({ entries: versions }))] })
    const { entries } = await client.askFederation({ patient, status: ['approved', 'deprecated'] })
    const [newer, older] = entries
    expect(newer).toMatchObject({ version: '2', replaces: [older?.id] })
    expect(older).toMatchObject({ version: '1', replacedBy: newer?.id })
  })

  it('asks the communities that told of replaced documents by which they were, and shows no hidden one', async () => {
    const [old, fresh, secret] = [
      entry('old', { status: 'deprecated' }),
      entry('fresh'),
      obscured('secret', { uniqueId: '1.2^secret' }),
    ]
    const asked: string[] = []
    const replying = (of: Community, refuses: boolean) =>
      telling(of, async (query) => {
        asked.push(`${of.name} ${query.type}`)
        if (query.type !== 'GetAssociations') return answer({ entries: [old, fresh, secret] })
        if (refuses) throw new GatewayError('query-unsupported', 'It does not tell links')
        return answer({ associations: [link('fresh', 'replaces', 'old'), link('secret', 'replaces', 'fresh')] })
      })
    const { client, post } = await doors({ communities: [replying(tuscany, false)] })
    const { entries } = await client.askFederation({ patient, status: ['approved', 'deprecated'] })
    const [newer, older] = entries
    expect([newer?.replaces, newer?.replacedBy, older?.replacedBy]).toEqual([[older?.id], undefined, newer?.id])
    const received = await post({ patient }, { accept: 'text/event-stream' })
    expect(received.text).not.toContain('secret')
    const refusing = await doors({ communities: [replying(veneto, true)] })
    expect((await refusing.client.askFederation({ patient })).outcome).toBe('success')
    expect(asked.filter((one) => one.startsWith('region'))).toEqual([
      'region-050 FindDocuments',
      'region-050 GetAssociations',
    ])
  })

  it('goes to the communities with every filter', async () => {
    const asked: unknown[] = []
    const community = telling(tuscany, async (query) => {
      asked.push(query)
      return answer()
    })
    const { client } = await doors({ communities: [community] })
    const code = [{ code: '11502-2', scheme: '2.16.840.1.113883.6.1' }]
    await client.askFederation({
      ...{
        patient,
        types: code,
        classes: [{ code: 'REF' }],
        formats: code,
        practiceSettings: code,
        facilityTypes: code,
      },
      ...{ kinds: ['stable'], status: ['deprecated'], authors: ['%ROSSI%'], referenceIds: ['a', 'b'] },
      ...{ period: { from: '2024-02-29', to: '2024-03-01T01:00:00+02:00', of: 'service' }, community: homes.tuscany },
    })
    expect(asked).toEqual([
      {
        ...{
          type: 'FindDocumentsByReferenceId',
          patientId: citizen,
          status: ['deprecated'],
          referenceIds: [['a', 'b']],
        },
        filter: {
          ...{ typeCodes: code, classCodes: [{ code: 'REF' }], formatCodes: code, practiceSettingCodes: code },
          ...{ healthcareFacilityTypeCodes: code, kinds: ['stable'], authorPersons: ['%ROSSI%'] },
          serviceStartTime: { from: '20240229', to: '20240229230000' },
        },
        ...{ home: homes.tuscany, extra: [] },
      },
    ])
  })

  it.each<[string, unknown, string]>([
    ['nobody', {}, 'parameter-missing'],
    ['a malformed identifier', { patient: { ...patient, value: 'PROVAX80A01H501Z' } }, 'parameter-invalid'],
    ['an unknown member', { patient, patientName: 'x' }, 'parameter-invalid'],
    ['a member of a member', { patient: { ...patient, name: 'x' } }, 'parameter-invalid'],
    ['a day no month has', { patient, period: { from: '2024-02-30' } }, 'parameter-invalid'],
    ['an instant of a day no month has', { patient, period: { from: '2024-02-31T10:00:00Z' } }, 'parameter-invalid'],
    ['an instant after all years', { patient, period: { to: '9999-12-31T23:30:00-01:00' } }, 'parameter-invalid'],
    ['a time of day without zone', { patient, period: { from: '2024-02-01T00:00:00' } }, 'parameter-invalid'],
    ['an empty list', { patient, types: [] }, 'parameter-invalid'],
    ['too long a list', { patient, authors: Array.from({ length: 65 }, () => 'x') }, 'parameter-count'],
    ['text where a code stands', { patient, types: ['11502-2'] }, 'parameter-invalid'],
    ['another status', { patient, status: ['gone'] }, 'parameter-invalid'],
    ['a home that is none', { patient, community: 'tuscany' }, 'parameter-invalid'],
    ['a community nobody knows', { patient, community: 'urn:oid:1.2.3' }, 'community-unknown'],
    ['no object', [1], 'request-malformed'],
    ['a member twice', '{"patient":1,"patient":2}', 'request-malformed'],
    ['another patient than the token names', { patient: otherCitizen }, 'access-denied'],
  ])('about %s is refused, also where events are asked for', async (_what, body, word) => {
    const { post } = await doors({ communities: told })
    const received = await post(body)
    expect(received.json).toMatchObject({ type: `urn:crocevia:problem:${word}` })
    expect(received.text).not.toContain('PROVAX')
    const events = await post(body, { accept: 'text/event-stream' })
    expect(events.json).toMatchObject({ type: `urn:crocevia:problem:${word}` })
    if (word !== 'community-unknown') expect(breaches(route, events)).toEqual([])
  })

  it('is refused without a user, and in another type than JSON', async () => {
    const { post } = await doors({ communities: told, claims: 'none' })
    expect((await post({ patient })).status).toBe(403)
    expect((await post({ patient }, { 'content-type': 'text/plain' })).status).toBe(415)
  })
})

describe('a stream of events', () => {
  it('ends with what the plain answer tells, and whoever follows it has the same', async () => {
    const { audited, client, post } = await doors({ communities: told })
    const plain = await client.askFederation({ patient, explain: true })
    const received = await post({ patient, explain: true }, { accept: 'text/event-stream' })
    expect(breaches(route, received)).toEqual([])
    expect(received.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    })
    const events = eventsIn(received.text) as unknown as readonly AskFederationEvent[]
    const last = events.at(-1)
    expect(last?.event).toBe('complete')
    expect(withoutPassing(last?.data)).toEqual(withoutPassing(plain))
    const follower = indexFollower()
    for (const event of events.slice(0, -1)) follower.apply(event)
    const byId = (entries: readonly { readonly id: string }[]) => [...entries].sort((a, b) => (a.id < b.id ? -1 : 1))
    expect(withoutPassing(byId(follower.entries()))).toEqual(withoutPassing(byId(plain.entries)))
    expect(events.map(({ event }) => event)).toEqual(expect.arrayContaining(['progress', 'failure', 'entries']))
    expect(audited).toHaveLength(3)
    expect(audited.slice(1)).toMatchObject([
      { outcome: 'partial-success', begins: true, patientId: audited[0]?.patientId },
      { outcome: 'partial-success', results: 2, correlationId: audited[1]?.correlationId },
    ])
    expect(audited[2]).not.toHaveProperty('begins')
  })

  it('tells a contribution while others are waited for, and lives meanwhile', async () => {
    const late = Promise.withResolvers<void>()
    const communities = [
      telling(tuscany, async () => answer({ entries: [d1] })),
      telling(veneto, async () => {
        await late.promise
        return answer({ entries: [{ ...d1, entryUuid: 'urn:uuid:d1-there' }] })
      }),
    ]
    const { client } = await doors({ communities, claims: asCitizen, heartbeatMs: 5 })
    const kinds: string[] = []
    for await (const event of client.askFederationEvents({ patient })) {
      if (event.event === 'entries') {
        kinds.push(...event.data.changes.map(({ change }) => change))
        late.resolve()
      } else if (event.event === 'complete') kinds.push(event.data.outcome)
    }
    expect(kinds).toEqual(['added', 'merged', 'success'])
  })

  it('tells that a document is superseded once somebody tells of the one that replaced it', async () => {
    const late = Promise.withResolvers<void>()
    const version = (name: string, version: string) => entry(name, { logicalId: 'urn:uuid:l', version })
    const communities = [
      telling(tuscany, async () => answer({ entries: [version('old', '1')] })),
      telling(veneto, async () => {
        await late.promise
        return answer({ entries: [version('new', '2')] })
      }),
    ]
    const { client } = await doors({ communities, claims: asCitizen })
    const told: [string, boolean][] = []
    for await (const event of client.askFederationEvents({ patient })) {
      if (event.event !== 'entries') continue
      told.push(...event.data.changes.map(({ change, entry }): [string, boolean] => [change, 'replacedBy' in entry]))
      late.resolve()
    }
    expect(told).toEqual([
      ['added', false],
      ['added', false],
      ['superseded', true],
    ])
  })

  it('shows a professional nothing that a community still to come hides', async () => {
    const late = Promise.withResolvers<void>()
    const communities = [
      telling(tuscany, async () => {
        await late.promise
        return answer({ entries: [obscured('d1', { uniqueId: d1.uniqueId })] })
      }),
      telling(veneto, async () => answer({ entries: [d1, d2] })),
    ]
    const { client } = await doors({ communities, heartbeatMs: 5 })
    const seen: string[] = []
    for await (const told of client.askFederationEvents({ patient })) {
      if (told.event === 'progress' && told.data.answered === 1) late.resolve()
      if (told.event === 'entries') seen.push(...told.data.changes.map(({ entry }) => entry.uniqueId))
      expect(JSON.stringify(told)).not.toContain(d1.uniqueId)
    }
    expect(seen).toEqual([d2.uniqueId])
  })

  it('takes everything back and tells the problem when it cannot end', async () => {
    const late = Promise.withResolvers<void>()
    const communities = [
      telling(tuscany, async () => answer({ entries: [d1] })),
      telling(veneto, async () => {
        await late.promise
        return answer()
      }),
    ]
    const about = { generation: 1, sequence: 0, pushes: [] }
    let isDown = false
    const pushes = {
      async about() {
        if (isDown) throw new GatewayError('internal', 'The journal cannot be read')
        return about
      },
      touching: async () => [],
    }
    const { audited, client } = await doors({ communities, claims: asCitizen, rules: { pushes } })
    const told: AskFederationEvent[] = []
    for await (const event of client.askFederationEvents({ patient })) {
      told.push(event)
      if (event.event !== 'entries') continue
      isDown = true
      late.resolve()
    }
    expect(told.slice(-2)).toMatchObject([
      { event: 'removed', data: { ids: [expect.any(String)] } },
      { event: 'problem', data: { type: 'urn:crocevia:problem:internal' } },
    ])
    expect(audited).toMatchObject([{ begins: true }, { outcome: 'failure', error: { code: 'internal' } }])
  })

  it('does not begin when its beginning cannot be recorded, and ends whom it asked', async () => {
    let isAborted = false
    const communities = [
      telling(tuscany, async () => answer({ entries: [d1] })),
      telling(veneto, async (_query, { signal }) => {
        await once(signal, 'abort')
        isAborted = true
        throw signal.reason
      }),
    ]
    const audit = {
      record: async () => {
        throw new GatewayError('internal', 'The store is full')
      },
    }
    const { post } = await doors({ communities, claims: asCitizen, parts: { audit } })
    const received = await post({ patient }, { accept: 'text/event-stream' })
    expect(received).toMatchObject({ status: 500, headers: { 'content-type': 'application/problem+json' } })
    expect(received.json).not.toHaveProperty('entries')
    await expect.poll(() => isAborted).toBe(true)
  })

  it('is not complete when its end cannot be recorded', async () => {
    const audit = {
      async record({ begins }: AuditEvent) {
        if (begins === undefined) throw new GatewayError('internal', 'The store is full')
      },
    }
    const { client } = await doors({ communities: told, parts: { audit } })
    const kinds: string[] = []
    for await (const { event } of client.askFederationEvents({ patient })) kinds.push(event)
    expect(kinds.at(-1)).toBe('problem')
    expect(kinds).not.toContain('complete')
  })

  it('ends the legs of a caller who leaves, and is accounted for with what was told', async () => {
    let isAborted = false
    const communities = [
      telling(tuscany, async () => answer({ entries: [d1] })),
      telling(veneto, async (_query, { signal }) => {
        await once(signal, 'abort')
        isAborted = true
        throw signal.reason
      }),
    ]
    const { audited, port } = await doors({ communities, claims: asCitizen })
    const outgoing = request({
      ...{ host: '127.0.0.1', port, path, method: 'POST', agent: false, ...identityOf('portal') },
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    })
    outgoing.on('error', () => undefined)
    outgoing.end(JSON.stringify({ patient }))
    const [incoming] = await once(outgoing, 'response')
    incoming.on('error', () => undefined)
    for await (const chunk of incoming) if (String(chunk).includes('event: entries')) break
    outgoing.destroy()
    await expect.poll(() => isAborted).toBe(true)
    await expect
      .poll(() => audited)
      .toMatchObject([
        { begins: true },
        { error: { code: 'caller-gone' }, results: 1, asked: [{ outcome: 'answered' }] },
      ])
  })
})

describe('an explanation', () => {
  it('tells who was asked and why, and whose word counted, and nothing of what is hidden', async () => {
    const secret = obscured('secret')
    const communities = [
      telling(tuscany, async () => answer({ entries: [d1, secret] })),
      telling(veneto, async () =>
        answer({
          entries: [
            { ...d1, entryUuid: 'urn:uuid:x' },
            { ...secret, eventCodes: [] },
          ],
        }),
      ),
      neighbours.ini,
    ]
    const { post } = await doors({ communities, rules: { patients: { locate: async () => undefined } } })
    const body: FederatedQuery = { patient, explain: true, community: homes.tuscany }
    const received = await post({ patient, explain: true })
    expect(breaches(route, received)).toEqual([])
    expect(received.json.explanation).toMatchObject({
      asked: [{ relation: 'own', why: expect.any(String), whyIt: expect.any(String) }, {}, {}],
      notAsked: [],
      merged: [{ sources: [homes.tuscany, homes.veneto], preferred: homes.tuscany, rule: 'own-record' }],
    })
    expect(received.text).not.toContain('secret')
    const narrow = await post(body)
    expect(breaches(route, narrow)).toEqual([])
    expect(narrow.json.explanation).toMatchObject({ notAsked: [{ community: homes.veneto }, { community: homes.ini }] })
  })
})

describe('an emergency', () => {
  const inEmergency = { claims: { purposeOfUse: 'EMERGENCY' }, communities: told }

  it.each(emergencyReasons)('declared as %s is answered and audited as such', async (emergencyReason) => {
    const { audited, client } = await doors(inEmergency)
    await client.askFederation({ patient, emergencyReason })
    await client.askFederation({ patient }, { emergencyReason })
    expect(audited).toMatchObject([{ emergencyReason }, { emergencyReason }])
  })

  it.each<[string, unknown, Record<string, string>, string]>([
    ['nothing', { patient }, {}, 'parameter-missing'],
    ['free text', { patient, emergencyReason: 'il signor X è in coma' }, {}, 'parameter-invalid'],
    [
      'two things',
      { patient, emergencyReason: 'legal-incapacity' },
      { 'emergency-reason': 'mental-incapacity' },
      'parameter-count',
    ],
  ])('declared by %s is refused', async (_what, body, headers, word) => {
    const { audited, logged, post } = await doors(inEmergency)
    const received = await post(body, headers)
    expect(received.json).toMatchObject({ type: `urn:crocevia:problem:${word}` })
    expect(received.text + logged.join('') + JSON.stringify(audited)).not.toContain('coma')
  })

  it('is declared for documents too, and only then', async () => {
    const handle = handles.seal({ repositoryUniqueId: '1.2.3', uniqueId: 'x' }, assertion(inEmergency.claims))
    const { send } = await doors(inEmergency)
    const get = (headers: [string, string][] = []) => send({ path: `/api/v1/documents/${handle}`, headers })
    expect((await get()).json).toMatchObject({ type: 'urn:crocevia:problem:parameter-missing' })
    const declared = await get([['emergency-reason', 'physical-incapacity']])
    expect(declared.json).toMatchObject({ type: 'urn:crocevia:problem:document-unknown' })
    const { post } = await doors({ communities: told })
    const needless = await post({ patient, emergencyReason: 'legal-incapacity' })
    expect(needless.json).toMatchObject({ type: 'urn:crocevia:problem:parameter-invalid' })
  })
})

describe('the conventions', () => {
  it('bound how often a consumer asks in a minute', async () => {
    let now = 120_500
    const rate = rateLimit(2, { now: () => now })
    const { post } = await doors({ communities: told, parts: { rate } })
    const headersOf = async () => {
      const received = await post({ patient })
      expect(breaches(route, received)).toEqual([])
      const { 'retry-after': retry, 'x-ratelimit-remaining': left, 'x-ratelimit-reset': reset } = received.headers
      return [received.status, left, reset, retry]
    }
    expect(await headersOf()).toEqual([200, '1', '60', undefined])
    expect(await headersOf()).toEqual([200, '0', '60', undefined])
    expect(await headersOf()).toEqual([429, '0', '60', '60'])
    now = 180_000
    expect(await headersOf()).toEqual([200, '1', '60', undefined])
  })

  it('let pages of the origins that are named read the answers, and no others', async () => {
    const origins = ['https://portal.example']
    const { post, send } = await doors({ communities: told, parts: { origins } })
    const preflight = (origin: string) => {
      const headers: [string, string][] = [
        ['origin', origin],
        ['access-control-request-method', 'POST'],
      ]
      return send({ path, method: 'OPTIONS', headers })
    }
    expect(await preflight('https://portal.example')).toMatchObject({
      status: 204,
      headers: { 'access-control-allow-origin': 'https://portal.example', 'access-control-allow-methods': 'POST' },
    })
    const refused = await preflight('https://other.example')
    expect(refused.status).toBe(405)
    expect(refused.headers['access-control-allow-origin']).toBeUndefined()
    const received = await post({ patient }, { origin: 'https://portal.example' })
    expect(received.headers['access-control-allow-origin']).toBe('https://portal.example')
    const silent = await doors({ communities: told })
    expect((await silent.post({ patient }, { origin: 'https://portal.example' })).headers).not.toHaveProperty(
      'access-control-allow-origin',
    )
  })

  it('name the exchange in the answer as the caller did', async () => {
    const { post } = await doors({ communities: told })
    const id = '0c9d7c34-4f6f-4a55-9c55-1c3a6c2b9d22'
    expect((await post({ patient }, { 'x-correlation-id': id })).headers['x-correlation-id']).toBe(id)
  })
})
