import { asGatewayError } from '../errors.ts'
import type { AuthorizedCall } from '../model/call.ts'
import type { HomeCommunityId } from '../model/identifiers.ts'
import type { RetrieveNotice } from '../model/notice.ts'
import { onlyIdentifier } from '../model/patient.ts'
import type { DeliveredDocument } from '../model/retrieval.ts'
import type { Clock, KnownPatient, PatientLocator } from '../ports.ts'
import { lateness, unlessAborted } from './fan-out.ts'

/** What making notices needs. */
export interface NoticeParts {
  /** Our own community, whose record sees its citizens' documents go out by itself. */
  readonly home: HomeCommunityId
  readonly patients?: PatientLocator
  readonly clock: Clock
}

/**
 * What the region of assistance of a patient is to be told about documents that another region retrieved (ini.md §7.2):
 * nothing when the region is our own or the patient has none. A region that could not be found out is told of all the same,
 * since whoever passes the notice on knows it.
 */
export async function retrieveNotices(
  call: AuthorizedCall,
  documents: readonly DeliveredDocument[],
  parts: NoticeParts,
): Promise<readonly RetrieveNotice[]> {
  const { home } = parts
  const { assertion } = call
  const { patientId, patientKnownAs } = assertion
  if (documents.length === 0 || patientId === undefined) return []
  const known = await located(call, parts)
  const assistedBy = known?.assistedBy ?? patientKnownAs?.assistedBy
  if (assistedBy === home || assistedBy === 'none') return []
  const { active } = known?.patient ?? onlyIdentifier(patientId)
  return documents.map(({ entry, reference }) => ({
    home: entry.home ?? home,
    repositoryUniqueId: reference.repositoryUniqueId,
    uniqueId: reference.uniqueId,
    ...(entry.typeCode === undefined ? {} : { typeCode: entry.typeCode }),
    patientId: active,
    ...(assistedBy === undefined ? {} : { assistedBy }),
    requestor: assertion.subject,
    requestorRole: assertion.role,
    purposeOfUse: assertion.purposeOfUse,
    locality: assertion.locality ?? assertion.organization,
  }))
}

async function located(call: AuthorizedCall, { patients, clock }: NoticeParts): Promise<KnownPatient | undefined> {
  const { patientId } = call.assertion
  if (patients === undefined || patientId === undefined) return undefined
  const signal = AbortSignal.any([call.signal, lateness(call, clock)])
  const known = await unlessAborted(() => patients.locate(patientId, { ...call, signal }), signal).catch(asGatewayError)
  return known instanceof Error ? undefined : known
}
