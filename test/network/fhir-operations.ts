import { z } from 'zod'
import { resourceIdOf } from './document-reference.ts'
import type { Entry } from './entry.ts'
import { fhirJson, path } from './fhir-face.ts'
import { FhirProblem } from './fhir-search.ts'
import type { PeerRequest } from './server.ts'
import { mediaType } from './soap.ts'
import { type Change, mayChange } from './submission-face.ts'
import type { Bearer } from './token.ts'

/** One change of a DocumentReference, alone or in a transaction. */
export interface Operation {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Relative to the base: `DocumentReference`, `DocumentReference/<id>`, `DocumentReference?identifier=…`. */
  readonly url: string
  readonly resource?: unknown
  readonly fullUrl?: string
  readonly ifMatch?: string
  readonly ifNoneExist?: string
}

const request = z.strictObject({
  method: z.enum(['POST', 'PUT', 'DELETE']),
  url: z.string().min(1),
  ifMatch: z.string().optional(),
  ifNoneExist: z.string().optional(),
  ifNoneMatch: z.string().optional(),
  ifModifiedSince: z.string().optional(),
})
const transaction = z.strictObject({
  resourceType: z.literal('Bundle'),
  id: z.string().optional(),
  meta: z.looseObject({}).optional(),
  identifier: z.looseObject({}).optional(),
  type: z.literal('transaction'),
  timestamp: z.string().optional(),
  entry: z
    .array(
      z.strictObject({
        fullUrl: z.string().optional(),
        resource: z.looseObject({ resourceType: z.string() }).optional(),
        request,
      }),
    )
    .min(1),
})

/** What a request asks to be done. Throws FhirProblem. */
export function operationsIn({ method, url, headers, body }: PeerRequest): readonly Operation[] {
  const relative = url.pathname.slice(path.length + 1) + url.search
  const ifMatch = typeof headers['if-match'] === 'string' ? { ifMatch: headers['if-match'] } : {}
  if (method === 'DELETE' || method === 'GET') return [{ method, url: relative, ...ifMatch }]
  if (mediaType(headers['content-type']) !== fhirJson)
    throw new FhirProblem(415, 'not-supported', 'application/fhir+json is needed')
  const resource = parsed(body)
  if (method === 'PUT') return [{ method, url: relative, resource, ...ifMatch }]
  if (relative.startsWith('DocumentReference')) {
    const condition = headers['if-none-exist']
    return [
      { method: 'POST', url: relative, resource, ...(typeof condition === 'string' && { ifNoneExist: condition }) },
    ]
  }
  const bundle = transaction.safeParse(resource)
  if (!bundle.success) {
    const [issue] = bundle.error.issues
    throw new FhirProblem(400, 'structure', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
  }
  const { entry } = bundle.data
  const names = entry.flatMap(({ fullUrl }) => fullUrl ?? [])
  if (new Set(names).size < names.length) throw new FhirProblem(400, 'invalid', 'A fullUrl stands twice')
  return entry.map(({ fullUrl, resource: each, request: { method: how, url: where, ifMatch: match, ifNoneExist } }) => {
    if ((how === 'DELETE') === (each !== undefined))
      throw new FhirProblem(400, 'structure', 'A resource is missing, or too much')
    if (!/^(DocumentReference|List)\b/.test(where))
      throw new FhirProblem(422, 'not-supported', 'Only documents are kept here')
    return {
      method: how,
      url: where,
      ...(each !== undefined && { resource: each }),
      ...(fullUrl !== undefined && { fullUrl }),
      ...(match !== undefined && { ifMatch: match }),
      ...(ifNoneExist !== undefined && { ifNoneExist }),
    }
  })
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    throw new FhirProblem(400, 'structure', 'The body is no JSON')
  }
}

/** Whether a request is for several changes together. */
export function isTransaction({ method, url }: PeerRequest): boolean {
  return method === 'POST' && !url.pathname.includes('DocumentReference')
}

/** A submission set, as MHD sends it along (ITI-65): taken, and not kept. */
export function isList({ method, url, resource }: Operation): boolean {
  if (!url.startsWith('List')) return false
  const list = z.looseObject({ resourceType: z.literal('List'), status: z.literal('current') }).safeParse(resource)
  if (method !== 'POST' || !list.success) throw new FhirProblem(422, 'invariant', 'A List is a new submission set')
  return true
}

const kinds = { POST: 'register', PUT: 'update', DELETE: 'delete' } as const satisfies Record<string, Change>
const says = { register: ['CREATE', 'UPDATE'], update: ['CREATE', 'UPDATE'], delete: ['DELETE', 'UPDATE'] } as const

/** Whether the token is for such a change. Throws FhirProblem: 403. */
export function checkRight({ method }: Operation, { role, purpose, action }: Bearer): void {
  if (method === 'GET') return
  const change = kinds[method]
  if (!says[change].some((name) => name === action))
    throw new FhirProblem(403, 'forbidden', 'The token is for another action')
  if (!mayChange(change, role, purpose))
    throw new FhirProblem(403, 'forbidden', 'This role may not change the record so')
}

/** The id an operation is on; absent for a condition, or for a type. */
export function idNamed({ url }: Operation): string | undefined {
  return /^DocumentReference\/([^/?]+)$/.exec(url)?.[1]
}

/** Throws FhirProblem: 412 for who was overtaken. */
export function checkVersion({ ifMatch }: Operation, former: Entry | undefined): void {
  if (ifMatch === undefined) return
  if (former === undefined || ifMatch !== etagOf(former)) {
    throw new FhirProblem(412, 'conflict', 'The version is not the one that is current')
  }
}

/** Its version, as FHIR names it. */
export function etagOf({ version }: Entry): string {
  return `W/"${version}"`
}

/** Where this version of it is, relative to the base. */
export function locationOf(entry: Entry): string {
  return `DocumentReference/${resourceIdOf(entry)}/_history/${entry.version}`
}
