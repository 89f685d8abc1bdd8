import { createHash } from 'node:crypto'
import type { Exchange } from '../../core/model/call.ts'
import type { WorkflowStatus } from '../../core/model/workflow.ts'
import type { ApiRoute } from './endpoint.ts'
import { jsonObject, odd, type ReadObject, requireNothingBut, textIn } from './json-body.ts'

/** Events that came in one message. */
export interface ReceivedStatuses {
  readonly statuses: readonly WorkflowStatus[]
  /** SHA-256 of the message, lower-case hexadecimal. */
  readonly digest: string
}

export interface WorkflowRouteParts {
  readonly readObject: ReadObject
  /** Resolves to how many were new, when none of them will be lost. Rejects with GatewayError. */
  readonly accept: (received: ReceivedStatuses, exchange: Exchange) => Promise<number>
}

/** Where the national FSE 2.0 gateway calls back (its contract `swagger_status.yaml`, ini.md §7.4). */
export const workflowStatusPath = '/v1/workflow/status'

const mostEvents = 100

/**
 * `POST /v1/workflow/status`: how a publication goes on at the national FSE 2.0 gateway. Answers 200 when every event is
 * kept, also for those that were told before; problems otherwise, of which those from 500 on are worth telling it again.
 */
export function workflowStatusRoute({ readObject, accept }: WorkflowRouteParts): ApiRoute {
  return {
    method: 'POST',
    path: workflowStatusPath,
    transaction: 'WorkflowStatus',
    async handle({ request, note, ...exchange }) {
      const statuses = statusesIn(jsonObject(request, readObject))
      const digest = createHash('sha256').update(request.body).digest('hex')
      const taken = await accept({ statuses, digest }, exchange)
      note({ results: statuses.length })
      return { body: { taken, repeated: statuses.length - taken } }
    },
  }
}

// An arc and digests, or digests alone (ini.md §3.4).
const workflowInstance = /^[0-9A-Za-z][0-9A-Za-z._-]{0,199}\^\^\^\^urn:ihe:iti:xdw:2013:workflowInstanceId$/
const word = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/
const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})$/
/** How much of a member is kept. */
const longest = { issuer: 256, message: 8_000 } as const

/** The events of a body as the contract has it, which knows no other members. Throws `request-malformed`. */
function statusesIn(body: Readonly<Record<string, unknown>>): readonly WorkflowStatus[] {
  requireNothingBut(body, ['workflowInstanceId', 'events'])
  const workflowInstanceId = textIn(body, 'workflowInstanceId')
  if (workflowInstanceId === undefined || !workflowInstance.test(workflowInstanceId)) throw odd('workflowInstanceId')
  const { events } = body
  if (!Array.isArray(events) || events.length === 0 || events.length > mostEvents) throw odd('events')
  return events.map((event: unknown) => statusOf(workflowInstanceId, event))
}

function statusOf(workflowInstanceId: string, event: unknown): WorkflowStatus {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) throw odd('events')
  const told = event as Readonly<Record<string, unknown>>
  requireNothingBut(told, ['eventType', 'eventDate', 'eventStatus', 'issuer', 'message'])
  const eventType = textIn(told, 'eventType')
  if (eventType === undefined || !word.test(eventType)) throw odd('eventType')
  const eventStatus = textIn(told, 'eventStatus')
  if (eventStatus === undefined || !word.test(eventStatus)) throw odd('eventStatus')
  const eventDate = textIn(told, 'eventDate')
  if (eventDate !== undefined && !(instant.test(eventDate) && !Number.isNaN(Date.parse(eventDate))))
    throw odd('eventDate')
  const issuer = shortenedIn(told, 'issuer')
  const message = shortenedIn(told, 'message')
  return {
    ...{ workflowInstanceId, eventType, eventStatus },
    ...(eventDate === undefined ? {} : { eventDate }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(message === undefined ? {} : { message }),
  }
}

/** What is only to be read is cut short: whoever told it would be refused for ever. `…` says that there was more. */
function shortenedIn(object: Readonly<Record<string, unknown>>, name: keyof typeof longest): string | undefined {
  const text = textIn(object, name)
  if (text === undefined || text.length <= longest[name]) return text
  // Not between the halves of a character.
  const kept = text.slice(0, longest[name] - 1).replace(/[\uD800-\uDBFF]$/, '')
  return `${kept}…`
}
