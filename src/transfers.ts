import { createHash } from 'node:crypto'
import type { Federation } from './config/federation.ts'
import type { LoadedConfig } from './config/load.ts'
import type { Assertion } from './core/model/call.ts'
import { correlationId, homeCommunityId, homeOid } from './core/model/identifiers.ts'
import type { DocumentEntry } from './core/model/metadata.ts'
import type { Clock, Community, Outbox, PushJournal, TransferOf } from './core/ports.ts'
import { pushesTo } from './deliveries.ts'
import type { Deliverer } from './journal/dispatcher.ts'
import { indexTransferDeliverer, startTransfer } from './journal/index-transfer.ts'
import type { IndexTransferParts } from './journal/transfer-parts.ts'
import { metadataCheck } from './national.ts'
import { movedFrom } from './wire/ebrim/moved.ts'

export interface TransfersParts {
  readonly own: Community
  readonly communities: readonly Community[]
  readonly outbox: Outbox
  readonly journal: PushJournal
  readonly clock: Clock
}

/** How indexes are moved to us: begun by operators, and delivered step by step. */
export interface IndexTransfers {
  readonly start: (transfer: TransferOf & { readonly operator: string }) => Promise<void>
  /** Who does the steps, by the kind of their deliveries. */
  readonly deliverers: ReadonlyMap<string, Deliverer>
}

/** In which role and for which purpose an index is moved (ini.md §2.4). */
const mover = { role: 'NOR', purposeOfUse: 'SYSADMIN' } as const

/**
 * Moving indexes of those whom we assist now, from where INI has them, into our record; `undefined` where no community lets
 * it, or our record cannot be asked and told.
 */
export function indexTransfers(config: LoadedConfig, parts: TransfersParts): IndexTransfers | undefined {
  const { own, communities, outbox, journal, clock } = parts
  const from = communities.find(({ indexTransfer }) => indexTransfer !== undefined)
  if (from?.indexTransfer === undefined || own.registry === undefined || own.recipient === undefined) return undefined
  const { gateway } = config.federation
  const home = homeCommunityId(gateway.home)
  const check = metadataCheck(config)
  const ourselves = spokesman(gateway, clock)
  const kind = `index-transfer:${from.name}`
  const steps: IndexTransferParts = {
    ...{ source: from.indexTransfer, own, journal, outbox, clock, kind, hash, deliverAs: pushesTo(own) },
    submissionOf: (entry) => movedFrom(entry, { home, now: clock.now(), hash }),
    // What the former index has of the person is theirs, whatever we would have said had it been published to us.
    check: (change) => check(change).map((issue) => ({ ...issue, severity: 'warning' })),
    assertionFor: (transfer, { typeCode }) => ({
      ...ourselves(transfer, 'CREATE'),
      ...typesOf(typeCode),
    }),
    callFor(transfer, signal) {
      const assertion = ourselves(transfer, 'READ')
      const { subject } = assertion
      return {
        correlationId: correlationId(transfer.transferId),
        signal,
        deadline: clock.now() + gateway.deliveries.timeoutMs,
        // Nobody is at the other end: who began the transfer is in the audit trail.
        peer: { subject: 'journal', fingerprint: hash(transfer.transferId) },
        assertion,
        permit: { partition: `transfer ${transfer.transferId}`, viewer: { ...mover, subject } },
      }
    },
  }
  return {
    start: (transfer) => startTransfer(transfer, steps),
    deliverers: new Map([[kind, indexTransferDeliverer(steps)]]),
  }
}

/** We ourselves, as the configuration says: nobody in particular moves an index (ini.md §2.3). */
function spokesman({ home, organization, assertionLifetimeMs }: Federation['gateway'], clock: Clock) {
  const community = homeCommunityId(home)
  const { code, name } = organization
  const arc = homeOid(community)
  return ({ transferId, patientId }: TransferOf, action: 'READ' | 'CREATE'): Assertion => ({
    id: transferId,
    issuer: code,
    community,
    subject: `${code}^^^&${arc}&ISO`,
    ...mover,
    action,
    organization: code,
    organizationName: name,
    locality: organization.locality ?? `${name}^^^^^&${arc}&ISO^^^^${code}`,
    patientId,
    validUntil: clock.now() + assertionLifetimeMs,
    signer: 'gateway',
    evidence: { kind: 'saml', digest: hash(transferId) },
  })
}

/** Our record holds the types in a submission against those that its assertion names. */
function typesOf(code: DocumentEntry['typeCode']): Pick<Assertion, 'documentTypes'> {
  if (code?.scheme === undefined) return {}
  return { documentTypes: [{ code: code.code, scheme: code.scheme }] }
}

function hash(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}
