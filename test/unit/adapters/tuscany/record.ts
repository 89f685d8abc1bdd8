import { Buffer } from 'node:buffer'
import type { FhirTools } from '../../../../adapters/tuscany/fhir-search.ts'
import type { AuthorizedCall } from '../../../../src/core/model/call.ts'
import { correlationId, homeCommunityId } from '../../../../src/core/model/identifiers.ts'
import { authorities, type PatientId } from '../../../../src/core/model/patient.ts'

export const baseUrl = 'https://record.example/fhir'
export const citizen: PatientId = { value: 'PRVCRC70A01D612G', authority: authorities.codiceFiscale }
export const citizenOnce: PatientId = { value: 'PRVCRC70A01D61NV', authority: authorities.codiceFiscale }

export interface Reply {
  readonly status?: number
  readonly body: unknown
}

export interface Sent {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly form: readonly (readonly [string, string])[]
  readonly signal: AbortSignal
}

/** A FHIR record that answers what it is told to, in order, and remembers what it was asked. */
export function record(...replies: readonly Reply[]): { readonly tools: FhirTools; readonly sent: readonly Sent[] } {
  const sent: Sent[] = []
  let tokens = 0
  return {
    sent,
    tools: {
      vouch: async ({ kind, audience, patientId }) =>
        `${kind} ${++tokens} for ${audience} about ${patientId?.value ?? '-'}`,
      async send({ url, method, headers, body, signal }) {
        const reply = replies[sent.length]
        sent.push({ url, method, headers, form: [...new URLSearchParams(String(body ?? ''))], signal })
        if (reply === undefined) throw new Error('The record was asked more often than expected')
        const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body)
        return { status: reply.status ?? 200, headers: {}, body: Buffer.from(text) }
      },
    },
  }
}

export const searchset = (resources: readonly unknown[], more: object = {}): Reply => ({
  body: { resourceType: 'Bundle', type: 'searchset', entry: resources.map((resource) => ({ resource })), ...more },
})

export const outcome = (status: number, code: string): Reply => ({
  status,
  body: { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code, diagnostics: 'As told' }] },
})

export function call(more: { patientId?: PatientId; signal?: AbortSignal } = {}): AuthorizedCall {
  return {
    correlationId: correlationId('4f0d'),
    signal: more.signal ?? new AbortController().signal,
    deadline: 1_000,
    peer: { subject: 'CN=portal', fingerprint: '00' },
    assertion: {
      id: '_1',
      issuer: '090',
      community: homeCommunityId('2.16.840.1.113883.2.9.2.90'),
      subject: 'SNTDCM45C50G713L',
      role: 'AAS',
      purposeOfUse: 'TREATMENT',
      action: 'READ',
      organization: '090',
      ...(more.patientId === undefined ? {} : { patientId: more.patientId }),
      validUntil: 2_000,
      signer: 'CN=portal',
      evidence: { kind: 'jwt', digest: '00' },
    },
    permit: { partition: 'p', viewer: { role: 'AAS', purposeOfUse: 'TREATMENT', subject: 'SNTDCM45C50G713L' } },
  }
}
