import { GatewayError, type Issue } from '../errors.ts'
import type { AuthenticatedCall, AuthorizedCall } from '../model/call.ts'
import type { MetadataChange, Submission, SubmitChange, UpdateChange } from '../model/change.ts'
import type { DocumentEntry } from '../model/metadata.ts'
import { isPatient, type PatientId, samePatientId } from '../model/patient.ts'
import type { Service } from '../policy/access-table.ts'
import { serviceOfChange } from '../policy/change-service.ts'
import type { AccessPolicy, JournalDraft, JournaledPush, PatientLocator, PushJournal } from '../ports.ts'
import { lateness, unlessAborted } from './fan-out.ts'
import { logicalIdOf, versionOf } from './overlay.ts'
import { patientsNamed, type ResolveParts } from './referents.ts'
import { issueOf, metadataRefused, type ResolvedChange, resolved } from './resolve-change.ts'
import { withOwnIds } from './submitted-ids.ts'

/** What accepting pushes needs. */
export interface RecipientParts extends ResolveParts {
  readonly policy: AccessPolicy
  /** Knows a person's identifiers; without it those of the assertion are all there are. */
  readonly patients?: PatientLocator
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
      const claimed = parts.policy.authorizeChange(meant, caller, received.service)
      const call = await informed(claimed, parts)
      // Again when somebody else was faster with a part of it.
      for (let attempt = 0; attempt < mostAttempts; attempt++) {
        const { left, identities } = await leftOf(meant, call, received, parts)
        if (left === undefined) return { warnings, repeated: true }
        const { change, before } = await resolved(named(left, parts.newId), call, parts)
        // Whose documents a removal names, and whether an update hides or shows a document, is known only now.
        const service = received.service ?? serviceOfChange(change, before)
        parts.policy.authorizeChange(change, { ...caller, assertion: call.assertion }, service)
        const kept = change.type === 'update' && service !== 'hide' ? { ...change, keepsHiding: true as const } : change
        const appended = await parts.journal.append({
          ...draftOf({ change: kept, before }, claimed, received, parts),
          identities: [...identities, ...versionsIn(kept)],
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

/** The call with every identifier that our index knows of the person: pushes name any of them. */
async function informed(call: AuthorizedCall, { patients, clock }: RecipientParts): Promise<AuthorizedCall> {
  const { assertion } = call
  const { patientId, patientKnownAs } = assertion
  if (patients === undefined || patientId === undefined) return call
  const signal = AbortSignal.any([call.signal, lateness(call, clock)])
  const known = await unlessAborted(() => patients.locate(patientId, { ...call, signal }), signal).catch(
    () => undefined,
  )
  if (known === undefined || !isPatient(known.patient, patientId)) return call
  const identifiers = [...known.patient.identifiers, ...(patientKnownAs?.identifiers ?? [])]
  return { ...call, assertion: { ...assertion, patientKnownAs: { ...patientKnownAs, identifiers } } }
}

interface Left {
  /** Undefined when all of it was made before. */
  readonly left: MetadataChange | undefined
  readonly identities: readonly string[]
}

/**
 * What of a change was not made before. Looked up before the version check, since an update that is told again has made
 * the version it was made from an old one. A second communication of a document is an error that means success (ini.md
 * §6.2 no. 3): throws it for each such document.
 */
async function leftOf(
  change: MetadataChange,
  call: AuthorizedCall,
  received: Received,
  { journal }: RecipientParts,
): Promise<Left> {
  switch (change.type) {
    case 'submit':
      return { left: change, identities: await newlyCommunicated(change.submission, call, journal) }
    case 'remove': {
      const known = await Promise.all(change.ids.map(async (id) => await journal.repeated([removalOf(id)])))
      const ids = change.ids.filter((_, index) => known[index] === undefined)
      return { left: ids.length === 0 ? undefined : { ...change, ids }, identities: ids.map(removalOf) }
    }
    case 'update':
    case 'hide': {
      const identities = [`${change.type} ${received.bodyDigest}`]
      return { left: (await journal.repeated(identities)) === undefined ? change : undefined, identities }
    }
  }
}

/**
 * How the documents of a submission are recognised when they come again: by document and repository (ini.md §6.2 no. 5), and
 * once they were removed, from then on. Throws for what was saved before.
 */
async function newlyCommunicated(
  { entries }: Submission,
  call: AuthorizedCall,
  journal: PushJournal,
): Promise<readonly string[]> {
  const identities: string[] = []
  const saved: Issue[] = []
  for (const entry of entries) {
    const { identity, earlier } = await identified(entry, journal)
    identities.push(identity)
    if (earlier !== undefined) saved.push(savedBefore(entry, earlier, call))
  }
  if (saved.length === 0) return identities
  const told = new Set(saved.map(({ location }) => location))
  const others = entries.filter(({ uniqueId }) => !told.has(uniqueId))
  const unsaved = others.map(({ uniqueId }) => {
    return issueOf('XDSRegistryError', 'Not saved: another document of the submission was saved before', uniqueId)
  })
  throw new GatewayError('document-duplicate', alreadySaved, { issues: [...saved, ...unsaved] })
}

/** The identity of a document, and the push that has taken it. */
async function identified(entry: DocumentEntry, journal: PushJournal) {
  let identity = communicated(entry)
  for (;;) {
    const earlier = await journal.repeated([identity])
    if (earlier === undefined) return { identity }
    const removal = await removedSince(entry, earlier, journal)
    if (removal === undefined) return { identity, earlier }
    identity = `${communicated(entry)} since ${removal.id}`
  }
}

/** The removal of a document that was submitted by a push: one that was accepted while the document's name was not known. */
async function removedSince(
  { uniqueId, repositoryUniqueId }: DocumentEntry,
  { pushed, sequence }: JournaledPush,
  journal: PushJournal,
): Promise<JournaledPush | undefined> {
  const entries = pushed.kind === 'change' && pushed.change.type === 'submit' ? pushed.change.submission.entries : []
  const submitted = entries.find((one) => {
    return one.uniqueId === uniqueId && one.repositoryUniqueId === repositoryUniqueId
  })
  if (submitted === undefined) return undefined
  const removal = await journal.repeated([removalOf(submitted.entryUuid)])
  return removal !== undefined && removal.sequence > sequence ? removal : undefined
}

/** The text is the norm's (ini.md §6.1). */
const alreadySaved = 'DocumentEntry already saved in a previous communication'

/** What was saved about somebody else is not saved: it must not be read as success. */
function savedBefore({ uniqueId, patientId }: DocumentEntry, { patients }: JournaledPush, call: AuthorizedCall): Issue {
  const persons = [patientId, ...patientsNamed(call)]
  const isTheirs = patients.some((one) => persons.some((person) => samePatientId(one, person)))
  if (isTheirs) return issueOf('R224', alreadySaved, uniqueId)
  return issueOf('XDSPatientIdDoesNotMatch', 'The document is known of another patient', uniqueId)
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
    frees: freedBy(change),
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

function removalOf(id: string): string {
  return `removal ${id}`
}

/** Each version of an entry is made once: of two updates of one version that come together, one is too late. */
function versionsIn(change: MetadataChange): readonly string[] {
  if (change.type !== 'update') return []
  return change.submission.entries.map((entry) => versionIdentity(logicalIdOf(entry), versionOf(entry)))
}

function versionIdentity(logicalId: string, version: number): string {
  return `version ${logicalId} ${version}`
}

/** How many versions of a removed entry are given back: its successor under the same id may have them again. */
const mostVersions = 100

/** What may be told anew from now on: documents that were removed, removals of what is there again. */
function freedBy(change: MetadataChange): readonly string[] {
  switch (change.type) {
    case 'submit':
      return change.submission.entries.map(({ entryUuid }) => removalOf(entryUuid))
    case 'remove':
      return change.entries.flatMap((entry) => {
        const versions = Math.min(mostVersions, versionOf(entry) + 1)
        const made = Array.from({ length: versions }, (_, index) => versionIdentity(logicalIdOf(entry), index + 1))
        return [communicated(entry), ...made]
      })
    case 'update':
    case 'hide':
      return []
  }
}

/** A document as it is first told of: what makes it the same when it comes again (ini.md §6.2 no. 5). */
export function communicated({ uniqueId, repositoryUniqueId }: DocumentEntry): string {
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
