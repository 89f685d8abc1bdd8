import type { CorrelationId, HomeCommunityId } from './identifiers.ts'
import type { PatientId } from './patient.ts'
import type { Timestamp } from './timestamp.ts'

/** A message has arrived; nobody is trusted yet. */
export interface Exchange {
  readonly correlationId: CorrelationId
  /** Aborts when the caller hangs up or the gateway gives the whole exchange up. */
  readonly signal: AbortSignal
  /** When the answer must leave, in the clock's milliseconds. Every leg shares it. */
  readonly deadline: number
  /** The peer as transport security proved it. */
  readonly peer: Peer
  /** What is held for this exchange and given up when it ends. */
  readonly held?: AsyncDisposableStack
}

/** The party at the other end of the connection, from its certificate. */
export interface Peer {
  /** The name in the configuration, when the certificate maps to one. */
  readonly name?: string
  readonly home?: HomeCommunityId
  /** Distinguishing name and digest of the certificate, for the audit trail. */
  readonly subject: string
  readonly fingerprint: string
}

/** The application a user sits at (mandatory triple since Affinity Domain 2.6.1; ini.md §2.3). */
export interface SubjectApplication {
  readonly id: string
  readonly vendor: string
  readonly version: string
}

/** A person as a registry knows them: every identifier they have had, and who assists them now. */
export interface KnownAs {
  readonly identifiers: readonly PatientId[]
  /** Absent when the registry names no region, or one that is not known here. */
  readonly assistedBy?: HomeCommunityId
}

/**
 * A verified claim about who is asking, whatever envelope it came in. Built only by src/trust, from the very element
 * that was verified. An attribute that was not claimed is absent; nothing is filled in.
 */
export interface Assertion {
  readonly id: string
  /** As the assertion names it: the organization code of the requesting domain (`090`). */
  readonly issuer: string
  /** The community whose anchors verified it. */
  readonly community: HomeCommunityId
  /** Who asks: an identifier with its authority, as claimed. */
  readonly subject: string
  /** The same as an identifier, when it has the form of one. */
  readonly subjectId?: PatientId
  readonly role: string
  readonly purposeOfUse: string
  /** What the asker means to do; absent where the claim's form has no place for it. */
  readonly action?: string
  readonly organization: string
  readonly organizationName?: string
  readonly locality?: string
  /** Presa in carico: whether the patient is in the asker's care. */
  readonly inCare?: boolean
  readonly patientId?: PatientId
  /** The document types the claim is for; absent means none were named. */
  readonly documentTypes?: readonly { readonly code: string; readonly scheme: string }[]
  readonly application?: SubjectApplication
  /** Milliseconds since the epoch. */
  readonly validUntil: number
  /** Who signed, for the audit trail. */
  readonly signer: string
  /** The transfer of an index from one region to another that the message belongs to (ini.md §2.3). */
  readonly indexTransferId?: string
  /** What a national registry vouches for about the patient, when it came along. */
  readonly patientKnownAs?: KnownAs
  /** The bytes that were signed, kept for the audit trail. */
  readonly evidence: { readonly kind: 'saml' | 'jwt'; readonly digest: string }
}

/** We know who asks. */
export interface AuthenticatedCall extends Exchange {
  readonly assertion: Assertion
}

export interface Permit {
  /** Callers with equal partitions may share cached answers; callers with different ones never do. */
  readonly partition: string
  /** The only document types that may be shown; absent means all. */
  readonly documentTypes?: readonly { readonly code: string; readonly scheme: string }[]
  /** Only what the viewer wrote may be shown. */
  readonly authoredOnly?: true
  /** Documents of the time before may be shown to nobody but their author: the patient did not consent to more. */
  readonly hiddenBefore?: Timestamp
  /** Who is looking, as far as visibility depends on it. */
  readonly viewer: { readonly role: string; readonly purposeOfUse: string; readonly subject: string }
}

/** And they may. Every port takes this one, so no community can be reached without a permit. */
export interface AuthorizedCall extends AuthenticatedCall {
  readonly permit: Permit
  /**
   * What the journal held about the person when the question began: answers given before a push are not given after it.
   * Absent, the question must not be answered from memory.
   */
  readonly generation?: number
}
