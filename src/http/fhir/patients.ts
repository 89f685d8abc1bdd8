import { GatewayError } from '../../core/errors.ts'
import { authorities, samePatientId } from '../../core/model/patient.ts'
import type { FoundPerson, SoughtPerson } from '../../core/model/patient-discovery.ts'
import { correspondingQuestion, personQuestion } from '../../wire/fhir/person-question.ts'
import type { SearchParameter } from '../../wire/fhir/search.ts'
import { encodeSearchset } from '../../wire/fhir/searchset.ts'
import { encodeCorresponding, encodePatient } from '../../wire/fhir/served-patient.ts'
import { isObject, type Json } from '../../wire/fhir/types.ts'
import type { ApiAnswer, ApiCall, ApiRoute } from '../api/endpoint.ts'
import { answered } from './answering.ts'
import type { FhirParts } from './parts.ts'
import { FhirRefusal } from './refusal.ts'
import {
  baseOf,
  headerOf,
  parametersOf,
  patientIn,
  requireJson,
  requireKnown,
  searchedFor,
  textOf,
  userOf,
} from './request.ts'
import { resourceRoutes } from './resource-routes.ts'
import { idsFor } from './viewer.ts'

type Discover = NonNullable<FhirParts['discover']>

/**
 * People by their identifiers: PDQm (ITI-78) and PIXm (ITI-83), for a user whose tokens are about that very person. None
 * where nobody knows people.
 */
export function patientRoutes({ discover, ...parts }: FhirParts): readonly ApiRoute[] {
  if (discover === undefined) return []
  const pix: Omit<ApiRoute, 'method'> = {
    ...{ path: '/fhir/Patient/$ihe-pix', transaction: 'ITI-83', matter: () => ({ operation: 'read' }) },
    handle: (call) => corresponding(call, discover, parts),
  }
  return [
    // Before the read, which has any name in its place.
    { ...pix, method: 'POST' },
    { ...pix, method: 'GET' },
    { ...pix, method: 'HEAD' },
    ...resourceRoutes(
      { resource: 'Patient', transaction: 'ITI-78' },
      { search: (call) => found(call, discover, parts), read: (call) => one(call, discover, parts) },
    ),
  ]
}

/** ITI-78. Nobody found is an empty Bundle, whoever it would have been. */
async function found(call: ApiCall, discover: Discover, parts: FhirParts): Promise<ApiAnswer> {
  call.note({ request: 'FindPatient' })
  const parameters = parametersOf(call, parts.identifiersInUrls)
  requireJson(call, parameters)
  const user = userOf(call)
  const { sought, hasOthers } = personQuestion(searchedFor(parameters))
  requireKnown(call, hasOthers)
  noteSought(call, sought)
  const person = await discover(sought, user)
  const resources = person === undefined ? [] : [encodePatient(person, idsFor(parts.key, user.assertion).patient)]
  call.note({ results: resources.length })
  const address = `${baseOf(call, parts.base)}/Patient`
  return answered(encodeSearchset({ address, total: resources.length, resources, parameters: [] }))
}

function noteSought(call: ApiCall, { identifiers: [first] }: Pick<SoughtPerson, 'identifiers'>): void {
  if (first !== undefined) call.note({ patientId: first })
}

async function one(call: ApiCall, discover: Discover, parts: FhirParts): Promise<ApiAnswer> {
  call.note({ request: 'ReadPatient' })
  requireJson(call, parametersOf(call, parts.identifiersInUrls))
  const user = userOf(call)
  const asked = patientIn(user.assertion)
  const { patient: id } = idsFor(parts.key, user.assertion)
  call.note({ patientId: asked })
  const sought = { identifiers: [asked], authorities: [], demographics: { names: [] } }
  const person = id === call.parameters.id ? await discover(sought, user) : undefined
  if (person === undefined) throw new GatewayError('patient-unknown', 'No such patient is known')
  call.note({ results: 1 })
  return answered(encodePatient(person, id))
}

/** `$ihe-pix`: the words of its refusals are those of PIXm (2:3.83.4.2.2). */
async function corresponding(call: ApiCall, discover: Discover, parts: FhirParts): Promise<ApiAnswer> {
  call.note({ request: 'CorrespondingIdentifiers' })
  const parameters = pixParameters(call, parts)
  requireJson(call, parameters)
  const user = userOf(call)
  const { source, targets } = correspondingQuestion(parameters)
  if (source === undefined) {
    throw pixRefusal(400, 'code-invalid', 'sourceIdentifier Assigning Authority not found')
  }
  if (targets === 'unknown') throw pixRefusal(403, 'code-invalid', 'targetSystem not found')
  call.note({ patientId: source })
  const wanted = targets ?? Object.values(authorities)
  const sought = { identifiers: [source], authorities: wanted, demographics: { names: [] } }
  const person = await discover(sought, user)
  if (person === undefined) throw pixRefusal(404, 'not-found', 'sourceIdentifier Patient Identifier not found')
  call.note({ results: 1 })
  const identifiers = identifiersOf(person).filter((id) => !samePatientId(id, source) && wanted.includes(id.authority))
  return answered(encodeCorresponding(identifiers, `Patient/${idsFor(parts.key, user.assertion).patient}`))
}

function identifiersOf({ otherIds, patientId }: FoundPerson) {
  return [patientId, ...otherIds]
}

function pixRefusal(status: 400 | 403 | 404, issue: 'code-invalid' | 'not-found', text: string): FhirRefusal {
  const code = status === 404 ? 'patient-unknown' : 'parameter-invalid'
  return new FhirRefusal(code, text, { status, issue, word: status === 404 ? 'patient-unknown' : 'domain-unknown' })
}

/** Of the address, of a form, or of a Parameters resource (FHIR R4: 3.2.0.4). */
function pixParameters(call: ApiCall, { identifiersInUrls }: FhirParts): readonly SearchParameter[] {
  const { request } = call
  const type = headerOf(request, 'content-type') ?? ''
  if (request.method !== 'POST' || !/^application\/(?:fhir\+)?json\s*(?:;|$)/i.test(type.trim())) {
    return parametersOf(call, identifiersInUrls)
  }
  const inAddress = parametersOf({ ...call, request: { ...request, method: 'GET' } }, identifiersInUrls)
  return [...inAddress, ...parametersIn(resourceIn(textOf(request)))]
}

function resourceIn(text: string): Json {
  const malformed = (cause?: unknown) => {
    return new GatewayError(
      'request-malformed',
      'The body is not a Parameters resource',
      cause === undefined ? {} : { cause },
    )
  }
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value) && value.resourceType === 'Parameters') return value
  } catch {
    // What could not be read must not be quoted.
    throw malformed()
  }
  throw malformed()
}

function parametersIn({ parameter }: Json): readonly SearchParameter[] {
  const all: readonly unknown[] = Array.isArray(parameter) ? parameter : []
  return all.flatMap((one): SearchParameter[] => {
    if (!isObject(one) || typeof one.name !== 'string') return []
    const { valueIdentifier: id } = one
    if (isObject(id)) return [[one.name, `${escaped(id.system)}|${escaped(id.value)}`]]
    const value = [one.valueString, one.valueUri, one.valueCode].find((text) => typeof text === 'string')
    return typeof value === 'string' ? [[one.name, value]] : []
  })
}

function escaped(part: unknown): string {
  return typeof part === 'string' ? part.replace(/[\\,|$]/g, '\\$&') : ''
}
