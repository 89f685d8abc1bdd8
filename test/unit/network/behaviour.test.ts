import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { citizens } from '../../network/citizens.ts'
import { type Control, startControl } from '../../network/control.ts'
import { type Region, startRegion } from '../../network/region.ts'
import { startTuscanRecord } from '../../network/tuscan-record.ts'
import {
  type Answered,
  ask,
  certificates,
  type Question,
  schemasPresent,
  seed,
  uniqueIds,
  validate,
  withoutSchemas,
} from './asking.ts'

let region: Region
let control: Control
let good: Answered
beforeAll(async () => {
  region = await startRegion({ certificates, seed, region: '050' })
  control = await startControl({ 'region-050': region })
  good = await find()
})
afterAll(async () => {
  await control.close()
  await region.close()
})
beforeEach(async () => {
  await region.behave('normal')
  region.asked.clear()
})

const find = (more: Partial<Question> = {}) => ask({ to: region.urls.crossGatewayQuery, ...more })

/** Asks, and hangs up as soon as the counterpart has the request. */
async function leave(): Promise<void> {
  const caller = new AbortController()
  const asking = find({ signal: caller.signal })
  const left = expect(asking).rejects.toThrow()
  await expect.poll(() => region.asked.total, { interval: 5 }).toBe(1)
  expect(region.asked.last[0]?.aborted).toBe(false)
  caller.abort()
  await left
  await expect.poll(() => region.asked.last[0]?.aborted, { interval: 5 }).toBe(true)
}

describe('a counterpart told to', () => {
  it('hang takes the request and never answers', async () => {
    await region.behave('hang')
    await leave()
    expect(region.asked.last[0]).toMatchObject({ behaviour: 'hang', outcome: 'unanswered' })
  })

  it('drip begins to answer, and the end is far away', async () => {
    await region.behave({ behave: 'drip', delayMs: 50 })
    await leave()
    expect(region.asked.last[0]).toMatchObject({ behaviour: 'drip', outcome: 'broken' })
  })

  it('be slow answers as it should, later', async () => {
    await region.behave({ behave: 'slow', delayMs: 60 })
    const asking = find()
    await expect.poll(() => region.asked.total, { interval: 5 }).toBe(1)
    expect(region.asked.last[0]?.outcome).toBe('pending')
    expect(uniqueIds(await asking)).toEqual(uniqueIds(good))
  })

  it('reset breaks the connection', async () => {
    await region.behave('reset')
    await expect(find()).rejects.toThrow()
    expect(region.asked.last[0]).toMatchObject({ outcome: 'broken' })
  })

  it('be down does not listen, and listens on the same port when it is up again', async () => {
    await region.behave('down')
    await expect(find()).rejects.toThrow(/ECONNREFUSED/)
    expect(region.asked.total).toBe(0)
    await region.behave('normal')
    expect(uniqueIds(await find())).toEqual(uniqueIds(good))
  })

  it('answer garbage or half a message says 200 and cannot be read', async () => {
    await region.behave('garbage')
    await expect(find()).rejects.toThrow()
    await region.behave('malformed')
    await expect(find()).rejects.toThrow()
    expect(region.asked.last).toMatchObject([{ outcome: 'broken' }, { outcome: 'broken', status: 200 }])
  })

  it('answer too much sends a well-formed message of more than 32 MiB', async () => {
    await region.behave('oversize')
    const { http } = await find()
    expect(http.text.length).toBeGreaterThan(32 * 1024 * 1024)
  })

  it('answer about the wrong patient names nobody who was asked about', async () => {
    await region.behave('wrong-patient')
    const wrong = await find()
    expect(uniqueIds(wrong)).toEqual(uniqueIds(good))
    expect(wrong.http.text).not.toContain(citizens.lazio.identifiers[0].value)
    expect(wrong.http.text).toContain('STRNNN60P01X777')
  })

  it('refuse says so in its own dialect', async () => {
    await region.behave('refuse')
    expect(await find()).toMatchObject({
      status: 'Failure',
      objects: 0,
      issues: [{ code: 'XDSRegistryError', severity: 'Error', location: region.home }],
    })
    await using record = await startTuscanRecord({ certificates, seed })
    await record.behave('refuse')
    expect((await ask({ to: record.urls.registry })).fault?.subcodes).toEqual(['wsse:FailedAuthentication'])
  })

  it('fail says it is at fault', async () => {
    await region.behave('fault')
    const { fault, http } = await find()
    expect(http.status).toBe(500)
    expect(fault).toMatchObject({ code: 'Receiver' })
  })

  it('tell a part tells everything it has, and one error', async () => {
    await region.behave('partial')
    const partial = await find()
    expect(partial).toMatchObject({ status: 'PartialSuccess', issues: [{ severity: 'Error', location: region.home }] })
    expect(uniqueIds(partial)).toEqual(uniqueIds(good))
  })

  it('know nothing answers with success and nothing', async () => {
    await region.behave('empty')
    expect(await find()).toMatchObject({ status: 'Success', objects: 0, issues: [] })
  })

  it('tell an odd entry tells it among the good ones', async () => {
    await region.behave('odd-entry')
    const odd = await find()
    expect(odd.documents.length).toBe(good.documents.length + 1)
    expect(odd.documents.filter(({ uniqueId }) => uniqueId === undefined).length).toBe(1)
    expect(uniqueIds(odd).filter((id) => id !== '')).toEqual(uniqueIds(good))
  })

  it.skipIf(!schemasPresent)(
    `misbehave in meaning still answers what the ebRS schemas accept${withoutSchemas}`,
    async () => {
      for (const behaviour of ['wrong-patient', 'partial', 'empty', 'odd-entry', 'refuse'] as const) {
        await region.behave(behaviour)
        const { http } = await find()
        expect(() => validate(http)).not.toThrow()
      }
    },
  )

  it('misbehave some times, is normal again after them', async () => {
    await region.behave({ behave: 'empty', times: 2 })
    const counts = [(await find()).objects, (await find()).objects, (await find()).objects]
    expect(counts).toEqual([0, 0, good.objects])
    expect(region.behaviour()).toEqual({ behave: 'normal' })
  })

  it('misbehave on one face leaves the others alone', async () => {
    await region.behave({ behave: 'empty', face: 'rda' })
    expect((await find()).objects).toBe(good.objects)
  })
})

describe('the control server', () => {
  const call = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(control.url + path, init)
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const set = (setting: unknown, method = 'PUT') => call('/region-050', { method, body: JSON.stringify(setting) })

  it('lists the parties and how they behave', async () => {
    expect(await call('/')).toEqual({
      status: 200,
      body: { 'region-050': { behave: 'normal', urls: region.urls, asked: 0 } },
    })
  })

  it('makes them behave otherwise, by PUT or POST', async () => {
    expect((await set({ behave: 'slow', delayMs: 5, times: 3 })).body).toMatchObject({
      behave: 'slow',
      delayMs: 5,
      times: 3,
    })
    expect(region.behaviour()).toEqual({ behave: 'slow', delayMs: 5, times: 3 })
    await set({ behave: 'down' }, 'POST')
    await expect(find()).rejects.toThrow(/ECONNREFUSED/)
    await set({ behave: 'normal' }, 'POST')
    expect((await find()).status).toBe('Success')
  })

  it('tells what a party was asked, but no message and no person', async () => {
    await find()
    const { body } = await call('/region-050')
    expect(body).toMatchObject({ asked: 1, last: [{ face: 'xca', query: 'FindDocuments', outcome: 'answered' }] })
    const text = JSON.stringify(body)
    expect(text).not.toContain(citizens.lazio.identifiers[0].value)
    expect(text).not.toContain('Assertion')
  })

  it.each([
    [{ behave: 'dance' }],
    [{}],
    [null],
    [{ behave: 'slow', delayMs: -1 }],
    [{ behave: 'slow', times: 0 }],
    [{ behave: 'down', times: 1 }],
    [{ behave: 'normal', loud: true }],
  ])('refuses %j', async (setting) => {
    expect((await set(setting)).status).toBe(400)
    expect(region.behaviour()).toEqual({ behave: 'normal' })
  })

  it('knows no other party, path or method', async () => {
    expect((await call('/nobody', { method: 'PUT', body: '{"behave":"normal"}' })).status).toBe(404)
    expect((await call('/toString')).status).toBe(404)
    expect((await call('/region-050', { method: 'DELETE' })).status).toBe(405)
    expect((await call('/', { method: 'POST', body: '{}' })).status).toBe(405)
  })
})
