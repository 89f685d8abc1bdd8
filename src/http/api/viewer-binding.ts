import type { Assertion } from '../../core/model/call.ts'

/**
 * Who looks, for what purpose and at whom, as the permit's partition tells viewers apart: what was made for one binding
 * means nothing under another. Left out is what a token may say of one request only: the types of documents it is for, and
 * whether the patient is in care.
 */
export function viewerBinding({ community, organization, patientId, purposeOfUse, role, subject }: Assertion): string {
  const patient = patientId === undefined ? null : [patientId.value, patientId.authority]
  return JSON.stringify([community, organization, role, purposeOfUse, subject, patient])
}
