import { randomUUID } from 'node:crypto'
import { type ErrorCode, GatewayError } from '../../core/errors.ts'
import type { AuthenticatedCall } from '../../core/model/call.ts'
import { type HomeCommunityId, homeOid } from '../../core/model/identifiers.ts'
import { authorities } from '../../core/model/patient.ts'
import type { FoundPerson, SoughtPerson } from '../../core/model/patient-discovery.ts'
import type { Clock } from '../../core/ports.ts'
import { actions } from '../../wire/actions.ts'
import { type DiscoveryToAnswer, encodeDiscoveryAnswer, type FailureReason } from '../../wire/hl7v3/discovery-answer.ts'
import {
  type DiscoveryFrame,
  type DiscoveryRequest,
  decodeDiscoveryRequest,
  readDiscoveryFrame,
} from '../../wire/hl7v3/discovery-request.ts'
import { NONE } from '../../wire/xml.ts'
import type { SoapTransaction } from './transaction.ts'

/** What ITI-55 needs of its surroundings. */
export interface PatientDiscoveryFace {
  readonly home: HomeCommunityId
  readonly clock: Clock
}

/** Tells whether we know a person; undefined when not. Throws GatewayError. */
export type Discover = (sought: SoughtPerson, call: AuthenticatedCall) => Promise<FoundPerson | undefined>

/**
 * ITI-55 for other communities: whether our own community knows a person, told under our home (ITI TF-2: 3.55.4.2.3).
 * Answers leave at once: a question with priority `D` fails, since the Deferred Response Option is not offered.
 */
export function iti55(
  discover: Discover,
  { home, clock }: PatientDiscoveryFace,
): SoapTransaction<DiscoveryRequest, FoundPerson | undefined> {
  const encode = (outcome: DiscoveryToAnswer['outcome'], frame: DiscoveryFrame) =>
    encodeDiscoveryAnswer(
      {
        messageId: { root: randomUUID() },
        created: `${new Date(clock.now()).toISOString().replace(/\..*|[-:T]/g, '')}+0000`,
        sender: { device: { root: homeOid(home) }, home },
        outcome,
      },
      frame,
    )
  return {
    id: 'ITI-55',
    action: actions.crossGatewayPatientDiscovery,
    decode({ tree, body }) {
      const request = decodeDiscoveryRequest(tree, body)
      if (request.priority === 'immediate') return request
      throw new GatewayError('query-unsupported', 'Unsupported Processing Mode: answers are not deferred here')
    },
    handle: ({ sought }, call) => discover(sought, call),
    encode: (person, { frame }) =>
      encode(
        person === undefined ? { kind: 'not-found' } : { kind: 'found', matches: [{ ...person, home, degree: 100 }] },
        frame,
      ),
    fail(error, envelope) {
      const known = envelope !== undefined && envelope.body !== NONE
      const frame = known ? readDiscoveryFrame(envelope.tree, envelope.body) : { processingCode: 'P' as const }
      return encode({ kind: 'failed', reason: failureReasons[error.code], text: error.message }, frame)
    },
    account({ sought: { identifiers } }) {
      const fiscal = identifiers.find(({ authority }) => authority === authorities.codiceFiscale)
      const patientId = fiscal ?? identifiers[0]
      return { request: 'PatientDiscovery', ...(patientId === undefined ? {} : { patientId }) }
    },
    outcome: (person) => ({ asked: [], failures: [], status: 'success', results: person === undefined ? 0 : 1 }),
  }
}

/** Every failure in XCPD's words, as far as it is not told by a fault (ITI TF-2: table 3.55.4.2.2.7-1). */
export const failureReasons: Readonly<Record<ErrorCode, FailureReason>> = {
  'request-malformed': 'AnswerNotAvailable',
  'media-type-unsupported': 'AnswerNotAvailable',
  'request-too-large': 'AnswerNotAvailable',
  'parameter-missing': 'AnswerNotAvailable',
  'parameter-count': 'AnswerNotAvailable',
  'parameter-invalid': 'AnswerNotAvailable',
  'query-unsupported': 'AnswerNotAvailable',
  'metadata-invalid': 'AnswerNotAvailable',
  'document-duplicate': 'AnswerNotAvailable',
  'document-unknown': 'AnswerNotAvailable',
  'repository-unknown': 'AnswerNotAvailable',
  'patient-unknown': 'AnswerNotAvailable',
  'patient-mismatch': 'AnswerNotAvailable',
  'community-unknown': 'AnswerNotAvailable',
  'community-missing': 'AnswerNotAvailable',
  'too-many-results': 'AnswerNotAvailable',
  'caller-gone': 'AnswerNotAvailable',
  'assertion-missing': 'AnswerNotAvailable',
  'assertion-invalid': 'AnswerNotAvailable',
  'access-denied': 'AnswerNotAvailable',
  'community-unavailable': 'AnswerNotAvailable',
  'community-timeout': 'ResponderBusy',
  'community-busy': 'ResponderBusy',
  'community-rejected': 'AnswerNotAvailable',
  'community-misbehaved': 'InternalError',
  'document-altered': 'InternalError',
  overloaded: 'ResponderBusy',
  internal: 'InternalError',
}
