import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectionOf, questionOf } from '../../src/cli/ask.ts'
import { assertionOf } from '../../src/cli/assertion.ts'
import { CliError } from '../../src/cli/exit.ts'
import { identityOf } from '../../src/cli/parties.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { AuditStore } from '../../src/store/store.ts'
import { type Network, startNetwork } from '../network/network.ts'
import { patientOf, question } from '../support/asking.ts'

let network: Network
let store: AuditStore
beforeAll(async () => {
  network = await startNetwork({
    communities: {
      'region-050': { cache: { ttlMs: 60_000, entries: 10 } },
      'region-120': { guard: { timeoutMs: 2_000 } },
    },
  })
  store = await sqliteStore({ path: network.gateway.store })
})
afterAll(async () => {
  await store[Symbol.asyncDispose]()
  await network[Symbol.asyncDispose]()
})

async function since(sequence: number) {
  return (await store.read({ after: sequence, limit: 100 })).map(({ record }) => record)
}
const latest = async () => (await store.latest()).sequence

describe('the audit trail of a gateway', () => {
  it('holds one record of a granted question: who, about whom, why, whom we asked, how it went', async () => {
    const before = await latest()
    await question(network, 'tuscan')
    const records = await since(before)
    expect(records).toHaveLength(1)
    expect(records[0]).toMatchObject({ transaction: 'ITI-18', outcome: 'success', request: 'FindDocuments' })
    const text = JSON.stringify(records[0])
    for (const told of [patientOf('tuscan').value, 'AAS', 'TREATMENT', 'urn:oid:2.16.840.1.113883.2.9.2.50']) {
      expect(text).toContain(told)
    }
  })

  it('holds one record of a refused question', async () => {
    const before = await latest()
    await expect(question(network, 'tuscan', { as: 'stranger' })).rejects.toThrow(CliError)
    await expect(question(network, 'tuscan', { role: 'OPERATORE' })).rejects.toThrow(CliError)
    const records = await since(before)
    expect(records.map(({ outcome }) => outcome)).toEqual(['refused', 'refused'])
  })

  it('holds one record of a message that is no message', async () => {
    const before = await latest()
    const status = await post('<!DOCTYPE x><x/>')
    expect(status).toBe(400)
    expect((await since(before)).map(({ outcome }) => outcome)).toEqual(['refused'])
  })

  it('is one unbroken chain', async () => {
    expect(await store.verify()).toMatchObject({ ok: true })
  })
})

describe('a caller who leaves', () => {
  it('takes the questions to the communities along', async () => {
    const { 'region-120': lazio } = network.regions
    await lazio.behave('hang')
    const before = lazio.asked.last.length
    const portal = identityOf('portal', network.certificates)
    const wishes = { role: 'AAS', purpose: 'TREATMENT', action: 'READ', types: [], lifetimeSeconds: 60 }
    const patientId = patientOf('tuscan')
    const message = questionOf(
      portal,
      network.gateway,
      { type: 'FindDocuments', patientId, status: ['approved'], filter: {}, extra: [] },
      await assertionOf(portal, { ...wishes, patient: patientId }),
    )
    const caller = new AbortController()
    await using client = connectionOf(portal)
    const answer = client.send({ ...message, signal: caller.signal })
    await expect.poll(() => lazio.asked.last.length).toBeGreaterThan(before)
    caller.abort()
    await expect(answer).rejects.toThrow()
    await expect.poll(() => lazio.asked.last.at(-1)?.aborted).toBe(true)
    await lazio.behave('normal')
  })
})

describe('a gateway with no place left', () => {
  it('says so at once, keeps the record, and serves again when there is a place', async () => {
    await using small = await startNetwork({ gateway: { maxConcurrentExchanges: 1 } })
    await small.regions['region-050'].behave('hang')
    const first = question(small, 'tuscan')
    await expect.poll(() => small.regions['region-050'].asked.total).toBe(1)
    await expect(question(small, 'tuscan')).rejects.toThrow('busy')
    await using trail = await sqliteStore({ path: small.gateway.store })
    expect((await trail.read({ limit: 10 })).map(({ record }) => record.outcome)).toEqual(['failure'])
    await small.regions['region-050'].behave('down')
    await first
    expect((await question(small, 'tuscan')).entries.length).toBeGreaterThan(0)
  })
})

describe('a cached answer', () => {
  it('is given to the same asker again, and to nobody else', async () => {
    const { 'region-050': veneto } = network.regions
    const first = await question(network, 'lazio')
    const asked = veneto.asked.total
    expect(await question(network, 'lazio')).toMatchObject({ entries: first.entries })
    expect(veneto.asked.total).toBe(asked)
    await question(network, 'lazio', { role: 'DRS' })
    expect(veneto.asked.total).toBe(asked + 1)
  })
})

function post(body: string): Promise<number | undefined> {
  const file = (name: string) => readFileSync(join(network.certificates, name))
  return new Promise((resolve, reject) => {
    const sent = request(
      network.gateway.iti18,
      {
        method: 'POST',
        ca: file('ca.pem'),
        cert: file('portal/tls.crt.pem'),
        key: file('portal/tls.key.pem'),
        headers: { 'content-type': 'application/soap+xml' },
      },
      (response) => {
        response.resume()
        response.once('end', () => resolve(response.statusCode))
      },
    )
    sent.once('error', reject)
    sent.end(body)
  })
}
