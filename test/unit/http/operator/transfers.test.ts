import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventDraft } from '../../../../src/core/federation/index-transfer.ts'
import type { TransferEvent } from '../../../../src/core/model/index-transfer.ts'
import type { TransferState } from '../../../../src/http/operator/transfers.ts'
import { citizen } from '../../../support/builders.ts'
import { noon, type Operating, operating } from '../../../support/operating.ts'

let face: Operating
let begun: unknown[]
beforeEach(async () => {
  begun = []
  face = await operating({ startTransfer: async (transfer) => void begun.push(transfer) })
})
afterEach(() => face[Symbol.asyncDispose]())

const id = 'urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3301'
const post = (body: unknown, operator: string | undefined = 'anna') =>
  face.ask('/transfers', {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
    ...(operator === undefined ? {} : { operator }),
  })
const show = async () => await face.ask(`/transfers/${encodeURIComponent(id)}`, { operator: 'anna' })
const keep = async (name: string, event: TransferEvent) => {
  await face.store.journal.append(
    eventDraft(`${id}:${name}`, { transferId: id, event }, { hash: () => 'ab'.repeat(32), now: noon }),
  )
}
const moved = { uniqueId: '1.2^1', obscured: false, became: 'had', pushes: [], faults: [] } as const

describe('a transfer', () => {
  it.each([citizen.value, `${citizen.value}^^^&${citizen.authority}&ISO`])(
    'of %s is begun, accounted for, and known by a random id',
    async (patient) => {
      const response = await post({ patient })
      expect(response.status).toBe(201)
      const answered = (await response.json()) as { readonly id: string }
      expect(answered.id).toMatch(/^urn:uuid:/)
      expect(begun).toEqual([{ transferId: answered.id, patientId: citizen, operator: 'anna' }])
      expect(face.audited).toMatchObject([
        {
          request: 'start-transfer',
          patientId: citizen,
          peer: { subject: 'anna' },
          operated: { delivery: answered.id },
        },
      ])
      expect(face.told).toEqual(['woken'])
    },
  )

  it.each([
    ['without a patient', {}],
    ['of a wrong code', { patient: 'PROVAX80A01H501X' }],
    ['of what is no identifier', { patient: 'a^b' }],
    ['with more', { patient: citizen.value, chunk: 3 }],
  ])('%s is not begun', async (_, body) => {
    expect((await post(body)).status).toBe(400)
    expect(begun).toEqual([])
  })

  it('is not begun without a name, without a record, or where none may be', async () => {
    expect((await post({ patient: citizen.value }, '')).status).toBe(400)
    face.trail.fails = true
    expect((await post({ patient: citizen.value })).status).toBe(500)
    expect(begun).toEqual([])
    await using other = await operating()
    const response = await other.ask('/transfers', {
      ...{ method: 'POST', body: JSON.stringify({ patient: citizen.value }), operator: 'anna' },
      headers: { 'content-type': 'application/json' },
    })
    expect(response.status).toBe(409)
  })

  it('tells how far it is, what is missing and why, and nobody’s name', async () => {
    await keep('started', { type: 'started', patientId: citizen, operator: 'anna' })
    await keep('listed', { type: 'listed', ids: ['a', 'b'], chunk: 50 })
    const faults = [{ severity: 'warning', code: 'R50', text: 'Wrong value' }] as const
    const missing = { id: 'b', reason: 'lost' }
    await keep('read', { type: 'read', documents: [{ ...moved, id: 'a', faults }], untold: [missing] })
    await keep('missing', { type: 'missing', documents: [missing] })
    await face.store.outbox.put({
      ...{ id: `${id}:check`, kind: 'index-transfer:ini', key: id },
      content: JSON.stringify({ step: 'check', patientId: citizen }),
    })
    await face.kill('community-rejected: PFA14 This role has not the rights to access the service')
    const text = await (await show()).text()
    const state = JSON.parse(text) as TransferState
    expect(state).toMatchObject({
      ...{ state: 'stopped', listed: 2, read: 1, kept: 0, delivered: 0, had: 1, removed: 0, left: [] },
      missing: [{ id: 'b', reason: 'lost' }],
      faults: [{ id: 'a', document: '1.2^1', code: 'R50', text: 'Wrong value' }],
      step: { id: `${id}:check`, state: 'dead' },
      explanations: [expect.objectContaining({ code: 'PFA14' })],
    })
    expect(text).not.toContain(citizen.value)
    expect(face.audited).toMatchObject([{ request: 'show-transfer', patientId: citizen }])
    const inspected = await face.ask(`/deliveries/${encodeURIComponent(`${id}:check`)}`, { operator: 'anna' })
    expect(inspected.status).toBe(200)
    expect(face.audited.at(-1)).toMatchObject({ request: 'inspect', patientId: citizen })
  })

  it('is done when everything that could be removed is removed', async () => {
    await keep('started', { type: 'started', patientId: citizen, operator: 'anna' })
    await keep('complete', { type: 'complete', ids: ['a', 'b'], chunk: 1, left: [{ id: 'c', reason: 'replaced' }] })
    await keep('remove:0', { type: 'removed', ids: ['a'] })
    expect(await (await show()).json()).toMatchObject({ state: 'stopped', removed: 1 })
    await keep('remove:1', { type: 'removed', ids: ['b'] })
    expect(await (await show()).json()).toMatchObject({
      state: 'done',
      removed: 2,
      left: [{ id: 'c', reason: 'replaced' }],
    })
  })

  it('that nobody began is not known', async () => {
    expect((await show()).status).toBe(404)
    expect(face.audited).toEqual([])
  })
})
