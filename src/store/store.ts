import type { ErrorCode } from '../core/errors.ts'
import type { Outbox, PushJournal, ReplayMemory } from '../core/ports.ts'

/**
 * One attempt to reach data, as it is kept: plain JSON, instants in ISO 8601 UTC. It holds what an ATNA query event is
 * written from (ITI TF-2: 3.20, DICOM PS3.15 A.5). A field that was not known, or not authenticated, is absent.
 */
export interface AuditRecord {
  /** The version of this form, so that records of every age can be read. */
  readonly format: 1
  /** When the attempt began. */
  readonly at: string
  /** When the record was handed to the store. */
  readonly recordedAt: string
  readonly correlationId: string
  /** `ITI-18`, `ITI-38` … */
  readonly transaction: string
  readonly peer: AuditedPeer
  readonly caller?: AuditedCaller
  /** Whom it was about: HL7 CX, `value^^^&authority&ISO`. */
  readonly patient?: string
  /** What was asked for: the query's name. */
  readonly request?: string
  /** Which documents were asked for, where the request names them. */
  readonly documents?: readonly { readonly home?: string; readonly repository: string; readonly document: string }[]
  readonly asked: readonly { readonly home: string; readonly outcome: string }[]
  readonly outcome: 'success' | 'partial-success' | 'failure' | 'refused'
  readonly errorCode?: ErrorCode
  /** How many documents were told. */
  readonly results?: number
  /** Told while it is made: another record with the correlation id tells how it ended, unless the process died before. */
  readonly begins?: true
  /** Why the record was consulted in an emergency, as the caller declared it. */
  readonly emergencyReason?: string
  /** What an operator acted upon, by its id, and why it was discarded. */
  readonly operated?: { readonly delivery: string; readonly reason?: string }
}

/** The system at the other end of the connection, as transport security proved it. */
export interface AuditedPeer {
  readonly name?: string
  readonly home?: string
  /** Distinguishing name of the certificate. */
  readonly subject: string
  readonly fingerprint: string
}

/** Who asked and why, as the verified assertion says. */
export interface AuditedCaller {
  readonly subject: string
  readonly role: string
  readonly organization: string
  readonly organizationName?: string
  readonly locality?: string
  readonly purposeOfUse: string
  /** Absent where the form of the claim has no place for it. */
  readonly action?: string
  readonly inCare?: boolean
  /** The patient the assertion was made for, HL7 CX; differs from the record's when that was the reason to refuse. */
  readonly patient?: string
  readonly application?: { readonly id: string; readonly vendor: string; readonly version: string }
  readonly assertion: {
    readonly id: string
    readonly kind: 'saml' | 'jwt'
    readonly issuer: string
    /** The community whose anchors verified it. */
    readonly community: string
    readonly signer: string
    /** Digest of the bytes that were signed. */
    readonly digest: string
    readonly validUntil: string
  }
}

/** A place in the chain: the hash of a record vouches for it and for every record before it. */
export interface ChainHead {
  /** Counted from 1; 0 is the empty journal. */
  readonly sequence: number
  /** SHA-256, lower-case hex (`chain.ts` says over what). */
  readonly hash: string
}

export interface StoredAuditRecord extends ChainHead {
  readonly record: AuditRecord
}

export type ChainReport =
  | { readonly ok: true; readonly records: number }
  /** `brokenAt` is the first sequence whose record is missing or not what was written. */
  | { readonly ok: false; readonly brokenAt: number }

/**
 * The append-only, hash-chained journal of accesses, whatever engine keeps it. Several processes may append to one
 * journal; their records make one chain. Every method rejects with GatewayError only, and within the engine's deadline.
 * Disposing drains what was accepted; afterwards everything is refused.
 */
export interface AuditStore extends AsyncDisposable {
  /**
   * Durable when it resolves. Rejects with `overloaded` when too many records wait, with `internal` when the record could
   * not be written or was not confirmed in time; then nobody may rely on it, though it may yet be found in the journal.
   */
  append(record: AuditRecord): Promise<{ readonly sequence: number }>
  /** Records after a sequence, in order: at most `limit`, and never more than 1,000. */
  read(page: { readonly after?: number; readonly limit: number }): Promise<readonly StoredAuditRecord[]>
  /** The last record's place. Kept elsewhere, it is an anchor that `verify` can be held against. */
  latest(): Promise<ChainHead>
  /**
   * Recomputes the chain from its beginning to the record that is last when it starts. Only an `anchor` reveals a journal
   * that was cut short or rewritten from some record on. Appends go on meanwhile. An aborted signal rejects.
   */
  verify(options?: { readonly anchor?: ChainHead; readonly signal?: AbortSignal }): Promise<ChainReport>
}

/**
 * What the gateway keeps on disk: the journal of accesses, the uses it must not grant twice, what it has to deliver, and what
 * was pushed to it. Disposing drains all.
 */
export type Store = AuditStore & ReplayMemory & { readonly outbox: Outbox; readonly journal: PushJournal }
