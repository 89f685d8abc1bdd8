import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { connectionOf, questionOf } from '../../src/cli/ask.ts'
import { assertionOf } from '../../src/cli/assertion.ts'
import { identityOf } from '../../src/cli/parties.ts'
import { authorities, patientId } from '../../src/core/model/patient.ts'
import type { FindDocuments } from '../../src/core/model/stored-query.ts'
import { paths } from '../../src/gateway.ts'
import { certificates, communityInput, homeOf, type PartyName, writeGatewayConfig } from '../support/gateway-config.ts'
import { type Measurement, median, rssMb } from './measurement.ts'

const slowestMs = 100

/** Milliseconds of a federated query over three communities of 100 entries each, against the slowest one's own answer. */
export async function federatedQuery3x100(): Promise<Measurement> {
  await using servers = new AsyncDisposableStack()
  const start = async (name: PartyName, delay: number, offset: number) => {
    const child = fork(join(import.meta.dirname, 'community-server.ts'), [String(delay), homeOf(name), String(offset)])
    servers.defer(() => void child.disconnect())
    return `https://127.0.0.1:${await portOf(child)}/`
  }
  const [own, first, slowest] = [
    await start('tuscany', 20, 1),
    await start('region-050', 60, 2),
    await start('region-120', slowestMs, 3),
  ]
  const { folder, file } = await writeGatewayConfig([
    communityInput('tuscany', 'tuscany', { protocol: 'xds', registry: own }),
    communityInput('region-050', 'region', { query: first }),
    communityInput('region-120', 'region', { query: slowest }),
  ])
  servers.defer(() => rm(folder, { recursive: true, force: true }))
  // A process of its own, as in production: what the asker does must not be counted as the gateway's.
  const gateway = fork(join(import.meta.dirname, 'gateway-server.ts'), [file], {
    execArgv: ['--max-semi-space-size=64'],
  })
  servers.defer(() => void gateway.disconnect())
  const soapPort = await portOf(gateway)
  const portal = identityOf('portal', certificates)
  const query: FindDocuments = {
    type: 'FindDocuments',
    patientId: patientId('PROVAX00X00X000Y', authorities.codiceFiscale),
    status: ['approved'],
    filter: {},
    extra: [],
  }
  const base = `https://127.0.0.1:${soapPort}`
  const doors = { iti18: base + paths.iti18, iti38: base + paths.iti38 }
  const direct = servers.use(connectionOf(portal))
  const client = servers.use(connectionOf(portal))
  const federated: number[] = []
  const alone: number[] = []
  for (let round = 0; round < 70; round++) {
    const assertion = await assertionOf(portal, {
      patient: query.patientId,
      role: 'AAS',
      purpose: 'TREATMENT',
      action: 'READ',
      types: [],
      lifetimeSeconds: 300,
    })
    const started = performance.now()
    await direct.send({
      url: slowest,
      method: 'POST',
      headers: { 'content-type': 'application/soap+xml' },
      body: `<x id="${randomUUID()}"/>`,
      signal: AbortSignal.timeout(10_000),
      idempotent: true,
    })
    const answered = performance.now()
    const { body } = await client.send(questionOf(portal, doors, query, assertion))
    const ended = performance.now()
    const told = body.toString('latin1').split('<rim:ExtrinsicObject').length - 1
    if (told !== 300) throw new Error(`Expected 300 entries, got ${told}`)
    // The first rounds warm up connections and code.
    if (round < 30) continue
    alone.push(answered - started)
    federated.push(ended - answered)
  }
  const [value, floor] = [median(federated), median(alone)]
  return {
    bench: 'federated-query-3x100',
    unit: 'ms',
    value,
    floor,
    floorIs: `the slowest community's own answer (it waits ${slowestMs} ms); the limit is floor + 25 ms`,
    ratio: value / floor,
    rssMb: rssMb(),
  }
}

/** The port a child process says it listens on. */
function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(Number(message)))
    child.once('exit', () => reject(new Error('A process of the benchmark did not start')))
  })
}
