import type { WritingAction } from '../../src/config/adapter.ts'
import { GatewayError, type Issue } from '../../src/core/errors.ts'
import type { AuthorizedCall } from '../../src/core/model/call.ts'
import type { PatientId } from '../../src/core/model/patient.ts'
import { parseJson } from '../../src/wire/fhir/bundle.ts'
import { fhirJson } from '../../src/wire/fhir/names.ts'
import { type Act, decodeTransactionResponse, encodeTransaction } from '../../src/wire/fhir/transaction.ts'
import { type FhirTools, outcomeIn, refusal } from './fhir-search.ts'

/** On whose behalf, about whom, and what for. */
export interface FhirAbout {
  readonly call: AuthorizedCall
  readonly does: WritingAction
  readonly patientId?: PatientId | undefined
  readonly purposeOfUse?: string
}

/** Of a failed transaction: what it was made from has changed meanwhile (FHIR R4: 3.1.0.5, 3.1.0.11). */
const overtaken: ReadonlySet<number> = new Set([409, 412])

/**
 * Does several things at once on a FHIR server. `stale` when nothing was done because the server's resources are no longer
 * those that were read, `there` when something to be created was there already. Rejects with GatewayError: `community-*`.
 */
export async function transact(
  baseUrl: string,
  tools: FhirTools,
  acts: readonly Act[],
  { call, does, patientId, purposeOfUse }: FhirAbout,
): Promise<'done' | 'stale' | 'there'> {
  const token = await tools.vouch({
    kind: 'jwt',
    audience: baseUrl,
    call,
    does,
    ...(patientId === undefined ? {} : { patientId }),
    ...(purposeOfUse === undefined ? {} : { purposeOfUse }),
  })
  const { status, body } = await tools.send({
    url: baseUrl,
    method: 'POST',
    headers: {
      accept: fhirJson,
      'content-type': fhirJson,
      authorization: `Bearer ${token}`,
      'x-correlation-id': call.correlationId,
    },
    body: JSON.stringify(encodeTransaction(acts)),
    signal: call.signal,
  })
  if (overtaken.has(status)) return 'stale'
  if (status !== 200) throw refusal(status, outcomeIn(body), { act: 'change', aboutPatient: false })
  const outcomes = decodeTransactionResponse(parseJson(body), acts.length)
  const failed = outcomes.filter((outcome) => outcome.status < 200 || outcome.status >= 300)
  if (failed.length > 0) throw refusedIn(failed.flatMap(({ issues }) => issues))
  return outcomes.some((outcome, index) => acts[index]?.does === 'create' && outcome.status === 200) ? 'there' : 'done'
}

/** A transaction is done whole or fails whole: an answer that says both is no answer. */
function refusedIn(issues: readonly Issue[]): GatewayError {
  return new GatewayError('community-misbehaved', 'The record did only a part of a transaction', { issues })
}
