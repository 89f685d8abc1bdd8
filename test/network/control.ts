import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Asked } from './asked.ts'
import { isBehaviour, type Remark, type Setting } from './behaviour.ts'
import type { Counterpart } from './server.ts'

/** One plain HTTP server on loopback from which the counterparts are told how to behave. */
export interface Control extends AsyncDisposable {
  readonly url: string
  close(): Promise<void>
}

const largestBody = 16 * 1024
const longestDelayMs = 600_000

/** `GET /` tells of all, `GET /<party>` of one and what it was asked, `PUT` or `POST /<party>` sets how it behaves. */
export async function startControl(parties: Readonly<Record<string, Counterpart>>, port = 0): Promise<Control> {
  const server = createServer((request, response) => {
    void handle(request, parties).then(
      ({ status, body }) => reply(response, status, body),
      (error: Error) => reply(response, 400, { error: error.message }),
    )
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close,
    [Symbol.asyncDispose]: close,
  }
}

interface Told {
  readonly status: number
  readonly body: unknown
}

async function handle(request: IncomingMessage, parties: Readonly<Record<string, Counterpart>>): Promise<Told> {
  const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1')
  // A page in somebody's browser must not reach us under a name of its own.
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? '')) {
    return { status: 403, body: { error: 'Only this machine is answered' } }
  }
  const name = pathname.slice(1)
  if (name === '') {
    if (request.method !== 'GET') return { status: 405, body: { error: 'GET' } }
    return { status: 200, body: Object.fromEntries(Object.entries(parties).map(([key, party]) => [key, brief(party)])) }
  }
  const party = Object.hasOwn(parties, name) ? parties[name] : undefined
  if (party === undefined) return { status: 404, body: { error: 'No party has that name' } }
  if (request.method === 'GET')
    return { status: 200, body: { ...brief(party), last: party.asked.last.map(withoutBody) } }
  if (request.method !== 'PUT' && request.method !== 'POST') return { status: 405, body: { error: 'GET, PUT, POST' } }
  await party.behave(readSetting(await readBody(request)))
  return { status: 200, body: brief(party) }
}

function brief(party: Counterpart) {
  return { ...party.behaviour(), urls: party.urls, asked: party.asked.total }
}

/** The message names a person and carries their assertion. */
function withoutBody({ body: _body, ...rest }: Asked): Omit<Asked, 'body'> {
  return rest
}

function readSetting(text: string): Setting {
  const given: unknown = JSON.parse(text)
  if (typeof given !== 'object' || given === null) throw new Error('An object is needed')
  const { behave, delayMs, times, face, issues, ...others } = given as Record<string, unknown>
  if (!isBehaviour(behave)) throw new Error('behave is none of the known behaviours')
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) throw new Error(`${unknown} is not known`)
  if (!isWhole(delayMs, 0, longestDelayMs)) throw new Error('delayMs must be a number of milliseconds')
  if (!isWhole(times, 1, 1_000_000)) throw new Error('times must be a number of requests')
  if (face !== undefined && typeof face !== 'string') throw new Error('face must be a name')
  if (issues !== undefined && !areRemarks(issues)) throw new Error('issues must be a list of codes and texts')
  if (behave === 'down' && (times ?? face) !== undefined)
    throw new Error('down is for the whole party, until told otherwise')
  return {
    behave,
    ...(delayMs !== undefined && { delayMs }),
    ...(times !== undefined && { times }),
    ...(face !== undefined && { face }),
    ...(issues !== undefined && { issues }),
  }
}

function areRemarks(given: unknown): given is readonly Remark[] {
  return (
    Array.isArray(given) &&
    given.every(
      (remark: Partial<Record<keyof Remark, unknown>> | null) =>
        typeof remark?.code === 'string' &&
        typeof remark.text === 'string' &&
        (remark.severity === undefined || remark.severity === 'Error' || remark.severity === 'Warning'),
    )
  )
}

function isWhole(value: unknown, from: number, to: number): value is number | undefined {
  return value === undefined || (Number.isInteger(value) && Number(value) >= from && Number(value) <= to)
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk
    if (text.length > largestBody) throw new Error('The body is too large')
  }
  return text
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(`${JSON.stringify(body, undefined, 2)}\n`)
}
