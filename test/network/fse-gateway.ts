import { createHash, randomBytes } from 'node:crypto'
import { type HttpAnswer, readIdentity, send } from './soap-client.ts'

/** Where the national FSE 2.0 gateway calls a region back (its `swagger_status.yaml`, ini.md §7.4). */
const callbackPath = '/v1/workflow/status'

/** An event as the contract has it. */
export interface WorkflowEvent {
  readonly eventType: string
  readonly eventDate?: string
  readonly eventStatus: string
  readonly issuer?: string
  readonly message?: string
}

/** What the region answered. */
export interface CallbackAnswer extends HttpAnswer {
  /** The body, where it is JSON. */
  readonly json: Readonly<Record<string, unknown>>
}

/** How it calls, where it is not as usual. */
export interface CallbackWishes {
  /** Whose certificate is shown; another party's is a foreign one. */
  readonly as?: string
  readonly method?: string
  readonly contentType?: string
  /** What is sent instead. */
  readonly body?: string
}

/** The national FSE 2.0 gateway, as far as it tells a region how publications go on. */
export interface FseGateway {
  /** A new publication of a document with that identifier: its arc, the digest of the rest, and chance (ini.md §3.4). */
  workflowOf(document: { readonly root: string; readonly extension: string }): string
  /** Events of a workflow, one minute after the other, all but the last with success. */
  eventsTo(
    last: WorkflowEvent['eventType'],
    wishes?: Partial<WorkflowEvent> & { readonly from?: number },
  ): WorkflowEvent[]
  /** Calls back. Rejects when there is no answer, and for one that the contract does not have. */
  tell(workflowInstanceId: string, events: readonly WorkflowEvent[], wishes?: CallbackWishes): Promise<CallbackAnswer>
}

const order = ['VALIDATION', 'PUBLICATION', 'SEND_TO_INI', 'SEND_TO_UAR', 'UAR_FINAL_STATUS']

/** The gateway, calling at an origin with the identity `fse-gateway`. */
export function fseGateway({
  certificates,
  origin,
}: {
  readonly certificates: string
  readonly origin: string
}): FseGateway {
  return {
    workflowOf({ root, extension }) {
      const digest = createHash('sha256').update(extension).digest('hex')
      return `${root}.${digest}.${randomBytes(5).toString('hex')}^^^^urn:ihe:iti:xdw:2013:workflowInstanceId`
    },
    eventsTo(last, { from = Date.UTC(2026, 2, 2, 9), ...more } = {}) {
      const types = order.slice(0, order.indexOf(last) + 1)
      return types.map((eventType, minute) => ({
        ...{ eventType, eventStatus: 'SUCCESS', issuer: 'integrity:S1#090#090REGIONETOSCANA-DEV' },
        eventDate: new Date(from + minute * 60_000).toISOString(),
        ...(eventType === last ? more : {}),
      }))
    },
    async tell(workflowInstanceId, events, wishes = {}) {
      const { as = 'fse-gateway', method = 'POST', contentType = 'application/json' } = wishes
      const { channel } = await readIdentity(certificates, as)
      const { body = JSON.stringify({ workflowInstanceId, events }) } = wishes
      const headers = { 'content-type': contentType, 'content-length': `${Buffer.byteLength(body)}` }
      const answer = await send(origin + callbackPath, channel, { method, headers, body })
      if (!/^application\/(?:problem\+)?json\b/.test(answer.contentType)) {
        throw new Error(`The contract has no answer of type ${answer.contentType}`)
      }
      return { ...answer, json: JSON.parse(answer.text) as CallbackAnswer['json'] }
    },
  }
}
