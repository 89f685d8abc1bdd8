import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { AuditRecord, Store } from '../../src/store/store.ts'
import { reasonsSince, told } from '../support/told.ts'
import {
  assertionOf,
  between,
  type Knock,
  policyFault,
  signerIn,
  startTrustGateway,
  type TrustGateway,
} from '../support/trust-gateway.ts'
import type { Answered } from '../unit/network/asking.ts'

vi.mock('../../src/telemetry/log.ts', async (original) => {
  const { telling } = await import('../support/told.ts')
  return telling(await original<typeof import('../../src/telemetry/log.ts')>())
})

/** Region 120 has said that each of its assertions is for one message. */
const communities = { 'region-120': { trust: { assertions: { replay: 'once' as const } } } }

let door: TrustGateway
let store: Store
beforeAll(async () => {
  door = await startTrustGateway({ communities })
  store = await sqliteStore({ path: door.store })
})
afterAll(async () => {
  await store[Symbol.asyncDispose]()
  await door[Symbol.asyncDispose]()
})

const newId = () => `urn:uuid:${randomUUID()}`
const knock = (about?: Knock) => door.knock(about)

/** What was recorded of an attempt, and why it was refused. */
async function accounted(attempt: () => Promise<Answered>) {
  const { sequence } = await store.latest()
  const place = told.length
  const answer = await attempt()
  const records: AuditRecord[] = (await store.read({ after: sequence, limit: 10 })).map(({ record }) => record)
  return { answer, records, reasons: reasonsSince(place) }
}

describe('a message that comes a second time', () => {
  it('is refused, and both times leave a record', async () => {
    const message = { assertions: [assertionOf()], messageId: newId() }
    const { first, second } = await between(knock, async () => ({
      first: await accounted(() => knock(message)),
      second: await accounted(() => knock(message)),
    }))
    expect(first.answer.status).toBe('Success')
    expect(first.records).toMatchObject([{ outcome: 'success', peer: { name: 'region-050' } }])
    expect(second.answer.fault).toMatchObject({ code: 'Sender', subcodes: ['wsse:FailedAuthentication'] })
    expect(second.reasons).toEqual(['replay used-before'])
    expect(second.records).toMatchObject([
      { outcome: 'refused', errorCode: 'assertion-invalid', peer: { name: 'region-050' } },
    ])
  })

  it('is refused with another assertion as well', async () => {
    const messageId = newId()
    expect((await knock({ messageId })).status).toBe('Success')
    const { answer, reasons } = await between(knock, () => accounted(() => knock({ messageId })))
    expect(answer.fault).toBeDefined()
    expect(reasons).toEqual(['replay used-before'])
  })

  it('is not refused because somebody else used that id', async () => {
    const messageId = newId()
    expect((await knock({ messageId })).status).toBe('Success')
    expect((await knock({ messageId, as: 'ini' })).status).toBe('Success')
    // INI repeats itself to the letter when it loses patience.
    expect((await knock({ messageId, as: 'ini' })).status).toBe('Success')
  })

  it('was not used up by an attempt that was refused before its signature was believed', async () => {
    const messageId = newId()
    const forged = assertionOf({ by: signerIn('region-120') })
    expect((await knock({ messageId, assertions: [forged] })).fault).toBeDefined()
    expect((await knock({ messageId })).status).toBe('Success')
  })

  it('is refused without an id: nobody could tell it from another', async () => {
    const withoutId = (text: string) => text.replace(/<wsa:MessageID>.*<\/wsa:MessageID>/, '')
    const { answer } = await between(knock, () => accounted(() => knock({ change: withoutId })))
    expect(answer.fault).toMatchObject({ code: 'Sender' })
    expect(answer.documents).toEqual([])
  })

  it('is granted to one only of many that come at once', async () => {
    const message = { assertions: [assertionOf()], messageId: newId() }
    const answers = await Promise.all(Array.from({ length: 8 }, () => knock(message)))
    expect(answers.filter(({ status }) => status === 'Success')).toHaveLength(1)
    expect(answers.filter(({ fault }) => fault !== undefined)).toHaveLength(7)
  })
})

describe('an assertion that comes a second time', () => {
  it('is granted in new messages of the same presenter, a search and what follows it', async () => {
    const assertions = [assertionOf({ as: 'ini', by: signerIn('ini') })]
    for (const messageId of [newId(), newId(), newId()]) {
      expect((await knock({ as: 'ini', assertions, messageId })).status).toBe('Success')
    }
  })

  it('is refused when another presents it, and still granted to the first', async () => {
    const assertions = [assertionOf()]
    const asIni = () => knock({ as: 'ini', assertions })
    expect((await knock({ assertions })).status).toBe('Success')
    // INI may hand on what region 050 signs.
    const { answer, reasons } = await between(
      () => knock({ as: 'ini', assertions: [assertionOf()] }),
      () => accounted(asIni),
    )
    expect(reasons).toEqual(['replay used-by-another-presenter'])
    expect(policyFault(answer)).toMatchObject({ element: 'InvalidSecurityToken', code: 'PFC3' })
    expect((await knock({ assertions })).status).toBe('Success')
  })

  it('is refused where its community signs for one message only, whoever brings it', async () => {
    const once = () => knock({ as: 'region-120' })
    const assertions = [assertionOf({ as: 'region-120' })]
    expect((await knock({ as: 'region-120', assertions })).status).toBe('Success')
    const again = await between(once, () => accounted(() => knock({ as: 'region-120', assertions })))
    expect(again.reasons).toEqual(['replay used-before'])
    const byIni = await between(once, () => accounted(() => knock({ as: 'ini', assertions })))
    expect(byIni.reasons).toEqual(['replay used-before'])
    expect(byIni.answer.fault).toBeDefined()
  })

  it('is not the same as one of another community with its id', async () => {
    const id = `_${randomUUID()}`
    for (const as of ['region-050', 'region-120']) {
      expect((await knock({ as, claims: { id } })).status).toBe('Success')
    }
  })
})

describe('what was used', () => {
  it('is known to a gateway that starts again on the same store', async () => {
    const message = { assertions: [assertionOf()], messageId: newId() }
    const once = { as: 'region-120', assertions: [assertionOf({ as: 'region-120' })] }
    const { record } = door
    {
      await using first = await startTrustGateway({ record, communities, config: { store: { path: door.store } } })
      expect((await first.knock(message)).status).toBe('Success')
      expect((await first.knock(once)).status).toBe('Success')
    }
    await using second = await startTrustGateway({ record, communities, config: { store: { path: door.store } } })
    const place = told.length
    const refused = await between(
      () => second.knock(),
      async () => [await second.knock(message), await second.knock(once)],
    )
    expect(refused.map(({ fault }) => fault?.subcodes)).toEqual([
      ['wsse:FailedAuthentication'],
      ['wsse:FailedAuthentication'],
    ])
    expect(reasonsSince(place)).toEqual(['replay used-before', 'replay used-before'])
    // In a new message the assertion is as good as it was.
    expect((await second.knock({ assertions: message.assertions })).status).toBe('Success')
  })

  it('is known to every gateway on one store: of two that get the same message at once, one grants it', async () => {
    await using other = await startTrustGateway({
      record: door.record,
      communities,
      config: { store: { path: door.store } },
    })
    for (let round = 0; round < 4; round++) {
      const message = { assertions: [assertionOf()], messageId: newId() }
      const answers = await Promise.all([door.knock(message), other.knock(message)])
      expect(answers.filter(({ status }) => status === 'Success')).toHaveLength(1)
      expect(answers.filter(({ fault }) => fault !== undefined)).toHaveLength(1)
    }
    const assertions = [assertionOf()]
    expect((await door.knock({ assertions })).status).toBe('Success')
    expect((await other.knock({ as: 'ini', assertions })).fault).toBeDefined()
    expect((await other.knock({ assertions })).status).toBe('Success')
    expect(await store.verify()).toMatchObject({ ok: true })
  })
})
