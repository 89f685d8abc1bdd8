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
      requireDocument(call)
      return described(call, await route.handle(call))
    },
  }))
}

/** Types of resources: no document is a resource of this server. */
const resourceTypes = /^(?:text\/json|application\/(?:json|(?:json|xml|turtle)\+fhir|fhir\+(?:json|xml|turtle)))$/

/**
 * Throws a refusal with 406 when no document can be of the types that are taken: before it is asked for, since fetching it
 * is a delivery of which the person is told.
 */
function requireDocument(call: ApiCall): void {
  const accept = headerOf(call.request, 'accept')
  if (accept === undefined || accept.trim() === '') return
  const taken = rangesOf(accept).filter(({ weight }) => weight > 0)
  if (taken.some(({ name }) => name.includes('/') && !resourceTypes.test(name))) return
  call.note({ request: 'RetrieveDocument' })
  throw notAcceptable()
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
  return rangesOf(accept).some(({ name, weight }) => ranges.includes(name) && weight > 0)
}

function rangesOf(accept: string): readonly { readonly name: string; readonly weight: number }[] {
  return accept
    .toLowerCase()
    .split(',')
    .map((range) => {
      const [name = '', ...parameters] = range.split(';').map((part) => part.trim())
      const weight = parameters.find((one) => one.startsWith('q='))?.slice(2)
      return { name, weight: Number(weight ?? 1) }
    })
}
