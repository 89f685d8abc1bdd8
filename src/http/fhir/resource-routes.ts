import type { ApiAnswer, ApiCall, ApiRoute } from '../api/endpoint.ts'

type Handle = (call: ApiCall) => Promise<ApiAnswer>

/** How a type of resource is searched and read: a search by POST or by GET (FHIR R4: 3.1.1.4), a read by its id. */
export function resourceRoutes(
  { resource, transaction }: Pick<ApiRoute, 'transaction'> & { readonly resource: string },
  { search, read }: { readonly search: Handle; readonly read: Handle },
): readonly ApiRoute[] {
  const base: Pick<ApiRoute, 'transaction' | 'matter'> = { transaction, matter: () => ({ operation: 'read' }) }
  const searching = { ...base, handle: search }
  const reading: Omit<ApiRoute, 'method'> = { ...base, path: `/fhir/${resource}/:id`, handle: read }
  return [
    { ...searching, method: 'POST', path: `/fhir/${resource}/_search` },
    { ...searching, method: 'GET', path: `/fhir/${resource}` },
    { ...searching, method: 'HEAD', path: `/fhir/${resource}` },
    { ...reading, method: 'GET' },
    { ...reading, method: 'HEAD' },
  ]
}
