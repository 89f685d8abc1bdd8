import { asGatewayError } from '../core/errors.ts'
import type { Assertion, Peer } from '../core/model/call.ts'
import type { PatientId } from '../core/model/patient.ts'
import type { DocumentReference } from '../core/model/retrieval.ts'
import type { AuditEvent, AuditTrail, Clock } from '../core/ports.ts'
import type { AuditedCaller, AuditedPeer, AuditRecord, AuditStore } from '../store/store.ts'

/**
 * Records every attempt, granted or refused, in the store's journal; durable when `record` resolves. What an attempt
 * merely claimed is not recorded: without a verified assertion only the peer and the failure are, unless an operator looked
 * at what the gateway itself knows. No text of an error is kept, only its code. Rejects with GatewayError; there is no signal, since an attempt is recorded though its caller left.
 */
export function auditTrail(store: AuditStore, clock: Clock): AuditTrail {
  return {
    async record(event) {
      try {
        await store.append(auditRecord(event, clock.now()))
      } catch (error) {
        throw asGatewayError(error)
      }
    },
  }
}

function auditRecord(event: AuditEvent, now: number): AuditRecord {
  const { assertion, emergencyReason, error, operated } = event
  return {
    format: 1,
    at: instant(event.at),
    recordedAt: instant(now),
    correlationId: event.correlationId,
    transaction: event.transaction,
    peer: auditedPeer(event.peer),
    ...(assertion === undefined ? {} : { caller: auditedCaller(assertion) }),
    ...(assertion === undefined && operated === undefined ? {} : concerned(event)),
    asked: event.asked.map(({ home, outcome }) => ({ home, outcome: cut(outcome) })),
    outcome: event.outcome,
    ...(error === undefined ? {} : { errorCode: error.code }),
    ...(event.results === undefined ? {} : { results: event.results }),
    ...(event.begins === undefined ? {} : { begins: true as const }),
    ...(emergencyReason === undefined ? {} : { emergencyReason: cut(emergencyReason) }),
    ...(operated === undefined ? {} : { operated: auditedDeed(operated) }),
  }
}

function auditedDeed({ delivery, reason }: NonNullable<AuditEvent['operated']>): NonNullable<AuditRecord['operated']> {
  return { delivery: cut(delivery), ...(reason === undefined ? {} : { reason: cut(reason) }) }
}

/** Whom and what it was about. */
function concerned(event: AuditEvent): Pick<AuditRecord, 'patient' | 'request' | 'documents'> {
  return {
    ...(event.patientId === undefined ? {} : { patient: cx(event.patientId) }),
    ...(event.request === undefined ? {} : { request: cut(event.request) }),
    ...(event.documents === undefined
      ? {}
      : { documents: event.documents.slice(0, mostDocuments).map(auditedDocument) }),
  }
}

/** A record has its bound; as many documents as one retrieval may name fit into it. */
const mostDocuments = 64

function auditedDocument({ home, repositoryUniqueId, uniqueId }: DocumentReference) {
  return { ...(home === undefined ? {} : { home }), repository: cut(repositoryUniqueId), document: cut(uniqueId) }
}

function auditedPeer({ name, home, subject, fingerprint }: Peer): AuditedPeer {
  return {
    ...(name === undefined ? {} : { name }),
    ...(home === undefined ? {} : { home }),
    subject: cut(subject),
    fingerprint,
  }
}

function auditedCaller(assertion: Assertion): AuditedCaller {
  const { action, organizationName, locality, inCare, patientId, application } = assertion
  return {
    subject: cut(assertion.subject),
    role: cut(assertion.role),
    organization: cut(assertion.organization),
    ...(organizationName === undefined ? {} : { organizationName: cut(organizationName) }),
    ...(locality === undefined ? {} : { locality: cut(locality) }),
    purposeOfUse: cut(assertion.purposeOfUse),
    ...(action === undefined ? {} : { action: cut(action) }),
    ...(inCare === undefined ? {} : { inCare }),
    ...(patientId === undefined ? {} : { patient: cx(patientId) }),
    ...(application === undefined
      ? {}
      : {
          application: {
            id: cut(application.id),
            vendor: cut(application.vendor),
            version: cut(application.version),
          },
        }),
    assertion: {
      id: cut(assertion.id),
      kind: assertion.evidence.kind,
      issuer: cut(assertion.issuer),
      community: assertion.community,
      signer: cut(assertion.signer),
      digest: assertion.evidence.digest,
      validUntil: instant(assertion.validUntil),
    },
  }
}

/** HL7 V2 CX with the delimiters escaped (ITI TF-3: 4.2.3.1.7; HL7 V2.5: 2.7). */
function cx({ value, authority }: PatientId): string {
  return `${value.replace(/[\\^&~|]/g, (delimiter) => escapes[delimiter] ?? delimiter)}^^^&${authority}&ISO`
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\E\\',
  '^': '\\S\\',
  '&': '\\T\\',
  '~': '\\R\\',
  '|': '\\F\\',
}

/** An oversized claim must not make its own record impossible; the assertion's digest still vouches for the whole. */
function cut(text: string): string {
  return text.length <= 512 ? text : `${text.slice(0, 511)}…`
}

// The end of ECMAScript's time: an assertion may claim to be valid for longer.
const lastInstant = 8.64e15

function instant(milliseconds: number): string {
  return new Date(Math.min(milliseconds, lastInstant)).toISOString()
}
