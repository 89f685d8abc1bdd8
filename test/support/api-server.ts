import { once } from 'node:events'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { admission } from '../../src/http/admission.ts'
import { apiApp } from '../../src/http/api/app.ts'
import { callerRoute } from '../../src/http/api/caller.ts'
import type { ApiParts, ApiRoute } from '../../src/http/api/endpoint.ts'
import { soapApp } from '../../src/http/soap/app.ts'
import { pemOf } from './jwt.ts'

/** What a test says of the doors; the rest is as the gateway has it by default. */
export type ApiSetting = Pick<ApiParts, 'identify' | 'guardOf' | 'audit' | 'events' | 'clock'> &
  Partial<ApiParts> & {
    readonly routes?: readonly ApiRoute[]
    /** Other faces, which are mounted beside it with the same parts. */
    readonly faces?: readonly ((parts: ApiParts) => ReturnType<typeof apiApp>)[]
  }

export interface Sent {
  /** Whose certificate is shown. */
  readonly as?: string
  readonly method?: string
  readonly path?: string
  readonly headers?: readonly (readonly [name: string, value: string])[]
  readonly body?: Uint8Array
}

export interface Received {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body; empty when it is no object. */
  readonly json: Readonly<Record<string, unknown>>
}

export interface ApiServer extends AsyncDisposable {
  readonly port: number
  send(sent?: Sent): Promise<Received>
}

/** The REST doors behind mutual TLS on loopback, mounted as the gateway mounts them. */
export async function apiServer({ faces = [], routes = [callerRoute], ...setting }: ApiSetting): Promise<ApiServer> {
  const app = soapApp([])
  const parts = { maxMessageBytes: 65_536, deadlineMs: 5_000, admission: admission(16), ...setting }
  app.route('/', apiApp(routes, parts))
  for (const face of faces) app.route('/', face(parts))
  const server = createServer(
    {
      ...{ cert: pemOf('gateway/tls.crt.pem'), key: pemOf('gateway/tls.key.pem'), ca: pemOf('ca.pem') },
      ...{ requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' },
    },
    getRequestListener(app.fetch),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    send: (sent = {}) => exchange(port, sent),
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** The client certificate of a party, and whom it trusts. */
export function identityOf(party: string) {
  return { ca: pemOf('ca.pem'), cert: pemOf(`${party}/tls.crt.pem`), key: pemOf(`${party}/tls.key.pem`) }
}

function exchange(port: number, { as = 'portal', body, headers = [], method = 'GET', path }: Sent): Promise<Received> {
  return new Promise((resolve, reject) => {
    // Pairs, because lines may come twice; then Node adds none of its own.
    const lines = [
      ['Host', `127.0.0.1:${port}`],
      ...(body === undefined ? [] : [['Content-Length', String(body.byteLength)]]),
      ...headers,
    ]
    const outgoing = request(
      {
        ...{ host: '127.0.0.1', port, method, path: path ?? callerRoute.path, agent: false },
        ...identityOf(as),
        headers: lines.flat() as unknown as OutgoingHttpHeaders,
      },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, json: objectIn(text) })
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  return text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {}
}
