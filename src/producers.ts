import { randomUUID } from 'node:crypto'
import type { LoadedConfig } from './config/load.ts'
import { documentRecipient } from './core/federation/document-recipient.ts'
import type { Service } from './core/policy/access-table.ts'
import { serviceOfChange } from './core/policy/change-service.ts'
import { denied } from './core/policy/denied.ts'
import type { AccessPolicy, Clock, Community, PushJournal } from './core/ports.ts'
import { type Deliveries, publishedTo, pushesTo } from './deliveries.ts'
import type { SoapService } from './http/soap/endpoint.ts'
import { iti42, iti57, iti62 } from './http/soap/push.ts'
import { metadataCheck } from './national.ts'
import { actions } from './wire/actions.ts'

export interface ProducersParts {
  readonly own: Community
  readonly communities: readonly Community[]
  readonly journal: PushJournal
  readonly deliveries: Deliveries
  readonly policy: AccessPolicy
  readonly clock: Clock
}

/** What those who make documents may do to the index: an index is moved by INI alone. */
const services: ReadonlySet<Service> = new Set(['create', 'replace', 'update', 'hide', 'delete'])

/**
 * What producers of our own community do to the index: ITI-42, ITI-57 and ITI-62 by INI's action or by IHE's. It is checked
 * against the affinity domain before it is taken, goes to our record and, where somebody else assists the patient, from
 * there to INI where that is told (ini.md §1.2). Nothing, when our record cannot be told.
 */
export function producerTransactions(config: LoadedConfig, parts: ProducersParts): SoapService['transactions'] {
  const { own, communities, journal, deliveries, clock } = parts
  if (own.recipient === undefined) return []
  const { pushes } = config.federation.gateway
  const star = communities.find(({ relation, recipient }) => relation === 'national' && recipient !== undefined)
  const gateway = documentRecipient({
    ...{ own, journal, clock, policy: ofProducers(parts.policy) },
    // INI is told of documents by their names, which only the record knows of what is replaced or removed.
    whenRecordDown: star !== undefined && pushes.whenRecordDown === 'accept' ? 'accept-new' : pushes.whenRecordDown,
    newId: () => `urn:uuid:${randomUUID()}`,
    check: metadataCheck(config),
    deliverAs: pushesTo(own),
    ...(own.patients === undefined ? {} : { patients: own.patients }),
    ...(star === undefined ? {} : { followedBy: publishedTo(star) }),
    onAccepted: deliveries.wake,
  })
  const removal = iti62(gateway)
  return [iti42(gateway), iti57(gateway), removal, { ...removal, action: actions.deleteDocumentSetOfIhe }]
}

function ofProducers(policy: AccessPolicy): AccessPolicy {
  return {
    ...policy,
    authorizeChange(change, call, service = serviceOfChange(change)) {
      if (!services.has(service)) throw denied('action', 'An index is not transferred by those who make documents')
      return policy.authorizeChange(change, call, service)
    },
  }
}
