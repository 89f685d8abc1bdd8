import { GatewayError } from '../../core/errors.ts'
import type { ConsentRegisterGateway } from '../../core/federation/consent-register.ts'
import type { AuthenticatedCall } from '../../core/model/call.ts'
import type { Consent } from '../../core/model/change.ts'
import type { ConsentSet, ConsentState } from '../../core/model/consents.ts'
import { oid } from '../../core/model/identifiers.ts'
import { type PatientId, patientId } from '../../core/model/patient.ts'
import type { ApiCall, ApiRoute } from './endpoint.ts'
import { jsonObject, objectOf, odd, type ReadObject, requireNothingBut, textIn } from './json-body.ts'

export interface ConsentRouteParts {
  readonly gateway: ConsentRegisterGateway
  readonly readObject: ReadObject
}

/** More than there are (ini.md §4.10). */
const mostConsents = 16

/**
 * `POST /api/v1/consents/query`: what a person has consented to, on which notice, and which notice is in force.
 * `POST /api/v1/consents`: sets all consents of a person at once, in the name of the token's user. Both are asked of, and
 * told to, the national register (ini.md §1.2 no. 9, 10); a set that was made before is answered as made.
 */
export function consentRoutes({ gateway, readObject }: ConsentRouteParts): readonly ApiRoute[] {
  return [
    {
      method: 'POST',
      path: '/api/v1/consents/query',
      transaction: 'ConsentQuery',
      matter: () => ({ operation: 'read' }),
      async handle(call) {
        const body = jsonObject(call.request, readObject)
        requireNothingBut(body, ['patient'])
        const patient = personIn(body, 'patient')
        call.note({ patientId: patient, request: 'ConsentQuery' })
        return { body: told(await gateway.state(patient, callerOf(call))) }
      },
    },
    {
      method: 'POST',
      path: '/api/v1/consents',
      transaction: 'RegisterConsentSet',
      matter: () => ({ operation: 'update' }),
      async handle(call) {
        const caller = callerOf(call)
        const set = setIn(jsonObject(call.request, readObject), caller)
        call.note({ patientId: set.patientId, request: 'RegisterConsentSet' })
        const { assistedBy, repeated } = await gateway.register(set, caller)
        return { body: { repeated, ...(assistedBy === undefined ? {} : { assistedBy }) } }
      },
    },
  ]
}

function callerOf({ caller: { assertion }, ...exchange }: ApiCall): AuthenticatedCall {
  if (assertion === undefined) throw new GatewayError('access-denied', 'The tokens name no user')
  return { ...exchange, assertion }
}

function told({ consents, disclosure, currentDisclosure }: ConsentState) {
  return { consents, disclosure: disclosure ?? null, currentDisclosure: currentDisclosure ?? null }
}

function setIn(body: Readonly<Record<string, unknown>>, { assertion }: AuthenticatedCall): ConsentSet {
  requireNothingBut(body, ['patient', 'requestor', 'disclosure', 'consents'])
  const { subjectId, role } = assertion
  if (subjectId === undefined) throw new GatewayError('access-denied', 'The tokens name no user by a code')
  const patient = personIn(body, 'patient')
  const disclosure = textIn(body, 'disclosure')
  if (disclosure === undefined) throw odd('disclosure')
  return {
    patientId: patient,
    operator: subjectId,
    operatorRole: role,
    requestor: body.requestor === undefined ? patient : personIn(body, 'requestor'),
    consents: consentsIn(body),
    disclosure,
  }
}

/** Throws `request-malformed`, and `parameter-invalid` for an identifier that cannot be one. */
function personIn(body: Readonly<Record<string, unknown>>, name: string): PatientId {
  const told = objectOf(body[name], name)
  requireNothingBut(told, ['value', 'authority'])
  const [value, authority] = [textIn(told, 'value'), textIn(told, 'authority')]
  if (value === undefined || authority === undefined) throw odd(name)
  return patientId(value, oid(authority))
}

function consentsIn({ consents }: Readonly<Record<string, unknown>>): readonly Consent[] {
  if (!Array.isArray(consents) || consents.length > mostConsents) throw odd('consents')
  return consents.map((one: unknown) => {
    const told = objectOf(one, 'consents')
    requireNothingBut(told, ['name', 'given', 'date', 'note'])
    const [name, date, note] = [textIn(told, 'name'), textIn(told, 'date'), textIn(told, 'note')]
    const { given } = told
    if (name === undefined || typeof given !== 'boolean') throw odd('consents')
    return { name, given, ...(date === undefined ? {} : { date }), ...(note === undefined ? {} : { note }) }
  })
}
