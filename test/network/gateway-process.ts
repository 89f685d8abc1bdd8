import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'

/** The gateway as a process of its own, started by its own `main`: it can be killed, and started again. */
export interface GatewayProcess extends AsyncDisposable {
  readonly ports: Ports
  /** Undefined while it does not run. */
  readonly pid: number | undefined
  /** `kill -9`: nothing is ended well. Resolves when the process is gone. */
  kill(): Promise<void>
  /** Starts it again with the same configuration, ports and store; resolves when it says that it is ready. */
  restart(): Promise<void>
}

interface Ports {
  readonly soap: number
  readonly operator: number
}

const main = resolve(import.meta.dirname, '../../src/main.ts')
const patienceMs = 30_000
const partingMs = 10_000
const longestComplaint = 4_000

/**
 * Starts a gateway from a configuration that logs at `info`; ports that the system is to choose are written down in it,
 * so that they stay. Rejects when the process ends, or is not ready in time.
 */
export async function startGatewayProcess(config: string): Promise<GatewayProcess> {
  let child = run(config)
  const ports = await listening(child)
  await pin(config, ports)
  const ended = () => child.exitCode !== null || child.signalCode !== null
  return {
    ports,
    get pid() {
      return ended() ? undefined : child.pid
    },
    async kill() {
      const gone = once(child, 'exit')
      if (!child.kill('SIGKILL')) throw new Error('There is no gateway to kill')
      const [, signal] = (await gone) as [number | null, NodeJS.Signals | null]
      if (signal !== 'SIGKILL') throw new Error('The gateway ended before it was killed')
    },
    async restart() {
      if (!ended()) throw new Error('The gateway still runs')
      child = run(config)
      await listening(child)
    },
    async [Symbol.asyncDispose]() {
      if (ended()) return
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), partingMs)
      await gone
      clearTimeout(late)
    },
  }
}

function run(config: string): ChildProcess {
  const child = spawn(process.execPath, [main, '--config', config], { stdio: ['ignore', 'pipe', 'pipe'] })
  // Whoever leaves in a hurry leaves no gateway behind.
  const along = () => child.kill('SIGKILL')
  process.once('exit', along)
  child.once('exit', () => process.off('exit', along))
  return child
}

/** Reads its log until both ports are open, and asks it then; what it logs later is passed over. */
async function listening(child: ChildProcess): Promise<Ports> {
  const { stdout, stderr } = child
  if (stdout === null || stderr === null) throw new Error('The gateway has no standard output')
  let complaint = ''
  const complain = (text: string) => {
    complaint = (complaint + text).slice(-longestComplaint)
  }
  stderr.setEncoding('utf8').on('data', complain)
  const lines = createInterface({ input: stdout })
  const tooLate = setTimeout(() => child.kill('SIGKILL'), patienceMs)
  try {
    const ports = await new Promise<Ports>((found, failed) => {
      const open: { soap?: number; operator?: number } = {}
      lines.on('line', (line) => {
        Object.assign(open, portIn(line))
        const { soap, operator } = open
        if (soap !== undefined && operator !== undefined) found({ soap, operator })
      })
      child.once('close', () => failed(new Error(`The gateway ended before it was ready: ${complaint.trim()}`)))
      child.once('error', failed)
    })
    const signal = AbortSignal.timeout(patienceMs)
    const { status } = await fetch(`http://127.0.0.1:${ports.operator}/ready`, { signal })
    if (status !== 200) throw new Error(`The gateway is not ready: ${status}`)
    return ports
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  } finally {
    clearTimeout(tooLate)
    lines.close()
    // Nobody reads its log on, and a full pipe would hold the gateway up.
    stdout.resume()
    stderr.off('data', complain).pipe(process.stderr, { end: false })
  }
}

/** The last line of a process that was killed may be half a line. */
function portIn(line: string): Partial<Ports> {
  try {
    const { event, face, port } = JSON.parse(line) as { event?: string; face?: keyof Ports; port?: number }
    return event === 'gateway-listening' && face !== undefined && port !== undefined ? { [face]: port } : {}
  } catch {
    return {}
  }
}

async function pin(config: string, ports: Ports): Promise<void> {
  const { gateway, ...rest } = JSON.parse(await readFile(config, 'utf8')) as {
    readonly gateway: Readonly<Record<string, object>>
  }
  const pinned = {
    ...gateway,
    listen: { ...gateway.listen, port: ports.soap },
    operator: { ...gateway.operator, port: ports.operator },
  }
  await writeFile(config, JSON.stringify({ gateway: pinned, ...rest }, undefined, 2))
}
