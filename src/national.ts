import { createHash, randomUUID } from 'node:crypto'
import { metadataRules } from '../contracts/affinity-domain/metadata-rules.ts'
import { organizationHome } from '../contracts/affinity-domain/organizations.ts'
import { ruleCodes } from '../contracts/affinity-domain/rule-codes.ts'
import { ConfigError, type LoadedConfig } from './config/load.ts'
import { documentRecipient, type RecipientParts } from './core/federation/document-recipient.ts'
import { type AcceptNotification, draftOf } from './core/federation/notifications.ts'
import type { FederationParts } from './core/federation/query.ts'
import { respondingGateway } from './core/federation/responding-gateway.ts'
import type { RetrieveGateway } from './core/federation/retrieve.ts'
import type { Peer } from './core/model/call.ts'
import { homeCommunityId } from './core/model/identifiers.ts'
import type { StoredQuery } from './core/model/stored-query.ts'
import type { SearchService } from './core/policy/access-table.ts'
import { checkMetadata, type MetadataRule } from './core/policy/metadata-rules.ts'
import type { AccessPolicy, Clock, Community, PushJournal } from './core/ports.ts'
import { type Deliveries, pushesTo } from './deliveries.ts'
import type { Door } from './http/soap/app.ts'
import { type SoapParts, type SoapService, soapEndpoint } from './http/soap/endpoint.ts'
import { notificationEndpoint } from './http/soap/notification-endpoint.ts'
import { notificationServices } from './http/soap/notifications.ts'
import { iti42, iti57, iti62 } from './http/soap/push.ts'
import { iti43 } from './http/soap/retrieve.ts'
import { iti18OfIni } from './http/soap/stored-query.ts'

/** Where the services for INI stand; the last words are the contracts' (ini.md §1.2, §7). */
export const nationalPaths = {
  registry: '/ini/DocumentRegistry_Service',
  references: '/ini/FindDocumentReferences/DocumentRegistry_Service',
  update: '/ini/MetadataUpdate/DocumentRegistry_Service',
  remove: '/ini/Delete/XDSDeletetWSService',
  repository: '/ini/DocumentRepository_Service',
  transferSearch: '/ini/RegistryIndexTransfer/DocumentRegistry_Service',
  transferRemove: '/ini/RegistryIndexTransfer/XDSDeletetWSService',
  submitted: '/ini/NotifyCommunicationMetadata_Service',
  retrieved: '/ini/NotifyRetrieve_Service',
  hidden: '/ini/NotifyHiding_Service',
  consents: '/ini/NotifyConsent_Service',
} as const

export interface NationalParts {
  readonly own: Community
  readonly communities: readonly Community[]
  readonly journal: PushJournal
  readonly deliveries: Deliveries
  readonly retrievals: RetrieveGateway
  readonly rules: FederationParts
  /** The policy of an address that answers searches of these services only. */
  readonly policyFor: (...searches: readonly SearchService[]) => AccessPolicy
  readonly soap: SoapParts
  readonly clock: Clock
  /** Makes a door of a service and its contract. */
  readonly door: (path: string, wsdl: string, service: Pick<Door, 'serve'>) => Door
}

const everyQuery: ReadonlySet<StoredQuery['type']> = new Set([
  'FindDocuments',
  'GetDocuments',
  'FindDocumentsByReferenceId',
])
const transferQueries: ReadonlySet<StoredQuery['type']> = new Set(['FindDocuments', 'GetDocuments'])
const byId: ReadonlySet<StoredQuery['type']> = new Set(['GetDocuments'])
const whole = new Set(['LeafClass', 'ObjectRef'] as const)
const referencesOnly = new Set(['ObjectRef'] as const)

/**
 * The services of a region of assistance, of a region that keeps documents and of a former region of assistance, for the
 * national infrastructure and nobody else (ini.md §7.1, §7.2). Pushes are taken when our record can be told of them.
 */
export function nationalDoors(config: LoadedConfig, parts: NationalParts): readonly Door[] {
  const { own, communities, retrievals, soap, rules, door } = parts
  const { gateway } = config.federation
  const home = homeCommunityId(gateway.home)
  const national = new Set(communities.filter(({ relation }) => relation === 'national').map((one) => one.home))
  if (national.size === 0) return []
  const admits = ({ home: from }: Peer) => from !== undefined && national.has(from)
  const serve = (transactions: SoapService['transactions']) => ({ serve: soapEndpoint({ transactions, admits }, soap) })
  const searching = (...searches: SearchService[]) =>
    respondingGateway({ ...rules, policy: parts.policyFor(...searches), own })
  const index = searching('search', 'hiding-chain')
  const references = searching('reference-retrieval')
  const queries = iti18OfIni(index, home, { types: everyQuery, returnTypes: whole })
  const pushes = own.recipient === undefined ? undefined : recipientOf(config, parts)
  return [
    door(
      nationalPaths.registry,
      'ini/wsdl/XDS.b_DocumentRegistry',
      serve(pushes ? [queries, iti42(pushes)] : [queries]),
    ),
    door(
      nationalPaths.references,
      'ini/wsdl/FindDocumentReferences',
      serve([iti18OfIni(references, home, { types: byId, returnTypes: referencesOnly })]),
    ),
    door(
      nationalPaths.repository,
      'ini/wsdl/XDS.b_DocumentRepository',
      serve([{ ...iti43(retrievals, home), deadlineMs: gateway.retrieval.deadlineMs }]),
    ),
    door(
      nationalPaths.transferSearch,
      'ini/wsdl/FindDocumentReferences',
      serve([iti18OfIni(searching('index-transfer-search'), home, { types: transferQueries, returnTypes: whole })]),
    ),
    ...(pushes === undefined
      ? []
      : [
          door(nationalPaths.update, 'ini/wsdl/XDS.b_DocumentRegistry_v1', serve([iti57(pushes)])),
          door(nationalPaths.remove, 'ini/wsdl/XDSDeletetWS', serve([iti62(pushes)])),
          door(nationalPaths.transferRemove, 'ini/wsdl/XDSDeletetWS', serve([iti62(pushes, 'index-transfer-delete')])),
        ]),
    ...notificationDoors(config, parts, admits),
  ]
}

function recipientOf(config: LoadedConfig, parts: NationalParts) {
  const { gateway } = config.federation
  const { own, journal, deliveries, clock } = parts
  return documentRecipient({
    ...{ own, journal, clock, whenRecordDown: gateway.pushes.whenRecordDown },
    policy: parts.rules.policy,
    newId: () => `urn:uuid:${randomUUID()}`,
    check: metadataCheck(config),
    deliverAs: pushesTo(own),
    ...(own.patients === undefined ? {} : { patients: own.patients }),
    onAccepted: deliveries.wake,
  })
}

/** What the affinity domain has against metadata, as the configuration has it judged. Throws ConfigError. */
export function metadataCheck({ federation: { gateway } }: LoadedConfig): RecipientParts['check'] {
  const rules = metadataRules({ ...ruleCodes, display: gateway.pushes.displayCode })
  const lenient = lenientOf(gateway.pushes.lenient, rules)
  return (change) => checkMetadata(change, rules, { lenient })
}

/** Throws ConfigError for what is neither the code nor the name of a rule. */
function lenientOf(told: readonly string[], rules: readonly MetadataRule[]): ReadonlySet<string> {
  const known = new Set(rules.flatMap(({ code, name }) => [code, name]))
  const unknown = told.filter((one) => !known.has(one))
  if (unknown.length === 0) return new Set(told)
  const message = `no rule about metadata is called ${unknown.join(', ')}`
  throw new ConfigError([{ path: 'gateway.pushes.lenient', message }])
}

function notificationDoors(config: LoadedConfig, parts: NationalParts, admits: (peer: Peer) => boolean): Door[] {
  const { soap, door } = parts
  const services = notificationServices({ accept: noteOf(config, parts), homeOf: organizationHome })
  const serve = (service: (typeof services)[keyof typeof services]) => ({
    serve: notificationEndpoint({ services: [service], admits }, soap),
  })
  return [
    door(nationalPaths.submitted, 'ini/wsdl/NotifyCommunicationMetadata', serve(services.submitObjects)),
    door(nationalPaths.retrieved, 'ini/wsdl/NotifyRetrieve', serve(services.retrieve)),
    door(nationalPaths.consents, 'ini/wsdl/NotifyConsent', serve(services.consent)),
    // What is hidden must be hidden in our record too.
    ...(parts.own.recipient === undefined
      ? []
      : [door(nationalPaths.hidden, 'ini/wsdl/NotifyHiding', serve(services.hiding))]),
  ]
}

/** Writes a notification down; it is told to our record where that takes notifications. */
function noteOf({ federation: { gateway } }: LoadedConfig, parts: NationalParts): AcceptNotification {
  const { own, journal, deliveries, clock } = parts
  return async (received, { correlationId }) => {
    const isTold = received.content.type === 'hide' || own.notifications !== undefined
    const draft = draftOf(received, {
      id: randomUUID(),
      correlationId,
      receivedAt: clock.now(),
      repeatWithinMs: gateway.pushes.repeatWithinMs,
      hash: (text) => createHash('sha256').update(text).digest('hex'),
      ...(isTold ? { deliverAs: pushesTo(own) } : {}),
    })
    const appended = await journal.append(draft)
    if ('repeats' in appended) return 'repeated'
    deliveries.wake()
    return 'taken'
  }
}
