import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { connectionOf, questionOf } from '../../src/cli/ask.ts'
import { assertionOf } from '../../src/cli/assertion.ts'
import { identityOf } from '../../src/cli/parties.ts'
import type { CommunityClient } from '../../src/client/send.ts'
import { authorities, patientId } from '../../src/core/model/patient.ts'
import { paths } from '../../src/gateway.ts'
import { nationalPaths } from '../../src/national.ts'
import { actions } from '../../src/wire/actions.ts'
import { encodeSubmitObjects } from '../../src/wire/ebrim/submit-objects.ts'
import { encodeEnvelope } from '../../src/wire/soap.ts'
import { citizen } from '../support/builders.ts'
import { certificates, communityInput, homeOf, writeGatewayConfig } from '../support/gateway-config.ts'
import { membership, validEntry, validSubmissionSet } from '../support/submissions.ts'
import { type Measurement, median } from './measurement.ts'

/** How many callers there are at once. */
const callers = 16
const rounds = 5
const perRound = 400

/** Signed questions per second of processor time, each answered with 10 entries of the record. */
export function iti18Signed(): Promise<Measurement> {
  const identity = identityOf('portal', certificates)
  return perCore('iti18-signed', identity, async (origin) => {
    const patient = patientId('PROVAX00X00X000Y', authorities.codiceFiscale)
    const query = { type: 'FindDocuments', patientId: patient, status: ['approved'], filter: {}, extra: [] } as const
    const assertion = await assertionOf(identity, {
      ...{ patient, role: 'AAS', purpose: 'TREATMENT', action: 'READ', types: [], lifetimeSeconds: 600 },
    })
    const doors = { iti18: origin + paths.iti18, iti38: origin + paths.iti38 }
    return { ...questionOf(identity, doors, query, assertion), told: '<rim:ExtrinsicObject', times: 10 }
  })
}

/** Signed pushes per second of processor time, each durable before it is acknowledged. */
export function iti42Push(): Promise<Measurement> {
  const identity = identityOf('ini', certificates)
  let number = 0
  return perCore('iti42-push', identity, async (origin) => {
    const assertion = await assertionOf(identity, {
      ...{ patient: citizen, role: 'AAS', purpose: 'TREATMENT', action: 'CREATE', types: [], lifetimeSeconds: 600 },
    })
    const url = origin + nationalPaths.registry
    const entry = { ...validEntry(), uniqueId: `2.16.840.1.113883.2.9.2.50.4.4^BENCH${++number}` }
    const set = validSubmissionSet()
    const members = [membership(set.entryUuid, entry.entryUuid)]
    const body = encodeSubmitObjects({ submissionSet: set, entries: [entry], folders: [], associations: members })
    const messageId = `urn:uuid:${randomUUID()}`
    const action = actions.registerDocumentSet
    return {
      ...{ url, method: 'POST' as const, headers: { 'content-type': 'application/soap+xml; charset=utf-8' } },
      body: encodeEnvelope({ action, messageId, to: url, anonymousReply: true, assertion }, body),
      ...{ signal: AbortSignal.timeout(600_000), idempotent: true, told: 'ResponseStatusType:Success', times: 1 },
    }
  })
}

type Request = Parameters<CommunityClient['send']>[0] & {
  /** What a right answer tells, and how often. */
  readonly told: string
  readonly times: number
}

/**
 * Answers per second of processor time, of a gateway and of a server that only sends the same bytes back: both are
 * processes of their own, and what the callers need is not counted.
 */
async function perCore(
  bench: string,
  identity: ReturnType<typeof identityOf>,
  message: (origin: string) => Promise<Request>,
): Promise<Measurement> {
  await using running = new AsyncDisposableStack()
  const start = async (script: string, ...parameters: readonly string[]) => {
    const child = fork(join(import.meta.dirname, script), parameters, { execArgv: ['--max-semi-space-size=64'] })
    running.defer(() => void (child.connected && child.disconnect()))
    return { origin: `https://127.0.0.1:${await portOf(child)}`, pid: child.pid ?? 0 }
  }
  const record = await start('community-server.ts', '0', homeOf('tuscany'), '1', '10')
  const endpoint = `${record.origin}/`
  const { folder, file } = await writeGatewayConfig([
    communityInput('tuscany', 'tuscany', { protocol: 'xds', registry: endpoint, register: endpoint }),
    communityInput('ini', 'ini', { base: record.origin }),
  ])
  running.defer(() => rm(folder, { recursive: true, force: true }))
  const gateway = await start('gateway-server.ts', file)
  const echo = await start('echo-server.ts')
  const connections = Array.from({ length: callers }, () => running.use(connectionOf(identity)))

  const through = async ({ origin, pid }: { readonly origin: string; readonly pid: number }, isEcho: boolean) => {
    const messages = await Promise.all(Array.from({ length: perRound }, () => message(origin)))
    const before = processorSeconds(pid)
    await Promise.all(
      connections.map(async (connection) => {
        for (let next = messages.pop(); next !== undefined; next = messages.pop()) {
          const { status, body } = await connection.send(next)
          const told = isEcho ? next.times : body.toString('latin1').split(next.told).length - 1
          if (status !== 200 || told !== next.times) throw new Error(`${bench}: ${status} ${body.toString('latin1')}`)
        }
      }),
    )
    return perRound / (processorSeconds(pid) - before)
  }
  const values: number[] = []
  const floors: number[] = []
  for (let round = 0; round < rounds + 2; round++) {
    const [floor, value] = [await through(echo, true), await through(gateway, false)]
    // The first rounds warm up connections and code.
    if (round < 2) continue
    floors.push(floor)
    values.push(value)
  }
  const [value, floor] = [median(values), median(floors)]
  return {
    bench,
    unit: '/s of a core',
    value,
    floor,
    floorIs: 'an echo of the same bytes by the same server, per second of its processor time',
    ratio: value / floor,
    rssMb: Math.round(
      Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024,
    ),
  }
}

/** What a process has computed for so far, in all its threads; Linux only. */
function processorSeconds(pid: number): number {
  // Fields 14 and 15 of proc_pid_stat(5), in ticks of a hundredth; the name before them may hold spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** The port a child process says it listens on. */
function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('message', (port) => resolve(Number(port)))
    child.once('exit', () => reject(new Error('A process of the benchmark did not start')))
  })
}
