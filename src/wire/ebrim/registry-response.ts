import { GatewayError, type Issue } from '../../core/errors.ts'
import { NONE, type Node, type XmlTree } from '../xml.ts'
import { type ResponseStatus, responseStatuses, rs } from './names.ts'
import { attribute } from './parts-write.ts'
import { type RegistryErrorRecord, readRegistryErrors, writeRegistryErrors } from './registry-error.ts'
import { responseStatusOf } from './response-status.ts'

/** What a registry says of a submission or a removal. */
export interface RegistryResponse {
  readonly status: ResponseStatus
  readonly errors: readonly RegistryErrorRecord[]
  /** The id of the request, where it has one. */
  readonly requestId?: string
}

export interface DecodedRegistryResponse {
  /** As told, even where it contradicts the issues. */
  readonly status: ResponseStatus
  readonly issues: readonly Issue[]
  readonly requestId?: string
}

/** Spells an rs:RegistryResponse that declares its own namespace (ITI TF-3: 4.2.4). */
export function encodeRegistryResponse({ status, errors, requestId }: RegistryResponse): string {
  return (
    `<rs:RegistryResponse xmlns:rs="${rs}" status="${responseStatuses[status]}"` +
    `${requestId === undefined ? '' : attribute('requestId', requestId)}>` +
    `${writeRegistryErrors(errors)}</rs:RegistryResponse>`
  )
}

/**
 * Reads an rs:RegistryResponse (ITI TF-3: 4.2.4), and its errors by their name alone: some put their list into another
 * namespace. Throws `community-misbehaved` for anything else.
 */
export function decodeRegistryResponse(tree: XmlTree, response: Node): DecodedRegistryResponse {
  if (response === NONE || tree.local(response) !== 'RegistryResponse') {
    throw new GatewayError('community-misbehaved', 'The community answered without a RegistryResponse')
  }
  const requestId = tree.attribute(response, 'requestId')
  const lists = tree.children(response).filter((node) => tree.local(node) === 'RegistryErrorList')
  return {
    status: responseStatusOf(tree.attribute(response, 'status')),
    issues: lists.flatMap((list) => readRegistryErrors(tree, list)),
    ...(requestId === undefined ? {} : { requestId }),
  }
}
