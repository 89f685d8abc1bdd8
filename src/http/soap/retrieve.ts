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
  const location = ({ uniqueId }: DocumentReference) => uniqueId
  return { ...retrieval(gateway, home, location), id: 'ITI-43', action: actions.retrieveDocumentSet }
}

/** ITI-39 for other communities: our own documents. An error names the document and us (ITI TF-2: 3.39.4.1.3). */
export function iti39(gateway: RetrieveGateway, home: HomeCommunityId): RetrieveTransaction {
  const location = ({ uniqueId }: DocumentReference) => `${uniqueId} ${home}`
  return { ...retrieval(gateway, home, location), id: 'ITI-39', action: actions.crossGatewayRetrieve }
}

function retrieval(
  gateway: RetrieveGateway,
  home: HomeCommunityId,
  location: (reference: DocumentReference) => string,
): Omit<RetrieveTransaction, 'id' | 'action'> {
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
          { status: retrievalStatus(answer), errors: answerErrors(answer, location) },
        ),
    }),
    fail: (error) => encodeRetrieveResponse([], { status: 'failure', errors: [registryErrorOf(error, home)] }),
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
function answerErrors(
  { documents, failures }: FederatedRetrieval,
  location: (reference: DocumentReference) => string,
): RegistryErrorRecord[] {
  return [
    ...failures.map((failure) => errorOf(failure, location)),
    ...documents
      .filter(({ entry, verified }) => !verified && entry.kind !== 'on-demand')
      .map(({ reference }): RegistryErrorRecord => {
        const codeContext = 'The document could not be verified: its entry states no hash'
        return { errorCode: 'XDSRepositoryError', codeContext, severity: 'warning', location: location(reference) }
      }),
  ]
}

/** In the holder's own words where it gave any; where the document lies is the location either way. */
function errorOf(
  { reference, error }: ReferenceFailure,
  location: (reference: DocumentReference) => string,
): RegistryErrorRecord {
  const { errorCode, codeContext, severity } = registryErrorOf(error)
  const own = error.code === 'community-rejected' ? error.issues[0] : undefined
  return {
    errorCode: own?.code ?? errorCode,
    codeContext: own?.text ?? codeContext,
    severity,
    location: location(reference),
  }
}
