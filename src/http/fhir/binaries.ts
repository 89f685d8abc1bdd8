import { type DocumentRouteParts, documentRoutes } from '../api/documents.ts'
import type { ApiAnswer, ApiCall, ApiRoute } from '../api/endpoint.ts'
import { notAcceptable } from './refusal.ts'
import { fhirType, hasState, headerOf, userOf } from './request.ts'

/**
 * Retrieve Document (MHD, ITI-68): the documents of the JSON API under the addresses that DocumentReferences tell, as they
 * are and never as a Binary resource.
 */
export function binaryRoutes(parts: DocumentRouteParts): readonly ApiRoute[] {
  return documentRoutes(parts).map((route) => ({
    ...route,
    path: '/fhir/Binary/:handle',
    async handle(call) {
      userOf(call)
      return described(call, await route.handle(call))
    },
  }))
}

/** Throws a refusal with 406 when the document is of none of the types that are taken. */
function described(call: ApiCall, answer: ApiAnswer): ApiAnswer {
  const { contentType, headers } = answer
  if (contentType === undefined || !accepts(headerOf(call.request, 'accept'), contentType)) throw notAcceptable()
  const { etag } = headers ?? {}
  if (typeof etag !== 'string' || !hasState(call, etag)) return answer
  return { status: 304, body: undefined, contentType: fhirType, headers: { etag } }
}

/** Whether a media type is among those of an Accept header (RFC 9110 §12.5.1). */
export function accepts(accept: string | undefined, contentType: string): boolean {
  if (accept === undefined || accept.trim() === '') return true
  const [type = ''] = contentType.split(';')
  const ranges = ['*/*', `${type.split('/')[0] ?? ''}/*`, type.trim()]
  return accept
    .toLowerCase()
    .split(',')
    .some((range) => {
      const [name = '', ...parameters] = range.split(';').map((part) => part.trim())
      const weight = parameters.find((one) => one.startsWith('q='))?.slice(2)
      return ranges.includes(name) && Number(weight ?? 1) > 0
    })
}
