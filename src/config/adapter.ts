import type { Issue } from '../core/errors.ts'
import type { QueryAnswer } from '../core/model/answers.ts'
import type { AuthorizedCall } from '../core/model/call.ts'
import type { HomeCommunityId } from '../core/model/identifiers.ts'
import type { DocumentEntry } from '../core/model/metadata.ts'
import type { PatientId } from '../core/model/patient.ts'
import type { DocumentReference, RetrieveAnswer } from '../core/model/retrieval.ts'
import type { StoredQuery } from '../core/model/stored-query.ts'
import type { Clock, Community } from '../core/ports.ts'

/** A community of the configuration, as its adapter gets it. */
export interface CommunityEntry<Options> {
  readonly home: HomeCommunityId
  readonly name: string
  readonly options: Options
}

/** Spellings of `wsa:MessageID` that peers insist on (ini.md §1.4). */
export type MessageIdForm = 'urn:uuid' | 'uuid' | 'bare'

/** What an assertion claims where an operation has claims of its own (ini.md §2.4); by default our caller's. */
export interface OwnClaims {
  readonly role?: string
  readonly purposeOfUse?: string
  /** The index transfer the message belongs to; then nobody is named as its subject (ini.md §2.3, #2273). */
  readonly indexTransferId?: string
}

/** A stored query to put to a registry over SOAP. */
export interface RegistryQuestion extends OwnClaims {
  readonly url: string
  readonly action: string
  readonly query: StoredQuery
  readonly call: AuthorizedCall
  /** Whole objects, by default, or only their ids, which are then the answer's `references`. */
  readonly returnType?: 'LeafClass' | 'ObjectRef'
  /** Whom it is about, where the query does not say; by default the patient of the call's assertion. */
  readonly patientId?: PatientId
  readonly messageId?: MessageIdForm
  /** Several codes in one value, or one code per value. */
  readonly codeLists?: 'one-per-value' | 'joined'
  /** The body may be answered with `home` missing or somebody else's: what to do about it. */
  readonly homes: HomeRule
}

/** How the `home` of told objects is taken (ITI TF-2: 3.38.4.1.3; ihe.md §6.4 no. 4). */
export interface HomeRule {
  readonly missing: 'reject' | 'stamp'
  /** The homes this community may tell of; objects of any other are dropped with a warning. An index of its citizens
   * tells of documents wherever they lie: `any`. */
  readonly allowed: ReadonlySet<HomeCommunityId> | 'any'
}

/** What the registry said; a SOAP fault is a value, so that each adapter reads its own community's dialect. */
export type RegistryReply =
  | {
      readonly kind: 'answer'
      readonly status: 'success' | 'partial-success' | 'failure'
      readonly answer: QueryAnswer
    }
  | { readonly kind: 'fault'; readonly issue: Issue; readonly sender: boolean }

/** Documents to retrieve from a repository over SOAP. */
export interface RepositoryQuestion {
  readonly url: string
  readonly action: string
  readonly references: readonly DocumentReference[]
  readonly call: AuthorizedCall
  readonly messageId?: MessageIdForm
  /** How the request is packaged; an answer is taken either way. */
  readonly packaging?: 'mtom' | 'plain'
}

/** What the repository said. The documents are held for the exchange. */
export type RepositoryReply =
  | ({ readonly kind: 'answer' } & RetrieveAnswer)
  | { readonly kind: 'fault'; readonly issue: Issue; readonly sender: boolean }

/** What is done to documents, as assertions name it (ini.md §4.8). */
export type WritingAction = 'CREATE' | 'UPDATE' | 'DELETE'

/** A change to tell a registry of over SOAP. */
export interface RegistrySubmission extends OwnClaims {
  readonly url: string
  readonly action: string
  /** Serialised. */
  readonly body: string
  readonly call: AuthorizedCall
  /** What the assertion claims that we are about to do. */
  readonly does: WritingAction
  /** Whom it is about; by default the patient of the call's assertion. */
  readonly patientId?: PatientId
  readonly messageId?: MessageIdForm
}

/** What the registry said; as told, even where status and issues contradict each other. */
export type SubmissionReply =
  | {
      readonly kind: 'answer'
      readonly status: 'success' | 'partial-success' | 'failure'
      readonly issues: readonly Issue[]
    }
  | { readonly kind: 'fault'; readonly issue: Issue; readonly sender: boolean }

/**
 * The way to Sistema TS, as a region or as a direct user (sistema-ts.md A.5, A.6). It holds the credentials and shows none.
 * Operations that change or lock a prescription are not sent, whoever asks.
 */
export interface SistemaTsTools {
  readonly as: 'region' | 'user'
  /** Our pincode, enciphered anew. */
  readonly pinCode: () => { readonly ciphertext: string }
  /** An identifier, enciphered: never the same twice. Throws `internal` when no certificate is valid any more. */
  readonly encrypt: (text: string) => { readonly ciphertext: string }
  /**
   * Sends one SOAP 1.1 message around the serialised body, once, with what proves who we are and who asks. Resolves to
   * whatever came, faults included, but for a refusal of our credentials: that rejects with `community-rejected`
   * (`details.reason` is `authentication`), and so does every call after it, unsent, until the credentials change.
   */
  readonly post: (request: {
    readonly url: string
    readonly action: string
    readonly body: string
    readonly call: AuthorizedCall
  }) => Promise<{
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly body: Buffer
  }>
}

/** What an adapter may do to the world. Everything is bounded by the call's signal. */
export interface AdapterTools {
  readonly clock: Clock
  /** Mutual TLS with the community's own anchors, a size cap, no redirects. Rejects with GatewayError. */
  readonly send: (request: {
    readonly url: string
    readonly method: 'GET' | 'POST'
    readonly headers: Readonly<Record<string, string>>
    readonly body?: string | Uint8Array
    readonly signal: AbortSignal
  }) => Promise<{ readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: Buffer }>
  /** An assertion about our caller, signed by us for one audience, new at each call. */
  readonly vouch: (request: {
    readonly kind: 'jwt'
    readonly audience: string
    readonly call: AuthorizedCall
    readonly patientId?: PatientId
    /** What we are about to do, where that is more than reading. */
    readonly does?: WritingAction
    /** For what purpose, where the act has one of its own; by default our caller's. */
    readonly purposeOfUse?: string
  }) => Promise<string>
  /** A signed assertion about our caller in the form the community wants, serialised, new at each call. */
  readonly attest: (
    request: OwnClaims & {
      readonly call: AuthorizedCall
      readonly patientId?: PatientId
      readonly does?: WritingAction
    },
  ) => Promise<string>
  /** Signs, sends, and opens the reply of a registry. Rejects with GatewayError when there is no readable reply. */
  readonly ask: (question: RegistryQuestion) => Promise<RegistryReply>
  /** Signs, sends, and takes documents as they arrive. Rejects with GatewayError when there is no readable reply. */
  readonly retrieve: (question: RepositoryQuestion) => Promise<RepositoryReply>
  /**
   * Signs, sends once, and opens the reply of a registry. Rejects with GatewayError when there is no readable reply: then
   * whether the registry made the change is unknown.
   */
  readonly submit: (submission: RegistrySubmission) => Promise<SubmissionReply>
  /** Present when the community's entry says how Sistema TS is to be spoken to (`sistemaTs`). */
  readonly sistemaTs?: SistemaTsTools
  /** How many documents one request may name, by the configuration. */
  readonly mostAtOnce: number
  /** The homeCommunityId of an organization code (`120`) of the affinity domain. */
  readonly homeOf: (organizationCode: string) => HomeCommunityId | undefined
}

/** On whose word a document is looked up, and about whom where the call does not say. */
export interface About {
  readonly call: AuthorizedCall
  readonly patientId?: PatientId
}

/** Finds what a registry, or one behind it, knows of documents before they are changed (ini.md §7.1). */
export interface LookUp {
  /** The ids it has for a document, in all its versions (recupero riferimenti). `ours` when the patient is ours. */
  references(uniqueId: string, about: About): Promise<readonly string[] | 'ours'>
  /** Its entries of a document. */
  metadata(uniqueId: string, about: About): Promise<readonly DocumentEntry[] | 'ours'>
}

/** Operations that no port of a community offers, for whoever tries them out one by one. */
export interface Operations {
  readonly lookUp: LookUp
  /** The role and the purposes that an operation claims whoever it is done for; what is absent is the caller's own. */
  readonly claims: (operation: string) => { readonly role?: string; readonly purposes?: readonly string[] }
}

/** The whole contract of a folder under adapters/. */
export interface Adapter {
  readonly name: string
  /** Throws with every fault of the options; opens no connection. */
  connect(entry: CommunityEntry<unknown>, tools: AdapterTools): Community
  /** The same of its single operations. */
  readonly operations?: (entry: CommunityEntry<unknown>, tools: AdapterTools) => Operations
}

/** Checks the entry's options before the adapter sees them, so that `connect` starts from known good ground. */
export function defineAdapter<Options>(adapter: {
  readonly name: string
  readonly options: { parse(value: unknown): Options }
  readonly connect: (entry: CommunityEntry<Options>, tools: AdapterTools) => Community
  readonly operations?: (entry: CommunityEntry<Options>, tools: AdapterTools) => Operations
}): Adapter {
  const { name, options, connect, operations } = adapter
  const parsed = (entry: CommunityEntry<unknown>) => ({ ...entry, options: options.parse(entry.options) })
  return {
    name,
    connect: (entry, tools) => connect(parsed(entry), tools),
    ...(operations === undefined ? {} : { operations: (entry, tools) => operations(parsed(entry), tools) }),
  }
}
