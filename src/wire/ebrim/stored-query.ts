import { GatewayError } from '../../core/errors.ts'
import { homeCommunityId } from '../../core/model/identifiers.ts'
import type { StoredQuery } from '../../core/model/stored-query.ts'
import type { Node, XmlTree } from '../xml.ts'
import { escapeAttribute } from '../xml-write.ts'
import { obsoleteParameters, queryIds, query as queryNamespace, rim } from './names.ts'
import { type Parameter, ParameterSlots, type WriteOptions } from './parameters.ts'
import { readSlots } from './parts-read.ts'
import { writeSlots } from './parts-write.ts'
import { type QueryFields, queryTables } from './query-tables.ts'

/** Whole objects, or only their ids (ITI TF-2: 3.18.4.1.2.3.4). */
export type ReturnType = 'LeafClass' | 'ObjectRef'

export interface DecodedStoredQuery {
  readonly query: StoredQuery
  readonly returnType: ReturnType
  /** The request's own id, to be repeated in the response. */
  readonly requestId?: string
}

/**
 * Reads a query:AdhocQueryRequest (ITI TF-2: 3.18.4.1.2). Parameters the query does not know are kept in its `extra`.
 * Throws `request-malformed` when it is no such element, `query-unsupported` for a query nobody here knows, and
 * `parameter-missing`, `parameter-count` or `parameter-invalid`; no message repeats a value.
 */
export function decodeStoredQuery(tree: XmlTree, request: Node): DecodedStoredQuery {
  if (!tree.is(request, queryNamespace, 'AdhocQueryRequest'))
    throw new GatewayError('request-malformed', 'A query:AdhocQueryRequest was expected')
  const option = only(tree, request, queryNamespace, 'ResponseOption')
  const adhocQuery = only(tree, request, rim, 'AdhocQuery')
  const returnType = tree.attribute(option, 'returnType')
  if (returnType !== 'LeafClass' && returnType !== 'ObjectRef')
    throw new GatewayError('parameter-invalid', 'returnType must be LeafClass or ObjectRef')
  const type = typeOf(tree.attribute(adhocQuery, 'id'))
  const given = readSlots(tree, adhocQuery)
  if (given.some((slot) => obsoleteParameters.has(slot.name)))
    throw new GatewayError('parameter-invalid', 'A coding scheme belongs into the code itself: code^^scheme')
  const slots = new ParameterSlots(given)
  const home = tree.attribute(adhocQuery, 'home')
  const query = {
    type,
    ...queryTables[type].read(slots),
    ...(home === undefined ? {} : { home: homeCommunityId(home) }),
    extra: slots.rest,
  } as StoredQuery
  const requestId = tree.attribute(request, 'id')
  return { query, returnType, ...(requestId === undefined ? {} : { requestId }) }
}

function only(tree: XmlTree, parent: Node, namespace: string, local: string): Node {
  const [found, another] = tree.children(parent, namespace, local)
  if (found === undefined || another !== undefined)
    throw new GatewayError('request-malformed', `An AdhocQueryRequest has exactly one ${local}`)
  return found
}

const types: ReadonlyMap<string, StoredQuery['type']> = new Map(
  (Object.keys(queryIds) as StoredQuery['type'][]).map((type) => [queryIds[type], type]),
)

function typeOf(id: string | undefined): StoredQuery['type'] {
  if (id === undefined) throw new GatewayError('request-malformed', 'An AdhocQuery has an id')
  const lower = id.toLowerCase()
  const type = types.get(lower.startsWith('urn:uuid:') ? lower : `urn:uuid:${lower}`)
  if (type === undefined) throw new GatewayError('query-unsupported', 'The stored query is not one of ITI-18')
  return type
}

export interface EncodeQueryOptions extends Partial<WriteOptions> {
  /** `LeafClass` unless asked otherwise. */
  readonly returnType?: ReturnType
  readonly requestId?: string
}

/**
 * Writes a query:AdhocQueryRequest that declares its own namespaces. Strings are always quoted, ids stand one to a
 * rim:Value, so that no value grows beyond the 256 characters of the schema. Throws `parameter-invalid` for an object
 * key the query has no parameter for.
 */
export function encodeStoredQuery(query: StoredQuery, options: EncodeQueryOptions = {}): string {
  const parameters = queryTables[query.type] as Parameter<QueryFields<StoredQuery>>
  const slots = parameters.write(query, { codeLists: options.codeLists ?? 'one-per-value' })
  const id = options.requestId === undefined ? '' : ` id="${escapeAttribute(options.requestId)}"`
  const home = query.home === undefined ? '' : ` home="${escapeAttribute(query.home)}"`
  return (
    `<query:AdhocQueryRequest xmlns:query="${queryNamespace}" xmlns:rim="${rim}"${id}>` +
    `<query:ResponseOption returnComposedObjects="true" returnType="${options.returnType ?? 'LeafClass'}"/>` +
    `<rim:AdhocQuery id="${queryIds[query.type]}"${home}>${writeSlots(slots)}${writeSlots(query.extra)}</rim:AdhocQuery>` +
    '</query:AdhocQueryRequest>'
  )
}
