import { GatewayError, type Issue } from '../core/errors.ts'
import type { QueryAnswer } from '../core/model/answers.ts'
import { type PeerFault, readFault } from '../wire/ebrim/fault.ts'
import { decodeQueryResponse } from '../wire/ebrim/query-response.ts'
import { decodeRegistryResponse } from '../wire/ebrim/registry-response.ts'
import { decodeNotificationResponse } from '../wire/ini/notification.ts'
import { openEnvelope11 } from '../wire/soap11.ts'
import { NONE, type Node, readTree, XmlError, type XmlTree } from '../wire/xml.ts'
import type { Exchange } from './caller.ts'
import { CliError, type Exit } from './exit.ts'

/** What was answered: a status and what goes with it, or a fault. */
export type Told =
  | {
      readonly status: Extract<Exit, 'success' | 'partial-success' | 'failure'>
      readonly issues: readonly Issue[]
      readonly fault?: undefined
    }
  | { readonly status: 'refused'; readonly issues: readonly []; readonly fault: PeerFault }

/** Reads what a registry says to a change. Throws CliError for what is no such answer; so do the others. */
export function changeAnswer({ answer, status }: Exchange): Told {
  return bodyOf(answer, status, (tree, body) => {
    const { issues, status: told } = decodeRegistryResponse(tree, body)
    return { status: told, issues }
  })
}

/** Reads what was answered to a notification of that name. */
export function noticeAnswer({ answer, status }: Exchange, name: string): Told {
  return bodyOf(answer, status, (tree, body) => {
    const { error, status: told } = decodeNotificationResponse({ name }, tree, body)
    const severity = told === 'success' ? 'warning' : 'error'
    return {
      status: told,
      issues: error === undefined ? [] : [{ severity, code: error.code, text: error.context }],
    }
  })
}

/** Reads what was answered to a query, and what it found. */
export async function queryAnswer({ answer, status }: Exchange): Promise<Told & { readonly found?: QueryAnswer }> {
  try {
    const decoded = await decodeQueryResponse(answer)
    if (decoded.fault !== undefined) return refusal(decoded.fault)
    return { status: decoded.status, issues: decoded.answer.issues, found: decoded.answer }
  } catch (error) {
    throw unreadable(error, status)
  }
}

function bodyOf(answer: Buffer, status: number, read: (tree: XmlTree, body: Node) => Told): Told {
  try {
    const tree = readTree(answer)
    // By local names, whatever the version of SOAP: a fault may be of another than the message was.
    const { body } = openEnvelope11(tree)
    if (body !== NONE && tree.local(body) === 'Fault') return refusal(readFault(tree, body))
    return read(tree, body)
  } catch (error) {
    throw unreadable(error, status)
  }
}

function refusal(fault: PeerFault): Told {
  return { status: 'refused', issues: [], fault }
}

function unreadable(error: unknown, status: number): unknown {
  if (!(error instanceof GatewayError || error instanceof XmlError)) return error
  return new CliError('unreachable', `what answered is no such service: HTTP ${status}, ${error.message}`)
}
