import type { Federation } from './config/federation.ts'
import type { LoadedConfig } from './config/load.ts'
import { GatewayError } from './core/errors.ts'
import { retrieveNotices } from './core/federation/retrieve-notices.ts'
import type { Assertion, AuthorizedCall } from './core/model/call.ts'
import type { HideChange } from './core/model/change.ts'
import { homeCommunityId, homeOid } from './core/model/identifiers.ts'
import type { RetrieveNotice } from './core/model/notice.ts'
import type { DeliveredDocument } from './core/model/retrieval.ts'
import type { Clock, Community, JournaledPush, Outbox, PushJournal } from './core/ports.ts'
import { type Deliverer, dispatcher } from './journal/dispatcher.ts'
import { pushDeliverer } from './journal/push-deliverer.ts'
import type { Events } from './telemetry/events.ts'

/** How long a gateway that stops waits for what it is just telling. */
const graceMs = 5_000
/** How often the outbox is looked at for what is due again, or was left by another replica. */
const everyMs = 1_000

type Gateway = Omit<Federation['gateway'], 'deliveries'>

export interface DeliveryParts {
  readonly communities: readonly Community[]
  /** Our own, with all that is known of patients. */
  readonly own: Community
  readonly outbox: Outbox
  readonly journal: PushJournal
  readonly clock: Clock
  readonly events: Events
  /** Who else delivers what, by the kind. */
  readonly further?: ReadonlyMap<string, Deliverer>
}

/** What is told to other communities later, through the outbox. Disposal waits a little for what is under way. */
export interface Deliveries extends AsyncDisposable {
  /**
   * Resolves when the notices of documents that another region retrieved will not be lost. A community that mediated the
   * retrieval itself is not told of it. Rejects with GatewayError when they cannot be kept.
   */
  retrieved(call: AuthorizedCall, documents: readonly DeliveredDocument[]): Promise<void>
  /** Something was put into the outbox by others: by the journal of pushes. */
  wake(): void
}

/** The kind of the deliveries of pushes to our record. */
export function pushesTo({ name }: Pick<Community, 'name'>): string {
  return `push:${name}`
}

/** The kind of the deliveries of what our producers pushed to whoever else is to know of it. */
export function publishedTo({ name }: Pick<Community, 'name'>): string {
  return `publish:${name}`
}

/** Starts to deliver what waits in the outbox. */
export function deliveries({ federation }: LoadedConfig, parts: DeliveryParts): Deliveries {
  const { communities, own, outbox, journal, clock } = parts
  const { deliveries: rules, ...gateway } = federation.gateway
  const home = homeCommunityId(gateway.home)
  const { patients } = own
  const notified = communities.filter(({ notices }) => notices !== undefined)
  const pushing = { journal, clock, timeoutMs: rules.timeoutMs, ourselves: spokesman(gateway, clock) }
  const working = dispatcher({
    outbox,
    clock,
    deliverers: new Map([
      ...(parts.further ?? []),
      ...notified.map((community) => [kindOf(community), retrieveDeliverer(community)] as const),
      [pushesTo(own), pushDeliverer({ ...pushing, to: own, isLast: assistedBy(own) })] as const,
      ...communities
        .filter(({ relation, recipient }) => relation === 'national' && recipient !== undefined)
        .map((community) => [publishedTo(community), pushDeliverer({ ...pushing, to: community })] as const),
    ]),
    backoff: { firstMs: rules.firstRetryMs, factor: 2, mostMs: rules.longestRetryMs, random: Math.random },
    concurrency: rules.concurrency,
    mostAttempts: rules.mostAttempts,
    deadlineMs: rules.timeoutMs,
    everyMs,
    graceMs,
    ...told(parts),
  })
  return {
    async retrieved(call, documents) {
      const recipients = notified.filter((community) => community.home !== call.peer.home)
      if (recipients.length === 0) return
      const notices = await retrieveNotices(call, documents, {
        ...{ home, clock },
        ...(patients === undefined ? {} : { patients }),
      })
      await Promise.all(recipients.flatMap((community) => notices.map((notice) => put(outbox, community, notice))))
      working.wake()
    },
    wake: () => working.wake(),
    [Symbol.asyncDispose]: () => working[Symbol.asyncDispose](),
  }
}

/**
 * Whether a push is about somebody whom the community is known to assist: then its record is the one that counts. Where that
 * is not known, or in doubt, INI decides: it leaves those whom we assist to us (R220, ini.md §6.1).
 */
function assistedBy({ home, patients }: Community) {
  return async ({ patients: [patient] }: JournaledPush, call: AuthorizedCall): Promise<boolean> => {
    if (patients === undefined || patient === undefined) return false
    try {
      const known = await patients.locate(patient, call)
      return known?.assistedBy === home && known.doubt === undefined
    } catch {
      return false
    }
  }
}

/** Who asks our record to hide what INI notified us of: ourselves, as the configuration says (ini.md §7.3). */
function spokesman({ home, organization, pushes, assertionLifetimeMs }: Gateway, clock: Clock) {
  const community = homeCommunityId(home)
  const { code, name } = organization
  // Of ourselves there is no person's code; an organization is known by its code in our own arc (ini.md §8).
  const arc = homeOid(community)
  return ({ patientId }: HideChange, { id, digest }: JournaledPush): Assertion => ({
    id,
    issuer: code,
    community,
    subject: pushes.hidingSubject ?? `${code}^^^&${arc}&ISO`,
    role: pushes.hidingRole,
    purposeOfUse: 'ACCESS UPDATE',
    action: 'UPDATE',
    organization: code,
    organizationName: name,
    locality: organization.locality ?? `${name}^^^^^&${arc}&ISO^^^^${code}`,
    patientId,
    validUntil: clock.now() + assertionLifetimeMs,
    signer: 'gateway',
    evidence: { kind: 'saml', digest },
  })
}

function kindOf({ name }: Community): string {
  return `notify-retrieve:${name}`
}

/** Notices do not wait for each other, so each is the only one of its key. */
async function put(outbox: Outbox, community: Community, notice: RetrieveNotice): Promise<void> {
  const id = crypto.randomUUID()
  await outbox.put({ id, kind: kindOf(community), key: id, content: JSON.stringify(notice) })
}

function retrieveDeliverer({ notices }: Community): Deliverer {
  return async ({ content }, signal) => {
    if (notices === undefined) throw new GatewayError('internal', 'Nobody takes this notice')
    await notices.tell(JSON.parse(content) as RetrieveNotice, signal)
  }
}

function told({
  clock,
  events,
}: DeliveryParts): Pick<Parameters<typeof dispatcher>[0], 'onDelivered' | 'onFailed' | 'onDead' | 'onTrouble'> {
  return {
    onDelivered: (attempted) => events.deliveryMade(attempted),
    onFailed: (attempted, error, nextAt) =>
      events.deliveryFailed({ ...attempted, error, retryInMs: Math.max(0, nextAt - clock.now()) }),
    onDead: (attempted, error) => events.deliveryDead({ ...attempted, error }),
    onTrouble: (error) => events.storeFailed({ operation: 'outbox', error }),
  }
}
