import { GatewayError } from '../../core/errors.ts'
import { isObject, type Json } from './types.ts'

/** The elements of a DocumentReference by their place: `status`, `content.attachment.size`, `context.period.start`. */
export type Elements = Map<string, unknown>

/** Objects that are taken apart: their elements stand on their own. `content` is a list in FHIR, of one in MHD. */
const opened: ReadonlySet<string> = new Set(['content', 'content.attachment', 'context', 'context.period'])

/** Where contents beyond the one that MHD allows are kept. */
const furtherContents = 'content[]'

/** Elements about the resource on the server that told it: they mean nothing anywhere else. */
const local: ReadonlySet<string> = new Set(['resourceType', 'id', 'meta', 'text'])

/** Names of FHIR elements, and of the companions that carry their extensions; no others exist in FHIR. */
const elementName = /^_?[a-zA-Z][a-zA-Z0-9]*$/

/** Takes a DocumentReference apart. Throws `metadata-invalid` when it may not be read by who does not know more. */
export function takeApart(resource: Json): Elements {
  const elements: Elements = new Map()
  for (const [name, value] of Object.entries(resource)) {
    if (name === 'modifierExtension' || name === 'implicitRules') {
      throw new GatewayError('metadata-invalid', `${name} changes the meaning of a document's metadata`)
    }
    if (local.has(name)) continue
    if (name === 'content' && Array.isArray(value)) {
      take(elements, name, value[0])
      if (value.length > 1) elements.set(furtherContents, value.slice(1))
    } else take(elements, name, value)
  }
  return elements
}

function take(elements: Elements, place: string, value: unknown): void {
  if (opened.has(place) && isObject(value)) {
    for (const [name, inner] of Object.entries(value)) {
      if (elementName.test(name)) take(elements, `${place}.${name}`, inner)
    }
  } else if (elementName.test(place) || place.includes('.')) elements.set(place, value)
}

/** The DocumentReference of these elements. */
export function putTogether(elements: Elements): Json {
  const resource: Record<string, unknown> = { resourceType: 'DocumentReference' }
  for (const [place, value] of elements) {
    if (place === furtherContents) continue
    const names = place.split('.')
    const last = names.pop() ?? ''
    names.reduce(inner, resource)[last] = value
  }
  const further = elements.get(furtherContents)
  if ('content' in resource) resource.content = [resource.content, ...(Array.isArray(further) ? further : [])]
  return resource
}

function inner(object: Record<string, unknown>, name: string): Record<string, unknown> {
  const known = object[name]
  if (isObject(known)) return known as Record<string, unknown>
  const fresh: Record<string, unknown> = {}
  object[name] = fresh
  return fresh
}
