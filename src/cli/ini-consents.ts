import type { AuthorizedCall } from '../core/model/call.ts'
import type { ConsentSet, ConsentState } from '../core/model/consents.ts'
import type { PatientId } from '../core/model/patient.ts'
import { needed } from './arguments.ts'
import { CliError } from './exit.ts'
import { counted, type Result } from './ini-result.ts'
import { typedPatient } from './patient.ts'

/** What is wished of consents. */
export interface ConsentValues {
  readonly give: readonly string[]
  readonly withdraw: readonly string[]
  readonly requestor?: string
  /** Of the information notice that was seen; by default the one in force. */
  readonly id?: string
}

/** The consents of a patient, and the notices. */
export function consentsTold(state: ConsentState): Result {
  const { consents: told, disclosure, currentDisclosure } = state
  const seen = [
    ...(disclosure === undefined ? [] : [`given on notice ${disclosure}`]),
    ...(currentDisclosure === undefined ? [] : [`notice ${currentDisclosure} is in force`]),
  ]
  return {
    said: [counted(told.length, 'consent'), ...seen].join(', '),
    listed: told.map(({ name, given, date = '' }) => `${name}  ${given ? 'given' : 'withheld'}  ${date}`.trimEnd()),
    found: state,
  }
}

/** A set names every consent there is: those that are not spoken of stay as they are (AU1). Throws CliError. */
export function consentSetOf(
  values: ConsentValues,
  {
    before,
    call,
    patientId,
  }: { readonly before: ConsentState; readonly call: AuthorizedCall; readonly patientId: PatientId },
): ConsentSet {
  const { give, withdraw, requestor } = values
  const date = new Date().toISOString().slice(0, 10)
  const wished = [
    ...give.map((name) => ({ name, given: true, date })),
    ...withdraw.map((name) => ({ name, given: false, date })),
  ]
  if (wished.length === 0) throw new CliError('usage', '--give or --withdraw is needed, such as --give C2')
  const kept = before.consents.filter(({ name }) => !wished.some((one) => one.name === name))
  const disclosure = values.id ?? before.currentDisclosure ?? before.disclosure
  return {
    ...{ patientId, operator: call.assertion.subjectId ?? patientId, operatorRole: call.assertion.role },
    requestor: requestor === undefined ? patientId : typedPatient(requestor),
    consents: [...kept, ...wished].toSorted((one, other) => one.name.localeCompare(other.name)),
    disclosure: needed('id', disclosure),
  }
}
