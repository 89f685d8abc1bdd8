import { asGatewayError, GatewayError } from '../../core/errors.ts'
import type { QueryGateway } from '../../core/federation/query.ts'
import type { FederatedAnswer, MergedEntry } from '../../core/model/answers.ts'
import type { Assertion } from '../../core/model/call.ts'
import type { HomeCommunityId } from '../../core/model/identifiers.ts'
import type { Clock, Community } from '../../core/ports.ts'
import type { DocumentHandles } from './document-handles.ts'
import { requireEmergencyReason } from './emergency.ts'
import type { ApiAnswer, ApiCall, ApiRoute } from './endpoint.ts'
import { asksForEvents } from './event-stream.ts'
import { explained, type Routed } from './explanation.ts'
import type { PresentedRequest } from './guard.ts'
import { type AnswerView, indexView } from './index-view.ts'
import { type AskedQuery, queryIn } from './query-body.ts'
import { type Asking, streamed } from './query-stream.ts'

/** What federated questions need. */
export interface FederatedQueryParts {
  readonly gateway: QueryGateway
  readonly handles: DocumentHandles
  /** Everybody who may be asked, for explanations. */
  readonly communities: readonly Community[]
  readonly clock: Clock
  /** Reads one JSON object that every reader understands alike; throws for anything else. */
  readonly readObject: (bytes: Uint8Array) => Readonly<Record<string, unknown>>
  /** How often a stream says that it lives while there is nothing to tell; default 10 000. */
  readonly heartbeatMs?: number
}

/**
 * `POST /api/v1/federated-queries`: the merged index of a person for a user whose tokens name the patient. With
 * `Accept: text/event-stream` each community's contribution as it arrives; the last event tells what the plain answer does.
 */
export function federatedQueryRoute(parts: FederatedQueryParts): ApiRoute {
  return {
    method: 'POST',
    path: '/api/v1/federated-queries',
    transaction: 'federated-query',
    matter: () => ({ operation: 'read' }),
    handle: (call) => answered(call, parts),
  }
}

async function answered(call: ApiCall, parts: FederatedQueryParts): Promise<ApiAnswer> {
  const { caller, note, request } = call
  requireJson(request)
  const { emergencyReason, explain, query } = queryIn(bodyOf(request, parts.readObject))
  note({ request: query.type, patientId: query.patientId })
  const { assertion } = caller
  if (assertion === undefined) throw new GatewayError('access-denied', 'The tokens name no user')
  requireEmergencyReason(call, emergencyReason)
  const asking = askingFor({ query, explain }, { ...call, assertion }, note, parts)
  const accept = headerOf(request, 'accept')
  if (asksForEvents(accept)) return await streamed(asking, parts.heartbeatMs)
  const answer = await asking.ask(call.signal)
  return { body: asking.told(answer) }
}

/** One question, and how what is heard is told. */
function askingFor(
  { explain, query }: Pick<AskedQuery, 'query' | 'explain'>,
  call: Asking['call'],
  note: ApiCall['note'],
  { clock, communities, gateway, handles }: FederatedQueryParts,
): Asking {
  const heard = new Map<HomeCommunityId, number>()
  const names = new Map(communities.map(({ home, name }) => [home, name]))
  let routed: Routed | undefined
  let begun = 0
  const view = indexView({
    nameOf: (home) => names.get(home),
    handleOf: (entry) => handleFor(entry, call.assertion, handles),
    heardAt: (home) => heard.get(home),
  })
  const hear: Asking['hear'] = (legs) => {
    for (const { durationMs, home } of legs) heard.set(home, begun + durationMs)
  }
  return {
    hear,
    view,
    note,
    call,
    nameOf: (home) => names.get(home),
    async ask(signal, progressed) {
      const answer = await gateway.query(
        query,
        { ...call, signal },
        {
          replacements: true,
          routed(known, targets) {
            begun = clock.now()
            routed = { known, targets }
          },
          ...(progressed === undefined ? {} : { progressed }),
        },
      )
      hear(answer.asked)
      return answer
    },
    told(answer) {
      const told = view.answer(answer)
      noteAnswer(answer, told, note)
      if (!explain || routed === undefined) return told
      return { ...told, explanation: explained(answer, routed, communities, query.home) }
    },
  }
}

function noteAnswer({ asked, entries }: FederatedAnswer, { outcome }: AnswerView, note: ApiCall['note']): void {
  note({ asked, results: entries.length, ...(outcome === 'success' ? {} : { outcome: 'partial-success' }) })
}

/** A document whose repository nobody tells cannot be asked for. */
function handleFor({ home, repositoryUniqueId, uniqueId }: MergedEntry, viewer: Assertion, handles: DocumentHandles) {
  if (repositoryUniqueId === undefined) return undefined
  return handles.seal({ ...(home === undefined ? {} : { home }), repositoryUniqueId, uniqueId }, viewer)
}

function requireJson(request: PresentedRequest): void {
  const type = headerOf(request, 'content-type') ?? ''
  if (/^application\/json\s*(?:;\s*charset=(?:utf-8|"utf-8")\s*)?$/i.test(type.trim())) return
  throw new GatewayError('media-type-unsupported', 'The body must be application/json')
}

function bodyOf({ body }: PresentedRequest, readObject: FederatedQueryParts['readObject']) {
  try {
    return readObject(body)
  } catch (error) {
    throw new GatewayError('request-malformed', 'The body is not one JSON object', { cause: asGatewayError(error) })
  }
}

function headerOf({ headers }: PresentedRequest, wanted: string): string | undefined {
  const values = headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value)
  return values.length === 0 ? undefined : values.join(', ')
}
