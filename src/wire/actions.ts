/** WS-Addressing actions of the transactions (ihe.md §1.2, ini.md §1.2). The answer's action follows from the question's. */
export const actions = {
  registryStoredQuery: 'urn:ihe:iti:2007:RegistryStoredQuery',
  crossGatewayQuery: 'urn:ihe:iti:2007:CrossGatewayQuery',
  retrieveDocumentSet: 'urn:ihe:iti:2007:RetrieveDocumentSet',
  crossGatewayRetrieve: 'urn:ihe:iti:2007:CrossGatewayRetrieve',
  registerDocumentSet: 'urn:ihe:iti:2007:RegisterDocumentSet-b',
  updateDocumentSet: 'urn:ihe:iti:2010:UpdateDocumentSet',
  /** ITI-62 as INI spells it. */
  deleteDocumentSet: 'urn:ihe:iti:xds-b:2010:XDSDeletetWS:DocumentRegistry_DeleteDocumentSetRequest',
  /** ITI-62 as IHE spells it. */
  deleteDocumentSetOfIhe: 'urn:ihe:iti:2010:DeleteDocumentSet',
  crossGatewayPatientDiscovery: 'urn:hl7-org:v3:PRPA_IN201305UV02:CrossGatewayPatientDiscovery',
} as const

export type RequestAction = (typeof actions)[keyof typeof actions]

export function responseAction(action: RequestAction): string {
  // HL7 V3 numbers the answer's interaction where others append a word (ITI TF-2: 3.55.7).
  if (action === actions.crossGatewayPatientDiscovery) return action.replace('PRPA_IN201305UV02', 'PRPA_IN201306UV02')
  if (action === actions.deleteDocumentSet) return action.replace(/Request$/, 'Response')
  return `${action}Response`
}
