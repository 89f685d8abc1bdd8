import { GatewayError } from '../errors.ts'
import type { Assertion, AuthenticatedCall, AuthorizedCall } from '../model/call.ts'
import { contradict, type Demographics, tellsAnything } from '../model/demographics.ts'
import { isPatient, type PatientId, samePatientId, withIdentifiers } from '../model/patient.ts'
import type { FoundPerson, SoughtPerson } from '../model/patient-discovery.ts'
import type { AccessPolicy, Clock, KnownPatient, PatientLocator } from '../ports.ts'
import { lateness, unlessAborted } from './fan-out.ts'

/** What discovering needs. */
export interface PatientDiscoveryParts {
  readonly policy: AccessPolicy
  readonly clock: Clock
  readonly patients: PatientLocator
}

/**
 * Tells whether we know a person (ITI TF-2: 3.55). People are found by identifier alone; what the asker tells beside it
 * and our index contradicts makes them unknown, and so does an identifier that cannot be the same person's. Whether the
 * asker may know is decided before anybody is looked up, so that a refusal tells nothing either. Throws `access-denied`,
 * `parameter-missing` without an identifier, and what the index fails with.
 */
export async function discoverPatient(
  sought: SoughtPerson,
  caller: AuthenticatedCall,
  parts: PatientDiscoveryParts,
): Promise<FoundPerson | undefined> {
  const { identifiers, demographics } = sought
  const asked = identifiers.find((id) => isClaimed(id, caller.assertion)) ?? identifiers[0]
  if (asked === undefined) {
    throw new GatewayError('parameter-missing', 'People are found by an identifier here, not by demographics alone')
  }
  const call = parts.policy.authorizeService('discover', caller, [asked])
  const known = await located(asked, call, parts)
  if (known === undefined || !identifiers.every((id) => mayBe(id, known, caller.assertion))) return undefined
  if (known.demographics !== undefined && contradict(demographics, known.demographics)) return undefined
  return found(sought, known)
}

function isClaimed(id: PatientId, { patientId, patientKnownAs }: Assertion): boolean {
  const claimed = [...(patientId === undefined ? [] : [patientId]), ...(patientKnownAs?.identifiers ?? [])]
  return claimed.some((one) => samePatientId(one, id))
}

async function located(
  asked: PatientId,
  call: AuthorizedCall,
  { patients, clock }: PatientDiscoveryParts,
): Promise<KnownPatient | undefined> {
  const late = lateness(call, clock)
  const signal = AbortSignal.any([call.signal, late])
  try {
    const known = await unlessAborted(() => patients.locate(asked, { ...call, signal }), signal)
    if (known === undefined || isPatient(known.patient, asked)) return known
  } catch (error) {
    if (call.signal.aborted) throw new GatewayError('caller-gone', 'The caller left before the answer')
    if (error instanceof GatewayError || !late.aborted) throw error
    throw new GatewayError('community-timeout', 'The patient index did not answer in time', { cause: error })
  }
  throw new GatewayError('community-misbehaved', 'The patient index answered about another patient')
}

/** An identifier we do not have of a person who has another of the same authority may be somebody else's. */
function mayBe(id: PatientId, { patient }: KnownPatient, { patientKnownAs }: Assertion): boolean {
  const vouched = withIdentifiers(patient, patientKnownAs?.identifiers ?? [])
  return isPatient(vouched, id) || !patient.identifiers.some(({ authority }) => authority === id.authority)
}

function found({ identifiers, demographics, authorities }: SoughtPerson, known: KnownPatient): FoundPerson {
  const { active } = known.patient
  const otherIds = known.patient.identifiers.filter((id) => {
    const wanted = authorities.includes(id.authority) || identifiers.some((one) => samePatientId(one, id))
    return wanted && !samePatientId(id, active)
  })
  const told = known.demographics === undefined ? undefined : answering(demographics, known.demographics)
  return { patientId: active, otherIds, ...(told === undefined ? {} : { demographics: told }) }
}

/** What the asker can hold against their own, and nothing more; without a name nothing may be told (ITI TF-2: 3.55.4.2.2.2). */
function answering(asked: Demographics, { names, birthDate, gender }: Demographics): Demographics | undefined {
  if (!tellsAnything(asked) || names.length === 0) return undefined
  return {
    names,
    ...(asked.birthDate === undefined || birthDate === undefined ? {} : { birthDate }),
    ...(asked.gender === undefined || gender === undefined ? {} : { gender }),
  }
}
