import { GatewayError, type Issue } from '../errors.ts'
import type { AuthenticatedCall, AuthorizedCall } from '../model/call.ts'
import type { MetadataChange, SubmitChange, UpdateChange } from '../model/change.ts'
import type { DocumentEntry } from '../model/metadata.ts'
import { type PatientId, samePatientId } from '../model/patient.ts'
import type { Service } from '../policy/access-table.ts'
import { serviceOfChange } from '../policy/change-service.ts'
import type { AccessPolicy, JournalDraft } from '../ports.ts'
import { logicalIdOf } from './overlay.ts'
import { patientsNamed, type ResolveParts } from './referents.ts'
import { issueOf, metadataRefused, type ResolvedChange, resolved } from './resolve-change.ts'
import { withOwnIds } from './submitted-ids.ts'

/** What accepting pushes needs. */
export interface RecipientParts extends ResolveParts {
  readonly policy: AccessPolicy
  /** A new `urn:uuid:` id. */
  readonly newId: () => string
  /** What the affinity domain has against the metadata: errors block, warnings are told. */
  readonly check: (change: SubmitChange | UpdateChange) => readonly Issue[]
  /** The kind of the deliveries to our record. */
  readonly deliverAs: string
  /** The kind of the deliveries that follow once our record has it; absent, there are none. */
  readonly followedBy?: string
  /** Told when a push became durable: it can be delivered. */
  readonly onAccepted: () => void
}

/** What is known of a push beside what it says. */
export interface Received {
  readonly transaction: string
  /** SHA-256 of the message, lower-case hexadecimal. */
  readonly digest: string
  /** The same of the body alone: what a sender says again says it in another envelope. */
  readonly bodyDigest: string
  /** The service it was sent to, where that is not told by the push itself. */
  readonly service?: Service
}

/** A push that was taken, now or before. */
export interface Acceptance {
  readonly warnings: readonly Issue[]
  /** It was taken before, and nothing happened now. */
  readonly repeated: boolean
}

/** Takes what is pushed into the index of our own community. */
export interface DocumentRecipientGateway {
  /**
   * Resolves when the change can no longer be lost and is visible. Rejects with GatewayError: `access-denied`, or
   * `metadata-invalid` with an issue per fault, or `patient-mismatch`, or `community-*` when the record had to be asked
   * and did not answer, or `internal` and `overloaded` when the push could not be kept.
   */
  accept(change: MetadataChange, caller: AuthenticatedCall, received: Received): Promise<Acceptance>
}

/** Checks, resolves, journals: in this order, so that nothing that was refused is kept, and nothing kept was not checked. */
export function documentRecipient(parts: RecipientParts): DocumentRecipientGateway {
  return {
    async accept(change, caller, received) {
      const meant = meaningOf(change)
      const warnings = meant.type === 'submit' || meant.type === 'update' ? judged(parts.check(meant)) : []
      const call = parts.policy.authorizeChange(meant, caller, received.service)
      // Again when somebody else was faster with a part of it.
      for (let attempt = 0; attempt < mostAttempts; attempt++) {
        const left = await leftOf(meant, received, parts)
        if (left === undefined) return { warnings, repeated: true }
        const { change: kept, before } = await resolved(named(left, parts.newId), call, parts)
        // Whose documents a removal names, and whether an update hides or shows a document, is known only now.
        parts.policy.authorizeChange(kept, caller, received.service ?? serviceOfChange(kept, before))
        const identities = identitiesOf(left, received)
        const appended = await parts.journal.append({
          ...draftOf({ change: kept, before }, call, received, parts),
          identities,
        })
        if ('repeats' in appended) continue
        parts.onAccepted()
        return { warnings, repeated: false }
      }
      throw new GatewayError('overloaded', 'The same documents are being changed by others')
    },
  }
}

const mostAttempts = 3

/**
 * What of a change was not made before: undefined when all of it was. Looked up before the version check, since an update
 * that is told again has made the version it was made from an old one. A second communication of a document is an error
 * that means success (ini.md §6.2 no. 3): throws it for each such document.
 */
async function leftOf(
  change: MetadataChange,
  received: Received,
  { journal }: RecipientParts,
): Promise<MetadataChange | undefined> {
  const identities = identitiesOf(change, received)
  const known = await Promise.all(identities.map(async (one) => (await journal.repeated([one])) !== undefined))
  if (!known.includes(true)) return change
  switch (change.type) {
    case 'submit':
      throw alreadySaved(change.submission.entries.filter((_, index) => known[index]))
    case 'remove': {
      const ids = change.ids.filter((_, index) => !known[index])
      return ids.length === 0 ? undefined : { ...change, ids }
    }
    case 'update':
    case 'hide':
      return undefined
  }
}

/** A replacement of a document by itself is the old form of an update (#761 in ini.md §3.3). */
function meaningOf(change: MetadataChange): MetadataChange {
  if (change.type !== 'submit') return change
  const { submission } = change
  const onItself = new Set(
    submission.associations.flatMap(({ type, source, target }) =>
      type === 'replaces' && source === target ? [source] : [],
    ),
  )
  if (onItself.size === 0) return change
  return {
    type: 'update',
    submission: {
      ...submission,
      entries: submission.entries.map((entry) => {
        return onItself.has(entry.entryUuid)
          ? { ...entry, entryUuid: `of ${entry.entryUuid}`, logicalId: logicalIdOf(entry) }
          : entry
      }),
      associations: submission.associations.flatMap((link) => {
        if (link.type === 'replaces' && link.source === link.target) return []
        return [onItself.has(link.target) ? { ...link, target: `of ${link.target}` } : link]
      }),
    },
  }
}

function judged(issues: readonly Issue[]): readonly Issue[] {
  if (!issues.some(({ severity }) => severity === 'error')) return issues
  throw metadataRefused(issues)
}

function named(change: MetadataChange, newId: () => string): MetadataChange {
  if (change.type !== 'submit' && change.type !== 'update') return change
  return { ...change, submission: withOwnIds(change.submission, newId) }
}

function patientsOf(change: MetadataChange, call: AuthorizedCall): readonly PatientId[] {
  switch (change.type) {
    case 'submit':
    case 'update':
      return [change.submission.submissionSet.patientId]
    case 'remove':
      return distinct([...change.entries.map(({ patientId }) => patientId), ...patientsNamed(call)])
    case 'hide':
      return [change.patientId]
  }
}

function distinct(ids: readonly PatientId[]): readonly PatientId[] {
  return ids.filter((id, index) => ids.findIndex((other) => samePatientId(other, id)) === index)
}

function draftOf(
  { change, before }: ResolvedChange,
  call: AuthorizedCall,
  { transaction, digest }: Received,
  { clock, newId, deliverAs, followedBy }: RecipientParts,
): Omit<JournalDraft, 'identities'> {
  return {
    id: newId(),
    transaction,
    correlationId: call.correlationId,
    digest,
    receivedAt: clock.now(),
    frees: change.type === 'remove' ? change.entries.map(communicated) : [],
    patients: patientsOf(change, call),
    objects: objectsOf(change, before),
    pushed: { kind: 'change', change: relating(change, before), assertion: call.assertion },
    deliverAs,
    ...(followedBy === undefined ? {} : { followedBy }),
  }
}

/** With the documents it leads to: who is told of it elsewhere knows them by their names in the world, not by our ids. */
function relating(change: MetadataChange, before: readonly DocumentEntry[]): MetadataChange {
  return change.type === 'submit' && before.length > 0 ? { ...change, related: before } : change
}

/** What makes a push the same again: document and repository, as they are first told (ini.md §6.2 no. 5). */
function identitiesOf(change: MetadataChange, { bodyDigest }: Received): readonly string[] {
  switch (change.type) {
    case 'submit':
      return change.submission.entries.map(communicated)
    case 'update':
      return [`update ${bodyDigest}`]
    case 'remove':
      return change.ids.map((id) => `removal ${id}`)
    case 'hide':
      return [`hiding ${bodyDigest}`]
  }
}

function communicated({ uniqueId, repositoryUniqueId }: DocumentEntry): string {
  return `document ${repositoryUniqueId ?? ''} ${uniqueId}`
}

/** Everything a change names, by every id its document is known by: what touches one of them waits for what came before. */
function objectsOf(change: MetadataChange, before: readonly DocumentEntry[]): readonly string[] {
  const idsOf = (entry: DocumentEntry) => [entry.entryUuid, entry.uniqueId, logicalIdOf(entry)]
  const known = before.flatMap(idsOf)
  switch (change.type) {
    case 'submit':
    case 'update': {
      const { entries, associations, submissionSet } = change.submission
      const own = [submissionSet.entryUuid, ...entries.flatMap(idsOf), ...associations.map(({ target }) => target)]
      return [...new Set([...own, ...known])]
    }
    case 'remove':
      return [...new Set([...change.ids, ...known])]
    case 'hide':
      return [change.uniqueId]
  }
}

/** The text is the norm's (ini.md §6.1). */
function alreadySaved(entries: readonly DocumentEntry[]): GatewayError {
  const text = 'DocumentEntry already saved in a previous communication'
  const issues = entries.map(({ uniqueId }) => issueOf('R224', text, uniqueId))
  return new GatewayError('document-duplicate', text, { issues })
}
