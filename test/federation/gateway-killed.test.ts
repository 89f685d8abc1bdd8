import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GatewayProcess, startGatewayProcess } from '../network/gateway-process.ts'
import { type Network, startNetwork } from '../network/network.ts'
import { question, uniqueIds } from '../support/asking.ts'

let network: Network
let gateway: GatewayProcess
beforeAll(async () => {
  network = await startNetwork({
    process: true,
    gateway: { deliveries: { concurrency: 1, firstRetryMs: 10, longestRetryMs: 100, mostAttempts: 1_000 } },
  })
  const { process: child } = network.gateway
  if (child === undefined) throw new Error('The gateway is no process')
  gateway = child
})
afterAll(() => network[Symbol.asyncDispose]())

const push = () => network.ini.push
const found = async () => uniqueIds(await question(network, 'tuscan'))

describe('a gateway that is killed while INI pushes', () => {
  it('has everything that it acknowledged, takes the rest when it is told again, and delivers each once', async () => {
    await network.record.behave('down')
    // Whoever cites a prescription is shown only while the record tells of it.
    const documents = Array.from({ length: 24 }, () => push().document({ change: { references: [] } }))
    let killed: Promise<void> | undefined
    let acknowledged = 0
    const answers = await Promise.all(
      documents.map(async (document) => {
        const answer = await push().create(document)
        if (answer.status === 'Success' && ++acknowledged === 6) killed = gateway.kill()
        return { document, answer }
      }),
    )
    await killed
    expect(gateway.pid).toBeUndefined()
    const kept = answers.filter(({ answer }) => answer.status === 'Success')
    expect(kept.length).toBeGreaterThanOrEqual(6)
    expect(answers.filter(({ answer }) => answer.status !== 'Success' && !answer.unanswered)).toEqual([])

    await gateway.restart()
    expect(await found()).toEqual(expect.arrayContaining(kept.map(({ document }) => document.uniqueId)))
    for (const { answer } of answers.filter(({ answer }) => answer.unanswered)) {
      const { status, issues } = await answer.afresh()
      // It may have been kept without a word, and says so then.
      if (status !== 'Success') expect(issues.map(({ code }) => code)).toEqual(['R224'])
    }
    expect(await found()).toEqual(expect.arrayContaining(documents.map(({ uniqueId }) => uniqueId)))

    await network.record.behave('normal')
    // The one that was under way when the gateway was killed may wait for the end of its lease.
    await network.record.registered.until(documents.length - 1)
    const names = network.record.registered.last.map(({ uniqueId }) => uniqueId)
    expect(new Set(names).size).toBe(names.length)
  })

  it('is not started twice', async () => {
    await expect(gateway.restart()).rejects.toThrow('still runs')
  })
})

describe('a gateway as a process', () => {
  it('that cannot start says so', async () => {
    const config = join(network.gateway.config, '../broken.json')
    await writeFile(config, '{}')
    await expect(startGatewayProcess(config)).rejects.toThrow(/ended before it was ready: .*gateway/s)
  })
})
