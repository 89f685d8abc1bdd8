/** WS-Addressing actions of the transactions (ihe.md §1.2). The answer's action follows from the question's. */
export const actions = {
  registryStoredQuery: 'urn:ihe:iti:2007:RegistryStoredQuery',
  crossGatewayQuery: 'urn:ihe:iti:2007:CrossGatewayQuery',
  retrieveDocumentSet: 'urn:ihe:iti:2007:RetrieveDocumentSet',
  crossGatewayRetrieve: 'urn:ihe:iti:2007:CrossGatewayRetrieve',
} as const

export type RequestAction = (typeof actions)[keyof typeof actions]

export function responseAction(action: RequestAction): string {
  return `${action}Response`
}
