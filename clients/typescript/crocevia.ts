// Generated from contracts/openapi/gateway.json by contracts/openapi/generate.ts; not to be edited.

/** A question about one person. What is not asked for excludes nothing. */
export interface FederatedQuery {
  /** The person, as the tokens name them. */
  readonly patient: {
    /** The identifier. */
    readonly value: string
    /** OID of its authority. */
    readonly authority: string
  }
  /** Document types (LOINC). */
  readonly types?: readonly CodeFilter[]
  /** Document classes. */
  readonly classes?: readonly CodeFilter[]
  /** Formats. */
  readonly formats?: readonly CodeFilter[]
  /** Practice settings. */
  readonly practiceSettings?: readonly CodeFilter[]
  /** Types of facility. */
  readonly facilityTypes?: readonly CodeFilter[]
  /** Default both. */
  readonly kinds?: readonly ('stable' | 'on-demand')[]
  /** Default approved only. */
  readonly status?: readonly ('approved' | 'deprecated')[]
  /** A half-open period: `from` belongs to it, `to` does not. */
  readonly period?: {
    /** A day or an instant (RFC 3339). */
    readonly from?: string
    /** A day or an instant (RFC 3339). */
    readonly to?: string
    /** Of the making of the document, or of what it tells of. */
    readonly of?: 'creation' | 'service'
  }
  /** Patterns over authors as XCN: `%` any run, `_` one character. */
  readonly authors?: readonly string[]
  /** Any of these orders, studies or encounters (HL7 CXi), spelled exactly so. */
  readonly referenceIds?: readonly string[]
  /** homeCommunityId of the only community asked. */
  readonly community?: string
  /** Whether the answer tells who was asked and why, and whose word counted. */
  readonly explain?: boolean
  readonly emergencyReason?: EmergencyReason
}

/** A code; without scheme, of any. */
export interface CodeFilter {
  /** The code. */
  readonly code: string
  /** Its coding scheme. */
  readonly scheme?: string
}

/** Why the person cannot consent while the risk is grave and imminent (DM 7/9/2023 art. 20). */
export type EmergencyReason = 'physical-incapacity' | 'legal-incapacity' | 'mental-incapacity'

/** One merged index, newest document first. */
export interface FederatedIndex {
  /** `failure`: nobody answered. */
  readonly outcome: 'success' | 'partial-success' | 'failure'
  /** Whether documents may be missing: somebody did not answer, or not in full. */
  readonly partial: boolean
  /** Each document once. */
  readonly entries: readonly Entry[]
  /** Everybody who was asked. */
  readonly communities: readonly CommunityAnswer[]
  /** Everybody who failed. */
  readonly failures: readonly CommunityFailure[]
  /** What communities said about their answers, and what was decided between them. */
  readonly warnings: readonly Warning[]
  readonly progress: ProgressCount
  readonly explanation?: Explanation
}

/** A document of the merged index. */
export interface Entry {
  /** Names the document in this index, the same in every answer while the same community’s word counts. No handle: nothing can be asked with it. */
  readonly id: string
  /** Opaque, for `/api/v1/documents/{handle}`, good for this viewer and patient and for a short time. Absent where nobody tells where the document lies. */
  readonly handle?: string
  /** The id by which the world knows the document (XDS uniqueId). */
  readonly uniqueId: string
  /** An on-demand document is made when it is asked for. */
  readonly kind: 'stable' | 'on-demand'
  /** `approved` or `deprecated`; another word as a community told it. */
  readonly status?: string
  /** Version of the metadata. */
  readonly version?: string
  /** As told. */
  readonly title?: string
  readonly type?: Code
  readonly class?: Code
  readonly format?: Code
  readonly practiceSetting?: Code
  readonly facilityType?: Code
  /** Confidentiality codes. */
  readonly confidentiality: readonly Code[]
  /** Event codes. */
  readonly events: readonly Code[]
  /** As fine as it was told: a year, a month, a day, or an instant in UTC (RFC 3339). */
  readonly createdAt?: string
  /** When what the document tells of began, as fine as it was told. */
  readonly serviceStart?: string
  /** When it ended. */
  readonly serviceStop?: string
  /** As told. */
  readonly language?: string
  /** As told. */
  readonly mediaType?: string
  /** Bytes. */
  readonly size?: number
  /** SHA-1, hexadecimal. */
  readonly hash?: string
  /** Who made it. */
  readonly authors: readonly Author[]
  /** Orders, studies and encounters it refers to. */
  readonly referenceIds: readonly string[]
  /** homeCommunityId of the community where the document lies. */
  readonly community?: string
  /** Everybody who told of it, first the one whose word counts. */
  readonly sources: readonly Source[]
  /** `id` of the document that replaced it. */
  readonly replacedBy?: string
  /** The documents it replaced. */
  readonly replaces?: readonly string[]
}

/** A code with its coding scheme. */
export interface Code {
  /** The code. */
  readonly code: string
  /** Its scheme. */
  readonly scheme: string
  /** In words. */
  readonly display?: string
}

/** Names and places; identifiers of persons are not told. */
export interface Author {
  /** Names. */
  readonly persons: readonly string[]
  /** Names. */
  readonly institutions: readonly string[]
  /** Roles. */
  readonly roles: readonly string[]
  /** Specialties. */
  readonly specialties: readonly string[]
}

/** Who told of a document, and as of when. */
export interface Source {
  /** homeCommunityId. */
  readonly community: string
  /** The community’s name here. */
  readonly name?: string
  /** The version it told of. */
  readonly version?: string
  /** When its answer was there; it may have been kept for as long as the gateway is configured to. */
  readonly heardAt?: string
}

/** How a community answered. */
export interface CommunityAnswer {
  /** homeCommunityId. */
  readonly community: string
  /** Its name here. */
  readonly name: string
  /** `partial`: it reported an error beside its answer. */
  readonly outcome: 'answered' | 'partial' | 'failed'
  /** Milliseconds. */
  readonly durationMs: number
  /** When it had answered or failed. */
  readonly heardAt?: string
}

/** A community that failed, and what that means to the person at the screen. */
export interface CommunityFailure {
  /** homeCommunityId. */
  readonly community: string
  /** Its name here. */
  readonly name?: string
  /** Type of the problem; see /problems. */
  readonly type: string
  /** The problem in a few words. */
  readonly title: string
  /** What it means, in English. */
  readonly consequence?: string
  /** What it means, in Italian. */
  readonly consequenceIt?: string
}

/** Something said about an answer. */
export interface Warning {
  /** homeCommunityId. */
  readonly community: string
  /** Its name here. */
  readonly name?: string
  /** How grave. */
  readonly severity: 'error' | 'warning'
  /** As told where it has the form of a code, else `unknown`. */
  readonly code: string
  /** What it means to whoever reads the answer; never the community’s own words. */
  readonly detail: string
}

/** So many communities of so many. */
export interface ProgressCount {
  /** Asked. */
  readonly total: number
  /** Answered. */
  readonly answered: number
  /** Failed. */
  readonly failed: number
  /** Still waited for. */
  readonly pending: number
}

/** How the answer came about. It speaks of nothing that the answer does not show. */
export interface Explanation {
  /** Who was asked and why. */
  readonly asked: readonly {
    /** homeCommunityId. */
    readonly community: string
    /** Its name here. */
    readonly name: string
    readonly relation: Relation
    /** As in communities. */
    readonly outcome: 'answered' | 'partial' | 'failed'
    /** Milliseconds. */
    readonly durationMs: number
    /** The rule, in English. */
    readonly why: string
    /** The rule, in Italian. */
    readonly whyIt: string
  }[]
  /** Who was not asked and why. */
  readonly notAsked: readonly {
    /** homeCommunityId. */
    readonly community: string
    /** Its name here. */
    readonly name: string
    readonly relation: Relation
    /** The rule, in English. */
    readonly why: string
    /** The rule, in Italian. */
    readonly whyIt: string
  }[]
  /** Whose word was preferred, and by which rule. */
  readonly merged: readonly {
    /** `id` of the entry. */
    readonly entry: string
    /** Who told of it. */
    readonly sources: readonly string[]
    /** Whose word counts. */
    readonly preferred: string
    /** By which rule. */
    readonly rule:
      | 'region-of-assistance'
      | 'national-infrastructure'
      | 'producer'
      | 'own-record'
      | 'national-index'
      | 'partner'
      | 'supplement'
      | 'higher-version'
    /** The rule, in English. */
    readonly why: string
    /** The rule, in Italian. */
    readonly whyIt: string
  }[]
}

/** How a community stands to ours. */
export type Relation = 'own' | 'national' | 'partner' | 'supplement'

/** Data of `entries`: documents that are new, or known better. */
export interface EntriesEvent {
  /** In the order in which they are to be applied. */
  readonly changes: readonly EntryChange[]
}

/** What became of one document. */
export interface EntryChange {
  /** `merged`: others tell of it too. `superseded`: another has replaced it. `altered`: something is told otherwise. */
  readonly change: 'added' | 'merged' | 'superseded' | 'altered'
  /** The `id` it had until now, where that has changed: put the entry in its place. */
  readonly formerId?: string
  readonly entry: Entry
}

/** Data of `removed`: documents that may not be told any more. */
export interface RemovedEvent {
  /** Take these away. */
  readonly ids: readonly string[]
}

/** Data of `progress`. */
export interface ProgressEvent {
  /** Asked. */
  readonly total: number
  /** Answered. */
  readonly answered: number
  /** Failed. */
  readonly failed: number
  /** Still waited for. */
  readonly pending: number
  /** Those that have ended since the event before. */
  readonly communities: readonly CommunityAnswer[]
}

/** What was understood; what the tokens do not say is absent. */
export interface Caller {
  /** The consumer’s name here. */
  readonly party?: string
  /** How its requests are authenticated. */
  readonly profile: 'portal' | 'fse' | 'modi' | 'channel'
  /** The user, as claimed. */
  readonly subject?: string
  /** As claimed. */
  readonly role?: string
  /** As claimed. */
  readonly purposeOfUse?: string
  /** When something of it ends. */
  readonly validUntil?: string
}

/** A failure (RFC 7807). */
export interface Problem {
  /** Never changes; explained at /problems/{last part}, or by whoever publishes it. */
  readonly type: string
  /** In a few words. */
  readonly title: string
  /** The status of the answer. */
  readonly status: number
  /** What is wrong, without values. */
  readonly detail: string
  /** The exchange: `urn:uuid:` and its correlation id. */
  readonly instance: string
  /** One word about a token or a form. */
  readonly reason?: string
  /** What it means, in English. */
  readonly consequence?: string
  /** What it means, in Italian. */
  readonly consequenceIt?: string
}

/** Whether the service is up (RFC 7807). */
export interface Status {
  /** `about:blank`. */
  readonly type: string
  /** In a few words. */
  readonly title: string
  /** The status of the answer. */
  readonly status: number
  /** In words. */
  readonly detail?: string
}

/** What `askFederation` may be told beside. */
export interface AskFederationOptions {
  /** Names the exchange in logs and audit; a UUID. Absent, the gateway makes one. */
  readonly correlationID?: string
  /** Why the record is consulted in an emergency; required with the purpose EMERGENCY, and audited apart. */
  readonly emergencyReason?: EmergencyReason
  readonly signal?: AbortSignal
}

/** An event of `askFederation`. */
export type AskFederationEvent =
  | { readonly event: 'entries'; readonly data: EntriesEvent }
  | { readonly event: 'removed'; readonly data: RemovedEvent }
  | { readonly event: 'failure'; readonly data: CommunityFailure }
  | { readonly event: 'progress'; readonly data: ProgressEvent }
  | { readonly event: 'complete'; readonly data: FederatedIndex }
  | { readonly event: 'problem'; readonly data: Problem }

/** What `fetchDocument` may be told beside. */
export interface FetchDocumentOptions {
  /** `original` (default): the bytes that were registered; `cda`: the clinical document, also out of a PDF; `readable`: a page made of it; `body`: the file in a CDA that wraps one. */
  readonly form?: 'original' | 'cda' | 'readable' | 'body'
  /** Names the exchange in logs and audit; a UUID. Absent, the gateway makes one. */
  readonly correlationID?: string
  /** Why the record is consulted in an emergency; required with the purpose EMERGENCY, and audited apart. */
  readonly emergencyReason?: EmergencyReason
  readonly signal?: AbortSignal
}

/** What `describeDocument` may be told beside. */
export interface DescribeDocumentOptions {
  /** `original` (default): the bytes that were registered; `cda`: the clinical document, also out of a PDF; `readable`: a page made of it; `body`: the file in a CDA that wraps one. */
  readonly form?: 'original' | 'cda' | 'readable' | 'body'
  /** Names the exchange in logs and audit; a UUID. Absent, the gateway makes one. */
  readonly correlationID?: string
  /** Why the record is consulted in an emergency; required with the purpose EMERGENCY, and audited apart. */
  readonly emergencyReason?: EmergencyReason
  readonly signal?: AbortSignal
}

/** What `readCaller` may be told beside. */
export interface ReadCallerOptions {
  /** Names the exchange in logs and audit; a UUID. Absent, the gateway makes one. */
  readonly correlationID?: string
  readonly signal?: AbortSignal
}

/** What `readStatus` may be told beside. */
export interface ReadStatusOptions {
  /** Names the exchange in logs and audit; a UUID. Absent, the gateway makes one. */
  readonly correlationID?: string
  readonly signal?: AbortSignal
}

/** How a client reaches the gateway. */
export interface ClientOptions {
  /** The gateway's address, without a path. */
  readonly baseUrl: string
  /** Headers of every request: the tokens. */
  readonly headers?: () => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>
  /** Sends requests, with the client's certificate; default the platform's own. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>
}

/** A failure the gateway told. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly problem: Problem
  /** Seconds after which it is worth trying again. */
  readonly retryAfter: number | undefined

  constructor(problem: Problem, retryAfter?: number) {
    super(problem.detail)
    this.problem = problem
    this.retryAfter = retryAfter
  }
}

interface Sent {
  readonly method: string
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
}

async function send(options: ClientOptions, sent: Sent): Promise<Response> {
  const query = new URLSearchParams(present(sent.query ?? {})).toString()
  const url = options.baseUrl.replace(/\/$/, '') + sent.path + (query === '' ? '' : `?${query}`)
  const body = sent.body === undefined ? {} : { body: JSON.stringify(sent.body) }
  const type = sent.body === undefined ? {} : { 'content-type': 'application/json' }
  const headers = { ...(await options.headers?.()), ...type, ...present(sent.headers) }
  const signal = sent.signal === undefined ? {} : { signal: sent.signal }
  const response = await (options.fetch ?? fetch)(url, { method: sent.method, headers, ...body, ...signal })
  if (response.ok) return response
  const told = (await response.json().catch(() => undefined)) as Problem | undefined
  const { status, statusText } = response
  const unknown = { type: 'about:blank', title: statusText, status, detail: `Status ${status}`, instance: '' }
  const retryAfter = response.headers.get('retry-after')
  throw new ProblemError(told ?? unknown, retryAfter === null ? undefined : Number(retryAfter))
}

function present(members: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

/** The events of a stream, as they come. */
async function* eventsOf<Event>(response: Response): AsyncGenerator<Event> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of response.body ?? []) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const lines = block.split('\n')
      const event = lines.find((line) => line.startsWith('event: '))?.slice(7)
      const data = lines.find((line) => line.startsWith('data: '))?.slice(6)
      if (event !== undefined && data !== undefined) yield { event, data: JSON.parse(data) } as Event
    }
  }
}

/** Follows a stream: what is known of the index after each event, in no order until it is complete. */
export function indexFollower(): {
  readonly entries: () => readonly Entry[]
  readonly apply: (event: AskFederationEvent) => void
} {
  let entries = new Map<string, Entry>()
  return {
    entries: () => [...entries.values()],
    apply(told) {
      if (told.event === 'entries') {
        for (const { entry, formerId } of told.data.changes) {
          if (formerId !== undefined) entries.delete(formerId)
          entries.set(entry.id, entry)
        }
      } else if (told.event === 'removed') for (const id of told.data.ids) entries.delete(id)
      else if (told.event === 'complete') entries = new Map(told.data.entries.map((entry) => [entry.id, entry]))
      else if (told.event === 'problem') entries = new Map()
    },
  }
}

/** The operations of the gateway. They reject with ProblemError for what it refuses. */
export function croceviaClient(options: ClientOptions) {
  return {
    /** Ask every community for a person’s documents. */
    async askFederation(body: FederatedQuery, more: AskFederationOptions = {}): Promise<FederatedIndex> {
      const response = await send(options, {
        method: 'POST',
        path: '/api/v1/federated-queries',
        headers: {
          accept: 'application/json',
          'x-correlation-id': more.correlationID,
          'emergency-reason': more.emergencyReason,
        },
        body,
        signal: more.signal,
      })
      return (await response.json()) as FederatedIndex
    },
    /** Ask every community for a person’s documents, and hear of each answer as it comes. */
    async *askFederationEvents(
      body: FederatedQuery,
      more: AskFederationOptions = {},
    ): AsyncGenerator<AskFederationEvent> {
      const response = await send(options, {
        method: 'POST',
        path: '/api/v1/federated-queries',
        headers: {
          accept: 'text/event-stream',
          'x-correlation-id': more.correlationID,
          'emergency-reason': more.emergencyReason,
        },
        body,
        signal: more.signal,
      })
      yield* eventsOf<AskFederationEvent>(response)
    },
    /** Get a document. */
    async fetchDocument(handle: string, more: FetchDocumentOptions = {}): Promise<Response> {
      const response = await send(options, {
        method: 'GET',
        path: `/api/v1/documents/${encodeURIComponent(handle)}`,
        query: { form: more.form },
        headers: {
          accept: '*/*',
          'x-correlation-id': more.correlationID,
          'emergency-reason': more.emergencyReason,
        },
        signal: more.signal,
      })
      return response
    },
    /** Get the head of a document. */
    async describeDocument(handle: string, more: DescribeDocumentOptions = {}): Promise<Response> {
      const response = await send(options, {
        method: 'HEAD',
        path: `/api/v1/documents/${encodeURIComponent(handle)}`,
        query: { form: more.form },
        headers: {
          accept: '*/*',
          'x-correlation-id': more.correlationID,
          'emergency-reason': more.emergencyReason,
        },
        signal: more.signal,
      })
      return response
    },
    /** Whom the gateway takes the caller for. */
    async readCaller(more: ReadCallerOptions = {}): Promise<Caller> {
      const response = await send(options, {
        method: 'GET',
        path: '/api/v1/caller',
        headers: {
          accept: 'application/json',
          'x-correlation-id': more.correlationID,
        },
        signal: more.signal,
      })
      return (await response.json()) as Caller
    },
    /** Whether the service is up. */
    async readStatus(more: ReadStatusOptions = {}): Promise<Status> {
      const response = await send(options, {
        method: 'GET',
        path: '/status',
        headers: {
          accept: 'application/problem+json',
          'x-correlation-id': more.correlationID,
        },
        signal: more.signal,
      })
      return (await response.json()) as Status
    },
  }
}
