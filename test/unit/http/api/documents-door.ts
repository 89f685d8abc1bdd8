import type { IncomingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import { identityOf } from '../../../support/api-server.ts'

export interface Fetched {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  /** False when the connection ended before the answer did. */
  readonly isWhole: boolean
}

export interface Wanted {
  readonly as?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Fetches what stands at a path, byte for byte, over mutual TLS. */
export function fetched(port: number, path: string, { as = 'portal', method = 'GET', headers = {} }: Wanted = {}) {
  return new Promise<Fetched>((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path, agent: false, headers, ...identityOf(as) }
    const outgoing = request(options, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', () => undefined)
      incoming.on('close', () => {
        const { complete: isWhole, headers, statusCode: status = 0 } = incoming
        resolve({ status, headers, bytes: Buffer.concat(chunks), isWhole })
      })
    })
    outgoing.on('error', reject).end()
  })
}

/** The problem an answer tells. */
export function problemIn({ bytes }: Fetched): Readonly<Record<string, unknown>> {
  return JSON.parse(bytes.toString('utf8')) as Record<string, unknown>
}
