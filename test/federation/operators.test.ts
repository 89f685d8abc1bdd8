import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Inspected, ListedPush } from '../../src/http/operator/views.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { type Network, startNetwork } from '../network/network.ts'
import { patientOf, question, uniqueIds } from '../support/asking.ts'

let network: Network
beforeAll(async () => {
  network = await startNetwork({ gateway: { deliveries: { firstRetryMs: 10, longestRetryMs: 10 } } })
})
afterAll(() => network[Symbol.asyncDispose]())
beforeEach(() => network.record.behave('normal'))

const main = resolve(import.meta.dirname, '../../src/cli/main.ts')
const words = 'Il codice «Ospedale» non è ammesso: si veda R50'

/** The real command against the running gateway. */
async function crocevia(...args: readonly string[]) {
  const child = spawn(process.execPath, [main, ...args, '--url', network.gateway.operator], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8')
    child[name].on('data', (text: string) => {
      texts[name] += text
    })
  }
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...texts }
}

/** Looks until it is so. */
const until = <T>(look: () => T | Promise<T>) => vi.waitUntil(look, { timeout: 15_000, interval: 20 })

async function pushes(state: string): Promise<readonly ListedPush[]> {
  const response = await fetch(`${network.gateway.operator}/journal?state=${state}`)
  return ((await response.json()) as { pushes: readonly ListedPush[] }).pushes
}

/** INI pushes a document that the record refuses in its own words; resolves when the delivery is dead. */
async function refused() {
  await network.record.behave({
    behave: 'refuse',
    face: 'register',
    issues: [{ code: 'XDSRegistryMetadataError', text: words }],
  })
  const facts = network.ini.push.document()
  expect(await network.ini.push.create(facts)).toMatchObject({ status: 'Success' })
  const [dead] = await until(async () => {
    const found = await pushes('dead')
    return found.length > 0 && found
  })
  return { facts, id: dead?.id ?? '' }
}

const indexed = async () => uniqueIds(await question(network, 'tuscan'))
const inRecord = (uniqueId: string) => network.record.holdings.entries.some((entry) => entry.uniqueId === uniqueId)

async function records() {
  await using store = await sqliteStore({ path: network.gateway.store })
  return (await store.read({ limit: 1000 })).map(({ record }) => record)
}

describe('a push that the record refuses', () => {
  it('waits with the record’s own words, and is delivered once an operator retries it', async () => {
    const { facts, id } = await refused()
    expect(await indexed()).toContain(facts.uniqueId)
    const list = await crocevia('journal', 'list', '--state', 'dead')
    expect(list).toMatchObject({ code: 0, stderr: '' })
    expect(list.stdout).toMatch(new RegExp(`ITI-42 +dead +1 +${id}\n`))
    expect(list.stdout).not.toContain(patientOf('tuscan').value)
    const shown = await crocevia('journal', 'show', id, '--operator', 'anna')
    expect(shown).toMatchObject({ code: 0, stderr: '' })
    expect(shown.stdout).toContain(`XDSRegistryMetadataError ${words}`)
    expect(shown.stdout).toContain(facts.uniqueId)

    await network.record.behave('normal')
    expect(inRecord(facts.uniqueId)).toBe(false)
    expect(await crocevia('journal', 'retry', id, '--operator', 'anna')).toMatchObject({ code: 0, stderr: '' })
    await until(async () => (await pushes('delivered')).some((push) => push.id === id))
    expect(inRecord(facts.uniqueId)).toBe(true)
    expect((await crocevia('journal', 'retry', id, '--operator', 'anna')).code).toBe(4)

    const deeds = (await records()).filter(({ operated }) => operated?.delivery === id)
    expect(deeds.map(({ peer, request, outcome }) => `${peer.subject} ${request} ${outcome}`)).toEqual([
      'anna inspect success',
      'anna retry success',
      'anna retry failure',
    ])
    for (const { documents, patient } of deeds) {
      expect(documents?.[0]?.document).toBe(facts.uniqueId)
      expect(patient).toContain(patientOf('tuscan').value)
    }
  })

  it('vanishes from the index once an operator discards it, and its reason is kept', async () => {
    const { facts, id } = await refused()
    expect(await indexed()).toContain(facts.uniqueId)
    const reason = 'doppione, sentito il mittente'
    const discarded = await crocevia('journal', 'discard', id, '--operator', 'anna', '--reason', reason)
    expect(discarded).toMatchObject({ code: 0, stderr: '' })
    expect(await indexed()).not.toContain(facts.uniqueId)
    expect(inRecord(facts.uniqueId)).toBe(false)
    const shown = await crocevia('journal', 'show', id, '--json', '--content', '--operator', 'anna')
    const { state, reason: kept, content } = JSON.parse(shown.stdout) as Inspected
    expect(state).toBe('discarded')
    expect(kept).toContain(reason)
    expect(kept).toContain(words)
    expect(content).toMatchObject({ type: 'submit', submission: { entries: [{ uniqueId: facts.uniqueId }] } })
    expect(await crocevia('journal', 'list', '--state', 'dead')).toMatchObject({ code: 0, stdout: 'No pushes.\n' })
  })
})

describe('the command', () => {
  it.each([
    ['an unknown push', ['journal', 'show', 'nobody', '--operator', 'anna'], 4],
    ['an unknown delivery', ['deliveries', 'discard', 'nobody', '--operator', 'anna', '--reason', 'x'], 4],
    ['a name that is none', ['journal', 'show', 'x', '--operator', '<anna>'], 2],
    ['a name that no header can hold', ['journal', 'show', 'x', '--operator', 'Αnna'], 2],
    ['no name', ['journal', 'retry', 'x'], 2],
    ['no reason', ['journal', 'discard', 'x', '--operator', 'anna'], 2],
    ['an unknown state', ['journal', 'list', '--state', 'lost'], 2],
    ['a state of the other list', ['deliveries', 'list', '--state', 'pending'], 2],
    ['an unknown verb', ['journal', 'forget', 'x'], 2],
    ['a list of one', ['journal', 'list', 'x'], 2],
    ['no verb', ['journal'], 2],
  ])('ends with its code for %s', async (_what, args, code) => {
    const result = await crocevia(...args)
    expect({ code: result.code, stdout: result.stdout }).toEqual({ code, stdout: '' })
    expect(result.stderr).not.toContain('unexpected')
  })

  it('says when no gateway answers, or nobody says where it is', async () => {
    const nowhere = spawn(process.execPath, [main, 'journal', 'list', '--url', 'http://127.0.0.1:1'], {
      stdio: 'ignore',
    })
    expect((await once(nowhere, 'close'))[0]).toBe(6)
    // Its configuration lets the system choose the port.
    const config = spawn(process.execPath, [main, 'journal', 'list', '--config', network.gateway.config], {
      stdio: 'ignore',
    })
    expect((await once(config, 'close'))[0]).toBe(2)
  })

  it('lists deliveries too', async () => {
    const list = await crocevia('deliveries', 'list')
    expect(list).toMatchObject({ code: 0, stdout: 'No deliveries.\n' })
  })
})

it('tells how old the oldest delivery is among the metrics, and is ready while the store can be written', async () => {
  const text = await (await fetch(`${network.gateway.operator}/metrics`)).text()
  expect(text).toContain('crocevia_outbox_oldest_seconds{state="dead"} 0')
  expect((await fetch(`${network.gateway.operator}/ready`)).status).toBe(200)
})
