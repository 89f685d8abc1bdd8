import { authorRoles, citizenRoles, professionalRoles } from './roles.ts'

/** What somebody may want of the index, as far as different people may. */
export const services = [
  'search',
  'retrieve',
  'reference-retrieval',
  'hiding-chain',
  'index-transfer-search',
  'index-transfer-delete',
  'index-push',
  'create',
  'replace',
  'update',
  'hide',
  'delete',
  'discover',
  'consents',
] as const

export type Service = (typeof services)[number]

/** Services that are stored queries. */
export type SearchService = Extract<
  Service,
  'search' | 'reference-retrieval' | 'hiding-chain' | 'index-transfer-search'
>

/** One right: any of the roles, for any of the purposes, with any of the actions. */
export interface AccessRow {
  readonly service: Service
  readonly roles: ReadonlySet<string>
  readonly purposes: ReadonlySet<string>
  /** `READ` is also granted to a claim whose form has no place for an action (IHE XUA). */
  readonly actions: ReadonlySet<string>
  /** Purposes for which the patient must be in the asker's care ("presa in carico", ini.md §2.3, §2.6). */
  readonly inCare?: ReadonlySet<string>
  readonly source: string
}

/** What may be said of an index push; no public source says it (ini.md §9 no. 3). */
export type IndexPushRight = Pick<AccessRow, 'roles' | 'purposes' | 'actions'>

const of = (...values: readonly string[]): ReadonlySet<string> => new Set(values)
const [create, read, update, remove] = ['CREATE', 'READ', 'UPDATE', 'DELETE'].map((action) => of(action)) as [
  ReadonlySet<string>,
  ReadonlySet<string>,
  ReadonlySet<string>,
  ReadonlySet<string>,
]
const caring = of('TREATMENT', 'EMERGENCY', 'PUBEMERGENCY')

/** Services whose claims must name the transfer they belong to (`IndexTransferId`, ini.md §2.3, §7.1). */
export const ofIndexTransfer: ReadonlySet<Service> = new Set(['index-transfer-search', 'index-transfer-delete'])

/** The push is INI's, or the old region's; it is a transfer, or an ordinary registration. All are taken by default. */
export const defaultIndexPush: IndexPushRight = {
  roles: of('INI', 'NOR'),
  purposes: of('SYSADMIN', 'TREATMENT', 'UPDATE'),
  actions: of('CREATE', 'UPDATE'),
}

/**
 * Who may do what: rows of ini.md §2.4, which tells what the national gateway and the regions send; the matrix of the
 * affinity domain itself (AD 6.4) is not public (§9 no. 2). What no row grants is refused.
 */
export const accessTable: readonly AccessRow[] = [
  {
    ...{ service: 'search', roles: professionalRoles, purposes: caring, actions: read, inCare: of('TREATMENT') },
    source: '§2.4 consultation by a professional; §4.7',
  },
  {
    ...{ service: 'search', roles: citizenRoles, purposes: of('PERSONAL'), actions: read },
    source: '§2.4 consultation by the citizen',
  },
  {
    ...{ service: 'search', roles: of(...professionalRoles, 'GTW'), purposes: of('UPDATE'), actions: read },
    source: '§2.4 metadata before an update, by the gateway; §4.7 UPDATE: the searches that precede it, by its maker',
  },
  {
    ...{ service: 'retrieve', roles: professionalRoles, purposes: caring, actions: read, inCare: of('TREATMENT') },
    source: '§2.4 consultation by a professional, ITI-43',
  },
  {
    ...{ service: 'retrieve', roles: citizenRoles, purposes: of('PERSONAL'), actions: read },
    source: '§2.4 consultation by the citizen, ITI-43',
  },
  {
    ...{ service: 'reference-retrieval', roles: of(...authorRoles, 'GTW'), purposes: of('UPDATE'), actions: read },
    source: '§2.4 get reference, by the gateway; §2.6, §7.1: by the author of the document, before a change',
  },
  {
    ...{ service: 'hiding-chain', roles: of('INI'), purposes: of('SYSADMIN'), actions: read },
    source: '§2.4 searches made by INI (#1651); §7.1, §7.3',
  },
  {
    ...{ service: 'index-transfer-search', roles: of('NOR'), purposes: of('SYSADMIN'), actions: read },
    source: '§2.4 index transfer; §7.1 (#2181, #2724)',
  },
  {
    ...{ service: 'index-transfer-delete', roles: of('NOR'), purposes: of('SYSADMIN'), actions: remove },
    source: '§2.4 index transfer deletion [OWN from #2181, #2266]',
  },
  { service: 'index-push', ...defaultIndexPush, source: '§7.1 push mode; role and purpose in no source (§9 no. 3)' },
  {
    ...{ service: 'create', roles: authorRoles, purposes: of('TREATMENT'), actions: create },
    source: '§2.4 create ITI-42',
  },
  {
    ...{ service: 'replace', roles: authorRoles, purposes: of('TREATMENT', 'UPDATE') },
    actions: of('UPDATE', 'CREATE'),
    source: '§2.4 replace: [CONFLICT] UPDATE by the rules of the gateway’s token, CREATE by its enumeration: both',
  },
  {
    ...{ service: 'update', roles: authorRoles, purposes: of('UPDATE', 'ACCESS UPDATE'), actions: update },
    source: '§2.4 update metadata by ITI-42 and ITI-57',
  },
  {
    ...{ service: 'hide', roles: authorRoles, purposes: of('ACCESS UPDATE'), actions: update },
    source: '§2.4, §4.5: changing P99 needs ACCESS UPDATE (#1651)',
  },
  {
    ...{ service: 'delete', roles: authorRoles, purposes: of('UPDATE'), actions: remove },
    source: '§2.4 delete ITI-62',
  },
  {
    ...{ service: 'discover', roles: professionalRoles, purposes: caring, actions: read, inCare: of('TREATMENT') },
    source: '[OWN] ITI-55 in no source: as the search it precedes',
  },
  {
    ...{ service: 'discover', roles: citizenRoles, purposes: of('PERSONAL'), actions: read },
    source: '[OWN] ITI-55 in no source: as the search it precedes',
  },
  {
    ...{ service: 'consents', roles: of('OGC', ...citizenRoles), purposes: of('CONSENT') },
    actions: of('READ', 'UPDATE'),
    source: '§2.4 consents (#1189); §7.2 Requestor: the citizen, a parent or a guardian',
  },
  {
    ...{ service: 'consents', roles: of('APR'), purposes: of('TREATMENT'), actions: of('READ', 'UPDATE') },
    source: '§2.4 consents, example of INS (#2235)',
  },
]
