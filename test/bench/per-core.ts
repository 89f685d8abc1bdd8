import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { connectionOf } from '../../src/cli/ask.ts'
import type { identityOf } from '../../src/cli/parties.ts'
import type { CommunityClient } from '../../src/client/send.ts'
import { homeOf } from '../support/gateway-config.ts'
import { type Measurement, median } from './measurement.ts'

/** How many callers there are at once. */
const callers = 16
const rounds = 5

/** A request, and what a right answer to it tells. */
export type Request = Parameters<CommunityClient['send']>[0] & {
  readonly told: string
  /** How often it is told. */
  readonly times: number
}

/** What is measured, and with whom. */
export interface Bench {
  readonly bench: string
  readonly identity: ReturnType<typeof identityOf>
  /** Writes the gateway's configuration, its record being at the address; its folder is removed in the end. */
  readonly configure: (record: string) => Promise<{ readonly folder: string; readonly file: string }>
  readonly message: (origin: string) => Promise<Request>
  /** Requests of a round; default 400. A processor's time is told in hundredths of a second. */
  readonly perRound?: number
  /** Whether the echo is sent what the gateway answers, and not what it is asked. */
  readonly echoesAnswers?: boolean
}

/**
 * Answers per second of processor time, of a gateway and of a server that only sends bytes back: both are processes of
 * their own, and what the callers need is not counted.
 */
export async function perCore({ bench, perRound = 400, ...asked }: Bench): Promise<Measurement> {
  const { configure, echoesAnswers, identity, message } = asked
  await using running = new AsyncDisposableStack()
  const start = async (script: string, ...parameters: readonly string[]) => {
    const child = fork(join(import.meta.dirname, script), parameters, { execArgv: ['--max-semi-space-size=64'] })
    running.defer(() => void (child.connected && child.disconnect()))
    return { origin: `https://127.0.0.1:${await portOf(child)}`, pid: child.pid ?? 0 }
  }
  const record = await start('community-server.ts', '0', homeOf('tuscany'), '1', '10')
  const { folder, file } = await configure(record.origin)
  running.defer(() => rm(folder, { recursive: true, force: true }))
  const gateway = await start('gateway-server.ts', file)
  const echo = await start('echo-server.ts')
  const connections = Array.from({ length: callers }, () => running.use(connectionOf(identity)))
  const answered =
    echoesAnswers === true ? (await connections[0]?.send(await message(gateway.origin)))?.body : undefined

  const through = async ({ origin, pid }: { readonly origin: string; readonly pid: number }, isEcho: boolean) => {
    const messages = await Promise.all(Array.from({ length: perRound }, () => message(origin)))
    const before = processorSeconds(pid)
    await Promise.all(
      connections.map(async (connection) => {
        for (let next = messages.pop(); next !== undefined; next = messages.pop()) {
          const { times, told } = next
          const sent = isEcho && answered !== undefined ? { ...next, body: answered, method: 'POST' as const } : next
          const { status, body } = await connection.send(sent)
          const found = isEcho ? times : body.toString('latin1').split(told).length - 1
          if (status !== 200 || found !== times) throw new Error(`${bench}: ${status} ${body.toString('latin1')}`)
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
