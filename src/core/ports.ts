import type { GatewayError, Issue } from './errors.ts'
import type { QueryAnswer } from './model/answers.ts'
import type { Assertion, AuthenticatedCall, AuthorizedCall, Peer } from './model/call.ts'
import type { Consent, MetadataChange, Notification, Pushed } from './model/change.ts'
import type { CitizenFacts } from './model/citizen-registry.ts'
import type {
  ConsentSet,
  ConsentState,
  ConsentsSet,
  Disclosure,
  DisclosureDocument,
  OrganDonation,
} from './model/consents.ts'
import type { Demographics } from './model/demographics.ts'
import type { CorrelationId, HomeCommunityId } from './model/identifiers.ts'
import type { DocumentEntry } from './model/metadata.ts'
import type { RetrieveNotice } from './model/notice.ts'
import type { Patient, PatientId } from './model/patient.ts'
import type { DocumentReference, RetrieveAnswer } from './model/retrieval.ts'
import type { StoredQuery } from './model/stored-query.ts'
import type { Timestamp } from './model/timestamp.ts'
import type { Service } from './policy/access-table.ts'

/** Milliseconds since the epoch. */
export interface Clock {
  now(): number
}

/** Answers stored queries: ITI-18 inside a community, ITI-38 across. Rejects with GatewayError only. */
export interface DocumentRegistry {
  query(query: StoredQuery, call: AuthorizedCall): Promise<QueryAnswer>
}

/** What is known of a person: all identifiers, and the region that assists them. */
export interface KnownPatient {
  readonly patient: Patient
  /** Region of assistance (RDA); `none` when the person has none; absent when it is not known. */
  readonly assistedBy?: HomeCommunityId | 'none'
  /** Absent when the index tells none. */
  readonly demographics?: Demographics
  readonly dateOfDeath?: Timestamp
  /** A warning for whoever is told about the person: what is known of them may be wrong, or may not be all. */
  readonly doubt?: Issue
}

/** Hands out documents: ITI-43 inside a community, ITI-39 across. Rejects with GatewayError only. */
export interface DocumentRepository {
  /** How many documents one request may name. */
  readonly mostAtOnce: number
  /**
   * The documents of the references, each whole, and what the community says of the others. Their content belongs to the
   * exchange (`call.held`), so that nothing is left when it ends.
   */
  retrieve(references: readonly DocumentReference[], call: AuthorizedCall): Promise<RetrieveAnswer>
}

/**
 * Is told about documents: ITI-42, ITI-57, ITI-62 and what follows from NotifyHiding. Resolves when the community has made
 * the change its own; making it again does no harm. Rejects with GatewayError, `community-rejected` for a judgement that
 * trying again would not alter, with the community's own words among the issues.
 */
export interface DocumentRecipient {
  accept(change: MetadataChange, call: AuthorizedCall): Promise<void>
}

/** Is told what the national infrastructure notified us of. Telling the same twice does no harm. Rejects with GatewayError. */
export interface NotificationRecipient {
  tell(notification: Notification, signal: AbortSignal): Promise<void>
}

/** Knows what a person has consented to: the source of truth. Rejects with GatewayError when it cannot tell. */
export interface ConsentSource {
  /** Every consent it knows of; `undefined` when it does not know the person. */
  consents(patient: Patient, call: AuthorizedCall): Promise<readonly Consent[] | undefined>
}

/** Keeps what persons have consented to. Rejects with GatewayError, with its own words among the issues. */
export interface ConsentRegister {
  /** How the consents are called that a set must name, each of them; absent, those that `state` tells. */
  readonly managed?: readonly string[]
  /** All that is kept of a person's consents. */
  state(patientId: PatientId, call: AuthorizedCall): Promise<ConsentState>
  /**
   * Sets them, once. Rejects with `community-rejected` when they were refused; after any other rejection whether they were set
   * is unknown.
   */
  register(set: ConsentSet, call: AuthorizedCall): Promise<ConsentsSet>
}

/** Keeps the information notices that consents are given on. Rejects with GatewayError. */
export interface DisclosureRegister {
  retrieve(id: string, call: AuthorizedCall): Promise<Disclosure>
  /** Makes documents a new notice of a region, and tells its id. Whether it is one is unknown after a timeout. */
  communicate(documents: readonly DisclosureDocument[], call: AuthorizedCall): Promise<string>
}

/** Knows what persons declared about giving organs; `undefined` when nothing. Rejects with GatewayError. */
export interface OrganDonationSource {
  declared(patientId: PatientId, call: AuthorizedCall): Promise<OrganDonation | undefined>
}

/** Which transfer of whose index a message belongs to. */
export interface TransferOf {
  /** `urn:uuid:…`, random. */
  readonly transferId: string
  readonly patientId: PatientId
}

/**
 * The index of somebody who is assisted by us now, where it was kept until then. Rejects with GatewayError,
 * `community-rejected` for a judgement that trying again would not alter.
 */
export interface IndexTransferSource {
  /** How many documents are read, or removed, by one request. */
  readonly mostAtOnce: number
  /** Ids of everything there is, current or not, each once; obscured documents too. */
  list(transfer: TransferOf, call: AuthorizedCall): Promise<readonly string[]>
  /** What is known of the documents of those ids; of one that is not there, nothing. */
  read(ids: readonly string[], transfer: TransferOf, call: AuthorizedCall): Promise<readonly DocumentEntry[]>
  /** Removes them there for good. What is not there any more has been removed. */
  remove(ids: readonly string[], transfer: TransferOf, call: AuthorizedCall): Promise<void>
}

/** Passes on that documents were retrieved. Rejects with GatewayError; telling the same twice does no harm. */
export interface RetrieveNotices {
  tell(notice: RetrieveNotice, signal: AbortSignal): Promise<void>
}

/** Knows a person's identifiers and region of assistance: a master patient index or a national registry. */
export interface PatientLocator {
  /** `undefined` when nobody is known under the identifier. Throws `community-*` when it cannot tell. */
  locate(patientId: PatientId, call: AuthorizedCall): Promise<KnownPatient | undefined>
}

/**
 * Knows which identifiers a citizen has had, which are in force, and which region assists: Sistema TS, or ANA after it.
 * `undefined` when nobody is known under the identifier. Rejects with GatewayError when it cannot tell.
 */
export interface CitizenRegistry {
  look(patientId: PatientId, call: AuthorizedCall): Promise<CitizenFacts | undefined>
}

/**
 * How a community stands to ours; decides when it is asked (architecture: routing). A `supplement` adds to our own index
 * what it knows of those we assist, keeps no index of anybody, and has not heard of what they hide.
 */
export type Relation = 'own' | 'national' | 'partner' | 'supplement'

/**
 * One community as the gateway sees it. An actor that is absent is a transaction the community does not offer; the
 * planner reads this, nobody probes for it.
 */
export interface Community extends AsyncDisposable {
  readonly home: HomeCommunityId
  readonly name: string
  readonly relation: Relation
  /** Whether the community must be asked once per identifier, or resolves a person's identifiers itself. */
  readonly identifiers: 'each' | 'active'
  /** Other homes whose documents it tells of and can be asked about. */
  readonly reaches: readonly HomeCommunityId[]
  readonly registry?: DocumentRegistry
  readonly repository?: DocumentRepository
  readonly patients?: PatientLocator
  readonly notices?: RetrieveNotices
  readonly recipient?: DocumentRecipient
  readonly notifications?: NotificationRecipient
  readonly consents?: ConsentSource
  readonly consentRegister?: ConsentRegister
  readonly disclosures?: DisclosureRegister
  readonly organDonation?: OrganDonationSource
  readonly citizens?: CitizenRegistry
  readonly indexTransfer?: IndexTransferSource
}

/** Throws `access-denied`, or turns a call into one that may reach a community. */
export interface AccessPolicy {
  /** For a search: the query must agree with what the assertion claims. */
  authorize(query: StoredQuery, call: AuthenticatedCall): AuthorizedCall
  /** For retrieving documents of the patient the assertion names; which documents these are is found out with the permit. */
  authorizeRetrieval(call: AuthenticatedCall): AuthorizedCall
  /**
   * For a push: everything in it must be about the patient the assertion names. Which service it is follows from the
   * change (`serviceOfChange`) where none is given. What a removal removes is judged as far as it is known by then.
   */
  authorizeChange(change: MetadataChange, call: AuthenticatedCall, service?: Service): AuthorizedCall
  /** For what is neither: the role, the purpose and the action must be the service's, and the patients the assertion's. */
  authorizeService(service: Service, call: AuthenticatedCall, patients?: readonly PatientId[]): AuthorizedCall
  /** Once the person has been found: what depends on who assists them. */
  admit(call: AuthorizedCall, known: KnownPatient): void
}

/** One attempt to reach data, granted or refused. Written before the answer leaves. */
export interface AuditEvent {
  readonly at: number
  readonly correlationId: CorrelationId
  /** `ITI-18`, `ITI-38` … */
  readonly transaction: string
  readonly peer: Peer
  /** Absent when nobody could be authenticated. */
  readonly assertion?: Assertion
  readonly patientId?: PatientId
  /** What was asked for: the query's name. */
  readonly request?: string
  /** Which documents were asked for, where the request names them. */
  readonly documents?: readonly DocumentReference[]
  readonly asked: readonly { readonly home: HomeCommunityId; readonly outcome: string }[]
  readonly outcome: 'success' | 'partial-success' | 'failure' | 'refused'
  readonly error?: GatewayError
  /** How many documents were told. */
  readonly results?: number
  /** Told while it is made: this is its beginning, and another event with the correlation id tells how it ended. */
  readonly begins?: true
  /** Why the record was consulted in an emergency: one of a few words, as the caller declared it. */
  readonly emergencyReason?: string
  /** What an operator acted upon: then whom and what it is about is known from the journal, without an assertion. */
  readonly operated?: {
    /** The id of a push or a delivery. */
    readonly delivery: string
    /** Why it was discarded, in the operator's words. */
    readonly reason?: string
  }
}

/** Durable when it resolves. An answer whose record cannot be written is not given. */
export interface AuditTrail {
  record(event: AuditEvent): Promise<void>
}

/** One use of something that may be used once, or only by one presenter. Keys are digests: nothing personal. */
export interface Use {
  /** What is used: 64 lower-case hex digits (SHA-256 over kind, scope and id). */
  readonly key: string
  /** Who presents it; absent, it may be used once. Present, the same presenter may use it again. */
  readonly presenter?: string
  /** When it may be forgotten, in the clock's milliseconds: after that it is refused by its age anyway. */
  readonly until: number
}

/** Remembers uses, durably and for every replica, before anything is done on their strength. */
export interface ReplayMemory {
  /**
   * Remembers all or none; durable when it resolves. Answers the first use that was taken already, or undefined when all
   * were free. Rejects with GatewayError (`internal`, `overloaded`) when it cannot tell: then nothing may be done.
   */
  remember(uses: readonly Use[]): Promise<Use | undefined>
}

/** Something to be told to somebody else, at least once and in order per key. */
export interface Delivery {
  /** The same delivery put twice is kept once. Names nobody, since it is told to operators: a random or a digested one. */
  readonly id: string
  /** What it is and to whom: `notify-retrieve:ini`. Told to operators too. */
  readonly kind: string
  /** Deliveries of one key go out in the order in which they were put: none before those in front of it are done with. */
  readonly key: string
  /** What the deliverer needs, as text. May hold personal data: it is kept in the store and nowhere else. */
  readonly content: string
}

/** A delivery that is neither delivered nor discarded. Instants are milliseconds since the epoch. */
export interface WaitingDelivery extends Delivery {
  readonly putAt: number
  /** How often it was claimed since it was put, or retried by an operator. */
  readonly attempts: number
  /** When it may be claimed, once it is the first of its key; of one that is claimed, when the claim ends. */
  readonly nextAt: number
  /** A dead one is claimed no more, and those behind it wait until an operator retries or discards it. */
  readonly state: 'waiting' | 'dead'
  /** Why the last attempt failed. May hold personal data. */
  readonly reason?: string
}

/** Deliveries that wait, durably and for every replica. Methods reject with GatewayError (`internal`, `overloaded`). */
export interface Outbox {
  /** Durable when it resolves. An id that was put before is known for a week after it was done with. */
  put(delivery: Delivery): Promise<void>
  /**
   * Claims up to `limit` deliveries that are due and first of their key, for `leaseMs`: nobody else claims them meanwhile,
   * and a claim of a process that died ends by itself.
   */
  claim(options: {
    readonly now: number
    readonly limit: number
    readonly leaseMs: number
  }): Promise<readonly WaitingDelivery[]>
  /** It is done with, whoever claims it by now; its content is forgotten. */
  delivered(id: string): Promise<void>
  /**
   * To be tried again at `nextAt`, or dead. `attempt` is the `attempts` of the claim that failed: a claim that has been
   * overtaken by another changes nothing.
   */
  failed(
    id: string,
    outcome: { readonly attempt: number; readonly reason: string } & (
      | { readonly nextAt: number }
      | { readonly dead: true }
    ),
  ): Promise<void>
  /**
   * What waits or is dead, in the order in which it was put, at most 100: after the delivery of that id, which may be done
   * with by now. Rejects with `parameter-invalid` when nothing is known of it any more.
   */
  list(page: {
    readonly state?: 'waiting' | 'dead'
    readonly after?: string
    readonly limit: number
  }): Promise<readonly WaitingDelivery[]>
  /** Makes a dead delivery, or one that waits for its next attempt, due at `now`; false when it is neither. */
  retry(id: string, now: number): Promise<boolean>
  /** Gives a delivery up; false when there is none, or when it is under way. */
  discard(id: string, reason: string): Promise<boolean>
}

/** A push as it is handed to the journal. */
export interface JournalDraft {
  /** Random; also the id of its delivery. Told to operators. */
  readonly id: string
  /** `ITI-42`, `NotifyHiding` … */
  readonly transaction: string
  readonly correlationId: CorrelationId
  /** SHA-256 of the message as it came, lower-case hexadecimal. */
  readonly digest: string
  /** When it came, milliseconds since the epoch. */
  readonly receivedAt: number
  /** What makes it the same push again: if any of these is taken, nothing is appended. */
  readonly identities: readonly string[]
  /** Identities of earlier pushes that may come again from now on: a removed document may be submitted anew. */
  readonly frees: readonly string[]
  /** Whom it is about, by the identifiers it names. */
  readonly patients: readonly PatientId[]
  /** uniqueIds and entryUUIDs of the objects it touches: pushes that share one are delivered in their order. */
  readonly objects: readonly string[]
  readonly pushed: Pushed
  /** To whom it is to be delivered: the kind of its delivery; absent, it is only kept. */
  readonly deliverAs?: string
  /** The kind of the delivery that follows once its recipient has it; absent, there is none. */
  readonly followedBy?: string
}

/** `pending` is not with its recipient yet; `kept` has none. */
export type PushState = 'pending' | 'delivered' | 'discarded' | 'kept'

/** A push that is in the journal. */
export interface JournaledPush extends Omit<JournalDraft, 'identities' | 'frees' | 'deliverAs'> {
  /** Its place: later pushes about one patient have greater ones. */
  readonly sequence: number
  readonly state: PushState
  /** When it ceased to be pending. */
  readonly settledAt?: number
  /** Why it was discarded. May hold personal data. */
  readonly reason?: string
}

/** What the journal holds about one person. */
export interface PatientChanges {
  /** Changes with every push about the person and with every push that ceases to be pending. */
  readonly generation: number
  /** The place of the latest push about the person, 0 when there is none. */
  readonly sequence: number
  /** In their order. */
  readonly pushes: readonly JournaledPush[]
}

/**
 * What was pushed to us, durably and for every replica: never lost once appended, recognised when it comes again, and
 * visible until the record has it. A push ceases to be pending with its delivery, when the outbox is told that this was made
 * or is discarded. Every method rejects with GatewayError (`internal`, `overloaded`).
 */
export interface PushJournal {
  /**
   * Durable when it resolves, together with its delivery, which goes out after those of earlier pushes that touch one of
   * its objects. Answers the push that was there before when one of its identities is taken by one that was not discarded,
   * or its id. Rejects with `request-too-large` for what is too large to be kept.
   */
  append(draft: JournalDraft): Promise<{ readonly sequence: number } | { readonly repeats: JournaledPush }>
  /** The push that has taken one of the identities, unless it was discarded or they were freed. */
  repeated(identities: readonly string[]): Promise<JournaledPush | undefined>
  /**
   * The changes about a person that are pending, and those appended after `since` whatever became of them. Everything whose
   * append resolved before the call is seen.
   */
  about(patients: readonly PatientId[], since?: number): Promise<PatientChanges>
  /** Pending changes that touch one of the objects, in their order. */
  touching(objects: readonly string[]): Promise<readonly JournaledPush[]>
  /** What is only kept and touches one of the objects, in its order: as long as it is kept. */
  naming(objects: readonly string[]): Promise<readonly JournaledPush[]>
  find(id: string): Promise<JournaledPush | undefined>
  /** It is given up, and its delivery with it. False when it was not pending, or when its delivery is under way. */
  discard(id: string, reason: string): Promise<boolean>
  /**
   * The latest first, at most 100 and fewer of large ones: those before the push of that id. Rejects with
   * `parameter-invalid` when nothing is known of it any more.
   */
  list(page: {
    readonly state?: PushState
    readonly before?: string
    readonly limit: number
  }): Promise<readonly JournaledPush[]>
}

/** A whole document that is held here until it is given away or disposed of. Nothing is known of its truth but these. */
export interface HeldDocument extends AsyncDisposable {
  /** Bytes. */
  readonly size: number
  /** SHA-1, lower-case hexadecimal: what XDS metadata state (ITI TF-3: 4.2.3.2.9). */
  readonly sha1: string
  /** The bytes from their beginning in fresh memory, any number of times until disposal. Rejects when they cannot be read whole. */
  read(): AsyncIterable<Uint8Array>
}

/** Takes one document as it arrives. */
export interface DocumentSink {
  /**
   * Awaited before the next: this is the back pressure. Rejects with `community-misbehaved` beyond the bound. The bytes
   * may be reused by the caller once it resolves.
   */
  write(bytes: Uint8Array): Promise<void> | void
  /** The document is whole. */
  end(): Promise<HeldDocument>
  /** Forgets what arrived; afterwards nothing is left on disk. */
  abort(): Promise<void>
}

/** Holds documents: small ones in memory, others in files that nobody else can read. */
export interface Spool {
  /** Throws `overloaded` when as many documents are held as may be. */
  begin(options: { readonly maxBytes: number; readonly signal: AbortSignal }): DocumentSink
}
