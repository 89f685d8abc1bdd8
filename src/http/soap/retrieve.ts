import { GatewayError } from '../../core/errors.ts'
import type { RetrieveGateway } from '../../core/federation/retrieve.ts'
import type { HomeCommunityId } from '../../core/model/identifiers.ts'
import {
  type DocumentReference,
  type FederatedRetrieval,
  type ReferenceFailure,
  retrievalStatus,
} from '../../core/model/retrieval.ts'
import { actions } from '../../wire/actions.ts'
import type { RegistryErrorRecord } from '../../wire/ebrim/registry-error.ts'
import { decodeRetrieveRequest, encodeRetrieveResponse } from '../../wire/ebrim/retrieve.ts'
import { registryErrorOf } from './registry-errors.ts'
import type { SoapTransaction } from './transaction.ts'

type RetrieveTransaction = SoapTransaction<readonly DocumentReference[], FederatedRetrieval>

/** ITI-43 for the consumers of our own affinity domain: documents from wherever they lie (ITI TF-2: 3.43). */
export function iti43(gateway: RetrieveGateway, home: HomeCommunityId): RetrieveTransaction {
  const spell: Spelling = { home, location: ({ uniqueId }) => uniqueId, codeOf: repositoryCode }
  return { ...retrieval(gateway, spell), id: 'ITI-43', action: actions.retrieveDocumentSet }
}

/** ITI-39 for other communities: our own documents. An error names the document and us (ITI TF-2: 3.39.4.1.3). */
export function iti39(gateway: RetrieveGateway, home: HomeCommunityId): RetrieveTransaction {
  const spell: Spelling = {
    home,
    location: ({ uniqueId }) => `${uniqueId} ${home}`,
    // There are no communities behind ours: what is not available is our own repository.
    codeOf: (code) => (code === 'XDSUnavailableCommunity' ? 'XDSRepositoryError' : repositoryCode(code)),
  }
  return {
    ...retrieval(gateway, spell),
    id: 'ITI-39',
    action: actions.crossGatewayRetrieve,
    decode: ({ tree, body }) => decodeRetrieveRequest(tree, body).map(withHome),
  }
}

/** Required across communities (ITI TF-2: 3.39.4.1.2). */
function withHome(reference: DocumentReference): DocumentReference {
  if (reference.home !== undefined) return reference
  throw new GatewayError('community-missing', 'Each document must be named with the home of its community')
}

/** How a transaction tells its errors. */
interface Spelling {
  readonly home: HomeCommunityId
  readonly location: (reference: DocumentReference) => string
  readonly codeOf: (code: string) => string
}

const queryCodes: ReadonlySet<string> = new Set([
  'XDSRegistryError',
  'XDSStoredQueryMissingParam',
  'XDSStoredQueryParamNumber',
])

/** A repository has words of its own for what a registry would call otherwise (ITI TF-3: table 4.2.4.1-2). */
function repositoryCode(code: string): string {
  return queryCodes.has(code) ? 'XDSRepositoryError' : code
}

function retrieval(gateway: RetrieveGateway, spell: Spelling): Omit<RetrieveTransaction, 'id' | 'action'> {
  return {
    decode: ({ tree, body }) => decodeRetrieveRequest(tree, body),
    handle: (references, call) => gateway.retrieve(references, call),
    encode: (answer) => ({
      documents: answer.documents,
      xml: (place) =>
        encodeRetrieveResponse(
          answer.documents.map((document) => {
            const { reference, mimeType, newUniqueId, newRepositoryUniqueId } = document
            return {
              ...reference,
              mimeType,
              ...(newRepositoryUniqueId === undefined ? {} : { newRepositoryUniqueId }),
              ...(newUniqueId === undefined ? {} : { newUniqueId }),
              content: place(document),
            }
          }),
          { status: retrievalStatus(answer), errors: answerErrors(answer, spell) },
        ),
    }),
    fail(error) {
      const told = registryErrorOf(error, spell.home)
      const errors = [{ ...told, errorCode: spell.codeOf(told.errorCode) }]
      return encodeRetrieveResponse([], { status: 'failure', errors })
    },
    account: (references) => ({ request: 'RetrieveDocumentSet', documents: references }),
    outcome: (answer) => ({
      asked: answer.asked,
      failures: answer.failures,
      status: retrievalStatus(answer),
      results: answer.documents.length,
    }),
  }
}

/** One error for each document that is not there; a warning for each that could not be verified, which is there. */
function answerErrors({ documents, failures }: FederatedRetrieval, spell: Spelling): RegistryErrorRecord[] {
  return [
    ...failures.map((failure) => errorOf(failure, spell)),
    ...documents
      .filter(({ entry, verified }) => !verified && entry.kind !== 'on-demand')
      .map(({ reference }): RegistryErrorRecord => {
        const codeContext = 'The document could not be verified: its entry states no hash'
        return {
          errorCode: 'XDSRepositoryError',
          codeContext,
          severity: 'warning',
          location: spell.location(reference),
        }
      }),
  ]
}

/** In the holder's own words where it gave any; where the document lies is the location either way. */
function errorOf({ reference, error }: ReferenceFailure, { codeOf, location }: Spelling): RegistryErrorRecord {
  const { errorCode, codeContext, severity } = registryErrorOf(error)
  const own = error.code === 'community-rejected' ? error.issues[0] : undefined
  return {
    errorCode: own?.code ?? codeOf(errorCode),
    codeContext: own === undefined || own.text === '' ? codeContext : own.text,
    severity,
    location: location(reference),
  }
}
