import { randomUUID } from 'node:crypto'
import type { Operations } from '../config/adapter.ts'
import type { AuthorizedCall } from '../core/model/call.ts'
import { correlationId } from '../core/model/identifiers.ts'
import type { PatientId } from '../core/model/patient.ts'
import { formatCx, parseCx } from '../wire/hl7/cx.ts'
import { placeOf, professional } from './assertion.ts'
import { CliError } from './exit.ts'
import type { OwnGateway } from './ini-endpoint.ts'
import { typedPatient } from './patient.ts'

/** Who asks, as far as they say so. */
export interface AskerValues {
  readonly role?: string | undefined
  readonly purpose?: string | undefined
  readonly subject?: string | undefined
  readonly locality?: string | undefined
  readonly 'in-care': boolean
}

/** Who asks for an operation, about whom, and until when. */
export interface Asking {
  readonly operation: string
  readonly patientId: PatientId
  readonly gateway: OwnGateway
  readonly claims: Operations['claims']
  readonly held: AsyncDisposableStack
  readonly timeoutMs: number
}

/** Roles of those who look at a record that is theirs, or their ward's. */
const onTheirOwn = new Set(['ASS', 'TUT', 'GEN', 'ING'])

/**
 * The call that the adapter gets, as if our gateway had been asked by whom the options name. Role and purpose are an
 * operation's own where it has them. Throws CliError for wishes that it leaves no room for.
 */
export function callOf(values: AskerValues, asking: Asking): AuthorizedCall {
  const { gateway, patientId, timeoutMs, held } = asking
  const { role, purposeOfUse } = claimed(values, asking)
  const subjectId = askerOf(values.subject, role, patientId)
  const subject = formatCx(subjectId)
  const { organization, application, home } = gateway
  const until = Date.now() + timeoutMs
  return {
    correlationId: correlationId(randomUUID()),
    signal: AbortSignal.timeout(timeoutMs),
    deadline: until,
    peer: { subject: 'crocevia ini', fingerprint: '' },
    held,
    assertion: {
      ...{ id: `_${randomUUID()}`, issuer: organization.code, community: home, validUntil: until, signer: '' },
      ...{ subject, subjectId, role, purposeOfUse },
      ...{ organization: organization.code, organizationName: organization.name },
      ...{ patientId, application, inCare: values['in-care'] },
      locality: values.locality ?? organization.locality ?? placeOf(organization.code),
      // Nobody's assertion stands behind this: whoever runs the command has the gateway's own keys.
      evidence: { kind: 'saml', digest: '' },
    },
    permit: { partition: 'crocevia ini', viewer: { role, purposeOfUse, subject } },
  }
}

function claimed(values: AskerValues, { operation, claims }: Asking) {
  const own = claims(operation)
  if (values.role !== undefined && own.role !== undefined && values.role !== own.role) {
    throw new CliError('usage', `--role: this operation is always asked for in the role ${own.role}`)
  }
  const { purpose } = values
  if (purpose !== undefined && own.purposes?.includes(purpose) === false) {
    throw new CliError('usage', `--purpose: this operation is always asked for ${own.purposes.join(' or ')}`)
  }
  const role = own.role ?? values.role ?? 'AAS'
  const usual = onTheirOwn.has(role) ? 'PERSONAL' : 'TREATMENT'
  return { role, purposeOfUse: purpose ?? own.purposes?.[0] ?? usual }
}

/** Whoever is named; a patient who looks at their own record; else a synthetic professional. */
function askerOf(typed: string | undefined, role: string, patientId: PatientId): PatientId {
  if (typed !== undefined) return typedPatient(typed)
  return (role === 'ASS' ? undefined : parseCx(professional)) ?? patientId
}
