import type { AdapterTools, RegistrySubmission } from '../../src/config/adapter.ts'
import { GatewayError } from '../../src/core/errors.ts'
import { logicalIdOf, obscured, versionOf } from '../../src/core/federation/overlay.ts'
import type { AuthorizedCall } from '../../src/core/model/call.ts'
import type { HideChange, RemoveChange, Submission, UpdateChange } from '../../src/core/model/change.ts'
import type { HomeCommunityId } from '../../src/core/model/identifiers.ts'
import type { DocumentEntry } from '../../src/core/model/metadata.ts'
import type { DocumentRecipient, DocumentRegistry } from '../../src/core/ports.ts'
import { actions } from '../../src/wire/actions.ts'
import { type ChangeObstacle, type ChangeRefusal, changeRefusal } from '../../src/wire/ebrim/error-meanings.ts'
import { hidingOf, hidingPurpose } from '../../src/wire/ebrim/hiding.ts'
import { haveSameContent, isObscured, latestOf, sayTheSame } from '../../src/wire/ebrim/same-document.ts'
import { encodeRemoveObjects, encodeSubmitObjects } from '../../src/wire/ebrim/submit-objects.ts'
import type { TuscanyOptions } from './options.ts'

export interface XdsRecipientParts {
  readonly home: HomeCommunityId
  /** The registry that is told, asked for what it has. */
  readonly registry: DocumentRegistry
  readonly options: TuscanyOptions
  readonly tools: Pick<AdapterTools, 'submit' | 'clock'>
}

type About = Pick<RegistrySubmission, 'call' | 'does' | 'patientId' | 'purposeOfUse'>

/** How often a document that is changed by others meanwhile is read anew. */
const mostReadings = 2

/**
 * Passes changes on to the regional registry by XDS.b: ITI-42, ITI-57 and ITI-62. A change that the registry has made already
 * is recognised by what it says against it and by what it holds. What has no address in the configuration fails as
 * `internal`: nothing is lost, and it goes through once there is one.
 */
export function xdsRecipient({ home, registry, options, tools }: XdsRecipientParts): DocumentRecipient {
  const actionOf = {
    register: actions.registerDocumentSet,
    update: actions.updateDocumentSet,
    delete: options.deleteAction === 'ini' ? actions.deleteDocumentSet : actions.deleteDocumentSetOfIhe,
  }

  async function tell(what: keyof typeof actionOf, body: string, about: About): Promise<ChangeRefusal | undefined> {
    const url = options[what]
    if (url === undefined) {
      throw new GatewayError('internal', `The option ${what} of our community is not set`, {
        details: { option: what },
      })
    }
    const { messageId } = options
    return changeRefusal(await tools.submit({ ...about, url, action: actionOf[what], body, messageId }))
  }

  async function entriesOf(uniqueIds: readonly string[], call: AuthorizedCall): Promise<readonly DocumentEntry[]> {
    const documents = { by: 'unique-id', ids: uniqueIds } as const
    return (await registry.query({ type: 'GetDocuments', documents, extra: [] }, call)).entries
  }

  async function submit(submission: Submission, call: AuthorizedCall): Promise<void> {
    const { patientId } = submission.submissionSet
    // A replacement is claimed as an update (ini.md §2.4).
    const does = replacedBy(submission).length > 0 ? 'UPDATE' : 'CREATE'
    const refusal = await tell('register', encodeSubmitObjects(submission), { call, does, patientId })
    if (refusal === undefined) return
    if (!isOnly(refusal, 'there', 'replaced') || !(await isThere(submission, call, refusal))) throw refusal.error
    // A copy that was there before says nothing of a hiding that came with this one.
    for (const { patientId, uniqueId } of submission.entries.filter(isObscured)) {
      await hide({ type: 'hide', patientId, uniqueId }, call)
    }
  }

  /** Whether each document is there with the same content, and has replaced what it replaces where that is in doubt. */
  async function isThere(submission: Submission, call: AuthorizedCall, { obstacles }: ChangeRefusal): Promise<boolean> {
    const { entries } = submission
    // Nobody gives one uniqueId to two submission sets.
    if (entries.length === 0) return obstacles.includes('there')
    const documents = { by: 'unique-id', ids: entries.map(({ uniqueId }) => uniqueId) } as const
    const found = await registry.query({ type: 'GetDocumentsAndAssociations', documents, extra: [] }, call)
    if (!entries.every((entry) => found.entries.some((one) => haveSameContent(one, entry)))) return false
    return (
      !obstacles.includes('replaced') ||
      replacedBy(submission).every(({ type, target }) =>
        found.associations.some((link) => link.type === type && link.target === target),
      )
    )
  }

  async function update({ submission: told, keepsHiding }: UpdateChange, call: AuthorizedCall): Promise<void> {
    const submission = keepsHiding === true ? await asHiddenAs(told, call) : told
    const { patientId } = submission.submissionSet
    const body = encodeSubmitObjects(withVersions(submission))
    const refusal = await tell('update', body, { call, does: 'UPDATE', patientId })
    if (refusal === undefined) return
    if (!isOnly(refusal, 'overtaken', 'there') || !(await isUpdated(submission, call))) throw refusal.error
  }

  /**
   * The update as it is once hidings that came before it are made: it hides what they hide, and is made from the version
   * that they made where this differs from the one it was made from in nothing else.
   */
  async function asHiddenAs(submission: Submission, call: AuthorizedCall): Promise<Submission> {
    const found = await entriesOf(
      submission.entries.map(({ uniqueId }) => uniqueId),
      call,
    )
    const entries = submission.entries.map((entry) => {
      const versions = found.filter((one) => logicalIdOf(one) === logicalIdOf(entry))
      const latest = versions.reduce<DocumentEntry | undefined>((a, b) => {
        return a !== undefined && versionOf(a) >= versionOf(b) ? a : b
      }, undefined)
      if (latest === undefined || !isObscured(latest) || isObscured(entry)) return entry
      const base = versions.find((one) => versionOf(one) === versionOf(entry) - 1)
      const isHidingOnly = base !== undefined && sayTheSame(obscured(base), latest)
      return { ...obscured(entry), ...(isHidingOnly ? { version: String(versionOf(latest) + 1) } : {}) }
    })
    const rebased = new Map(entries.map((entry) => [entry.entryUuid, String(versionOf(entry) - 1)]))
    const associations = submission.associations.map((link) => {
      const previousVersion = link.previousVersion === undefined ? undefined : rebased.get(link.target)
      return previousVersion === undefined ? link : { ...link, previousVersion }
    })
    return { ...submission, entries, associations }
  }

  async function isUpdated({ entries }: Submission, call: AuthorizedCall): Promise<boolean> {
    if (entries.length === 0) return false
    const ids = entries.map(({ uniqueId }) => uniqueId)
    const found = await entriesOf(ids, call)
    return entries.every((entry) => found.some((one) => versionOf(one) >= versionOf(entry) && sayTheSame(one, entry)))
  }

  /** An id that is not there makes the registry keep all the others too: then each is removed by itself. */
  async function remove({ ids, entries }: RemoveChange, call: AuthorizedCall): Promise<void> {
    const patientId = entries[0]?.patientId
    const about: About = { call, does: 'DELETE', ...(patientId === undefined ? {} : { patientId }) }
    const refusal = await tell('delete', encodeRemoveObjects(ids), about)
    if (refusal === undefined) return
    if (!isOnly(refusal, 'not-there')) throw refusal.error
    if (ids.length === 1) return
    for (const id of ids) {
      const alone = await tell('delete', encodeRemoveObjects([id]), about)
      if (alone !== undefined && !isOnly(alone, 'not-there')) throw alone.error
    }
  }

  async function hide(change: HideChange, call: AuthorizedCall): Promise<void> {
    for (let reading = 1; ; reading++) {
      const refusal = await hideAsFound(change, call)
      if (refusal === undefined) return
      if (!isOnly(refusal, 'overtaken')) throw refusal.error
      if (reading >= mostReadings) {
        const { issues } = refusal.error
        throw new GatewayError('community-busy', 'The document goes on being changed by others', { issues })
      }
    }
  }

  async function hideAsFound(change: HideChange, call: AuthorizedCall): Promise<ChangeRefusal | undefined> {
    const found = latestOf(await entriesOf([change.uniqueId], call)).filter((entry) => isOf(entry, change))
    if (found.length === 0) {
      throw new GatewayError('document-unknown', 'Our community knows no such document of the patient')
    }
    for (const entry of found) {
      if (isObscured(entry)) continue
      const parts = { home, call, now: tools.clock.now(), newUuid: () => crypto.randomUUID() }
      const body = encodeSubmitObjects(hidingOf(entry, parts))
      const about: About = { call, does: 'UPDATE', patientId: entry.patientId, purposeOfUse: hidingPurpose }
      const refusal = await tell('update', body, about)
      if (refusal !== undefined) return refusal
    }
    return undefined
  }

  return {
    async accept(change, call) {
      switch (change.type) {
        case 'submit':
          return await submit(change.submission, call)
        case 'update':
          return await update(change, call)
        case 'remove':
          return await remove(change, call)
        case 'hide':
          return await hide(change, call)
      }
    },
  }
}

/** The patient may be known by another identifier here, but not by another one of the same authority. */
function isOf({ patientId }: DocumentEntry, change: HideChange): boolean {
  return patientId.authority !== change.patientId.authority || patientId.value === change.patientId.value
}

/** Each new version with the number of the one it was made from, beside the slot that names it (ini.md §3.3). */
function withVersions(submission: Submission): Submission {
  const former = new Map(
    submission.entries.flatMap((entry) =>
      versionOf(entry) <= 1 ? [] : [[entry.entryUuid, String(versionOf(entry) - 1)] as const],
    ),
  )
  return {
    ...submission,
    entries: submission.entries.map((entry) => {
      const version = former.get(entry.entryUuid)
      return version === undefined ? entry : { ...entry, version }
    }),
    associations: submission.associations.map((link) => {
      const previousVersion = link.type === 'has-member' ? former.get(link.target) : undefined
      return previousVersion === undefined || link.previousVersion !== undefined ? link : { ...link, previousVersion }
    }),
  }
}

function replacedBy({ associations }: Submission): Submission['associations'] {
  return associations.filter(({ type }) => type === 'replaces' || type === 'transforms-and-replaces')
}

/** Whether everything that was said against a change may mean that it has been made. */
function isOnly({ obstacles }: ChangeRefusal, ...expected: readonly ChangeObstacle[]): boolean {
  return obstacles.length > 0 && obstacles.every((obstacle) => expected.includes(obstacle))
}
