import { GatewayError, type Issue } from '../../core/errors.ts'
import { isOutcome, readOutcome } from './bundle.ts'
import { isObject, type Json, shapes, told } from './types.ts'

/** A resource on a server, as the server told it: with its id, and its version where the server counts them. */
export interface ServedResource {
  readonly id: string
  readonly versionId?: string
  readonly resource: Json
}

/** One thing a transaction does (FHIR R4: 3.1.0.11). What was changed since it was read makes it fail. */
export type Act =
  | {
      readonly does: 'create'
      readonly resource: Json
      /** The search of a conditional create: nothing is made when it finds something. */
      readonly unless: string
    }
  | { readonly does: 'replace'; readonly former: ServedResource; readonly resource: Json }
  | { readonly does: 'delete'; readonly former: ServedResource }

/** How it went. */
export interface ActOutcome {
  /** HTTP status: 200 of a create says that the resource was there before. */
  readonly status: number
  readonly issues: readonly Issue[]
}

/** Throws `community-misbehaved` for a resource without an id that could be one. */
export function served(resource: Json): ServedResource {
  const { id, meta } = resource
  if (typeof id !== 'string' || !/^[A-Za-z0-9\-.]{1,64}$/.test(id)) {
    throw new GatewayError('community-misbehaved', 'The record told a resource without an id')
  }
  const versionId = isObject(meta) ? meta.versionId : undefined
  return { id, resource, ...(typeof versionId === 'string' ? { versionId } : {}) }
}

/** A Bundle of type `transaction`: all of it is done, or nothing. */
export function encodeTransaction(acts: readonly Act[]): Json {
  return { resourceType: 'Bundle', type: 'transaction', entry: acts.map(entryOf) }
}

function entryOf(act: Act): Json {
  if (act.does === 'create') {
    const type = String(act.resource.resourceType)
    return { resource: act.resource, request: { method: 'POST', url: type, ifNoneExist: act.unless } }
  }
  const { id, versionId, resource } = act.former
  const request = {
    method: act.does === 'replace' ? 'PUT' : 'DELETE',
    url: `${String(resource.resourceType)}/${id}`,
    ...(versionId === undefined ? {} : { ifMatch: `W/"${versionId}"` }),
  }
  return act.does === 'replace' ? { resource: { ...act.resource, id }, request } : { request }
}

/** Reads a Bundle of type `transaction-response` with an outcome for each act. Throws `community-misbehaved`. */
export function decodeTransactionResponse(value: unknown, acts: number): readonly ActOutcome[] {
  const bundle = told(shapes.transactionResponse, value, 'Bundle', 'community-misbehaved')
  const { entry = [] } = bundle
  if (bundle.resourceType !== 'Bundle' || bundle.type !== 'transaction-response' || entry.length !== acts) {
    throw new GatewayError('community-misbehaved', 'The community answered a transaction with something else')
  }
  return entry.map(({ response = {} }) => {
    const status = Number(/^\d{3}(?=\s|$)/.exec(response.status ?? '')?.[0])
    if (Number.isNaN(status)) throw new GatewayError('community-misbehaved', 'A part of a transaction has no status')
    return { status, issues: isOutcome(response.outcome) ? readOutcome(response.outcome) : [] }
  })
}
