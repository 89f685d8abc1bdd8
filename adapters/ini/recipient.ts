import type { About, AdapterTools } from '../../src/config/adapter.ts'
import { GatewayError } from '../../src/core/errors.ts'
import { obscured, visibilityCodes } from '../../src/core/federation/overlay.ts'
import type { AuthorizedCall } from '../../src/core/model/call.ts'
import type { HideChange, RemoveChange, Submission, SubmitChange, UpdateChange } from '../../src/core/model/change.ts'
import type { Code } from '../../src/core/model/code.ts'
import type { DocumentEntry } from '../../src/core/model/metadata.ts'
import type { PatientId } from '../../src/core/model/patient.ts'
import type { DocumentRecipient } from '../../src/core/ports.ts'
import { hidingOf } from '../../src/wire/ebrim/hiding.ts'
import { haveSameContent, isObscured, latestOf, sayTheSame } from '../../src/wire/ebrim/same-document.ts'
import { encodeRemoveObjects, encodeSubmitObjects } from '../../src/wire/ebrim/submit-objects.ts'
import { formatCx, parseXcn } from '../../src/wire/hl7/cx.ts'
import { lookUp } from './look-up.ts'
import { addressOf, claimsOf, type OperationName, operations } from './operations.ts'
import type { IniOptions } from './options.ts'
import { changeOutcome, type Meaning, type Outcome } from './outcome.ts'
import { inNationalForm, madeFrom, onItself, withTargets } from './submission.ts'

type Writing = Extract<
  OperationName,
  'create' | 'replace' | 'update' | 'updateByRegister' | 'hide' | 'hideByRegister' | 'delete'
>

/** How often a document that is changed by others meanwhile is read anew. */
const mostReadings = 2

/** As how many of an obscured document's authors it is asked for. */
const mostAuthors = 5

/** Of how many documents it is remembered that they were found to be removed. */
const mostRemovals = 1_000

/**
 * Tells INI what was done to documents of those whom others assist (ini.md §1.2, §2.4), each change by its own operation.
 * INI's registries have ids of their own: what is changed there is looked up first by the name the world knows it by. A
 * change made before is recognised (R224, or by what is there); one about a patient of ours is INI's to leave to us (R220).
 */
export function iniRecipient(
  options: IniOptions,
  tools: Pick<AdapterTools, 'ask' | 'submit' | 'clock' | 'homeOf'>,
): DocumentRecipient {
  const { references, metadata } = lookUp(options, tools)
  /** What was found to be removed, by the push: once it is found no more, an attempt has removed it. */
  const removing = new Set<string>()

  async function tell(name: Writing, body: string, { call, patientId }: About): Promise<Outcome> {
    const { action, claims } = operations[name]
    return changeOutcome(
      await tools.submit({
        ...{ url: addressOf(name, options), action, body, call, does: claims.action },
        messageId: options.messageId,
        ...claimsOf(name, call.assertion),
        ...(patientId === undefined ? {} : { patientId }),
      }),
    )
  }

  async function submit({ submission, related = [] }: SubmitChange, call: AuthorizedCall): Promise<void> {
    const about = { call, patientId: submission.submissionSet.patientId }
    const targets = await targetsOf(submission, related, about)
    if (targets === 'ours') return
    const body = encodeSubmitObjects(inNationalForm(withTargets(submission, targets), call.assertion))
    const outcome = await tell(replaces(submission) ? 'replace' : 'create', body, about)
    if (isDone(outcome)) return
    if (!isBecause(outcome, 'replaced') || !(await areThere(submission.entries, about))) throw outcome.error
  }

  /** What INI's registries call the documents that a submission refers to, by what our record calls them. */
  async function targetsOf(
    { submissionSet, entries, folders, associations }: Submission,
    related: readonly DocumentEntry[],
    about: About,
  ): Promise<ReadonlyMap<string, string> | 'ours'> {
    const own = new Set([submissionSet, ...entries, ...folders].map(({ entryUuid }) => entryUuid))
    const targets = new Map<string, string>()
    for (const target of new Set(associations.map((link) => link.target))) {
      if (own.has(target)) continue
      const entry = related.find(({ entryUuid }) => entryUuid === target)
      if (entry === undefined) throw unnamed()
      const id = await currentId(entry.uniqueId, about)
      if (id === 'ours') return id
      if (id === undefined) throw unknown('to be replaced or referred to')
      targets.set(target, id)
    }
    return targets
  }

  /** References do not tell which of several versions is the current one; metadata do. */
  async function currentId(uniqueId: string, about: About): Promise<string | undefined> {
    const ids = await references(uniqueId, about)
    if (ids === 'ours' || ids.length <= 1) return ids === 'ours' ? ids : ids[0]
    const found = await metadata(uniqueId, about)
    if (found === 'ours') return found
    return latestOf(found)[0]?.entryUuid
  }

  async function areThere(entries: readonly DocumentEntry[], about: About): Promise<boolean> {
    for (const entry of entries) {
      const found = await metadata(entry.uniqueId, about)
      if (found === 'ours' || !found.some((one) => haveSameContent(one, entry))) return false
    }
    return entries.length > 0
  }

  async function update({ submission, keepsHiding }: UpdateChange, call: AuthorizedCall): Promise<void> {
    const about = { call, patientId: submission.submissionSet.patientId }
    const told = inNationalForm(submission, call.assertion)
    await readingAnew(async () => {
      const former = new Map<string, DocumentEntry>()
      for (const entry of told.entries) {
        const found = await metadata(entry.uniqueId, about)
        if (found === 'ours') return 'ours'
        const [latest] = latestOf(found)
        if (latest === undefined) throw unknown('to be updated')
        former.set(entry.entryUuid, latest)
      }
      const entries = told.entries.map((entry) =>
        keepsHiding === true ? asVisibleAs(former.get(entry.entryUuid), entry) : entry,
      )
      // Told again, after an answer that was lost.
      if (entries.every((entry) => isSaid(entry, former.get(entry.entryUuid)))) return 'made'
      const altered = entries.filter((entry) => policyOf(entry) !== policyOf(former.get(entry.entryUuid)))
      const hides = altered.some((entry) => keepsHiding !== true || isObscured(entry))
      return await tellUpdate({ ...told, entries }, former, { hides, about })
    })
  }

  async function tellUpdate(
    submission: Submission,
    former: ReadonlyMap<string, DocumentEntry>,
    { hides, about }: { readonly hides: boolean; readonly about: About },
  ): Promise<Outcome> {
    if (options.updateBy === 'iti-57') {
      return await tell(hides ? 'hide' : 'update', encodeSubmitObjects(madeFrom(submission, former)), about)
    }
    const body = encodeSubmitObjects(onItself(submission, former, () => `urn:uuid:${crypto.randomUUID()}`))
    return await tell(hides ? 'hideByRegister' : 'updateByRegister', body, about)
  }

  async function remove({ entries }: RemoveChange, call: AuthorizedCall): Promise<void> {
    const [first] = entries
    if (first === undefined) throw unnamed()
    const about = { call, patientId: first.patientId }
    await readingAnew(async () => {
      const found: string[] = []
      let untold = false
      for (const uniqueId of new Set(entries.map((entry) => entry.uniqueId))) {
        const hidden = entries.filter((entry) => entry.uniqueId === uniqueId && isObscured(entry))
        const some = await references(uniqueId, about, authorsOf(hidden))
        if (some === 'ours') return some
        found.push(...some)
        const removal = `${call.correlationId} ${uniqueId}`
        if (some.length > 0) rememberRemoval(removal)
        else if (hidden.length > 0 && !removing.has(removal)) untold = true
      }
      const outcome = found.length === 0 ? 'made' : await tell('delete', encodeRemoveObjects(found), about)
      // What INI does not tell of may be there all the same: that is for an operator to find out.
      if (untold && outcome === 'made') throw obscuredToUs()
      return outcome
    })
  }

  function rememberRemoval(removal: string): void {
    removing.delete(removal)
    removing.add(removal)
    for (const oldest of removing) {
      if (removing.size <= mostRemovals) break
      removing.delete(oldest)
    }
  }

  async function hide({ uniqueId, patientId }: HideChange, call: AuthorizedCall): Promise<void> {
    const about = { call, patientId }
    const home = tools.homeOf(call.assertion.organization) ?? call.assertion.community
    await readingAnew(async () => {
      const found = await metadata(uniqueId, about)
      if (found === 'ours') return found
      const [latest] = latestOf(found).filter((entry) => isOf(entry, patientId))
      if (latest === undefined) throw unknown('to be hidden')
      if (isObscured(latest)) return 'made'
      const parts = { home, call, now: tools.clock.now(), newUuid: () => crypto.randomUUID() }
      const submission = hidingOf(latest, parts)
      const former = new Map(submission.entries.map(({ entryUuid }) => [entryUuid, latest]))
      return await tellUpdate(submission, former, { hides: true, about })
    })
  }

  return {
    async accept(change, call) {
      switch (change.type) {
        case 'submit':
          return await submit(change, call)
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

/** Somebody else may have changed, or removed, what was looked up: then it is looked up once more, and told of later else. */
async function readingAnew(attempt: () => Promise<Outcome>): Promise<void> {
  for (let reading = 1; ; reading++) {
    const outcome = await attempt()
    if (isDone(outcome)) return
    if (!isBecause(outcome, 'overtaken', 'nothing-found')) throw outcome.error
    if (reading < mostReadings) continue
    if (!isBecause(outcome, 'overtaken')) throw outcome.error
    const { issues } = outcome.error
    throw new GatewayError('community-busy', 'The document goes on being changed by others at INI', { issues })
  }
}

function isDone(outcome: Outcome): outcome is 'made' | 'ours' {
  return outcome === 'made' || outcome === 'ours'
}

function isBecause({ because }: Exclude<Outcome, string>, ...expected: readonly Meaning[]): boolean {
  return because !== undefined && expected.includes(because)
}

function replaces({ associations }: Submission): boolean {
  return associations.some(({ type }) => type === 'replaces' || type === 'transforms-and-replaces')
}

/** The patient may be known by another identifier there, but not by another one of the same authority. */
function isOf({ patientId }: DocumentEntry, asked: PatientId): boolean {
  return patientId.authority !== asked.authority || patientId.value === asked.value
}

function isSaid(entry: DocumentEntry, former: DocumentEntry | undefined): boolean {
  return former !== undefined && sayTheSame(former, entry)
}

/**
 * What an update that was not made for hiding or showing says of a document: hidden where it is hidden, else as visible as
 * it was. That it is to be hidden stands, and so does what is said where nothing was.
 */
function asVisibleAs(before: DocumentEntry | undefined, entry: DocumentEntry): DocumentEntry {
  if (before === undefined || isObscured(entry) || policyOf(entry) === policyOf(before)) return entry
  if (isObscured(before)) return obscured(entry)
  const policies = before.eventCodes.filter(isPolicy)
  if (policies.length === 0) return entry
  return { ...entry, eventCodes: [...entry.eventCodes.filter((code) => !isPolicy(code)), ...policies] }
}

/** The visibility policy of an entry, of which there is one at most. */
function policyOf(entry: DocumentEntry | undefined): string {
  const policies = (entry?.eventCodes ?? []).filter(isPolicy)
  return policies
    .map(({ code }) => code)
    .sort()
    .join()
}

function isPolicy({ code }: Code): boolean {
  return visibilityCodes.has(code)
}

/** Who wrote the documents, each person as a CX. */
function authorsOf(entries: readonly DocumentEntry[]): readonly string[] {
  const persons = entries.flatMap(({ authors }) => authors.flatMap((author) => author.persons.map(parseXcn)))
  const ids = persons.flatMap(({ id, authority }) =>
    id === undefined || authority === undefined ? [] : [formatCx({ value: id, authority })],
  )
  return [...new Set(ids)].slice(0, mostAuthors)
}

function unknown(what: string): GatewayError {
  return new GatewayError('community-rejected', `INI knows no document ${what}: it is told of nothing (QND1)`)
}

function obscuredToUs(): GatewayError {
  const message =
    'INI knows no document to be removed (QND1). It was obscured: INI may have it and tell its author alone, or an attempt ' +
    'before has removed it'
  return new GatewayError('community-rejected', message)
}

function unnamed(): GatewayError {
  const message = 'What a change refers to was not known when it was taken: INI cannot be told of it'
  return new GatewayError('community-rejected', message)
}
