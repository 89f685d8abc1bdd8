import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { AuditRecord } from '../../src/store/store.ts'
import { type Network, startNetwork } from '../network/network.ts'
import { postSoap, readIdentity, send } from '../network/soap-client.ts'

let network: Network
beforeAll(async () => {
  network = await startNetwork()
})
afterAll(() => network[Symbol.asyncDispose]())

const main = resolve(import.meta.dirname, '../../src/cli/main.ts')

function crocevia(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolved) => {
    const whole = [main, ...args, '--url', network.gateway.operator]
    execFile(process.execPath, whole, (error, stdout, stderr) => {
      resolved({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}

const newWorkflow = () =>
  network.fseGateway.workflowOf({ root: '2.16.840.1.113883.2.9.2.90.4.4', extension: crypto.randomUUID() })

async function followed(workflow: string) {
  const { stdout } = await crocevia('workflow', workflow, '--operator', 'anna', '--json')
  return JSON.parse(stdout) as { events: readonly { eventType: string; eventStatus: string; message?: string }[] }
}

async function audited(): Promise<readonly AuditRecord[]> {
  const store = await sqliteStore({ path: network.gateway.store })
  try {
    return (await store.read({ limit: 100 })).map(({ record }) => record)
  } finally {
    await store[Symbol.asyncDispose]()
  }
}

async function counted(): Promise<string> {
  return await (await fetch(`${network.gateway.operator}/metrics`)).text()
}

describe('the callback of the national FSE 2.0 gateway', () => {
  it('is taken, and can be followed until INI has the document', async () => {
    const workflow = newWorkflow()
    const events = network.fseGateway.eventsTo('SEND_TO_INI')
    const first = await network.fseGateway.tell(workflow, events.slice(0, 1))
    expect([first.status, first.json]).toEqual([200, { taken: 1, repeated: 0 }])
    expect((await followed(workflow)).events.map(({ eventType }) => eventType)).toEqual(['VALIDATION'])
    expect((await network.fseGateway.tell(workflow, events)).json).toEqual({ taken: 2, repeated: 1 })
    const { code, stdout } = await crocevia('workflow', workflow.split('^')[0] ?? '', '--operator', 'anna')
    expect(code).toBe(0)
    const lines = stdout.split('\n')
    expect(lines[0]).toBe(workflow)
    expect(lines.slice(4, 7).map((line) => line.split(/\s{2,}/).slice(1, 3))).toEqual([
      ['VALIDATION', 'SUCCESS'],
      ['PUBLICATION', 'SUCCESS'],
      ['SEND_TO_INI', 'SUCCESS'],
    ])
  })

  it('told again changes nothing, and events that come late stand in their order', async () => {
    const workflow = newWorkflow()
    const events = network.fseGateway.eventsTo('UAR_FINAL_STATUS')
    for (const event of events.toReversed()) await network.fseGateway.tell(workflow, [event])
    const again = await network.fseGateway.tell(workflow, events)
    expect([again.status, again.json]).toEqual([200, { taken: 0, repeated: 5 }])
    expect((await followed(workflow)).events).toMatchObject(events)
  })

  it('of what is blocked is counted, and INI’s code in it is explained', async () => {
    const workflow = newWorkflow()
    const message =
      'SEVERITY:urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:ErrorERROR_CODE:R50CODE CONTEXT:Wrong value'
    const blocked = network.fseGateway.eventsTo('SEND_TO_INI', { eventStatus: 'BLOCKING_ERROR', message })
    await network.fseGateway.tell(workflow, blocked)
    await network.fseGateway.tell(workflow, blocked)
    expect(await counted()).toContain('crocevia_workflow_events_total{type="SEND_TO_INI",status="BLOCKING_ERROR"} 1')
    const { stdout } = await crocevia('workflow', workflow, '--operator', 'anna')
    expect(stdout).toContain(`SEND_TO_INI: ${message}`)
    expect(stdout).toContain('R50: The type of the facility is not one of the affinity domain')
  })

  it('of events without a time keeps each, until the same message comes again', async () => {
    const workflow = newWorkflow()
    const event = (eventStatus: string) => ({ eventType: 'SEND_TO_INI', eventStatus })
    const [failed, made] = [event('BLOCKING_ERROR'), event('SUCCESS')]
    expect((await network.fseGateway.tell(workflow, [failed, made, failed])).json).toEqual({ taken: 3, repeated: 0 })
    expect((await network.fseGateway.tell(workflow, [failed, made, failed])).json).toEqual({ taken: 0, repeated: 3 })
    expect((await network.fseGateway.tell(workflow, [failed])).json).toEqual({ taken: 1, repeated: 0 })
    expect((await followed(workflow)).events).toMatchObject([failed, made, failed, failed])
  })

  it('is nobody else’s: a foreign certificate is refused, and audited', async () => {
    const workflow = newWorkflow()
    for (const as of ['ini', 'portal', 'region-050', 'stranger']) {
      const refused = await network.fseGateway.tell(workflow, network.fseGateway.eventsTo('VALIDATION'), { as })
      expect([as, refused.status, refused.json.type]).toEqual([as, 403, 'urn:crocevia:problem:access-denied'])
    }
    expect((await crocevia('workflow', workflow)).code).toBe(4)
    const records = (await audited()).filter(({ transaction }) => transaction === 'WorkflowStatus')
    expect(records.filter(({ outcome }) => outcome === 'refused')).toHaveLength(4)
    expect(records.find(({ outcome }) => outcome === 'success')).toMatchObject({
      peer: { name: 'fse-gateway', subject: expect.stringContaining('950GTW-DEV') },
    })
  })

  it('does not let its sender in elsewhere', async () => {
    const { channel } = await readIdentity(network.certificates, 'fse-gateway')
    const caller = await send(new URL('/api/v1/caller', network.gateway.iti18).href, channel, { method: 'GET' })
    expect(caller.status).toBe(403)
    for (const url of [network.gateway.iti18, network.gateway.iti38]) {
      const { status, text } = await postSoap({ to: url, action: 'urn:x', assertions: [], body: '<x/>' }, channel)
      expect([status, /FailedAuthentication/.test(text)]).toEqual([400, true])
    }
  })

  it.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['a member twice', '{"workflowInstanceId":"a","workflowInstanceId":"b","events":[]}'],
    ['no workflow', '{"events":[{"eventType":"VALIDATION","eventStatus":"SUCCESS"}]}'],
  ])('that is %s is refused as malformed', async (_what, body) => {
    const refused = await network.fseGateway.tell('', [], { body })
    expect([refused.status, refused.json.type]).toEqual([400, 'urn:crocevia:problem:request-malformed'])
  })

  it('is answered at that address by POST only', async () => {
    const { status } = await network.fseGateway.tell('', [], { method: 'PUT', body: '{}' })
    expect(status).toBe(405)
  })

  it('is followed by operators only who say who they are, which is audited', async () => {
    const workflow = newWorkflow()
    await network.fseGateway.tell(workflow, network.fseGateway.eventsTo('VALIDATION'))
    const path = `${network.gateway.operator}/workflows/${encodeURIComponent(workflow)}`
    expect((await fetch(path)).status).toBe(400)
    expect((await fetch(path, { headers: { operator: 'anna' } })).status).toBe(200)
    const deed = (await audited()).findLast(({ transaction }) => transaction === 'operator')
    expect(deed).toMatchObject({ request: 'follow', operated: { delivery: workflow }, peer: { subject: 'anna' } })
  })
})
