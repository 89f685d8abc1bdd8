import { afterEach, describe, expect, it, vi } from 'vitest'
import type { TransferState } from '../../src/http/operator/transfers.ts'
import { cx, isObscured } from '../network/entry.ts'
import { type Network, type NetworkOptions, startNetwork } from '../network/network.ts'

let network: Network
afterEach(() => network[Symbol.asyncDispose]())

const quick = { firstRetryMs: 10, longestRetryMs: 20, mostAttempts: 1_000, timeoutMs: 5_000 }

async function begin(options: NetworkOptions = {}, chunk = 20): Promise<void> {
  network = await startNetwork({ gateway: { deliveries: quick }, ...options, transferChunk: chunk })
  network.ini.transfers.move('lazio', { from: '120', to: '090' })
}

const former = () => network.regions['region-120']
const theirs = () => former().holdings.entries.filter(({ patient }) => patient.value.startsWith('GNSDRA'))
const ours = () => network.record.holdings.entries.filter(({ patient }) => patient.value.startsWith('GNSDRA'))
const current = (entries: ReturnType<typeof theirs>) => entries.filter(({ status }) => status === 'Approved')
const names = (entries: ReturnType<typeof theirs>) => new Set(entries.map(({ uniqueId }) => uniqueId))

async function operate(path: string, body?: unknown): Promise<Response> {
  return await fetch(`${network.gateway.operator}${path}`, {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    headers: { operator: 'anna', 'content-type': 'application/json' },
  })
}

async function started(patient = theirs()[0]?.patient): Promise<string> {
  if (patient === undefined) throw new Error('The former region has nothing')
  const response = await operate('/transfers', { patient: cx(patient) })
  expect(response.status).toBe(201)
  return ((await response.json()) as { readonly id: string }).id
}

async function stateOf(id: string): Promise<TransferState> {
  return (await (await operate(`/transfers/${encodeURIComponent(id)}`)).json()) as TransferState
}

const until = (id: string, state: TransferState['state'], timeout = 25_000) =>
  vi.waitUntil(
    async () => {
      const found = await stateOf(id)
      return found.state === state && found
    },
    { timeout, interval: 50 },
  )

const retry = (step: string) => operate(`/deliveries/${encodeURIComponent(step)}/retry`, {})

describe('the index of somebody who is assisted by us now', () => {
  it.each(['xds', 'fhir'] as const)(
    'is in our record by %s, whole and hidden where it was hidden, before it is removed where it was',
    async (protocol) => {
      await begin({ protocol })
      const before = theirs()
      const hidden = names(current(before).filter(isObscured))
      const hadHidden = ours().filter(({ uniqueId }) => hidden.has(uniqueId)).length
      expect(hidden.size).toBeGreaterThan(0)
      const since = network.ini.asked.total
      const id = await started()
      const state = await until(id, 'done')
      const expected = names(current(before))
      expect([...expected].filter((name) => !names(current(ours())).has(name))).toEqual([])
      expect(
        current(ours())
          .filter(({ uniqueId }) => hidden.has(uniqueId))
          .every(isObscured),
      ).toBe(true)
      expect(ours().filter(({ uniqueId }) => hidden.has(uniqueId)).length).toBeGreaterThanOrEqual(hadHidden)
      expect(state).toMatchObject({ listed: before.length, read: before.length, missing: [] })
      expect(state.kept).toBeGreaterThan(0)
      expect(state.delivered).toBe(state.kept)
      expect(state.had).toBeGreaterThan(0)
      expect(state.removed + state.left.length).toBe(before.length)
      // What was replaced by another document stays, since nobody tells by which.
      expect(theirs().map(({ status }) => status)).toEqual(state.left.map(() => 'Deprecated'))
      const asked = network.ini.asked.last.slice(network.ini.asked.last.length - (network.ini.asked.total - since))
      const transfers = asked.filter(({ face }) => face.startsWith('indexTransfer'))
      expect(new Set(transfers.map(({ role, purpose }) => `${role} ${purpose}`))).toEqual(new Set(['NOR SYSADMIN']))
      expect(transfers.map(({ face }) => face).indexOf('indexTransferDelete')).toBeGreaterThan(
        transfers.map(({ face }) => face).lastIndexOf('indexTransfer'),
      )
    },
  )

  it('is the same when it is moved again', async () => {
    await begin()
    await until(await started(), 'done')
    const before = ours().length
    const again = await until(await started(), 'done')
    expect(again).toMatchObject({ kept: 0, removed: 0, missing: [] })
    expect(ours()).toHaveLength(before)
  })

  it('stays where it is while a document is lost on the way, and the operator sees which', async () => {
    await begin()
    const known = names(ours())
    const [lost] = current(theirs()).filter(({ uniqueId }) => !known.has(uniqueId))
    if (lost === undefined) throw new Error('Everything is here')
    network.ini.transfers.lose(lost.uniqueId)
    const before = theirs().length
    const id = await started()
    const state = await until(id, 'stopped')
    expect(state.missing).toEqual([{ id: lost.entryUuid, reason: 'it was listed there, and is not told of' }])
    expect(state).toMatchObject({ removed: 0, step: { id: `${id}:check`, state: 'dead' } })
    expect(state.reason).toContain(lost.entryUuid)
    expect(theirs()).toHaveLength(before)
    network.ini.transfers.lose()
    expect((await retry(`${id}:check`)).status).toBe(200)
    expect(await until(id, 'done')).toMatchObject({ missing: [] })
    expect(names(ours())).toContain(lost.uniqueId)
  })

  it('is complete however often INI and our record fail meanwhile', async () => {
    await begin()
    await network.ini.behave({ behave: 'reset', face: 'indexTransfer', times: 3 })
    await network.record.behave({ behave: 'busy', face: 'register', times: 5 })
    const expected = names(current(theirs()))
    const id = await started()
    await vi.waitUntil(async () => (await stateOf(id)).read > 0, { timeout: 10_000, interval: 10 })
    await network.ini.behave({ behave: 'unheard', face: 'indexTransferDelete', times: 2 })
    const state = await until(id, 'done')
    expect(state.missing).toEqual([])
    expect([...expected].filter((name) => !names(current(ours())).has(name))).toEqual([])
    expect(theirs()).toHaveLength(state.left.length)
    const taken = network.record.registered.last.filter(({ change }) => change === 'create').map((one) => one.uniqueId)
    expect(new Set(taken).size).toBe(taken.length)
  })

  it('is not moved when nobody knows where it was, and the operator reads it word for word', async () => {
    await begin()
    const patient = network.record.holdings.entries.find(({ patient }) => patient.value.startsWith('CPRBNC'))?.patient
    const id = await started(patient)
    const state = await until(id, 'stopped')
    expect(state.reason).toContain('RPDA non individuata per servizio trasferimento indice')
    expect(state.explanations).toHaveLength(1)
    expect(state.listed).toBe(0)
  })

  it('goes on after the gateway was killed in the middle', async () => {
    await begin({ process: true }, 4)
    const { process: gateway } = network.gateway
    const expected = names(current(theirs()))
    const id = await started()
    await vi.waitUntil(async () => (await stateOf(id)).read >= 20, { timeout: 15_000, interval: 2 })
    await gateway?.kill()
    await gateway?.restart()
    // The step that was under way waits for the end of its lease.
    const state = await until(id, 'done', 50_000)
    expect(state.missing).toEqual([])
    expect([...expected].filter((name) => !names(current(ours())).has(name))).toEqual([])
    const taken = network.record.registered.last.filter(({ change }) => change === 'create').map((one) => one.uniqueId)
    expect(new Set(taken).size).toBe(taken.length)
  }, 90_000)
})
