import { GatewayError } from '../../core/errors.ts'
import type { QueryGateway } from '../../core/federation/query.ts'
import { type FederatedAnswer, type MergedEntry, statusOf } from '../../core/model/answers.ts'
import type { Slot } from '../../core/model/code.ts'
import type { HomeCommunityId } from '../../core/model/identifiers.ts'
import { namesPatient, type StoredQuery } from '../../core/model/stored-query.ts'
import { actions } from '../../wire/actions.ts'
import { encodeQueryResponse } from '../../wire/ebrim/query-response.ts'
import { type DecodedStoredQuery, decodeStoredQuery } from '../../wire/ebrim/stored-query.ts'
import { withCodingSchemes } from '../../wire/ini/coding-schemes.ts'
import { registryErrorOf, registryErrors } from './registry-errors.ts'
import type { SoapTransaction } from './transaction.ts'

type StoredQueryTransaction = SoapTransaction<DecodedStoredQuery, FederatedAnswer>

/** The slot that names the communities which told of an entry, the one whose word counts first. */
export const sourceSlot = 'urn:crocevia:2026:source'

/** ITI-18 for the consumers of our own affinity domain: the federation answers (ITI TF-2: 3.18). */
export function iti18(gateway: QueryGateway, home: HomeCommunityId): StoredQueryTransaction {
  return { ...storedQuery(gateway, home, sourcesOf), id: 'ITI-18', action: actions.registryStoredQuery }
}

/**
 * ITI-38 for other communities: our own community answers, and every object is told under our home, because it is us that
 * the asker will ask for more (ITI TF-2: 3.38.4.1.3). Our index knows documents that lie elsewhere.
 */
export function iti38(gateway: QueryGateway, home: HomeCommunityId): StoredQueryTransaction {
  const { encode, ...rest } = storedQuery(gateway, home)
  const ours = <T extends object>(objects: readonly T[]) => objects.map((object) => ({ ...object, home }))
  return {
    ...rest,
    id: 'ITI-38',
    action: actions.crossGatewayQuery,
    encode: (answer, request, call) =>
      encode(
        {
          ...answer,
          entries: ours(answer.entries),
          submissionSets: ours(answer.submissionSets),
          folders: ours(answer.folders),
        },
        request,
        call,
      ),
  }
}

/** What INI may ask at one of its addresses: queries by name, and whether whole entries are told (ini.md §7.1). */
export interface NationalQueries {
  readonly types: ReadonlySet<StoredQuery['type']>
  readonly returnTypes: ReadonlySet<DecodedStoredQuery['returnType']>
}

/** ITI-18 as INI asks it of a region of assistance: about that region's own index, whether or not it names its home. */
export function iti18OfIni(
  gateway: QueryGateway,
  home: HomeCommunityId,
  allowed: NationalQueries,
): StoredQueryTransaction {
  const { decode, ...rest } = storedQuery(gateway, home)
  return {
    ...rest,
    id: 'ITI-18',
    action: actions.registryStoredQuery,
    decode(envelope) {
      const decoded = decode(envelope)
      const { query, returnType } = decoded
      if (!allowed.types.has(query.type) || !allowed.returnTypes.has(returnType)) {
        throw new GatewayError('query-unsupported', 'This address does not answer such a query')
      }
      return { ...decoded, query: { ...query, home: query.home ?? home } }
    },
  }
}

function sourcesOf({ sources }: MergedEntry): Slot[] {
  return [{ name: sourceSlot, values: sources.map((source) => source.home) }]
}

function storedQuery(
  gateway: QueryGateway,
  home: HomeCommunityId,
  slotsFor?: (entry: MergedEntry) => readonly Slot[],
): Omit<StoredQueryTransaction, 'id' | 'action'> {
  return {
    decode: ({ tree, body }) => {
      const decoded = decodeStoredQuery(tree, body)
      return { ...decoded, query: withCodingSchemes(decoded.query) }
    },
    handle: ({ query }, call) => gateway.query(query, call),
    encode: (answer, { returnType, requestId }) =>
      encodeQueryResponse(answer, {
        status: statusOf(answer),
        returnType,
        errors: registryErrors(answer),
        home,
        ...(requestId === undefined ? {} : { requestId }),
        ...(slotsFor === undefined ? {} : { slotsFor }),
      }),
    fail: (error) =>
      encodeQueryResponse(
        { entries: [], submissionSets: [], folders: [], associations: [] },
        { status: 'failure', returnType: 'LeafClass', errors: [registryErrorOf(error, home)] },
      ),
    account: ({ query }) => ({
      request: query.type,
      ...(namesPatient(query) ? { patientId: query.patientId } : {}),
    }),
    outcome: (answer) => ({
      asked: answer.asked,
      failures: answer.failures,
      status: statusOf(answer),
      results: answer.entries.length,
    }),
  }
}
