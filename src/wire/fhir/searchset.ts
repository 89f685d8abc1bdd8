import type { SearchParameter } from './search.ts'
import { encodeForm } from './search.ts'
import type { Json } from './types.ts'

/** A page of a search's answer, to be written. */
export interface ServedPage {
  /** `[base]/<type>`, without a query. */
  readonly address: string
  /** Of the whole answer, as its asker may know it. */
  readonly total: number
  readonly resources: readonly Json[]
  /** What is told of the search itself. */
  readonly outcome?: { readonly resource: Json; readonly fullUrl: string }
  /** The parameters of the search that may stand in an address. */
  readonly parameters: readonly SearchParameter[]
  /** Leads to the next page; absent on the last one. */
  readonly cursor?: string
}

/** The name of the parameter that leads to a page. */
export const pageParameter = '_page'

/** A Bundle of type `searchset` (FHIR R4: 3.1.1.1.3). Nobody is named in its links. */
export function encodeSearchset({ address, cursor, outcome, parameters, resources, total }: ServedPage): Json {
  const query = encodeForm(parameters)
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    total,
    link: [
      { relation: 'self', url: query === '' ? address : `${address}?${query}` },
      ...(cursor === undefined ? [] : [{ relation: 'next', url: `${address}?${pageParameter}=${cursor}` }]),
    ],
    ...(resources.length === 0 && outcome === undefined ? {} : { entry: entriesOf(address, resources, outcome) }),
  }
}

function entriesOf(address: string, resources: readonly Json[], outcome: ServedPage['outcome']): readonly Json[] {
  return [
    ...resources.map((resource) => ({
      fullUrl: `${address}/${String(resource.id)}`,
      resource,
      search: { mode: 'match' },
    })),
    ...(outcome === undefined ? [] : [{ ...outcome, search: { mode: 'outcome' } }]),
  ]
}
