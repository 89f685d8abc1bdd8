import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RetrieveNotice } from '../../../../src/core/model/notice.ts'
import type { DeliveryPage, PushPage } from '../../../../src/http/operator/lists.ts'
import { citizen, homes } from '../../../support/builders.ts'
import { draftOf, noon, type Operating, operating } from '../../../support/operating.ts'
import { validEntry, validSubmit } from '../../../support/submissions.ts'

const words = 'community-rejected: XDSRegistryMetadataError Il codice «Ospedale» non è ammesso\nvedi R50'
const json = { 'content-type': 'application/json' }
const { uniqueId, repositoryUniqueId = '' } = validEntry()

let face: Operating
beforeEach(async () => {
  face = await operating()
})
afterEach(() => face[Symbol.asyncDispose]())

const post = (path: string, body: unknown = {}, operator = 'anna') =>
  face.ask(path, { method: 'POST', operator, headers: json, body: JSON.stringify(body) })
const discarding = (id: string, reason = 'sent twice by mistake') => post(`/journal/${id}/discard`, { reason })

/** A push that the record has refused. */
async function dead(id = 'urn:uuid:1'): Promise<void> {
  await face.store.journal.append(draftOf(id))
  expect(await face.kill(words)).toBe(id)
}

const notice: RetrieveNotice = {
  ...{ home: homes.veneto, repositoryUniqueId: '1.2.3', uniqueId: '1.2.3^doc', patientId: citizen },
  ...{ requestor: 'somebody', requestorRole: 'AAS', purposeOfUse: 'TREATMENT', locality: '050' },
}

async function deadNotice(id = 'n-1'): Promise<void> {
  await face.store.outbox.put({ id, kind: 'notify-retrieve:ini', key: id, content: JSON.stringify(notice) })
  expect(await face.kill('community-rejected: PFA14 Not today')).toBe(id)
}

describe('the list of pushes', () => {
  it('tells states and times, nobody and no document, and leaves no record', async () => {
    await dead()
    await face.store.journal.append(draftOf('urn:uuid:2'))
    const response = await face.ask('/journal')
    const text = await response.text()
    expect((JSON.parse(text) as PushPage).pushes).toEqual([
      expect.objectContaining({ id: 'urn:uuid:2', state: 'pending', transaction: 'ITI-42', documents: 1 }),
      {
        ...{ id: 'urn:uuid:1', sequence: 1, transaction: 'ITI-42', state: 'dead', documents: 1 },
        ...{ receivedAt: new Date(noon).toISOString(), correlationId: 'c-urn:uuid:1' },
      },
    ])
    for (const personal of [citizen.value, uniqueId, 'Ospedale']) expect(text).not.toContain(personal)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(face.audited).toEqual([])
  })

  it.each([
    ['pending', 2],
    ['dead', 2],
    [undefined, 2],
    [undefined, 3],
    ['pending', 100],
  ])('is the same page by page: state %s, %i at once', async (state, limit) => {
    for (const id of ['1', '2', '3', '4', '5']) await dead(`urn:uuid:${id}`)
    const ids: string[] = []
    let path: string | undefined = `/journal?limit=${limit}${state === undefined ? '' : `&state=${state}`}`
    while (path !== undefined) {
      const page: PushPage = (await (await face.ask(path)).json()) as PushPage
      expect(page.pushes.length).toBeLessThanOrEqual(limit)
      ids.push(...page.pushes.map((push) => push.id.slice(-1)))
      path = page.next
    }
    expect(ids.join('')).toBe(state === 'dead' ? '12345' : '54321')
  })

  it('of the dead holds only pushes', async () => {
    await deadNotice()
    await dead()
    const { pushes } = (await (await face.ask('/journal?state=dead')).json()) as PushPage
    expect(pushes.map(({ id }) => id)).toEqual(['urn:uuid:1'])
  })

  it('is refused with a problem for parameters it does not know, or knows otherwise', async () => {
    for (const query of 'state=lost limit=0 limit=101 limit=x limit=1&limit=2 other=1 before=nobody after=1'.split(
      ' ',
    )) {
      const response = await face.ask(`/journal?${query}`)
      const { headers, status } = response
      expect([query, status, headers.get('content-type')]).toEqual([query, 400, 'application/problem+json'])
      expect(await response.json()).toMatchObject({
        status: 400,
        type: expect.stringMatching(/^urn:crocevia:problem:/),
      })
    }
  })
})

describe('the list of deliveries', () => {
  it('tells all that waits or is dead, with attempts, and neither content nor reason', async () => {
    await deadNotice()
    await face.store.journal.append(draftOf('urn:uuid:1'))
    const text = await (await face.ask('/deliveries')).text()
    const putAt = new Date(noon).toISOString()
    expect((JSON.parse(text) as DeliveryPage).deliveries).toEqual([
      { id: 'n-1', kind: 'notify-retrieve:ini', state: 'dead', putAt, attempts: 1 },
      { id: 'urn:uuid:1', kind: 'push:tuscany', state: 'waiting', putAt, attempts: 0, nextAttemptAt: putAt },
    ])
    expect(text).not.toContain('PFA14')
    const { deliveries } = (await (await face.ask('/deliveries?state=dead')).json()) as DeliveryPage
    expect(deliveries.map(({ id }) => id)).toEqual(['n-1'])
  })
})

describe('inspecting a push', () => {
  it('tells the reason word for word and the documents, and is audited before it is answered', async () => {
    await dead()
    const response = await face.ask('/journal/urn:uuid:1', { operator: 'anna' })
    expect(await response.json()).toEqual({
      ...{ id: 'urn:uuid:1', sequence: 1, transaction: 'ITI-42', state: 'dead', kind: 'push:tuscany', attempts: 1 },
      ...{ receivedAt: new Date(noon).toISOString(), putAt: new Date(noon).toISOString() },
      ...{ correlationId: 'c-urn:uuid:1', digest: 'ab'.repeat(32), reason: words },
      explanations: [
        {
          ...{ code: 'XDSRegistryMetadataError', whose: 'caller', retry: 'after-mending', source: 'ihe.md §1.15' },
          ...{ meaning: expect.stringContaining('affinity domain'), next: expect.stringContaining('mend') },
        },
      ],
      documents: [{ document: uniqueId, repository: repositoryUniqueId }],
    })
    expect(face.audited).toEqual([
      {
        ...{ at: noon, correlationId: expect.any(String), transaction: 'operator', request: 'inspect' },
        ...{ asked: [], outcome: 'success', peer: { subject: 'anna', fingerprint: '' } },
        ...{ patientId: citizen, documents: [{ uniqueId, repositoryUniqueId }] },
        operated: { delivery: 'urn:uuid:1' },
      },
    ])
  })

  it('tells the change only when it is asked for', async () => {
    await dead()
    const answer = await face.ask('/journal/urn:uuid:1?content=yes', { operator: 'anna' })
    expect(((await answer.json()) as { content: unknown }).content).toEqual(validSubmit())
  })

  it('tells nothing when it cannot be accounted for', async () => {
    await dead()
    face.trail.fails = true
    const response = await face.ask('/journal/urn:uuid:1', { operator: 'anna' })
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('Ospedale')
    expect(face.told).toEqual(['audit failed: operator'])
  })

  it('needs a name that can be one', async () => {
    await dead()
    for (const operator of [undefined, '', ' ', 'a\tb', 'x'.repeat(65), 'anna<script>']) {
      const response = await face.ask('/journal/urn:uuid:1', operator === undefined ? {} : { operator })
      expect([operator, response.status]).toEqual([operator, 400])
    }
    expect(face.audited).toEqual([])
  })

  it('finds one that waits, however many wait before it', async () => {
    const kind = 'notify-retrieve:ini'
    const ids = Array.from({ length: 205 }, (_, index) => `n-${index}`)
    await Promise.all(ids.map((id) => face.store.outbox.put({ id, kind, key: id, content: JSON.stringify(notice) })))
    const response = await face.ask('/deliveries/n-204?content=yes', { operator: 'anna' })
    expect(await response.json()).toMatchObject({ id: 'n-204', state: 'waiting', attempts: 0, content: notice })
  })

  it('of one that nobody knows is a 404, and no delivery is a push', async () => {
    await deadNotice()
    for (const path of ['/journal/nobody', '/journal/n-1', '/deliveries/nobody']) {
      const response = await face.ask(path, { operator: 'anna' })
      expect([path, response.status]).toEqual([path, 404])
    }
    expect(face.audited).toEqual([])
  })
})

describe('retrying', () => {
  it('makes a dead push due at once, from its first attempt on, wakes the dispatcher and is audited', async () => {
    await dead()
    expect((await post('/journal/urn:uuid:1/retry')).status).toBe(200)
    const claim = { now: noon, limit: 1, leaseMs: 1000 }
    expect(await face.store.outbox.claim(claim)).toMatchObject([{ id: 'urn:uuid:1', attempts: 1 }])
    expect(face.told).toEqual(['retried urn:uuid:1 push:tuscany', 'woken'])
    expect(face.audited).toMatchObject([{ request: 'retry', outcome: 'success', operated: { delivery: 'urn:uuid:1' } }])
  })

  it('changes nothing when it cannot be accounted for', async () => {
    await dead()
    face.trail.fails = true
    expect((await post('/journal/urn:uuid:1/retry')).status).toBe(500)
    expect(await face.store.outbox.list({ state: 'dead', limit: 1 })).toHaveLength(1)
    expect(face.told).toEqual(['audit failed: operator'])
  })

  it('of what is due already is a 409, and the record says that it came to nothing', async () => {
    await face.store.journal.append(draftOf('urn:uuid:1'))
    const response = await post('/journal/urn:uuid:1/retry')
    expect([response.status, ((await response.json()) as { type: string }).type]).toEqual([
      409,
      'urn:crocevia:problem:delivery-not-in-state',
    ])
    expect(face.audited.map(({ outcome }) => outcome)).toEqual(['success', 'failure'])
    expect(new Set(face.audited.map(({ correlationId }) => correlationId)).size).toBe(1)
    expect(face.told).toEqual([])
  })

  it('of what was delivered is a 409', async () => {
    await face.store.journal.append(draftOf('urn:uuid:1'))
    await face.store.outbox.delivered('urn:uuid:1')
    expect((await post('/journal/urn:uuid:1/retry')).status).toBe(409)
    expect(face.audited.map(({ outcome }) => outcome)).toEqual(['failure'])
    await deadNotice()
    await face.store.outbox.delivered('n-1')
    expect((await post('/deliveries/n-1/retry')).status).toBe(409)
  })

  it('works on what is no push, and the record says whom it is about', async () => {
    await deadNotice()
    expect((await post('/deliveries/n-1/retry')).status).toBe(200)
    expect(await face.store.outbox.list({ limit: 1 })).toMatchObject([{ state: 'waiting', attempts: 0 }])
    expect(face.audited).toMatchObject([{ patientId: citizen, documents: [{ uniqueId: '1.2.3^doc' }] }])
  })
})

describe('discarding', () => {
  it('gives a push up with its reason and what the record had said, and lets those behind it go', async () => {
    await face.store.journal.append(draftOf('urn:uuid:1', { objects: ['one'] }))
    await face.store.journal.append(draftOf('urn:uuid:2', { objects: ['one'] }))
    expect(await face.kill(words)).toBe('urn:uuid:1')
    expect((await discarding('urn:uuid:1')).status).toBe(200)
    expect(await face.store.journal.find('urn:uuid:1')).toMatchObject({
      state: 'discarded',
      reason: `discarded by anna: sent twice by mistake\nthe last attempt failed: ${words}`,
    })
    expect(face.told).toEqual(['discarded urn:uuid:1 push:tuscany', 'woken'])
    expect(face.audited).toMatchObject([
      { request: 'discard', operated: { delivery: 'urn:uuid:1', reason: 'sent twice by mistake' } },
    ])
    const claim = { now: noon, limit: 9, leaseMs: 1000 }
    expect(await face.store.outbox.claim(claim)).toMatchObject([{ id: 'urn:uuid:2' }])
    const shown = await (await face.ask('/journal/urn:uuid:1', { operator: 'anna' })).json()
    expect(shown).toMatchObject({ state: 'discarded', reason: expect.stringContaining(words) })
  })

  it('is refused without a reason of one line', async () => {
    await dead()
    const bodies: readonly unknown[] = [
      {},
      ...['', '  ', 'x'.repeat(501), 'a\nb', '\ud800', 1].map((reason) => ({ reason })),
      { reason: 'x', id: 'y' },
      ['reason'],
    ]
    for (const body of bodies) {
      expect([body, (await post('/journal/urn:uuid:1/discard', body)).status]).toEqual([body, 400])
    }
    expect(await face.store.journal.find('urn:uuid:1')).toMatchObject({ state: 'pending' })
    expect(face.audited).toEqual([])
  })

  it('takes a reason of 500 characters', async () => {
    await dead()
    expect((await discarding('urn:uuid:1', 'è'.repeat(500))).status).toBe(200)
  })

  it('of what is under way is a 409, and of what was discarded already', async () => {
    await face.store.journal.append(draftOf('urn:uuid:1'))
    await face.store.outbox.claim({ now: noon, limit: 1, leaseMs: 1000 })
    expect((await discarding('urn:uuid:1')).status).toBe(409)
    face.clock.time += 1001
    expect((await discarding('urn:uuid:1')).status).toBe(200)
    expect((await discarding('urn:uuid:1')).status).toBe(409)
  })

  it('works on what is no push', async () => {
    await deadNotice()
    expect((await post('/deliveries/n-1/discard', { reason: 'INI takes it no more' })).status).toBe(200)
    expect(await face.store.outbox.list({ limit: 1 })).toEqual([])
  })
})

describe('a page of elsewhere', () => {
  it('cannot act, since it can send neither the type nor the name', async () => {
    await dead()
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', '']) {
      const sent = { method: 'POST', operator: 'anna', headers: { 'content-type': type }, body: '{}' }
      expect([type, (await face.ask('/journal/urn:uuid:1/retry', sent)).status]).toEqual([type, 415])
    }
    expect((await face.ask('/journal/urn:uuid:1/retry', { method: 'POST', headers: json, body: '{}' })).status).toBe(
      400,
    )
    expect(await face.store.outbox.list({ state: 'dead', limit: 1 })).toHaveLength(1)
  })

  it('cannot make its own name point here', async () => {
    const origins = {
      ...{ 'http://evil.example.com:9090': 421, 'http://localhost.:9090': 421, 'http://ops.example.org:9090': 200 },
      ...{ 'http://127.0.0.1:9090': 200, 'http://[::1]:9090': 200, 'http://crocevia.fse.svc:9090': 200 },
    }
    for (const [origin, status] of Object.entries(origins)) {
      for (const path of ['/journal', '/deliveries', '/console']) {
        expect([origin + path, (await face.ask(origin + path)).status]).toEqual([origin + path, status])
      }
    }
  })

  it('is not read to its end when it sends much', async () => {
    await dead()
    const body = JSON.stringify({ reason: 'x'.repeat(5000) })
    expect(
      (await face.ask('/journal/urn:uuid:1/discard', { method: 'POST', operator: 'anna', headers: json, body })).status,
    ).toBe(413)
  })
})

describe('credentials that a community refused', () => {
  it('are tried again once an operator says so, who is in the trail', async () => {
    const reset: string[] = []
    await using face = await operating({ credentials: new Map([['sistema-ts', () => void reset.push('sistema-ts')]]) })
    const ask = (name: string, operator?: string) =>
      face.ask(`/communities/${name}/credentials/reset`, {
        ...{ method: 'POST', headers: json, body: '{}' },
        ...(operator === undefined ? {} : { operator }),
      })
    expect((await ask('sistema-ts', 'anna')).status).toBe(200)
    expect(reset).toEqual(['sistema-ts'])
    expect(face.audited).toMatchObject([
      { request: 'reset', outcome: 'success', peer: { subject: 'anna' }, operated: { delivery: 'sistema-ts' } },
    ])
    expect((await ask('lazio', 'anna')).status).toBe(404)
    expect((await ask('sistema-ts')).status).toBe(400)
    expect(reset).toHaveLength(1)
  })

  it('are not, when that cannot be accounted for', async () => {
    const reset: string[] = []
    await using face = await operating({ credentials: new Map([['sistema-ts', () => void reset.push('x')]]) })
    face.trail.fails = true
    const headers = json
    const asked = { method: 'POST', operator: 'anna', headers, body: '{}' }
    expect((await face.ask('/communities/sistema-ts/credentials/reset', asked)).status).toBe(500)
    expect(reset).toEqual([])
  })
})
