import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { type Agent, request } from 'node:https'
import { join } from 'node:path'
import type { Signer } from './assertion.ts'
import { query, rim } from './ebrim.ts'
import { anonymous, soap12, wsa, wsse } from './faults.ts'
import { type QueryName, queryId } from './stored-query.ts'
import { escapeXml } from './xml.ts'

/** What a party brings to a connection, in PEM. */
export interface Channel {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export interface Identity {
  readonly channel: Channel
  readonly signer: Signer
}

/** One party's development identity, `bad/<defect>` included. */
export async function readIdentity(certificates: string, party: string): Promise<Identity> {
  const read = (path: string): Promise<string> => readFile(join(certificates, path), 'utf8')
  const [ca, cert, key, certificate, signingKey] = await Promise.all([
    read('ca.pem'),
    read(`${party}/tls.crt.pem`),
    read(`${party}/tls.key.pem`),
    read(`${party}/signing.crt.pem`),
    read(`${party}/signing.key.pem`),
  ])
  return { channel: { ca, cert, key }, signer: { certificate, key: signingKey } }
}

/** Values of a stored query's parameters: a text is one quoted value, a list becomes a list, each item by itself. */
export type QueryParameters = Readonly<Record<string, string | readonly string[]>>

export interface QueryOptions {
  readonly returnType?: string
  readonly home?: string
  /** Values go out as they are given: no quotes, no parentheses. */
  readonly raw?: boolean
  readonly id?: string
}

/** An `AdhocQueryRequest`. */
export function adhocQuery(name: QueryName, parameters: QueryParameters, options: QueryOptions = {}): string {
  const { returnType = 'LeafClass', home, raw = false, id = queryId(name) } = options
  const quoted = (value: string): string => (raw ? value : `'${value.replaceAll("'", "''")}'`)
  const slots = Object.entries(parameters).map(([key, given]) => {
    const values =
      typeof given === 'string' ? [quoted(given)] : given.map((value) => (raw ? value : `(${quoted(value)})`))
    const list = values.map((value) => `<rim:Value>${escapeXml(value)}</rim:Value>`).join('')
    return `<rim:Slot name="${escapeXml(key)}"><rim:ValueList>${list}</rim:ValueList></rim:Slot>`
  })
  return (
    `<query:AdhocQueryRequest xmlns:query="${query}" xmlns:rim="${rim}">` +
    `<query:ResponseOption returnComposedObjects="true" returnType="${returnType}"/>` +
    `<rim:AdhocQuery id="${id}"${home === undefined ? '' : ` home="${escapeXml(home)}"`}>${slots.join('')}</rim:AdhocQuery>` +
    '</query:AdhocQueryRequest>'
  )
}

export interface Envelope {
  readonly to: string
  readonly action: string
  readonly assertions: readonly string[]
  readonly body: string
  readonly messageId?: string
  /** Header blocks left out, by their local name. */
  readonly without?: readonly string[]
  /** Header blocks added. */
  readonly with?: string
  readonly namespace?: string
}

/** A request with all addressing headers, unless told otherwise. */
export function soapRequest(given: Envelope): string {
  const {
    to,
    action,
    assertions,
    body,
    messageId = `urn:uuid:${randomUUID()}`,
    without = [],
    namespace = soap12,
  } = given
  const blocks: Readonly<Record<string, string>> = {
    To: `<wsa:To>${escapeXml(to)}</wsa:To>`,
    Action: `<wsa:Action env:mustUnderstand="true">${action}</wsa:Action>`,
    ReplyTo: `<wsa:ReplyTo><wsa:Address>${anonymous}</wsa:Address></wsa:ReplyTo>`,
    MessageID: `<wsa:MessageID>${messageId}</wsa:MessageID>`,
    Security: `<wsse:Security xmlns:wsse="${wsse}">${assertions.join('')}</wsse:Security>`,
  }
  const header = Object.entries(blocks).map(([name, block]) => (without.includes(name) ? '' : block))
  return (
    `<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="${namespace}" xmlns:wsa="${wsa}">` +
    `<env:Header>${header.join('')}${given.with ?? ''}</env:Header><env:Body>${body}</env:Body></env:Envelope>`
  )
}

export interface HttpAnswer {
  readonly status: number
  readonly contentType: string
  readonly text: string
}

/** An answer as it came. */
export interface HttpBytes {
  readonly status: number
  readonly contentType: string
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
}

export interface Sending {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  readonly signal?: AbortSignal
  readonly agent?: Agent
  /** Told of what has arrived so far. */
  readonly onBytes?: (received: number) => void
}

/** As `sendForBytes`, the answer read as UTF-8. */
export async function send(url: string, channel: Channel, options: Sending = {}): Promise<HttpAnswer> {
  const { status, contentType, bytes } = await sendForBytes(url, channel, options)
  return { status, contentType, text: bytes.toString('utf8') }
}

/** Sends over mutual TLS, on a connection of its own unless an agent keeps some. Rejects when there is no whole answer, or `signal` is aborted. */
export function sendForBytes(url: string, channel: Channel, options: Sending = {}): Promise<HttpBytes> {
  const { method = 'POST', headers = {}, body, signal, agent = false, onBytes } = options
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { ...channel, method, headers, agent, ...(signal && { signal }) }, (incoming) => {
      const chunks: Buffer[] = []
      let received = 0
      incoming.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        received += chunk.length
        onBytes?.(received)
      })
      incoming.on('error', reject)
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          contentType: incoming.headers['content-type'] ?? '',
          headers: incoming.headers,
          bytes: Buffer.concat(chunks),
        }),
      )
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** One SOAP 1.2 exchange. */
export function postSoap(given: Envelope, channel: Channel, signal?: AbortSignal): Promise<HttpAnswer> {
  return send(given.to, channel, {
    headers: { 'content-type': `application/soap+xml; charset=utf-8; action="${given.action}"` },
    body: soapRequest(given),
    ...(signal && { signal }),
  })
}
