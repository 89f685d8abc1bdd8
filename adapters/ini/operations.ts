import { actions } from '../../src/wire/actions.ts'

/** What an operation's assertion claims where the operation decides it, and not whoever it is done for (ini.md §2.4). */
export interface OperationClaims {
  /** Absent, the role is our caller's. */
  readonly role?: string
  /** The purposes INI takes for it: our caller's where it is one of them, else the first. Absent, our caller's. */
  readonly purposes?: readonly [string, ...string[]]
  readonly action: 'CREATE' | 'READ' | 'UPDATE' | 'DELETE'
}

/** One operation of INI: where it stands, what is called, what answers, what is claimed. */
export interface IniOperation {
  /** INI's own; on the host, `base`. The wrong one is answered with PFA14 or ResourceUnknownFault (ini.md §1.2). */
  readonly path: string
  /** `wsa:Action`; of the services of SOAP 1.1, `SOAPAction`. Absent where no public source tells it. */
  readonly action?: string
  /** The root of the answer's body, where it is known. */
  readonly answer?: 'AdhocQueryResponse' | 'RegistryResponse' | 'RetrieveDocumentSetResponse' | (string & {})
  /** Absent of services that take no assertion (ini.md §1.4, §7.2). */
  readonly claims?: OperationClaims
}

const registry = '/FSEInteroperabilitaWeb/DocumentRegistry_Service'
const consents = '/FSEConsensiWeb/CommunicationConsent_Service'
const query = { action: actions.registryStoredQuery, answer: 'AdhocQueryResponse' } as const
const change = { answer: 'RegistryResponse' } as const

/**
 * Every operation of INI whose path is known, by ini.md §1.2 and §2.4. Who asks for an operation gets its path, its action
 * and its claims together, so that none of them can be another one's.
 */
export const operations = {
  /** Consultation by a professional or a citizen: role and purpose are the caller's own (row 2). */
  search: { ...query, path: registry, claims: { action: 'READ' } },
  /** The metadata of a document before it is updated, LeafClass (row 2; §4.7: the searches preceding a change). */
  metadata: { ...query, path: registry, claims: { action: 'READ', purposes: ['UPDATE'] } },
  /** Recupero riferimenti: the ids of a document before a change, ObjectRef (row 3). */
  references: {
    ...query,
    path: '/FSEFindDocumentReferencesWeb/DocumentRegistry_Service',
    claims: { action: 'READ', purposes: ['UPDATE'] },
  },
  create: {
    ...{ ...change, path: registry, action: actions.registerDocumentSet },
    claims: { action: 'CREATE', purposes: ['TREATMENT'] },
  },
  /** [CONFLICT] in §2.4: UPDATE by the rules of the gateway's token, which are kept, CREATE by its enumeration. */
  replace: {
    ...{ ...change, path: registry, action: actions.registerDocumentSet },
    claims: { action: 'UPDATE', purposes: ['UPDATE', 'TREATMENT'] },
  },
  /** ITI-57 (row 6). */
  update: {
    ...{ ...change, path: '/FSEMetadataUpdateWeb/DocumentRegistry_Service', action: actions.updateDocumentSet },
    claims: { action: 'UPDATE', purposes: ['UPDATE', 'ACCESS UPDATE'] },
  },
  /** The old flow: the document replaces itself by ITI-42 (row 1, #761). */
  updateByRegister: {
    ...{ ...change, path: registry, action: actions.registerDocumentSet },
    claims: { action: 'UPDATE', purposes: ['UPDATE', 'ACCESS UPDATE'] },
  },
  /** Whether a document is obscured is changed for no other purpose (§4.5, #1651). */
  hide: {
    ...{ ...change, path: '/FSEMetadataUpdateWeb/DocumentRegistry_Service', action: actions.updateDocumentSet },
    claims: { action: 'UPDATE', purposes: ['ACCESS UPDATE'] },
  },
  hideByRegister: {
    ...{ ...change, path: registry, action: actions.registerDocumentSet },
    claims: { action: 'UPDATE', purposes: ['ACCESS UPDATE'] },
  },
  /** ITI-62; the typing error of the path is INI's (row 7). */
  delete: {
    ...{ ...change, path: '/FSEDeleteWeb/XDSDeletetWSService', action: actions.deleteDocumentSet },
    claims: { action: 'DELETE', purposes: ['UPDATE'] },
  },
  /** FindDocuments and GetDocuments towards the former region of assistance (row 4; #2181, #2724). */
  indexTransferSearch: {
    ...{ ...query, path: '/FSERegistryIndexTransferWeb/DocumentRegistry_Service' },
    claims: { action: 'READ', role: 'NOR', purposes: ['SYSADMIN'] },
  },
  /** What was transferred is deleted there (row 5; the role is [OWN from #2181, #2266]). */
  indexTransferDelete: {
    ...{ ...change, path: '/FSERegistryIndexTransferWeb/XDSDeletetWSService', action: actions.deleteDocumentSet },
    claims: { action: 'DELETE', role: 'NOR', purposes: ['SYSADMIN'] },
  },
  /** SOAP 1.1, as the two that follow (rows 9 to 11; #1189). */
  consentQuery: {
    ...{ path: consents, action: 'urn:fse:ConsentQuery', answer: 'ConsentQueryResponse' },
    claims: { action: 'READ', purposes: ['CONSENT'] },
  },
  consentRegister: {
    ...{ path: consents, action: 'urn:fse:RegisterConsentSet', answer: 'RegisterConsentSetResponse' },
    claims: { action: 'UPDATE', purposes: ['CONSENT'] },
  },
  /** The action is told in #2833. */
  organDonation: {
    path: '/FSEConsensiWeb/OrgansTissuesDonation_Service',
    ...{ action: 'urn:fse:OrgansTissuesDonationRequest', answer: 'OrgansTissuesDonationResponse' },
  },
} as const satisfies Readonly<Record<string, IniOperation>>

export type OperationName = keyof typeof operations

export const operationNames = Object.keys(operations) as readonly OperationName[]

/** Paths that differ in an environment, by the operation. */
export type OperationPaths = Readonly<Partial<Record<OperationName, string | undefined>>>

/** Which operation's path another one takes, where it has none of its own: what stands at one address stays together. */
const sameAddress: Readonly<Partial<Record<OperationName, OperationName>>> = {
  metadata: 'search',
  replace: 'create',
  updateByRegister: 'create',
  hideByRegister: 'create',
  hide: 'update',
}

/** The address of an operation. */
export function addressOf(
  name: OperationName,
  { base, paths }: { readonly base: string; readonly paths: OperationPaths },
) {
  const neighbour = sameAddress[name]
  const path = paths[name] ?? (neighbour === undefined ? undefined : paths[neighbour]) ?? operations[name].path
  return new URL(path, base).href
}

/** Role and purpose of an operation for a caller; what is absent stays the caller's own. */
export function claimsOf(
  name: OperationName,
  caller: { readonly purposeOfUse: string },
): { readonly role?: string; readonly purposeOfUse?: string } {
  const { claims }: IniOperation = operations[name]
  const { role, purposes } = claims ?? {}
  return {
    ...(role === undefined ? {} : { role }),
    ...(purposes === undefined ? {} : { purposeOfUse: purposeIn(purposes, caller.purposeOfUse) }),
  }
}

function purposeIn(purposes: readonly [string, ...string[]], own: string): string {
  return purposes.includes(own) ? own : purposes[0]
}
