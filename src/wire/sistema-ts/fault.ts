import { GatewayError } from '../../core/errors.ts'
import { type PeerFault, readFault } from '../ebrim/fault.ts'
import { harmless } from '../harmless.ts'
import { openEnvelope11 } from '../soap11.ts'
import { defaultXmlLimits, NONE, type Node, readTree, XmlError, type XmlTree } from '../xml.ts'

/** What came back over HTTP; the names of headers are in lower case. */
export interface TsResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/**
 * Why there is no answer (sistema-ts.md A.4):
 * - `authentication`: the front end refused us. Never to be tried again with the same credentials, since accounts lock;
 * - `schema`: our message breaks the service's schema (`cvc-…`);
 * - `front-end`: the front end could not reach the service behind it;
 * - `application`: the service itself failed or refused;
 * - `unreadable`: no SOAP at all.
 */
export type TsFaultKind = 'authentication' | 'schema' | 'front-end' | 'application' | 'unreadable'

export interface TsFault {
  readonly kind: TsFaultKind
  readonly status: number
  /** Local name of the fault code, where there is one: `Client`, `Server` … */
  readonly code?: string
  /** In its own words, without what may name anybody. */
  readonly text: string
}

/** An answer with a message in it. */
export interface TsOpened {
  readonly tree: XmlTree
  /** The message. */
  readonly body: Node
}

/** Of an answer: lists of prescriptions run to hundreds of kilobytes. */
const limits = { ...defaultXmlLimits, maxBytes: 16 * 1024 * 1024 }

/** The message of an answer, or why there is none. Never throws for what somebody else wrote. */
export function openResponse(response: TsResponse): TsOpened | TsFault {
  const { status, headers } = response
  const opened = readBody(response)
  const fault = opened !== undefined && opened.tree.local(opened.body) === 'Fault' ? opened : undefined
  const said = fault === undefined ? undefined : readFault(fault.tree, fault.body)
  const text = harmless(said?.detail.description ?? said?.reason ?? '')
  const about = { status, text, ...(said === undefined ? {} : { code: said.code }) }
  if (refusedAtTheDoor(response, said)) return { ...about, kind: 'authentication' }
  if (said === undefined) return opened !== undefined && status < 400 ? opened : { ...about, kind: 'unreadable' }
  if (/\bcvc-[a-z]/.test(said.reason)) return { ...about, kind: 'schema' }
  return { ...about, kind: /^FAIL\b/i.test(headers['x-backside-transport'] ?? '') ? 'front-end' : 'application' }
}

/** Wrong passwords come with 401, unknown users with 500 (sistema-ts.md A.4): neither the status nor the text alone tells. */
function refusedAtTheDoor({ status, headers }: TsResponse, said: PeerFault | undefined): boolean {
  if (status === 401 || status === 403 || headers['www-authenticate'] !== undefined) return true
  return said !== undefined && /rejected by policy|\bautenticazione\b|\bauthentication\b/i.test(said.reason)
}

function readBody({ body }: TsResponse): TsOpened | undefined {
  try {
    const tree = readTree(body, limits)
    const opened = openEnvelope11(tree)
    return opened.body === NONE ? undefined : { tree, body: opened.body }
  } catch (error) {
    if (error instanceof XmlError) return undefined
    throw error
  }
}

const sentences = {
  authentication: 'Sistema TS did not accept our credentials',
  schema: 'Sistema TS found that our message breaks its schema',
  'front-end': 'The front end of Sistema TS could not reach the service',
  application: 'Sistema TS answered with a fault',
  unreadable: 'Sistema TS answered without SOAP',
} as const satisfies Record<TsFaultKind, string>

/** What a fault means to us; `details.reason` is its kind. */
export function faultError({ kind, status, code, text }: TsFault): GatewayError {
  return new GatewayError(meaningOf(kind, status, code), sentences[kind], {
    details: { reason: kind, status },
    issues: code === undefined ? [] : [{ severity: 'error', code: code.slice(0, 64), text }],
  })
}

function meaningOf(kind: TsFaultKind, status: number, code: string | undefined) {
  if (kind === 'authentication' || kind === 'schema') return 'community-rejected'
  if (kind === 'front-end') return 'community-unavailable'
  if (kind === 'application') {
    return code?.split('.')[0] === 'Client' || code === 'Sender' ? 'community-rejected' : 'community-unavailable'
  }
  if (status === 429 || status === 503) return 'community-busy'
  return status >= 500 ? 'community-unavailable' : 'community-misbehaved'
}
